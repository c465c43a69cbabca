// Formats the runs of gaussflow train --restarts, best first, as a table or as fields for --json (cli/train-many.ts).
import { GaussflowError } from "../errors.js";
import type { JobResult } from "../jobs/job.js";
import { formatLoss, formatSeconds } from "./numbers.js";
import { type Painter, plain } from "./paint.js";
import { type TextColumn, textTable } from "./text-table.js";

/** Largest number of rows that are printed. */
const MOST_ROWS = 20;

const COLUMNS: readonly TextColumn[] = [
  { heading: "", align: "right" },
  { heading: "run", align: "left" },
  { heading: "training", align: "right" },
  { heading: "validation", align: "right" },
  { heading: "iterations", align: "right" },
  { heading: "time", align: "right" },
  { heading: "ended by", align: "left" },
];

/** The column of what the runs are ranked by. */
const JUDGED = 3;

export function runsTable(ranked: readonly JobResult[], paint: Painter = plain): string {
  // Runs by evidence have no validation part.
  const evident = ranked.some(({ result }) => (result?.evidence ?? null) !== null);
  const columns = evident
    ? COLUMNS.map((one, k) => (k === JUDGED ? { ...one, heading: "log evidence" } : one))
    : COLUMNS;
  const rows = ranked.slice(0, MOST_ROWS).map(({ label, state, result, error }, k) => {
    if (result === null) return [`${k + 1}`, label, "-", "-", "-", "-", state === "idle" ? "not begun" : codeOf(error)];
    const { loss, validationLoss, evidence, iterations, seconds, reason } = result;
    const judged = evident ? (evidence?.logEvidence.toFixed(2) ?? "-") : formatLoss(validationLoss);
    return [`${k + 1}`, label, formatLoss(loss), judged, `${iterations}`, formatSeconds(seconds), reason.code];
  });
  const table = textTable(columns, rows, paint);
  return ranked.length > MOST_ROWS ? `${table}\n  and ${ranked.length - MOST_ROWS} more (--json lists them)` : table;
}

/** One run as a JSON line has it. */
export function runFields({ index, label, job, state, score, result, error }: JobResult) {
  return {
    job: index,
    label,
    fold: job.fold === undefined ? null : job.fold.index + 1,
    seed: job.network.options.drawn?.seed ?? null,
    state,
    score,
    reason: result?.reason ?? null,
    iterations: result?.iterations ?? null,
    loss: result?.loss ?? null,
    validationLoss: result?.validationLoss ?? null,
    evidence: result?.evidence ?? null,
    seconds: result?.seconds ?? null,
    error: state === "failed" ? { code: codeOf(error), message: messageOf(error) } : null,
  };
}

function codeOf(error: unknown): string {
  return error instanceof GaussflowError ? error.code : "error";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

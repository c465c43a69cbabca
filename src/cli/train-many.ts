// The part of gaussflow train with --restarts, --cross-validate or --ensemble, called by train.ts: trains many networks at once by
// trainMany, ranks them, and saves the best of those trained on all rows.
import { mpi } from "../cluster/mpi.js";
import type { Dataset } from "../data/dataset.js";
import { scoreFolds } from "../jobs/cross-validate.js";
import type { JobResult } from "../jobs/job.js";
import { crossValidation, restarts, type TrainJob } from "../jobs/job.js";
import { trainMany } from "../jobs/train-many.js";
import type { TrainManyResult } from "../jobs/train-many-options.js";
import { type Ensemble, ensemble } from "../network/ensemble.js";
import { foldRows, foldsTable } from "../report/folds-table.js";
import { jsonLine } from "../report/json-lines.js";
import { ManyProgress } from "../report/many-progress.js";
import { runFields, runsTable } from "../report/runs-table.js";
import { EXIT, type ExitCode } from "./exit.js";
import { messageOf } from "./flag-names.js";
import { stratifyOf } from "./read-parts.js";
import { SignalWatch } from "./signals.js";
import type { Terminal } from "./terminal.js";
import { conclude } from "./train-outcome.js";
import { setUp, type TrainFlags, type TrainSetup } from "./train-setup.js";

/** Data files are refused with these flags, by name (read-parts.ts). */
type ManySetup = TrainSetup & { readonly pool: Dataset; readonly fit: Dataset };

export async function runMany(file: string, flags: TrainFlags, terminal: Terminal): Promise<ExitCode> {
  const cluster = await mpi();
  const setup = (await setUp(file, flags, terminal, cluster)) as ManySetup;
  const { json = false, quiet = false } = flags;
  const progress = json || quiet ? null : new ManyProgress(terminal.err);
  const watch = new SignalWatch(() => setup.tell("stopping all runs at the next tile; again to quit at once"));
  try {
    const many = await trainMany(jobsOf(setup, flags), {
      threads: flags.threads,
      cluster,
      signal: watch.signal,
      onProgress: (entry) => {
        if (json) terminal.out.write(jsonLine("progress", entry));
        progress?.tell(entry);
      },
    });
    progress?.done();
    // All ranks have the same runs: rank 0 judges and saves them.
    if (cluster.rank > 0) return EXIT.ok;
    // The folds only judge: what is kept has seen all rows.
    const whole = many.ranked.filter(({ job }) => job.fold === undefined);
    warnOf(many, setup);
    await show(many, whole, setup, flags, terminal);
    const [best] = whole;
    if (best === undefined || best.result === null)
      throw best?.error ?? new Error("no run began before the interruption");
    const kept = ensembleOf(whole, flags, setup);
    // `--monitor` is refused with many runs.
    return await conclude({ ...best.result, monitor: null }, { setup, file, flags, watch, ensemble: kept }, terminal);
  } finally {
    progress?.done();
    watch.dispose();
  }
}

/** The runs on all rows come first: an early Ctrl-C finds one of them to save. */
function jobsOf({ network, pool, fit, validation, options, foldValidation }: ManySetup, flags: TrainFlags): TrainJob[] {
  const { restarts: starts, crossValidate: folds, seed } = flags;
  const several = (job: TrainJob) => (starts === undefined ? [job] : restarts(job, starts, seed));
  const label = folds === undefined ? undefined : "all rows";
  const whole = several({ network, data: fit, options: { ...options, validation: validation ?? false }, label });
  if (folds === undefined) return whole;
  // Every fold draws a validation part of its own from the rows it trains on.
  const job = { network, data: pool, options: { ...options, validation: foldValidation, uncertainty: false } };
  return [...whole, ...crossValidation(job, folds, seed, { stratify: stratifyOf(flags) }).flatMap(several)];
}

/** The networks of the best runs for the ensemble; null if a single network is kept. */
function ensembleOf(ranked: readonly JobResult[], flags: TrainFlags, { caution }: TrainSetup): Ensemble | null {
  if (flags.ensemble === undefined) return null;
  const networks = ranked.flatMap(({ result }) => result?.network ?? []).slice(0, flags.ensemble);
  if (networks.length < flags.ensemble)
    caution(`the ensemble has ${networks.length} networks in place of ${flags.ensemble}: the other runs have none`);
  return ensemble(networks);
}

function warnOf({ results, aborted }: TrainManyResult, { caution }: TrainSetup): void {
  const failed = results.filter(({ state }) => state === "failed");
  const [first] = failed;
  if (first !== undefined) {
    caution(`${failed.length} of ${results.length} runs failed; the first, ${first.label}: ${messageOf(first.error)}`);
  }
  if (aborted) caution("interrupted: runs that had not ended are counted as far as they had come");
}

async function show(
  many: TrainManyResult,
  whole: readonly JobResult[],
  { pool }: ManySetup,
  flags: TrainFlags,
  { out, paintOut }: Terminal,
): Promise<void> {
  const validated =
    flags.crossValidate === undefined ? null : await scoreFolds(pool, many, flags.ensemble, flags.thresholdCost);
  if (flags.json) {
    // Runs compete with those of the same fold: losses of others are in other units.
    for (const entry of many.ranked) {
      const among = many.ranked.filter(({ job }) => job.fold === entry.job.fold);
      out.write(jsonLine("run", { rank: among.indexOf(entry) + 1, ...runFields(entry) }));
    }
    if (validated === null) return;
    for (const row of foldRows(validated)) out.write(jsonLine("fold", row));
    const { metrics, classification, spread } = validated;
    const figures = classification === null ? { targets: metrics } : { targets: [], classification };
    out.write(jsonLine("cross-validation", { folds: validated.folds.length, ...figures, spread }));
    return;
  }
  const parts: string[] = [];
  if (validated !== null) parts.push("Rows that were held out, fold by fold:", foldsTable(validated, paintOut));
  if (many.ranks > 1) parts.push(`ranks: ${many.ranks}, which shared ${many.results.length} runs`);
  if (whole.length > 1) parts.push("Runs, best first (losses in units of training):", runsTable(whole, paintOut));
  out.write(`${parts.join("\n\n")}\n\n`);
}

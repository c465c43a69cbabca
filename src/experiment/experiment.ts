// Defines the interface of an experiment, which experiments.ts runs, and the helpers that all experiments of this folder share.
import type { Backend } from "../backend/create.js";
import type { ExperimentOutcome } from "../document.js";
import { type FlowResult, flow } from "../flow/flow.js";
import type { FlowOptions } from "../flow/flow-options.js";
import type { MonitorReport } from "../monitor/monitor-report.js";
import { fitRate } from "../monitor/rate-fit.js";
import type { FlowRecord } from "../run/record.js";
import type { Problem } from "./problems.js";

/** What a user may set; the rest of a problem is the experiment's. */
export interface ExperimentSettings {
  /** First seed, and how many from it on. */
  readonly seed: number;
  readonly seeds: number;
  readonly samples: number;
  /** Hidden units. */
  readonly width: number;
}

/** Settings that an experiment uses in a second regime as well get their own names there. */
export interface ExperimentContext {
  readonly settings: ExperimentSettings;
  readonly backend?: Backend | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** A line about what is being computed. */
  readonly progress: (text: string) => void;
}

export interface Experiment {
  readonly name: string;
  readonly title: string;
  /** What it measures: the claims of the theory, or methods against each other. `gaussflow experiment all` runs the first kind. */
  readonly about: "theory" | "methods";
  readonly defaults: ExperimentSettings;
  /** What samples and width must give: at most as many parameters as samples, more, or either. */
  readonly regime: "under" | "over" | "any";
  /** Parameters of a network of that width, linear in it. Default: those of the teacher problems. */
  readonly parameters?: (width: number) => number;
  /** More samples than there are make no difference. */
  readonly mostSamples?: number;
  readonly run: (context: ExperimentContext) => Promise<Findings>;
}

/** What an experiment itself knows of its outcome. */
export type Findings = Pick<ExperimentOutcome, "purpose" | "claims" | "charts" | "maps" | "tables" | "runs">;

/** A flow of an experiment: raw units, the context's engine. A flow that was aborted is no measurement, so that throws. */
export async function experimentFlow(
  { backend, threads, signal }: ExperimentContext,
  { network, data }: Problem,
  options: FlowOptions<MonitorReport>,
): Promise<FlowResult<MonitorReport>> {
  const result = await flow(network, data, { standardize: false, ...options, backend, threads, signal });
  signal?.throwIfAborted();
  return result;
}

/** Whether the largest is within `factor` of the smallest; no values say nothing. */
export function within(factor: number, values: readonly number[]): boolean {
  return values.length > 0 && Math.max(...values) <= factor * Math.min(...values);
}

/** Seeds of a run. */
export function seedsOf({ seed, seeds }: ExperimentSettings, most = seeds): number[] {
  return Array.from({ length: Math.min(seeds, most) }, (_, k) => seed + k);
}

/** Slope of log objective over the records with time in [from, until]; NaN with fewer than three of them. */
export function slopeOn(records: readonly FlowRecord[], from: number, until: number): number {
  const points = records.filter(({ time }) => time >= from && time <= until);
  const fit = fitRate(points.map(({ time, objective }) => ({ position: time, value: objective })));
  return fit === null ? Number.NaN : -fit.measured;
}

/** Objective relative to the start at time t, by log-linear interpolation between the records around it. */
export function relativeAt(records: readonly FlowRecord[], time: number): number {
  const start = records[0].objective;
  const after = records.findIndex((record) => record.time >= time);
  if (after < 0) return Number.NaN;
  if (after === 0) return 1;
  const [a, b] = [records[after - 1], records[after]];
  const share = (time - a.time) / (b.time - a.time);
  if (!(a.objective > 0) || !(b.objective > 0)) return b.objective / start;
  return Math.exp((1 - share) * Math.log(a.objective / start) + share * Math.log(b.objective / start));
}

/**
 * max over the records of log g(t)/g(0) + integral of (1 + lambda): at most 0 where the loss keeps the promise of the
 * Levenberg-Marquardt flow. `lambda` = smallest eigenvalue at each record; the integral is trapezoidal.
 */
export function boundExcess(records: readonly FlowRecord[], lambda: readonly number[]): number {
  let integral = 0;
  let worst = Number.NEGATIVE_INFINITY;
  for (let i = 1; i < records.length; i++) {
    integral += (records[i].time - records[i - 1].time) * (1 + 0.5 * (lambda[i] + lambda[i - 1]));
    worst = Math.max(worst, Math.log(records[i].objective / records[0].objective) + integral);
  }
  return worst;
}

/** Losses relative to the start over time, for a chart; a loss of 0 is a gap. */
export function lossCurve(records: readonly FlowRecord[]): { x: number[]; y: (number | null)[] } {
  const start = records[0].objective;
  return {
    x: records.map(({ time }) => time),
    y: records.map(({ objective }) => (objective > 0 ? objective / start : null)),
  };
}

/** exp(-rate t) on [0, until]: two points make a straight line on a log axis. */
export function promisedCurve(rate: number, until: number): { x: number[]; y: number[] } {
  return { x: [0, until], y: [1, Math.exp(-rate * until)] };
}

/** One run as a line of JSON: its settings, and how it ended. */
export function runLine(
  asked: Readonly<Record<string, unknown>>,
  result: FlowResult<MonitorReport>,
): Record<string, unknown> {
  const [first, last] = [result.records.at(0), result.records.at(-1)];
  return {
    ...asked,
    reason: result.reason.code,
    message: result.reason.message,
    time: result.time,
    relativeLoss: first && last ? last.objective / first.objective : null,
    distance: last?.distance ?? null,
    ...result.statistics,
    switched: result.switched?.time ?? null,
    verdict: result.monitor?.verdict.code ?? null,
    rate: result.monitor?.rate?.measured ?? null,
    promised: result.monitor?.rate?.promised ?? null,
  };
}

/** A number for a table: counts as they are, small numbers with an exponent, a dash for none. */
export function show(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return "-";
  if (Number.isSafeInteger(value) && Math.abs(value) < 1e5) return String(value);
  return Math.abs(value) < 1e-3 ? value.toExponential(2) : value.toPrecision(digits);
}

/** "a to b", or one number where they are the same to the digits shown. */
export function range(values: readonly number[], digits = 4): string {
  const [low, high] = [show(Math.min(...values), digits), show(Math.max(...values), digits)];
  return low === high ? low : `${low} to ${high}`;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : 0.5 * (sorted[middle - 1] + sorted[middle]);
}

// From observations and records to the report: excess objective, rates, promises, convergence, verdict.
//
// The optimum, when the caller does not know it: 0 where p > n c and the kernel is regular; else what the undamped linear model at the
// last point still hopes for, objective - tangent^2/2 (for rho = 0 tangent^2 is the dissipation). Rates are then taken from tangent^2
// itself, which does not cancel as the difference would, and everything is marked `estimated`.
import type {
  MonitorRecord,
  MonitorReport,
  MonitorSpectrum,
  ObservedRun,
  RateFit,
  Verdict,
} from "../linearise/observer.js";
import type { FlowRecord, Reason, TrainRecord } from "../linearise/record.js";
import { isSmooth } from "../network/activations.js";
import { convergence } from "./convergence.js";
import { attainableRate, promisedDecrement, promisedRate, windowMean } from "./promised.js";
import { fitRate, lastWindow, type RatePoint } from "./rate-fit.js";
import { flowVerdict, trainVerdict } from "./verdict.js";

/** What the monitor measured at a point. */
export interface Observation {
  readonly position: number;
  readonly parameters: Float64Array;
  readonly objective: number;
  readonly gradientNorm: number;
  readonly spectrum: MonitorSpectrum | null;
  readonly tangentNorm: number | null;
  readonly normalNorm: number | null;
  readonly dissipation: number | null;
  readonly drift: number | null;
  readonly stepNorm: number;
  readonly distance: number;
}

export interface ReportInput {
  readonly run: ObservedRun | null;
  /** null while the run goes on. */
  readonly reason: Reason | null;
  readonly window: number;
  readonly optimum: number | null;
  /** Sum objective below which rounding rules. */
  readonly floor: number;
  readonly observations: readonly Observation[];
  readonly train: readonly TrainRecord[];
  readonly flow: readonly FlowRecord[];
}

/** Excess below this multiple of eps * objective is a difference of rounding errors. */
const cancellation = 1000;
/** Points this close to the floors say nothing of a rate. */
const margin = 100;

interface Optimum {
  readonly value: number;
  readonly estimated: boolean;
}

export function report(input: ReportInput): MonitorReport {
  const { run, observations } = input;
  const optimum = findOptimum(input);
  const series = excessSeries(input, optimum);
  const known = optimum ?? { value: 0, estimated: true };
  const fitAt = (position: number): RateFit | null =>
    fitRate(series.filter((point) => point.position <= position).slice(-input.window));
  const records = observations.map((one): MonitorRecord => {
    const flowRecord = input.flow.find((record) => record.time === one.position);
    const trainRecord = input.train.findLast((record) => record.accepted && record.iteration === one.position);
    const dissipation = flowRecord?.dissipation ?? one.dissipation;
    const excess = one.objective - known.value;
    const meaningful = optimum !== null && excess > cancellation * Number.EPSILON * one.objective;
    return {
      position: one.position,
      objective: one.objective,
      gradientNorm: one.gradientNorm,
      dissipation,
      plRatio: meaningful && dissipation !== null && input.reason !== null ? dissipation / (2 * excess) : null,
      damping: flowRecord?.damping ?? trainRecord?.damping ?? 0,
      tangentNorm: one.tangentNorm,
      normalNorm: one.normalNorm,
      stepNorm: one.stepNorm,
      distance: one.distance,
      drift: one.drift,
      spectrum: one.spectrum,
      gainRatio: trainRecord?.gainRatio ?? null,
      rate: fitAt(one.position),
      promised:
        flowRecord !== undefined
          ? promisedRate(flowRecord.damping, one.spectrum?.smallest ?? flowRecord.smallestEigenvalue)
          : trainRecord === undefined
            ? null
            : decrementAt(input, known, trainRecord),
    };
  });
  const fit = fitRate(series.slice(-input.window));
  const { verdict, promised, attainable } =
    run === null
      ? { verdict: nothingSeen(input.reason), promised: null, attainable: null }
      : run.kind === "flow"
        ? judgeFlow(input, run, fit, records)
        : judgeTraining(input, run, fit, optimum, known);
  return {
    records,
    rate: fit && { ...fit, promised, attainable },
    optimum: known,
    converged: convergence(input, known),
    verdict,
  };
}

function nothingSeen(reason: Reason | null): Verdict {
  return { code: "not-applicable", message: `no point was seen: ${reason?.message ?? "the run has not begun"}` };
}

function isOver({ engine }: ObservedRun): boolean {
  return engine.parameterCount > engine.sampleCount * engine.outputSize;
}

function findOptimum({ run, optimum, observations, flow }: ReportInput): Optimum | null {
  if (optimum !== null) return { value: optimum, estimated: false };
  const last = observations.at(-1);
  if (run === null || last === undefined) return null;
  if (isOver(run) && run.decay === 0 && last.spectrum?.below === 0) return { value: 0, estimated: false };
  const record = flow.find(({ time }) => time === last.position);
  const squared = last.tangentNorm !== null ? last.tangentNorm ** 2 : record?.damping === 0 ? record.dissipation : null;
  return squared === null ? null : { value: Math.max(0, last.objective - squared / 2), estimated: true };
}

/** Excess objective (up to a factor) over position, above the floors of rounding and of the integrator. */
function excessSeries(input: ReportInput, optimum: Optimum | null): RatePoint[] {
  const { run, flow, train, observations } = input;
  if (run === null || optimum === null) return [];
  const least = margin * Math.max(input.floor, run.resolution);
  if (run.kind === "flow" && optimum.estimated) {
    const free = flow.every(({ damping }) => damping === 0);
    const points = free
      ? flow.map(({ time, dissipation }) => ({ position: time, value: dissipation / 2 }))
      : observations.map(({ position, tangentNorm }) => ({ position, value: (tangentNorm ?? 0) ** 2 / 2 }));
    return lastWindow(points, points.length, least);
  }
  const points =
    run.kind === "flow"
      ? flow.map(({ time, objective }) => ({ position: time, objective }))
      : accepted(train).map(({ iteration, objective }) => ({ position: iteration, objective }));
  return points
    .map(({ position, objective }) => ({
      position,
      value: objective - optimum.value,
      floor: Math.max(least, optimum.value > 0 ? cancellation * Number.EPSILON * objective : 0),
    }))
    .filter(({ value, floor }) => value > floor && value < Number.POSITIVE_INFINITY);
}

function accepted(train: readonly TrainRecord[]): TrainRecord[] {
  return train.filter((record) => record.accepted);
}

/** Predicted reduction of an accepted iteration: actual / gain ratio. */
function predictedAt(train: readonly TrainRecord[], record: TrainRecord): { predicted: number; before: number } | null {
  const steps = accepted(train);
  const at = steps.indexOf(record);
  if (at < 1 || record.gainRatio === null || !(record.gainRatio > 0)) return null;
  const before = steps[at - 1].objective;
  return { predicted: (before - record.objective) / record.gainRatio, before };
}

function decrementAt({ train }: ReportInput, optimum: Optimum, record: TrainRecord): number | null {
  const step = predictedAt(train, record);
  return step === null ? null : promisedDecrement(step.predicted, step.before - optimum.value);
}

type Judged = { readonly verdict: Verdict; readonly promised: number | null; readonly attainable: number | null };

function judgeFlow(
  input: ReportInput,
  run: ObservedRun,
  fit: RateFit | null,
  records: readonly MonitorRecord[],
): Judged {
  const inWindow = ({ position }: { readonly position: number }) =>
    fit !== null && position >= fit.from && position <= fit.until;
  const flow = input.flow.filter(({ time }) => inWindow({ position: time }));
  const observed = records.filter(inWindow);
  const over = isOver(run);
  // rho = 0 promises 2 without a spectrum; otherwise the observed points carry it, or the schedule itself asked for it.
  const own = flow.every(({ damping, smallestEigenvalue }) => damping === 0 || smallestEigenvalue !== null);
  const source = own
    ? flow.map(({ time, damping, smallestEigenvalue }) => ({ position: time, damping, smallest: smallestEigenvalue }))
    : observed.map(({ position, damping, spectrum }) => ({ position, damping, smallest: spectrum?.smallest ?? null }));
  const promised = windowMean(
    source.map(({ position, damping, smallest }) => ({ position, value: promisedRate(damping, smallest) })),
  );
  const attainable = windowMean(
    source.map(({ position, smallest }) => ({ position, value: attainableRate(over, smallest) })),
  );
  const damping = windowMean(source.map((one) => ({ position: one.position, value: one.damping }))) ?? 0;
  const verdict = flowVerdict({
    excluded: excludedFlow(input, run),
    fit,
    promised,
    attainable,
    damping,
    overparameterised: over,
  });
  return { verdict, promised, attainable };
}

function excludedFlow({ observations }: ReportInput, run: ObservedRun): string | null {
  const rough = run.architecture.layers.find(({ activation }) => !isSmooth(activation));
  if (rough !== undefined) return `the activation ${rough.activation} is not smooth`;
  if (run.decay > 0)
    return `the rates are those of the loss alone, and this objective has a weight decay of ${run.decay}`;
  const last = observations.at(-1);
  const { spectrum, tangentNorm, normalNorm } = last ?? {};
  if (isOver(run) && spectrum && spectrum.below > 0 && (normalNorm ?? 0) > 0.01 * (tangentNorm ?? 0))
    return `${spectrum.below} eigenvalues of the kernel lie below the rounding floor (duplicate samples?), and ${(normalNorm ?? 0).toExponential(2)} of the residual lies where they are`;
  return null;
}

function judgeTraining(
  input: ReportInput,
  run: ObservedRun,
  fit: RateFit | null,
  optimum: Optimum | null,
  known: Optimum,
): Judged {
  const steps = accepted(input.train).filter(
    ({ iteration }) => fit !== null && iteration > fit.from && iteration <= fit.until,
  );
  const mean = (values: readonly (number | null)[]) => {
    const there = values.filter((value) => value !== null);
    return there.length === 0 ? null : there.reduce((sum, value) => sum + value, 0) / there.length;
  };
  const promised = optimum === null ? null : mean(steps.map((record) => decrementAt(input, known, record)));
  const offered = steps.map((record) => {
    const step = predictedAt(input.train, record);
    return step === null ? null : Math.min(1, step.predicted / (step.before - known.value));
  });
  const verdict = trainVerdict({
    excluded: run.architecture.layers.every(({ activation }) => isSmooth(activation))
      ? null
      : "an activation of the network is not smooth",
    fit,
    promised,
    offered: optimum === null ? null : mean(offered),
    gainRatio: mean(steps.map(({ gainRatio }) => gainRatio)),
    damping: steps.at(-1)?.damping ?? 0,
  });
  return { verdict, promised, attainable: null };
}

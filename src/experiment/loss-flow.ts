// Integrates the Gauss-Newton flow of any loss of one output on a centered network, for the experiment `loss-rates` (loss-rates.ts). The
// public `flow` takes the losses of the library alone, and logistic not on a centered network. With r = l'(psi) and a curvature Q > 0
//
//   dw/dt = -(1/alpha) (J^T Q J)^-1 J^T r      Q = l'' is the exact factor, Q >= l'' a majorizing one
//
// The velocity is the step of weighted least squares with the weights Q and the targets psi - r/Q (iteratively reweighted least squares), so
// that an engine of squared error solves it by QR. Time integration measures its error in the predictions, as `flow` does.
import { dot, norm } from "../algebra/vectors.js";
import { createEngine } from "../backend/create.js";
import { failed } from "../backend/engine.js";
import type { NetworkEngine } from "../backend/network-engine.js";
import { predictionNorm } from "../flow/prediction-norm.js";
import { integrateSteps } from "../ode/drive.js";
import { dormandPrince } from "../ode/integrator.js";
import type { OdeProblem, StageFailure } from "../ode/types.js";
import { engineData } from "../run/prepare.js";
import type { ExperimentContext } from "./experiment.js";
import type { Problem } from "./problems.js";

const tolerances = { relativeTolerance: 1e-7, absoluteTolerance: 1e-10 } as const;

/** The terms of a loss at n predictions: one entry a sample. */
export interface LossTerms {
  /** l. */
  readonly value: Float64Array;
  /** l'. */
  readonly gradient: Float64Array;
  /** l''. */
  readonly second: Float64Array;
  /** Q, the curvature that the flow divides by. */
  readonly metric: Float64Array;
}

/** A convex loss of one output. */
export interface FlowLoss {
  readonly label: string;
  terms(psi: Float64Array, targets: Float64Array): LossTerms;
  /** The least value of l over all predictions, for each target. */
  least(targets: Float64Array): Float64Array;
}

/** One accepted step of the integration; the first record is the start. */
export interface LossFlowRecord {
  readonly time: number;
  /** Sum loss minus the sum of the least values. */
  readonly excess: number;
  readonly gradientNorm: number;
  /** -d g/dt. */
  readonly dissipation: number;
  /** Least l'' and largest Q over the samples. */
  readonly least: number;
  readonly most: number;
  /** Extremes of l''/Q over the samples. */
  readonly ratios: readonly [number, number];
}

/** How a flow went. */
export interface LossFlowRun {
  /** At least the start, unless that has no velocity. */
  readonly records: readonly LossFlowRecord[];
  /** Why it ended before its time, as a sentence; null where it did not. */
  readonly ended: string | null;
}

/** Terms, gradient and velocity at one state. */
interface FlowPoint {
  readonly terms: LossTerms;
  readonly velocity: Float64Array;
  readonly gradient: Float64Array;
}

/**
 * The flow to `until`, one record an accepted step.
 * @throws the signal's reason once it has been aborted
 */
export async function lossFlow(
  { network, data }: Problem,
  loss: FlowLoss,
  until: number,
  { backend, threads, signal }: Pick<ExperimentContext, "backend" | "threads" | "signal">,
): Promise<LossFlowRun> {
  const { architecture, parameters } = network;
  const { inputs, sampleCount } = await engineData(network, data, null, signal);
  const engineOn = (targets: Float64Array, weights?: Float64Array) =>
    createEngine(architecture, { sampleCount, inputs, targets, weights }, { backend, threads });
  const base = engineOn(new Float64Array(sampleCount));
  try {
    const shift = await base.forward(parameters, signal);
    const at = async (w: Float64Array): Promise<FlowPoint | StageFailure> => {
      const outputs = await base.forward(w, signal);
      const psi = outputs.map((value, i) => value - shift[i]!);
      const terms = loss.terms(psi, data.targets);
      const { gradient, metric } = terms;
      const engine = engineOn(
        outputs.map((value, i) => value - gradient[i]! / metric[i]!),
        metric,
      );
      try {
        const answer = await undampedStep(engine, w, signal);
        return "failure" in answer ? answer : { terms, ...answer };
      } finally {
        engine.dispose();
      }
    };
    const scale = Math.sqrt(data.targets.reduce((sum, y) => sum + y * y, 0) / sampleCount);
    return await integrated(at, base, scale, loss.least(data.targets), { until, initial: parameters, signal });
  } finally {
    base.dispose();
  }
}

/** @param scale root mean square of the targets, which the error of the predictions is relative to */
async function integrated(
  at: (w: Float64Array) => Promise<FlowPoint | StageFailure>,
  base: NetworkEngine,
  scale: number,
  least: Float64Array,
  { until, initial, signal }: Pick<OdeProblem, "until" | "initial"> & Pick<ExperimentContext, "signal">,
): Promise<LossFlowRun> {
  const rest = { meanFactor: 2 / base.sampleCount, weights: null, decay: 0 };
  const norm = predictionNorm(base, { ...tolerances, ...rest, scale, signal: signal ?? new AbortController().signal });
  const records: LossFlowRecord[] = [];
  const record = async (time: number, state: Float64Array) => {
    const point = await at(state);
    if (!("failure" in point)) records.push(recordOf(time, point, least));
  };
  const rightHandSide = async (_: number, w: Float64Array) => {
    const point = await at(w);
    return "failure" in point ? point : point.velocity;
  };
  await record(0, initial);
  const problem = { rightHandSide, from: 0, until, initial: initial.slice() };
  const steps = integrateSteps(problem, dormandPrince(tolerances), { norm, signal });
  for (;;) {
    const next = await steps.next();
    if (next.done) return { records, ended: next.value.code === "until" ? null : next.value.message };
    await record(next.value.time, next.value.state);
  }
}

/** dw/dt, the undamped step of a weighted least-squares problem, and the gradient of its loss. */
async function undampedStep(
  engine: NetworkEngine,
  parameters: Float64Array,
  signal: AbortSignal | undefined,
): Promise<Pick<FlowPoint, "velocity" | "gradient"> | StageFailure> {
  const point = await engine.linearize(parameters, { curvature: "orthogonal", decay: 0, scaling: null }, signal);
  if (failed(point)) return { failure: "singular-jacobian", message: point.message };
  const solved = await engine.solve({ damping: 0, decay: 0, scaling: null }, signal);
  if (failed(solved)) return { failure: "singular-jacobian", message: solved.message };
  const { rank, step } = solved;
  if (rank !== undefined && rank.rank < parameters.length)
    return { failure: "singular-jacobian", message: `J has the numerical rank ${rank.rank} of ${parameters.length}` };
  return { velocity: step, gradient: point.gradient };
}

function recordOf(time: number, { terms, velocity, gradient }: FlowPoint, least: Float64Array): LossFlowRecord {
  const { value, second, metric } = terms;
  const ratios = second.map((one, i) => one / metric[i]!);
  return {
    time,
    // Differences sample by sample: near the optimum the two sums agree in nearly all digits.
    excess: value.reduce((sum, one, i) => sum + (one - least[i]!), 0),
    gradientNorm: norm(gradient),
    dissipation: -dot(gradient, velocity),
    least: Math.min(...second),
    most: Math.max(...metric),
    ratios: [Math.min(...ratios), Math.max(...ratios)],
  };
}

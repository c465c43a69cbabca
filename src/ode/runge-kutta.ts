// Computes one step of a tableau and its interpolant; `integration.ts` calls it for each trial step. A stage that fails or is not finite
// makes the step fail; nothing is thrown.

import type { Tableau } from "./tableau.js";
import type { RightHandSide, Stage, StageFailure } from "./types.js";

export interface TrialStep {
  readonly state: Float64Array;
  /** k_1 .. k_s and the derivative at the end. */
  readonly stages: readonly Float64Array[];
  /** h sum e_i k_i, or null without an error estimate. */
  readonly error: Float64Array | null;
  /** h |k_end - k_s| / |y1 - (argument of stage s)|, an estimate of h * |eigenvalue|; null where both coincide. */
  readonly stiffnessRatio: number | null;
  readonly evaluations: number;
}

export interface FailedStep {
  readonly failed: StageFailure;
  readonly evaluations: number;
}

/** y + h sum w_i k_i, or without y the increment alone. The sum is formed first, so that y is rounded once and not once a stage. */
function combine(
  y: Float64Array | null,
  h: number,
  weights: readonly number[],
  stages: readonly Float64Array[],
): Float64Array {
  const out = new Float64Array(stages[0].length);
  for (let j = 0; j < out.length; j++) {
    let sum = 0;
    for (let i = 0; i < weights.length; i++) sum += weights[i] * stages[i][j];
    out[j] = y === null ? h * sum : y[j] + h * sum;
  }
  return out;
}

function notFinite(values: Float64Array, what: string, time: number): StageFailure | null {
  for (let j = 0; j < values.length; j++)
    if (!Number.isFinite(values[j]))
      return {
        failure: "non-finite",
        message: `the ${what} at t = ${time} is ${values[j]} in component ${j}`,
        where: { what: "step", parameter: j },
      };
  return null;
}

/**
 * f(t, y), where a derivative that is not finite becomes a failure. Returns synchronously if the right-hand side does: a promise for each
 * stage would cost more than a small right-hand side.
 */
export function evaluate(rightHandSide: RightHandSide, time: number, state: Float64Array): Stage | Promise<Stage> {
  const answer = rightHandSide(time, state);
  return answer instanceof Float64Array ? (notFinite(answer, "derivative", time) ?? answer) : arrived(answer, time);
}

async function arrived(answer: StageFailure | Promise<Stage>, time: number): Promise<Stage> {
  const stage = await answer;
  return stage instanceof Float64Array ? (notFinite(stage, "derivative", time) ?? stage) : stage;
}

/**
 * Tries one step of size h from (t, y) with k_1 = f(t, y) known; `end` is t + h as the caller rounds it.
 * @param judged number of leading components from which the stiffness ratio is computed
 */
export async function tryStep(
  tableau: Tableau,
  rightHandSide: RightHandSide,
  time: number,
  state: Float64Array,
  derivative: Float64Array,
  h: number,
  end: number,
  judged: number = state.length,
): Promise<TrialStep | FailedStep> {
  const stages = [derivative];
  let argument = state;
  let evaluations = 0;
  for (let i = 1; i < tableau.nodes.length; i++) {
    argument = combine(state, h, tableau.stages[i], stages);
    const node = tableau.nodes[i];
    let k = evaluate(rightHandSide, node === 1 ? end : time + node * h, argument);
    if (!(k instanceof Float64Array)) k = await k;
    evaluations++;
    if (!(k instanceof Float64Array)) return { failed: k, evaluations };
    stages.push(k);
  }
  const next = combine(state, h, tableau.weights, stages);
  const overflow = notFinite(next, "state", end);
  if (overflow !== null) return { failed: overflow, evaluations };
  let last = evaluate(rightHandSide, end, next);
  if (!(last instanceof Float64Array)) last = await last;
  evaluations++;
  if (!(last instanceof Float64Array)) return { failed: last, evaluations };
  const stiffnessRatio = stages.length > 1 ? ratio(h, last, stages[stages.length - 1], next, argument, judged) : null;
  stages.push(last);
  const error = tableau.error === null ? null : combine(null, h, tableau.error, stages);
  return { state: next, stages, error, stiffnessRatio, evaluations };
}

function ratio(
  h: number,
  last: Float64Array,
  before: Float64Array,
  next: Float64Array,
  argument: Float64Array,
  judged: number,
): number | null {
  let top = 0;
  let bottom = 0;
  for (let j = 0; j < judged; j++) {
    top += (last[j] - before[j]) ** 2;
    bottom += (next[j] - argument[j]) ** 2;
  }
  return bottom > 0 ? h * Math.sqrt(top / bottom) : null;
}

/** Growth of y' = z y over one step of size 1: the tableau's stability function R(z). */
export function stability({ stages, weights }: Tableau, z: number): number {
  const k: number[] = [];
  for (const row of stages) k.push(z * row.reduce((sum, a, j) => sum + a * k[j], 1));
  return weights.reduce((sum, b, i) => sum + b * k[i], 1);
}

/** y(t + theta h). */
export function interpolate(
  tableau: Tableau,
  state: Float64Array,
  stages: readonly Float64Array[],
  h: number,
  theta: number,
): Float64Array {
  const weights = tableau.interpolant.map((row) => row.reduceRight((sum, value) => (sum + value) * theta, 0));
  return combine(state, h, weights, stages);
}

/** y'(t + theta h) of the interpolant. */
export function interpolateSlope(tableau: Tableau, stages: readonly Float64Array[], theta: number): Float64Array {
  const weights = tableau.interpolant.map((row) =>
    row.reduceRight((sum, value, power) => sum * theta + (power + 1) * value, 0),
  );
  return combine(null, 1, weights, stages);
}

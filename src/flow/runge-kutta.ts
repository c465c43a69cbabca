// One step of a tableau, and its interpolant. A stage that fails or is not finite makes the step fail; nothing is thrown.
import type { RightHandSide, StageFailure } from "./ode.js";
import type { Tableau } from "./tableaux.js";

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

function combine(
  y: Float64Array,
  h: number,
  weights: readonly number[],
  stages: readonly Float64Array[],
): Float64Array {
  const out = y.slice();
  weights.forEach((weight, i) => {
    if (weight === 0) return;
    const k = stages[i];
    for (let j = 0; j < out.length; j++) out[j] += h * weight * k[j];
  });
  return out;
}

/** f(t, y), with a derivative that is not finite turned into a failure. */
export async function evaluate(
  rightHandSide: RightHandSide,
  time: number,
  state: Float64Array,
): Promise<Float64Array | StageFailure> {
  const answer = rightHandSide(time, state);
  const stage = answer instanceof Float64Array || !("then" in answer) ? answer : await answer;
  if (!(stage instanceof Float64Array)) return stage;
  const bad = stage.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return stage;
  return {
    failure: "non-finite",
    message: `the derivative at t = ${time} is ${stage[bad]} in component ${bad}`,
    where: { what: "step", parameter: bad },
  };
}

/** Tries one step of size h from (t, y) with k_1 = f(t, y) known. */
export async function tryStep(
  tableau: Tableau,
  rightHandSide: RightHandSide,
  time: number,
  state: Float64Array,
  derivative: Float64Array,
  h: number,
): Promise<TrialStep | FailedStep> {
  const stages = [derivative];
  let argument = state;
  let evaluations = 0;
  for (let i = 1; i < tableau.nodes.length; i++) {
    argument = combine(state, h, tableau.stages[i], stages);
    const k = await evaluate(rightHandSide, time + tableau.nodes[i] * h, argument);
    evaluations++;
    if (!(k instanceof Float64Array)) return { failed: k, evaluations };
    stages.push(k);
  }
  const next = combine(state, h, tableau.weights, stages);
  const last = await evaluate(rightHandSide, time + h, next);
  evaluations++;
  if (!(last instanceof Float64Array)) return { failed: last, evaluations };
  stages.push(last);
  const error = tableau.error === null ? null : combine(new Float64Array(state.length), h, tableau.error, stages);
  return { state: next, stages, error, stiffnessRatio: ratio(h, last, stages, next, argument), evaluations };
}

function ratio(
  h: number,
  last: Float64Array,
  stages: readonly Float64Array[],
  next: Float64Array,
  argument: Float64Array,
): number | null {
  const before = stages[stages.length - 2];
  let top = 0;
  let bottom = 0;
  for (let j = 0; j < next.length; j++) {
    top += (last[j] - before[j]) ** 2;
    bottom += (next[j] - argument[j]) ** 2;
  }
  return bottom > 0 && stages.length > 2 ? h * Math.sqrt(top / bottom) : null;
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

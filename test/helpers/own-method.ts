import type { Failure, Judgment, Method, MethodState, Point, Problem, Proposal, Trial } from "../../src/index.js";

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, j) => sum + value * b[j], 0);

/** What the trial takes off the objective; negative or NaN where it is to be rejected. */
const fall = (point: Point, trial: Trial | Failure | null) =>
  trial !== null && "ok" in trial ? point.objective - trial.objective : Number.NaN;

const verdict = (accepted: boolean, state: MethodState, gainRatio: number | null, why: string): Judgment => ({
  accepted,
  state,
  gainRatio,
  rejection: accepted ? null : why,
});

/** Gradient descent with momentum: v <- momentum v - rate gradient. A rejected trial forgets v and halves the rate. */
export function momentumDescent({ rate = 0.5, momentum = 0.9 } = {}): Method {
  return {
    name: "momentum-descent",
    label: `gradient descent with momentum ${momentum}`,
    settings: { rate, momentum },
    scaling: "identity",
    start: (curvatureScale, _scaling, parameterCount) => ({
      rate: rate / curvatureScale,
      velocity: new Float64Array(parameterCount),
    }),
    damping: () => 0,
    async propose(_problem, state, point): Promise<Proposal> {
      const { rate, velocity } = state as { rate: number; velocity: Float64Array };
      const step = velocity.map((value, j) => momentum * value - rate * point.gradient[j]);
      const slope = dot(point.gradient, step);
      const fixed = { damping: 0, length: 1, acceleration: null, condition: null, seconds: 0 };
      return { ok: true, step, direction: step, slope, predicted: -slope, ...fixed };
    },
    judge(state, point, proposal, trial) {
      const actual = fall(point, trial);
      const rate = state.rate as number;
      if ("ok" in proposal && actual > 0)
        return verdict(true, { rate: 1.1 * rate, velocity: proposal.step }, actual / proposal.predicted, "");
      const next = { rate: rate / 2, velocity: new Float64Array(point.gradient.length) };
      return verdict(false, next, null, `the objective falls by ${actual}`);
    },
  };
}

/** Levenberg's method with a tenfold damping rule: a tenth of the damping after every accepted step, ten times as much after a rejected one. */
export function tenfold(firstDamping = 1e-2): Method {
  return {
    name: "tenfold",
    label: "Levenberg with a tenfold damping rule",
    settings: { firstDamping },
    scaling: "identity",
    start: (curvatureScale) => ({ damping: firstDamping * curvatureScale }),
    damping: (state) => state.damping as number,
    async propose(problem: Problem, state, point, _previous, signal): Promise<Proposal | Failure> {
      if (problem.route === "matrix-free") throw new Error("tenfold solves with a matrix: route primal or dual");
      const damping = state.damping as number;
      const { decay, engine } = problem;
      const solved = await engine.solve({ damping, decay, scaling: point.scaling, condition: false }, signal);
      if (!("ok" in solved)) return solved;
      const { step, seconds } = solved;
      const slope = dot(point.gradient, step);
      const predicted = -0.5 * slope + 0.5 * damping * dot(step, step);
      const fixed = { damping, length: 1, acceleration: null, condition: null, seconds };
      return { ok: true, step, direction: step, slope, predicted, ...fixed };
    },
    judge(state, point, proposal, trial) {
      const damping = state.damping as number;
      if (!("ok" in proposal)) return verdict(false, { damping: 10 * damping }, null, proposal.message);
      const actual = fall(point, trial);
      const ratio = actual / proposal.predicted;
      if (actual > 0) return verdict(true, { damping: damping / 10 }, ratio, "");
      const next = verdict(false, { damping: 10 * damping }, ratio, `the objective falls by ${actual}`);
      if (damping < 1e16) return next;
      const message = `no step lowers the objective ${point.objective} any more`;
      return { ...next, end: { code: "damping-saturated", message } };
    },
  };
}

// The Gauss-Newton method (`gaussNewton`): the undamped direction (G + decay I) d = -gradient, with a fixed length or a
// backtracking search. Users and gaussflow train pass it to `train` as the option `method`; the training loop calls its
// functions.
//
//   plain        w + eta d, for any change of the objective (the loop returns the best point)
//   line search  the first eta, eta/2, eta/4, ... with F(w + t d) <= F(w) + 1e-4 t gradient.d     (Armijo)
//
// If the factorization meets a pivot that is not positive, a ridge relative to the largest diagonal is raised from
// rounding level until it passes, so that the direction remains one of descent. The ridge falls again after accepted
// steps.
import { type Failure, failed } from "../backend/engine.js";
import { checkBoolean, checkOptionNames, checkPositive } from "../options.js";
import { dampedStep } from "../step/damped-step.js";
import type { DampedStep } from "../step/step-model.js";
import {
  checkSizes,
  describedBySettings,
  type Judgment,
  type Method,
  type MethodState,
  numberOf,
  type Proposal,
  riseMessage,
  weigh,
} from "./method.js";

/** Options of `gaussNewton`. */
export interface GaussNewtonOptions {
  /** Backtrack until the Armijo condition holds. Default true. */
  readonly lineSearch?: boolean | undefined;
  /** Step length eta (the first one tried with a line search). Default 1. */
  readonly step?: number | undefined;
}

const armijo = 1e-4;
const shrink = 0.5;
const firstRidge = 1e-14;
const ridgeGrowth = 100;

/**
 * The Gauss-Newton method.
 *
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for an unknown option or value.
 */
export function gaussNewton(options: GaussNewtonOptions = {}): Method {
  checkOptionNames("options", options, ["lineSearch", "step"]);
  const { lineSearch = true, step = 1 } = options;
  checkBoolean("options.lineSearch", lineSearch);
  checkPositive("options.step", step);

  return describedBySettings({
    name: "gauss-newton",
    label: lineSearch ? `Gauss-Newton (line search from ${step})` : `Gauss-Newton (step ${step})`,
    settings: { lineSearch, step },
    scaling: "identity",
    start: (curvatureScale) => ({ length: step, ridge: 0, scale: curvatureScale }),
    damping: (state) => numberOf(state, "ridge"),
    checkState: (state) => checkSizes(state, ["length", "scale"], true) ?? checkSizes(state, ["ridge"], false),

    async propose(problem, state, point, previous, signal): Promise<Proposal | Failure> {
      const length = numberOf(state, "length");
      if (previous !== null) {
        // The record of the previous trial has the solve, its seconds and its outcome.
        const { inner: _, ...before } = previous;
        return scaled(previous.direction, previous.slope / previous.length, length, { ...before, seconds: 0 });
      }
      const answer = await dampedStep(problem, point, numberOf(state, "ridge"), signal);
      return failed(answer) ? answer : scaled(answer.step, answer.slope, length, answer);
    },

    judge(state, point, proposal, trial): Judgment {
      const weight = weigh(point, proposal, trial);
      if (failed(proposal)) return moreRidge(state, proposal);
      const ratio = "ratio" in weight && Number.isFinite(weight.ratio) ? weight.ratio : null;
      const finite = "actual" in weight;
      const enough = finite && weight.actual >= -armijo * proposal.slope && weight.actual > 0;
      if (finite && (enough || !lineSearch))
        return { accepted: true, state: afterAccepted(state, step), gainRatio: ratio, rejection: null };
      const rejection =
        "rejection" in weight
          ? weight.rejection
          : riseMessage(point, trial !== null && "ok" in trial ? trial.objective : Number.NaN);
      const length = numberOf(state, "length") * shrink;
      const judgment: Judgment = { accepted: false, state: { ...state, length }, gainRatio: ratio, rejection };
      if (lineSearch) return judgment;
      const message = `a plain Gauss-Newton step has no way back: ${rejection}; a line search or Levenberg-Marquardt has`;
      return { ...judgment, end: { code: failed(trial ?? proposal) ? "non-finite" : "no-progress", message } };
    },
  });
}

/**
 * The step of length t along the direction of `from`. The model promises -t slope - t^2/2 d^T H d with d^T H d =
 * -slope, as (G + ridge) d = -gradient; where that was solved inexactly, the quadratic form comes with the direction.
 */
function scaled(direction: Float64Array, slope: number, length: number, from: DampedStep): Proposal {
  const { quadratic } = from;
  return {
    ...from,
    step: length === 1 ? direction : direction.map((value) => length * value),
    predicted:
      quadratic === undefined ? -slope * length * (1 - length / 2) : -slope * length - 0.5 * length ** 2 * quadratic,
    slope: slope * length,
    length,
    direction,
    acceleration: null,
  };
}

function afterAccepted(state: MethodState, length: number): MethodState {
  const ridge = numberOf(state, "ridge") / ridgeGrowth;
  return { ...state, length, ridge: ridge < firstRidge * numberOf(state, "scale") ? 0 : ridge };
}

function moreRidge(state: MethodState, failure: Failure): Judgment {
  const scale = numberOf(state, "scale");
  const ridge = Math.max(numberOf(state, "ridge") * ridgeGrowth, firstRidge * scale);
  const judgment = { accepted: false, state: { ...state, ridge }, gainRatio: null, rejection: failure.message };
  if (failure.code !== "memory" && ridge <= scale) return judgment;
  return {
    ...judgment,
    end:
      failure.code === "memory"
        ? { code: "memory", message: failure.message }
        : {
            code: "damping-saturated",
            message: `the Gauss-Newton system could not be solved even with a ridge as large as its diagonal: ${failure.message}`,
          },
  };
}

// The Levenberg-Marquardt method (`levenbergMarquardt`), the default of `train`: a damped Gauss-Newton step, accepted
// if it lowers the objective, with a damping that follows the gain ratio. It joins the files of this folder to the
// interface Method, which the training loop calls.
//
//   (G + decay I + mu D) v = -gradient;   ratio = actual / predicted reduction;   accept when ratio > 0
//
// With geodesic acceleration (Transtrum and Sethna 2012) the step follows the model's curve to second order:
//
//   (G + decay I + mu D) a = -J^T psi_vv;   try v + a/2 where 2 |a| <= 0.75 |v|, lengths in D; if that does not lower the objective,
//   try v itself before the damping grows
//
// Once a run stalls on the primal route, the model includes a secant correction for the part of the Hessian that G
// leaves out (`../../step/secant.ts`), and the step is not accelerated.
//
// With losses other than squared error the step is that of the exact Hessian in place of G (exact-hessian.ts has the
// rule), without acceleration and correction.
//
// A rejected trial reuses the curvature: only engine.solve runs again, with more damping. A matrix that is not positive
// definite in floating point counts as a rejected trial.
import { checkSizes, describedBySettings, type Method, numberOf } from "../method.js";
import { dampingRules, firstDamping, firstGrowth } from "./damping.js";
import { fidelityPolicy } from "./fidelity.js";
import { judge } from "./judge.js";
import { completeOptions, type LevenbergMarquardtOptions } from "./options.js";
import { propose, withoutAcceleration } from "./propose.js";
import { checkSecant, neverStalled } from "./residual-curvature.js";

/**
 * The Levenberg-Marquardt method.
 *
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for an unknown option or value.
 */
export function levenbergMarquardt(options: LevenbergMarquardtOptions = {}): Method {
  const settings = completeOptions(options);
  const { scaling, damping, initialDamping, acceleration } = settings;
  const rule = dampingRules[damping];
  return describedBySettings({
    name: "levenberg-marquardt",
    label: `Levenberg-Marquardt (${scaling} scaling, ${damping} damping${acceleration ? ", geodesic acceleration" : ""})`,
    settings,
    scaling,
    fidelity: fidelityPolicy(settings),

    start(curvatureScale, effect, parameterCount) {
      const first = initialDamping === "auto" ? firstDamping(scaling, effect, parameterCount) : initialDamping;
      return { damping: first * curvatureScale, growth: firstGrowth, scale: curvatureScale, ...neverStalled };
    },

    damping: (state) => numberOf(state, "damping"),

    checkState: (state) => checkSizes(state, ["damping", "growth", "scale"], true) ?? checkSecant(state),

    // After an accelerated trial the damping stays, and its velocity is next.
    propose: async (problem, state, point, previous, signal) =>
      previous !== null && previous.acceleration !== null
        ? withoutAcceleration(previous)
        : propose(settings, problem, state, point, signal),

    judge: (state, point, proposal, trial) => judge(rule, state, point, proposal, trial),

    // The pairs of the secant correction are changes of the gradient, and those of other data are no such changes.
    renewed: (state) => ({ ...state, ...neverStalled }),
  });
}

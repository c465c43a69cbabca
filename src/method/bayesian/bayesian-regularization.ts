// Bayesian regularization (`bayesianRegularization`): Levenberg-Marquardt steps with a weight decay that the run estimates itself, from the
// evidence of its fit (MacKay 1992; Foresee and Hagan 1997). It joins the files of this folder to the interface Method, which the training
// loop calls.
//
//   F = g + decay/2 |w|^2;   every few steps   decay = gamma 2 g / ((N - gamma) |w|^2),   gamma = tr G (G + decay I)^-1
//
// From where the estimates end it tries larger decays, and ends with the fit of the highest evidence (climb.ts).
// No rows need to be held out: the decay says how far the parameters follow the data, and the evidence ranks fits of the same rows.
import { exactFidelity } from "../../step/fidelity.js";
import { levenbergMarquardt } from "../levenberg-marquardt/levenberg-marquardt.js";
import { arrayOf, describedBySettings, type FidelityPolicy, type Method, numberOf } from "../method.js";
import type { RegularizationPolicy } from "../regularization.js";
import { type BayesianRegularizationOptions, completeOptions } from "./options.js";
import { assess, renew } from "./renew.js";
import { checkPart, evidenceIn, freshPart, keptIn, PHASES } from "./state.js";

/**
 * The method of Bayesian regularization, for squared error: finds the weight decay and the noise along with the parameters, and holds out no
 * rows. Its records and result have `evidence`: decay, effective number of parameters, noise, log evidence.
 *
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for an unknown option or value.
 * @example const { network, evidence } = await train(net, data, { method: bayesianRegularization() });
 */
export function bayesianRegularization(options: BayesianRegularizationOptions = {}): Method {
  const settings = completeOptions(options);
  const { firstDecay, every, ...steps } = settings;
  const inner = levenbergMarquardt(steps);
  const isDue: RegularizationPolicy["due"] = (state) =>
    numberOf(state, "steps") >= every || numberOf(state, "hastened") > 0;
  const regularization: RegularizationPolicy = {
    first: firstDecay,
    decay: (state) => numberOf(state, "decay"),
    evidence: evidenceIn,
    due: isDue,
    stale: (state) => numberOf(state, "steps") > 0 || numberOf(state, "phase") !== PHASES.ends,
    settled: (state) => numberOf(state, "phase") === PHASES.ends,
    kept: keptIn,
    hastened: (state) => ({ ...state, hastened: 1 }),
    assess,
    renew: (problem, state, point, signal) => {
      const p = point.parameters.length;
      const begin = () => inner.start(numberOf(state, "scale"), problem.scaling, p);
      return renew(begin, problem, state, point, signal);
    },
  };
  return describedBySettings({
    ...inner,
    name: "bayesian-regularization",
    label: `Bayesian regularization of ${inner.label}`,
    settings,
    regularization,
    fidelity: exactWhereDue(inner.fidelity as FidelityPolicy, isDue),
    start: (...sizes) => ({ ...inner.start(...sizes), ...freshPart(firstDecay, 0) }),
    checkState: (state) => inner.checkState?.(state) ?? checkPart(state),
    judge(state, point, proposal, trial) {
      const judgment = inner.judge(state, point, proposal, trial);
      const begun = arrayOf(state, "begun");
      const noted = {
        taken: numberOf(state, "taken") + (judgment.accepted ? 1 : 0),
        steps: numberOf(state, "steps") + (judgment.accepted ? 1 : 0),
        begun: begun.length > 0 ? begun : point.parameters.slice(),
      };
      return { ...judgment, state: { ...judgment.state, ...noted } };
    },
  });
}

/** The choices of Levenberg-Marquardt, and all samples in double precision at a point whose spectrum is needed. */
function exactWhereDue({ planned, next }: FidelityPolicy, isDue: RegularizationPolicy["due"]): FidelityPolicy {
  return {
    planned,
    next: (sizes, position) =>
      position.state !== null && isDue(position.state) ? exactFidelity(sizes, position.records) : next(sizes, position),
  };
}

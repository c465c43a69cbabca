// GGN-SCORE (`ggnScore`): generalized Gauss-Newton steps on a loss with a smoothed, self-concordant regularizer, which
// makes networks sparse or keeps parameters within bounds. Users and gaussflow train pass it to `train` as the option
// `method`; the loop over batches calls it.
//
//   objective   L(w) + tau h(w), L the mean over the rows of half the squared error (or of the loss);     here times the rows of the batch
//   direction   d = -(J^T Q J / b + tau H)^-1 (grad L + tau grad h)                                        direction.ts
//   published   H = diag h'',  length min(1, a / (1 + M_g eta)),  eta^2 = (tau grad h)^T H^-1 (tau grad h)
//   majorizing  H = diag h'(w)/w,  the first length 1, 1/2, 1/4, ... that lowers the objective of the batch (Armijo)
//
// Source: Adeoye, Petersen and Bemporad, "Regularized Gauss-Newton for optimizing overparameterized neural networks"
// (arXiv 2404.14875).
//
// In the first steps the smoothing falls from the size of the weights to mu. h'' falls with the third power of |w| /
// mu, so that the published step is far too long where |w| is much larger than mu.
import type { BatchMethod } from "../batch-method.js";
import { describedBySettings } from "../method.js";
import { type GgnScoreOptions, ggnScoreSettings, needsOf, plainSettings } from "./options.js";
import { penaltyOf } from "./penalty.js";
import { sparsityOf } from "./sparsity.js";
import { takeStep } from "./take-step.js";

/** The method of `plainSettings`. */
export function ggnScoreOf({ groups, ...settings }: BatchMethod["settings"]): BatchMethod {
  const lengths = groups === undefined ? {} : { groups: String(groups).split(",").map(Number) };
  return ggnScore({ ...settings, ...lengths });
}

/**
 * GGN-SCORE: Gauss-Newton steps on the loss with a smoothed l1 norm, a norm of groups, or bounds of the parameters.
 *
 * @example train(net, data, { method: ggnScore({ tau: 1e-4 }), stop: { epochs: 200 } })
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for an unknown option or value.
 */
export function ggnScore(options: GgnScoreOptions = {}): BatchMethod {
  const settings = ggnScoreSettings(options);
  const { rule, tau, mu, step, batch } = settings;
  return describedBySettings<BatchMethod>({
    kind: "batch",
    name: "ggn-score",
    label: `GGN-SCORE (${rule.label}, tau ${tau}, mu ${mu}, ${step} step)`,
    settings: plainSettings(settings),
    epochs: typeof batch === "number" ? 20 : 200,
    remedy: step === "published" ? "the majorizing step or a larger mu" : "a smaller tau or a damping above 0",
    continuation: settings.continuation,
    needs: (sizes) => {
      // Refuses groups that are not those of the network.
      penaltyOf(settings, sizes.parameterCount);
      return needsOf(settings, sizes);
    },
    start: () => ({ start: -1 }),
    penalty: ({ rows, parameterCount }) => {
      const { value } = penaltyOf(settings, parameterCount);
      return (parameters) => rows * tau * value(parameters);
    },
    report: (parameters) => {
      const { small, holding } = sparsityOf(parameters, settings.threshold);
      return { smallParameters: small, holdingParameters: holding };
    },
    step: (context, state) => takeStep(settings, context, state),
  });
}

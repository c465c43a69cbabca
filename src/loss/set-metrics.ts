// Defines what a set of rows is judged by: errors, or the figures of a classifier. The commands train and evaluate compute it (cli/assess.ts),
// and the tables of report show it.
import type { TargetClassMetrics } from "./class-sums.js";
import type { TargetMetrics } from "./metrics.js";

/** Figures that belong to the loss of the training; each is there with its loss alone. */
export interface LossFigures {
  /** With `poisson`: mean Poisson deviance. */
  readonly deviance?: number;
  /** With `quantile`: mean pinball loss, units of the target. */
  readonly pinball?: number;
  /** With `quantile`: share of the targets that are not above their predictions. */
  readonly below?: number;
  /** With `gaussianNll`: mean negative logarithm of the predicted density, in nats, in the units of the target. */
  readonly nll?: number;
  /** With `gaussianNll`: share of the targets in the predicted 95% intervals. */
  readonly coverage?: number;
}

/** The figures of one set of rows. */
export interface SetMetrics {
  readonly set: string;
  readonly rows: number;
  /** Errors, one entry a target; none where predictions are probabilities of classes. */
  readonly targets: readonly (TargetMetrics & LossFigures)[];
  /** Figures of a classifier, one entry a target; not there for a regression. */
  readonly classification?: readonly TargetClassMetrics[];
}

// Detects classes that the network separates: every row is classified right, and without a weight decay the loss goes on to 0 while the
// parameters grow, so that there is no minimum to converge to. train.ts computes the bound once, and stop.ts tests it at each point.
//
// A row that is classified wrong, or is a tie, has a loss of at least s log 2 with its weight s. A sum loss below that of the lightest row
// therefore has every row right, whatever their number.
import type { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import { type Loss, lossRule } from "../loss/rules.js";

/** Largest sum loss of classes that count as separated. */
export interface Separable {
  readonly most: number;
  /** Rows with a weight above 0. */
  readonly rows: number;
  /** The smallest of those weights. */
  readonly lightest: number;
}

/** Mean loss of a row at or below which the classes count as separated. */
const meanBound = 1e-6;

/** null for a loss that is not of classes, or that has a minimum by its decay or by smoothed labels. */
export function separableBound(loss: Loss, { sampleCount, weights }: Dataset | FileDataset): Separable | null {
  const { targets } = lossRule(loss);
  if (loss.decay > 0 || (targets !== "probability" && targets !== "distribution")) return null;
  if (loss.kind === "softmax-cross-entropy" && loss.smoothing > 0) return null;
  let [rows, total, lightest] = [sampleCount, sampleCount, 1];
  if (weights !== null) {
    [rows, total, lightest] = [0, 0, Number.POSITIVE_INFINITY];
    for (const weight of weights) {
      total += weight;
      if (weight === 0) continue;
      rows++;
      lightest = Math.min(lightest, weight);
    }
  }
  return { most: Math.min(meanBound * total, Math.LN2 * lightest), rows, lightest };
}

/** The sentence for a sum loss that is below the bound. */
export function separableMessage({ most, rows, lightest }: Separable, loss: number): string {
  const surest = Math.exp(-loss / lightest);
  return `all ${rows} rows are classified right, each with a probability of at least ${surest.toPrecision(6)}: the sum loss ${loss.toExponential(3)} is at most ${most.toExponential(3)}, and without a weight decay it goes on towards 0 while the parameters grow without a limit; a weight decay, such as 1, gives it a minimum`;
}

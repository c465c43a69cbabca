// Measures how sparse the parameters of a network are. `ggnScore` puts the counts into its records, users call
// `sparsity` on a trained network, and gaussflow experiment score shows the counts.
import { argumentError } from "../../errors.js";
import { Network } from "../../network/network.js";
import { checkOptionNames, checkPositive } from "../../options.js";

/** How sparse the parameters of a network are. */
export interface Sparsity {
  /** Number of parameters. */
  readonly parameters: number;
  /** Parameters with |w| below `threshold`. */
  readonly small: number;
  /** The threshold of `small`. */
  readonly threshold: number;
  /** Parameters that are exactly 0, as the proximal step of `ggnScore` makes them; `small` counts them, too. */
  readonly zero: number;
  /**
   * Least number of parameters that together hold 99.9% of the sum of |w|: the authors' count of those that are not
   * zero.
   */
  readonly holding: number;
}

/** Share of the sum of |w| that `holding` counts. */
const SHARE = 0.999;

/**
 * How sparse the parameters of a network are.
 *
 * @example sparsity(result.network).small
 * @throws GaussflowError GAUSSFLOW_ARGUMENT
 */
export function sparsity(
  network: Network,
  options: {
    /** Parameters with |w| below it count as small. Default 1e-3. */
    readonly threshold?: number | undefined;
  } = {},
): Sparsity {
  if (!(network instanceof Network)) throw argumentError("network", "must be a Network", network);
  checkOptionNames("options", options, ["threshold"]);
  const { threshold = 1e-3 } = options;
  checkPositive("options.threshold", threshold);
  return sparsityOf(network.parameters, threshold);
}

/** The sparsity of an array of parameters. */
export function sparsityOf(parameters: Float64Array, threshold: number): Sparsity {
  const sizes = parameters.map(Math.abs).sort();
  let total = 0;
  let small = 0;
  let zero = 0;
  for (let j = 0; j < sizes.length; j++) {
    total += sizes[j]!;
    if (sizes[j]! < threshold) small++;
    if (sizes[j] === 0) zero++;
  }
  let [held, holding] = [0, 0];
  while (holding < sizes.length && held < SHARE * total) held += sizes[sizes.length - 1 - holding++]!;
  return { parameters: sizes.length, small, threshold, zero, holding };
}

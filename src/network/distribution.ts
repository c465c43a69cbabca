// Computes the means and standard deviations that a network with the link "gaussian" predicts, in raw units, from its outputs. Network and
// Ensemble call it for `predictDistribution`, and predictDistributionAsync for its batches.
import { type Scaling, unscaleColumns } from "../data/scaling.js";
import { argumentError } from "../errors.js";
import { applyLink, type Link, linkDeviations } from "./link.js";

/** What `predictDistribution` returns: n x k each, row-major, in raw units; k is `Network.targetSize`. */
export interface DistributionPrediction {
  /** Mean of each target. */
  readonly mean: Float64Array;
  /** Standard deviation of each target about its mean, above 0. */
  readonly deviation: Float64Array;
}

/** The parts of a network that turn its outputs into a distribution. */
interface Outputs {
  readonly link: Link;
  readonly outputSize: number;
  readonly scaling: Scaling | null;
}

/** @throws GAUSSFLOW_ARGUMENT for another link than "gaussian" */
export function checkDistribution({ link }: Pick<Outputs, "link">): void {
  if (link === "gaussian") return;
  throw argumentError(
    "network",
    "must have been trained with gaussianNll(), the loss whose networks predict a standard deviation",
    `a network with the link "${link}"`,
  );
}

/** Means and deviations from rows of outputs psi. @throws GAUSSFLOW_ARGUMENT for another link than "gaussian" */
export function distributionOf(network: Outputs, psi: Float64Array): DistributionPrediction {
  checkDistribution(network);
  const { link, outputSize, scaling } = network;
  const [mean, deviation] = [applyLink(link, psi, outputSize), linkDeviations(psi, outputSize)];
  if (scaling === null) return { mean, deviation };
  const { targets } = scaling;
  const centered = { offset: new Float64Array(targets.offset.length), scale: targets.scale };
  return { mean: unscaleColumns(mean, targets), deviation: unscaleColumns(deviation, centered) };
}

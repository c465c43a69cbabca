// Finds the start of a training with `gaussianNll` whose network is fresh: begin.ts calls it. From a drawn start the deviations would learn
// first, cover the errors of the means and leave these a flat loss. Therefore:
//
//   1. the means: 20 iterations of squared error, with the weight decay of the loss, of the network without its outputs v
//   2. the deviations: v = log of the variance of each target, from weights of 0 and a bias (without biases in the last layer v = 0)
//
// A network that was trained before, or whose parameters were given, starts as it is.
import { standardizeInTurns } from "../data/scaling.js";
import { argumentError } from "../errors.js";
import { squaredError } from "../loss/squared-error.js";
import { VARIANCE_FLOOR } from "../network/link.js";
import { isAsDrawn, Network } from "../network/network.js";
import { SHARE_OF_SECONDS, type ShortFit, shortFit } from "./short-fit.js";

const ITERATIONS = 20;

/** Least ratio of the variance of a target to the floor that the predicted variances have. */
const LEAST_RATIO = 100;

/**
 * The parameters to start from, in the units of training; null where the network starts as it is.
 * @throws GAUSSFLOW_ARGUMENT where a target varies so little that the floor would hide it; the signal's reason once it has been aborted
 */
export async function fitMeans(run: ShortFit): Promise<Float64Array | null> {
  const { start, completed } = run;
  const deviations = await targetDeviations(run);
  if (!isAsDrawn(start)) return null;
  const { loss, stop } = completed;
  const means = meanNetwork(start, deviations.length);
  const seconds = SHARE_OF_SECONDS * stop.seconds;
  const fitted = await shortFit({ ...run, start: means }, squaredError({ decay: loss.decay }), ITERATIONS, seconds);
  return withDeviations(start, means.withParameters(fitted), deviations);
}

/** Standard deviations of the targets in the units of training, 1 for a constant one. */
async function targetDeviations({ start, fit, signal }: ShortFit): Promise<number[]> {
  const { scale } = (await standardizeInTurns(fit, signal)).targets;
  const deviations = Array.from(scale, (deviation, j) => deviation / (start.scaling?.targets.scale[j] ?? 1));
  deviations.forEach((deviation, j) => {
    if (deviation ** 2 < LEAST_RATIO * VARIANCE_FLOOR)
      throw argumentError(
        "data.targets",
        `must have a standard deviation of at least ${Math.sqrt(LEAST_RATIO * VARIANCE_FLOOR)} in the units of the run with gaussian-nll, whose predicted deviations are above ${Math.sqrt(VARIANCE_FLOOR)} there: use standardize: true and a network without a scaling (network.withScaling(null))`,
        `${fit.targetNames[j]} with ${deviation.toExponential(2)}`,
      );
  });
  return deviations;
}

/** The network with the first `targets` outputs alone. */
function meanNetwork(start: Network, targets: number): Network {
  const { options, architecture, parameters } = start;
  const { weightOffset, biasOffset, inputSize } = lastLayer(start);
  const weights = weightOffset + targets * inputSize;
  const kept = new Float64Array(weights + (biasOffset < 0 ? 0 : targets));
  kept.set(parameters.subarray(0, weights));
  if (biasOffset >= 0) kept.set(parameters.subarray(biasOffset, biasOffset + targets), weights);
  const layers = [...options.layers.slice(0, architecture.layers.length), targets];
  return new Network({ ...start.state(), options: { ...options, layers }, parameters: kept, link: "identity" });
}

/** The parameters of the whole network: those of the means, and a constant v for the deviations. */
function withDeviations(start: Network, means: Network, deviations: readonly number[]): Float64Array {
  const parameters = new Float64Array(start.parameterCount);
  const [whole, part] = [lastLayer(start), lastLayer(means)];
  const weights = part.weightOffset + part.outputSize * part.inputSize;
  parameters.set(means.parameters.subarray(0, weights));
  if (whole.biasOffset < 0) return parameters;
  parameters.set(means.parameters.subarray(weights), whole.biasOffset);
  const { outputScale } = start.architecture;
  deviations.forEach((deviation, j) => {
    parameters[whole.biasOffset + part.outputSize + j] = (2 * Math.log(deviation)) / outputScale;
  });
  return parameters;
}

function lastLayer({ architecture: { layers } }: Network) {
  return layers[layers.length - 1];
}

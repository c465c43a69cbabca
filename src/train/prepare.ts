// From a network and a data set in raw units to what an engine works on: units, shifted targets, the mean's factor. Training and
// flows share it.
import type { EngineData } from "../backend/engine.js";
import type { Dataset } from "../data/dataset.js";
import { identityScaling, type Scaling, scaleColumns, standardise } from "../data/scaling.js";
import { predictions } from "../network/forward.js";
import type { Network } from "../network/network.js";

/** Standardised inputs; standardised targets too, unless the output activation ties the predictions to raw units. */
export function unitsOf(network: Network, fit: Dataset): Scaling {
  const standard = standardise(fit);
  const linear = network.architecture.layers.at(-1)?.activation === "identity";
  return linear ? standard : { ...standard, targets: identityScaling(fit.inputSize, fit.outputSize).targets };
}

/** What an engine gets: scaled inputs, and targets with alpha f(w_0) added where the network is centred. */
export function engineData(network: Network, data: Dataset, scaling: Scaling | null): EngineData {
  const inputs = scaling === null ? data.inputs : scaleColumns(data.inputs, scaling.inputs);
  const targets = scaling === null ? data.targets.slice() : scaleColumns(data.targets, scaling.targets);
  if (network.centre !== null) {
    const shift = predictions(network.architecture, network.centre, inputs);
    for (let k = 0; k < targets.length; k++) targets[k] += shift[k];
  }
  return { sampleCount: data.sampleCount, inputs, targets, weights: data.weights ?? undefined };
}

/** 2 / (sum of weights * outputs): from the sum loss to the weighted mean of squares. */
export function meanFactor(data: Dataset): number {
  const total = data.weights === null ? data.sampleCount : data.weights.reduce((sum, weight) => sum + weight, 0);
  return 2 / (total * data.outputSize);
}

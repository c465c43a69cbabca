// Draws the initial parameters of a network, for `network` in network.ts. Biases start at 0; weights are independent draws of mean 0:
//   lecun var 1/fan-in   glorot var 2/(fan-in + fan-out)   he var 2/fan-in     normal, or uniform on +-sqrt(3 var)
//   ntk   N(0, 1), with the factor 1/sqrt(fan-in) in the forward pass
//   symmetric   lecun-normal, then units 2k and 2k+1 of the last hidden layer get equal incoming and opposite outgoing
//               weights, so that f(w_0) = 0 exactly
// Sources: LeCun et al. 1998; Glorot and Bengio 2010; He et al. 2015; Jacot et al. 2018; Chizat et al. 2019 (symmetric).
import { reserve } from "../bytes.js";
import { argumentError } from "../errors.js";
import { Random } from "../random.js";
import { activationValue } from "./activations.js";
import type { Architecture } from "./architecture.js";

/** How the first parameters are drawn. */
export type InitializationName =
  | "lecun-normal"
  | "lecun-uniform"
  | "glorot-normal"
  | "glorot-uniform"
  | "he-normal"
  | "he-uniform"
  | "ntk"
  | "symmetric";

export const INITIALIZATION_NAMES: readonly InitializationName[] = [
  "lecun-normal",
  "lecun-uniform",
  "glorot-normal",
  "glorot-uniform",
  "he-normal",
  "he-uniform",
  "ntk",
  "symmetric",
];

/** Random stream of initial parameters; splits and folds use other streams of the same seed. */
const INITIALIZATION_STREAM = 0;

function variance(name: InitializationName, fanIn: number, fanOut: number): number {
  switch (name) {
    case "lecun-normal":
    case "lecun-uniform":
    case "symmetric":
      return 1 / fanIn;
    case "glorot-normal":
    case "glorot-uniform":
      return 2 / (fanIn + fanOut);
    case "he-normal":
    case "he-uniform":
      return 2 / fanIn;
    case "ntk":
      return 1;
    default:
      throw new Error(`unknown initialization ${name satisfies never}`);
  }
}

/**
 * Starting parameters, p entries.
 * @throws GAUSSFLOW_ARGUMENT if `symmetric` is impossible: no hidden layer, an odd last hidden width, or an output
 * activation that is not 0 at 0
 */
export function initialize(architecture: Architecture, name: InitializationName, seed: number): Float64Array {
  const random = new Random(seed, INITIALIZATION_STREAM);
  const { parameterCount } = architecture;
  const parameters = reserve(8 * parameterCount, "an array of parameters", () => new Float64Array(parameterCount));
  for (const layer of architecture.layers) {
    const size = layer.inputSize * layer.outputSize;
    const deviation = Math.sqrt(variance(name, layer.inputSize, layer.outputSize));
    const uniform = name.endsWith("-uniform");
    for (let i = layer.weightOffset; i < layer.weightOffset + size; i++)
      parameters[i] = uniform ? deviation * Math.sqrt(3) * (2 * random.uniform() - 1) : deviation * random.normal();
  }
  if (name === "symmetric") pairUnits(architecture, parameters);
  return parameters;
}

/** Makes unit 2k+1 of the last hidden layer the mirror image of unit 2k. */
function pairUnits(architecture: Architecture, parameters: Float64Array): void {
  const { layers } = architecture;
  const output = layers[layers.length - 1];
  const hidden = layers[layers.length - 2];
  if (hidden === undefined)
    throw argumentError("initialization", "symmetric needs a hidden layer", "layers without one");
  if (hidden.outputSize % 2 !== 0)
    throw argumentError("initialization", "symmetric needs an even width of the last hidden layer", hidden.outputSize);
  if (activationValue(output.activation, 0) !== 0)
    throw argumentError("initialization", "symmetric needs an output activation that is 0 at 0", output.activation);
  const { inputSize: fanIn, weightOffset } = hidden;
  for (let unit = 0; unit < hidden.outputSize; unit += 2) {
    const from = weightOffset + unit * fanIn;
    parameters.copyWithin(from + fanIn, from, from + fanIn);
    for (let row = 0; row < output.outputSize; row++) {
      const weight = output.weightOffset + row * output.inputSize + unit;
      parameters[weight + 1] = -parameters[weight];
    }
  }
}

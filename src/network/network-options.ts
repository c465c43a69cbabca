// Checks and completes the options of `network({...})`: misspelled names and wrong values are refused, defaults are filled in.

import { argumentError } from "../errors.js";
import { checkOptionNames } from "../options.js";
import { ACTIVATION_NAMES, isActivationName } from "./activations.js";
import type { ActivationName } from "./architecture.js";
import { INITIALIZATION_NAMES, type InitializationName } from "./initialize.js";

/** Options of `network`. */
export interface NetworkOptions {
  /** Layer sizes [inputs, hidden ..., outputs]; two entries make a linear model (with an identity output). */
  readonly layers: readonly number[];
  /** Activation of all hidden layers, or a list with one each. Default "tanh". */
  readonly activation?: ActivationName | readonly ActivationName[] | undefined;
  /** Activation of the output layer. Default "identity". */
  readonly outputActivation?: ActivationName | undefined;
  /** Whether layers have biases: one value for all layers, or a list with one each (output included). Default true. */
  readonly bias?: boolean | readonly boolean[] | undefined;
  /** How the initial parameters are drawn. Default "lecun-normal", or "he-normal" if a hidden layer is relu. `ntk` also puts 1/sqrt(fan-in) in the passes. */
  readonly initialization?: InitializationName | undefined;
  /** alpha in psi = alpha f(w), > 0. Default 1. */
  readonly outputScale?: number | undefined;
  /** psi = alpha (f(w) - f(w_0)): predictions start at exactly 0. Default false. */
  readonly centered?: boolean | undefined;
  /** Seed of the initial parameters: integer from 0 to 2^53 - 1. Default 0. */
  readonly seed?: number | undefined;
}

/** The same with every default filled in and one activation a hidden layer, one bias flag a layer. */
export interface CompletedNetworkOptions {
  /** Sizes [inputs, hidden ..., outputs]. */
  readonly layers: readonly number[];
  /** Activations, one a hidden layer. */
  readonly activation: readonly ActivationName[];
  /** Activation of the last layer. */
  readonly outputActivation: ActivationName;
  /** Whether the layer has biases, one a layer. */
  readonly bias: readonly boolean[];
  /** How the first parameters are drawn. */
  readonly initialization: InitializationName;
  /** alpha in psi = alpha f(w). */
  readonly outputScale: number;
  /** Whether f(w_0) is subtracted. */
  readonly centered: boolean;
  /** Seed of the first parameters. */
  readonly seed: number;
}

const NAMES = [
  "layers",
  "activation",
  "outputActivation",
  "bias",
  "initialization",
  "outputScale",
  "centered",
  "seed",
] as const;

/** One value for all or an array of exactly `count`; every entry must pass `valid`. */
function spread<T>(
  name: string,
  value: unknown,
  count: number,
  valid: (entry: unknown) => entry is T,
  rule: string,
  places: string,
): T[] {
  if (!Array.isArray(value)) {
    if (!valid(value)) throw argumentError(name, `must be ${rule}`, value);
    return new Array<T>(count).fill(value);
  }
  if (value.length !== count) throw argumentError(name, `must have one entry a ${places}, ${count} of them`, value);
  return Array.from({ length: count }, (_, i) => {
    const entry: unknown = value[i];
    if (!valid(entry)) throw argumentError(`${name}[${i}]`, `must be ${rule}`, entry);
    return entry;
  });
}

const LEAST_SCALE = 1e-150;

/** Largest number of layers, far above what signals or gradients survive. The limit bounds work that grows with the square of the number. */
const MOST_LAYERS = 10_000;

const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";

function checkLayers(name: string, value: unknown): number[] {
  if (!Array.isArray(value) || value.length < 2)
    throw argumentError(name, "must be an array of at least two sizes, [inputs, hidden ..., outputs]", value);
  if (value.length > MOST_LAYERS) throw argumentError(name, `must be an array of at most ${MOST_LAYERS} sizes`, value);
  return Array.from({ length: value.length }, (_, i) => {
    const size: unknown = value[i];
    if (!Number.isSafeInteger(size) || (size as number) < 1)
      throw argumentError(`${name}[${i}]`, "must be a positive integer", size);
    return size as number;
  });
}

/**
 * @param name how errors call the options; "" for an option that is an argument of its own
 * @throws GAUSSFLOW_ARGUMENT that names the option, its rule and the value received
 */
export function completeNetworkOptions(options: NetworkOptions, name = "options"): CompletedNetworkOptions {
  checkOptionNames(name, options, NAMES);
  const at = (option: string) => (name === "" ? option : `${name}.${option}`);
  const layers = checkLayers(at("layers"), options.layers);
  const activationRule = `one of ${ACTIVATION_NAMES.join(", ")}`;
  const hidden = layers.length - 2;
  const { activation = "tanh", outputActivation = "identity", bias = true } = options;
  const activations = spread(at("activation"), activation, hidden, isActivationName, activationRule, "hidden layer");
  if (!isActivationName(outputActivation))
    throw argumentError(at("outputActivation"), `must be ${activationRule}`, outputActivation);
  const biases = spread(at("bias"), bias, layers.length - 1, isBoolean, "true or false", "layer");
  const { initialization = activations.includes("relu") ? "he-normal" : "lecun-normal" } = options;
  if (!INITIALIZATION_NAMES.includes(initialization))
    throw argumentError(at("initialization"), `must be one of ${INITIALIZATION_NAMES.join(", ")}`, initialization);
  const { outputScale = 1, centered = false, seed = 0 } = options;
  if (typeof outputScale !== "number" || !(outputScale > 0) || outputScale === Infinity)
    throw argumentError(at("outputScale"), "must be a positive finite number", outputScale);
  // Curvature and damping have its square.
  if (!(outputScale >= LEAST_SCALE && outputScale <= 1 / LEAST_SCALE))
    throw argumentError(at("outputScale"), `must be from ${LEAST_SCALE} to ${1 / LEAST_SCALE}`, outputScale);
  if (!isBoolean(centered)) throw argumentError(at("centered"), "must be true or false", centered);
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw argumentError(at("seed"), "must be an integer from 0 to 2^53 - 1", seed);
  return Object.freeze({
    layers: Object.freeze(layers),
    activation: Object.freeze(activations),
    outputActivation,
    bias: Object.freeze(biases),
    initialization,
    outputScale,
    centered,
    seed,
  });
}

/** The names a complete set of options has: what the model file looks for when it reads one back. */
export const NETWORK_OPTION_NAMES: readonly string[] = NAMES;

// Checks and completes the options of networks, drawn (`network`) or given (`networkOf`, model files): misspelled names and wrong values
// are refused, defaults are filled in. jobs/job.ts takes from it the options with which a job's network is drawn from another seed.

import { argumentError } from "../errors.js";
import { inFirstSpelling } from "../first-spelling.js";
import { checkOptionNames, isObject, type NumberArray } from "../options.js";
import { ACTIVATION_NAMES, isActivationName } from "./activations.js";
import type { ActivationName } from "./architecture.js";
import { INITIALIZATION_NAMES, type InitializationName } from "./initialize.js";

/** How the weights of a layer enter: as they are, or times 1/sqrt(fan-in), as neural tangent kernels are written. */
export type Parametrization = "standard" | "ntk";

/** How the first parameters of a network were drawn: the same draw gives the same numbers on every platform. */
export interface Draw {
  /** The rule of the draw. */
  readonly initialization: InitializationName;
  /** Seed of the draw. */
  readonly seed: number;
}

/** The shape of a network, common to drawn networks and to those with given parameters. */
export interface NetworkShape {
  /** Layer sizes [inputs, hidden ..., outputs]; two entries make a linear model (with an identity output). */
  readonly layers: readonly number[];
  /** Activation of all hidden layers, or a list with one each. Default "tanh". */
  readonly activation?: ActivationName | readonly ActivationName[] | undefined;
  /** Activation of the output layer. Default "identity". */
  readonly outputActivation?: ActivationName | undefined;
  /** Whether layers have biases: one value for all layers, or a list with one each (output included). Default true. */
  readonly bias?: boolean | readonly boolean[] | undefined;
  /** alpha in psi = alpha f(w), > 0. Default 1. */
  readonly outputScale?: number | undefined;
}

/** Options of `network`. */
export interface NetworkOptions extends NetworkShape {
  /** How the initial parameters are drawn. Default "lecun-normal", or "he-normal" if a hidden layer is relu. `ntk` also puts 1/sqrt(fan-in) in the passes. */
  readonly initialization?: InitializationName | undefined;
  /** psi = alpha (f(w) - f(w_0)): predictions start at exactly 0. Default false. */
  readonly centered?: boolean | undefined;
  /** Seed of the initial parameters: integer from 0 to 2^53 - 1. Default 0. */
  readonly seed?: number | undefined;
}

/** Options of `networkOf`: a shape and its parameters. */
export interface GivenNetworkOptions extends NetworkShape {
  /** p numbers: layer after layer the weights, row-major (outputs x inputs), then the biases where the layer has them. Copied. */
  readonly parameters: NumberArray;
  /** The same for w_0 in psi = alpha (f(w) - f(w_0)); null, the default, for psi = alpha f(w). Copied. */
  readonly center?: NumberArray | null | undefined;
  /** Whether the passes multiply weights by 1/sqrt(fan-in) ("ntk"). Default "standard". */
  readonly parametrization?: Parametrization | undefined;
}

/** What a network holds besides its parameters: every default filled in, one activation a hidden layer, one bias flag a layer. */
export interface CompletedNetworkOptions {
  /** Sizes [inputs, hidden ..., outputs]. */
  readonly layers: readonly number[];
  /** Activations, one a hidden layer. */
  readonly activation: readonly ActivationName[];
  /** Activation of the last layer. */
  readonly outputActivation: ActivationName;
  /** Whether the layer has biases, one a layer. */
  readonly bias: readonly boolean[];
  /** How weights enter the passes. */
  readonly parametrization: Parametrization;
  /** alpha in psi = alpha f(w). */
  readonly outputScale: number;
  /** Whether f(w_0) is subtracted. */
  readonly centered: boolean;
  /** How the first parameters were drawn; null where they were given. */
  readonly drawn: Draw | null;
}

const SHAPE_NAMES = ["layers", "activation", "outputActivation", "bias", "outputScale"] as const;

/** The names of the options of `network`. */
const NETWORK_OPTION_NAMES = [...SHAPE_NAMES, "initialization", "centered", "seed"] as const;

const PARAMETRIZATIONS: readonly Parametrization[] = ["standard", "ntk"];

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

/** How errors call an option; `name` is "" for an option that is an argument of its own. */
const optionAt = (name: string, option: string) => (name === "" ? option : `${name}.${option}`);

function completeShape(options: NetworkShape, name: string) {
  const at = (option: string) => optionAt(name, option);
  const layers = checkLayers(at("layers"), options.layers);
  const activationRule = `one of ${ACTIVATION_NAMES.join(", ")}`;
  const hidden = layers.length - 2;
  const { activation = "tanh", outputActivation = "identity", bias = true, outputScale = 1 } = options;
  const activations = spread(at("activation"), activation, hidden, isActivationName, activationRule, "hidden layer");
  if (!isActivationName(outputActivation))
    throw argumentError(at("outputActivation"), `must be ${activationRule}`, outputActivation);
  const biases = spread(at("bias"), bias, layers.length - 1, isBoolean, "true or false", "layer");
  if (typeof outputScale !== "number" || !(outputScale > 0) || outputScale === Infinity)
    throw argumentError(at("outputScale"), "must be a positive finite number", outputScale);
  // Curvature and damping have its square.
  if (!(outputScale >= LEAST_SCALE && outputScale <= 1 / LEAST_SCALE))
    throw argumentError(at("outputScale"), `must be from ${LEAST_SCALE} to ${1 / LEAST_SCALE}`, outputScale);
  return {
    layers: Object.freeze(layers),
    activation: Object.freeze(activations),
    outputActivation,
    bias: Object.freeze(biases),
    outputScale,
  };
}

function checkDraw(name: string, initialization: unknown, seed: unknown): Draw {
  if (!INITIALIZATION_NAMES.includes(initialization as InitializationName))
    throw argumentError(
      optionAt(name, "initialization"),
      `must be one of ${INITIALIZATION_NAMES.join(", ")}`,
      initialization,
    );
  if (!Number.isSafeInteger(seed) || (seed as number) < 0)
    throw argumentError(optionAt(name, "seed"), "must be an integer from 0 to 2^53 - 1", seed);
  return Object.freeze({ initialization: initialization as InitializationName, seed: seed as number });
}

function checkParametrization(name: string, value: unknown): asserts value is Parametrization {
  if (!PARAMETRIZATIONS.includes(value as Parametrization))
    throw argumentError(optionAt(name, "parametrization"), `must be one of ${PARAMETRIZATIONS.join(", ")}`, value);
}

/** Refuses a member that only `Network.options` has, with the way from there. */
function refuseHeld(name: string, options: unknown, members: readonly string[], remedy: string): void {
  const held = isObject(options) ? members.find((member) => Object.hasOwn(options, member)) : undefined;
  if (held !== undefined)
    throw argumentError(name, `must not have what only the options of a finished network have: ${remedy}`, held);
}

/**
 * The options of a network that is drawn.
 * @param name how errors call them
 * @throws GAUSSFLOW_ARGUMENT that names the option, its rule and the value received
 */
export function completeNetworkOptions(
  options: NetworkOptions,
  name: string,
): CompletedNetworkOptions & { readonly drawn: Draw } {
  refuseHeld(
    name,
    options,
    ["drawn", "parametrization"],
    "for another draw, take const { drawn, parametrization, ...shape } = net.options and { ...shape, ...drawn, seed: 1 }",
  );
  checkOptionNames(name, options, NETWORK_OPTION_NAMES);
  const { outputScale, ...shape } = completeShape(options, name);
  const usual = shape.activation.includes("relu") ? "he-normal" : "lecun-normal";
  const { initialization = usual, centered = false, seed = 0 } = options;
  const drawn = checkDraw(name, initialization, seed);
  if (!isBoolean(centered)) throw argumentError(optionAt(name, "centered"), "must be true or false", centered);
  const parametrization = initialization === "ntk" ? "ntk" : "standard";
  return Object.freeze({ ...shape, parametrization, outputScale, centered, drawn });
}

/** The options of a network with given parameters, of which nothing is known. @throws GAUSSFLOW_ARGUMENT */
export function completeGivenOptions(options: GivenNetworkOptions): CompletedNetworkOptions {
  refuseHeld(
    "options",
    options,
    ["drawn", "centered"],
    "use net.withParameters(parameters), or leave out drawn and centered and give center: net.center",
  );
  checkOptionNames("options", options, [...SHAPE_NAMES, "parameters", "center", "parametrization"]);
  const { outputScale, ...shape } = completeShape(options, "options");
  const { parametrization = "standard", center = null } = options;
  checkParametrization("options", parametrization);
  return Object.freeze({ ...shape, parametrization, outputScale, centered: center !== null, drawn: null });
}

/**
 * What a network holds, checked: from its state or a model file.
 * @param name how errors call the options; "" for an option that is an argument of its own
 * @throws GAUSSFLOW_ARGUMENT
 */
export function checkHeldOptions(options: CompletedNetworkOptions, name: string): CompletedNetworkOptions {
  checkOptionNames(name, options, HELD_OPTION_NAMES);
  const { outputScale, ...shape } = completeShape(options, name);
  const { parametrization, centered, drawn } = options;
  checkParametrization(name, parametrization);
  if (!isBoolean(centered)) throw argumentError(optionAt(name, "centered"), "must be true or false", centered);
  if (drawn === null) return Object.freeze({ ...shape, parametrization, outputScale, centered, drawn });
  checkOptionNames(optionAt(name, "drawn"), drawn, ["initialization", "seed"]);
  const draw = checkDraw(optionAt(name, "drawn"), drawn.initialization, drawn.seed);
  if ((draw.initialization === "ntk") !== (parametrization === "ntk"))
    throw argumentError(
      optionAt(name, "parametrization"),
      `must be ${draw.initialization === "ntk" ? "ntk" : "standard"} for parameters drawn by "${draw.initialization}"`,
      parametrization,
    );
  return Object.freeze({ ...shape, parametrization, outputScale, centered, drawn: draw });
}

/** The names of what a network holds: those that a model file must have. */
export const HELD_OPTION_NAMES = [...SHAPE_NAMES, "parametrization", "centered", "drawn"] as const;

/** What `network` drew a network from, every default filled in. */
export type DrawnOptions = Omit<CompletedNetworkOptions, "parametrization" | "drawn"> & Draw;

/** The names that a network has in a model file of version 1, in the spelling of today. They never change. */
export const FIRST_OPTION_NAMES = [
  "layers",
  "activation",
  "outputActivation",
  "bias",
  "outputScale",
  "initialization",
  "centered",
  "seed",
] as const;

/** The options that `network` drew a network with: with another seed, another start. null where the parameters were given. */
export function drawnOptions(held: CompletedNetworkOptions): DrawnOptions | null {
  const { parametrization: _, drawn, ...shape } = held;
  return drawn === null ? null : { ...shape, ...drawn };
}

/** What a network of version 1 held, under the names of today: the draw at the top, the parametrization in its name. */
export function fromFirstOptions({ initialization, seed, ...shape }: Readonly<Record<string, unknown>>) {
  const parametrization = initialization === "ntk" ? "ntk" : "standard";
  return { ...shape, parametrization, drawn: { initialization, seed } };
}

/**
 * The text of the options that a fingerprint hashes. For a drawn network it is the text of version 1, so that its checkpoints belong to
 * the same run.
 */
export function optionsText(held: CompletedNetworkOptions): string {
  const { layers, activation, outputActivation, bias, outputScale, centered } = held;
  const ntk = held.parametrization === "ntk" ? "ntk" : null;
  const { initialization, seed } = held.drawn ?? { initialization: ntk, seed: null };
  const shape = { layers, activation, outputActivation, bias };
  return JSON.stringify(inFirstSpelling({ ...shape, initialization, outputScale, centered, seed }));
}

// Defines the public `network` and the class Network: an architecture, its parameters, and the scaling, encoding and link with which it
// predicts in raw units. Users and the command line make networks; `train` and `flow` take one and return one. A Network is immutable;
// training makes new ones by its `with...` methods.
//   prediction = target offset + target scale * link(psi(z)),   z = (x - input offset) / input scale
//   psi = alpha f(w), or centered alpha (f(w) - f(w_0))
//   with the link "gaussian" also: deviation = target scale * sqrt(exp v + 1e-6), v the second half of psi

import { sameClasses } from "../data/classes.js";
import type { TableEncoding } from "../data/encoding.js";
import { encodedSize } from "../data/encoding.js";
import { encodingFromJson } from "../data/encoding-json.js";
import { type MatrixLike, toMatrix } from "../data/matrix.js";
import { type Scaling, scaleColumns, scalesTargets, unscaleColumns } from "../data/scaling.js";
import { argumentError, GaussflowError } from "../errors.js";
import { checkDoubles, checkJson, isObject, isTypedNumbers, type NumberArray, numbersOf } from "../options.js";
import { listed } from "../suggest.js";
import type { Architecture } from "./architecture.js";
import { checkLink, checkScaling, checkUnits } from "./check-units.js";
import { checkNetworkClasses, mostProbableClasses } from "./class-prediction.js";
import { type DistributionPrediction, distributionOf } from "./distribution.js";
import { inputJacobian, predictions } from "./forward.js";
import { initialize } from "./initialize.js";
import { applyLink, hasUnits, type Link, linkJacobian, outputsPerTarget } from "./link.js";
import {
  type CompletedNetworkOptions,
  checkHeldOptions,
  completeGivenOptions,
  completeNetworkOptions,
  type GivenNetworkOptions,
  type NetworkOptions,
} from "./network-options.js";
import { checkShape, type NetworkState, type TrainingSummary } from "./network-state.js";
import { layOut, type ParameterBlock, parameterMap } from "./parameters.js";
import { checkPosterior, type Posterior } from "./posterior.js";

/** The architecture that completed options describe. */
export function architectureOf(options: CompletedNetworkOptions): Architecture {
  const [inputSize, ...widths] = options.layers;
  const plans = widths.map((outputSize, l) => ({
    outputSize,
    activation: l < widths.length - 1 ? options.activation[l] : options.outputActivation,
    bias: options.bias[l],
  }));
  return layOut(inputSize, plans, options.parametrization === "ntk", options.outputScale);
}

/**
 * A network with freshly drawn parameters; the same options give the same numbers on every platform.
 * @throws GAUSSFLOW_ARGUMENT
 * @example network({ layers: [6, 16, 16, 1], activation: "tanh", seed: 7 })
 */
export function network(options: NetworkOptions): Network {
  return drawnNetwork(options, "options");
}

/** The same with another name of the options in errors. */
export function drawnNetwork(options: NetworkOptions, name: string): Network {
  const completed = completeNetworkOptions(options, name);
  const architecture = architectureOf(completed);
  const parameters = initialize(architecture, completed.drawn.initialization, completed.drawn.seed);
  const center = completed.centered ? parameters.slice() : null;
  return new Network({ options: completed, parameters, center, scaling: null, encoding: null, summary: null });
}

/**
 * A network with given parameters, as another program has trained or drawn them: nothing is said of how (`options.drawn` is null). What
 * needs a draw, `restarts` and `sweep`, refuses it; seeds that default to that of the draw are 0.
 * @throws GAUSSFLOW_ARGUMENT
 * @example networkOf({ layers: [2, 3, 1], activation: "tanh", parameters }).withScaling(scaling)
 */
export function networkOf(options: GivenNetworkOptions): Network {
  const completed = completeGivenOptions(options);
  const { parameterCount } = architectureOf(completed);
  const parameters = givenNumbers("options.parameters", options.parameters, parameterCount);
  const center = options.center == null ? null : givenNumbers("options.center", options.center, parameterCount);
  return new Network({ options: completed, parameters, center, scaling: null, encoding: null, summary: null });
}

function givenNumbers(name: string, values: unknown, count: number): Float64Array {
  const numbers = numbersOf(name, values);
  if (numbers.length !== count)
    throw argumentError(name, `must have ${count} numbers, as many as the layers need`, values);
  return numbers;
}

/** Whether a network has the parameters of its draw still: it was not trained, and `withParameters` gave it none. */
export function isAsDrawn({ options: { drawn }, summary, architecture, parameters }: Network): boolean {
  if (drawn === null || summary !== null) return false;
  const first = initialize(architecture, drawn.initialization, drawn.seed);
  return first.every((value, j) => value === parameters[j]);
}

/** The seed that draws for a network start from by default: that of its own draw, else 0. */
export function seedOf({ options: { drawn } }: Network): number {
  return drawn?.seed ?? 0;
}

/** A network, made by `network`, `networkOf`, `loadModel` and training. Its arrays must not be changed. */
export class Network {
  /** Its shape, and how its parameters were drawn. */
  readonly options: CompletedNetworkOptions;
  /** The layers, and where their parameters are. */
  readonly architecture: Architecture;
  /** p entries, flat; see `parameterMap`. */
  readonly parameters: Float64Array;
  /** w_0 where psi = alpha (f(w) - f(w_0)), else null. */
  readonly center: Float64Array | null;
  /** Scaling between raw units and the units of training; null = the same. */
  readonly scaling: Scaling | null;
  /** How table columns became inputs; null for data given in code. */
  readonly encoding: TableEncoding | null;
  /** Facts about the training: plain JSON; null for a network that was not trained. */
  readonly summary: TrainingSummary | null;
  /** From outputs to predictions: "identity", or that of the loss which it was trained with ("logistic", "softmax", "gaussian",
   * "exp"). */
  readonly link: Link;
  /** Names of the c classes whose probabilities it predicts, in the order of the outputs; null where it was not trained on classes. */
  readonly classes: readonly string[] | null;
  /** What intervals need (`uncertaintyOf`), of a training with `uncertainty: true` that ended at these parameters; else null. */
  readonly posterior: Posterior | null;

  /** Takes the arrays without a copy; `network`, `with...` and the model file have checked their contents. */
  constructor(state: NetworkState) {
    this.options = checkHeldOptions(checkShape(state).options, "state.options");
    this.architecture = architectureOf(this.options);
    const { parameterCount } = this.architecture;
    checkDoubles("state.parameters", state.parameters, parameterCount);
    if (this.options.centered) checkDoubles("state.center", state.center, parameterCount);
    else if (state.center !== null)
      throw argumentError("state.center", "must be null for a network that is not centered", state.center);
    const { link = "identity" } = state;
    checkLink("state.link", link, this.architecture);
    checkScaling("state.scaling", state.scaling, this.architecture, link);
    checkUnits("state.link", link, state.scaling);
    this.parameters = state.parameters;
    this.center = state.center;
    this.scaling = state.scaling;
    this.encoding = state.encoding;
    this.summary = state.summary;
    this.link = link;
    this.classes = checkNetworkClasses("state.classes", state.classes ?? null, this.link, this.outputSize);
    const read = this.encoding?.classes ?? null;
    if (this.classes !== null && read !== null && !sameClasses(this.classes, read))
      throw argumentError("state.classes", `must be those of the encoding, ${listed(read)}`, listed(this.classes));
    this.posterior = checkPosterior("state.posterior", state.posterior ?? null, this);
    Object.freeze(this);
  }

  /** Inputs of the network, d. */
  get inputSize(): number {
    return this.architecture.inputSize;
  }

  /** Outputs of the network, c. */
  get outputSize(): number {
    return this.architecture.outputSize;
  }

  /** Targets of a sample, which are the columns of the predictions: c, or c/2 with the link "gaussian". */
  get targetSize(): number {
    return this.outputSize / outputsPerTarget(this.link);
  }

  /** Number of parameters, p. */
  get parameterCount(): number {
    return this.architecture.parameterCount;
  }

  /**
   * Predictions in raw units: n x `targetSize`, row-major. Probabilities where the network was trained with `logistic` or
   * `softmaxCrossEntropy`; means where it was trained with `gaussianNll`, whose deviations `predictDistribution` gives;
   * means of counts with `poisson`, quantiles with `quantile`.
   * @param inputs n rows of d numbers in raw units, or the same flat
   * @throws GAUSSFLOW_ARGUMENT with row and column where the inputs cannot be used
   */
  predict(inputs: MatrixLike): Float64Array {
    const mean = applyLink(this.link, this.#outputs(inputs), this.outputSize);
    return this.scaling === null ? mean : unscaleColumns(mean, this.scaling.targets);
  }

  /**
   * Mean and standard deviation of each target, in raw units, of a network that was trained with `gaussianNll`.
   * @param inputs n rows of d numbers in raw units, or the same flat
   * @throws GAUSSFLOW_ARGUMENT where the network was not, and with row and column where the inputs cannot be used
   */
  predictDistribution(inputs: MatrixLike): DistributionPrediction {
    return distributionOf(this, this.#outputs(inputs));
  }

  /** psi from raw inputs. */
  #outputs(inputs: MatrixLike): Float64Array {
    const raw = toMatrix(inputs, this.inputSize, "inputs");
    return this.#predictUnits(this.scaling === null ? raw : scaleColumns(raw, this.scaling.inputs));
  }

  /**
   * The most probable class of each row, the first among equally probable ones: n names of `classes`. `predict` gives the probabilities.
   * @param inputs n rows of d numbers in raw units, or the same flat
   * @throws GAUSSFLOW_ARGUMENT for a network without classes, where the inputs cannot be used, and for a row whose probabilities are not finite
   */
  predictClass(inputs: MatrixLike): string[] {
    return mostProbableClasses(this.predict(inputs), this.classes);
  }

  /** psi in the units the network is trained in, from inputs in those units (n x d): n x c. */
  predictScaled(inputs: Float64Array): Float64Array {
    if (!(inputs instanceof Float64Array) || inputs.length % this.inputSize !== 0)
      throw argumentError("inputs", `must be a Float64Array of whole rows of ${this.inputSize} numbers`, inputs);
    return this.#predictUnits(inputs);
  }

  #predictUnits(inputs: Float64Array): Float64Array {
    const psi = predictions(this.architecture, this.parameters, inputs);
    if (this.center !== null) {
      const start = predictions(this.architecture, this.center, inputs);
      for (let k = 0; k < psi.length; k++) psi[k] -= start[k];
    }
    return psi;
  }

  /**
   * Derivative of the raw predictions by the raw inputs at one point: `targetSize` x d, row-major.
   * @param x d numbers in raw units
   */
  inputJacobian(x: NumberArray): Float64Array {
    const raw = toMatrix(x, this.inputSize, "x");
    if (raw.length !== this.inputSize || !(isTypedNumbers(x) || typeof x[0] === "number"))
      throw argumentError("x", `must be ${this.inputSize} numbers`, x);
    const point = this.scaling === null ? raw : scaleColumns(raw, this.scaling.inputs);
    let jacobian = inputJacobian(this.architecture, this.parameters, point);
    if (this.center !== null) {
      const start = inputJacobian(this.architecture, this.center, point);
      for (let k = 0; k < jacobian.length; k++) jacobian[k] -= start[k];
    }
    const d = this.inputSize;
    if (this.link !== "identity") jacobian = linkJacobian(this.link, this.#predictUnits(point), jacobian, d);
    if (this.scaling !== null) {
      const { inputs, targets } = this.scaling;
      for (let k = 0; k < jacobian.length; k++) jacobian[k] *= targets.scale[Math.floor(k / d)] / inputs.scale[k % d];
    }
    return jacobian;
  }

  /** The weights and biases of each layer as parts of the flat vector. */
  parameterMap(): ParameterBlock[] {
    return parameterMap(this.architecture);
  }

  /** The same network at other parameters (copied). */
  withParameters(parameters: Float64Array): Network {
    checkDoubles("parameters", parameters, this.parameterCount);
    return new Network({ ...this.state(), parameters: parameters.slice(), posterior: null });
  }

  /** The same parameters with another alpha in psi = alpha f(w), for example what `recommendOutputScale` suggests. */
  withOutputScale(outputScale: number): Network {
    const options = checkHeldOptions({ ...this.options, outputScale }, "");
    return new Network({ ...this.state(), options, posterior: null });
  }

  /** The same network with another scaling of inputs and targets; null for none. @throws GAUSSFLOW_ARGUMENT */
  withScaling(scaling: Scaling | null): Network {
    checkScaling("scaling", scaling, this.architecture, this.link);
    if (!hasUnits(this.link) && scalesTargets(scaling))
      throw argumentError(
        "scaling",
        `must leave the targets as they are for the link "${this.link}", whose predictions have the units of the targets: offset 0 and scale 1`,
        scaling,
      );
    return new Network({ ...this.state(), scaling, posterior: null });
  }

  /** The same network with the encoding of a table; null for none. @throws GAUSSFLOW_ARGUMENT */
  withEncoding(encoding: TableEncoding | null): Network {
    if (encoding !== null) {
      const { columns } = encodingFromJson(
        encoding,
        (rule) => new GaussflowError("GAUSSFLOW_ARGUMENT", rule, { argument: "encoding", rule }),
      );
      const made = encodedSize({ ...encoding, columns });
      if (made !== this.inputSize)
        throw argumentError("encoding", `must make ${this.inputSize} inputs, as the network has`, `${made} of them`);
    }
    return new Network({ ...this.state(), encoding });
  }

  /**
   * The same network with another link from outputs to predictions.
   * @throws GAUSSFLOW_ARGUMENT also for "logistic", "softmax" and "exp" where the targets are scaled: such predictions have their units;
   * and where the number of targets changes by it, for a network with a scaling
   */
  withLink(link: Link): Network {
    checkLink("link", link, this.architecture);
    const targets = this.outputSize / outputsPerTarget(link);
    if (this.scaling !== null && targets !== this.targetSize)
      throw argumentError(
        "link",
        `must leave the number of targets at ${this.targetSize}, for which the network has a scaling: use network.withScaling(null) first`,
        link,
      );
    checkUnits("link", link, this.scaling);
    return new Network({
      ...this.state(),
      link,
      classes: link === "softmax" ? this.classes : null,
      posterior: link === this.link ? this.posterior : null,
    });
  }

  /**
   * The same network with names of the classes whose probabilities it predicts, one an output; null for none.
   * @throws GAUSSFLOW_ARGUMENT also for a network whose link is not "softmax"
   */
  withClasses(classes: readonly string[] | null): Network {
    return new Network({
      ...this.state(),
      classes: checkNetworkClasses("classes", classes, this.link, this.outputSize),
    });
  }

  /** The same network with another summary; null for none. @throws GAUSSFLOW_ARGUMENT */
  withSummary(summary: TrainingSummary | null): Network {
    if (summary !== null) {
      if (!isObject(summary)) throw argumentError("summary", "must be an object of plain JSON, or null", summary);
      checkJson("summary", summary);
    }
    return new Network({ ...this.state(), summary });
  }

  /** The same network without, or with, what intervals need. Other parameters, units or links lose it. @throws GAUSSFLOW_ARGUMENT */
  withPosterior(posterior: Posterior | null): Network {
    return new Network({ ...this.state(), posterior });
  }

  /** All parts, as the constructor takes them. */
  state(): NetworkState {
    const { options, parameters, center, scaling, encoding, summary, link, classes, posterior } = this;
    return { options, parameters, center, scaling, encoding, summary, link, classes, posterior };
  }
}

/**
 * Refuses a value that is no Network, with a remedy for the usual mistakes.
 * @throws GAUSSFLOW_ARGUMENT
 */
export function checkNetwork(name: string, value: unknown): asserts value is Network {
  if (value instanceof Network) return;
  throw argumentError(name, `must be made by network(), networkOf() or loadModel()${cureOf(value)}`, value);
}

function cureOf(value: unknown): string {
  if (!isObject(value)) return "";
  if ("architecture" in value && "parameters" in value)
    return "; this is a copy of one that lost its class, as structuredClone and postMessage leave them: send modelToJson(network) and make it again by modelFromJson";
  if (Array.isArray(value.networks)) return "; this is an ensemble: take one of its networks";
  return value.network instanceof Network ? "; take the network out of this object: its member `network`" : "";
}

// A network: what it is (architecture, options), its parameters, and what prediction in raw units needs besides (scaling,
// encoding). Immutable: training makes new ones by `with...`.
//   prediction = target offset + target scale * psi(z),   z = (x - input offset) / input scale
//   psi = alpha f(w), or centred alpha (f(w) - f(w_0))

import type { TableEncoding } from "../data/encoding.js";
import { type MatrixLike, toMatrix } from "../data/matrix.js";
import { type Scaling, scaleColumns, unscaleColumns } from "../data/scaling.js";
import { argumentError } from "../errors.js";
import type { Architecture } from "./architecture.js";
import { inputJacobian, predictions } from "./forward.js";
import { initialise } from "./initialise.js";
import { type CompletedNetworkOptions, completeNetworkOptions, type NetworkOptions } from "./network-options.js";
import { layOut, type ParameterBlock, parameterMap } from "./parameters.js";

/** Plain JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What a training run leaves with its network: plain JSON, stored in the model file. */
export type TrainingSummary = { readonly [key: string]: Json };

/** Everything a network is made of; the model file stores exactly this. */
export interface NetworkState {
  readonly options: CompletedNetworkOptions;
  readonly parameters: Float64Array;
  /** w_0 of a centred network, else null. */
  readonly centre: Float64Array | null;
  readonly scaling: Scaling | null;
  readonly encoding: TableEncoding | null;
  readonly summary: TrainingSummary | null;
}

/** The architecture that completed options describe. */
export function architectureOf(options: CompletedNetworkOptions): Architecture {
  const [inputSize, ...widths] = options.layers;
  const plans = widths.map((outputSize, l) => ({
    outputSize,
    activation: l < widths.length - 1 ? options.activation[l] : options.outputActivation,
    bias: options.bias[l],
  }));
  return layOut(inputSize, plans, options.initialisation === "ntk", options.outputScale);
}

/**
 * A network with freshly drawn parameters; the same options give the same numbers on every platform.
 * @throws GAUSSFLOW_ARGUMENT
 * @example network({ layers: [6, 16, 16, 1], activation: "tanh", seed: 7 })
 */
export function network(options: NetworkOptions): Network {
  const completed = completeNetworkOptions(options);
  const architecture = architectureOf(completed);
  const parameters = initialise(architecture, completed.initialisation, completed.seed);
  const centre = completed.centred ? parameters.slice() : null;
  return new Network({ options: completed, parameters, centre, scaling: null, encoding: null, summary: null });
}

/** Made by `network`, `loadModel` and training. The arrays it shows are its own: treat them as read-only. */
export class Network {
  readonly options: CompletedNetworkOptions;
  readonly architecture: Architecture;
  /** p entries, flat; see `parameterMap`. */
  readonly parameters: Float64Array;
  /** w_0 where psi = alpha (f(w) - f(w_0)), else null. */
  readonly centre: Float64Array | null;
  /** Between raw units and those the network is trained in; null = the same. */
  readonly scaling: Scaling | null;
  /** How table columns became inputs; null for data given in code. */
  readonly encoding: TableEncoding | null;
  readonly summary: TrainingSummary | null;

  /** Takes the arrays over without a copy; `network`, `with...` and the model file have checked them. */
  constructor(state: NetworkState) {
    this.options = state.options;
    this.architecture = architectureOf(state.options);
    this.parameters = state.parameters;
    this.centre = state.centre;
    this.scaling = state.scaling;
    this.encoding = state.encoding;
    this.summary = state.summary;
    Object.freeze(this);
  }

  get inputSize(): number {
    return this.architecture.inputSize;
  }

  get outputSize(): number {
    return this.architecture.outputSize;
  }

  get parameterCount(): number {
    return this.architecture.parameterCount;
  }

  /**
   * Predictions in raw units: n x c, row-major.
   * @param inputs n rows of d numbers in raw units, or the same flat
   * @throws GAUSSFLOW_ARGUMENT with row and column where the inputs cannot be used
   */
  predict(inputs: MatrixLike): Float64Array {
    const raw = toMatrix(inputs, this.inputSize, "inputs");
    const psi = this.predictScaled(this.scaling === null ? raw : scaleColumns(raw, this.scaling.inputs));
    return this.scaling === null ? psi : unscaleColumns(psi, this.scaling.targets);
  }

  /** psi in the units the network is trained in, from inputs in those units (n x d, unchecked): n x c. */
  predictScaled(inputs: Float64Array): Float64Array {
    const psi = predictions(this.architecture, this.parameters, inputs);
    if (this.centre !== null) {
      const start = predictions(this.architecture, this.centre, inputs);
      for (let k = 0; k < psi.length; k++) psi[k] -= start[k];
    }
    return psi;
  }

  /**
   * Derivative of the raw predictions by the raw inputs at one point: c x d, row-major.
   * @param x d numbers in raw units
   */
  inputJacobian(x: ArrayLike<number>): Float64Array {
    const raw = toMatrix(x instanceof Float64Array ? x : [x], this.inputSize, "x");
    if (raw.length !== this.inputSize) throw argumentError("x", `must have ${this.inputSize} numbers`, x);
    const point = this.scaling === null ? raw : scaleColumns(raw, this.scaling.inputs);
    const jacobian = inputJacobian(this.architecture, this.parameters, point);
    if (this.centre !== null) {
      const start = inputJacobian(this.architecture, this.centre, point);
      for (let k = 0; k < jacobian.length; k++) jacobian[k] -= start[k];
    }
    if (this.scaling !== null) {
      const d = this.inputSize;
      const { inputs, targets } = this.scaling;
      for (let k = 0; k < jacobian.length; k++) jacobian[k] *= targets.scale[Math.floor(k / d)] / inputs.scale[k % d];
    }
    return jacobian;
  }

  /** Which run of the flat vector is which matrix. */
  parameterMap(): ParameterBlock[] {
    return parameterMap(this.architecture);
  }

  /** The same network at other parameters (copied). */
  withParameters(parameters: Float64Array): Network {
    if (!(parameters instanceof Float64Array) || parameters.length !== this.parameterCount)
      throw argumentError("parameters", `must be a Float64Array of ${this.parameterCount} numbers`, parameters);
    return new Network({ ...this.state(), parameters: parameters.slice() });
  }

  /** The same parameters with another alpha in psi = alpha f(w), for example what `recommendOutputScale` suggests. */
  withOutputScale(outputScale: number): Network {
    const options = completeNetworkOptions({ ...this.options, outputScale });
    return new Network({ ...this.state(), options });
  }

  withScaling(scaling: Scaling | null): Network {
    if (scaling !== null) {
      const { inputs, targets } = scaling;
      if (inputs.offset.length !== this.inputSize || inputs.scale.length !== this.inputSize)
        throw argumentError("scaling.inputs", `must have ${this.inputSize} columns`, inputs.offset);
      if (targets.offset.length !== this.outputSize || targets.scale.length !== this.outputSize)
        throw argumentError("scaling.targets", `must have ${this.outputSize} columns`, targets.offset);
    }
    return new Network({ ...this.state(), scaling });
  }

  withEncoding(encoding: TableEncoding | null): Network {
    return new Network({ ...this.state(), encoding });
  }

  withSummary(summary: TrainingSummary | null): Network {
    return new Network({ ...this.state(), summary });
  }

  /** All parts, as the constructor takes them. */
  state(): NetworkState {
    const { options, parameters, centre, scaling, encoding, summary } = this;
    return { options, parameters, centre, scaling, encoding, summary };
  }
}

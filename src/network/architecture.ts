// Defines the types of a network's architecture: its layers and the layout of its one flat parameter vector. network.ts makes it; engines,
// plans and passes take it.
//
//   z_l = factor_l * W_l h_(l-1) + b_l,   h_l = activation_l(z_l),   f(w) = h_L,   psi = outputScale * f(w)
//
// Parameters are stored layer after layer: W_1 row-major (out x in), b_1, W_2, b_2, ... `factor` is 1, except in the NTK parametrization,
// where it is 1/sqrt(fan-in).

/** Names of the activations a layer can have. `relu` is not smooth: the theory of the flows does not apply to it. */
export type ActivationName = "tanh" | "logistic" | "softplus" | "silu" | "gelu" | "erf" | "sin" | "identity" | "relu";

/** One dense layer; offsets are positions in the flat parameter vector. */
export interface Layer {
  /** Inputs of the layer. */
  readonly inputSize: number;
  /** Units of the layer. */
  readonly outputSize: number;
  /** Activation of its units. */
  readonly activation: ActivationName;
  /** Whether its units have biases. */
  readonly bias: boolean;
  /** Multiplies the weights (not the bias) in the forward pass: 1, or 1/sqrt(inputSize) for `ntk`. */
  readonly factor: number;
  /** Flat index of the first weight: outputs x inputs, row-major. */
  readonly weightOffset: number;
  /** Position of the biases, or -1 if the layer has none. */
  readonly biasOffset: number;
}

/** Everything that an engine needs of a network except the parameter values. */
export interface Architecture {
  /** The layers, in order. */
  readonly layers: readonly Layer[];
  /** Inputs of the network, d. */
  readonly inputSize: number;
  /** Outputs of the network, c. */
  readonly outputSize: number;
  /** Number of parameters, p. */
  readonly parameterCount: number;
  /** alpha in psi = alpha f(w). */
  readonly outputScale: number;
}

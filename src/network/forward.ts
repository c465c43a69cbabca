// Computes forward and backward passes of a block of samples over flat arrays, in plain TypeScript. The reference engine builds all its
// kernels on them; Network.predict and Network.inputJacobian call them directly.
//   forward    z_l = factor_l W_l h_(l-1) + b_l,   h_l = s_l(z_l)
//   backward   delta_L = alpha seed * s_L'(z_L),   delta_(l-1) = (factor_l W_l^T delta_l) * s_(l-1)'(z_(l-1))
//   tangent    h_l' = s_l'(z_l) * (factor_l (V_l h_(l-1) + W_l h_(l-1)') + v_l)      (derivative along parameters V, v)
// A sample can have several backward rows (one per output for the Jacobian) or a single one (for the gradient).
import { finish, type Steps } from "../event-loop-yield.js";
import { activate } from "./activations.js";
import type { Architecture } from "./architecture.js";
import { multiplyTransposed } from "./dense.js";

/** Weights of one network in the form of the passes: multiplied by `factor`, with a transposed copy for the backward pass. */
export interface PassWeights {
  /** One array a layer, out x in, row-major. */
  readonly weights: readonly Float64Array[];
  /** One array a layer, in x out, row-major. */
  readonly transposed: readonly Float64Array[];
  /** One array a layer, or null without biases. */
  readonly biases: readonly (Float64Array | null)[];
}

/** Copies of the weights in `parameters`, ready for the passes. */
export function passWeights(architecture: Architecture, parameters: Float64Array): PassWeights {
  const weights: Float64Array[] = [];
  const transposed: Float64Array[] = [];
  const biases: (Float64Array | null)[] = [];
  for (const { inputSize, outputSize, factor, weightOffset, biasOffset } of architecture.layers) {
    const size = inputSize * outputSize;
    const matrix = parameters.slice(weightOffset, weightOffset + size);
    if (factor !== 1) for (let i = 0; i < size; i++) matrix[i] *= factor;
    const turned = new Float64Array(size);
    for (let o = 0; o < outputSize; o++)
      for (let k = 0; k < inputSize; k++) turned[k * outputSize + o] = matrix[o * inputSize + k];
    weights.push(matrix);
    transposed.push(turned);
    biases.push(biasOffset < 0 ? null : parameters.slice(biasOffset, biasOffset + outputSize));
  }
  return { weights, transposed, biases };
}

/** Scratch for blocks of at most `capacity` samples and `rows` backward rows a sample; reused from block to block. */
export interface Workspace {
  readonly architecture: Architecture;
  readonly capacity: number;
  readonly rows: number;
  /** layerInputs[l]: the inputs of layer l, samples x inputSize; one more at the end: the network's outputs f. */
  readonly layerInputs: readonly Float64Array[];
  /** slopes[l]: s_l'(z_l), samples x outputSize. */
  readonly slopes: readonly Float64Array[];
  /** deltas[l]: derivative of a backward row's combination of predictions by z_l; (samples * rows) x outputSize. */
  readonly deltas: readonly Float64Array[];
}

/** Lengths of the arrays of a workspace. */
function workspaceLengths({ layers, outputSize }: Architecture, capacity: number, rows: number) {
  return {
    layerInputs: [...layers.map((layer) => capacity * layer.inputSize), capacity * outputSize],
    slopes: layers.map((layer) => (rows > 0 ? capacity * layer.outputSize : 0)),
    deltas: layers.map((layer) => capacity * rows * layer.outputSize),
  };
}

/** `rows` 0: forward passes only. */
export function workspace(architecture: Architecture, capacity: number, rows: number): Workspace {
  const { layerInputs, slopes, deltas } = workspaceLengths(architecture, capacity, rows);
  const array = (size: number) => new Float64Array(size);
  return {
    architecture,
    capacity,
    rows,
    layerInputs: layerInputs.map(array),
    slopes: slopes.map(array),
    deltas: deltas.map(array),
  };
}

/** Doubles of a workspace of these sizes, which is not made. */
export function workspaceDoubles(architecture: Architecture, capacity: number, rows: number): number {
  const { layerInputs, slopes, deltas } = workspaceLengths(architecture, capacity, rows);
  return [...layerInputs, ...slopes, ...deltas].reduce((sum, size) => sum + size, 0);
}

/** Bytes a workspace holds. */
export function workspaceBytes(space: Workspace): number {
  const arrays = [...space.layerInputs, ...space.slopes, ...space.deltas];
  return arrays.reduce((sum, array) => sum + array.byteLength, 0);
}

/**
 * Runs samples [first, first + count) of `inputs` (n x d, row-major) forward; outputs f are in the last of
 * `layerInputs`, slopes are filled where the workspace has backward rows.
 */
export function forwardBlock(
  space: Workspace,
  network: PassWeights,
  inputs: Float64Array,
  first: number,
  count: number,
): void {
  const { layers, inputSize } = space.architecture;
  space.layerInputs[0].set(inputs.subarray(first * inputSize, (first + count) * inputSize));
  for (let l = 0; l < layers.length; l++) {
    const { inputSize: fanIn, outputSize: width, activation } = layers[l];
    const z = space.layerInputs[l + 1];
    multiplyTransposed(space.layerInputs[l], 0, count, network.weights[l], 0, width, fanIn, z, 0, width);
    const bias = network.biases[l];
    if (bias !== null) for (let i = 0, at = 0; i < count; i++) for (let o = 0; o < width; o++, at++) z[at] += bias[o];
    activate(activation, z, z, space.rows > 0 ? space.slopes[l] : null, count * width);
  }
}

/** Network outputs f of the last forward block: a view, samples x outputSize. */
export function outputsOf(space: Workspace): Float64Array {
  return space.layerInputs[space.layerInputs.length - 1];
}

/** Sets the unit seeds, one row an output (needs rows = outputSize): the deltas become those of psi itself. */
export function seedOutputs(space: Workspace, count: number): void {
  const { outputSize: c, outputScale } = space.architecture;
  const last = space.deltas.length - 1;
  const delta = space.deltas[last];
  const slope = space.slopes[last];
  delta.fill(0, 0, count * c * c);
  for (let i = 0; i < count; i++)
    for (let a = 0; a < c; a++) delta[(i * c + a) * c + a] = outputScale * slope[i * c + a];
}

/** One row a sample: the deltas become those of sum_a seed[i, a] psi_a; `seed` is read from sample `first` on. */
export function seedCombination(space: Workspace, seed: Float64Array, first: number, count: number): void {
  const { outputSize: c, outputScale } = space.architecture;
  const last = space.deltas.length - 1;
  const delta = space.deltas[last];
  const slope = space.slopes[last];
  for (let k = 0; k < count * c; k++) delta[k] = outputScale * slope[k] * seed[first * c + k];
}

/** Computes the deltas of all lower layers from those of the last layer, which are already set. */
export function backwardBlock(space: Workspace, network: PassWeights, count: number, rows: number): void {
  const { layers } = space.architecture;
  for (let l = layers.length - 1; l > 0; l--) {
    const { inputSize: width, outputSize: above } = layers[l];
    const delta = space.deltas[l - 1];
    const slope = space.slopes[l - 1];
    multiplyTransposed(space.deltas[l], 0, count * rows, network.transposed[l], 0, width, above, delta, 0, width);
    for (let i = 0, at = 0; i < count; i++)
      for (let a = 0; a < rows; a++) for (let k = 0; k < width; k++, at++) delta[at] *= slope[i * width + k];
  }
}

/** Adds the block's share of J^T u (one backward row a sample) to `gradient`, p entries. */
export function addGradient(space: Workspace, count: number, gradient: Float64Array): void {
  const { layers } = space.architecture;
  for (let l = 0; l < layers.length; l++) {
    const { inputSize: fanIn, outputSize: width, factor, weightOffset, biasOffset } = layers[l];
    const h = space.layerInputs[l];
    const delta = space.deltas[l];
    for (let i = 0; i < count; i++)
      for (let o = 0; o < width; o++) {
        const value = delta[i * width + o];
        if (value === 0) continue;
        const scaled = factor * value;
        const row = weightOffset + o * fanIn;
        for (let k = 0; k < fanIn; k++) gradient[row + k] += scaled * h[i * fanIn + k];
        if (biasOffset >= 0) gradient[biasOffset + o] += value;
      }
  }
}

/**
 * Derivative of psi along `direction` (the weights of a tangent, from `passWeights`) for the last forward block: count x c,
 * written to `out` from `start` on. The workspace must have slopes.
 */
export function tangentBlock(
  space: Workspace,
  network: PassWeights,
  direction: PassWeights,
  count: number,
  out: Float64Array,
  start: number,
): void {
  const { layers, outputScale } = space.architecture;
  let tangent = new Float64Array(count * layers[0].inputSize);
  for (let l = 0; l < layers.length; l++) {
    const { inputSize: fanIn, outputSize: width } = layers[l];
    const own = new Float64Array(count * width);
    const carried = new Float64Array(count * width);
    multiplyTransposed(space.layerInputs[l], 0, count, direction.weights[l], 0, width, fanIn, own, 0, width);
    if (l > 0) multiplyTransposed(tangent, 0, count, network.weights[l], 0, width, fanIn, carried, 0, width);
    const bias = direction.biases[l];
    const slope = space.slopes[l];
    for (let i = 0, at = 0; i < count; i++)
      for (let o = 0; o < width; o++, at++)
        carried[at] = slope[at] * (own[at] + carried[at] + (bias === null ? 0 : bias[o]));
    tangent = carried;
  }
  for (let k = 0; k < tangent.length; k++) out[start + k] = outputScale * tangent[k];
}

/** Number of samples of one pass: enough to fill the tiles, few enough to stay in cache. Depends on sizes alone. */
export const PASS_BLOCK = 128;

/** psi = alpha f(w) on n samples, n x c, sample-major. Non-finite values pass through. */
export function predictions(architecture: Architecture, parameters: Float64Array, inputs: Float64Array): Float64Array {
  return finish(predictionSteps(architecture, parameters, inputs));
}

/** The same in pieces: a block of samples each. */
export function* predictionSteps(
  architecture: Architecture,
  parameters: Float64Array,
  inputs: Float64Array,
): Steps<Float64Array> {
  const { inputSize, outputSize, outputScale } = architecture;
  const n = inputs.length / inputSize;
  const space = workspace(architecture, Math.min(n, PASS_BLOCK), 0);
  const network = passWeights(architecture, parameters);
  const psi = new Float64Array(n * outputSize);
  for (let first = 0; first < n; first += PASS_BLOCK) {
    const count = Math.min(PASS_BLOCK, n - first);
    forwardBlock(space, network, inputs, first, count);
    const f = outputsOf(space);
    for (let k = 0; k < count * outputSize; k++) psi[first * outputSize + k] = outputScale * f[k];
    yield;
  }
  return psi;
}

/** d psi / d x at one input: c x d, row-major. */
export function inputJacobian(architecture: Architecture, parameters: Float64Array, x: Float64Array): Float64Array {
  const { inputSize: d, outputSize: c, layers } = architecture;
  const space = workspace(architecture, 1, c);
  const network = passWeights(architecture, parameters);
  forwardBlock(space, network, x, 0, 1);
  seedOutputs(space, 1);
  backwardBlock(space, network, 1, c);
  const jacobian = new Float64Array(c * d);
  multiplyTransposed(space.deltas[0], 0, c, network.transposed[0], 0, d, layers[0].outputSize, jacobian, 0, d);
  return jacobian;
}

// Computes products of the Hessian of a sum loss by the parameters with a direction, for one block of samples (the R-operator of Pearlmutter
// 1994). The reference engine calls it (backend/reference/passes.ts) for the steps of Levenberg-Marquardt on the exact Hessian. The same passes
// along a direction of the INPUTS differentiate a gradient by the inputs once more, by the parameters: input-gradient.ts calls them.
//
// r and l'' are the first and second derivative of the loss by psi, times the sample weight. V, v are the direction's weights and biases, and
// a dot marks the derivative along the direction:
//
//   forward    zdot_l = factor_l (V_l h_(l-1) + W_l hdot_(l-1)) + v_l          hdot_l = s'(z_l) zdot_l          psidot = alpha hdot_L
//   backward   g_L = alpha r              delta_l = g_l s'(z_l)                g_(l-1) = factor_l W_l^T delta_l
//              gdot_L = alpha l'' psidot  deltadot_l = gdot_l s'(z_l) + g_l s''(z_l) zdot_l
//              gdot_(l-1) = factor_l (V_l^T delta_l + W_l^T deltadot_l)
//   product    weights of layer l: factor_l (deltadot_l h_(l-1)^T + delta_l hdot_(l-1)^T)        biases: deltadot_l
//
// relu has s'' = 0: the product is that of the linear piece on which the sample lies.
import { activationCurvature } from "./activations.js";
import { multiplyTransposed } from "./dense.js";
import type { PassWeights, Workspace } from "./forward.js";

/** The part of the products that does not depend on the direction. One array a layer, samples x outputSize. */
export interface LossDerivatives {
  /** g_l, the derivative of the loss by the values of the layer. */
  readonly values: readonly Float64Array[];
  /** delta_l, its derivative by the pre-activations. */
  readonly deltas: readonly Float64Array[];
  /** s''(z_l). */
  readonly curvatures: readonly Float64Array[];
}

/** rows x `inner` times the transpose of `columns` x `inner`: a fresh array. */
function timesTransposed(a: Float64Array, b: Float64Array, rows: number, columns: number, inner: number): Float64Array {
  const out = new Float64Array(rows * columns);
  multiplyTransposed(a, 0, rows, b, 0, columns, inner, out, 0, columns);
  return out;
}

/**
 * The derivatives of the last forward block. The workspace must have slopes.
 * @param gradient s r, count x c
 */
export function lossDerivatives(
  space: Workspace,
  network: PassWeights,
  gradient: Float64Array,
  count: number,
): LossDerivatives {
  const { layers, outputSize, outputScale } = space.architecture;
  const [values, deltas, curvatures]: Float64Array[][] = [[], [], []];
  let g: Float64Array = gradient.slice(0, count * outputSize);
  for (let k = 0; k < g.length; k++) g[k] *= outputScale;
  for (let l = layers.length - 1; l >= 0; l--) {
    const { inputSize: fanIn, outputSize: width, activation } = layers[l];
    const slope = space.slopes[l];
    const h = space.layerInputs[l + 1];
    const bias = network.biases[l];
    const curvature = timesTransposed(space.layerInputs[l], network.weights[l], count, width, fanIn);
    const delta = new Float64Array(count * width);
    for (let i = 0, at = 0; i < count; i++)
      for (let o = 0; o < width; o++, at++) {
        const z = curvature[at] + (bias === null ? 0 : bias[o]);
        curvature[at] = activationCurvature(activation, z, h[at], slope[at]);
        delta[at] = g[at] * slope[at];
      }
    [values[l], deltas[l], curvatures[l]] = [g, delta, curvature];
    if (l > 0) g = timesTransposed(delta, network.transposed[l], count, fanIn, width);
  }
  return { values, deltas, curvatures };
}

/**
 * Adds the block's share of the product with `direction` (its weights, from `passWeights`) to `out`, p entries.
 * @param applyLoss multiplies the images psidot of the block, count x c, by s l'' in place
 */
export function addHessianProduct(
  space: Workspace,
  network: PassWeights,
  { values, deltas, curvatures }: LossDerivatives,
  direction: PassWeights,
  count: number,
  applyLoss: (images: Float64Array) => void,
  out: Float64Array,
): void {
  const { outputScale, inputSize } = space.architecture;
  const still = new Float64Array(count * inputSize);
  const tangent = tangents(space, network, direction, still, count);
  const { outputs } = tangent;
  for (let k = 0; k < outputs.length; k++) outputs[k] *= outputScale;
  applyLoss(outputs);
  for (let k = 0; k < outputs.length; k++) outputs[k] *= outputScale;
  addTangentProduct(space, network, { values, deltas, curvatures }, tangent, direction, outputs, count, out);
}

/**
 * Adds the block's share of d/dw of sum_i t_i . d l_i/d x_i to `out`, p entries: the derivative by the parameters of the derivatives along the
 * inputs, where l is linear in psi (its second derivative by psi is 0).
 * @param inputTangent t, count x d, held fixed
 */
export function addInputTangentProduct(
  space: Workspace,
  network: PassWeights,
  derivatives: LossDerivatives,
  inputTangent: Float64Array,
  count: number,
  out: Float64Array,
): void {
  const tangent = tangents(space, network, null, inputTangent, count);
  const linear = new Float64Array(count * space.architecture.outputSize);
  addTangentProduct(space, network, derivatives, tangent, null, linear, count, out);
}

/** The backward half of both products. `g`: gdot of the last layer. */
function addTangentProduct(
  space: Workspace,
  network: PassWeights,
  { values, deltas, curvatures }: LossDerivatives,
  { inputs, changes }: Tangents,
  direction: PassWeights | null,
  g: Float64Array,
  count: number,
  out: Float64Array,
): void {
  const { layers } = space.architecture;
  for (let l = layers.length - 1; l >= 0; l--) {
    const { inputSize: fanIn, outputSize: width, factor, weightOffset, biasOffset } = layers[l];
    const [slope, delta, h, hDot] = [space.slopes[l], deltas[l], space.layerInputs[l], inputs[l]];
    const deltaDot = new Float64Array(count * width);
    for (let k = 0; k < deltaDot.length; k++)
      deltaDot[k] = g[k] * slope[k] + values[l][k] * curvatures[l][k] * changes[l][k];
    for (let i = 0, at = 0; i < count; i++)
      for (let o = 0; o < width; o++, at++) {
        const row = weightOffset + o * fanIn;
        for (let k = 0; k < fanIn; k++)
          out[row + k] += factor * (deltaDot[at] * h[i * fanIn + k] + delta[at] * hDot[i * fanIn + k]);
        if (biasOffset >= 0) out[biasOffset + o] += deltaDot[at];
      }
    if (l === 0) return;
    g = timesTransposed(deltaDot, network.transposed[l], count, fanIn, width);
    if (direction === null) continue;
    const own = timesTransposed(delta, direction.transposed[l], count, fanIn, width);
    for (let k = 0; k < g.length; k++) g[k] += own[k];
  }
}

/** By layer hdot of its inputs and zdot, and hdot of the last layer. */
interface Tangents {
  readonly inputs: readonly Float64Array[];
  readonly changes: readonly Float64Array[];
  readonly outputs: Float64Array;
}

/** Along a direction of the parameters (null: none) and one of the inputs, count x d. */
function tangents(
  space: Workspace,
  network: PassWeights,
  direction: PassWeights | null,
  inputTangent: Float64Array,
  count: number,
): Tangents {
  const { layers } = space.architecture;
  const [inputs, changes]: Float64Array[][] = [[], []];
  let h = inputTangent;
  layers.forEach(({ inputSize: fanIn, outputSize: width }, l) => {
    const change =
      direction === null
        ? new Float64Array(count * width)
        : timesTransposed(space.layerInputs[l], direction.weights[l], count, width, fanIn);
    const carried = timesTransposed(h, network.weights[l], count, width, fanIn);
    const bias = direction === null ? null : direction.biases[l];
    inputs.push(h);
    changes.push(change);
    h = carried;
    for (let i = 0, at = 0; i < count; i++)
      for (let o = 0; o < width; o++, at++) {
        change[at] += carried[at] + (bias === null ? 0 : bias[o]);
        h[at] = space.slopes[l][at] * change[at];
      }
  });
  return { inputs, changes, outputs: h };
}

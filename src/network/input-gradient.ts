// Computes gradients of a network's outputs by its inputs, and the exact derivative by the parameters of a penalty on them. The games of
// src/game call it: a generator learns by dD/dx, and the penalties R1 and the gradient penalty bound |dD/dx|.
//
//   g_i = d (sum_a seed_ia psi_ia) / d x_i        P = sum_i phi(|g_i|)        dP/dw = sum_i phi'(|g_i|)/|g_i| g_i . d g_i/dw
//
// With t_i = phi'(|g_i|)/|g_i| g_i held fixed the last sum is the derivative by w of sum_i t_i . g_i, the change of the seeded outputs along the
// inputs: forward over reverse, as for Hessian products (hessian.ts). relu is differentiated as the linear piece on which the sample lies.
import type { Steps } from "../event-loop-yield.js";
import type { Architecture } from "./architecture.js";
import { multiplyTransposed } from "./dense.js";
import {
  backwardBlock,
  forwardBlock,
  outputsOf,
  PASS_BLOCK,
  type PassWeights,
  passWeights,
  seedCombination,
  type Workspace,
  workspace,
} from "./forward.js";
import { addInputTangentProduct, lossDerivatives } from "./hessian.js";

/**
 * Outputs psi (n x c) of n samples, and the gradients g (n x d) by their inputs, a block of samples each piece.
 * @param inputs n x d, row-major
 * @param seedsOf the seeds of a block of samples from its outputs, count x c
 */
export function* inputGradientSteps(
  architecture: Architecture,
  parameters: Float64Array,
  inputs: Float64Array,
  seedsOf: (outputs: Float64Array) => Float64Array,
): Steps<{ readonly outputs: Float64Array; readonly gradients: Float64Array }> {
  const { inputSize: d, outputSize: c, outputScale } = architecture;
  const n = inputs.length / d;
  const weights = passWeights(architecture, parameters);
  const space = workspace(architecture, Math.min(n, PASS_BLOCK), 1);
  const outputs = new Float64Array(n * c);
  const gradients = new Float64Array(n * d);
  for (let first = 0; first < n; first += PASS_BLOCK) {
    const count = Math.min(PASS_BLOCK, n - first);
    forwardBlock(space, weights, inputs, first, count);
    const f = outputsOf(space);
    for (let k = 0; k < count * c; k++) outputs[first * c + k] = outputScale * f[k];
    seedCombination(space, seedsOf(outputs.slice(first * c, (first + count) * c)), 0, count);
    backwardBlock(space, weights, count, 1);
    toInputs(space, weights, space.deltas[0], count, gradients, first * d);
    yield;
  }
  return { outputs, gradients };
}

/**
 * P of a network with one output, a block of samples each piece; adds dP/dw to `into`.
 * @param inputs n x d, row-major
 * @param term phi and phi'(s)/s of s = |g_i|; the second is finite at s = 0
 * @param into p entries; null: the value alone, to the same bits
 */
export function* gradientPenaltySteps(
  architecture: Architecture,
  parameters: Float64Array,
  inputs: Float64Array,
  term: PenaltyTerm,
  into: Float64Array | null,
): Steps<number> {
  const { inputSize: d } = architecture;
  const n = inputs.length / d;
  const weights = passWeights(architecture, parameters);
  const space = workspace(architecture, Math.min(n, PASS_BLOCK), 1);
  const ones = new Float64Array(Math.min(n, PASS_BLOCK)).fill(1);
  const tangents = new Float64Array(ones.length * d);
  let penalty = 0;
  for (let first = 0; first < n; first += PASS_BLOCK) {
    const count = Math.min(PASS_BLOCK, n - first);
    const tangent = tangents.subarray(0, count * d);
    forwardBlock(space, weights, inputs, first, count);
    const derivatives = into && lossDerivatives(space, weights, ones, count);
    if (derivatives === null) {
      seedCombination(space, ones, 0, count);
      backwardBlock(space, weights, count, 1);
    }
    toInputs(space, weights, (derivatives ?? space).deltas[0], count, tangent, 0);
    for (let i = 0; i < count; i++) penalty += scaleByTerm(tangent.subarray(i * d, (i + 1) * d), term);
    if (into && derivatives) addInputTangentProduct(space, weights, derivatives, tangent, count, into);
    yield;
  }
  return penalty;
}

/** phi and phi'(s)/s at a length s. */
export type PenaltyTerm = (length: number) => { readonly value: number; readonly factor: number };

/** The derivatives by the inputs from those by the pre-activations of the first layer: count x d from place `start` of `out` on. */
function toInputs(
  { architecture }: Workspace,
  { transposed }: PassWeights,
  delta: Float64Array,
  count: number,
  out: Float64Array,
  start: number,
): void {
  const { layers, inputSize: d } = architecture;
  multiplyTransposed(delta, 0, count, transposed[0], 0, d, layers[0].outputSize, out, start, d);
}

/** phi(|g|); g becomes phi'(|g|)/|g| g. */
function scaleByTerm(g: Float64Array, term: PenaltyTerm): number {
  let square = 0;
  for (let k = 0; k < g.length; k++) square += g[k] ** 2;
  const { value, factor } = term(Math.sqrt(square));
  for (let k = 0; k < g.length; k++) g[k] *= factor;
  return value;
}

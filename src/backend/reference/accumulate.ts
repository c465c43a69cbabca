// Adds up the sums of the reference engine besides the curvature, for blocks.ts and passes.ts in each block: gradient and diagonal of J~^T
// J~. The curvatures (curvature/) compute the scaling from the diagonal.
import type { Architecture } from "../../network/architecture.js";
import type { Workspace } from "../../network/forward.js";

/** gradient += J~^T z~ and diagonal += diag(J~^T J~) of the block, c backward rows a sample. */
export function addProducts(
  space: Workspace,
  count: number,
  z: Float64Array,
  gradient: Float64Array,
  diagonal: Float64Array,
): void {
  const { layers, outputSize: c } = space.architecture;
  for (let l = 0; l < layers.length; l++) {
    const { inputSize, outputSize: width, factor, weightOffset, biasOffset } = layers[l];
    const h = space.layerInputs[l];
    const delta = space.deltas[l];
    for (let i = 0; i < count; i++)
      for (let o = 0; o < width; o++) {
        let weighted = 0;
        let square = 0;
        for (let a = 0; a < c; a++) {
          const d = delta[(i * c + a) * width + o];
          weighted += d * z[i * c + a];
          square += d * d;
        }
        const at = weightOffset + o * inputSize;
        for (let k = 0; k < inputSize; k++) {
          const input = factor * h[i * inputSize + k];
          gradient[at + k] += weighted * input;
          diagonal[at + k] += square * input * input;
        }
        if (biasOffset >= 0) {
          gradient[biasOffset + o] += weighted;
          diagonal[biasOffset + o] += square;
        }
      }
  }
}

/** Mean of `diagonal` over the parameters of each layer: what the dual route's scaling is the running maximum of. */
export function layerMeans(architecture: Architecture, diagonal: Float64Array): Float64Array {
  return Float64Array.from(architecture.layers, (layer) => {
    const size = layer.outputSize * (layer.inputSize + (layer.bias ? 1 : 0));
    const part = diagonal.subarray(layer.weightOffset, layer.weightOffset + size);
    return part.reduce((sum, value) => sum + value, 0) / size;
  });
}

/** state = max(state, values); an entry that stays 0 becomes 1. */
export function raise(state: Float64Array, values: Float64Array): void {
  for (let j = 0; j < state.length; j++) state[j] = Math.max(state[j], values[j]) || 1;
}

/** Raises `state`, where there is one, to `values`; false, and nothing is raised, where one of those is not finite. */
export function raiseFinite(state: Float64Array | null, values: Float64Array): boolean {
  if (!values.every(Number.isFinite)) return false;
  if (state !== null) raise(state, values);
  return true;
}

/** Copies a block's layer inputs and deltas to their place in a workspace for all samples, as many rows a sample as that has. */
export function keepBlock(whole: Workspace, block: Workspace, first: number, count: number): void {
  const { layers } = block.architecture;
  const { rows } = whole;
  for (let l = 0; l < layers.length; l++) {
    const { inputSize, outputSize } = layers[l];
    whole.layerInputs[l].set(block.layerInputs[l].subarray(0, count * inputSize), first * inputSize);
    whole.deltas[l].set(block.deltas[l].subarray(0, count * rows * outputSize), first * rows * outputSize);
  }
}

// Makes the Kronecker factors A_l and B_l of each layer (documented in engine.ts), from which step/kronecker.ts builds a preconditioner of the
// matrix-free route once a linearization. The native engine calls splitFactors on the flat array of the addon; the reference engine calls
// layerFactors, which runs the TypeScript passes.

import type { Pace } from "../event-loop-yield.js";
import type { Architecture } from "../network/architecture.js";
import { backwardBlock, forwardBlock, passWeights } from "../network/forward.js";
import type { LayerFactors } from "./engine.js";
import type { Blocks } from "./reference/blocks.js";
import { eachBlock, SlotSum } from "./reference/slot-sums.js";

/** A_1, B_1, A_2, ..., square after square, as views by layer. */
export function splitFactors(architecture: Architecture, flat: Float64Array): LayerFactors[] {
  let at = 0;
  const take = (order: number) => {
    at += order * order;
    return flat.subarray(at - order * order, at);
  };
  return architecture.layers.map(({ inputSize, outputSize, bias, weightOffset, biasOffset }) => ({
    inputs: inputSize,
    outputs: outputSize,
    bias,
    weightOffset,
    biasOffset,
    right: take(inputSize + (bias ? 1 : 0)),
    left: take(outputSize),
  }));
}

/** The factors at `parameters` by the passes of the reference engine. */
export async function layerFactors(
  { architecture, samples, rootWeights: roots, space, seeds, slots }: Blocks,
  parameters: Float64Array,
  pace: Pace,
): Promise<LayerFactors[]> {
  const { layers, outputSize: c } = architecture;
  const n = samples.sampleCount;
  const widths = layers.map((layer) => layer.inputSize + (layer.bias ? 1 : 0));
  const size = layers.reduce((sum, { outputSize }, l) => sum + widths[l] ** 2 + outputSize ** 2, 0);
  const flat = new Float64Array(size);
  const factors = splitFactors(architecture, flat);
  const weights = passWeights(architecture, parameters);
  await eachBlock(n, slots, [new SlotSum(flat, slots)], pace, async (first, count) => {
    forwardBlock(space, weights, samples.inputs(first, count), 0, count);
    seeds.compute(space, { targets: samples.targets(first, count), roots, first, count });
    seeds.seedRows(space, count);
    backwardBlock(space, weights, count, c);
    layers.forEach((layer, l) => {
      const h = new Float64Array(widths[l]).fill(1);
      for (let i = 0; i < count; i++) {
        for (let k = 0; k < layer.inputSize; k++) h[k] = layer.factor * space.layerInputs[l][i * layer.inputSize + k];
        addOuter(factors[l].right, h, 0, widths[l], 1 / n);
      }
      for (let row = 0; row < count * c; row++)
        addOuter(factors[l].left, space.deltas[l], row * layer.outputSize, layer.outputSize, 1);
    });
    await pace.turn();
  });
  return factors;
}

/** matrix += weight x x^T for `n` entries of x from `at` on. */
function addOuter(matrix: Float64Array, x: Float64Array, at: number, n: number, weight: number): void {
  for (let i = 0; i < n; i++) {
    const scaled = weight * x[at + i];
    if (scaled !== 0) for (let j = 0; j < n; j++) matrix[i * n + j] += scaled * x[at + j];
  }
}

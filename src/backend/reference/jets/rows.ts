// Forms rows of J, and products with its transpose, from the deltas of a block (passes.ts): layer by layer a row is the sum over the channels of
// outer products delta^(q) h^(q)T. engine.ts and sums.ts call it.
import type { JetSpace } from "./space.js";

/**
 * Rows of J of the block by the network's parameters, transposed: the parameters down, `count * seeds` columns.
 * @param out p x (count * seeds) or more; entries behind the network's parameters are left as they are
 */
export function jetRowsTransposed(space: JetSpace, count: number, seeds: number, out: Float64Array): void {
  const { architecture, width: q, layerInputs, deltas } = space;
  const rows = count * seeds;
  architecture.layers.forEach(({ inputSize, outputSize: units, factor, weightOffset, biasOffset }, l) => {
    const h = layerInputs[l];
    const delta = deltas[l];
    for (let o = 0; o < units; o++) {
      for (let k = 0; k < inputSize; k++) {
        const at = (weightOffset + o * inputSize + k) * rows;
        for (let row = 0; row < rows; row++) {
          const point = Math.floor(row / seeds);
          let sum = 0;
          for (let c = 0; c < q; c++) sum += delta[(row * q + c) * units + o] * h[(point * q + c) * inputSize + k];
          out[at + row] = factor * sum;
        }
      }
      if (biasOffset >= 0)
        for (let row = 0; row < rows; row++) out[(biasOffset + o) * rows + row] = delta[row * q * units + o];
    }
  });
}

/** Adds the block's share of J^T u, deltas of one seed a point that u is in, to the first p entries of `gradient`. */
export function addJetGradient(space: JetSpace, count: number, gradient: Float64Array): void {
  const { architecture, width: q, layerInputs, deltas } = space;
  architecture.layers.forEach(({ inputSize, outputSize: units, factor, weightOffset, biasOffset }, l) => {
    const h = layerInputs[l];
    const delta = deltas[l];
    for (let row = 0; row < count * q; row++)
      for (let o = 0; o < units; o++) {
        const scaled = factor * delta[row * units + o];
        const at = weightOffset + o * inputSize;
        for (let k = 0; k < inputSize; k++) gradient[at + k] += scaled * h[row * inputSize + k];
      }
    if (biasOffset < 0) return;
    for (let i = 0; i < count; i++)
      for (let o = 0; o < units; o++) gradient[biasOffset + o] += delta[i * q * units + o];
  });
}

// Computes the length of a step in the scaling D of the dual route, one factor a layer, for `damped-step.ts`.
//
//   s = -D^-1 J~^T u,   (J~ D^-1 J~^T + mu I) u = r~
//
// The engine solves this system with the n c x n c kernel, formed from layer-wise products without J~: the route for p > n c.

/** s^T D s with one factor a layer. */
export function layerNormSquared(scaling: Float64Array, layerSizes: readonly number[], step: Float64Array): number {
  let sum = 0;
  let offset = 0;
  layerSizes.forEach((size, layer) => {
    let part = 0;
    for (let j = offset; j < offset + size; j++) part += step[j] ** 2;
    sum += scaling[layer] * part;
    offset += size;
  });
  return sum;
}

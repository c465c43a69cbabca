// Dual route, output space: s = -D^-1 J~^T u, (J~ D^-1 J~^T + mu I) u = r~, with D one factor a layer.
// The kernel comes from layer-wise products without J~; (n c)^2 numbers: the route for p > n c.

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

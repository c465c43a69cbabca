// Chooses points where residuals are large, for `crowd` of sample(...). equations.ts calls it at renewals.
// Source: C. Wu, M. Zhu, Q. Tan, Y. Kartha, L. Lu, "A comprehensive study of non-adaptive and residual-based adaptive sampling for
// physics-informed neural networks" (2023): probabilities proportional to |r| / mean |r| + 1.
import type { Random } from "../random.js";

/**
 * `count` different places of `sizes.length`, ascending, each drawn with a weight of sizes[i] / mean + 1. A size that is not finite counts as
 * the mean.
 */
export function crowdedPlaces(sizes: Float64Array, count: number, random: Random): Uint32Array {
  const finite = sizes.filter((size) => Number.isFinite(size));
  const mean = finite.reduce((sum, size) => sum + size, 0) / Math.max(1, finite.length);
  // Draws without replacement: the largest of u^(1/weight), by their logarithms.
  const keys = Float64Array.from(sizes, (size) => {
    const weight = (mean > 0 && Number.isFinite(size) ? size / mean : 1) + 1;
    return Math.log(1 - random.uniform()) / weight;
  });
  const order = Uint32Array.from(keys, (_, i) => i).sort((a, b) => keys[b] - keys[a] || a - b);
  return order.slice(0, count).sort();
}

// Computes the damped inverse of one layer's Kronecker product in factored form (Martens and Grosse, ICML 2015, section 6.3, there with D =
// I). step/kronecker.ts calls it for each layer when it builds its preconditioner.
//
//   B (x) A + mu X (x) Y  ~  (B + sqrt(mu) X / pi) (x) (A + pi sqrt(mu) Y),   pi^2 = (tr A Y^-1 / dim A) / (tr B X^-1 / dim B)
//
// with D ~ X (x) Y, both diagonal: the identity, or the form that the running maximum of diag G has for such a product.
import type { Pace } from "../event-loop-yield.js";
import type { LayerFactors } from "./engine.js";
import { factorDamped, solveFactored } from "./reference/cholesky.js";

/** Relative to the factors: keeps a singular factor solvable where nothing else is added. */
const least = 1e-10;

/**
 * The function that writes a layer's part of (B_l (x) A_l + mu D + decay I)^-1 r to `out`.
 * @param up D^(1/2) of all parameters, or null for D = I
 */
export async function layerInverse(
  layer: LayerFactors,
  up: Float64Array | null,
  damping: number,
  decay: number,
  pace: Pace,
): Promise<(r: Float64Array, out: Float64Array) => void> {
  const { left, right, outputs, inputs, bias, weightOffset, biasOffset } = layer;
  const width = inputs + (bias ? 1 : 0);
  const count = outputs * width;
  let x = new Float64Array(outputs).fill(1);
  let y = new Float64Array(width).fill(1);
  let mean = 1;
  if (up !== null) {
    // D of the layer is c B_oo A_kk with the c that keeps its sum.
    mean = 0;
    for (let j = weightOffset; j < weightOffset + count; j++) mean += up[j] ** 2 / count;
    const diagonalOf = (matrix: Float64Array, n: number) => {
      const entries = Float64Array.from({ length: n }, (_, i) => matrix[i * n + i]);
      const average = entries.reduce((sum, value) => sum + value, 0) / n;
      return average > 0 ? entries.map((value) => Math.max(value, least * average) / average) : entries.fill(1);
    };
    x = diagonalOf(left, outputs).map((value) => value * mean) as Float64Array<ArrayBuffer>;
    y = diagonalOf(right, width) as Float64Array<ArrayBuffer>;
  }
  const share = (matrix: Float64Array, metric: Float64Array, n: number) =>
    metric.reduce((sum, value, i) => sum + matrix[i * n + i] / value, 0) / n;
  const [size, other] = [share(right, y, width), share(left, x, outputs)];
  const pi = size > 0 && other > 0 ? Math.sqrt(size / other) : 1;
  const strength = Math.sqrt(damping + decay / mean + least * size * other);
  const factor = async (matrix: Float64Array, n: number, metric: Float64Array, weight: number) => {
    const result = new Float64Array(n * n);
    const shift = metric.map((value) => value * (weight > 0 ? weight : 1));
    // Positive definite by construction; a pivot lost in rounding would show as a step that is not finite.
    await factorDamped(matrix, result, n, shift, pace);
    return result;
  };
  const a = await factor(right, width, y, pi * strength);
  const b = await factor(left, outputs, x, strength / pi);
  return (r, out) => {
    const rows = Array.from({ length: outputs }, (_, o) => {
      const row = new Float64Array(width);
      row.set(r.subarray(weightOffset + o * inputs, weightOffset + (o + 1) * inputs));
      if (bias) row[inputs] = r[biasOffset + o];
      solveFactored(a, width, row);
      return row;
    });
    const column = new Float64Array(outputs);
    for (let k = 0; k < width; k++) {
      for (let o = 0; o < outputs; o++) column[o] = rows[o][k];
      solveFactored(b, outputs, column);
      for (let o = 0; o < outputs; o++) out[k === inputs ? biasOffset + o : weightOffset + o * inputs + k] = column[o];
    }
  };
}

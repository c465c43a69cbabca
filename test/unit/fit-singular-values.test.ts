// Singular values against their definition and against matrices with known values.
import { describe, expect, it } from "vitest";
import { singularValues } from "../../src/fit/singular-values.js";
import { Random } from "../../src/random.js";

const EPS = Number.EPSILON;

function randomColumns(m: number, n: number, seed: number): Float64Array {
  const random = new Random(seed);
  return Float64Array.from({ length: m * n }, () => random.normal());
}

/** Entry (i, j) of X^T Y, whose columns have m numbers. */
function product(x: Float64Array, i: number, y: Float64Array, j: number, m: number): number {
  let sum = 0;
  for (let k = 0; k < m; k++) sum += x[i * m + k]! * y[j * m + k]!;
  return sum;
}

describe("singular values", () => {
  it("of orthogonal columns are their norms", () => {
    const { values, vectors } = singularValues(Float64Array.of(0, 0.5, 0, 3, 0, 4), 3, 2);
    expect(Array.from(values)).toEqual([5, 0.5]);
    expect(Array.from(vectors)).toEqual([0, 1, 1, 0]);
  });

  it.each([
    [6, 6],
    [20, 4],
    [3, 7],
    [1, 1],
  ])("of %i x %i: A V has orthogonal columns of these norms, and V is orthogonal", (m, n) => {
    // biome-ignore format: sizes
    const a = randomColumns(m, n, 7);
    const { values, vectors } = singularValues(a.slice(), m, n);
    const images = new Float64Array(m * n);
    for (let k = 0; k < n; k++)
      for (let j = 0; j < n; j++) for (let i = 0; i < m; i++) images[k * m + i]! += a[j * m + i]! * vectors[k * n + j]!;
    for (let k = 0; k < n; k++)
      for (let l = 0; l < n; l++) {
        const unit = k === l ? 1 : 0;
        expect(Math.abs(product(vectors, k, vectors, l, n) - unit)).toBeLessThan(20 * n * EPS);
        expect(Math.abs(product(images, k, images, l, m) - unit * values[k]! ** 2)).toBeLessThan(
          20 * n * EPS * values[0]! ** 2,
        );
      }
    expect(Array.from(values)).toEqual(Array.from(values).sort((x, y) => y - x));
    for (let k = Math.min(m, n); k < n; k++) expect(values[k]).toBeLessThan(20 * n * EPS * values[0]!);
  });

  it("are accurate far below rounding of the largest where the columns have such sizes", () => {
    // Diagonal times a well-conditioned matrix [[1, 1], [0, 1]]: the product of the values is the determinant, 1e-20.
    const { values } = singularValues(Float64Array.of(1, 0, 1e-20, 1e-20), 2, 2);
    expect(Math.abs(values[0]! * values[1]! - 1e-20)).toBeLessThan(20 * EPS * 1e-20);
    expect(Math.abs(values[1]! / 1e-20 - 1)).toBeLessThan(20 * EPS);
  });
});

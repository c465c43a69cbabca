// The dense eigensolvers of the reference engine by themselves: closed forms, invariants, sizes and scales at which others break.
import { describe, expect, it } from "vitest";
import { symmetricEigen, tridiagonalEigen } from "../../src/algebra/symmetric-eigen.js";
import { singularValues } from "../../src/backend/reference/jacobi.js";
import { Pace } from "../../src/event-loop-yield.js";
import { Random } from "../../src/random.js";

const pace = new Pace(undefined, () => {});

/** tridiag(-1, 2, -1): values 2 - 2 cos(k pi / (n + 1)), vectors sin(i k pi / (n + 1)). */
function secondDifferences(n: number) {
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    a[i * n + i] = 2;
    if (i > 0) a[i * n + i - 1] = -1; // the lower triangle is all that is read
  }
  const angle = Math.PI / (n + 1);
  const values = Float64Array.from({ length: n }, (_, k) => 4 * Math.sin(((k + 1) * angle) / 2) ** 2);
  const vector = (k: number) =>
    Float64Array.from({ length: n }, (_, i) => Math.sqrt(2 / (n + 1)) * Math.sin((i + 1) * (k + 1) * angle));
  return { a, values, vector };
}

const largest = (values: ArrayLike<number>) =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

describe("the symmetric eigensolver", () => {
  it.each([1e-139, 1e-150, 1e-158, 1e-161, 5e-162, 1e-163, 1e-200, 1e-306, 1e-310, 1e-323])(
    "vectors are orthonormal where what is left of a row is %e of the matrix, its squares hardly numbers or none",
    async (tiny) => {
      const n = 6;
      const a = new Float64Array(n * n);
      a[0] = 1;
      for (let i = 1; i < n; i++) for (let j = 0; j <= i; j++) a[i * n + j] = tiny * (1 + ((3 * i + 5 * j) % 7));
      const { values, vectors } = await symmetricEigen(a, n, true, pace);
      expect(Math.abs(values[n - 1] - 1)).toBeLessThan(4 * n * Number.EPSILON);
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) {
          let dot = i === j ? -1 : 0;
          for (let k = 0; k < n; k++) dot += vectors![i * n + k] * vectors![j * n + k];
          expect(Math.abs(dot)).toBeLessThan(4 * n * Number.EPSILON);
        }
    },
  );

  it.each([1, 2, 3, 16, 17, 60])("order %i: second differences, at any scale", async (n) => {
    for (const scale of [1, 1e-300, 1e290]) {
      const { a, values, vector } = secondDifferences(n);
      const got = await symmetricEigen(
        a.map((value) => scale * value),
        n,
        true,
        pace,
      );
      // Error of a value c n eps |A|; of a vector that over the gap to its neighbor.
      const unit = 4 * n * Number.EPSILON;
      for (let k = 0; k < n; k++) {
        expect(Math.abs(got.values[k] / scale - values[k])).toBeLessThan(unit * 4);
        const gap = Math.min(
          ...[k - 1, k + 1].filter((j) => j >= 0 && j < n).map((j) => Math.abs(values[j] - values[k])),
        );
        const expected = vector(k);
        const own = got.vectors?.subarray(k * n, (k + 1) * n) ?? new Float64Array(n);
        const sign = own[0] * expected[0] > 0 ? 1 : -1;
        expect(largest(own.map((value, i) => value - sign * expected[i]))).toBeLessThan((unit * 8) / Math.min(gap, 1));
      }
      expect(
        (
          await symmetricEigen(
            a.map((value) => scale * value),
            n,
            false,
            pace,
          )
        ).vectors,
      ).toBeNull();
    }
  });

  it("keeps vectors orthonormal where values coincide", async () => {
    // I + u u^T with |u|^2 = n: the value 1 n - 1 times, and n + 1.
    const n = 40;
    const a = Float64Array.from({ length: n * n }, (_, k) => (k % (n + 1) === 0 ? 2 : 1));
    const { values, vectors } = await symmetricEigen(a, n, true, pace);
    const V = vectors as Float64Array;
    for (let k = 0; k < n; k++)
      expect(Math.abs(values[k] - (k < n - 1 ? 1 : n + 1))).toBeLessThan(4 * n * Number.EPSILON * n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j <= i; j++) {
        let sum = i === j ? -1 : 0;
        for (let k = 0; k < n; k++) sum += V[i * n + k] * V[j * n + k];
        expect(Math.abs(sum)).toBeLessThan(8 * n * Number.EPSILON);
      }
  });

  it("takes a matrix of zeros, and refuses what is not finite", async () => {
    expect(await symmetricEigen(new Float64Array(9), 3, true, pace)).toEqual({
      values: new Float64Array(3),
      vectors: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
    });
    await expect(symmetricEigen(Float64Array.of(1, 0, Number.NaN, 1), 2, false, pace)).rejects.toMatchObject({
      code: "GAUSSFLOW_INTERNAL",
    });
  });

  it("of a tridiagonal matrix gives the same values, and the last entries of the vectors without the others", async () => {
    const random = new Random(1, 1);
    for (const n of [1, 2, 7, 30]) {
      const diagonal = Float64Array.from({ length: n }, () => random.normal());
      const beside = Float64Array.from({ length: n }, () => random.normal()); // the last is not read
      const a = new Float64Array(n * n);
      for (let i = 0; i < n; i++) {
        a[i * n + i] = diagonal[i];
        if (i > 0) a[i * n + i - 1] = beside[i - 1];
      }
      const expected = await symmetricEigen(a, n, false, pace);
      const all = await tridiagonalEigen(diagonal, beside, "all", pace);
      const last = await tridiagonalEigen(diagonal, beside, "last", pace);
      expect(largest(all.values.map((value, k) => value - expected.values[k]))).toBeLessThan(20 * n * Number.EPSILON);
      expect(last.values).toEqual(all.values);
      expect(last.vectors).toEqual(Float64Array.from({ length: n }, (_, k) => all.vectors[k * n + n - 1]));
      for (let k = 0; k < n; k++)
        for (let i = 0; i < n; i++) {
          const v = all.vectors.subarray(k * n, (k + 1) * n);
          const image =
            diagonal[i] * v[i] + (i > 0 ? beside[i - 1] * v[i - 1] : 0) + (i + 1 < n ? beside[i] * v[i + 1] : 0);
          expect(Math.abs(image - all.values[k] * v[i])).toBeLessThan(40 * n * Number.EPSILON);
        }
    }
  });
});

describe("singular values by Jacobi rotations", () => {
  const columnsOf = (p: number, entry: (i: number, j: number) => number) =>
    Array.from({ length: p }, (_, j) => Float64Array.from({ length: p }, (_, i) => entry(i, j)));

  /** |A v| = sigma for each pair and orthonormal v: what defines them. */
  async function check(p: number, entry: (i: number, j: number) => number) {
    const { values, vectors } = await singularValues(columnsOf(p, entry), true, pace);
    const V = vectors as Float64Array;
    const size = largest(values);
    for (let k = 0; k < p; k++) {
      const v = V.subarray(k * p, (k + 1) * p);
      const image = Float64Array.from({ length: p }, (_, i) =>
        v.reduce((sum, value, j) => sum + entry(i, j) * value, 0),
      );
      expect(Math.abs(Math.hypot(...image) - values[k])).toBeLessThanOrEqual(20 * p * Number.EPSILON * size);
      for (let j = 0; j <= k; j++) {
        const dot = v.reduce((sum, value, i) => sum + value * V[j * p + i], 0);
        expect(Math.abs(dot - (j === k ? 1 : 0))).toBeLessThan(20 * p * Number.EPSILON);
      }
    }
    return values;
  }

  it("of random matrices, and of ones without full rank, whose missing vectors are made up", async () => {
    const random = new Random(4, 1);
    for (const p of [1, 2, 9, 33]) {
      const a = Float64Array.from({ length: p * p }, () => random.normal());
      expect((await check(p, (i, j) => a[i * p + j]))[0]).toBeGreaterThan(0);
      await check(p, (i, j) => a[i * p + (j % Math.ceil(p / 3))]); // columns repeat
      await check(p, (i, j) => (i < p / 2 ? a[i * p + j] : 0)); // rows of zeros
      await check(p, (i, j) => (i === 0 ? a[j] : 0)); // rank 1
      expect(await check(p, () => 0)).toEqual(new Float64Array(p));
    }
  });

  it("with tiny columns are accurate relative to themselves", async () => {
    // Columns of a 4 x 4 Hadamard matrix are orthogonal and 2 long: values 2 d_j, whatever the d_j.
    const hadamard = [1, 1, 1, 1, 1, -1, 1, -1, 1, 1, -1, -1, 1, -1, -1, 1];
    const d = [1e-150, 1, 1e-200, 1e-30];
    const { values } = await singularValues(
      columnsOf(4, (i, j) => hadamard[4 * i + j] * d[j]),
      false,
      pace,
    );
    [2e-200, 2e-150, 2e-30, 2].forEach((expected, k) => {
      expect(Math.abs(values[k] / expected - 1)).toBeLessThan(8 * Number.EPSILON);
    });
    // B D with B_ij = min(i, j) + 1 of determinant 1: the product of the values is that of D.
    const powers = [-300, 0, -500, -100];
    const graded = await singularValues(
      columnsOf(4, (i, j) => (Math.min(i, j) + 1) * 2 ** powers[j]),
      false,
      pace,
    );
    const product = graded.values.reduce((sum, value) => sum + Math.log2(value), 0);
    expect(Math.abs(product - powers.reduce((sum, power) => sum + power, 0))).toBeLessThan(1e-10); // 900 eps in the logarithms
  });
});

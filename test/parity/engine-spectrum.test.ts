// What both engines tell of the curvature they hold: eigenvalues and vectors against closed forms and invariants, counts below a bound,
// products and inverse products against the dense matrix.

import { describe, expect, it } from "vitest";
import type { Curvature } from "../../src/backend/curvature.js";
import { loadNative } from "../../src/backend/native/load.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import { eliminate, multiply, transpose } from "../helpers/dense.js";
import {
  both,
  difference,
  type EngineProblem,
  explicit,
  length,
  problems,
  sure,
  tolerance,
} from "../helpers/engine-problems.js";
import { fc } from "../helpers/property.js";

const native = loadNative();
const routes = ["primal", "dual", "orthogonal"] as const;
const request = (curvature: Curvature) => ({ curvature, decay: 0, scaling: null });

const largest = (values: Float64Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** y = W x without biases: J = I_c (x) X, so that G = I_c (x) X^T X, and K = X X^T (x) I_c, whatever W is. */
function linear(inputs: Float64Array, d: number, c: number): EngineProblem {
  const net = network({ layers: [d, c], bias: false, seed: 1 });
  const sampleCount = inputs.length / d;
  const data = { sampleCount, inputs, targets: new Float64Array(sampleCount * c).fill(1) };
  return { architecture: net.architecture, parameters: net.parameters, data };
}

/** Upper bidiagonal X with X^T X = tridiag(-1, 2, -1), whose eigenvalues are 2 - 2 cos(k pi / (d + 1)). */
function secondDifferences(d: number): { inputs: Float64Array; values: Float64Array } {
  const inputs = new Float64Array(d * d);
  for (let k = 0; k < d; k++) {
    inputs[k * d + k] = Math.sqrt((k + 2) / (k + 1));
    if (k + 1 < d) inputs[k * d + k + 1] = -Math.sqrt((k + 1) / (k + 2));
  }
  const values = Float64Array.from({ length: d }, (_, k) => 4 * Math.sin(((k + 1) * Math.PI) / (2 * (d + 1))) ** 2);
  return { inputs, values };
}

describe.skipIf(!native.ok)("eigenvalues of both engines", () => {
  it.each(routes)(
    "%s: A v = lambda v, orthonormal vectors, ascending values that both engines share",
    async (curvature) => {
      await fc.assert(
        fc.asyncProperty(problems, async (problem) => {
          const seen: Float64Array[] = [];
          await both(problem, async (engine) => {
            await sure(engine.linearize(problem.parameters, request(curvature)));
            const A = await engine.curvature();
            const { values, vectors } = await engine.eigen(true);
            const order = values.length;
            expect(vectors?.length).toBe(order * order);
            expect(values.every((value, k) => k === 0 || value >= values[k - 1])).toBe(true);
            const V = vectors as Float64Array;
            const top = values[order - 1];
            // c n eps |A|, as stated in symmetric-eigen.ts; A itself is rounded for the orthogonal route.
            const unit = 10 * order * Number.EPSILON;
            const { values: alone } = await engine.eigen(false);
            for (let k = 0; k < order; k++) expect(Math.abs(alone[k] - values[k])).toBeLessThanOrEqual(unit * top);
            const AV = multiply(V, A, order, order, order);
            for (let k = 0; k < order * order; k++) AV[k] -= values[Math.floor(k / order)] * V[k];
            expect(largest(AV), engine.kind).toBeLessThanOrEqual(unit * top);
            const gram = multiply(V, transpose(V, order, order), order, order, order);
            for (let k = 0; k < order; k++) gram[k * order + k] -= 1;
            expect(largest(gram), engine.kind).toBeLessThan(unit);
            seen.push(values);
          });
          expect(difference(seen[0], seen[1])).toBeLessThan(tolerance);
        }),
        // Up to 400 rows each; to shrink a failure outlasts the test, which then tells of its time alone.
        { numRuns: curvature === "dual" ? 6 : 15, endOnFailure: true },
      );
    },
  );

  it.each(routes)("%s: those of second differences, each c times, and their counts", async (curvature) => {
    for (const [d, c] of [
      [1, 1],
      [2, 3],
      [7, 1],
      [33, 2],
      [64, 1],
    ]) {
      const { inputs, values } = secondDifferences(d);
      const expected = Float64Array.from({ length: d * c }, (_, k) => values[Math.floor(k / c)]);
      await both(linear(inputs, d, c), async (engine) => {
        await sure(engine.linearize(new Float64Array(d * c), request(curvature)));
        const { values: found } = await engine.eigen(false);
        for (let k = 0; k < d * c; k++) {
          // Absolute for a matrix; relative to the value and its condition where R gives singular values.
          const size = curvature === "orthogonal" ? expected[k] * Math.sqrt(4 / values[0]) : 4;
          const limit = 10 * d * c * Number.EPSILON * size;
          expect(Math.abs(found[k] - expected[k]), `${engine.kind}, d ${d}, value ${k}`).toBeLessThan(limit);
        }
        expect(await engine.eigenvaluesBelow(0)).toBe(0);
        expect(await engine.eigenvaluesBelow(4)).toBe(d * c);
        for (let k = 0; k + 1 < d; k += 5)
          expect(await engine.eigenvaluesBelow((values[k] + values[k + 1]) / 2), `${engine.kind}, ${k}`).toBe(
            (k + 1) * c,
          );
      });
    }
  });

  it("orthogonal: tiny singular values are accurate relative to themselves", async () => {
    // X = B D: B_ij = min(i, j) + 1 has determinant 1 and condition number below 4 d^2, and powers of two scale exactly. So the
    // product of the singular values is that of D, to d cond(B) eps, though they span 36 decades. The order of D is not that of size,
    // which a bidiagonalization does not survive.
    const d = 6;
    const scales = [-40, 0, -70, -10, -60, -20].map((power) => 2 ** power);
    const inputs = Float64Array.from({ length: d * d }, (_, k) => {
      const [i, j] = [Math.floor(k / d), k % d];
      return (Math.min(i, j) + 1) * scales[j];
    });
    const product = scales.reduce((all, scale) => all * scale ** 2, 1);
    const seen: Float64Array[] = [];
    await both(linear(inputs, d, 1), async (engine) => {
      await sure(engine.linearize(new Float64Array(d), request("orthogonal")));
      const { values } = await engine.eigen(false);
      const found = values.reduce((all, value) => all * value, 1);
      const limit = 4 * d * 4 * d ** 2 * Number.EPSILON;
      expect(Math.abs(found / product - 1), engine.kind).toBeLessThan(limit);
      expect(values[0]).toBeLessThan(1e-38);
      expect(values[d - 1]).toBeGreaterThan(1);
      // A count by the same values: all of them lie below the largest, one below the mean of the first two.
      expect(await engine.eigenvaluesBelow((values[0] + values[1]) / 2)).toBe(1);
      seen.push(values);
    });
    // sigma to d cond(B) eps, its square to twice that.
    seen[0].forEach((value, k) => {
      expect(Math.abs(value / seen[1][k] - 1)).toBeLessThan(8 * d * 4 * d ** 2 * Number.EPSILON);
    });
  });

  it("dual: duplicate samples are as many zeros, c each", async () => {
    const random = new Random(3, 1);
    const net = network({ layers: [3, 12, 2], seed: 1 });
    const inputs = Float64Array.from({ length: 90 }, () => random.normal());
    for (let i = 0; i < 10; i++) inputs.copyWithin(3 * (20 + i), 3 * i, 3 * i + 3); // the last 10 of 30 repeat the first 10
    const data = { sampleCount: 30, inputs, targets: new Float64Array(60) };
    await both({ architecture: net.architecture, parameters: net.parameters, data }, async (engine) => {
      await sure(engine.linearize(net.parameters, request("dual")));
      const { values } = await engine.eigen(false);
      const floor = 60 * Number.EPSILON * values[59];
      expect(await engine.eigenvaluesBelow(floor), engine.kind).toBe(20);
      expect(values.filter((value) => value < floor).length).toBe(20);
    });
  });

  it("count the same as the values say, away from all of them", async () => {
    await fc.assert(
      fc.asyncProperty(problems, fc.constantFrom(...routes), async (problem, curvature) => {
        await both(problem, async (engine) => {
          await sure(engine.linearize(problem.parameters, request(curvature)));
          const { values } = await engine.eigen(false);
          const order = values.length;
          const noise = 10 * order * Number.EPSILON * values[order - 1];
          for (let k = 0; k + 1 < order; k += 1 + Math.floor(order / 6))
            if (values[k + 1] - values[k] > 2 * noise)
              expect(await engine.eigenvaluesBelow(Math.max(0, values[k] + values[k + 1]) / 2)).toBe(k + 1);
          expect(await engine.eigenvaluesBelow(values[order - 1] + noise + Number.MIN_VALUE)).toBe(order);
        });
      }),
      { numRuns: 30 },
    );
  });
});

describe.skipIf(!native.ok)("products with the curvature", () => {
  it("are those of J~^T J~ and of J~ J~^T, sample-major, and their inverses solve", async () => {
    await fc.assert(
      fc.asyncProperty(problems, fc.constantFrom("primal", "dual"), async (problem, curvature) => {
        const seen: Float64Array[][] = [];
        await both(problem, async (engine) => {
          const { J, rows, p } = await explicit(engine, problem);
          await sure(engine.linearize(problem.parameters, request(curvature as Curvature)));
          const order = curvature === "primal" ? p : rows;
          const v = Float64Array.from({ length: order }, (_, k) => Math.cos(1 + 3 * k));
          const Jt = transpose(J, rows, p);
          const expected =
            curvature === "primal"
              ? multiply(Jt, multiply(J, v, rows, p, 1), p, rows, 1)
              : multiply(J, multiply(Jt, v, p, rows, 1), rows, p, 1);
          const size = length(J) ** 2;
          const product = await engine.curvatureProduct(v);
          const unit = 4 * Math.max(p, rows) * Number.EPSILON;
          product.forEach((value, k) => {
            expect(Math.abs(value - expected[k]), engine.kind).toBeLessThanOrEqual(unit * size * length(v));
          });
          const shift = 0.01 * (size || 1);
          const x = await sure(engine.curvatureInverse(v, shift));
          const rest = multiply(await engine.curvature(), x, order, order, 1).map(
            (value, k) => value + shift * x[k] - v[k],
          );
          // Backward stable and refined: |rest| <= c n eps (|M| + shift) |x|.
          expect(length(rest), engine.kind).toBeLessThan(unit * (size + shift) * length(x));
          // The factor is kept, for another vector too, and another shift makes another.
          expect(await engine.curvatureInverse(v, shift)).toEqual(x);
          const twice = await sure(
            engine.curvatureInverse(
              v.map((value) => 2 * value),
              shift,
            ),
          );
          expect(twice).toEqual(x.map((value) => 2 * value));
          const other = await sure(engine.curvatureInverse(v, 10 * shift));
          expect(length(other)).toBeLessThan(length(x));
          seen.push([product, x]);
        });
        expect(difference(seen[0][0], seen[1][0])).toBeLessThan(tolerance);
        expect(difference(seen[0][1], seen[1][1])).toBeLessThan(100 * tolerance); // shift: condition number at most 101
      }),
      { numRuns: 30 },
    );
  });

  it("inverses equal elimination, between solves of other dampings, and tell the pivot where there is none", async () => {
    const { inputs } = secondDifferences(20);
    const problem = linear(inputs, 20, 2);
    await both(problem, async (engine) => {
      await sure(engine.linearize(problem.parameters, request("dual")));
      const M = await engine.curvature();
      for (let k = 0; k < 40; k++) M[41 * k] += 0.25;
      const v = Float64Array.from({ length: 40 }, (_, k) => Math.sin(k + 1));
      const expected = eliminate(M, v, 40);
      for (let again = 0; again < 2; again++) {
        // cond <= (4 + 0.25) / 0.25 = 17.
        expect(difference(expected, await sure(engine.curvatureInverse(v, 0.25)))).toBeLessThan(
          17 * 40 * Number.EPSILON,
        );
        await sure(engine.solve({ damping: 3, decay: 0, scaling: null }));
      }
      // More rows than parameters: K is singular, and its last pivots rounding noise or worse.
    });
    const idle = linear(new Float64Array(6), 2, 1);
    await both(idle, async (engine) => {
      for (const curvature of ["primal", "dual"] as const) {
        await sure(engine.linearize(idle.parameters, request(curvature)));
        const v = new Float64Array(curvature === "primal" ? 2 : 3).fill(1);
        expect(await engine.curvatureInverse(v, 0)).toMatchObject({ code: "indefinite", pivot: 0 });
        expect(await engine.curvatureInverse(v, 2)).toEqual(v.map(() => 0.5));
      }
    });
  });
});

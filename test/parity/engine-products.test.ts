// Products with blocks of vectors, of both engines: against the explicit Jacobian and curvature, against each other, and against
// identities where the sizes leave no room for a matrix.

import { describe, expect, it } from "vitest";
import { failed } from "../../src/backend/engine.js";
import { createNativeEngine } from "../../src/backend/native/engine.js";
import { loadNative } from "../../src/backend/native/load.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import { both, difference, problems, sure, tolerance } from "../helpers/engine-problems.js";
import { fc } from "../helpers/property.js";

const native = loadNative();
const request = (curvature: "primal" | "dual" | "matrix-free", scaling: Float64Array | null = null) =>
  ({ curvature, decay: 0, scaling }) as const;

/** rows x columns, row-major, times every row of `vectors`. */
function times(matrix: Float64Array, rows: number, columns: number, vectors: Float64Array, transposed = false) {
  const [from, to] = transposed ? [rows, columns] : [columns, rows];
  const count = vectors.length / from;
  const out = new Float64Array(count * to);
  for (let v = 0; v < count; v++)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        const value = matrix[i * columns + j];
        if (transposed) out[v * to + j] += value * vectors[v * from + i];
        else out[v * to + i] += value * vectors[v * from + j];
      }
  return out;
}

function dot(a: Float64Array, b: Float64Array): { value: number; scale: number } {
  let value = 0;
  let scale = 0;
  for (let i = 0; i < a.length; i++) {
    value += a[i] * b[i];
    scale += Math.abs(a[i] * b[i]);
  }
  return { value, scale };
}

describe.skipIf(!native.ok)("products with blocks of vectors", () => {
  it("are those of the explicit Jacobian and curvature, vector by vector, in both engines", async () => {
    await fc.assert(
      fc.asyncProperty(problems, fc.integer({ min: 1, max: 6 }), async (problem, count) => {
        const { parameters: w, data, architecture } = problem;
        const p = architecture.parameterCount;
        const rows = data.sampleCount * architecture.outputSize;
        const random = new Random(5, 2);
        const v = Float64Array.from({ length: count * p }, () => random.normal());
        const u = Float64Array.from({ length: count * rows }, () => random.normal());
        const seen: Float64Array[][] = [];
        await both(problem, async (engine) => {
          const jacobian = await engine.jacobian(w, 0, data.sampleCount);
          const [jv, ju] = [await engine.jacobianProduct(w, v), await engine.transposeProduct(w, u)];
          const what = `${engine.kind}, ${count} vectors, ${JSON.stringify(architecture)}`;
          expect(difference(times(jacobian, rows, p, v), jv), `J v of ${what}`).toBeLessThan(tolerance);
          expect(difference(times(jacobian, rows, p, u, true), ju), `J^T u of ${what}`).toBeLessThan(tolerance);
          const scaling = { primal: new Float64Array(p), free: new Float64Array(p) };
          const point = await sure(engine.linearize(w, request("primal", scaling.primal)));
          const gram = await engine.curvature();
          const exact = times(gram, p, p, v);
          expect(difference(exact, await engine.curvatureProduct(v)), `G v of ${what}`).toBeLessThan(tolerance);
          const free = await sure(engine.linearize(w, request("matrix-free", scaling.free)));
          const gv = await engine.curvatureProduct(v);
          // The forward image is rounded before the way back: twice the sums.
          expect(difference(exact, gv), `matrix-free G v of ${what}`).toBeLessThan(2 * tolerance);
          const diagonal = Float64Array.from({ length: p }, (_, j) => gram[j * p + j]);
          expect(difference(diagonal, free.diagonal as Float64Array), `diag G of ${what}`).toBeLessThan(tolerance);
          expect(difference(scaling.primal, scaling.free), `scaling of ${what}`).toBeLessThan(tolerance);
          expect(difference(point.gradient, free.gradient), `gradient of ${what}`).toBeLessThan(tolerance);
          expect(Math.abs(point.gradientCosine - free.gradientCosine)).toBeLessThan(tolerance);
          await sure(engine.linearize(w, request("dual")));
          const ku = await engine.curvatureProduct(u);
          expect(difference(times(await engine.curvature(), rows, rows, u), ku), `K u of ${what}`).toBeLessThan(
            tolerance,
          );
          seen.push([jv, ju, gv, ku]);
        });
        for (const [k, values] of seen[0].entries())
          expect(difference(values, seen[1][k]), `quantity ${k}`).toBeLessThan(2 * tolerance);
      }),
      { numRuns: 40 },
    );
  });

  // Panels kept between products (few units), and made anew block by block (many): several blocks of samples either way.
  it.each([
    ["kept", [600, 40, 3], 12_000],
    ["made anew", [4, 300, 300, 2], 7_000],
  ] as const)(
    "hold over many blocks of samples, panels %s: adjoints, differences, G = J^T S J, every thread count",
    async (_, layers, n) => {
      const net = network({ layers: [...layers], seed: 3 });
      const random = new Random(7, 1);
      const draw = (length: number) => Float64Array.from({ length }, () => random.normal());
      const [d, c, p] = [layers[0], net.outputSize, net.parameterCount];
      const weights = draw(n).map((value) => value * value);
      const data = { sampleCount: n, inputs: draw(n * d), targets: new Float64Array(n * c), weights };
      const w = net.parameters;
      const v = draw(3 * p);
      const u = draw(2 * n * c);
      const seen: Float64Array[][] = [];
      for (const threads of [1, 3]) {
        const engine: NetworkEngine = createNativeEngine(net.architecture, data, { threads });
        const jv = await engine.jacobianProduct(w, v);
        const ju = await engine.transposeProduct(w, u);
        await sure(engine.linearize(w, request("matrix-free")));
        const first = await engine.curvatureProduct(v);
        const again = await engine.curvatureProduct(v);
        expect(Buffer.from(again.buffer).equals(Buffer.from(first.buffer)), "the second product reuses panels").toBe(
          true,
        );
        seen.push([jv, ju, first]);
        if (threads > 1) {
          engine.dispose();
          continue;
        }
        for (let a = 0; a < 3; a++)
          for (let b = 0; b < 2; b++) {
            const left = dot(jv.subarray(a * n * c, (a + 1) * n * c), u.subarray(b * n * c, (b + 1) * n * c));
            const right = dot(v.subarray(a * p, (a + 1) * p), ju.subarray(b * p, (b + 1) * p));
            // Sums of n c + p terms, each of them of a chain of at most 600 terms.
            const limit = Number.EPSILON * (n * c + p) * (left.scale + right.scale);
            expect(Math.abs(left.value - right.value), `vectors ${a} and ${b}`).toBeLessThan(limit);
          }
        const weighted = jv.map((value, k) => value * weights[Math.floor((k % (n * c)) / c)]);
        const gv = await engine.transposeProduct(w, weighted);
        expect(difference(gv, first)).toBeLessThan(Number.EPSILON * n * c);
        // Central differences of the predictions: the truncation is h^2, the rounding eps / h.
        const h = Number.EPSILON ** (1 / 3);
        const at = (sign: number) => engine.forward(w.map((value, j) => value + sign * h * v[j]));
        const [up, down] = [await at(1), await at(-1)];
        const moved = up.map((value, k) => (value - down[k]) / (2 * h));
        expect(difference(moved, jv.subarray(0, n * c))).toBeLessThan(1e-6);
        engine.dispose();
      }
      for (const [k, values] of seen[0].entries())
        expect(Buffer.from(seen[1][k].buffer).equals(Buffer.from(values.buffer)), `quantity ${k}`).toBe(true);
    },
    60_000,
  );

  it("layer factors are the means and sums of the Jacobian's own factors, in both engines", async () => {
    // Identity activations and one sample make G_l itself a Kronecker product: what B (x) A must be exactly.
    const net = network({ layers: [3, 4, 2], activation: "identity", seed: 5 });
    const { architecture, parameters: w, parameterCount: p } = net;
    const random = new Random(8, 1);
    const draw = (length: number) => Float64Array.from({ length }, () => random.normal());
    const one = { sampleCount: 1, inputs: draw(3), targets: draw(2), weights: Float64Array.of(0.7) };
    await both({ architecture, parameters: w, data: one }, async (engine) => {
      await sure(engine.linearize(w, request("primal")));
      const gram = await engine.curvature();
      await sure(engine.linearize(w, request("matrix-free")));
      for (const { left, right, inputs, outputs, weightOffset, biasOffset } of await engine.layerFactors()) {
        const place = (o: number, k: number) => (k === inputs ? biasOffset + o : weightOffset + o * inputs + k);
        for (let o = 0; o < outputs; o++)
          for (let q = 0; q < outputs; q++)
            for (let k = 0; k <= inputs; k++)
              for (let m = 0; m <= inputs; m++)
                expect(left[o * outputs + q] * right[k * (inputs + 1) + m]).toBeCloseTo(
                  gram[place(o, k) * p + place(q, m)],
                  12,
                );
      }
      await sure(engine.linearize(w, request("primal")));
      await expect(engine.layerFactors()).rejects.toMatchObject({ code: "GAUSSFLOW_STATE" });
    });
    // Any network: both engines, twice (the factor of the inputs is kept), and at other parameters.
    await fc.assert(
      fc.asyncProperty(problems, async (problem) => {
        const moved = problem.parameters.map((value) => value + 0.1);
        const seen: Float64Array[][] = [];
        await both(problem, async (engine) => {
          const here: Float64Array[] = [];
          for (const at of [problem.parameters, moved]) {
            await sure(engine.linearize(at, request("matrix-free")));
            for (const { left, right } of await engine.layerFactors()) here.push(left, right);
          }
          seen.push(here);
        });
        for (const [k, values] of seen[0].entries())
          expect(difference(values, seen[1][k]), `factor ${k}`).toBeLessThan(tolerance);
      }),
      { numRuns: 25 },
    );
  });

  it("follow the parameters of the last linearization, and a matrix-free curvature has nothing else", async () => {
    const net = network({ layers: [3, 6, 2], seed: 1 });
    const random = new Random(2, 1);
    const draw = (length: number) => Float64Array.from({ length }, () => random.normal());
    const data = { sampleCount: 30, inputs: draw(90), targets: draw(60) };
    const { architecture, parameters: w, parameterCount: p } = net;
    const moved = w.map((value) => value + 0.3);
    await both({ architecture, parameters: w, data }, async (engine) => {
      const v = draw(p);
      await sure(engine.linearize(w, request("matrix-free")));
      expect(engine.held).toBe("matrix-free");
      const here = await engine.curvatureProduct(v);
      await engine.forward(moved);
      await engine.evaluate(moved);
      expect(await engine.curvatureProduct(v)).toEqual(here);
      await sure(engine.linearize(moved, request("matrix-free")));
      const there = await engine.curvatureProduct(v);
      await sure(engine.linearize(moved, request("primal")));
      expect(difference(times(await engine.curvature(), p, p, v), there)).toBeLessThan(tolerance);
      await sure(engine.linearize(w, request("matrix-free")));
      const busy = { code: "GAUSSFLOW_STATE", message: expect.stringContaining("products only") };
      await expect(engine.curvature()).rejects.toMatchObject(busy);
      await expect(engine.eigen(false)).rejects.toMatchObject(busy);
      await expect(engine.eigenvaluesBelow(1)).rejects.toMatchObject(busy);
      await expect(engine.curvatureInverse(v, 1)).rejects.toMatchObject(busy);
      await expect(engine.solve({ damping: 1, decay: 0, scaling: null })).rejects.toMatchObject(busy);
      for (const length of [0, p - 1, 2 * p + 1])
        await expect(engine.curvatureProduct(new Float64Array(length))).rejects.toMatchObject({
          code: "GAUSSFLOW_ARGUMENT",
          message: expect.stringContaining(`rows of ${p} elements`),
        });
      expect(await engine.curvatureProduct(v)).toEqual(here);
      await engine.jacobianProduct(w, v);
      expect(engine.held).toBe("none");
      const failure = await engine.linearize(
        w.map(() => Number.NaN),
        request("matrix-free"),
      );
      expect(failed(failure) && failure.code).toBe("non-finite");
      expect(engine.held).toBe("none");
    });
  });
});

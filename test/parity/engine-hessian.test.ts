// Products with the exact Hessian, and with the inverse of the damped system, of both engines: against each other, against differences of
// the gradient, and what the calls refuse.

import { describe, expect, it } from "vitest";
import type { EngineData } from "../../src/backend/engine.js";
import { estimateBytes } from "../../src/backend/estimate.js";
import { createNativeEngine } from "../../src/backend/native/engine.js";
import { loadNative } from "../../src/backend/native/load.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { type Loss, squaredError } from "../../src/index.js";
import { lossRule } from "../../src/loss/rules.js";
import { targetCount } from "../../src/loss/target-rules.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import { both, difference, type EngineProblem, problems, sure, tolerance } from "../helpers/engine-problems.js";
import { LOSSES } from "../helpers/losses.js";
import { fc } from "../helpers/property.js";

const native = loadNative();
const engines = native.ok ? [createReferenceEngine, createNativeEngine] : [createReferenceEngine];

/** The same problem with another loss, and with targets that the loss takes: of counts, or shares of each row. */
function withLoss(problem: EngineProblem, loss: Loss): EngineProblem {
  const { targets: kind } = lossRule(loss);
  const c = targetCount(loss, problem.architecture.outputSize);
  fc.pre(Number.isInteger(c));
  const { sampleCount } = problem.data;
  const real = problem.data.targets.slice(0, sampleCount * c);
  const targets = kind === "real" ? real : real.map(Math.exp);
  for (let i = 0; i < targets.length && (kind === "probability" || kind === "distribution"); i += c) {
    const row = targets.subarray(i, i + c);
    const sum = row.reduce((total, value) => total + value, 0);
    for (let a = 0; a < c; a++) row[a] /= kind === "probability" ? 1 + row[a] : sum;
  }
  return { ...problem, data: { ...problem.data, targets, loss } };
}

const at = (curvature: "none" | "primal" | "dual" | "matrix-free", scaling: Float64Array | null = null, decay = 0) =>
  ({ curvature, decay, scaling }) as const;

describe.skipIf(!native.ok)("native and reference", () => {
  it("products with the Hessian agree, of every loss, activation and route", async () => {
    await fc.assert(
      fc.asyncProperty(
        problems,
        fc.constantFrom(...LOSSES),
        fc.constantFrom("none", "primal", "dual", "matrix-free"),
        fc.integer({ min: 1, max: 5 }),
        async (given, loss, curvature, count) => {
          const problem = withLoss(given, loss);
          const random = new Random(5, 2);
          const v = Float64Array.from({ length: count * problem.parameters.length }, () => random.normal());
          const seen: Float64Array[] = [];
          await both(problem, async (engine) => {
            await sure(engine.linearize(problem.parameters, at(curvature)));
            seen.push(await engine.hessianProduct(v));
          });
          // Two passes there and two back, each with the sums of a product with J.
          expect(difference(seen[0], seen[1]), JSON.stringify(problem.architecture)).toBeLessThan(8 * tolerance);
        },
      ),
      { numRuns: 120 },
    );
  });

  it.each(["primal", "dual"] as const)("inverses of the damped system agree, %s route", async (curvature) => {
    await fc.assert(
      fc.asyncProperty(problems, fc.boolean(), fc.boolean(), async (problem, scaled, decayed) => {
        const { parameters: w } = problem;
        const decay = decayed && !(curvature === "dual" && scaled) ? 0.3 : 0;
        const v = w.map((value, j) => Math.sin(j) + 0.1 * value);
        const seen: Float64Array[] = [];
        let condition = 1;
        await both(problem, async (engine) => {
          const scaling = scaled ? new Float64Array(curvature === "primal" ? w.length : engine.layerCount) : null;
          await sure(engine.linearize(w, at(curvature, scaling, decay)));
          ({ condition } = await sure(engine.solve({ damping: 1, decay, scaling, condition: true })));
          seen.push(await sure(engine.dampedInverse(v)));
        });
        expect(difference(seen[0], seen[1])).toBeLessThan(tolerance * Math.max(1, condition));
      }),
      { numRuns: 60 },
    );
  });
});

describe.skipIf(!native.ok)("the native engine with Hessian products", () => {
  it.each([
    ["panels of all samples", 400],
    ["panels of a block", 60_000],
  ] as const)("holds the bytes that its estimate says: %s", async (_, sampleCount) => {
    const { architecture, parameters } = network({ layers: [2, 24, 24, 1], seed: 1 });
    const [inputs, targets] = [new Float64Array(2 * sampleCount).fill(0.3), new Float64Array(sampleCount)];
    const engine = createNativeEngine(architecture, { sampleCount, inputs, targets }, { threads: 2 });
    const scaling = null;
    await sure(engine.evaluate(parameters));
    await sure(engine.linearize(parameters, { curvature: "primal", decay: 0, scaling }));
    await sure(engine.solve({ damping: 1, decay: 0, scaling }));
    await sure(engine.accelerate(parameters, scaling));
    const sizes = {
      architecture,
      loss: squaredError(),
      sampleCount,
      weighted: false,
      fileWidth: 0,
      threads: 2,
      slots: 1,
    };
    const planned = (hessian: boolean) => {
      const { data, curvature, factor, workspaces } = estimateBytes("native", sizes, [
        { curvature: "primal", hessian },
      ]);
      return data + curvature + factor + workspaces;
    };
    expect(engine.bytes()).toBe(planned(false));
    await engine.hessianProduct(parameters);
    await sure(engine.dampedInverse(parameters));
    expect(engine.bytes()).toBe(planned(true));
    expect(planned(true)).toBeGreaterThan(planned(false));
    engine.dispose();
  });
});

describe.each(engines)("the Hessian product of %o", (create) => {
  const net = network({ layers: [3, 7, 4, 2], activation: "gelu", outputScale: 1.3, seed: 3 });
  const data: EngineData = {
    sampleCount: 300,
    inputs: Float64Array.from({ length: 900 }, (_, k) => Math.sin(1 + 3 * k)),
    targets: Float64Array.from({ length: 600 }, (_, k) => Math.cos(k * k)),
    weights: Float64Array.from({ length: 300 }, (_, i) => 0.5 + (i % 3)),
  };
  const w = net.parameters;
  const v = w.map((_, j) => Math.sin(j * j));
  const make = (slots = 1): NetworkEngine => create(net.architecture, { ...data, slots }, { threads: 2 });

  it.each([1, 8])("is the derivative of the gradient along the vector, %i slots", async (slots) => {
    const engine = make(slots);
    // The decay is in the gradient and not in the product: the gradients are of none.
    const gradient = async (t: number) =>
      (
        await sure(
          engine.linearize(
            w.map((value, j) => value + t * v[j]),
            at("none"),
          ),
        )
      ).gradient;
    // Five points along v: the error is h^4 f^(6)/30 + eps f''/h, least near h = eps^(1/5).
    const h = Number.EPSILON ** 0.2;
    const [a, b, c, d] = [await gradient(-2 * h), await gradient(-h), await gradient(h), await gradient(2 * h)];
    const expected = a.map((_, k) => (a[k] - 8 * b[k] + 8 * c[k] - d[k]) / (12 * h));
    await sure(engine.linearize(w, at("primal", null, 0.5)));
    // 1e-9: the differences' h^4 = eps^(4/5) = 3e-13 times the ratio of the sixth derivative to the second along v.
    expect(difference(expected, await engine.hessianProduct(v))).toBeLessThan(1e-9);
    engine.dispose();
  });

  it("leaves curvature and factor as they are", async () => {
    const engine = make();
    await sure(engine.linearize(w, at("primal")));
    const { step } = await sure(engine.solve({ damping: 1, decay: 0, scaling: null }));
    const before = (await sure(engine.accelerate(v, null))).acceleration;
    const product = await engine.hessianProduct(v);
    await sure(engine.dampedInverse(v));
    expect((await sure(engine.accelerate(v, null))).acceleration).toEqual(before);
    expect((await sure(engine.solve({ damping: 1, decay: 0, scaling: null }))).step).toEqual(step);
    expect(await engine.hessianProduct(v)).toEqual(product);
    expect(engine.held).toBe("primal");
    engine.dispose();
  });

  it("wants a linearization, and the inverse a solve; both refuse what is not a vector", async () => {
    const engine = make();
    const refused = (code: string) => ({ code: `GAUSSFLOW_${code}` });
    await expect(engine.hessianProduct(v)).rejects.toMatchObject(refused("STATE"));
    await expect(engine.dampedInverse(v)).rejects.toMatchObject(refused("STATE"));
    await sure(engine.linearize(w, at("primal")));
    await expect(engine.dampedInverse(v)).rejects.toMatchObject(refused("STATE"));
    await sure(engine.solve({ damping: 1, decay: 0, scaling: null }));
    await expect(engine.hessianProduct(v.subarray(1))).rejects.toMatchObject(refused("ARGUMENT"));
    await expect(engine.dampedInverse(v.subarray(1))).rejects.toMatchObject(refused("ARGUMENT"));
    // The factor of another shift is not that of the solve.
    await sure(engine.curvatureInverse(v, 3));
    await expect(engine.dampedInverse(v)).rejects.toMatchObject(refused("STATE"));
    await engine.jacobianProduct(w, v);
    await expect(engine.hessianProduct(v)).rejects.toMatchObject(refused("STATE"));
    engine.dispose();
  });

  it("obeys an aborted signal", async () => {
    const engine = make();
    await sure(engine.linearize(w, at("primal")));
    const reason = new Error("enough");
    await expect(engine.hessianProduct(v, AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(engine.dampedInverse(v, AbortSignal.abort(reason))).rejects.toBe(reason);
    engine.dispose();
  });
});

// Both engines must tell the same story of the same network: every number of the Engine interface, on random architectures.

import { describe, expect, it } from "vitest";
import { failed } from "../../src/backend/engine.js";
import { createNativeEngine } from "../../src/backend/native/engine.js";
import { loadNative } from "../../src/backend/native/load.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import { both, difference, problems, tolerance } from "../helpers/engine-problems.js";
import { fc } from "../helpers/property.js";

const native = loadNative();

describe.skipIf(!native.ok)("native and reference engine", () => {
  it("agree on predictions, loss, Jacobian and products", async () => {
    await fc.assert(
      fc.asyncProperty(problems, async (problem) => {
        const { parameters: w, data, architecture } = problem;
        const seen: Float64Array[][] = [];
        const v = w.map((value, j) => Math.sin(j) + value);
        const u = Float64Array.from({ length: data.sampleCount * architecture.outputSize }, (_, k) => Math.cos(k));
        await both(problem, async (engine) => {
          const evaluation = await engine.evaluate(w);
          if (failed(evaluation)) throw new Error(evaluation.message);
          seen.push([
            await engine.forward(w),
            Float64Array.of(evaluation.loss),
            await engine.jacobian(w, 0, data.sampleCount),
            await engine.jacobianProduct(w, v),
            await engine.transposeProduct(w, u),
          ]);
        });
        for (const [k, values] of seen[0].entries())
          expect(difference(values, seen[1][k]), `quantity ${k}`).toBeLessThan(tolerance);
      }),
      { numRuns: 60 },
    );
  });

  it.each(["primal", "dual"] as const)("agree on the linearization and the step, %s route", async (curvature) => {
    await fc.assert(
      fc.asyncProperty(problems, fc.boolean(), fc.boolean(), async (problem, scaled, decayed) => {
        const { parameters: w, architecture } = problem;
        const decay = decayed && !(curvature === "dual" && scaled) ? 0.3 : 0;
        const seen: Float64Array[][] = [];
        const conditions: number[] = [];
        await both(problem, async (engine) => {
          const size = curvature === "primal" ? engine.parameterCount : engine.layerCount;
          const scaling = scaled ? new Float64Array(size) : null;
          const point = await engine.linearize(w, { curvature, decay, scaling });
          if (failed(point)) throw new Error(point.message);
          const matrix = await engine.curvature();
          const solved = await engine.solve({ damping: 1, decay, scaling, condition: true });
          if (failed(solved)) throw new Error(solved.message);
          conditions.push(solved.condition);
          seen.push([
            Float64Array.of(point.loss, point.gradientCosine),
            point.gradient,
            scaling ?? new Float64Array(1),
            matrix,
            solved.step,
          ]);
        });
        const names = ["loss and cosine", "gradient", "scaling", "curvature", "step"];
        seen[0].forEach((values, k) => {
          // The step carries the condition number of the damped system.
          const limit = k === 4 ? tolerance * Math.max(1, conditions[0]) : tolerance;
          expect(difference(values, seen[1][k]), `${names[k]} of ${JSON.stringify(architecture)}`).toBeLessThan(limit);
        });
        // Both are lower bounds of the same number, by the same family of estimators, and rarely off by more than 3.
        expect(conditions[1] / conditions[0]).toBeGreaterThan(1 / 3);
        expect(conditions[1] / conditions[0]).toBeLessThan(3);
      }),
      { numRuns: 60 },
    );
  });

  it("name the same place when a number is not finite", async () => {
    const net = network({ layers: [3, 4, 2], activation: "identity", seed: 1 });
    const random = new Random(1, 1);
    const data = {
      sampleCount: 200,
      inputs: Float64Array.from({ length: 600 }, () => random.normal()),
      targets: new Float64Array(400),
    };
    data.inputs[3 * 150] = 1e300;
    const broken = net.parameters.map((value) => value * 1e200);
    const missing = net.parameters.slice();
    missing[14] = Number.NaN;
    for (const parameters of [broken, missing]) {
      const told: unknown[] = [];
      await both({ architecture: net.architecture, parameters, data }, async (engine) => {
        const evaluation = await engine.evaluate(parameters);
        const point = await engine.linearize(parameters, { curvature: "primal", decay: 0, scaling: null });
        told.push([evaluation, point]);
        expect(failed(evaluation) && evaluation.code === "non-finite").toBe(true);
      });
      expect(told[1]).toEqual(told[0]);
    }
  });

  it("refuse the same misuse", async () => {
    const net = network({ layers: [3, 5, 2], seed: 1 });
    const data = { sampleCount: 10, inputs: new Float64Array(30).fill(0.5), targets: new Float64Array(20) };
    const w = net.parameters;
    const primal = { curvature: "primal", decay: 0, scaling: null } as const;
    const mistakes: readonly ((engine: NetworkEngine) => Promise<unknown>)[] = [
      (engine) => engine.evaluate(new Float64Array(3)),
      (engine) => engine.forward(Array.from(w) as never),
      (engine) => engine.linearize(w, { ...primal, scaling: new Float64Array(2) }),
      (engine) => engine.linearize(w, { ...primal, curvature: "dual", scaling: new Float64Array(w.length) }),
      (engine) => engine.linearize(w, { ...primal, decay: -1 }),
      (engine) => engine.linearize(w, { ...primal, decay: Number.NaN }),
      (engine) => engine.linearize(w, { ...primal, exactMeasureBelow: -1 }),
      (engine) => engine.linearize(w, { ...primal, exactMeasureBelow: Number.NaN }),
      (engine) => engine.solve({ damping: Number.POSITIVE_INFINITY, decay: 0, scaling: null }),
      (engine) => engine.solve({ damping: -1, decay: 0, scaling: null }),
      (engine) => engine.solve({ damping: 1, decay: -1, scaling: null }),
      (engine) => engine.solve({ damping: 1, decay: 0, scaling: new Float64Array(3).fill(1) }),
      (engine) => engine.jacobian(w, 9, 2),
      (engine) => engine.jacobian(w, 0.5, 1),
      (engine) => engine.jacobianProduct(w, new Float64Array(3)),
      (engine) => engine.transposeProduct(w, new Float64Array(3)),
    ];
    await both({ architecture: net.architecture, parameters: w, data }, async (engine) => {
      await engine.linearize(w, primal);
      for (const mistake of mistakes)
        await expect(mistake(engine), `${engine.kind}: ${mistake}`).rejects.toMatchObject({
          code: "GAUSSFLOW_ARGUMENT",
        });
    });
    for (const create of [createReferenceEngine, createNativeEngine])
      for (const wrong of [{ inputs: new Float64Array(29) }, { targets: new Float64Array(10) }, { sampleCount: 0 }])
        expect(() => create(net.architecture, { ...data, ...wrong }, { threads: 1 })).toThrow(
          expect.objectContaining({ code: "GAUSSFLOW_ARGUMENT" }),
        );
  });

  it("report the pivot of a matrix that is not positive definite", async () => {
    // A weightless sample set: J~ is 0, and so is every pivot.
    const net = network({ layers: [2, 3, 1], seed: 1 });
    const data = {
      sampleCount: 5,
      inputs: new Float64Array(10).fill(1),
      targets: new Float64Array(5),
      weights: new Float64Array(5),
    };
    await both({ architecture: net.architecture, parameters: net.parameters, data }, async (engine) => {
      await engine.linearize(net.parameters, { curvature: "primal", decay: 0, scaling: null });
      const solved = await engine.solve({ damping: 0, decay: 0, scaling: null });
      expect(solved).toMatchObject({ code: "indefinite", pivot: 0 });
    });
  });

  it("refuse a matrix that no machine can hold, with its bytes", async () => {
    const net = network({ layers: [1, 400_000, 1], seed: 1 });
    const data = { sampleCount: 1, inputs: new Float64Array(1), targets: new Float64Array(1) };
    await both({ architecture: net.architecture, parameters: net.parameters, data }, async (engine) => {
      const point = await engine.linearize(net.parameters, { curvature: "primal", decay: 0, scaling: null });
      expect(point).toMatchObject({ code: "memory" });
      expect(failed(point) && point.code === "memory" && point.bytes).toBeGreaterThan(1e12);
    });
  });
});

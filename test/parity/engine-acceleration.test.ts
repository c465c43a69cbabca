// The geodesic acceleration: both engines against each other, and against its own equation with the second derivative taken by
// central differences of J v along v.

import { describe, expect, it } from "vitest";
import { createNativeEngine } from "../../src/backend/native/engine.js";
import { loadNative } from "../../src/backend/native/load.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { network } from "../../src/network/network.js";
import { both, difference, problems, sure, tolerance } from "../helpers/engine-problems.js";
import { fc } from "../helpers/property.js";

const native = loadNative();
const engines = native.ok ? [createReferenceEngine, createNativeEngine] : [createReferenceEngine];

describe.skipIf(!native.ok)("native and reference acceleration", () => {
  it.each(["primal", "dual"] as const)("agree, %s route", async (curvature) => {
    await fc.assert(
      fc.asyncProperty(problems, fc.boolean(), fc.boolean(), async (problem, scaled, decayed) => {
        const { parameters: w } = problem;
        const decay = decayed && !(curvature === "dual" && scaled) ? 0.3 : 0;
        const v = w.map((value, j) => Math.sin(j) + 0.1 * value);
        const seen: Float64Array[] = [];
        let condition = 1;
        await both(problem, async (engine) => {
          const size = curvature === "primal" ? engine.parameterCount : engine.layerCount;
          const scaling = scaled ? new Float64Array(size) : null;
          await sure(engine.linearize(w, { curvature, decay, scaling }));
          ({ condition } = await sure(engine.solve({ damping: 1, decay, scaling, condition: true })));
          seen.push((await sure(engine.accelerate(v, scaling))).acceleration);
        });
        expect(difference(seen[0], seen[1])).toBeLessThan(tolerance * Math.max(1, condition));
      }),
      { numRuns: 60 },
    );
  });
});

describe.each(engines)("acceleration of %o", (create) => {
  const small = [
    ["primal", 12, 200],
    ["dual", 40, 9],
  ] as const;
  // Two blocks of the native engine's panels; the reference engine's are of 128 samples.
  const cases = create === createReferenceEngine ? small : ([...small, ["primal", 300, 3500]] as const);
  it.each(cases)("solves its equation, %s route, %i units, %i samples", async (curvature, hidden, n) => {
    const net = network({ layers: [3, hidden, 2], activation: "silu", outputScale: 1.5, seed: 3 });
    const data = {
      sampleCount: n,
      inputs: Float64Array.from({ length: 3 * n }, (_, k) => Math.sin(1 + 3 * k)),
      targets: Float64Array.from({ length: 2 * n }, (_, k) => Math.cos(k * k)),
      weights: Float64Array.from({ length: n }, (_, i) => 0.5 + (i % 3)),
    };
    const engine = create(net.architecture, data, { threads: 2 });
    const w = net.parameters;
    const v = w.map((_, j) => Math.sin(j * j));
    const decay = curvature === "primal" ? 0.1 : 0;
    const damping = 0.7;
    const scaling = new Float64Array(curvature === "primal" ? engine.parameterCount : engine.layerCount);
    await sure(engine.linearize(w, { curvature, decay, scaling }));
    await sure(engine.solve({ damping, decay, scaling }));
    const { acceleration } = await sure(engine.accelerate(v, scaling));

    // Five points of J v along v: the error is h^4 f^(6)/30 + eps f''/h, least near h = eps^(1/5).
    const h = Number.EPSILON ** 0.2;
    const along = async (t: number) =>
      engine.jacobianProduct(
        w.map((value, j) => value + t * v[j]),
        v,
      );
    const [a, b, c, d] = [await along(-2 * h), await along(-h), await along(h), await along(2 * h)];
    const second = a.map((_, k) => (a[k] - 8 * b[k] + 8 * c[k] - d[k]) / (12 * h));
    const weighted = (values: Float64Array) => values.map((value, k) => value * data.weights[Math.floor(k / 2)]);
    const right = await engine.transposeProduct(w, weighted(second));
    // (J~^T J~ + decay I + damping D) a, with D the scaling of the route.
    const left = await engine.transposeProduct(w, weighted(await engine.jacobianProduct(w, acceleration)));
    const factors = curvature === "primal" ? scaling : layerFactors(engine, net.architecture.layers, scaling);
    const sum = left.map((value, j) => value + (decay + damping * factors[j]) * acceleration[j] + right[j]);
    const scale = Math.max(...right.map(Math.abs));
    // 1e-9: the differences' h^4 = eps^(4/5) = 3e-13 times the ratio of the sixth derivative to the second along v.
    expect(Math.max(...sum.map(Math.abs)) / scale).toBeLessThan(1e-9);
    engine.dispose();
  });

  it("wants a solve before it, and refuses what is not a velocity", async () => {
    const net = network({ layers: [2, 3, 1], seed: 1 });
    const data = { sampleCount: 9, inputs: new Float64Array(18).fill(0.3), targets: new Float64Array(9) };
    const engine = create(net.architecture, data, { threads: 1 });
    const v = net.parameters.map(() => 1);
    await expect(engine.accelerate(v, null)).rejects.toMatchObject({ code: "GAUSSFLOW_STATE" });
    await sure(engine.linearize(net.parameters, { curvature: "primal", decay: 0, scaling: null }));
    await expect(engine.accelerate(v, null)).rejects.toMatchObject({ code: "GAUSSFLOW_STATE" });
    await sure(engine.solve({ damping: 1, decay: 0, scaling: null }));
    await expect(engine.accelerate(new Float64Array(3), null)).rejects.toMatchObject({ code: "GAUSSFLOW_ARGUMENT" });
    // The factor of another shift is not that of the solve.
    await sure(engine.curvatureInverse(v, 3));
    await expect(engine.accelerate(v, null)).rejects.toMatchObject({ code: "GAUSSFLOW_STATE" });
    engine.dispose();
  });

  it("wants a solve that gave a step: not one that overflowed", async () => {
    // psi = w x with x = 1e-156: G = 1e-312 has a factor, and the step r / x = 1e310 is no double.
    const net = network({ layers: [1, 1], bias: false, seed: 1 });
    const data = { sampleCount: 1, inputs: Float64Array.of(1e-156), targets: Float64Array.of(1e154) };
    const engine = create(net.architecture, data, { threads: 1 });
    await sure(engine.linearize(net.parameters, { curvature: "primal", decay: 0, scaling: null }));
    expect(await engine.solve({ damping: 0, decay: 0, scaling: null })).toMatchObject({ code: "non-finite" });
    await expect(engine.accelerate(net.parameters, null)).rejects.toMatchObject({ code: "GAUSSFLOW_STATE" });
    engine.dispose();
  });
});

function layerFactors(
  engine: NetworkEngine,
  layers: readonly { readonly weightOffset: number }[],
  scaling: Float64Array,
): Float64Array {
  const out = new Float64Array(engine.parameterCount);
  layers.forEach(({ weightOffset }, l) => {
    out.fill(scaling[l], weightOffset);
  });
  return out;
}

// The gradient's measure of the dual route: exact, or a lower bound that spares diag G as long as it is above a tolerance.

import { describe, expect, it } from "vitest";
import type { LinearizeRequest } from "../../src/backend/engine.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { levenbergMarquardt } from "../../src/index.js";
import { network } from "../../src/network/network.js";
import { minimize } from "../../src/train/minimize.js";
import { stopRules } from "../../src/train/stop.js";
import { both, difference, explicit, problems, sure, tolerance } from "../helpers/engine-problems.js";
import { waves } from "../helpers/problems.js";
import { fc } from "../helpers/property.js";

const dual = { curvature: "dual", decay: 0 } as const;

describe("the measure of the dual route", () => {
  it("above a tolerance is the bound with a unit's weights taken together, never above the exact one", async () => {
    await fc.assert(
      fc.asyncProperty(problems, async (problem) => {
        const { parameters: w, architecture } = problem;
        const seen: number[][] = [];
        await both(problem, async (engine) => {
          const ask = async (exactMeasureBelow = Number.POSITIVE_INFINITY) => {
            const scaling = new Float64Array(engine.layerCount);
            const point = await sure(engine.linearize(w, { ...dual, scaling, exactMeasureBelow }));
            return { ...point, others: [point.gradient, scaling, await engine.curvature()] };
          };
          const exact = await ask();
          const bound = await ask(0);
          const below = await ask(bound.gradientCosine * 0.999);
          const above = await ask(bound.gradientCosine * 1.001);
          // Nothing else depends on it.
          for (const { others } of [bound, below, above])
            others.forEach((values, k) => {
              expect(difference(values, exact.others[k]!), `quantity ${k}`).toBe(0);
            });
          expect(below.gradientCosine).toBe(bound.gradientCosine);
          expect(above.gradientCosine).toBe(exact.gradientCosine);
          // Both are rounded sums of the same squares.
          expect(bound.gradientCosine).toBeLessThanOrEqual(exact.gradientCosine * (1 + tolerance));
          const { J, r, rows, p } = await explicit(engine, problem);
          const squares = Float64Array.from({ length: p }, (_, j) => {
            let sum = 0;
            for (let k = 0; k < rows; k++) sum += J[k * p + j] ** 2;
            return sum;
          });
          const norm = Math.sqrt(r.reduce((sum, value) => sum + value * value, 0));
          let expected = 0;
          for (const { inputSize, outputSize, weightOffset, biasOffset } of architecture.layers)
            for (let o = 0; o < outputSize; o++) {
              const from = weightOffset + o * inputSize;
              const together = squares.subarray(from, from + inputSize).reduce((sum, value) => sum + value, 0);
              const largest = Math.max(...exact.gradient.subarray(from, from + inputSize).map(Math.abs));
              if (together > 0) expected = Math.max(expected, largest / Math.sqrt(together) / norm);
              const bias = biasOffset + o;
              if (biasOffset >= 0 && squares[bias] > 0)
                expected = Math.max(expected, Math.abs(exact.gradient[bias]) / Math.sqrt(squares[bias]) / norm);
            }
          expect(Math.abs(bound.gradientCosine - expected)).toBeLessThan(tolerance);
          seen.push([exact.gradientCosine, bound.gradientCosine]);
        });
        expect(difference(Float64Array.from(seen[0]), Float64Array.from(seen[1]))).toBeLessThan(tolerance);
      }),
      { numRuns: 40 },
    );
  });

  it("is exact by every other route, whatever is asked for", async () => {
    const { net, data } = small();
    await both({ ...net, parameters: net.parameters, data }, async (engine) => {
      for (const curvature of ["primal", "matrix-free", "orthogonal"] as const) {
        const request = { curvature, decay: 0, scaling: null };
        const exact = await sure(engine.linearize(net.parameters, request));
        const asked = await sure(engine.linearize(net.parameters, { ...request, exactMeasureBelow: 0 }));
        expect(asked.gradientCosine, `${engine.kind}, ${curvature}`).toBe(exact.gradientCosine);
      }
    });
  });

  it.each([0, 1e-3])("ends a training at the same iteration as the exact one does, decay %d", async (decay) => {
    const { net, data } = small();
    const runs = [];
    for (const exact of [true, false]) {
      const engine = createReferenceEngine(net.architecture, data);
      runs.push(await trained(exact ? exactly(engine) : engine, net.parameters, decay));
      engine.dispose();
    }
    const [reference, run] = runs;
    expect(reference!.reason.code).toBe("gradient");
    expect(run!.reason).toEqual(reference!.reason);
    expect(run!.iterations).toBe(reference!.iterations);
    expect(run!.last.parameters).toEqual(reference!.last.parameters);
    const measures = (result: typeof run) => result!.records.map(({ gradientCosine }) => gradientCosine);
    if (decay > 0) expect(measures(run)).toEqual(measures(reference));
    else expect(measures(run)[0]).toBeLessThan(measures(reference)[0]!);
  });
});

function small() {
  // More equations than parameters: residuals stay, and the measure falls.
  const net = network({ layers: [3, 5, 2], seed: 4 });
  const { inputs, targets, sampleCount } = waves(60, 3, 2, 3);
  return { net, data: { inputs, targets, sampleCount } };
}

/** The engine, whose measure is always exact. */
function exactly(engine: NetworkEngine): NetworkEngine {
  return new Proxy(engine, {
    get(target, name) {
      if (name === "linearize")
        return (w: Float64Array, { exactMeasureBelow: _, ...request }: LinearizeRequest, signal?: AbortSignal) =>
          target.linearize(w, request, signal);
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

async function trained(engine: NetworkEngine, start: Float64Array, decay: number) {
  const steps = minimize(engine, start, {
    method: levenbergMarquardt(),
    stop: stopRules({ gradient: 1e-4, step: 0, reduction: 0 }),
    route: "dual",
    decay,
  });
  for (;;) {
    const next = await steps.next();
    if (next.done) return next.value;
  }
}

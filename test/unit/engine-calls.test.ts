// The planner's answer to which calls run on another thread, against what the native engine does with them on either side of the limit.
import { describe, expect, it } from "vitest";
import type { Curvature } from "../../src/backend/curvature.js";
import { type EngineCalls, estimateCalls, type Formed } from "../../src/backend/estimate.js";
import { createNativeEngine } from "../../src/backend/native/engine.js";
import { loadNative } from "../../src/backend/native/load.js";
import { network } from "../../src/index.js";
import type { Route } from "../../src/plan/route.js";
import { iterationWork } from "../../src/plan/workload.js";
import { inPlace } from "../helpers/in-place.js";
import { waves } from "../helpers/problems.js";

const native = loadNative();

/** Two inputs, so many hidden units, one output. */
const netOf = (hidden: number) => network({ layers: [2, hidden, 1], seed: 1 });

const formed = (curvature: Curvature): Formed => ({ curvature });

/** Whether the native engine runs that call on the calling thread. */
async function staysHere(name: Exclude<keyof EngineCalls, "holdsRows">, curvature: Route, hidden: number, n: number) {
  const { architecture, parameters } = netOf(hidden);
  const { inputs, targets } = waves(n, 2, 1, 1);
  const engine = createNativeEngine(architecture, { sampleCount: n, inputs, targets }, { threads: 1 });
  const system = { damping: 1, decay: 0, scaling: null };
  await engine.linearize(parameters, { curvature, decay: 0, scaling: null });
  if (name === "accelerate") await engine.solve(system);
  const early = await inPlace(
    {
      forward: () => engine.evaluate(parameters),
      linearize: () => engine.linearize(parameters, { curvature, decay: 0, scaling: null }),
      solve: () => engine.solve(system),
      accelerate: () => engine.accelerate(parameters, null),
      product: () => engine.curvatureProduct(parameters),
    }[name],
  );
  engine.dispose();
  return early;
}

describe.skipIf(!native.ok)("calls that are planned on another thread", () => {
  const cases: [Exclude<keyof EngineCalls, "holdsRows">, Route][] = [
    ["forward", "primal"],
    ["linearize", "primal"],
    ["linearize", "dual"],
    ["linearize", "orthogonal"],
    ["linearize", "matrix-free"],
    ["solve", "primal"],
    ["solve", "dual"],
    ["solve", "orthogonal"],
    ["accelerate", "primal"],
    ["accelerate", "dual"],
    ["product", "matrix-free"],
  ];
  it.each(cases)("are those that the engine hands over: %s, %s", async (name, route) => {
    const n = name === "forward" || route === "matrix-free" ? 400 : 60;
    const planned = (hidden: number) =>
      estimateCalls("native", netOf(hidden).architecture, n, formed(route))[name] === "elsewhere";
    let hidden = 1;
    while (!planned(hidden + 1)) hidden++;
    expect(planned(hidden), "the smallest network is below the limit").toBe(false);
    expect(await staysHere(name, route, hidden, n), `${hidden} hidden units`).toBe(true);
    expect(await staysHere(name, route, hidden + 1, n), `${hidden + 1} hidden units`).toBe(false);
  });

  it("hold a subset as rows of J up to half as many equations as parameters", () => {
    const { architecture } = network({ layers: [8, 24, 24, 1], seed: 1 });
    const rows = (subset: number) =>
      estimateCalls("native", architecture, 1500, { curvature: "primal", precision: "single", subset }).holdsRows;
    const most = Math.floor(architecture.parameterCount / 2);
    expect([1, most, most + 1].map(rows)).toEqual([true, true, false]);
  });

  it.each(["primal", "dual", "orthogonal", "matrix-free"] as const)(
    "are part of the work of an iteration: %s",
    (route) => {
      const { architecture } = network({ layers: [8, 32, 32, 1], seed: 1 });
      const away = (n: number) =>
        iterationWork(route, architecture, n)
          .filter(({ operation }) => operation !== "vectors")
          .map(({ operation, run }) => [operation, run]);
      const { forward, linearize, solve, product } = estimateCalls("native", architecture, 600, formed(route));
      const curvature = {
        primal: [
          ["gram", linearize],
          ["cholesky", solve],
        ],
        dual: [
          ["kernel", linearize],
          ["cholesky", solve],
        ],
        orthogonal: [
          ["triangle", linearize],
          ["fold", solve],
        ],
        "matrix-free": [["product", product]],
      }[route];
      // 600 samples go through while the calling thread waits, and their curvature does not.
      expect([forward, linearize]).toEqual(["together", "elsewhere"]);
      expect(away(600)).toEqual([["passes", linearize], ["forward", forward], ...curvature]);
      expect(away(5000).every(([, run]) => run === "elsewhere")).toBe(true);
    },
  );
});

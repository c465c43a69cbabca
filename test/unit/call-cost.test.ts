// The planner's flops of calls against the addon's: where one begins to run on another thread is decided by the engine's own numbers.
import { describe, expect, it } from "vitest";
import { CURVATURE_CODES, nativeNetwork } from "../../src/backend/native/description.js";
import { loadNative } from "../../src/backend/native/load.js";
import { network, squaredError } from "../../src/index.js";
import { forwardCost, linearizeCost, passesCost, SYNCHRONOUS_FLOPS, solveCost } from "../../src/plan/call-cost.js";

const native = loadNative();

describe.skipIf(!native.ok)("planned flops of calls", () => {
  it.each(["primal", "dual", "orthogonal", "matrix-free"] as const)("are the engine's: %s", (route) => {
    if (!native.ok) throw new Error(native.reason);
    for (const layers of [
      [3, 4, 1],
      [40, 60, 1],
      [5, 12, 9, 7],
    ])
      for (const n of [1, 30, 70_000]) {
        const { architecture } = network({ layers, seed: 1 });
        const order = route === "dual" ? n * architecture.outputSize : architecture.parameterCount;
        const net = nativeNetwork(architecture, squaredError(), 1);
        const told = native.binding.estimateCalls(net, n, CURVATURE_CODES[route], 0, 0);
        // A few dozen roundings of sums and products of whole numbers.
        for (const [name, planned, engine] of [
          ["forward", forwardCost(architecture, n), told.forward],
          ["passes", passesCost(architecture, n), told.passes],
          ["linearize", linearizeCost(architecture, n, route), told.linearize],
          ["solve", solveCost(architecture, n, route, order), told.solve],
        ] as const)
          expect(planned / engine, `${name}, ${layers}, n = ${n}`).toBeCloseTo(1, 13);
      }
    expect(native.binding.synchronousFlops).toBe(SYNCHRONOUS_FLOPS);
  });

  it("say by the engine's rule whether a subset is held as rows of J", () => {
    if (!native.ok) throw new Error(native.reason);
    const { architecture } = network({ layers: [8, 24, 24, 1], seed: 1 });
    const net = nativeNetwork(architecture, squaredError(), 1);
    const rows = (subset: number) =>
      native.binding.estimateCalls(net, 1500, CURVATURE_CODES.primal, 1, subset).holdsRows;
    const most = Math.floor(architecture.parameterCount / 2);
    expect([1, most, most + 1].map(rows)).toEqual([true, true, false]);
  });
});

// The planner where there is no addon: the TypeScript engine is planned for, from its own numbers alone.
import { describe, expect, it, vi } from "vitest";
import { estimateCalls } from "../../src/backend/estimate.js";
import { network, plan } from "../../src/index.js";
import { COST_TABLE } from "../../src/plan/cost-table.js";
import { iterationWork } from "../../src/plan/workload.js";
import { waves } from "../helpers/problems.js";

vi.mock("../../src/backend/native/load.js", async (original) => ({
  ...(await original<typeof import("../../src/backend/native/load.js")>()),
  loadNative: () => ({ ok: false, reason: "it was left out of this test", hint: "none" }),
}));

describe("a plan without the addon", () => {
  it("has calls of the TypeScript engine, none of them on another thread", () => {
    const { architecture } = network({ layers: [8, 32, 32, 1], seed: 1 });
    const { holdsRows, ...calls } = estimateCalls("typescript", architecture, 5000, { curvature: "primal" });
    expect(new Set(Object.values(calls))).toEqual(new Set(["alone"]));
    expect(holdsRows).toBe(false);
    expect(() => iterationWork("primal", architecture, 5000)).toThrow(/native engine is not available/);
  });

  it.each(["auto", "primal", "dual", "matrix-free"] as const)("needs none: route %s", (route) => {
    const { inputs, targets } = waves(400, 8, 1, 1);
    const planned = plan(
      network({ layers: [8, 32, 32, 1], seed: 1 }),
      { inputs, targets },
      { backend: "typescript", route },
    );
    expect(planned.threads).toBe(1);
    expect(planned.chosen.seconds).toBeGreaterThan(COST_TABLE.typescript.iterationSeconds);
  });
});

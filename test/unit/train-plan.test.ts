// The planner: which route, what it costs, and what is refused before anything runs.
import { describe, expect, it } from "vitest";
import { network, train } from "../../src/index.js";
import { memoryProblem, planRoute, showBytes } from "../../src/linearise/plan.js";
import { waves } from "../helpers/problems.js";

describe("planRoute", () => {
  it("takes the smaller matrix, primal where they are equal, and counts it with its factor", () => {
    expect(planRoute(100, 100)).toMatchObject({ route: "primal", bytes: 2 * 8 * 100 ** 2 });
    expect(planRoute(101, 100)).toMatchObject({ route: "dual", bytes: 2 * 8 * 100 ** 2 });
    expect(planRoute(101, 100, "primal")).toMatchObject({ route: "primal", bytes: 2 * 8 * 101 ** 2 });
  });

  it("a plan that can not fit is told with both sizes and the way out", () => {
    const plan = planRoute(100_000, 200_000);
    expect(memoryProblem(plan, 2 ** 30)).toMatch(/primal route needs 149\.0 GiB.*has 1\.0 GiB: use fewer parameters/);
    expect(memoryProblem(plan, plan.bytes)).toBeNull();
  });

  it("shows bytes as people read them", () => {
    expect([1, 30 * 2 ** 20, 2 ** 30].map(showBytes)).toEqual(["1 MiB", "30 MiB", "1.0 GiB"]);
  });
});

describe("train", () => {
  it("refuses such a plan before an engine is made, and tells the memory of the plan it takes", async () => {
    const huge = network({ layers: [3, 1500, 1500, 1], seed: 1 });
    const data = waves(60, 3, 1, 2);
    await expect(train(huge, data, { route: "primal", backend: "typescript" })).rejects.toMatchObject({
      code: "GAUSSFLOW_MEMORY",
      message: expect.stringContaining("use fewer parameters"),
    });
    const { chosen, plan } = await train(network({ layers: [3, 4, 1] }), data, { stop: { iterations: 1 } });
    expect(chosen).toMatch(/primal route \(21 parameters are at most 51 equations; 1 MiB for matrix and factor\)/);
    expect(plan.bytes).toBe(2 * 8 * 21 ** 2);
  });
});

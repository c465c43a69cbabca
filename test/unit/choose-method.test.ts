// `method: "auto"`: Levenberg-Marquardt where its iterations are affordable, a method on batches beyond, and why.
import { describe, expect, it } from "vitest";
import { methodOf } from "../../src/cli/method-flag.js";
import { dataset, network, plan, restarts, type TrainOptions, train, trainMany } from "../../src/index.js";

const few = dataset({
  inputs: Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]),
  targets: Array.from({ length: 60 }, (_, i) => Math.sin(2 * i)),
});
const wide = {
  inputs: new Float64Array(20_000 * 8).map((_, k) => Math.sin(k * k)),
  targets: new Float64Array(20_000).map((_, k) => Math.cos(k)),
  inputSize: 8,
  outputSize: 1,
};
const small = network({ layers: [2, 4, 1], seed: 1 });
const large = network({ layers: [8, 64, 64, 1], seed: 1 });
const auto: TrainOptions = { method: "auto", backend: "typescript" };

describe('method: "auto"', () => {
  it("takes Levenberg-Marquardt on a small problem, and says why", async () => {
    const result = await train(small, few, { ...auto, stop: { iterations: 2 } });
    expect(result.plan.because).toMatch(
      /; Levenberg-Marquardt .* was chosen because 100 iterations on all rows are predicted to take .* s, and 60 s are what this choice spends on them$/,
    );
    expect(result.details).toContain("Levenberg-Marquardt");
    expect(result.plan.batch).toBeUndefined();
  });

  it("takes batches where that would take too long, and the time allowed decides", () => {
    const planned = plan(large, wide, auto);
    expect(planned.because).toMatch(
      /exact Gauss-Newton on batches .* was chosen because 100 iterations .* predicted to take \d+ s/,
    );
    expect(planned.batch).toMatchObject({ rows: 128 });
    expect(plan(large, wide, { ...auto, stop: { seconds: 1e6 } }).batch).toBeUndefined();
    expect(plan(small, few, { ...auto, stop: { seconds: 1e-6 } }).batch).toBeDefined();
  });

  it("takes Adam where the kernel of a batch does not fit the memory", () => {
    const many = network({ layers: [8, 4, 40], seed: 1 });
    const rows = 4000;
    const data = {
      ...wide,
      inputs: wide.inputs.slice(0, 8 * rows),
      targets: new Float64Array(40 * rows),
      outputSize: 40,
    };
    const short = { ...auto, stop: { seconds: 1e-6 } };
    expect(plan(many, data, { ...short, memoryLimit: 1e5 }).because).toContain("Adam was chosen");
    expect(plan(many, data, { ...short, memoryLimit: 1e11 }).because).toContain("exact Gauss-Newton");
  });

  it("heeds options that are about one kind of method", () => {
    expect(plan(large, wide, { ...auto, route: "primal" }).because).toContain("options.route is about it");
    expect(plan(large, wide, { ...auto, batchStart: true }).because).toContain("options.batchStart is about it");
    for (const rule of ["gradient", "step", "reduction"] as const)
      expect(plan(large, wide, { ...auto, stop: { [rule]: 1e-6 } }).because).toContain(
        `options.stop.${rule} is about it`,
      );
    expect(plan(small, few, { ...auto, stop: { epochs: 3 } }).because).toContain("the stop rules count epochs");
  });

  it("is chosen in worker threads as it is here", async () => {
    const jobs = restarts({ network: small, data: few, options: { ...auto, stop: { epochs: 1 } } }, 2);
    const { results } = await trainMany(jobs, { concurrency: 1 });
    for (const { result } of results) expect(result!.plan.batch).toBeDefined();
  });

  it("is a name on the command line, which has no flags of a method", () => {
    expect(methodOf({ method: "auto" })).toBe("auto");
    expect(() => methodOf({ method: "auto", rate: 1 })).toThrow("--rate is not about --method auto");
  });
});

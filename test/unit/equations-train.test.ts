// Training on equations: problems with closed forms, standard errors of unknowns against ordinary least squares, renewed points, checkpoints that
// resume bit for bit, aborts, and what is refused with the reason.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Renewal } from "../../src/equations/equation-problem.js";
import {
  bayesianRegularization,
  equations,
  gaussNewton,
  lbfgs,
  levenbergMarquardt,
  network,
  plan,
  Random,
  sample,
  train,
  trainSteps,
} from "../../src/index.js";
import type { TrainRecord } from "../../src/run/record.js";
import { equationProblem, relativeError } from "../helpers/equations.js";
import { drawPoints, jetTerm } from "../helpers/jet-problems.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-equations-"));
afterAll(() => rmSync(folder, { recursive: true }));

const even = (count: number) => Float64Array.from({ length: count }, (_, i) => (i + 0.5) / count);
const grid = Float64Array.from({ length: 101 }, (_, i) => i / 100);
const one = { outputs: ["u"], coordinates: ["x"] };

/** u'' = -pi^2 sin(pi x), u(0) = u(1) = 0: u = sin(pi x). */
async function poisson(points: number) {
  const inside = await jetTerm({
    ...one,
    name: "inside",
    firsts: ["x"],
    seconds: { xx: [[0, 0, 1]] },
    residuals: ["u_xx + pi^2*sin(pi*x)"],
    points: even(points),
    factors: [0.1],
  });
  const ends = await jetTerm({ ...one, name: "ends", residuals: ["u"], points: Float64Array.of(0, 1) });
  return equationProblem([inside, ends]);
}

/** u' = -k u, u(0) = 1 on [0, 1], with points that are drawn anew, or chosen among more, every `every` iterations. */
async function decay(renew?: { readonly every: number; readonly choose: boolean }) {
  const inside = (round: number, count: number) =>
    jetTerm({
      ...one,
      name: "inside",
      firsts: ["x"],
      residuals: ["u_x + 3*u"],
      points: drawPoints(new Random(5, round), count, 1, 0, 1),
    });
  const start = await jetTerm({ ...one, name: "start", residuals: ["u - 1"], points: Float64Array.of(0) });
  const rounds = await Promise.all(Array.from({ length: 30 }, (_, round) => inside(round, renew?.choose ? 80 : 40)));
  const largest = (sizes: Float64Array) =>
    Uint32Array.from(
      [...sizes.keys()]
        .sort((a, b) => sizes[b] - sizes[a])
        .slice(0, 40)
        .sort((a, b) => a - b),
    );
  const renewals: Renewal[] = renew
    ? [
        {
          term: 0,
          every: renew.every,
          points: (round) => rounds[round],
          choose: renew.choose ? (_, sizes) => largest(sizes) : null,
        },
      ]
    : [];
  return equationProblem([await inside(0, 40), start], {}, renewals);
}

describe("train on equations", () => {
  it("solves a linear problem in one step of Gauss-Newton", async () => {
    const inside = await jetTerm({ ...one, name: "inside", firsts: ["x"], residuals: ["u_x - 2"], points: even(5) });
    const start = await jetTerm({ ...one, name: "start", residuals: ["u - 1"], points: Float64Array.of(0) });
    const result = await train(network({ layers: [1, 1], seed: 1 }), equationProblem([inside, start]), {
      method: gaussNewton(),
    });
    expect(result.network.net.parameters[0]).toBeCloseTo(2, 14);
    expect(result.network.net.parameters[1]).toBeCloseTo(1, 14);
    expect(result.records.filter(({ accepted }) => accepted).length).toBeLessThanOrEqual(3);
    expect(result.terms.map(({ name, points }) => [name, points])).toEqual([
      ["inside", 5],
      ["start", 1],
    ]);
  });

  it("solves Poisson's equation on a line to 1e-9", async () => {
    const stop = { iterations: 300, gradient: 0, reduction: 0, step: 0 };
    const {
      network: field,
      reason,
      chosen,
    } = await train(network({ layers: [1, 20, 1], seed: 3 }), await poisson(200), { stop });
    expect(reason.code).toBe("iterations");
    expect(
      relativeError(
        field.net.predict(grid),
        grid.map((x) => Math.sin(Math.PI * x)),
      ),
    ).toBeLessThan(1e-9);
    expect(chosen).toBe(
      "Network 1-20-1 (61 parameters), trained on 202 residuals of inside (200 points), ends (2 points).",
    );
  });

  it("the geodesic acceleration is part of the steps", async () => {
    const { records } = await train(network({ layers: [1, 8, 1], seed: 1 }), await poisson(30), {
      stop: { iterations: 20 },
    });
    expect(records.some(({ accepted, acceleration }) => accepted && acceleration !== null)).toBe(true);
  });
});

describe("unknowns", () => {
  // A line fitted by unknowns alone: the closed form is that of ordinary least squares, and the network does not enter its rows.
  const x = even(40);
  const random = new Random(3, 7);
  const y = x.map((value) => 0.5 - 2 * value + 0.1 * random.normal());
  const line = (extra: object) =>
    jetTerm({
      ...one,
      name: "line",
      residuals: ["a + b*x - y"],
      points: x,
      auxiliaries: { y },
      unknowns: ["a", "b"],
      ...extra,
    });
  const sums = x.reduce(([s, q], value) => [s + value, q + value * value], [0, 0]);
  const [n, determinant] = [x.length, x.length * sums[1] - sums[0] ** 2];

  async function fitted(withNetwork: boolean) {
    const own = await line({});
    const other = await jetTerm({
      ...one,
      name: "other",
      residuals: ["u - x"],
      points: even(25),
      unknowns: ["a", "b"],
    });
    const terms = withNetwork ? [other, own] : [own];
    return train(network({ layers: [1, 1], seed: 1 }), equationProblem(terms, { a: 0, b: 0 }));
  }

  it.each([
    ["beside a network that has its own term", true],
    ["beside a network without any effect, where G is singular", false],
  ])("%s have the standard errors of least squares", async (_, withNetwork) => {
    const { unknowns } = await fitted(withNetwork);
    const { a, b } = unknowns;
    const square = x.reduce((sum, value, i) => sum + (a.value + b.value * value - y[i]) ** 2, 0);
    const noise = square / (n - 2);
    expect(a.standardError! / Math.sqrt((noise * sums[1]) / determinant)).toBeCloseTo(1, 8);
    expect(b.standardError! / Math.sqrt((noise * n) / determinant)).toBeCloseTo(1, 8);
    expect(Math.abs(b.value + 2)).toBeLessThan(4 * b.standardError!);
  });

  it("as many residuals as parameters leave nothing to estimate a noise from", async () => {
    const term = await jetTerm({
      ...one,
      name: "line",
      residuals: ["a + b*x - y"],
      points: Float64Array.of(0, 1),
      auxiliaries: { y: Float64Array.of(1, 3) },
      unknowns: ["a", "b"],
    });
    const { unknowns } = await train(network({ layers: [1, 1], seed: 1 }), equationProblem([term], { a: 0, b: 0 }));
    expect(unknowns.b.value).toBeCloseTo(2, 10);
    expect(unknowns.b.standardError).toBeNull();
  });

  it("a rate is found from a solution, next to the network that follows it", async () => {
    const points = even(40);
    const inside = await jetTerm({
      ...one,
      name: "law",
      firsts: ["x"],
      residuals: ["u_x + k*u"],
      points,
      unknowns: ["k"],
    });
    const noise = new Random(9);
    const seen = points.map((value) => Math.exp(-1.5 * value) + 0.01 * noise.normal());
    const data = await jetTerm({
      ...one,
      name: "data",
      residuals: ["u - y"],
      points,
      auxiliaries: { y: seen },
      unknowns: ["k"],
    });
    const { unknowns } = await train(
      network({ layers: [1, 8, 1], seed: 2 }),
      equationProblem([inside, data], { k: 0.3 }),
    );
    const { value, standardError } = unknowns.k;
    expect(Math.abs(value - 1.5)).toBeLessThan(3 * standardError!);
    // By linear theory with the law held exactly: sigma / |du/dk| after u(0) is fitted too.
    expect(standardError!).toBeGreaterThan(0.005);
    expect(standardError!).toBeLessThan(0.02);
  });
});

describe("points that are renewed", () => {
  const net = network({ layers: [1, 6, 1], seed: 4 });
  const stop = { iterations: 12, gradient: 0, reduction: 0, step: 0 };

  it("give losses of the new points, and a best point among those of the last ones", async () => {
    const problem = await decay({ every: 5, choose: false });
    const { records, loss, bestIteration, iterations } = await train(net, problem, { stop });
    expect(iterations).toBe(12);
    const after = (iteration: number) => records.filter((record) => record.accepted && record.iteration > iteration);
    expect(bestIteration).toBeGreaterThanOrEqual(10);
    expect(loss).toBe(Math.min(...after(10).map((record) => record.loss)));
    // With the same points throughout the run is another after the first renewal, and the same before.
    const still = await train(net, await decay(), { stop });
    const losses = (list: readonly TrainRecord[], to: number) =>
      list.filter((record) => record.accepted && record.iteration <= to).map((record) => record.loss);
    expect(losses(records, 5)).toEqual(losses(still.records, 5));
    expect(losses(records, 6).at(-1)).not.toBe(losses(still.records, 6).at(-1));
  });

  it.each([false, true])("solve the equation between the points (chosen by their residuals: %s)", async (choose) => {
    const longer = { ...stop, iterations: 60 };
    const { network: field } = await train(net, await decay({ every: 5, choose }), { stop: longer });
    const truth = grid.map((x) => Math.exp(-3 * x));
    expect(relativeError(field.net.predict(grid), truth)).toBeLessThan(1e-4);
  });

  it.each([
    ["drawn anew", false],
    ["chosen by their residuals", true],
  ])("%s: a resumed run goes on bit for bit", async (name, choose) => {
    const whole = await train(net, await decay({ every: 4, choose }), { stop });
    // In the middle of a round, at its end, and at the boundary where points are renewed.
    for (const iterations of [6, 7, 8]) {
      const path = join(folder, `${name} ${iterations}`);
      const shorter = { stop: { ...stop, iterations }, checkpoint: { path, every: 1 } };
      await train(net, await decay({ every: 4, choose }), shorter);
      const resumed = await train(net, await decay({ every: 4, choose }), { stop, resume: path });
      expect(resumed.network.net.parameters).toEqual(whole.network.net.parameters);
      expect(resumed.records.map(({ loss }) => loss)).toEqual(whole.records.map(({ loss }) => loss));
      // With nothing left to do the result is that of the run that wrote the file.
      const before = await train(net, await decay({ every: 4, choose }), { stop: shorter.stop });
      const again = await train(net, await decay({ every: 4, choose }), { stop: shorter.stop, resume: path });
      expect(again.network.net.parameters).toEqual(before.network.net.parameters);
      expect(again.loss).toBe(before.loss);
    }
  });

  it("a checkpoint of other equations is refused", async () => {
    const path = join(folder, "other");
    await train(net, await decay(), { stop, checkpoint: { path } });
    const other = await poisson(10);
    await expect(train(net, other, { stop, resume: path })).rejects.toThrow(
      /its equations, their points .* were others/,
    );
    await expect(
      train(net, await decay(), { stop, resume: path, method: levenbergMarquardt({ acceleration: false }) }),
    ).rejects.toThrow(/acceleration was true and is false/);
  });
});

describe("interruption and refusals", () => {
  const net = network({ layers: [1, 6, 1], seed: 4 });

  it("an abort ends the run with its best point, and a record at a time can be taken", async () => {
    const controller = new AbortController();
    const result = await train(net, await decay(), {
      signal: controller.signal,
      onRecord: ({ iteration }) => {
        if (iteration === 3) controller.abort();
      },
    });
    expect(result.reason.code).toBe("aborted");
    expect(result.iterations).toBe(3);
    expect(result.loss).toBe(result.records.at(-1)?.loss);
    const losses: number[] = [];
    for await (const { loss } of trainSteps(net, await decay())) {
      losses.push(loss);
      if (losses.length === 4) break;
    }
    expect(losses).toEqual(result.records.map(({ loss }) => loss).slice(0, 4));
  });

  it("equations that were not awaited are a sentence", async () => {
    const pending = equations({ a: { residual: "u_x - 1", points: sample({ x: [0, 1] }, 8) } });
    await expect(train(network({ layers: [1, 4, 1] }), pending as never)).rejects.toThrow(/data must be awaited/);
  });

  it("an unknown that nothing determines has an infinite standard error, and a warning", async () => {
    // At the only points with k the field is 0, so that the residual does not depend on it.
    const line = await equations(
      {
        inside: { residual: "u_x - 1", points: sample({ x: [0, 1] }, 64) },
        wall: { residual: "k*u", points: { x: [0] } },
      },
      { unknowns: { k: 1 }, transform: { u: "x*u" } },
    );
    const { unknowns, warnings } = await train(network({ layers: [1, 2, 1], seed: 1 }), line, {
      backend: "typescript",
    });
    expect(unknowns.k!.standardError).toBe(Number.POSITIVE_INFINITY);
    expect(warnings).toEqual([expect.stringContaining("nothing determines the unknown k")]);
  });

  it("what concerns rows of data is refused with the reason", async () => {
    const problem = await decay();
    const refused = (options: object) => expect(train(net, problem, options)).rejects;
    await refused({ validation: 0.2 }).toThrow(
      /options\.validation must be left out with equations: there are no rows/,
    );
    await refused({ monitor: {} }).toThrow(/options\.monitor must be left out/);
    await refused({ standardize: true }).toThrow(/an equation holds in the units/);
    await refused({ route: "dual" }).toThrow(/"auto" or "primal"/);
    await refused({ method: lbfgs() }).toThrow(/levenbergMarquardt\(\) or gaussNewton\(\)/);
    await refused({ method: bayesianRegularization() }).toThrow(/without a weight decay of its own/);
    await refused({ treads: 2 }).toThrow(/did you mean "threads"/);
    await refused({ memoryLimit: 1e6 }).toThrow(/needs .* at its peak .* and the memory limit is/);
    await expect(train(network({ layers: [1, 3, 1], centered: true }), problem)).rejects.toThrow(/centered/);
    const units = await train(net, { inputs: [[0], [1], [2]], targets: [0, 1, 5] }, { stop: { iterations: 1 } });
    await expect(train(units.network, problem)).rejects.toThrow(/without the units/);
  });

  it("the plan says what a run needs, and the result has it", async () => {
    const problem = await decay();
    const planned = plan(net, problem, { backend: "typescript" });
    expect(planned).toMatchObject({ parameterCount: 19, equationCount: 41, threads: 1 });
    expect(planned.bytes).toBe(Object.values(planned.parts).reduce((sum, bytes) => sum + bytes, 0));
    expect(planned.parts.matrices).toBe(2 * 8 * 19 ** 2);
    const result = await train(net, problem, { backend: "typescript", stop: { iterations: 1 } });
    expect(result.plan).toEqual(planned);
    expect(() => plan(net, problem, { route: "dual" } as object)).toThrow(/options\.route/);
  });

  it("a residual that is not finite at the start ends the run with its name", async () => {
    const term = await jetTerm({ ...one, name: "inside", residuals: ["u - log(x)"], points: Float64Array.of(1, -1) });
    const { reason, unknowns, terms } = await train(net, equationProblem([term], {}));
    expect(reason).toMatchObject({
      code: "non-finite",
      message: 'residual of "inside" is not finite, first at point 1',
    });
    expect(unknowns).toEqual({});
    expect(terms).toEqual([]);
  });
});

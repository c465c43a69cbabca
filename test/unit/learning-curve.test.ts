// Learning curves: the law against numbers it was made from, errors by rows on sets whose answer is known, nested parts, and what is refused.
import { describe, expect, it } from "vitest";
import { type Dataset, dataset, learningCurve, network, Random } from "../../src/index.js";
import { fitLaw, lawAt } from "../../src/jobs/learning-law.js";

const fixed = { backend: "typescript", validation: false, stop: { iterations: 30 } } as const;

/** A linear function of five inputs with noise. */
function linear(rows: number, noise: number): Dataset {
  const random = new Random(4, 0);
  const inputs = Array.from({ length: rows }, () => Array.from({ length: 5 }, () => random.normal()));
  return dataset({ inputs, targets: inputs.map((x) => x[0]! - 2 * x[1]! + noise * random.normal()) });
}

/** A function of ten inputs that a few rows do not determine. */
function bumpy(rows: number): Dataset {
  const random = new Random(8, 0);
  const inputs = Array.from({ length: rows }, () => Array.from({ length: 6 }, () => random.uniform()));
  const target = (x: readonly number[]) => Math.sin(5 * x[0]! * x[1]!) + (x[2]! - 0.5) ** 2 * 4 + x[3]! * x[4]!;
  return dataset({ inputs, targets: inputs.map(target) });
}

describe("the law", () => {
  const rows = [10, 20, 40, 80, 160];
  it.each([
    [0.3, 5, 1],
    [0, 2, 0.5],
    [1, 30, 1.4],
  ])("of %f + %f m^-%f is found from its values", (floor, scale, exponent) => {
    const law = fitLaw(rows, rows.map((m) => floor + scale * m ** -exponent))!; // biome-ignore format: one call
    expect(law.exponent).toBeCloseTo(exponent, 10);
    expect(law.floor).toBeCloseTo(floor, 10);
    expect(lawAt(law, 1000)).toBeCloseTo(floor + scale * 1000 ** -exponent, 10);
  });

  it("is flat where the values rise, and there is none for two points or a zero", () => {
    expect(fitLaw(rows, [1, 1.1, 1.2, 1.3, 1.4])).toMatchObject({ scale: 0 });
    expect(fitLaw([10, 20], [2, 1])).toBeNull();
    expect(fitLaw(rows, [1, 0.5, 0.2, 0.1, 0])).toBeNull();
  });
});

describe("errors by rows", () => {
  it("of a linear model with noise end at the noise: more rows would hardly help", async () => {
    const job = { network: network({ layers: [5, 1], seed: 1 }), data: linear(400, 0.5), options: fixed };
    const { targets, many } = await learningCurve(job, { folds: 4 });
    const [curve] = targets;
    expect(curve!.measure).toBe("rmse");
    expect(curve!.points.map(({ rows }) => rows)).toEqual([19, 33, 57, 99, 173, 300]);
    expect(many.results).toHaveLength(24);
    // 400 rows know the noise of 0.5 to a standard deviation of 0.5 / sqrt(800) = 0.018.
    expect(curve!.points.at(-1)!.error).toBeGreaterThan(0.44);
    expect(curve!.points.at(-1)!.error).toBeLessThan(0.56);
    expect(curve!.floor).toBeGreaterThan(0.4);
    expect(curve!.floor).toBeLessThan(0.56);
    expect(curve!.points[0]!.error).toBeGreaterThan(curve!.points.at(-1)!.error);
    // Least squares with 6 parameters: excess 6 / m of the squared noise.
    expect(curve!.twice!.reduction).toBeLessThan(0.03);
    expect(curve!.more).toBe("no");
    expect(curve!.message).toMatch(
      /^more rows would hardly help: twice as many would lower the RMSE from 0\.\d+ at 400 rows to about 0\.\d+ at 800, by /,
    );
  });

  it("of a function without noise still fall: more rows would help", async () => {
    const job = { network: network({ layers: [6, 8, 1], seed: 1 }), data: bumpy(250), options: fixed };
    const [curve] = (await learningCurve(job, { folds: 4, sizes: [187, 24, 48, 96] })).targets;
    expect(curve!.points.map(({ rows }) => rows)).toEqual([24, 48, 96, 187]);
    const errors = curve!.points.map(({ error }) => error);
    expect(errors).toEqual(errors.toSorted((a, b) => b - a));
    expect(curve!.more).toBe("yes");
    expect(curve!.twice!.error).toBeLessThan(errors.at(-1)!);
  });

  it("are root mean squares of the folds' errors, and smaller parts are parts of larger ones", async () => {
    const job = { network: network({ layers: [5, 1], seed: 1 }), data: linear(60, 0.5), options: fixed };
    const { targets, many } = await learningCurve(job, { folds: 3, sizes: [10, 20, 40] });
    for (const { error, folds } of targets[0]!.points)
      expect(error).toBeCloseTo(Math.sqrt(folds.reduce((sum, one) => sum + one * one, 0) / 3), 12);
    const rowsOf = (k: number) => Array.from((many.results[k]!.job.data as Dataset).targets);
    expect(rowsOf(0)).toHaveLength(10);
    for (const row of rowsOf(0)) expect(rowsOf(3)).toContain(row);
    for (const row of rowsOf(3)) expect(rowsOf(6)).toContain(row);
    // The rows of the fold that is held out are in none of them.
    for (const row of many.results[6]!.job.fold!.held.targets) expect(rowsOf(6)).not.toContain(row);
  });

  it("of classes are log-losses, one curve a target", async () => {
    const random = new Random(2, 0);
    const inputs = Array.from({ length: 120 }, () => [random.normal(), random.normal()]);
    const targets = inputs.map(([a, b]) => (a! + b! + 0.5 * random.normal() > 0 ? "yes" : "no"));
    const data = dataset({ inputs, targets });
    const job = { network: network({ layers: [2, 2], seed: 1 }), data, options: fixed };
    const [curve] = (await learningCurve(job, { folds: 3 })).targets;
    expect(curve!.measure).toBe("log-loss");
    expect(curve!.points.at(-1)!.error).toBeLessThan(Math.log(2));
    expect(curve!.message).toMatch(/log-loss/);
  });
});

describe("what is refused", () => {
  const job = { network: network({ layers: [5, 1], seed: 1 }), data: linear(30, 0.5), options: fixed };
  it.each([
    [{ sizes: [5, 10] }, /at least three different/],
    [{ sizes: [5, 10, 100] }, /options\.sizes\[2\] must be at most the 24 rows/],
    [{ sizes: [5, 10, 1.5] }, /options\.sizes\[2\]/],
    [{ folds: 1 }, /folds/],
    [{ size: 3 } as object, /no option of that name/],
  ])("%j", async (options, message) => {
    await expect(learningCurve(job, options)).rejects.toThrow(message);
  });
});

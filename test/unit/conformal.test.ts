// Conformal intervals: order statistics against their definition, the share of new observations inside whatever the noise, from held-out rows
// and from folds, and what is refused.
import { describe, expect, it } from "vitest";
import {
  conformal,
  crossConformal,
  crossValidate,
  type Dataset,
  dataset,
  ensemble,
  gaussianNll,
  type Network,
  network,
  Random,
  softmaxCrossEntropy,
  train,
} from "../../src/index.js";
import { neededRank, neededRows, RankedList, unionOrder } from "../../src/uncertainty/conformal-rank.js";

const random = new Random(3, 0);
const draws = (count: number) => Float64Array.from({ length: count }, () => Math.abs(random.normal()));

/** Noises of mean 0 by name; the last depends on the input. */
const NOISES: Readonly<Record<string, (random: Random, x: number) => number>> = {
  normal: (r) => 0.3 * r.normal(),
  "heavy-tailed": (r) => (0.2 * r.normal()) / Math.sqrt((r.normal() ** 2 + r.normal() ** 2) / 2),
  skewed: (r) => 0.3 * (-Math.log(1 - r.uniform()) - 1),
  heteroscedastic: (r, x) => (0.05 + 0.2 * Math.abs(x)) * r.normal(),
};

/** A straight line and noise. */
function line(seed: number, rows: number, noise: (random: Random, x: number) => number): Dataset {
  const r = new Random(seed, 4);
  const inputs = Array.from({ length: rows }, () => [-3 + 6 * r.uniform()]);
  return dataset({ inputs, targets: inputs.map(([x]) => x! + noise(r, x!)) });
}

const fixed = { validation: false, backend: "typescript" } as const;
const linear = network({ layers: [1, 1], seed: 1 });

/** Share of rows whose target is between the ends. */
async function share(
  intervals: { predict: Awaited<ReturnType<typeof conformal>>["predict"] },
  test: Dataset,
  level: number,
) {
  const { lower, upper } = await intervals.predict(test.inputs, { intervals: level, backend: "typescript" });
  return test.targets.filter((y, i) => y >= lower[i]! && y <= upper[i]!).length / test.sampleCount;
}

describe("order statistics", () => {
  it("the rank is the least that keeps the share", () => {
    for (const n of [9, 19, 20, 99, 199, 1000])
      for (const level of [0.5, 0.8, 0.9]) {
        const k = neededRank(level, n);
        expect(k).toBeLessThanOrEqual(n);
        expect(k / (n + 1)).toBeGreaterThanOrEqual(level - 1e-15);
        expect((k - 1) / (n + 1)).toBeLessThan(level - 1e-15);
      }
  });

  it("the rows that a share needs are the least whose largest share it is", () => {
    expect([0.1, 0.5, 0.75, 0.8, 0.9, 0.95, 0.99, 0.999].map(neededRows)).toEqual([1, 1, 3, 4, 9, 19, 99, 999]);
    for (let n = 1; n < 3000; n++) expect(neededRows(n / (n + 1))).toBe(n);
  });

  it("of a union of lists are NaN where a center or a scale is not finite", () => {
    const errors = new RankedList(Float64Array.of(1, 2, 3));
    const one = { center: 5, scale: 1, errors };
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      for (const other of [{ center: bad }, { scale: bad }])
        expect(unionOrder([{ ...one, ...other }, one], 4)).toBeNaN();
  });

  it("of a union of lists are those of the sorted union", () => {
    const lists = [7, 1, 30].map((count, k) => ({
      center: k - 1,
      scale: 0.5 + k,
      errors: new RankedList(draws(count)),
    }));
    const union = lists
      .flatMap(({ center, scale, errors }) =>
        Array.from({ length: errors.length }, (_, k) => center + scale * errors.at(k + 1)),
      )
      .sort((a, b) => a - b);
    // The quotient by which errors are counted rounds: a few units in the last place of sums up to 10.
    union.forEach((value, k) => {
      expect(Math.abs(unionOrder(lists, k + 1) - value)).toBeLessThan(1e-14);
    });
    const one = { center: -2, scale: 3, errors: new RankedList(Float64Array.of(3, 1, 2)) };
    expect([1, 2, 3].map((k) => unionOrder([one], k))).toEqual([1, 4, 7]);
  });
});

describe.each(Object.entries(NOISES))("%s noise", (_, noise) => {
  // 400 held-out sets of 19: the share at 0.9 is exactly 18 of 20 on average, of 400 x 50 rows with a deviation of about 0.4%.
  it("a split holds the asked share on average", async () => {
    let sum = 0;
    const { network: net } = await train(linear, line(1, 30, noise), fixed);
    for (let seed = 2; seed < 402; seed++) {
      const intervals = await conformal(net, line(seed, 19, noise), { backend: "typescript" });
      sum += await share(intervals, line(10_000 + seed, 50, noise), 0.9);
    }
    expect(sum / 400).toBeGreaterThan(0.88);
    expect(sum / 400).toBeLessThan(0.92);
  });

  it("folds hold it, too", async () => {
    let sum = 0;
    for (let seed = 1; seed <= 25; seed++) {
      const validated = await crossValidate(
        { network: linear, data: line(seed, 60, noise), options: fixed },
        { folds: 5 },
      );
      sum += await share(
        await crossConformal(validated, { backend: "typescript" }),
        line(10_000 + seed, 400, noise),
        0.9,
      );
    }
    // 25 sets of 60 rows: 0.04 a set, 0.008 of the mean.
    expect(sum / 25).toBeGreaterThan(0.875);
    expect(sum / 25).toBeLessThan(0.94);
  });
});

describe("intervals", () => {
  const noise = NOISES.heteroscedastic!;
  const test = line(99, 2000, noise);

  it("follow the deviation that a network of a Gaussian likelihood predicts", async () => {
    const net = network({ layers: [1, 4, 2], seed: 1 });
    const { network: own } = await train(net, line(1, 300, noise), { ...fixed, loss: gaussianNll() });
    const intervals = await conformal(own, line(2, 200, noise), { backend: "typescript" });
    expect(intervals.scaled).toBe(true);
    expect(await share(intervals, test, 0.9)).toBeGreaterThan(0.86);
    const { lower, upper } = await intervals.predict([[0], [3]], { backend: "typescript" });
    expect(upper[1]! - lower[1]!).toBeGreaterThan(4 * (upper[0]! - lower[0]!));
  });

  it("of an ensemble are around its mean, and those of a network of one width", async () => {
    const data = line(1, 60, noise);
    const { network: own } = await train(linear, data, fixed);
    const other = (await train(linear, line(5, 60, noise), fixed)).network;
    const together = ensemble([own, other]);
    const intervals = await conformal(together, line(2, 99, noise), { backend: "typescript" });
    const { mean, lower, upper, distributionFree } = await intervals.predict([[0], [3]], { backend: "typescript" });
    expect(distributionFree).toBe(true);
    expect(intervals).toMatchObject({ kind: "split", samples: 99, scaled: false, warnings: [] });
    const expected = together.predict([[0], [3]]).mean;
    for (const k of [0, 1]) {
      expect(mean[k]).toBeCloseTo(expected[k]!, 12);
      expect(upper[k]! - mean[k]!).toBeCloseTo(upper[0]! - mean[0]!, 12);
      expect(mean[k]! - lower[k]!).toBeCloseTo(upper[0]! - mean[0]!, 12);
    }
  });

  it("are by the rows with a weight, and their ends are errors of theirs", async () => {
    const { network: own } = await train(linear, line(1, 60, noise), fixed);
    const held = line(2, 20, noise);
    const weights = held.targets.map((_, i) => (i === 7 ? 0 : 2));
    const inputs = Array.from(held.inputs, (x) => [x]);
    const some = dataset({ inputs, targets: held.targets, weights });
    const intervals = await conformal(own, some, { backend: "typescript" });
    expect(intervals.samples).toBe(19);
    const errors = [...held.targets]
      .map((y, i) => Math.abs(y - own.predict([inputs[i]!])[0]!))
      .filter((_, i) => i !== 7);
    const { mean, upper } = await intervals.predict([[1]], { intervals: 0.9, backend: "typescript" });
    expect(upper[0]! - mean[0]!).toBeCloseTo(errors.sort((a, b) => a - b)[17]!, 12);
  });

  it("warn where the held-out rows were trained on", async () => {
    const data = line(1, 60, noise);
    const { network: own } = await train(linear, data, fixed);
    const { warnings } = await conformal(own, data, { backend: "typescript" });
    expect(warnings).toEqual([expect.stringContaining("all of the rows that the model was trained on")]);
  });

  it("of folds are around the mean of their networks", async () => {
    const validated = await crossValidate({ network: linear, data: line(1, 60, noise), options: fixed }, { folds: 4 });
    const intervals = await crossConformal(validated, { backend: "typescript" });
    expect(intervals).toMatchObject({ kind: "cross", samples: 60 });
    const { mean } = await intervals.predict([[0.5]], { backend: "typescript" });
    const networks = validated.folds.map(({ best }) => best!.result!.network as Network);
    expect(mean[0]).toBeCloseTo(ensemble(networks).predict([[0.5]]).mean[0]!, 12);
  });
});

describe("what is refused", () => {
  const message = (call: () => Promise<unknown>) => call().then(() => "", (error: Error) => error.message); // biome-ignore format: a line
  it("a share that the rows are too few for, with the number that it needs", async () => {
    const intervals = await conformal(linear, line(1, 9, NOISES.normal!), { backend: "typescript" });
    expect(intervals.most).toBe(0.9);
    const text = await message(() => intervals.predict([[1]], { intervals: 0.95 }));
    expect(text).toMatch(/options\.intervals must be .* at most 0\.9000, because 9 held-out rows .* at least 19/);
    await intervals.predict([[1]], { intervals: 0.9, backend: "typescript" });
    const eight = await conformal(linear, line(1, 8, NOISES.normal!), { backend: "typescript" });
    expect(await message(() => eight.predict([[1]], { intervals: 0.9 }))).toMatch(/hold out at least 9 for it/);
  });

  it("rows whose errors are not finite, and predictions that are not have no interval", async () => {
    const steep = (rows: number) => {
      const { inputs, targets } = line(rows, rows, NOISES.normal!);
      return dataset({ inputs: Array.from(inputs, (x) => [x]), targets: targets.map((y) => 10 * y) });
    };
    const { network: own } = await train(linear, steep(30), fixed);
    const far = dataset({ inputs: [[0], [1e308]], targets: [0, 0] });
    expect(await message(() => conformal(own, far, { backend: "typescript" }))).toMatch(
      /in row 2 of the held-out rows/,
    );
    const validated = await crossValidate({ network: linear, data: steep(60), options: fixed }, { folds: 5 });
    const intervals = await crossConformal(validated, { backend: "typescript" });
    const { lower, upper } = await intervals.predict([[1e308], [0]], { backend: "typescript" });
    expect([lower[0], upper[0]]).toEqual([Number.NaN, Number.NaN]);
    expect(lower[1]).toBeLessThan(upper[1]!);
  });

  it("probabilities, rows of another width, and what is no cross-validation", async () => {
    const classes = network({ layers: [1, 2], seed: 1 });
    const data = { inputs: [[1], [2], [3], [4]], targets: ["a", "b", "a", "b"] };
    const { network: own } = await train(classes, data, { ...fixed, loss: softmaxCrossEntropy({ decay: 1 }) });
    expect(await message(() => conformal(own, data as never))).toMatch(/must predict numbers/);
    expect(await message(() => conformal(linear, dataset({ inputs: [[1, 2]], targets: [1] })))).toMatch(/heldOut/);
    expect(await message(() => crossConformal({} as never))).toMatch(/validated must be/);
  });
});

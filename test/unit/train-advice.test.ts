// Advice after a training: each rule where it speaks, where it is silent, and on real runs through train().
import { describe, expect, it } from "vitest";
import { squaredError } from "../../src/loss/squared-error.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import { type AdviceFacts, type AdvicePoint, adviceAfter } from "../../src/train/advice.js";
import { train } from "../../src/train/train.js";

/** A run on plenty of rows that ended of its own accord at errors equal on both parts. */
const good: AdviceFacts = {
  parameters: 50,
  lossName: "mean squared error",
  inFile: false,
  rows: 1000,
  outputs: 1,
  validationRows: 200,
  decay: 0,
  reason: "patience",
  points: falling(30, 1),
  kept: 29,
  loss: 0.1,
  validationLoss: 0.11,
  decayShare: 0,
};

/** Losses from 1 down, by one factor an iteration, the same on both parts. */
function falling(count: number, factor: number): AdvicePoint[] {
  return Array.from({ length: count }, (_, k) => ({ loss: factor ** k, validationLoss: factor ** k }));
}

const codes = (changed: Partial<AdviceFacts>) => adviceAfter({ ...good, ...changed }).map(({ code }) => code);

describe("advice", () => {
  it("is silent where nothing speaks for a change", () => {
    expect(adviceAfter(good)).toEqual([]);
    expect(codes({ decay: 0.1, decayShare: 0.05 })).toEqual([]);
    expect(codes({ validationRows: 0, validationLoss: null })).toEqual([]);
    // An abort before the first iteration.
    expect(codes({ loss: Number.NaN, points: [], parameters: 5000, validationRows: 0, validationLoss: null })).toEqual(
      [],
    );
  });

  it("sees overfitting: more rows and a decay, fewer units where parameters are many, rows alone where errors are small", () => {
    const crowded = { parameters: 370, rows: 280, validationRows: 59, loss: 0.05, validationLoss: 0.12 };
    expect(codes(crowded)).toEqual(["overfitting"]);
    expect(adviceAfter({ ...good, ...crowded })[0]?.message).toMatch(
      /2\.4 times that on the training rows: more training rows would help most, and a weight decay \(such as 1\) .* With 370 parameters for 280 rows, fewer hidden units/,
    );
    expect(codes({ loss: 0.05, validationLoss: 0.12 })).toEqual(["overfitting"]);
    expect(adviceAfter({ ...good, loss: 0.05, validationLoss: 0.12 })[0]?.message).not.toMatch(/hidden units/);
    expect(codes({ loss: 0.001, validationLoss: 0.003 })).toEqual(["rows"]);
    // A larger decay, where there is one.
    expect(adviceAfter({ ...good, decay: 0.1, loss: 0.05, validationLoss: 0.12 })[0]?.message).toMatch(
      /one larger than 0\.1/,
    );
  });

  it("does not call chance overfitting: few validation rows must show more", () => {
    const ratio = { loss: 0.1, validationLoss: 0.15 };
    expect(codes({ ...ratio, validationRows: 200 })).toEqual(["overfitting"]);
    expect(codes({ ...ratio, validationRows: 20 })).toEqual([]);
    // Errors of a noise-free fit are small on both parts.
    expect(codes({ loss: 1e-9, validationLoss: 1e-8 })).toEqual([]);
  });

  it("warns of errors that say nothing: many parameters, few rows, none held out", () => {
    const bare = { parameters: 13, rows: 15, validationRows: 0, validationLoss: null };
    expect(codes(bare)).toEqual(["few-rows"]);
    expect(adviceAfter({ ...good, ...bare })[0]?.message).toMatch(
      /^13 parameters were fitted to 15 rows and none were held out/,
    );
    // What can be cut into folds is a table in memory.
    expect(adviceAfter({ ...good, ...bare })[0]?.message).toMatch(/A cross-validation says more/);
    const file = adviceAfter({ ...good, ...bare, inFile: true })[0]?.message;
    expect(file).toMatch(/Rows kept out of the data file say more/);
    expect(file).not.toMatch(/cross-validation/);
    // Equations count, not rows.
    expect(codes({ ...bare, outputs: 4 })).toEqual([]);
  });

  it("sees a weight decay that holds the error up, unless overfitting says it is needed", () => {
    expect(codes({ decay: 0.01, decayShare: 0.9 })).toEqual(["decay"]);
    expect(adviceAfter({ ...good, decay: 0.01, decayShare: 0.9 })[0]?.message).toMatch(
      /is 90% of what was minimized.*0\.0001, or none/,
    );
    expect(codes({ decay: 0.01, decayShare: 0.9, loss: 0.05, validationLoss: 0.12 })).toEqual(["overfitting"]);
  });

  it("asks for more iterations where the limit cut a run off that still fell", () => {
    const cut = {
      reason: "iterations",
      points: falling(21, 0.98),
      kept: 20,
      loss: 0.66,
      validationLoss: 0.67,
    } as const;
    expect(codes(cut)).toEqual(["iterations"]);
    expect(adviceAfter({ ...good, ...cut })[0]?.message).toMatch(/by 7\.8% in the last 4 iterations/);
    expect(codes({ ...cut, reason: "gradient" })).toEqual([]);
    // The validation loss was best long before: more would overfit.
    expect(codes({ ...cut, kept: 5 })).toEqual([]);
    expect(codes({ ...cut, points: falling(21, 0.9999) })).toEqual([]);
  });
});

describe("advice of train()", () => {
  const inputs = Array.from({ length: 200 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
  const targets = inputs.map(([a = 0, b = 0]) => a * b + Math.sin(2 * a));

  it("names a decay that dominates a noise-free fit, and following it lowers the held-out error", async () => {
    const run = (decay: number) =>
      train(network({ layers: [2, 8, 1], seed: 1 }), { inputs, targets }, { loss: squaredError({ decay }) });
    const [before, after] = [await run(0.01), await run(0.0001)];
    expect(before.advice.map(({ code }) => code)).toEqual(["decay"]);
    expect(after.validationLoss).toBeLessThan((before.validationLoss ?? 0) / 4);
  });

  it("stays silent where a small network has reached the noise of its data", async () => {
    const random = new Random(3);
    const noisy = targets.map((y) => y + 0.3 * random.normal());
    const { advice } = await train(network({ layers: [2, 2, 1], seed: 1 }), { inputs, targets: noisy });
    expect(advice).toEqual([]);
  });

  it("warns where 15 rows meet 13 parameters", async () => {
    const few = { inputs: inputs.slice(0, 15).map(([a = 0]) => [a]), targets: targets.slice(0, 15) };
    const { advice } = await train(network({ layers: [1, 4, 1], seed: 1 }), few, { stop: { iterations: 20 } });
    expect(advice.map(({ code }) => code)).toContain("few-rows");
  });
});

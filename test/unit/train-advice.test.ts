// Advice after a training: each rule where it speaks, where it is silent, and on real runs through train().
import { describe, expect, it } from "vitest";
import { logistic } from "../../src/loss/logistic.js";
import { softmaxCrossEntropy } from "../../src/loss/softmax-cross-entropy.js";
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
  terms: 1,
  classes: null,
  validationRows: 200,
  decay: 0,
  reason: "patience",
  points: falling(30, 1),
  kept: 29,
  loss: 0.1,
  validationLoss: 0.11,
  decayShare: 0,
  floor: null,
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

  it("names deviations at their floor first, however few", () => {
    const floor = { atFloor: 3, targets: 40, least: 1e-3 };
    expect(codes({ floor, loss: 0.05, validationLoss: 0.12 })).toEqual(["floor", "overfitting"]);
    expect(adviceAfter({ ...good, floor })[0]?.message).toMatch(
      /3 of 40 training targets \(0\.001 in the units of training\)/,
    );
    expect(codes({ floor: { ...floor, atFloor: 0 } })).toEqual([]);
  });

  it("says nothing of a fall of losses below 0, of which no share is known", () => {
    const epochs = [0, 0.5, 1, 1.5].map((epoch) => ({ epoch, loss: 1 / (1 + 1e6 * epoch), validationLoss: null }));
    const [cut] = adviceAfter({ ...good, reason: "iterations", points: epochs, kept: 3, validationLoss: null });
    expect(cut!.message).toContain("(by 33% in the last 0.5 epochs): allow more epochs.");
    const [first] = adviceAfter({
      ...good,
      reason: "seconds",
      points: epochs.slice(0, 2),
      kept: 1,
      validationLoss: null,
    });
    expect(first!.message).toContain("(by 100% in the last 0.5 epochs): allow more time.");
    const points = [0.5, -1, -2].map((loss) => ({ loss, validationLoss: loss }));
    expect(codes({ reason: "iterations", points, kept: 2, loss: -2, validationLoss: -2 })).toEqual([]);
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
    expect(codes({ ...bare, outputs: 4, terms: 4 })).toEqual([]);
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

describe("advice about classes", () => {
  const even = { names: ["a", "b"], shares: [0.5, 0.5] };

  it("sees inputs that say next to nothing, unless the run was cut off or a decay holds it", () => {
    const blind = { classes: even, loss: 0.68, validationLoss: 0.69 };
    expect(codes(blind)).toEqual(["underfitting"]);
    // 0.68 / log 2.
    expect(adviceAfter({ ...good, ...blind })[0]?.message).toMatch(
      /is 98% of that of the class shares alone.* more hidden/,
    );
    expect(adviceAfter({ ...good, ...blind, decay: 2 })[0]?.message).toMatch(/a decay smaller than 2 may help/);
    expect(codes({ ...blind, loss: 0.6, validationLoss: 0.61 })).toEqual([]);
    expect(codes({ ...blind, reason: "iterations" })).not.toContain("underfitting");
    expect(codes({ ...blind, decay: 2, decayShare: 0.6 })).toEqual(["decay"]);
    // A target of one class has nothing to be said about.
    expect(codes({ ...blind, classes: { names: ["a", "b"], shares: [1, 0] } })).not.toContain("underfitting");
  });

  it("names a rare class and what always answering the common one would score", () => {
    const rare = { names: ["fraud", "ok"], shares: [0.008, 0.992] };
    const facts = { classes: rare, loss: 0.01, validationLoss: 0.011 };
    expect(codes(facts)).toEqual(["imbalance"]);
    expect(adviceAfter({ ...good, ...facts })[0]?.message).toMatch(
      /"fraud" has 0\.80% of the training rows, and an answer that is always "ok" is right for 99\.20% of them/,
    );
    const rarest = { names: ["fraud", "ok", "never"], shares: [0.00086, 0.99914, 0] };
    expect(adviceAfter({ ...good, classes: rarest, loss: 0.001, validationLoss: 0.0011 })[0]?.message).toMatch(
      /"fraud" has 0\.086% of the training rows, and an answer that is always "ok" is right for 99\.914% of them/,
    );
    // Weights cannot help a class without rows.
    expect(codes({ ...facts, classes: { names: ["a", "b", "c"], shares: [0.5, 0, 0.5] } })).toEqual([]);
    expect(codes({ ...facts, classes: { names: ["a", "b"], shares: [1, 0] } })).toEqual([]);
    expect(codes({ ...facts, classes: even })).toEqual([]);
    // A thousand classes are rare one by one, and even.
    const many = Array.from({ length: 1000 }, (_, a) => `${a}`);
    expect(codes({ ...facts, classes: { names: many, shares: many.map(() => 0.001) } })).toEqual([]);
    const uneven = [0.001, 0.499, 0.5];
    expect(codes({ ...facts, classes: { names: ["a", "b", "c"], shares: uneven } })).toEqual(["imbalance"]);
  });

  it("does not call chance overfitting: a log-loss varies more than a mean of squares", () => {
    // 2 standard errors: 1 + 2 * 2 / sqrt(100) for a log-loss, 1 + 2 * sqrt(2 / 100) = 1.28, raised to 1.3, for squares.
    const ratio = { loss: 0.1, validationLoss: 0.135, validationRows: 100 };
    expect(codes(ratio)).toEqual(["overfitting"]);
    expect(codes({ ...ratio, classes: even })).toEqual([]);
    expect(codes({ ...ratio, classes: even, validationLoss: 0.145 })).toEqual(["overfitting"]);
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

  it("counts the classes of the target, with sample weights", async () => {
    const rare = inputs.map((_, i) => Number(i % 20 === 0));
    const decay = 1;
    const run = (weights?: number[]) =>
      train(network({ layers: [2, 3, 1], seed: 1 }), { inputs, targets: rare, weights }, { loss: logistic({ decay }) });
    expect((await run()).advice.map(({ code }) => code)).toContain("imbalance");
    const balanced = await run(rare.map((y) => (y === 1 ? 19 : 1)));
    expect(balanced.advice.map(({ code }) => code)).not.toContain("imbalance");
  });

  it("says that inputs of pure noise say little about the class", async () => {
    const random = new Random(4);
    const noise = inputs.map(() => [random.normal()]);
    const targets = inputs.map((_, i) => [Number(i % 2 === 0), Number(i % 2 === 1)]);
    const { advice } = await train(
      network({ layers: [1, 2, 2], seed: 1 }),
      { inputs: noise, targets },
      { loss: softmaxCrossEntropy({ decay: 2 }), validation: false },
    );
    expect(advice.map(({ code }) => code)).toContain("underfitting");
  });
});

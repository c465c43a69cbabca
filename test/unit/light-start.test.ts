// The start of a training with weight decay (train/light-start.ts): a few iterations with a tenth of it, where the rule says so.
import { describe, expect, it } from "vitest";
import {
  exactGaussNewton,
  gaussianNll,
  huber,
  type Loss,
  logCosh,
  type Network,
  network,
  networkOf,
  poisson,
  Random,
  squaredError,
  type TrainOptions,
  train,
} from "../../src/index.js";

const random = new Random(17, 1);
const smooth = ([a, b, c, d]: readonly number[]) => Math.sin(2 * a!) + b! * b! - 0.5 * c! * d!;
const inputs = Array.from({ length: 600 }, () => Array.from({ length: 4 }, () => 2 * random.uniform() - 1));
/** Noise, and one row in ten far away. */
const outliers = inputs.map(
  (row, i) => smooth(row) + 0.1 * random.normal() + (i % 10 === 0 ? 3 * Math.sign(random.normal()) : 0),
);
const counts = inputs.map((row) => Math.round(Math.exp(0.5 + smooth(row))));
const data = { inputs, targets: outliers };
const plain = { standardize: false, validation: false, threads: 1, backend: "typescript" } as const;
const lossWith = huber({ delta: 0.2, decay: 2 });
const drawn = (seed: number) => network({ layers: [4, 10, 1], seed });

/** The same parameters without a draw: trained as they are. */
const given = ({ options: { layers, activation }, parameters }: Network) =>
  networkOf({ layers, activation, parameters });

const ends = async (net: Network, loss: Loss, more: TrainOptions = {}, rows = data) =>
  (await train(net, rows, { ...plain, loss, stop: { iterations: 3 }, ...more })).last.parameters;

describe("a training with weight decay", () => {
  it.each<[string, (share: number) => Loss]>([
    ["huber", (share) => huber({ delta: 0.2, decay: 2 * share })],
    ["log-cosh", (share) => logCosh({ decay: 0.5 * share })],
  ])("with %s begins where eight iterations with a tenth of the decay end", async (_, lossOf) => {
    const first = await train(given(drawn(3)), data, { ...plain, loss: lossOf(0.1), stop: { iterations: 8 } });
    expect(await ends(drawn(3), lossOf(1))).toEqual(await ends(given(first.best), lossOf(1)));
  });

  it("begins these iterations at the output biases of its loss", async () => {
    const rows = { inputs, targets: counts };
    const light = { ...plain, loss: poisson({ decay: 0.1 * 2 }), stop: { iterations: 8 } };
    const start = drawn(1);
    const biased = start.parameters.slice();
    biased[biased.length - 1] = Math.log(counts.reduce((sum, count) => sum + count, 0) / counts.length);
    const first = await train(given(start.withParameters(biased)), rows, light);
    const [one, other] = [
      await ends(start, poisson({ decay: 2 }), {}, rows),
      await ends(given(first.best), poisson({ decay: 2 }), {}, rows),
    ];
    // The mean is summed in another order: its rounding goes through eleven steps.
    for (const [k, value] of one.entries()) expect(Math.abs(value - other[k]!)).toBeLessThan(1e-9);
  });

  it.each<[string, Loss, TrainOptions]>([
    ["squared error", squaredError({ decay: 2 }), {}],
    ["no decay", huber({ delta: 0.2 }), {}],
    ["a method on batches", lossWith, { method: exactGaussNewton({ batch: 50 }), seed: 1 }],
    ["a start on batches", lossWith, { batchStart: { epochs: 1 }, seed: 1 }],
  ])("with %s begins at its network", async (_, loss, more) => {
    expect(await ends(drawn(2), loss, more)).toEqual(await ends(given(drawn(2)), loss, more));
  });

  it("leaves a run of no iterations where it is, and says of others how they began", async () => {
    const options = { ...plain, loss: lossWith };
    const none = await train(drawn(2), data, { ...options, stop: { iterations: 0 } });
    expect(none.last.parameters).toEqual(drawn(2).parameters);
    expect(none.details).not.toContain("begun with");
    const some = await train(drawn(2), data, { ...options, stop: { iterations: 1 } });
    expect(some.details).toContain("Huber loss (delta 0.2), begun with a tenth of the weight decay on 600 samples");
  });

  it("goes on from a network that was trained before as it is", async () => {
    const before = (await train(drawn(2), data, { ...plain, loss: lossWith, stop: { iterations: 5 } })).network;
    expect(await ends(before, lossWith)).toEqual(await ends(given(before), lossWith));
  });

  it("leaves the start of gaussianNll to the fit of its means", async () => {
    const start = () => network({ layers: [4, 6, 2], seed: 1 });
    const light = { ...plain, loss: gaussianNll({ decay: 0.1 }), stop: { iterations: 8 } };
    const first = await train(given(start()), data, light);
    expect(await ends(start(), gaussianNll({ decay: 1 }))).not.toEqual(
      await ends(given(first.best), gaussianNll({ decay: 1 })),
    );
  });

  it("ends in the lower minimum from every start, where most end in a higher one without", async () => {
    const objective = async (net: Network) => {
      const stop = { gradient: 1e-8, iterations: 100, reduction: 0, step: 0 };
      const { records } = await train(net, data, { ...plain, backend: "auto", loss: lossWith, stop });
      return records.findLast(({ accepted }) => accepted)!.objective;
    };
    const seeds = Array.from({ length: 10 }, (_, k) => k + 1);
    const [moved, unmoved] = [[] as number[], [] as number[]];
    for (const seed of seeds) {
      moved.push(await objective(drawn(seed)));
      unmoved.push(await objective(given(drawn(seed))));
    }
    const lowest = Math.min(...moved, ...unmoved);
    // At a gradient of 1e-8 of its start the objective is that of the minimum to its square.
    const at = (list: readonly number[]) => list.filter((value) => value <= lowest * (1 + 1e-9)).length;
    expect(at(moved)).toBe(10);
    expect(at(unmoved)).toBeLessThan(5);
  });
});

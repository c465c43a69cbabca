// Intervals hold what they promise, in the mean over simulated sets, with the decay of the evidence; residuals without a row are those of refits.
// bench/intervals.mjs has 200 sets.
import { expect, it } from "vitest";
import { bayesianRegularization, network, Random, squaredError, train } from "../../src/index.js";

const truth = ([a = 0, b = 0]: number[]) => Math.tanh(2 * a + b) + 0.5 * Math.sin(2 * b);
const SIGMA = 0.07; // a tenth of the deviation of the values

function simulated(seed: number) {
  const random = new Random(seed);
  const draw = (n: number) => Array.from({ length: n }, () => [2 * random.uniform() - 1, 2 * random.uniform() - 1]);
  const observed = (rows: number[][]) => rows.map((row) => truth(row) + SIGMA * random.normal());
  const inputs = draw(200);
  const data = { inputs, targets: observed(inputs) };
  const points = draw(200);
  return { data, points, observations: observed(points) };
}

it.each([5, 10])(
  "of %d hidden units cover nine tenths of new observations and of the mean function",
  async (hidden) => {
    const SETS = 20;
    let [inside, held] = [0, 0];
    for (let set = 0; set < SETS; set++) {
      const { data, points, observations } = simulated(set);
      const options = { uncertainty: true, validation: false as const, method: bayesianRegularization(), threads: 1 };
      const { uncertainty } = await train(network({ layers: [2, hidden, 1], seed: set }), data, options);
      const { lower, upper, meanLower, meanUpper } = await uncertainty!.predict(points, { threads: 1 });
      inside += observations.filter((one, i) => one >= lower[i]! && one <= upper[i]!).length / 200 / SETS;
      held += points.filter((row, i) => truth(row) >= meanLower[i]! && truth(row) <= meanUpper[i]!).length / 200 / SETS;
    }
    // A set's share of observations has a standard deviation of about 0.03, so that the mean of 20 has 0.007: within three of them of 0.90.
    expect(Math.abs(inside - 0.9)).toBeLessThan(0.02);
    // One of the mean function about 0.12, as its errors are a few smooth patches: the mean has 0.027, and bias takes a little.
    expect(held).toBeGreaterThan(0.81);
    expect(held).toBeLessThan(0.96);
  },
);

it("residuals without a row are those of refits that start at the network", async () => {
  const { data } = simulated(1);
  const found = await train(network({ layers: [2, 5, 1], seed: 1 }), data, {
    validation: false,
    method: bayesianRegularization(),
  });
  const options = { validation: false as const, loss: squaredError({ decay: found.lossUsed.decay }) };
  const { network: net, uncertainty } = await train(found.network, data, { ...options, uncertainty: true });
  const { leaveOneOut, residuals } = uncertainty!.rows!;
  const rows = Array.from({ length: 40 }, (_, k) => 5 * k);
  const pairs: { readonly formula: number; readonly refit: number; readonly plain: number }[] = [];
  for (const row of rows) {
    const others = <T>(list: readonly T[]) => list.filter((_, i) => i !== row);
    const refit = await train(net, { inputs: others(data.inputs), targets: others(data.targets) }, options);
    const left = data.targets[row]! - refit.network.predict([data.inputs[row]!])[0]!;
    pairs.push({ formula: leaveOneOut![row]!, refit: left, plain: residuals![row]! });
  }
  const correlation = (x: number[], y: number[]) => {
    const sum = (f: (a: number, b: number) => number) => x.reduce((total, a, k) => total + f(a, y[k]!), 0);
    const [mx, my] = [sum((a) => a) / x.length, sum((_, b) => b) / x.length];
    const product = sum((a, b) => (a - mx) * (b - my));
    return product / Math.sqrt(sum((a) => (a - mx) ** 2) * sum((_, b) => (b - my) ** 2));
  };
  const of = (name: "formula" | "refit" | "plain") => pairs.map((pair) => pair[name]);
  const agreement = correlation(of("formula"), of("refit"));
  expect(agreement).toBeGreaterThan(0.999);
  expect(agreement).toBeGreaterThan(correlation(of("plain"), of("refit")));
  // What leaving the row out adds to its residual is the harder part.
  const added = (name: "formula" | "refit") => pairs.map((pair) => pair[name] - pair.plain);
  expect(correlation(added("formula"), added("refit"))).toBeGreaterThan(0.97);
});

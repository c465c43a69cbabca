// Small problems whose targets can be reached exactly: by default the loss goes to rounding, from nearly every start.
import { describe, expect, it } from "vitest";
import { levenbergMarquardt } from "../../src/method/levenberg-marquardt/levenberg-marquardt.js";
import { type Network, network } from "../../src/network/network.js";
import { train } from "../../src/train/train.js";

type Row = readonly number[];

const column = (values: readonly number[]): number[][] => values.map((value) => [value]);
const spaced = (first: number, last: number, count: number): number[] =>
  Array.from({ length: count }, (_, k) => first + (k * (last - first)) / (count - 1));

async function losses(layers: number[], inputs: number[][], formula: (row: Row) => number[], seeds: number) {
  const targets = inputs.map(formula);
  const found: number[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const net = network({ layers, seed });
    const { loss } = await train(net, { inputs, targets }, { backend: "typescript", stop: { iterations: 200 } });
    found.push(loss);
  }
  return found;
}

const reached = (found: readonly number[]) => found.filter((loss) => loss <= 1e-20).length;

describe("targets that can be reached exactly", () => {
  it("y = 2x on five rows with 1-3-1 ends at most at 1e-20 for 27 of 30 seeds at least", async () => {
    expect(reached(await losses([1, 3, 1], column([1, 2, 3, 4, 5]), ([x]) => [2 * x], 30))).toBeGreaterThanOrEqual(27);
  });

  const grid = [-1, 0, 1].flatMap((a) => [-1, 0, 1].map((b) => [a, b]));
  const problems: [string, number[], number[][], (row: Row) => number[], number][] = [
    ["an affine function of two inputs", [2, 4, 1], grid, ([a, b]) => [a - 2 * b + 0.5], 10],
    ["a linear layer on more rows than parameters", [2, 2], grid, ([a, b]) => [a - b, 2 * a + 1], 10],
    ["x^2 on rows that come twice", [1, 5, 1], column([...spaced(-1, 1, 8), ...spaced(-1, 1, 8)]), ([x]) => [x * x], 9],
    [
      "exclusive or",
      [2, 3, 1],
      [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ],
      ([a, b]) => [a === b ? 0 : 1],
      10,
    ],
    ["a sine on ten rows", [1, 6, 1], column(spaced(0, 2, 10)), ([x]) => [Math.sin(3 * x)], 10],
    ["sum and product", [2, 6, 2], grid, ([a, b]) => [a + b, a * b], 10],
    ["two hidden layers", [1, 4, 4, 1], column(spaced(-2, 2, 12)), ([x]) => [Math.cos(2 * x)], 10],
    ["constant targets", [1, 3, 1], column(spaced(0, 9, 10)), () => [3], 10],
  ];
  for (const [name, layers, inputs, formula, least] of problems)
    it(`${name}: at most 1e-20 for ${least} of 10 seeds at least`, async () => {
      expect(reached(await losses(layers, inputs, formula, 10))).toBeGreaterThanOrEqual(least);
    });
});

describe("a start that a symmetry holds", () => {
  const odd = { inputs: column(spaced(-1, 1, 7)), targets: column(spaced(-1, 1, 7).map((x) => x ** 3 - x / 3)) };
  const even = { inputs: odd.inputs, targets: column(spaced(-1, 1, 7).map((x) => x * x)) };
  const biasesOf = (net: Network) =>
    net.architecture.layers
      .slice(0, -1)
      .map(({ biasOffset, outputSize }) => [...net.parameters.subarray(biasOffset, biasOffset + outputSize)]);
  const started = async (net: Network, data: { inputs: number[][]; targets: number[][] }, more = {}) =>
    (await train(net, data, { backend: "typescript", stop: { iterations: 0 }, ...more })).network;

  it("begins with drawn hidden biases and the network's other parameters", async () => {
    const net = network({ layers: [1, 4, 3, 1], seed: 2 });
    const start = await started(net, odd);
    expect(
      biasesOf(start)
        .flat()
        .every((value) => value !== 0 && Math.abs(value) < 3),
    ).toBe(true);
    const moved = start.parameters.filter((value, j) => value !== net.parameters[j]);
    expect(moved).toHaveLength(7);
  });

  it("draws the same for the same seed, others for another", async () => {
    const [a, b, c] = [3, 3, 4].map((seed) => network({ layers: [1, 4, 1], seed }));
    const [first, second, third] = [await started(a, odd), await started(b, odd), await started(c, odd)];
    expect(biasesOf(second)).toEqual(biasesOf(first));
    expect(biasesOf(third)).not.toEqual(biasesOf(first));
  });

  it("makes the first damping from the point it begins at", async () => {
    const net = network({ layers: [1, 2, 1], seed: 5 });
    const options = { backend: "typescript", stop: { iterations: 3 }, route: "primal" } as const;
    for (const scaling of ["identity", "root", "marquardt"] as const) {
      const method = () => levenbergMarquardt({ scaling });
      const beside = await train(net, odd, { ...options, method: method() });
      const again = await train(await started(net, odd), odd, { ...options, method: method() });
      expect(again.records.map(({ loss, damping }) => [loss, damping])).toEqual(
        beside.records.map(({ loss, damping }) => [loss, damping]),
      );
    }
  });

  it("leaves every other start as it is", async () => {
    const net = network({ layers: [1, 4, 1], seed: 2 });
    expect((await started(net, even)).parameters).toEqual(net.parameters);
    const chosen = net.withParameters(net.parameters.map((value, j) => (j === 4 ? 1e-3 : value)));
    expect((await started(chosen, odd)).parameters).toEqual(chosen.parameters);
    const centered = network({ layers: [1, 4, 1], seed: 2, centered: true });
    expect((await started(centered, odd)).parameters).toEqual(centered.parameters);
    const straight = network({ layers: [1, 1], seed: 2 });
    expect((await started(straight, odd)).parameters).toEqual(straight.parameters);
    const bare = network({ layers: [1, 4, 1], seed: 2, bias: false });
    expect((await started(bare, odd)).parameters).toEqual(bare.parameters);
  });
});

it("a loss that has gone to rounding ends the run as that, and not as a damping or a step that led nowhere", async () => {
  // Starts that ended as "no-progress" or "damping-saturated" after 20 rejected trials.
  const inputs = [-1, -1 / 3, 1 / 3, 1].flatMap((a) => [-1, -1 / 3, 1 / 3, 1].map((b) => [a, b]));
  const targets = inputs.map(([a, b]) => [a * a + b * b]);
  let noisy = 0;
  for (let seed = 0; seed < 12; seed++) {
    const result = await train(network({ layers: [2, 6, 1], seed }), { inputs, targets }, { backend: "typescript" });
    const { reason, loss, records } = result;
    expect(["step", "reduction", "gradient", "iterations"]).toContain(reason.code);
    if (!/is at rounding level, \S+ of that at the start/.test(reason.message)) continue;
    noisy++;
    expect(loss).toBeLessThan(1e-28);
    expect(records.slice(-4).every(({ accepted }) => !accepted)).toBe(true);
    expect(records.at(-1)!.trial).toBe(4);
  }
  expect(noisy).toBeGreaterThan(0);
});

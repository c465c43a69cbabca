// Whole iterations of a min-max game against their definition: which rows and latent inputs a step sees, who moves when and by which rate, and the
// published joint step of both players. The gradients of the players are checked by differences in minmax.test.ts.
import { describe, expect, it } from "vitest";
import { finish, Pace } from "../../src/event-loop-yield.js";
import { betweenSteps, RealRows } from "../../src/game/batches.js";
import { Game } from "../../src/game/game.js";
import { completeMinmaxOptions, type MinmaxOptions } from "../../src/game/minmax-options.js";
import { adam, gradientDescent, minmax, minmaxGaussNewton, network, Random } from "../../src/index.js";
import { eliminate } from "../helpers/dense.js";
import { sure } from "../helpers/engine-problems.js";

const generator = network({ layers: [3, 5, 2], seed: 1 });
const discriminator = network({ layers: [2, 6, 1], seed: 2 });
const random = new Random(4, 3);
const [rows, b, seed] = [40, 9, 3];
const data = Float64Array.from({ length: 2 * rows }, () => 1 + 0.3 * random.normal());
const pace = new Pace(undefined);
const gradientsAlone = { curvature: "none", decay: 0, scaling: null } as const;

/** The players of a game, to be loaded with the rows of its steps. */
function playersOf(options: MinmaxOptions) {
  const weights = { generator: generator.parameters.slice(), discriminator: discriminator.parameters.slice() };
  const completed = completeMinmaxOptions(options, rows);
  return new Game(generator.architecture, discriminator.architecture, weights, data, completed, {});
}

/** Gradient of a player's mean loss at the present parameters. */
async function slopes(game: Game, name: "generator" | "discriminator"): Promise<Float64Array> {
  const { gradient } = await sure(game[name].linearize(game.weights[name], gradientsAlone));
  return gradient.map((value) => value / b);
}

describe("the real rows of a game", () => {
  /** The rows of a batch, by their numbers. */
  async function numbers(given: RealRows, batch: number): Promise<number[]> {
    const into = new Float64Array(2 * b);
    await given.read(batch, into, pace);
    return Array.from({ length: b }, (_, i) => {
      expect(into[2 * i + 1]).toBe(-into[2 * i]!);
      return into[2 * i]!;
    });
  }
  const numbered = Float64Array.from({ length: 2 * rows }, (_, k) => (k % 2 === 0 ? k / 2 : -(k - 1) / 2));
  const made = (own: number) => new RealRows(numbered, 2, b, own);

  it("come at most once an epoch, in an order of seed and epoch, wherever a game begins to read", async () => {
    const real = made(seed);
    expect(real).toMatchObject({ count: rows, perEpoch: 4 });
    const epochs: number[][] = [];
    for (const epoch of [0, 1]) {
      const seen = [];
      for (let k = 0; k < 4; k++) seen.push(...(await numbers(real, 4 * epoch + k)));
      expect(new Set(seen).size).toBe(4 * b);
      epochs.push(seen);
    }
    expect(epochs[1]).not.toEqual(epochs[0]);
    expect(await numbers(made(seed), 6)).toEqual(epochs[1]!.slice(2 * b, 3 * b));
    expect(await numbers(made(seed + 1), 0)).not.toEqual(epochs[0]!.slice(0, b));
  });
});

it("points of the gradient penalty lie on the segments from samples to rows, uniformly", () => {
  const count = 4000;
  const real = Float64Array.from({ length: 2 * count }, (_, k) => (k % 2 === 0 ? 1 : 4));
  const samples = Float64Array.from({ length: 2 * count }, (_, k) => (k % 2 === 0 ? 0 : 2));
  const at = (number: number) => {
    const into = new Float64Array(2 * count);
    finish(betweenSteps(real, samples, 2, seed, number, into));
    return into;
  };
  const points = at(0);
  const shares = Array.from({ length: count }, (_, i) => points[2 * i]!);
  for (const [i, share] of shares.entries()) expect(points[2 * i + 1]).toBeCloseTo(2 + 2 * share, 14);
  expect(Math.min(...shares)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...shares)).toBeLessThan(1);
  // Five standard deviations of the mean of 4,000 uniform numbers, sqrt(1/12/4000), and of the mean of their squares, sqrt(4/45/4000).
  const mean = (of: (share: number) => number) => shares.reduce((sum, share) => sum + of(share) / count, 0);
  expect(Math.abs(mean((share) => share) - 1 / 2)).toBeLessThan(5 * Math.sqrt(1 / 12 / count));
  expect(Math.abs(mean((share) => share ** 2) - 1 / 3)).toBeLessThan(5 * Math.sqrt(4 / 45 / count));
  expect(at(1)).not.toEqual(points);
  expect(at(0)).toEqual(points);
});

/** Sums over at most 18 rows and some matrix products, by the same engine from the same arrays: c n eps, relative. */
const ROUNDING = 100 * 18 * Number.EPSILON;

describe("the published step of both players", () => {
  it.each([
    ["wasserstein", "gradient", 0.02],
    ["logistic", "r1", 3],
  ] as const)(
    "%s, %s: -rate (v - z) with v the gradients of both mean losses at the same point",
    async (loss, penalty, rate) => {
      const lambda = 0.5;
      const method = minmaxGaussNewton({ step: "published", rate, damping: lambda, normalize: false, guard: false });
      const options = { batch: b, seed, iterations: 1, loss, penalty, penaltyWeight: 0.7, method };
      const game = playersOf(options);
      await game.loadLatent(0, pace);
      await game.loadPoints(0, pace, undefined);
      const v = Float64Array.of(...(await slopes(game, "discriminator")), ...(await slopes(game, "generator")));
      game.dispose();
      const p = v.length;
      const u = v.map((value) => Math.sqrt(rate / lambda) * value);
      const matrix = Float64Array.from({ length: p * p }, (_, k) => {
        const [i, j] = [Math.floor(k / p), k % p];
        return Math.sqrt(lambda) * ((i === j ? 1 : 0) + u[i]! * u[j]!);
      });
      const z = eliminate(matrix, v, p);
      const result = await minmax(generator, discriminator, data, options);
      const before = [...discriminator.parameters, ...generator.parameters];
      const after = [...result.discriminator.parameters, ...result.generator.parameters];
      // Of the two terms whose difference the step is.
      const size = rate * Math.max(...v.map(Math.abs), ...z.map(Math.abs));
      for (let j = 0; j < p; j++) {
        const off = after[j]! - before[j]! + rate * (v[j]! - z[j]!);
        expect(Math.abs(off)).toBeLessThan(1e-12 * size + 4 * Number.EPSILON * Math.abs(before[j]!));
      }
      expect(result.records[0]!.guarded).toBe(false);
    },
  );
});

describe("players in turn", () => {
  it("two steps of the discriminator, then one of the generator against it, each with its own momentum, rates and rows", async () => {
    const [momentum, first, iterations, critic] = [0.6, 0.3, 3, 2];
    const method = {
      generator: gradientDescent({ rate: first, momentum, schedule: "cosine" }),
      discriminator: gradientDescent({ rate: 2 * first, momentum, schedule: "cosine" }),
    };
    const options = { batch: b, seed, iterations, discriminatorSteps: critic, penaltyWeight: 0.7, method };
    const game = playersOf(options);
    const velocity = {
      generator: new Float64Array(generator.parameterCount),
      discriminator: new Float64Array(discriminator.parameterCount),
    };
    const move = async (name: "generator" | "discriminator", rate: number) => {
      const slope = await slopes(game, name);
      velocity[name] = velocity[name].map((value, j) => momentum * value + slope[j]!);
      game.weights[name] = game.weights[name].map((value, j) => value - rate * velocity[name][j]!);
    };
    const falling = (step: number, steps: number) => 0.5 * (1 + Math.cos((Math.PI * step) / steps));
    let latent = 0;
    for (let k = 0; k < iterations; k++) {
      for (let turn = 0; turn < critic; turn++) {
        await game.loadLatent(latent++, pace);
        const step = critic * k + turn;
        await game.loadPoints(step, pace, undefined);
        await move("discriminator", 2 * first * falling(step, critic * iterations));
      }
      await game.loadLatent(latent++, pace);
      await move("generator", first * falling(k, iterations));
    }
    const result = await minmax(generator, discriminator, data, options);
    for (const name of ["generator", "discriminator"] as const) {
      const expected = game.weights[name];
      const size = Math.max(...expected.map(Math.abs));
      result[name].parameters.forEach((value, j) => {
        expect(Math.abs(value - expected[j]!)).toBeLessThan(ROUNDING * size);
      });
    }
    game.dispose();
  });

  it("a record has the losses before the generator's step and before the last one of the discriminator", async () => {
    const options = { batch: b, seed, iterations: 1, discriminatorSteps: 2, method: adam({ rate: 0.01 }) };
    const { records } = await minmax(generator, discriminator, data, options);
    const game = playersOf(options);
    await game.loadLatent(1, pace);
    await game.loadPoints(1, pace, undefined);
    // The loss before the second step of the discriminator is that of a game with one step, at the end of which it stands.
    const one = await minmax(generator, discriminator, data, { ...options, discriminatorSteps: 1 });
    game.weights.discriminator = one.discriminator.parameters.slice();
    const { loss } = await sure(game.discriminator.evaluate(game.weights.discriminator));
    expect(Math.abs(records[0]!.discriminatorLoss - loss / b)).toBeLessThan(ROUNDING * (1 + loss / b));
    game.dispose();
  });
});

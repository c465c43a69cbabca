// Min-max games: the players' gradients and steps against their definitions by dense linear algebra and differences, the same bits from the same
// seed, the ends of a game, and what is refused.
import { describe, expect, it } from "vitest";
import { Pace } from "../../src/event-loop-yield.js";
import { latentInputs } from "../../src/game/batches.js";
import { Game } from "../../src/game/game.js";
import { completeMinmaxOptions, type MinmaxOptions } from "../../src/game/minmax-options.js";
import {
  adam,
  type BatchMethod,
  exactGaussNewton,
  gradientDescent,
  lbfgs,
  levenbergMarquardt,
  type MinmaxRecord,
  minmax,
  minmaxGaussNewton,
  type Network,
  network,
  Random,
  train,
} from "../../src/index.js";
import { eliminate } from "../helpers/dense.js";
import { sure } from "../helpers/engine-problems.js";

const generator = network({ layers: [3, 5, 2], seed: 1 });
const discriminator = network({ layers: [2, 6, 1], seed: 2 });

function rowsOf(count: number): Float64Array {
  const random = new Random(4, 3);
  return Float64Array.from({ length: 2 * count }, () => 1 + 0.3 * random.normal());
}
const data = rowsOf(40);

const backends = ["native", "typescript"] as const;

async function gameOf(options: MinmaxOptions) {
  const weights = { generator: generator.parameters.slice(), discriminator: discriminator.parameters.slice() };
  const completed = completeMinmaxOptions({ batch: 9, seed: 3, ...options }, 40);
  const game = new Game(generator.architecture, discriminator.architecture, weights, data, completed, {
    backend: options.backend,
  });
  await game.loadLatent(0, new Pace(undefined));
  await game.loadPoints(0, new Pace(undefined), undefined);
  return { game, weights };
}

/** D on the rows of a player by its parameters: the 2b points, or the b samples of its latent inputs. */
function outputsBy(game: Game, name: "generator" | "discriminator", number: number) {
  if (name === "discriminator") return (w: Float64Array) => discriminator.withParameters(w).predict(game.points);
  const judge = discriminator.withParameters(game.weights.discriminator);
  const latent = latentInputs(3, number * 27, 27);
  return (w: Float64Array) => judge.predict(generator.withParameters(w).predict(latent));
}

/** -(H + damping I)^-1 gradient of the mean loss, H = (1/b) sum q_i j_i j_i^T with j_i by differences. */
async function denseStep(game: Game, name: "generator" | "discriminator", number: number, damping: number) {
  const b = 9;
  const w = game.weights[name].slice();
  const p = w.length;
  const outputs = outputsBy(game, name, number);
  const h = 1e-5;
  const matrix = new Float64Array(p * p);
  const columns = Array.from(w, (_, j) => {
    const moved = (sign: number) => outputs(w.map((one, k) => (k === j ? one + sign * h : one)));
    const [ahead, behind] = [moved(1), moved(-1)];
    return ahead.map((value, i) => (value - behind[i]!) / (2 * h));
  });
  const q = outputs(w).map((psi) => 1 / (2 + Math.exp(psi) + Math.exp(-psi)));
  for (let j = 0; j < p; j++)
    for (let k = 0; k < p; k++) {
      for (let i = 0; i < q.length; i++) matrix[j * p + k] += (q[i]! * columns[j]![i]! * columns[k]![i]!) / b;
      if (j === k) matrix[j * p + k] += damping;
    }
  const { gradient } = await sure(game[name].linearize(w, request));
  return eliminate(
    matrix,
    gradient.map((value) => -value / b),
    p,
  );
}

function compare(after: Network, before: Network, step: Float64Array, rate: number) {
  const most = Math.max(...step.map(Math.abs));
  // Derivatives by central differences: h^2 and eps/h, some 1e-10, times the condition of the damped matrix, below 100.
  for (let j = 0; j < step.length; j++)
    expect(Math.abs(after.parameters[j]! - before.parameters[j]! - rate * step[j]!)).toBeLessThan(1e-7 * rate * most);
}

const request = { curvature: "none", decay: 0, scaling: null } as const;

describe.each(backends)("%s engine", (backend) => {
  it.each([
    ["logistic", "r1"],
    ["logistic", "none"],
    ["wasserstein", "gradient"],
    ["wasserstein", "r1"],
  ] as const)("%s with penalty %s: both gradients are the differences of the losses", async (loss, penalty) => {
    const { game, weights } = await gameOf({ backend, loss, penalty, penaltyWeight: 0.7 });
    for (const name of ["generator", "discriminator"] as const) {
      const w = weights[name].slice();
      const { gradient, loss: value } = await sure(game[name].linearize(w, request));
      const at = async (parameters: Float64Array) => (await sure(game[name].evaluate(parameters))).loss;
      expect(Math.abs((await at(w)) - value)).toBeLessThan(1e-13 * (1 + Math.abs(value)));
      const h = 1e-5;
      const most = Math.max(...gradient.map(Math.abs));
      for (let j = 0; j < w.length; j++) {
        const moved = (sign: number) => w.map((one, k) => (k === j ? one + sign * h : one));
        const difference = ((await at(moved(1))) - (await at(moved(-1)))) / (2 * h);
        // h^2 of the third derivative and eps/h of rounding, of a sum of 18 terms.
        expect(Math.abs(gradient[j]! - difference)).toBeLessThan(1e-8 * (1 + most));
      }
    }
    game.dispose();
  });

  it("the gradient beside a curvature is the one without, whatever was in the array for it", async () => {
    const { game, weights } = await gameOf({ backend, penaltyWeight: 0.7 });
    for (const name of ["generator", "discriminator"] as const) {
      const alone = await sure(game[name].linearize(weights[name], request));
      const most = Math.max(...alone.gradient.map(Math.abs));
      const array = new Float64Array(weights[name].length).fill(3);
      for (const into of [undefined, array, array]) {
        const curved = { ...request, curvature: "dual", gradient: into } as const;
        const { gradient } = await sure(game[name].linearize(weights[name], curved));
        // Both are sums over at most 18 samples, in another order.
        gradient.forEach((value, j) => {
          expect(Math.abs(value - alone.gradient[j]!)).toBeLessThan(64 * Number.EPSILON * most);
        });
      }
    }
    game.dispose();
  });

  it("the Gauss-Newton step of each player is that of the dense definition", async () => {
    const damping = 0.3;
    const method = minmaxGaussNewton({ damping, rate: 0.5, schedule: "constant" });
    const options = { backend, method, batch: 9, seed: 3, iterations: 1, penaltyWeight: 0.7 };
    const { game } = await gameOf(options);
    const result = await minmax(generator, discriminator, data, options);
    const moved = await denseStep(game, "discriminator", 0, damping);
    compare(result.discriminator, discriminator, moved, 0.5);
    // The generator moves against the new discriminator, on other latent inputs.
    game.weights.discriminator = result.discriminator.parameters.slice();
    await game.loadLatent(1, new Pace(undefined));
    compare(result.generator, generator, await denseStep(game, "generator", 1, damping), 0.5);
    game.dispose();
  });
});

const published = minmaxGaussNewton({ step: "published", rate: 0.02, damping: 0.1, normalize: false });
const short = { batch: 16, iterations: 6, seed: 5, method: published } as const;

describe("a game", () => {
  it("is a function of the seed, and its records say what happened", async () => {
    const seen: MinmaxRecord[] = [];
    const onRecord = (record: MinmaxRecord) => void seen.push(record);
    const first = await minmax(generator, discriminator, data, { ...short, onRecord });
    const second = await minmax(generator, discriminator, data, short);
    const other = await minmax(generator, discriminator, data, { ...short, seed: 6 });
    expect([...second.generator.parameters]).toEqual([...first.generator.parameters]);
    expect([...second.discriminator.parameters]).toEqual([...first.discriminator.parameters]);
    expect([...other.generator.parameters]).not.toEqual([...first.generator.parameters]);
    expect(first.reason).toEqual({ code: "iterations", message: "6 iterations are done" });
    expect(first.records).toEqual(seen);
    expect(first.records.map(({ iteration }) => iteration)).toEqual([1, 2, 3, 4, 5, 6]);
    for (const { scalar, guarded, generatorStep, generatorGradient } of first.records) {
      expect(scalar).toBeGreaterThanOrEqual(0);
      expect(typeof guarded).toBe("boolean");
      // The step is the gradient times rate and scalar; norm and product round a few times over p entries.
      expect(Math.abs(generatorStep - 0.02 * scalar! * generatorGradient)).toBeLessThan(1e-13 * generatorStep + 1e-300);
    }
  });

  it("of a generator with many outputs takes the exact curvature of one row a sample", async () => {
    const wide = [network({ layers: [3, 6, 7], seed: 1 }), network({ layers: [7, 6, 1], seed: 2 })] as const;
    const random = new Random(5, 3);
    const rows = Float64Array.from({ length: 7 * 20 }, () => random.normal());
    const options = { batch: 10, iterations: 2, seed: 1 };
    const first = await minmax(...wide, rows, { ...options, method: minmaxGaussNewton() });
    const method = exactGaussNewton({ damping: 0.1, rate: 0.2, momentum: 0, batch: "all" });
    const second = await minmax(...wide, rows, { ...options, method });
    expect(first.reason.code).toBe("iterations");
    expect([...second.generator.parameters]).toEqual([...first.generator.parameters]);
  });

  it("has the same bits on one and on two threads", async () => {
    const players = [
      network({ layers: [4, 32, 32, 2], seed: 1 }),
      network({ layers: [2, 32, 32, 1], seed: 2 }),
    ] as const;
    const games = [];
    for (const threads of [1, 2]) {
      const options = { backend: "native", threads, batch: 128, iterations: 4, seed: 2 } as const;
      const game = await minmax(...players, rowsOf(256), options);
      games.push([...game.generator.parameters, ...game.discriminator.parameters]);
    }
    expect(games[1]).toEqual(games[0]);
  });

  it("leaves the networks that it was given as they are", async () => {
    const before = [generator.parameters.slice(), discriminator.parameters.slice()];
    await minmax(generator, discriminator, data, short);
    expect([[...generator.parameters], [...discriminator.parameters]]).toEqual(before.map((one) => [...one]));
  });

  it("that is aborted ends with the networks so far", async () => {
    const controller = new AbortController();
    const onRecord = ({ iteration }: MinmaxRecord) => {
      if (iteration === 3) controller.abort();
    };
    const {
      reason,
      iterations,
      generator: made,
    } = await minmax(generator, discriminator, data, {
      ...short,
      signal: controller.signal,
      onRecord,
    });
    expect(reason.code).toBe("aborted");
    expect(iterations).toBe(3);
    const { generator: same } = await minmax(generator, discriminator, data, { ...short, iterations: 3 });
    expect([...made.parameters]).toEqual([...same.parameters]);
  });

  it("whose numbers overflow ends with the reason and the last finite networks", async () => {
    const method = minmaxGaussNewton({ step: "published", rate: 1e200, damping: 0.1, normalize: false });
    const { reason, generator: made, iterations } = await minmax(generator, discriminator, data, { ...short, method });
    expect(reason.code).toBe("non-finite");
    expect(reason.message).toMatch(/^iteration \d.* is not finite.*; try a smaller rate$/);
    expect(iterations).toBeLessThan(6);
    expect(made.parameters.every((value) => Number.isFinite(value))).toBe(true);
  });

  it("rejects with what onRecord throws", async () => {
    const onRecord = () => {
      throw new Error("enough");
    };
    await expect(minmax(generator, discriminator, data, { ...short, onRecord })).rejects.toThrow("enough");
  });
});

it.each(["adam", "gradient descent", "one of each"] as const)("%s moves both players, by the formula", async (name) => {
  const methods = {
    adam: adam({ rate: 0.01 }),
    "gradient descent": gradientDescent({ rate: 0.01, momentum: 0 }),
    "one of each": { generator: gradientDescent({ rate: 0.01, momentum: 0 }), discriminator: adam({ rate: 0.01 }) },
  };
  const options = { batch: 9, seed: 3, iterations: 1, penaltyWeight: 0.7 };
  const result = await minmax(generator, discriminator, data, { ...options, method: methods[name] });
  const { game } = await gameOf({ penaltyWeight: 0.7 });
  const first = await sure(game.discriminator.linearize(game.weights.discriminator, request));
  game.weights.discriminator = result.discriminator.parameters.slice();
  await game.loadLatent(1, new Pace(undefined));
  const second = await sure(game.generator.linearize(game.weights.generator, request));
  const moved = {
    discriminator: [result.discriminator, discriminator, first.gradient],
    generator: [result.generator, generator, second.gradient],
  } as const;
  for (const player of ["discriminator", "generator"] as const) {
    const [after, before, gradient] = moved[player];
    const signed = name === "adam" || (name === "one of each" && player === "discriminator");
    after.parameters.forEach((value, j) => {
      const slope = gradient[j]! / 9;
      // The first step of Adam is the sign of the gradient, but for epsilon.
      const step = signed ? slope / (Math.abs(slope) + 1e-8) : slope;
      expect(Math.abs(value - before.parameters[j]! + 0.01 * step)).toBeLessThan(1e-14);
    });
  }
  game.dispose();
});

describe("refused", () => {
  const wide = network({ layers: [3, 4, 3] });
  it.each<[string, [Network, Network, unknown, object], RegExp]>([
    [
      "sizes",
      [wide, discriminator, data, {}],
      /discriminator must have 3 inputs, as many as the generator has outputs; received "2 inputs"/,
    ],
    [
      "two outputs",
      [generator, network({ layers: [2, 2] }), data, {}],
      /discriminator must have one output; received "2 outputs"/,
    ],
    [
      "a link",
      [generator, discriminator.withLink("logistic"), data, {}],
      /discriminator must have no scaling, no centering and the link "identity".*received "the link logistic"/,
    ],
    [
      "centered",
      [network({ layers: [3, 4, 2], centered: true }), discriminator, data, {}],
      /generator must have no scaling/,
    ],
    ["data", [generator, discriminator, [[1, 2], [3]], {}], /data, row 2/],
    [
      "a large batch",
      [generator, discriminator, data, { batch: 41 }],
      /options\.batch must be at most 40, the rows of the data; received 41/,
    ],
    [
      "a loss",
      [generator, discriminator, data, { loss: "hinge" }],
      /options\.loss must be one of logistic, wasserstein; received "hinge"/,
    ],
    [
      "a penalty",
      [generator, discriminator, data, { penalty: "r2" }],
      /options\.penalty must be one of r1, gradient, none; received "r2"/,
    ],
    [
      "critic steps",
      [generator, discriminator, data, { method: published, discriminatorSteps: 2 }],
      /options\.discriminatorSteps must be 1 with a joint step/,
    ],
    [
      "no curvature",
      [generator, discriminator, data, { loss: "wasserstein" }],
      /options\.method\.discriminator must use gradients alone with the loss "wasserstein"/,
    ],
    [
      "a method without an engine",
      [generator, discriminator, data, { method: lbfgs() }],
      /options\.method\.discriminator must be made by minmaxGaussNewton\(\), exactGaussNewton\(\).*; received "lbfgs"/,
    ],
    [
      "sampled curvature",
      [generator, discriminator, data, { method: exactGaussNewton({ curvature: "sampled" }) }],
      /options\.method\.discriminator\.curvature must be "exact" or "auto".*; received "sampled"/,
    ],
    [
      "another batch",
      [generator, discriminator, data, { batch: 16, method: adam({ batch: 8 }) }],
      /options\.method\.discriminator must leave out its own batch, or give that of the game.*; received "batches of 8 rows"/,
    ],
    ["a method", [generator, discriminator, data, { method: "adam" }], /options\.method must be made by/],
    [
      "a method on all rows",
      [generator, discriminator, data, { method: levenbergMarquardt() }],
      /options\.method must be made by minmaxGaussNewton\(\).*; received "levenberg-marquardt"/,
    ],
    [
      "half a method",
      [generator, discriminator, data, { method: { generator: minmaxGaussNewton() } }],
      /options\.method\.discriminator must be made by/,
    ],
    ["an option", [generator, discriminator, data, { epochs: 2 }], /options has no option of that name/],
  ])("%s", async (_, args, message) => {
    await expect(minmax(...(args as Parameters<typeof minmax>))).rejects.toThrow(message);
  });

  it("by train: a step of both players", async () => {
    const targets = data.subarray(0, 40);
    const method = published as unknown as BatchMethod;
    await expect(train(discriminator, { inputs: data, targets, inputSize: 2 }, { method })).rejects.toThrow(
      /options\.method must be a method that trains one network: .* minmax\(generator, discriminator, rows\); received "minmax-published"/,
    );
  });
});

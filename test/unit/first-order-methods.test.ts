// Gradient descent, Adam and L-BFGS against their recurrences, written out on a linear model whose gradients are a closed form; the learning-rate
// schedules; and the line search on functions of one variable.
import { describe, expect, it } from "vitest";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import {
  adam,
  type BatchMethod,
  cumulativeGaussNewton,
  exactGaussNewton,
  gradientDescent,
  lbfgs,
  minmaxGaussNewton,
  network,
  Random,
  squaredError,
} from "../../src/index.js";
import { rateAt, rateSettings, withRate } from "../../src/method/rate-schedule.js";
import { methodAgain, settingsOf } from "../../src/method/rebuild-method.js";
import { type LineValue, WolfeSearch } from "../../src/method/strong-wolfe.js";
import { contextOf } from "../helpers/batch-step.js";
import { eliminate } from "../helpers/dense.js";
import { type BatchProblem, descendNetwork } from "../helpers/descend-network.js";

const [ROWS, INPUTS] = [12, 3];
const SEED = 7;
const ORDER_STREAM = 2 ** 33;

/** psi = x.w + bias: J has the rows (x, 1). */
function linearProblem(decay = 0): BatchProblem {
  const draw = new Random(3, 1);
  const net = network({ layers: [INPUTS, 1], seed: 2 });
  return {
    architecture: net.architecture,
    parameters: net.parameters,
    data: {
      sampleCount: ROWS,
      inputs: Float64Array.from({ length: ROWS * INPUTS }, () => draw.normal()),
      targets: Float64Array.from({ length: ROWS }, () => draw.normal()),
      loss: squaredError({ decay }),
    },
  };
}

/** Sum loss g + d/2 |w|^2 of some rows, and its gradient. */
function objectiveAt({ data }: BatchProblem, w: Float64Array, rows: readonly number[], decay: number) {
  const gradient = w.map((value) => decay * value);
  let value = (decay / 2) * w.reduce((sum, one) => sum + one * one, 0);
  for (const row of rows) {
    const x = [...data.inputs.subarray(row * INPUTS, (row + 1) * INPUTS), 1];
    const residual = x.reduce((sum, one, j) => sum + one * w[j], 0) - data.targets[row];
    value += residual ** 2 / 2;
    for (const [j, one] of x.entries()) gradient[j] += residual * one;
  }
  return { value, gradient };
}

const all = Array.from({ length: ROWS }, (_, i) => i);

/** The rows of step k (from 0) with batches of b. */
function batchOf(k: number, b: number): number[] {
  const perEpoch = Math.floor(ROWS / b);
  const order = new Random(SEED, ORDER_STREAM + Math.floor(k / perEpoch)).permutation(ROWS);
  return [...order.subarray((k % perEpoch) * b, ((k % perEpoch) + 1) * b)];
}

/** Sums of 12 x 4 terms over 9 steps: c n eps. */
const TOLERANCE = 9 * 48 * 8 * Number.EPSILON;

function expectClose(found: Float64Array, expected: Float64Array): void {
  for (let j = 0; j < expected.length; j++) expect(Math.abs(found[j] - expected[j])).toBeLessThan(TOLERANCE);
}

describe("gradient descent", () => {
  for (const nesterov of [false, true])
    it(`is its recurrence${nesterov ? " in Nesterov's form" : ""}, with a weight decay`, async () => {
      const [steps, b, momentum, rate, decay] = [9, 5, 0.8, 0.05, 2];
      const problem = linearProblem(decay);
      let w = problem.parameters;
      let u = new Float64Array(w.length);
      for (let k = 0; k < steps; k++) {
        const { gradient } = objectiveAt(problem, w, batchOf(k, b), (decay * b) / ROWS);
        const g = gradient.map((one) => one / b);
        u = u.map((one, j) => momentum * one + g[j]);
        w = w.map((one, j) => one - rate * (nesterov ? g[j] + momentum * u[j] : u[j]));
      }
      const method = gradientDescent({ batch: b, momentum, rate, nesterov });
      expectClose((await descendNetwork(problem, method, { iterations: steps })).last.parameters, w);
    });

  it("divides by the rows and not by their weights, as its options say: weights 4 are a rate 4 times as large", async () => {
    const problem = linearProblem();
    const weighted = { ...problem, data: { ...problem.data, weights: new Float64Array(ROWS).fill(4) } };
    const run = async (given: BatchProblem, method: BatchMethod) =>
      (await descendNetwork(given, method, { iterations: 5 })).last.parameters;
    // Factors 4 and 2 are exact.
    expect(await run(weighted, gradientDescent({ batch: 5, rate: 0.01 }))).toEqual(
      await run(problem, gradientDescent({ batch: 5, rate: 0.04 })),
    );
    expect(await run(weighted, exactGaussNewton({ batch: 5, damping: 0.4 }))).toEqual(
      await run(problem, exactGaussNewton({ batch: 5, damping: 0.1 })),
    );
  });

  it("on all rows reaches the least-squares solution", async () => {
    const problem = linearProblem();
    const method = gradientDescent({ batch: "all", rate: 0.3, momentum: 0.5 });
    const { last, reason } = await descendNetwork(problem, method, { iterations: 5000 });
    expect(reason.code).toBe("gradient");
    const { gradient } = objectiveAt(problem, last.parameters, all, 0);
    const start = objectiveAt(problem, problem.parameters, all, 0).gradient;
    const largest = (values: Float64Array) => Math.max(...values.map(Math.abs));
    expect(largest(gradient)).toBeLessThan(2e-10 * largest(start));
  });
});

describe("Adam", () => {
  it("is its recurrence, with both decays and a cosine", async () => {
    const [steps, b, rate, decay, apart] = [9, 4, 0.05, 1.2, 0.1];
    const problem = linearProblem(decay);
    let w = problem.parameters;
    const [m, v] = [new Float64Array(w.length), new Float64Array(w.length)];
    for (let k = 0; k < steps; k++) {
      const { gradient } = objectiveAt(problem, w, batchOf(k, b), (decay * b) / ROWS);
      const length = 0.01 + (rate - 0.01) * 0.5 * (1 + Math.cos((Math.PI * k) / steps));
      w = w.map((one, j) => {
        const g = gradient[j] / b;
        m[j] = 0.7 * m[j] + 0.3 * g;
        v[j] = 0.9 * v[j] + 0.1 * g * g;
        const move = m[j] / (1 - 0.7 ** (k + 1)) / (Math.sqrt(v[j] / (1 - 0.9 ** (k + 1))) + 1e-6);
        return one - length * (move + apart * one);
      });
    }
    const method = adam({
      batch: b,
      rate,
      schedule: "cosine",
      finalRate: 0.01,
      beta1: 0.7,
      beta2: 0.9,
      epsilon: 1e-6,
      decoupledDecay: apart,
    });
    expectClose((await descendNetwork(problem, method, { iterations: steps })).last.parameters, w);
  });
});

describe("L-BFGS", () => {
  it("takes the directions of dense BFGS from the last pairs, with lengths of the strong Wolfe conditions", async () => {
    const [memory, steps, decay] = [3, 7, 0.5];
    const problem = linearProblem(decay);
    const points = [problem.parameters];
    for (let k = 1; k <= steps; k++) {
      const { last } = await descendNetwork(problem, lbfgs({ memory }), { iterations: k, gradient: 0 });
      points.push(last.parameters);
    }
    const at = points.map((point) => objectiveAt(problem, point, all, decay));
    for (let k = 0; k < steps; k++) {
      const direction = denseDirection(points, at, k, memory);
      const move = points[k + 1].map((one, j) => one - points[k][j]);
      const length = dot(move, direction) / dot(direction, direction);
      const off = move.map((one, j) => one - length * direction[j]);
      // The inverse of a condition of at most some hundred.
      expect(Math.sqrt(dot(off, off) / dot(move, move)), `direction of step ${k}`).toBeLessThan(1e5 * Number.EPSILON);
      const slope = dot(at[k].gradient, direction);
      expect(at[k + 1].value).toBeLessThanOrEqual(at[k].value + 1e-4 * length * slope);
      expect(Math.abs(dot(at[k + 1].gradient, direction))).toBeLessThanOrEqual(-0.9 * slope);
    }
  });

  it("reaches the least-squares solution, and ends with the gradient", async () => {
    const problem = linearProblem();
    const { last, reason, iterations } = await descendNetwork(problem, lbfgs(), { iterations: 200 });
    expect(reason.code).toBe("gradient");
    expect(iterations).toBeLessThan(40);
    const p = INPUTS + 1;
    const normal = new Float64Array(p * p);
    const right = new Float64Array(p);
    for (const row of all) {
      const x = [...problem.data.inputs.subarray(row * INPUTS, (row + 1) * INPUTS), 1];
      for (let j = 0; j < p; j++) {
        right[j] += x[j] * problem.data.targets[row];
        for (let k = 0; k < p; k++) normal[j * p + k] += x[j] * x[k];
      }
    }
    const solution = eliminate(normal, right, p);
    // Gradient 1e-10 of the start, and a condition of some ten.
    for (let j = 0; j < p; j++) expect(Math.abs(last.parameters[j] - solution[j])).toBeLessThan(1e-8);
  });
});

describe("L-BFGS at an edge of its domain", () => {
  it("steps to the last length that has a loss, not to one of the trials beyond it that have none", async () => {
    // f(w) = -w up to 1: length 1 falls as steeply as the start, and every longer one has no loss.
    const engine = {
      async linearize([w]: Float64Array, { gradient = new Float64Array(1) }: { gradient?: Float64Array }) {
        if (w > 1) return { code: "non-finite", message: "no number", where: { what: "loss" } };
        gradient[0] = -1;
        return { ok: true, loss: -w, gradient, gradientCosine: 1, seconds: { passes: 0, curvature: 0 } };
      },
    } as unknown as NetworkEngine;
    const net = network({ layers: [1, 1], seed: 1 });
    const batch = { inputs: new Float64Array(1), targets: new Float64Array(1) };
    const sizes = { rows: 1, outputSize: 1, parameterCount: 1, loss: squaredError() };
    const context = contextOf({ net, loss: sizes.loss, rows: 1, batch }, [engine], new Float64Array(1));
    const method = lbfgs();
    const answer = await method.step(context, method.start(sizes));
    expect(answer).toMatchObject({ accepted: true, stepNorm: 1, state: { loss: -1 } });
    expect(context.next).toEqual(Float64Array.of(1));
  });
});

/** -H g with H from gamma I by the updates of the last pairs, dense. */
function denseDirection(
  points: readonly Float64Array[],
  at: readonly { readonly gradient: Float64Array }[],
  k: number,
  memory: number,
): Float64Array {
  const p = points[0].length;
  const pairs = Array.from({ length: Math.min(k, memory) }, (_, i) => k - Math.min(k, memory) + i).map((i) => ({
    s: points[i + 1].map((one, j) => one - points[i][j]),
    y: at[i + 1].gradient.map((one, j) => one - at[i].gradient[j]),
  }));
  const last = pairs.at(-1);
  const gamma = last === undefined ? 1 : dot(last.s, last.y) / dot(last.y, last.y);
  let H = Float64Array.from({ length: p * p }, (_, i) => (i % (p + 1) === 0 ? gamma : 0));
  for (const { s, y } of pairs) {
    const rho = 1 / dot(s, y);
    const V = Float64Array.from(
      { length: p * p },
      (_, i) => (i % (p + 1) === 0 ? 1 : 0) - rho * y[Math.floor(i / p)] * s[i % p],
    );
    const HV = new Float64Array(p * p);
    const next = new Float64Array(p * p);
    for (let i = 0; i < p; i++)
      for (let j = 0; j < p; j++) for (let l = 0; l < p; l++) HV[i * p + j] += H[i * p + l] * V[l * p + j];
    for (let i = 0; i < p; i++)
      for (let j = 0; j < p; j++) {
        next[i * p + j] = rho * s[i] * s[j];
        for (let l = 0; l < p; l++) next[i * p + j] += V[l * p + i] * HV[l * p + j];
      }
    H = next;
  }
  return Float64Array.from({ length: p }, (_, i) => -dot(H.subarray(i * p, (i + 1) * p), at[k].gradient));
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, one, j) => sum + one * b[j], 0);
}

describe("the strong Wolfe search", () => {
  const FUNCTIONS: readonly (readonly [string, (t: number) => number, (t: number) => number])[] = [
    ["a parabola", (t) => (t - 3) ** 2, (t) => 2 * (t - 3)],
    ["a steep wall", (t) => Math.exp(t) - 20 * t, (t) => Math.exp(t) - 20],
    ["a sine on a slope", (t) => Math.sin(3 * t) - t + 0.1 * t * t, (t) => 3 * Math.cos(3 * t) - 1 + 0.2 * t],
    ["a function that ends", (t) => -t - Math.log(1 - t / 5), (t) => -1 + 1 / (5 - t)],
  ];
  for (const [name, value, slope] of FUNCTIONS)
    it(`finds such a length on ${name} from any first one`, async () => {
      const from = slope(0) < 0 ? 0 : 1;
      for (const first of [1e-3, 0.1, 1, 10, 1e4]) {
        const at = (length: number): LineValue => ({
          ok: true,
          length,
          value: value(from + length),
          slope: slope(from + length),
        });
        const search = new WolfeSearch(at(0), (length) =>
          Promise.resolve(
            Number.isFinite(value(from + length))
              ? at(length)
              : { code: "non-finite", message: "no number", where: { what: "loss" } },
          ),
        );
        const found = (await search.find(first)) as LineValue;
        expect(found, `first ${first}`).not.toBeNull();
        expect(found.value).toBeLessThanOrEqual(at(0).value + 1e-4 * found.length * at(0).slope);
        expect(Math.abs(found.slope)).toBeLessThanOrEqual(-0.9 * at(0).slope);
      }
    });

  it("answers null on a function without a minimum", async () => {
    const search = new WolfeSearch({ ok: true, length: 0, value: 0, slope: -1 }, (length) =>
      Promise.resolve({ ok: true, length, value: -length, slope: -1 }),
    );
    expect(await search.find(1)).toBeNull();
  });
});

/** The options of each schedule. */
const OWN_RATES = { constant: {}, cosine: { finalRate: 0.2 }, step: { rateFactor: 0.5, rateEpochs: 2 } };

describe("learning-rate schedules", () => {
  const place = { stepsPerEpoch: 10, steps: 40 };
  const rateOf = (schedule: "constant" | "cosine" | "step") =>
    withRate(rateSettings({ schedule, ...OWN_RATES[schedule] }, "constant"), 1);

  it("constant, along a cosine, and by steps of epochs", () => {
    expect([0, 17, 39].map((step) => rateAt(rateOf("constant"), { step, ...place }))).toEqual([1, 1, 1]);
    const cosine = [0, 20, 40].map((step) => rateAt(rateOf("cosine"), { step, ...place }));
    for (const [k, expected] of [1, 0.6, 0.2].entries()) expect(cosine[k]).toBeCloseTo(expected, 14);
    expect([0, 19, 20, 39, 40].map((step) => rateAt(rateOf("step"), { step, ...place }))).toEqual([
      1, 1, 0.5, 0.5, 0.25,
    ]);
  });

  it("refuse the options of another schedule, which would change nothing", () => {
    expect(() => adam({ finalRate: 0.1 })).toThrow(
      'options.finalRate must be left out unless options.schedule is "cosine", and here it is "constant"; received 0.1',
    );
    expect(() => exactGaussNewton({ rateFactor: 0.5 })).toThrow('unless options.schedule is "step"');
    expect(() => cumulativeGaussNewton({ rateEpochs: 2 })).toThrow('unless options.schedule is "step"');
    expect(() => gradientDescent({ schedule: "step", finalRate: 0.1 })).toThrow('unless options.schedule is "cosine"');
    expect(() => minmaxGaussNewton({ step: "published", finalRate: 0 })).toThrow('unless options.schedule is "cosine"');
  });

  it("are made again from the settings of their method", () => {
    for (const [name, own] of Object.entries(OWN_RATES)) {
      const schedule = name as keyof typeof OWN_RATES;
      for (const make of [adam, gradientDescent, exactGaussNewton, cumulativeGaussNewton]) {
        const method = make({ rate: 0.3, schedule, ...own });
        expect(methodAgain(settingsOf(method)!).settings).toEqual(method.settings);
        expect(method.settings).toMatchObject({ schedule, ...own });
      }
    }
  });

  it("refuses what is none, by name", () => {
    expect(() => adam({ rate: -1 })).toThrow("options.rate");
    expect(() => adam({ schedule: "linear" as "cosine" })).toThrow("constant, cosine, step");
    expect(() => gradientDescent({ momentum: 1 })).toThrow("must be below 1");
    expect(() => gradientDescent({ learningRate: 1 } as object)).toThrow("no option of that name");
    expect(() => lbfgs({ memory: 0 })).toThrow("options.memory");
  });
});

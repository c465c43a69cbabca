// Exact Gauss-Newton on batches against its definition in dense algebra, step by step: both engines, three losses, momentum, a weight decay,
// sample weights, the published line search and adaptation.
import { describe, expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import {
  type ExactGaussNewtonOptions,
  exactGaussNewton,
  type Loss,
  logistic,
  network,
  Random,
  softmaxCrossEntropy,
  squaredError,
} from "../../src/index.js";
import { eliminate } from "../helpers/dense.js";
import { type BatchProblem, descendNetwork } from "../helpers/descend-network.js";

const BACKENDS = loadNative().ok ? (["typescript", "native"] as const) : (["typescript"] as const);
/** The order of rows is a function of seed and epoch: this stream of the seed, plus the epoch. */
const ORDER_STREAM = 2 ** 33;
const SEED = 7;

function problemOf(loss: Loss, outputs: number, weighted = false): BatchProblem {
  const net = network({ layers: [3, 4, outputs], seed: 5 });
  const draw = new Random(11, 1);
  const rows = 13;
  const targets = new Float64Array(rows * outputs);
  for (let i = 0; i < rows; i++) {
    if (loss.kind === "softmax-cross-entropy") targets[i * outputs + draw.below(outputs)] = 1;
    else
      for (let k = 0; k < outputs; k++)
        targets[i * outputs + k] = loss.kind === "logistic" ? draw.below(2) : draw.normal();
  }
  return {
    architecture: net.architecture,
    parameters: net.parameters.map((value) => value + 0.2 * draw.normal()),
    data: {
      sampleCount: rows,
      inputs: Float64Array.from({ length: rows * 3 }, () => draw.normal()),
      targets,
      ...(weighted ? { weights: Float64Array.from({ length: rows }, () => 0.2 + draw.uniform()) } : {}),
      loss,
    },
  };
}

/** Q (c x c) and r of one row, from its predictions and targets, and its loss. */
function lossAt(loss: Loss, psi: Float64Array, y: Float64Array) {
  const c = psi.length;
  const q = new Float64Array(c * c);
  if (loss.kind === "softmax-cross-entropy") {
    const top = Math.max(...psi);
    const total = psi.reduce((sum, value) => sum + Math.exp(value - top), 0);
    const p = psi.map((value) => Math.exp(value - top) / total);
    for (let a = 0; a < c; a++) for (let b = 0; b < c; b++) q[a * c + b] = (a === b ? p[a] : 0) - p[a] * p[b];
    return {
      q,
      r: p.map((value, k) => value - y[k]),
      value: -p.reduce((sum, one, k) => sum + y[k] * Math.log(one), 0),
    };
  }
  let value = 0;
  const r = psi.map((one, k) => {
    const sigma = 1 / (1 + Math.exp(-one));
    q[k * c + k] = loss.kind === "logistic" ? sigma * (1 - sigma) : 1;
    value +=
      loss.kind === "logistic" ? -(y[k] * Math.log(sigma) + (1 - y[k]) * Math.log(1 - sigma)) : 0.5 * (one - y[k]) ** 2;
    return loss.kind === "logistic" ? sigma - y[k] : one - y[k];
  });
  return { q, r, value };
}

/** R v of one row, R R^T = Q: for softmax R = diag(sqrt p) - p sqrt(p)^T. */
function factored(loss: Loss, psi: Float64Array, v: Float64Array): Float64Array {
  if (loss.kind === "squared-error") return v;
  if (loss.kind === "logistic")
    return v.map((one, k) => one * Math.sqrt(1 / (1 + Math.exp(-psi[k])) / (1 + Math.exp(psi[k]))));
  const top = Math.max(...psi);
  const total = psi.reduce((sum, value) => sum + Math.exp(value - top), 0);
  const p = psi.map((value) => Math.exp(value - top) / total);
  const along = v.reduce((sum, one, k) => sum + Math.sqrt(p[k]) * one, 0);
  return v.map((one, k) => Math.sqrt(p[k]) * one - p[k] * along);
}

/** The random signs of step k: bits of 32-bit numbers from this stream of the seed, the lowest first. */
function signsOf(k: number, count: number): Float64Array {
  const draw = new Random(SEED, 2 ** 52 + k);
  const bits = Array.from({ length: Math.ceil(count / 32) }, () => draw.below(2 ** 32)).flatMap((number) =>
    Array.from({ length: 32 }, (_, j) => Math.floor(number / 2 ** j) % 2),
  );
  return Float64Array.from({ length: count }, (_, j) => (bits[j] === 0 ? -1 : 1));
}

/**
 * G = J^T S Q J, the gradient J^T S r and the loss of some rows at w: sums over the rows, by products of dense matrices. With signs G is
 * that of one row (R v)^T J a sample.
 */
async function sumsAt(
  { architecture, data }: BatchProblem,
  w: Float64Array,
  rows: readonly number[],
  signs: Float64Array | null = null,
) {
  const [d, c, p] = [3, architecture.outputSize, architecture.parameterCount];
  const loss = data.loss!;
  const part = (values: Float64Array, width: number) =>
    Float64Array.from(rows.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]));
  const [inputs, targets] = [part(data.inputs, d), part(data.targets, c)];
  const engine = createReferenceEngine(architecture, { sampleCount: rows.length, inputs, targets, loss });
  const psi = await engine.forward(w);
  const J = await engine.jacobian(w, 0, rows.length);
  const [G, gradient] = [new Float64Array(p * p), new Float64Array(p)];
  let value = 0;
  for (let i = 0; i < rows.length; i++) {
    const weight = data.weights?.[rows[i]] ?? 1;
    const one = lossAt(loss, psi.subarray(i * c, (i + 1) * c), targets.subarray(i * c, (i + 1) * c));
    value += weight * one.value;
    if (signs !== null) {
      const seed = factored(loss, psi.subarray(i * c, (i + 1) * c), signs.subarray(i * c, (i + 1) * c));
      const row = Float64Array.from({ length: p }, (_, j) =>
        seed.reduce((sum, factor, a) => sum + factor * J[(i * c + a) * p + j], 0),
      );
      for (let j = 0; j < p; j++) for (let k = 0; k < p; k++) G[j * p + k] += weight * row[j] * row[k];
    }
    for (let a = 0; a < c; a++)
      for (let j = 0; j < p; j++) {
        const left = J[(i * c + a) * p + j];
        gradient[j] += weight * left * one.r[a];
        for (let b = 0; b < c && signs === null; b++)
          for (let k = 0; k < p; k++) G[j * p + k] += weight * left * one.q[a * c + b] * J[(i * c + b) * p + k];
      }
  }
  return { G, gradient, value };
}

/** The points of the definition after each step, from the published formulas of the mean loss. */
async function pointsOf(
  problem: BatchProblem,
  steps: number,
  { batch, damping, rate, momentum = 0, lineSearch = false, adaptation = "none", curvature }: ExactGaussNewtonOptions,
): Promise<{ readonly points: Float64Array[]; readonly dampings: number[] }> {
  const n = problem.data.sampleCount;
  const [b, beta, largest] = [batch as number, momentum as number, rate as number];
  const p = problem.architecture.parameterCount;
  // Of the mean: decay/(2n) |w|^2 beside the mean loss of the batch.
  const decay = problem.data.loss!.decay / n;
  const perEpoch = Math.floor(n / b);
  let [w, m, lambda, last] = [problem.parameters, new Float64Array(p), damping as number, Number.POSITIVE_INFINITY];
  const points: Float64Array[] = [];
  const dampings: number[] = [];
  for (let k = 0; k < steps; k++) {
    const order = new Random(SEED, ORDER_STREAM + Math.floor(k / perEpoch)).permutation(n);
    const at = (k % perEpoch) * b;
    const rows = b === n ? Array.from({ length: n }, (_, i) => i) : [...order.subarray(at, at + b)];
    const signs = curvature === "sampled" ? signsOf(k, b * problem.architecture.outputSize) : null;
    const { G, gradient, value } = await sumsAt(problem, w, rows, signs);
    const g = gradient.map((one, j) => one / b + decay * w[j]);
    const H = G.map((one, at) => one / b + (at % (p + 1) === 0 ? lambda + decay : 0));
    const d = eliminate(
      H,
      g.map((one) => -one),
      p,
    );
    m = m.map((one, j) => beta * one + (1 - beta) * d[j]);
    const direction = m.map((one) => one / (1 - beta ** (k + 1)));
    const objective = async (point: Float64Array) =>
      (await sumsAt(problem, point, rows)).value / b + (decay / 2) * point.reduce((sum, one) => sum + one * one, 0);
    const f = value / b + (decay / 2) * w.reduce((sum, one) => sum + one * one, 0);
    const slope = g.reduce((sum, one, j) => sum + one * direction[j], 0);
    let length = largest;
    if (lineSearch) {
      length = Math.min(1.5 * last, largest);
      for (let tries = 0; tries < 15; tries++) {
        const end = await objective(w.map((one, j) => one + length * direction[j]));
        if (f - end + Number.EPSILON >= -0.1 * length * slope) break;
        length *= 0.8;
      }
      last = length;
    }
    const step = direction.map((one) => length * one);
    const next = w.map((one, j) => one + step[j]);
    if (adaptation !== "none") {
      let curved = decay * step.reduce((sum, one) => sum + one * one, 0);
      for (let j = 0; j < p; j++) for (let i = 0; i < p; i++) curved += (step[j] * G[j * p + i] * step[i]) / b;
      const gain = ((await objective(next)) - f) / (g.reduce((sum, one, j) => sum + one * step[j], 0) + curved / 2);
      if (gain < 0.25) lambda *= 1.01;
      if (gain > 0.75) lambda *= 0.99;
      if (adaptation === "bounded") lambda = Math.max(lambda, 0.1 * (damping as number));
    }
    w = next;
    points.push(w);
    dampings.push(lambda);
  }
  return { points, dampings };
}

/** The systems have a condition of at most some 1e3 and 13 x 3 rows: c n eps cond, with c = 20, over seven steps. */
const TOLERANCE = 20 * 39 * 1e3 * Number.EPSILON;

async function compare(
  problem: BatchProblem,
  options: ExactGaussNewtonOptions,
  steps = 7,
): Promise<{ readonly damping: number; readonly expected: number }> {
  const { points, dampings } = await pointsOf(problem, steps, options);
  let found = Number.NaN;
  for (const backend of BACKENDS)
    for (const iterations of [1, 2, 3, steps]) {
      const method = exactGaussNewton({ schedule: "constant", ...options });
      const { last, records } = await descendNetwork(problem, method, { iterations }, { backend });
      const expected = points[iterations - 1];
      const scale = expected.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
      for (let j = 0; j < expected.length; j++)
        expect(Math.abs(last.parameters[j] - expected[j]) / scale, `${backend}, step ${iterations}`).toBeLessThan(
          TOLERANCE,
        );
      // The damping of a step is that before its adaptation, b times as large.
      found = records.at(-1)!.damping / (options.batch as number);
    }
  return { damping: found, expected: dampings.at(-2) ?? (options.damping as number) };
}

const CASES = [
  ["squared error of two outputs", squaredError(), 2],
  ["logistic", logistic(), 2],
  ["softmax", softmaxCrossEntropy(), 3],
] as const;

describe("exact Gauss-Newton on batches is its definition", () => {
  for (const [name, loss, outputs] of CASES) {
    it(`${name}: plain, over two epochs`, async () => {
      await compare(problemOf(loss, outputs), { batch: 4, damping: 0.3, rate: 0.7, momentum: 0 });
    });
    it(`${name}: with momentum and a weight decay inside the curvature`, async () => {
      const decayed = { ...loss, decay: 1.5 };
      await compare(problemOf(decayed, outputs), { batch: 4, damping: 0.3, rate: 0.7, momentum: 0.9 });
    });
    it(`${name}: with sample weights`, async () => {
      await compare(problemOf(loss, outputs, true), { batch: 5, damping: 0.5, rate: 1, momentum: 0.5 });
    });
  }

  for (const [name, loss, outputs] of CASES)
    it(`${name}: with sampled curvature, momentum, a weight decay and sample weights`, async () => {
      const decayed = { ...loss, decay: 0.7 };
      const options = { batch: 4, damping: 0.3, rate: 0.7, momentum: 0.9, curvature: "sampled" } as const;
      await compare(problemOf(decayed, outputs, true), options);
    });

  it("samples the curvature from five outputs on, where nothing is said", () => {
    const needsOf = (outputSize: number, curvature?: "exact") =>
      exactGaussNewton({ curvature }).needs({ rows: 500, outputSize, parameterCount: 9, loss: softmaxCrossEntropy() });
    expect(needsOf(4)).toMatchObject({ route: "dual", rows: 32 });
    expect(needsOf(5)).toMatchObject({ route: "sampled", rows: 128 });
    expect(needsOf(5, "exact")).toMatchObject({ route: "dual", rows: 32 });
  });

  it("all rows at every step", async () => {
    await compare(problemOf(squaredError({ decay: 0.5 }), 2), { batch: 13, damping: 0.1, rate: 1, momentum: 0 });
  });

  it("with the published line search", async () => {
    const options = { batch: 4, damping: 1e-2, rate: 8, momentum: 0, lineSearch: true } as const;
    await compare(problemOf(softmaxCrossEntropy({ decay: 1 }), 3), options);
    await compare(problemOf(squaredError(), 2), { ...options, momentum: 0.5 });
  });

  it("with the published adaptation of the damping, and the bounded one", async () => {
    const options = { batch: 4, damping: 0.2, rate: 0.5, momentum: 0 } as const;
    for (const adaptation of ["published", "bounded"] as const) {
      const { damping, expected } = await compare(problemOf(logistic({ decay: 1 }), 2), { ...options, adaptation });
      expect(damping).toBeCloseTo(expected, 10);
      expect(damping).not.toBe(options.damping);
    }
  });

  it("the bounded adaptation stops at a tenth of the first damping, the published one does not", async () => {
    const problem = problemOf(squaredError(), 2);
    const dampingAfter = async (adaptation: "published" | "bounded") => {
      const method = exactGaussNewton({ batch: 4, damping: 0.2, rate: 0.1, schedule: "constant", adaptation });
      const { records } = await descendNetwork(problem, method, { iterations: 600 });
      return records.at(-1)!.damping / 4;
    };
    expect(await dampingAfter("bounded")).toBeCloseTo(0.02, 12);
    expect(await dampingAfter("published")).toBeLessThan(0.02);
  });
});

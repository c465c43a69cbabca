// The sampled curvature (`src/backend/sampled.ts`) in both engines: against rows made from the Jacobian and the loss's own factor with dense
// algebra, against each other, against the dual route where both are the same; what is refused; and that the mean over signs is G.
import { describe, expect, it } from "vitest";
import type { SampledRows } from "../../src/backend/curvature.js";
import type { SolveRequest } from "../../src/backend/engine.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import { type Loss, lossRule } from "../../src/loss/rules.js";
import { targetCount } from "../../src/loss/target-rules.js";
import { Random } from "../../src/random.js";
import { difference, sure } from "../helpers/engine-problems.js";
import { type LossCase, lossCase } from "../helpers/loss-cases.js";
import { at } from "../helpers/loss-sample.js";
import { ENGINES, LOSSES } from "../helpers/losses.js";

const decay = 0.3;
const damping = 0.8;
const m = decay + damping;

function signsOf(count: number, seed: number): Float64Array {
  const random = new Random(seed, 3);
  return Float64Array.from({ length: count }, () => (random.uniform() < 0.5 ? -1 : 1));
}

/** sqrt(s) R v and s r of every sample, from the loss of one sample at a time. */
function seedsOf({ data, architecture }: LossCase, psi: Float64Array, signs: Float64Array) {
  const rule = lossRule(data.loss!);
  const [c, k] = [architecture.outputSize, targetCount(data.loss, architecture.outputSize)];
  const [rows, gradient] = [new Float64Array(psi.length), new Float64Array(psi.length)];
  for (let i = 0; i < data.sampleCount; i++) {
    const root = Math.sqrt(data.weights?.[i] ?? 1);
    const { factor, gradient: r } = at(
      rule,
      psi.slice(i * c, (i + 1) * c),
      data.targets.slice(i * k, (i + 1) * k),
      root,
    );
    for (let a = 0; a < c; a++) {
      gradient[i * c + a] = r[a]!;
      for (let b = 0; b < c; b++) {
        const entry = rule.factor === "full" ? factor[b * c + a]! : a === b ? factor[a]! : 0;
        rows[i * c + a]! += entry * signs[i * c + b]!;
      }
    }
  }
  return { rows, gradient };
}

/** B (n x p), and J^T of the gradient's seeds with the decay. */
function denseOf(
  J: Float64Array,
  w: Float64Array,
  seeds: { readonly rows: Float64Array; readonly gradient: Float64Array },
  c: number,
) {
  const p = w.length;
  const B = new Float64Array((seeds.rows.length / c) * p);
  const gradient = w.map((value) => decay * value);
  for (let row = 0; row < seeds.rows.length; row++)
    for (let j = 0; j < p; j++) {
      B[Math.floor(row / c) * p + j]! += seeds.rows[row]! * J[row * p + j]!;
      gradient[j]! += seeds.gradient[row]! * J[row * p + j]!;
    }
  return { B, gradient };
}

/** |(B^T B + m I) x - right|_inf over the largest entry of its terms. */
function residual(B: Float64Array, x: Float64Array, right: Float64Array): number {
  const p = x.length;
  const sum = new Float64Array(p);
  for (let at = 0; at < B.length; at += p) {
    const row = B.subarray(at, at + p);
    const image = row.reduce((total, value, j) => total + value * x[j]!, 0);
    for (let j = 0; j < p; j++) sum[j]! += image * row[j]!;
  }
  const largest = (v: Float64Array) => v.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  return (
    largest(sum.map((value, j) => value + m * x[j]! - right[j]!)) / (largest(sum) + m * largest(x) + largest(right))
  );
}

const request = (sampled: SampledRows) => ({ curvature: "sampled", decay, scaling: null, sampled }) as const;
const solving: SolveRequest = { damping, decay, scaling: null };

async function compare(engine: NetworkEngine, problem: LossCase, sampled: SampledRows) {
  const { parameters: w, data, architecture } = problem;
  const { outputSize: c } = architecture;
  const [n, p] = [data.sampleCount, w.length];
  const psi = await engine.forward(w);
  const seeds = "signs" in sampled ? seedsOf(problem, psi, sampled.signs) : sampled;
  const { B, gradient } = denseOf(await engine.jacobian(w, 0, n), w, seeds, c);
  const evaluation = await sure(engine.evaluate(w));
  const point = await sure(engine.linearize(w, request(sampled)));
  expect(engine.held).toBe("sampled");
  // Sums of at most n c p terms in other orders.
  const unit = 8 * (n * c + p) * Number.EPSILON;
  expect(difference(Float64Array.of(evaluation.loss), Float64Array.of(point.loss))).toBeLessThan(unit);
  expect(point.gradientCosine).toBeNaN();
  expect(point.residualSquare).toBeUndefined();
  expect(difference(gradient, point.gradient)).toBeLessThan(unit * 10);
  const kernel = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < n; k++) for (let j = 0; j < p; j++) kernel[i * n + k]! += B[i * p + j]! * B[k * p + j]!;
  const held = await engine.curvature();
  expect(difference(kernel, held)).toBeLessThan(unit);
  const { step } = await sure(engine.solve(solving));
  // The division by m multiplies the rounding of g - B^T u by |B^T B| / m at most, and |B^T B| is at most the trace.
  const trace = kernel.reduce((sum, value, k) => sum + (k % (n + 1) === 0 ? value : 0), 0);
  const limit = unit * (1 + trace / m);
  expect(
    residual(
      B,
      step,
      gradient.map((value) => -value),
    ),
  ).toBeLessThan(limit);
  const v = Float64Array.from({ length: p }, (_, j) => Math.sin(3 * j + 1));
  expect(residual(B, await sure(engine.dampedInverse(v)), v)).toBeLessThan(limit);
  return { step, held, gradient: point.gradient, limit };
}

describe.each(ENGINES)("the sampled curvature of the %s engine", (_, create) => {
  const made = ({ architecture, data }: LossCase) => create(architecture, data, { threads: 2 });

  it.each(LOSSES.map((loss) => [loss.kind, loss] as const))("is that of dense rows, %s", async (_kind, loss) => {
    // More samples than a block of the reference engine.
    for (const [layers, n, weighted] of [
      [[3, 5, 4], 40, true],
      [[2, 6, 1], 150, false],
      [[4, 2], 7, true],
    ] as const) {
      const problem = lossCase(loss, layers, n, { weighted, seed: n });
      const count = n * problem.architecture.outputSize;
      const engine = made(problem);
      await compare(engine, problem, { signs: signsOf(count, n) });
      const random = new Random(n, 5);
      const draw = () => Float64Array.from({ length: count }, () => random.normal());
      await compare(engine, problem, { rows: draw(), gradient: draw() });
      engine.dispose();
    }
  });

  it("is the dual route where there is one output and the signs are 1", async () => {
    const problem = lossCase(LOSSES.find(({ kind }) => kind === "huber")!, [3, 7, 1], 60, { weighted: true });
    const engine = made(problem);
    const { step, held, limit } = await compare(engine, problem, { signs: new Float64Array(60).fill(1) });
    await sure(engine.linearize(problem.parameters, { curvature: "dual", decay, scaling: null }));
    expect(difference(await engine.curvature(), held)).toBeLessThan(limit);
    expect(difference((await sure(engine.solve(solving))).step, step)).toBeLessThan(limit);
    engine.dispose();
  });

  it("has the trace of G in the mean over all signs of a sample", async () => {
    const problem = lossCase(LOSSES.find(({ kind }) => kind === "softmax-cross-entropy")!, [3, 5, 3], 25);
    const engine = made(problem);
    let mean = 0;
    for (let pattern = 0; pattern < 8; pattern++) {
      const signs = Float64Array.from({ length: 75 }, (_value, k) => ((pattern >> (k % 3)) & 1 ? 1 : -1));
      await sure(engine.linearize(problem.parameters, request({ signs })));
      const kernel = await engine.curvature();
      for (let i = 0; i < 25; i++) mean += kernel[26 * i]! / 8;
    }
    await sure(engine.linearize(problem.parameters, { curvature: "primal", decay, scaling: null }));
    const G = await engine.curvature();
    const p = problem.parameters.length;
    const trace = G.reduce((sum, value, k) => sum + (k % (p + 1) === 0 ? value : 0), 0);
    expect(Math.abs(mean / trace - 1)).toBeLessThan(8 * 75 * p * Number.EPSILON);
    engine.dispose();
  });

  it("refuses what it is not made from, and what it has not", async () => {
    const problem = lossCase(LOSSES[0] as Loss, [3, 4, 2], 10);
    const w = problem.parameters;
    const engine = made(problem);
    const signs = signsOf(20, 1);
    const slotted = create(problem.architecture, { ...problem.data, slots: 2 }, { threads: 2 });
    const wrong: readonly [NetworkEngine, object, RegExp][] = [
      [engine, { sampled: undefined }, /sampled must have signs, or rows and gradient/],
      [engine, { sampled: {} }, /sampled\.rows/],
      [engine, { sampled: { signs: signs.subarray(1) } }, /sampled\.signs/],
      [engine, { sampled: { signs: new Float64Array(20) } }, /sampled\.signs\[0\] must be 1 or -1/],
      [engine, { sampled: { signs, rows: signs } }, /rows/],
      [engine, { sampled: { rows: signs } }, /sampled\.gradient/],
      [engine, { scaling: new Float64Array(w.length) }, /scaling must be null/],
      [engine, { curvature: "dual" }, /sampled must be absent/],
      [engine, { precision: "single" }, /precision/],
      [engine, { subset: Uint32Array.of(1) }, /subset/],
      [slotted, {}, /curvature must be/],
    ];
    for (const [one, change, message] of wrong)
      await expect(
        one.linearize(w, { ...request({ signs }), ...change } as never),
        String(message),
      ).rejects.toMatchObject({
        code: "GAUSSFLOW_ARGUMENT",
        message: expect.stringMatching(message),
      });
    await sure(engine.linearize(w, request({ signs })));
    const argument = { code: "GAUSSFLOW_ARGUMENT" };
    await expect(engine.solve({ damping: 0, decay: 0, scaling: null })).rejects.toMatchObject(argument);
    await expect(engine.solve({ ...solving, scaling: new Float64Array(w.length) })).rejects.toMatchObject(argument);
    await sure(engine.solve(solving));
    const state = { code: "GAUSSFLOW_STATE" };
    await expect(engine.accelerate(w, null)).rejects.toMatchObject({
      ...state,
      message: expect.stringMatching(/sampled/),
    });
    await expect(engine.layerFactors()).rejects.toMatchObject(state);
    engine.dispose();
    slotted.dispose();
  });
});

it.skipIf(ENGINES.length < 2)("both engines answer alike, whatever the threads of the native one", async () => {
  const problem = lossCase(LOSSES.find(({ kind }) => kind === "softmax-cross-entropy")!, [6, 9, 4], 200, {
    weighted: true,
  });
  const signs = signsOf(800, 2);
  const answers = [];
  for (const [, create] of ENGINES)
    for (const threads of [1, 3]) {
      const engine = create(problem.architecture, problem.data, { threads });
      const { gradient } = await sure(engine.linearize(problem.parameters, request({ signs })));
      const { step } = await sure(engine.solve(solving));
      answers.push({ gradient, step });
      engine.dispose();
    }
  const [first, , native, other] = answers;
  expect(native).toEqual(other);
  expect(difference(first!.gradient, native!.gradient)).toBeLessThan(8 * 800 * 60 * Number.EPSILON);
  expect(difference(first!.step, native!.step)).toBeLessThan(1e-10);
});

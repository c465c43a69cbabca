// The steps of ggnScore against their definition in dense algebra: the augmented system of the paper, written with Q and J as matrices, for
// squared error and the losses of classifications, by both forms and both engines; the lengths of the steps; and the proximal step.
import { describe, expect, it } from "vitest";
import { failed } from "../../src/backend/engine.js";
import { logistic } from "../../src/loss/logistic.js";
import type { Loss } from "../../src/loss/rules.js";
import { softmaxCrossEntropy } from "../../src/loss/softmax-cross-entropy.js";
import { squaredError } from "../../src/loss/squared-error.js";
import type { BatchStep } from "../../src/method/batch-method.js";
import { ggnScore } from "../../src/method/ggn-score/ggn-score.js";
import type { GgnScoreOptions } from "../../src/method/ggn-score/options.js";
import { penaltyOf } from "../../src/method/ggn-score/penalty.js";
import { prefersRows } from "../../src/method/ggn-score/row-form.js";
import { SMOOTH_RULES } from "../../src/method/ggn-score/smooth-rules.js";
import { predictions } from "../../src/network/forward.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import { contextOf, engineOf, type StepProblem } from "../helpers/batch-step.js";
import { eliminate, inverseNorm1, multiply, norm1, transpose } from "../helpers/dense.js";

const backends = ["typescript", "native"] as const;
const eps = Number.EPSILON;

function problemOf(loss: Loss, outputs: number, rows: number, weighted = false): StepProblem {
  const draw = new Random(7, 1);
  const net = network({ layers: [3, 4, outputs], seed: 5 });
  const inputs = Float64Array.from({ length: rows * 3 }, () => draw.normal());
  const targets = new Float64Array(rows * outputs);
  for (let i = 0; i < rows; i++)
    for (let a = 0; a < outputs; a++) {
      if (loss.kind === "squared-error") targets[i * outputs + a] = draw.normal();
      else if (loss.kind === "logistic") targets[i * outputs + a] = draw.below(2);
      else targets[i * outputs + a] = a === i % outputs ? 1 : 0;
    }
  const weights = weighted
    ? Float64Array.from({ length: rows }, (_, i) => (i === 2 ? 0 : 0.5 + draw.uniform()))
    : undefined;
  return { net, loss, rows, batch: { inputs, targets, ...(weights === undefined ? {} : { weights }) } };
}

/** r = dl/dpsi and Q = d2l/dpsi2 of each row as the textbooks have them. */
function lossTerms(kind: Loss["kind"], psi: Float64Array, y: Float64Array) {
  const c = psi.length;
  const q = new Float64Array(c * c);
  if (kind === "softmax-cross-entropy") {
    const sum = psi.reduce((total, value) => total + Math.exp(value), 0);
    const p = psi.map((value) => Math.exp(value) / sum);
    for (let a = 0; a < c; a++) for (let b = 0; b < c; b++) q[a * c + b] = (a === b ? p[a] : 0) - p[a] * p[b];
    return { r: p.map((value, a) => value - y[a]), q };
  }
  const p = kind === "logistic" ? psi.map((value) => 1 / (1 + Math.exp(-value))) : psi;
  for (let a = 0; a < c; a++) q[a * c + a] = kind === "logistic" ? p[a] * (1 - p[a]) : 1;
  return { r: p.map((value, a) => value - y[a]), q };
}

interface Definition {
  readonly step: Float64Array;
  /** 1-norm condition number of J^T Q J / b + tau H + decay/b I. */
  readonly condition: number;
  /** Gradient of the mean objective. */
  readonly gradient: Float64Array;
  readonly direction: Float64Array;
}

/** d = -(Jt Qt Jt^T + tau H)^-1 Jt e of the paper, with the decay of the batch beside it. */
async function definition(
  problem: StepProblem,
  tau: number,
  h: { readonly gradient: Float64Array; readonly curvature: Float64Array },
  decay: number,
): Promise<Definition> {
  const { net, loss, rows, batch } = problem;
  const engine = engineOf(problem, "typescript");
  const [p, c] = [net.parameterCount, net.architecture.outputSize];
  const m = rows * c;
  const jacobian = await engine.jacobian(net.parameters, 0, rows);
  engine.dispose();
  const psi = predictions(net.architecture, net.parameters, batch.inputs);
  // Jt is p x (m + 1): J^T, and tau times the gradient of h (with the decay).
  const jt = new Float64Array(p * (m + 1));
  const jTransposed = transpose(jacobian, m, p);
  for (let j = 0; j < p; j++) {
    jt.set(jTransposed.subarray(j * m, (j + 1) * m), j * (m + 1));
    jt[j * (m + 1) + m] = tau * h.gradient[j] + (decay / rows) * net.parameters[j];
  }
  const e = new Float64Array(m + 1).fill(1);
  const qt = new Float64Array((m + 1) * (m + 1));
  for (let i = 0; i < rows; i++) {
    const share = (batch.weights?.[i] ?? 1) / rows;
    const { r, q } = lossTerms(loss.kind, psi.slice(i * c, (i + 1) * c), batch.targets.slice(i * c, (i + 1) * c));
    for (let a = 0; a < c; a++) {
      e[i * c + a] = share * r[a];
      for (let b = 0; b < c; b++) qt[(i * c + a) * (m + 1) + i * c + b] = share * q[a * c + b];
    }
  }
  const matrix = multiply(multiply(jt, qt, p, m + 1, m + 1), transpose(jt, p, m + 1), p, m + 1, p);
  for (let j = 0; j < p; j++) matrix[j * p + j] += tau * h.curvature[j] + decay / rows;
  const gradient = multiply(jt, e, p, m + 1, 1);
  const direction = eliminate(matrix, gradient, p).map((value) => -value);
  return { step: direction, direction, gradient, condition: norm1(matrix, p) * inverseNorm1(matrix, p) };
}

function penaltyTerms(problem: StepProblem, name: keyof typeof SMOOTH_RULES, mu: number, kind: "second" | "majorizer") {
  const p = problem.net.parameterCount;
  const bounds = { lower: -1, upper: 1 };
  const [gradient, curvature] = [new Float64Array(p), new Float64Array(p)];
  penaltyOf({ rule: SMOOTH_RULES[name], mu, bounds, groups: null }, p).fill(
    problem.net.parameters,
    kind,
    gradient,
    curvature,
  );
  return { gradient, curvature };
}

async function stepOf(
  problem: StepProblem,
  options: GgnScoreOptions,
  backend: (typeof backends)[number],
  decay = 0,
): Promise<{ readonly answer: BatchStep; readonly moved: Float64Array }> {
  const engine = engineOf(problem, backend);
  try {
    const context = contextOf(problem, [engine], problem.net.parameters, { decay });
    const method = ggnScore({ continuation: 0, ...options });
    const answer = await method.step(context, method.start({ ...sizesOf(problem) }));
    if (failed(answer)) throw new Error(answer.message);
    return { answer, moved: context.next.map((value, j) => value - problem.net.parameters[j]) };
  } finally {
    engine.dispose();
  }
}

const sizesOf = ({ net, rows, loss }: StepProblem) => ({
  rows,
  outputSize: net.architecture.outputSize,
  parameterCount: net.parameterCount,
  loss,
});

const cases: readonly (readonly [string, StepProblem])[] = [
  ["squared error", problemOf(squaredError(), 1, 8)],
  ["squared error, two outputs, weights", problemOf(squaredError(), 2, 7, true)],
  ["logistic loss", problemOf(logistic(), 1, 8)],
  ["softmax cross-entropy, weights", problemOf(softmaxCrossEntropy(), 3, 6, true)],
];

describe.each(backends)("%s engine", (backend) => {
  it.each(cases)("%s: row form = parameter form = definition", async (_, problem) => {
    for (const [tau, mu] of [
      [1e-4, 1e-3],
      [1e-2, 1e-2],
      [1, 0.3],
    ] as const)
      for (const decay of [0, 0.2]) {
        const expected = await definition(problem, tau, penaltyTerms(problem, "pseudo-huber", mu, "majorizer"), decay);
        const bound = Math.max(1e-10, 100 * eps * expected.condition);
        const size = expected.direction.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        for (const form of ["rows", "parameters"] as const) {
          const { answer, moved } = await stepOf(problem, { tau, mu, system: form }, backend, decay);
          expect(answer.accepted).toBe(true);
          // The length is a power of 1/2.
          const length = Math.abs(moved[0] / expected.direction[0]);
          const halvings = Math.round(-Math.log2(length));
          const off = moved.reduce(
            (most, value, j) => Math.max(most, Math.abs(value * 2 ** halvings - expected.direction[j])),
            0,
          );
          expect(off / size, `${form}, tau ${tau}, decay ${decay}`).toBeLessThan(bound);
          answer.gradient.forEach((value, j) => {
            // Sums over the rows in another order.
            expect(Math.abs(value / problem.rows - expected.gradient[j])).toBeLessThan(1e3 * eps);
          });
        }
      }
  });

  it.each(cases)("%s: the published step has its curvature and its length", async (_, problem) => {
    const [tau, mu, length] = [1e-2, 0.5, 0.95];
    const h = penaltyTerms(problem, "ostrovskii-bach", mu, "second");
    const expected = await definition(problem, tau, h, 0);
    const eta = Math.sqrt(h.gradient.reduce((sum, g, j) => sum + (tau * g) ** 2 / h.curvature[j], 0));
    const alpha = Math.min(1, length / (1 + 2 * Math.SQRT2 * mu ** -0.5 * eta));
    const bound = Math.max(1e-10, 100 * eps * expected.condition);
    const size = expected.direction.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (const form of ["rows", "parameters"] as const) {
      const options = { tau, mu, length, system: form, step: "published", regularizer: "ostrovskii-bach" } as const;
      const { moved } = await stepOf(problem, options, backend);
      const off = moved.reduce((most, value, j) => Math.max(most, Math.abs(value - alpha * expected.direction[j])), 0);
      expect(off / size, form).toBeLessThan(bound);
    }
  });
});

/** Sum objective of the batch, with the regularizer h or what it smooths. */
async function objectiveOf(
  problem: StepProblem,
  w: Float64Array,
  tau: number,
  regularizer: (w: Float64Array) => number,
) {
  const engine = engineOf(problem, "typescript");
  const answer = await engine.evaluate(w);
  engine.dispose();
  if (failed(answer)) throw new Error(answer.message);
  return answer.loss + problem.rows * tau * regularizer(w);
}

describe("the length of the majorizing step", () => {
  it.each(["pseudo-huber", "ostrovskii-bach", "log-exp-box", "pseudo-huber-box", "exponential"] as const)(
    "%s: every step lowers the objective, to a point where the gradient is nearly 0",
    async (regularizer) => {
      const problem = problemOf(squaredError(), 1, 30);
      const engine = engineOf(problem, "typescript");
      const method = ggnScore({ tau: 1e-2, mu: 1e-2, regularizer, continuation: 0 });
      const p = problem.net.parameterCount;
      const bounds = { lower: regularizer === "exponential" ? 0 : -1, upper: 1 };
      const penalty = penaltyOf({ rule: SMOOTH_RULES[regularizer], mu: 1e-2, bounds, groups: null }, p);
      let w = problem.net.parameters;
      let before = await objectiveOf(problem, w, 1e-2, penalty.value);
      let first = Number.NaN;
      let last = Number.NaN;
      for (let k = 1; k <= 300; k++) {
        const context = contextOf(problem, [engine], w, { iteration: k });
        const answer = await method.step(context, { start: -1 });
        if (failed(answer)) throw new Error(answer.message);
        last = Math.hypot(...answer.gradient);
        if (k === 1) first = last;
        if (!answer.accepted) {
          expect(answer.end).toMatchObject({ code: "no-progress" });
          break;
        }
        w = context.next;
        const after = await objectiveOf(problem, w, 1e-2, penalty.value);
        expect(after).toBeLessThan(before);
        before = after;
      }
      engine.dispose();
      expect(last / first).toBeLessThan(1e-3);
    },
  );

  it("a batch that is a part of the rows ends no run where no length is accepted", async () => {
    const problem = problemOf(squaredError(), 1, 8);
    const engine = engineOf(problem, "typescript");
    const context = contextOf(problem, [engine], problem.net.parameters, { totalRows: 80, rate: 1e-300 });
    const answer = await ggnScore().step(context, { start: -1 });
    engine.dispose();
    expect(answer).toMatchObject({ ok: true, accepted: false, stepNorm: 0, end: undefined });
  });
});

describe("the proximal step", () => {
  it("makes small weights exactly 0 and does not raise the loss with the sum of |w|", async () => {
    const problem = problemOf(squaredError(), 1, 8);
    const w = problem.net.parameters.map((value, j) => (j % 3 === 0 ? 1e-6 * value : value));
    const [tau, mu] = [1e-2, 1e-3];
    const sum = (x: Float64Array) => x.reduce((total, value) => total + Math.abs(value), 0);
    const moved: Float64Array[] = [];
    for (const proximal of [false, true]) {
      const engine = engineOf(problem, "typescript");
      const context = contextOf(problem, [engine], w);
      const answer = await ggnScore({ tau, mu, proximal, continuation: 0 }).step(context, { start: -1 });
      engine.dispose();
      if (failed(answer)) throw new Error(answer.message);
      moved.push(context.next);
    }
    const [plain, shrunk] = moved;
    expect(plain.filter((value) => value === 0)).toHaveLength(0);
    const changed = shrunk.some((value, j) => value !== plain[j]);
    expect(changed).toBe(true);
    expect(await objectiveOf(problem, shrunk, tau, sum)).toBeLessThanOrEqual(
      await objectiveOf(problem, plain, tau, sum),
    );
  });

  it("published: the soft threshold tau length h''(w) of the released code", async () => {
    const problem = problemOf(squaredError(), 1, 8);
    const options = { tau: 1e-2, mu: 0.5, length: 0.8, step: "published" } as const;
    const h = penaltyTerms(problem, "pseudo-huber", 0.5, "second");
    const { moved: plain } = await stepOf(problem, options, "typescript");
    const { moved: shrunk } = await stepOf(problem, { ...options, proximal: true }, "typescript");
    problem.net.parameters.forEach((value, j) => {
      const at = value + plain[j];
      const expected = Math.sign(at) * Math.max(Math.abs(at) - 1e-2 * 0.8 * h.curvature[j], 0);
      expect(Math.abs(value + shrunk[j] - expected)).toBeLessThan(8 * eps * (Math.abs(at) + 1));
    });
  });

  it("a box: the nearest point of it", async () => {
    const problem = problemOf(squaredError(), 1, 8);
    const options = { tau: 1e-6, regularizer: "log-exp-box", lower: -0.05, upper: 0.1, proximal: true } as const;
    const engine = engineOf(problem, "typescript");
    const context = contextOf(problem, [engine], new Float64Array(problem.net.parameterCount).fill(0.02));
    const answer = await ggnScore({ continuation: 0, ...options }).step(context, { start: -1 });
    engine.dispose();
    expect(answer).toMatchObject({ ok: true, accepted: true });
    expect(Math.max(...context.next)).toBeLessThanOrEqual(0.1);
    expect(Math.min(...context.next)).toBeGreaterThanOrEqual(-0.05);
  });
});

describe("the continuation", () => {
  it("takes the smoothing from firstMu to mu by equal factors, and then keeps it", async () => {
    const problem = problemOf(squaredError(), 1, 8);
    const options = { tau: 1e-2, mu: 1e-3, firstMu: 0.1, continuation: 4 } as const;
    for (const [iteration, mu] of [
      [1, 0.1],
      [3, 1e-2],
      [5, 1e-3],
      [9, 1e-3],
    ] as const) {
      const moves: Float64Array[] = [];
      for (const given of [options, { tau: 1e-2, mu, continuation: 0 }]) {
        const engine = engineOf(problem, "typescript");
        const context = contextOf(problem, [engine], problem.net.parameters, { iteration });
        const answer = await ggnScore(given).step(context, { start: -1 });
        engine.dispose();
        expect(answer).toMatchObject({ ok: true, accepted: true });
        moves.push(context.next);
      }
      // The smoothing is a power, rounded; the step depends on it smoothly.
      moves[0].forEach((value, j) => {
        expect(Math.abs(value - moves[1][j])).toBeLessThan(1e-9);
      });
    }
  });
});

describe("choices", () => {
  it("the row form is chosen for fewer rows than parameters, where its work is less", () => {
    expect(prefersRows(64, 10_000)).toBe(true);
    expect(prefersRows(500, 360)).toBe(false);
    expect(prefersRows(300, 360)).toBe(false);
    const sizes = { rows: 5000, outputSize: 1, loss: squaredError() };
    expect(ggnScore({ batch: 64 }).needs({ ...sizes, parameterCount: 10_000 })).toMatchObject({
      rows: 64,
      engines: [{ rows: 64, curvature: "none" }],
      route: "dual",
    });
    expect(ggnScore().needs({ ...sizes, parameterCount: 300 })).toMatchObject({
      rows: 5000,
      engines: [{ rows: 5000, curvature: "primal" }],
      route: "primal",
    });
  });

  it("the row form refuses a regularizer without curvature, and names the damping", async () => {
    const problem = problemOf(squaredError(), 1, 8);
    const engine = engineOf(problem, "typescript");
    const context = contextOf(problem, [engine], new Float64Array(problem.net.parameterCount).fill(0.5));
    const method = ggnScore({ regularizer: "pseudo-huber-box", step: "published", damping: 0, system: "rows" });
    const answer = await method.step(context, { start: -1 });
    engine.dispose();
    expect(answer).toMatchObject({ code: "indefinite", message: expect.stringMatching(/give a damping above 0/) });
  });

  it.each<[GgnScoreOptions, RegExp]>([
    [{ tau: 0 }, /options\.tau must be a positive finite number; received 0/],
    [{ mu: -1 }, /options\.mu must be a positive finite number/],
    [{ regularizer: "l1" as never }, /options\.regularizer must be one of pseudo-huber, ostrovskii-bach/],
    [{ step: "newton" as never }, /options\.step must be one of majorizing, published/],
    [{ length: 0.5 }, /options\.length must be left out unless options\.step is "published".*received 0\.5/],
    [{ firstMu: 1, continuation: 0 }, /options\.firstMu must be left out with options\.continuation 0/],
    [{ firstMu: 1, step: "published" }, /options\.firstMu must be left out with options\.continuation 0/],
    [{ length: 1.5 }, /options\.length must be a number above 0 and at most 1; received 1\.5/],
    [{ upper: 1 }, /options\.upper must not be given with this regularizer/],
    [{ regularizer: "exponential", upper: 1 }, /options\.upper must not be given with exponential/],
    [{ regularizer: "log-exp-box", lower: 2 }, /options\.lower must be at most options\.upper, which is 1; received 2/],
    [{ regularizer: "log-exp-box", groups: [2] }, /options\.groups must not be given with bounds/],
    [{ groups: [2, 0] }, /options\.groups\[1\] must be an integer of at least 1; received 0/],
    [{ batch: 0 }, /options\.batch must be an integer of at least 1/],
    [{ continuation: -1 }, /options\.continuation must be an integer of at least 0/],
    [{ mu: 0.1, firstMu: 0.01 }, /options\.firstMu must be at least options\.mu, which is 0\.1; received 0\.01/],
    [{ damping: -1 }, /options\.damping must be a finite number of at least 0/],
  ])("%j is refused", (options, message) => {
    expect(() => ggnScore(options)).toThrow(message);
  });
});

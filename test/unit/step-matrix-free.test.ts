// The matrix-free route: conjugate gradients and their preconditioners against dense solves, inexact steps against the model's own
// arithmetic, whole training runs against the primal route.
import { describe, expect, it } from "vitest";
import { dot, norm } from "../../src/algebra/vectors.js";
import { createEngine } from "../../src/backend/create.js";
import { failed } from "../../src/backend/engine.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import {
  dataset,
  gaussNewton,
  levenbergMarquardt,
  network,
  squaredError,
  type TrainOptions,
  type TrainRecord,
  train,
} from "../../src/index.js";
import { linearizeAt, type MatrixFreeSettings, PRECONDITIONERS, type Problem } from "../../src/linearize/problem.js";
import { layerSizes } from "../../src/network/parameters.js";
import { Random } from "../../src/random.js";
import { conjugateGradients } from "../../src/step/conjugate-gradients.js";
import { dampedStep } from "../../src/step/damped-step.js";
import { forcingTerm, toleranceAt } from "../../src/step/forcing.js";
import { minimize } from "../../src/train/minimize.js";
import { stopRules } from "../../src/train/stop.js";
import { ProblemEngine } from "../helpers/minimize-dense.js";
import { waves } from "../helpers/problems.js";

/** A = Q diag(values) Q^T with reflections for Q: products only. */
function operator(values: Float64Array) {
  const n = values.length;
  const random = new Random(4, 1);
  const mirrors = [1, 2].map(() => {
    const v = Float64Array.from({ length: n }, () => random.normal());
    const size = norm(v);
    return v.map((value) => value / size);
  });
  const reflect = (x: Float64Array, order: readonly Float64Array[]) =>
    order.reduce((now, v) => {
      const share = 2 * dot(v, now);
      return now.map((value, j) => value - share * v[j]);
    }, x);
  return async (x: Float64Array) =>
    reflect(
      reflect(x, mirrors).map((value, j) => value * values[j]),
      [...mirrors].reverse(),
    );
}

describe("conjugate gradients", () => {
  const n = 60;
  const b = Float64Array.from({ length: n }, (_, j) => Math.sin(j + 1));
  const identity = (r: Float64Array) => r.slice();
  const plain = { precondition: identity, tolerance: 1e-12, iterations: 500, start: null };

  it("solve, in as many steps as there are different eigenvalues", async () => {
    const multiply = operator(Float64Array.from({ length: n }, (_, j) => [1, 7, 50][j % 3]));
    const { x, r, iterations, residual, end } = await conjugateGradients(b, { ...plain, multiply });
    expect(iterations).toBe(3);
    expect(end).toBe("residual");
    const image = await multiply(x);
    const exact = b.map((value, j) => value - image[j]);
    // The recurrence drifts from the true residual by eps * condition.
    expect(norm(exact) / norm(b)).toBeLessThan(n * 50 * Number.EPSILON);
    expect(norm(r) / norm(b)).toBeCloseTo(residual, 15);
  });

  it("end where the number allowed is used up, where a start is the solution, and where the model falls no more", async () => {
    const values = Float64Array.from({ length: n }, (_, j) => 10 ** (-8 * (j / n)));
    const multiply = operator(values);
    const few = await conjugateGradients(b, { ...plain, multiply, iterations: 4 });
    expect([few.iterations, few.end]).toEqual([4, "iterations"]);
    const easy = operator(values.map((value) => value + 1));
    const solved = await conjugateGradients(b, { ...plain, multiply: easy });
    const again = await conjugateGradients(b, {
      ...plain,
      multiply: easy,
      tolerance: 1e-10,
      start: { x: solved.x, product: await easy(solved.x) },
    });
    expect([again.iterations, again.end]).toEqual([0, "residual"]);
    expect(again.x).toEqual(solved.x);
    // Nearly all of b lies in one easy direction; what is left of it wins nothing that a product would be worth.
    const direction = await operator(Float64Array.from({ length: n }, (_, j) => (j === 0 ? 1 : 1e-7)))(b);
    const stalled = await conjugateGradients(direction, { ...plain, multiply, tolerance: 0.9e-9, iterations: 5000 });
    expect(["model", "residual"]).toContain(stalled.end);
    const zero = await conjugateGradients(new Float64Array(n), { ...plain, multiply });
    expect([zero.iterations, zero.x.every((value) => value === 0)]).toEqual([0, true]);
  });

  it("tell of products that are not finite", async () => {
    const { x } = await conjugateGradients(b, { ...plain, multiply: async () => new Float64Array(n).fill(Number.NaN) });
    expect(x.every(Number.isNaN)).toBe(true);
  });
});

const scalings = ["identity", "marquardt"] as const;
const data = waves(90, 3, 2, 4);
const weights = Float64Array.from({ length: 90 }, (_, i) => (i % 5) / 2);
const { architecture, parameters } = network({ layers: [3, 6, 2], seed: 3 });

async function setUp(matrixFree: MatrixFreeSettings, decay: number, scaled: boolean) {
  const engine = createReferenceEngine(architecture, { ...data, weights });
  const problem: Problem = {
    engine,
    route: "matrix-free",
    decay,
    scaling: scaled ? "marquardt" : "identity",
    layerSizes: layerSizes(architecture),
    condition: false,
    matrixFree,
  };
  const point = await linearizeAt(
    problem,
    parameters,
    scaled ? new Float64Array(engine.parameterCount) : null,
    null,
    undefined,
  );
  if (failed(point)) throw new Error(point.message);
  return { engine, problem, point };
}

describe.each(PRECONDITIONERS)("the step preconditioned by %s", (preconditioner) => {
  const settings = { preconditioner, rank: 10, iterations: 500 };
  it.each([
    [0, false],
    [0.4, true],
    [0, true],
  ])("is the dense one, decay %d, scaled %s", async (decay, scaled) => {
    for (const damping of [1e-3, 1]) {
      const { engine, problem, point } = await setUp(settings, decay, scaled);
      const free = await dampedStep(problem, { ...point, tolerance: 1e-12 }, damping);
      if (failed(free)) throw new Error(free.message);
      const dense: Problem = { ...problem, route: "primal" };
      const again = await linearizeAt(
        dense,
        parameters,
        scaled ? new Float64Array(engine.parameterCount) : null,
        null,
        undefined,
      );
      if (failed(again)) throw new Error(again.message);
      const exact = await dampedStep(dense, again, damping);
      if (failed(exact)) throw new Error(exact.message);
      const off = norm(free.step.map((value, j) => value - exact.step[j])) / norm(exact.step);
      // A residual of 1e-12 times a condition number below 1e5.
      expect(off, `damping ${damping}`).toBeLessThan(1e-7);
      expect(Math.abs(free.predicted / exact.predicted - 1)).toBeLessThan(1e-9);
      expect(free.inner).toMatchObject({ preconditioner, tolerance: 1e-12 });
      // Both mean that rounding leaves nothing to win.
      expect(["residual", "model"]).toContain(free.inner?.end);
      engine.dispose();
    }
  });

  it("promises what the model gives, however loosely it was solved for, also after a rejected trial", async () => {
    const decay = 0.2;
    const { engine, problem, point } = await setUp(settings, decay, true);
    let damping = 1e-3;
    for (const tolerance of [0.5, 0.1, 1e-3]) {
      damping *= 4;
      const loose = { ...point, tolerance };
      const tried: Float64Array[] = [];
      for (const mu of [damping, 3 * damping]) {
        const answer = await dampedStep(problem, loose, mu);
        if (failed(answer)) throw new Error(answer.message);
        const image = await engine.curvatureProduct(answer.step);
        for (let j = 0; j < image.length; j++) image[j] += decay * answer.step[j];
        const model = -dot(point.gradient, answer.step) - 0.5 * dot(answer.step, image);
        expect(Math.abs(answer.predicted / model - 1), `tolerance ${tolerance}, damping ${mu}`).toBeLessThan(1e-10);
        const weighted = answer.step.map((value, j) => mu * (point.scaling?.[j] ?? 1) * value);
        const quadratic = dot(answer.step, image) + dot(answer.step, weighted);
        expect(Math.abs((answer.quadratic as number) / quadratic - 1)).toBeLessThan(1e-10);
        expect(answer.predicted).toBeGreaterThan(0);
        expect(answer.slope).toBeLessThan(0);
        // The true residual in the units of D, against the one told.
        const left = image.map(
          (value, j) => (value + weighted[j] + point.gradient[j]) / Math.sqrt(point.scaling?.[j] ?? 1),
        );
        const right = point.gradient.map((value, j) => value / Math.sqrt(point.scaling?.[j] ?? 1));
        expect(Math.abs(norm(left) / norm(right) - (answer.inner?.residual as number))).toBeLessThan(1e-12);
        tried.push(answer.step);
      }
    }
    engine.dispose();
  });
});

it("products that are not finite are a failure, not a step", async () => {
  const { engine, problem, point } = await setUp({ preconditioner: "none", rank: 1, iterations: 9 }, 0, false);
  const broken = {
    ...problem,
    engine: Object.assign(Object.create(engine) as NetworkEngine, {
      curvatureProduct: async (v: Float64Array) => v.fill(Number.NaN),
    }),
  };
  const answer = await dampedStep(broken, point, 1);
  expect(failed(answer) && answer.code).toBe("non-finite");
  engine.dispose();
});

it("the forcing term is Eisenstat and Walker's second choice with their safeguard, from the records alone", () => {
  const record = (gradientNorm: number, tolerance: number, accepted = true) =>
    ({ accepted, gradientNorm, inner: { tolerance } }) as unknown as TrainRecord;
  expect(toleranceAt(forcingTerm([]), 5)).toBe(0.1);
  expect(toleranceAt(forcingTerm([record(10, 0.1)]), 1)).toBeCloseTo(0.9e-2, 15);
  expect(toleranceAt(forcingTerm([record(10, 0.1)]), 8)).toBe(0.1);
  expect(toleranceAt(forcingTerm([record(10, 0.1), record(3, 0.1, false)]), 1)).toBeCloseTo(0.9e-2, 15);
  expect(toleranceAt(forcingTerm([record(1, 1e-4)]), 1e-9)).toBe(1e-10);
});

describe.each(["typescript", "auto"] as const)("training on the %s engine", (backend) => {
  const stop = { iterations: 300 };
  const small = waves(120, 3, 2, 6);
  const { inputs, targets, inputSize, outputSize } = small;
  const weights = Array.from({ length: 120 }, (_, i) => 0.5 + (i % 3));
  const rows = dataset({ inputs, targets, inputSize, outputSize, weights });
  const net = network({ layers: [3, 4, 2], seed: 2 });

  const nearMinimum = async (options: TrainOptions) => {
    const { last } = await train(net, rows, { ...options, route: "primal" });
    return last.withParameters(last.parameters.map((value, j) => value + 0.02 * Math.sin(j)));
  };

  it.each(scalings.flatMap((scaling) => PRECONDITIONERS.map((preconditioner) => ({ scaling, preconditioner }))))(
    "ends in the minimum of the primal route, $scaling, $preconditioner",
    async ({ scaling, preconditioner }) => {
      const options: TrainOptions = {
        backend,
        stop,
        validation: false,
        loss: squaredError({ decay: 1e-2 }),
        method: levenbergMarquardt({ scaling }),
      };
      // From beside a minimum: elsewhere inexact steps may lead to another one.
      const start = await nearMinimum(options);
      const primal = await train(start, rows, { ...options, route: "primal" });
      const matrixFree = { preconditioner, rank: 12 };
      const free = await train(start, rows, { ...options, route: "matrix-free", matrixFree });
      expect(free.plan.route).toBe("matrix-free");
      const last = (records: readonly TrainRecord[]) => records[records.length - 1].objective;
      // Both objectives stand at a minimum: their difference is second order in what is left of the gradient.
      expect(Math.abs(last(free.records) / last(primal.records) - 1), free.reason.message).toBeLessThan(1e-10);
      const inner = free.records.slice(1).map((record) => record.inner);
      expect(inner.every((solve) => solve?.preconditioner === preconditioner)).toBe(true);
      const solved = inner.flatMap((solve) => (solve?.end === "residual" ? [solve] : []));
      expect(solved.length).toBeGreaterThan(0);
      for (const { residual, tolerance } of solved) expect(residual).toBeLessThanOrEqual(tolerance);
    },
  );

  it("works with Gauss-Newton and its line search", async () => {
    const options: TrainOptions = {
      backend,
      stop,
      validation: false,
      method: gaussNewton(),
      loss: squaredError({ decay: 0.1 }),
    };
    const start = await nearMinimum(options);
    const primal = await train(start, rows, { ...options, route: "primal" });
    const free = await train(start, rows, { ...options, route: "matrix-free" });
    const last = (records: readonly TrainRecord[]) => records[records.length - 1].objective;
    expect(Math.abs(last(free.records) / last(primal.records) - 1), free.reason.message).toBeLessThan(1e-9);
  });

  it("stops at an abort with what it has", async () => {
    const controller = new AbortController();
    const result = await train(net, rows, {
      backend,
      route: "matrix-free",
      signal: controller.signal,
      onRecord: (record) => {
        if (record.iteration === 3) controller.abort();
      },
    });
    expect(result.reason.code).toBe("aborted");
    expect(result.iterations).toBe(3);
  });

  it("takes the same steps with every number of threads", async () => {
    const runs = [];
    for (const threads of [1, 2, 3])
      runs.push(await train(net, rows, { backend, threads, route: "matrix-free", stop: { iterations: 12 } }));
    for (const run of runs) expect(run.last.parameters).toEqual(runs[0].last.parameters);
  });
});

it("an engine call in flight is aborted with the signal's reason", async () => {
  const { sampleCount, inputs, targets } = data;
  const engine = createEngine(architecture, { sampleCount, inputs, targets, weights }, { backend: "typescript" });
  const problem: Problem = {
    engine,
    route: "matrix-free",
    decay: 0,
    scaling: "identity",
    layerSizes: layerSizes(architecture),
    condition: false,
  };
  const point = await linearizeAt(problem, parameters, null, null, undefined);
  if (failed(point)) throw new Error(point.message);
  const reason = new Error("enough");
  await expect(dampedStep(problem, point, 1, AbortSignal.abort(reason))).rejects.toBe(reason);
  engine.dispose();
});

it("wrong options are named", async () => {
  const net = network({ layers: [3, 4, 2], seed: 2 });
  const of = (matrixFree: unknown, route: unknown = "matrix-free") =>
    train(net, data, { route, matrixFree } as unknown as TrainOptions);
  const argument = (text: string) => ({ code: "GAUSSFLOW_ARGUMENT", message: expect.stringContaining(text) });
  await expect(of({ preconditioner: "ilu" })).rejects.toMatchObject(
    argument("options.matrixFree.preconditioner must be one of none"),
  );
  await expect(of({ rank: 0 })).rejects.toMatchObject(argument("options.matrixFree.rank"));
  await expect(of({ iterations: 1.5 })).rejects.toMatchObject(argument("options.matrixFree.iterations"));
  await expect(of({ ranks: 3 })).rejects.toMatchObject(argument("ranks"));
  await expect(of({}, "free")).rejects.toMatchObject(argument("options.route must be one of auto"));
});

it("an engine without layers has no Kronecker factors: the option is named", async () => {
  const engine = new ProblemEngine({
    parameterCount: 2,
    residualCount: 2,
    residual: (w) => w.map((value) => value - 1),
  });
  const steps = minimize(engine, new Float64Array(2), {
    method: levenbergMarquardt(),
    stop: stopRules(),
    route: "matrix-free",
    decay: 0,
    matrixFree: { preconditioner: "kronecker", rank: 1, iterations: 10 },
  });
  await steps.next();
  await expect(steps.next()).rejects.toMatchObject({
    code: "GAUSSFLOW_ARGUMENT",
    message: expect.stringMatching(/matrixFree\.preconditioner .*layers/),
  });
});

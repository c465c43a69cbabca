// Steps of Levenberg-Marquardt on the exact Hessian: whole trainings that converge on every route and both engines, when such steps are taken
// and what the records say of them, the step against the system written out, negative curvature, steps below rounding, separable classes.
import { describe, expect, it } from "vitest";
import { dot, norm } from "../../src/algebra/vectors.js";
import { type Failure, failed } from "../../src/backend/engine.js";
import { createNativeEngine } from "../../src/backend/native/engine.js";
import { loadNative } from "../../src/backend/native/load.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import {
  dataset,
  huber,
  type Loss,
  levenbergMarquardt,
  logistic,
  network,
  Random,
  softmaxCrossEntropy,
  squaredError,
  type TrainRecord,
  train,
} from "../../src/index.js";
import { linearizeAt, type Point, type Problem } from "../../src/linearize/problem.js";
import { Workspace } from "../../src/linearize/workspace.js";
import { dampingRules } from "../../src/method/levenberg-marquardt/damping.js";
import { isUnresolved } from "../../src/method/levenberg-marquardt/exact-hessian.js";
import { judge } from "../../src/method/levenberg-marquardt/judge.js";
import type { Proposal } from "../../src/method/method.js";
import { layerSizes } from "../../src/network/parameters.js";
import { conjugateGradients } from "../../src/step/conjugate-gradients.js";
import { dampedStep } from "../../src/step/damped-step.js";
import { hessianTolerance } from "../../src/step/hessian-model.js";
import { hessianStep } from "../../src/step/hessian-step.js";
import { separableBound } from "../../src/train/separable.js";
import { separableReason, unresolvedReason } from "../../src/train/stop.js";
import { type LossCase, lossCase } from "../helpers/loss-cases.js";

/** The native engine may be one without Hessian products. */
function nativeHasHessian(): boolean {
  if (!loadNative().ok) return false;
  const { architecture, data } = lossCase(logistic(), [1, 1], 2);
  const engine = createNativeEngine(architecture, data) as NetworkEngine;
  engine.dispose();
  return engine.hessianProduct !== undefined;
}
const BACKENDS = nativeHasHessian() ? (["typescript", "native"] as const) : (["typescript"] as const);

const N = 80;
const random = new Random(21, 2);
const inputs = Array.from({ length: N }, () => [random.normal(), random.normal()]);
/** Overlapping classes and outliers. */
const noisy = inputs.map(([x, y]) => Math.sin(2 * (x as number)) + (y as number) ** 2 - 1 + 0.7 * random.normal());
const TARGETS = {
  real: noisy.map((value, i) => [value + (i % 10 === 0 ? 20 : 0)]),
  one: noisy.map((value) => [value > 0 ? 1 : 0]),
  classes: noisy.map((value) => (value < -0.7 ? [1, 0, 0] : value < 0.7 ? [0, 1, 0] : [0, 0, 1])),
};
const CASES: readonly (readonly [string, Loss, keyof typeof TARGETS])[] = [
  ["huber", huber({ delta: 0.3, decay: 0.05 }), "real"],
  ["logistic", logistic({ decay: 0.3 }), "one"],
  ["softmax", softmaxCrossEntropy({ decay: 0.3 }), "classes"],
];
const netOf = (kind: keyof typeof TARGETS, seed: number) =>
  network({ layers: [2, 6, TARGETS[kind][0]?.length ?? 1], seed });
const steps = (records: readonly TrainRecord[]) => records.filter(({ iteration }) => iteration > 0);

describe.each(BACKENDS.flatMap((backend) => CASES.map(([name, loss, kind]) => [name, backend, loss, kind] as const)))(
  "%s, %s",
  (_, backend, loss, kind) => {
    const data = { inputs, targets: TARGETS[kind] };
    const common = { backend, loss, validation: false } as const;

    it.each(["primal", "dual", "matrix-free"] as const)(
      "%s: from five starts the gradient falls to 1e-8 of that at the start in at most 100 iterations",
      async (route) => {
        for (let seed = 1; seed <= 5; seed++) {
          const { reason, iterations, records } = await train(netOf(kind, seed), data, {
            ...common,
            route,
            stop: { gradient: 1e-8, iterations: 100 },
          });
          expect(`seed ${seed}: ${reason.code}, ${reason.message}`).toMatch(/gradient, the gradient measure/);
          expect(iterations).toBeLessThanOrEqual(100);
          expect(
            steps(records).every(({ hessian, acceleration }) => hessian !== undefined && acceleration === null),
          ).toBe(true);
        }
      },
    );

    it("ends by the gradient with the default rules, and keeps the point that ended it", async () => {
      const { reason, network: chosen, last } = await train(netOf(kind, 1), data, common);
      expect(reason.code).toBe("gradient");
      expect(reason.message).toMatch(/is at most 1\.000e-10/);
      expect([...chosen.parameters]).toEqual([...last.parameters]);
    });

    it('takes none with hessian: "never", and says so', async () => {
      const never = levenbergMarquardt({ hessian: "never" });
      const stop = { iterations: 5 };
      const without = await train(netOf(kind, 1), data, { ...common, method: never, stop });
      expect(steps(without.records).some(({ hessian }) => hessian !== undefined)).toBe(false);
      expect(without.details).not.toContain("Hessian");
      const { details } = await train(netOf(kind, 1), data, { ...common, stop });
      expect(details).toContain("on the exact Hessian, not accelerated here");
    });
  },
);

describe("squared error", () => {
  it("takes no steps on the Hessian", async () => {
    const { records, details } = await train(
      netOf("real", 1),
      { inputs, targets: TARGETS.real },
      { backend: "typescript", loss: squaredError(), stop: { iterations: 5 }, validation: false },
    );
    expect(steps(records).some(({ hessian }) => hessian !== undefined)).toBe(false);
    expect(details).not.toContain("Hessian");
  });
});

/** A case as a problem at its parameters, in the state of a run that began there. */
async function problemOf(one: LossCase, route: Problem["route"], decay: number, engine: NetworkEngine) {
  const problem: Problem = {
    engine,
    route,
    decay,
    scaling: route === "dual" ? "identity" : "root",
    layerSizes: layerSizes(one.architecture),
    condition: false,
    gradientStart: { value: null },
  };
  const maximum = route === "dual" ? null : new Float64Array(engine.parameterCount);
  const point = await linearizeAt(problem, one.parameters, maximum, null, undefined);
  if (failed(point)) throw new Error(point.message);
  return { problem, point };
}

/** The engine with another Hessian. */
function withHessian(engine: NetworkEngine, product: (v: Float64Array) => Float64Array): NetworkEngine {
  return new Proxy(engine, {
    get(target, name) {
      if (name === "hessianProduct") return async (v: Float64Array) => product(v);
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const sure = <T extends { readonly ok: true }>(answer: T | Failure): T => {
  if (failed(answer)) throw new Error(answer.message);
  return answer;
};

describe.each(["primal", "dual", "matrix-free"] as const)("a step of the %s route", (route) => {
  const one = lossCase(softmaxCrossEntropy(), [3, 5, 3], 40, { weighted: true, seed: 3 });

  it("solves the damped system of the exact Hessian, and predicts what its model says", async () => {
    const engine = createReferenceEngine(one.architecture, one.data);
    const { problem, point } = await problemOf(one, route, 0.5, engine);
    const damping = 300;
    // A gradient far below that at the start asks for a small residual.
    const step = sure(await hessianStep(problem, { ...point, gradientCosine: 1e-14 }, damping));
    const image = (await engine.hessianProduct?.(step.step)) as Float64Array;
    const scaling = point.scaling ?? new Float64Array(engine.parameterCount).fill(1);
    const miss = image.map((value, j) => value + (0.5 + damping * scaling[j]) * step.step[j] + point.gradient[j]);
    expect(step.hessian?.end).toBe("residual");
    expect(norm(miss)).toBeLessThan(1e-6 * norm(point.gradient));
    const slope = dot(point.gradient, step.step);
    const curved = dot(step.step, image) + 0.5 * dot(step.step, step.step);
    expect(step.slope).toBeCloseTo(slope, 12);
    expect(Math.abs(step.predicted - (-slope - 0.5 * curved))).toBeLessThan(1e-12 * Math.abs(slope));
    engine.dispose();
  });

  it("is that of Gauss-Newton where its direction has negative curvature", async () => {
    const engine = createReferenceEngine(one.architecture, one.data);
    const { problem, point } = await problemOf(one, route, 0, engine);
    const concave = withHessian(engine, (v) => v.map((value) => -1e6 * value));
    const step = sure(await hessianStep({ ...problem, engine: concave }, point, 5));
    expect(step.hessian).toMatchObject({ iterations: 0, end: "negative-curvature" });
    const plain = sure(await dampedStep(problem, { ...point, workspace: new Workspace() }, 5));
    expect(norm(step.step.map((value, j) => value - plain.step[j]))).toBeLessThan(1e-9 * norm(plain.step));
    // The exact model: -slope + 1e6/2 |s|^2.
    const size = 0.5e6 * dot(step.step, step.step);
    expect(Math.abs(step.predicted - (size - step.slope))).toBeLessThan(1e-9 * size);
    engine.dispose();
  });
});

describe("conjugate gradients on an indefinite matrix", () => {
  it("end at a direction of negative curvature, at an x that lowers the model", async () => {
    const values = Float64Array.of(5, 3, 2, -1);
    const b = Float64Array.of(1, 1, 1, 0.1);
    const options = {
      multiply: async (x: Float64Array) => x.map((value, j) => values[j] * value),
      precondition: (r: Float64Array) => r.slice(),
      tolerance: 1e-12,
      iterations: 50,
      start: null,
    };
    const { x, end, iterations } = await conjugateGradients(b, { ...options, indefinite: true });
    expect(end).toBe("negative-curvature");
    expect(iterations).toBeGreaterThan(0);
    expect(0.5 * dot(x, await options.multiply(x)) - dot(b, x)).toBeLessThan(0);
    // A matrix that is said to be positive definite has such a curvature by rounding alone.
    expect((await conjugateGradients(b, options)).end).toBe("rounding");
  });
});

describe("the relative residual of a step", () => {
  it("is the root of the relative gradient, from 1e-8 to a tenth", () => {
    expect([1, 1e-2, 1e-4, 1e-8, 1e-20].map(hessianTolerance)).toEqual([0.1, 0.1, 1e-2, 1e-4, 1e-8]);
  });
});

describe("a step whose change of the objective is rounding", () => {
  const point = { objective: 10, loss: 10, gradientNorm: 1e-7, gradientCosine: 1e-9 } as Point;
  const hessian = { iterations: 3, residual: 1e-5, tolerance: 1e-4, end: "residual" as const };
  const proposal = {
    ok: true,
    step: Float64Array.of(1e-9),
    predicted: 1e-16,
    rounding: 1e-14,
    hessian,
    damping: 1e-3,
    acceleration: null,
  } as unknown as Proposal;
  const state = { ...levenbergMarquardt().start(1, "root", 1), damping: 1e-3 };
  const judged = (given: Proposal, objective: number) =>
    judge(dampingRules.nielsen, state, point, given, { ok: true, objective });

  it("is accepted on the exact Hessian although the objective rises by rounding, and lowers the damping", () => {
    const judgment = judged(proposal, 10 + 2e-15);
    expect(judgment).toMatchObject({ accepted: true, gainRatio: null, rejection: null, unresolved: true });
    expect(judgment.state.damping).toBeCloseTo(1e-3 / 3, 12);
  });

  it("is rejected with another model, and where a change is above rounding", () => {
    expect(judged({ ...proposal, hessian: undefined, rounding: undefined }, 10 + 2e-15).accepted).toBe(false);
    expect(judged(proposal, 10 + 1e-12).accepted).toBe(false);
    expect(isUnresolved({ ...proposal, predicted: 1e-12 }, 0)).toBe(false);
  });

  it("ends the run where the gradient has not fallen by half after it", () => {
    const record = { accepted: true, gainRatio: null, hessian, gradientNorm: 1e-7 } as unknown as TrainRecord;
    const at = (gradientNorm: number) => unresolvedReason([record], { ...point, gradientNorm });
    expect(at(0.4e-7)).toBeNull();
    expect(at(0.6e-7)).toMatchObject({ code: "reduction" });
    expect(unresolvedReason([{ ...record, gainRatio: 0.9 }], point)).toBeNull();
    expect(unresolvedReason([], point)).toBeNull();
  });
});

describe.each(BACKENDS)("separable classes, %s", (backend) => {
  const rows = Array.from({ length: 40 }, (_, i) => [i < 20 ? i - 25 : i - 14]);
  const one = { inputs: rows, targets: rows.map(([x]) => [(x as number) > 0 ? 1 : 0]) };
  const two = { inputs: rows, targets: rows.map(([x]) => ((x as number) > 0 ? [1, 0] : [0, 1])) };
  const common = { backend, validation: false } as const;

  it.each([
    ["logistic", logistic(), one],
    ["softmax", softmaxCrossEntropy(), two],
  ] as const)("%s without a decay ends as separable, with a remedy", async (_, loss, data) => {
    const net = network({ layers: [1, 3, loss.kind === "logistic" ? 1 : 2], seed: 1 });
    const { reason, network: chosen, loss: mean } = await train(net, data, { ...common, loss });
    expect(reason.code).toBe("separable");
    expect(reason.message).toMatch(/all 40 rows are classified right.*a weight decay, such as 1, gives it a minimum/);
    expect(mean).toBeLessThanOrEqual(1e-6);
    const predicted = chosen.predict(rows);
    for (const [k, y] of data.targets.flat().entries())
      expect(Math.abs((predicted[k] as number) - y)).toBeLessThan(0.5);
  });

  it("with a decay has a minimum, and ends by the gradient", async () => {
    const { reason } = await train(network({ layers: [1, 3, 1], seed: 1 }), one, {
      ...common,
      loss: logistic({ decay: 0.1 }),
    });
    expect(reason.code).toBe("gradient");
  });
});

describe("the bound of separable classes", () => {
  const set = (weights?: Float64Array) =>
    dataset({ inputs: [[1], [2], [3]], targets: [[0], [1], [1]], ...(weights ? { weights } : {}) });

  it("is a millionth of the rows' weights, below the loss of the lightest row classified wrong", () => {
    expect(separableBound(logistic(), set())).toEqual({ most: 3e-6, rows: 3, lightest: 1 });
    expect(separableBound(logistic(), set(Float64Array.of(1e9, 0, 2)))).toEqual({
      most: Math.min(1e-6 * (1e9 + 2), 2 * Math.LN2),
      rows: 2,
      lightest: 2,
    });
  });

  it("is there without decay and for classes alone", () => {
    expect(separableBound(logistic({ decay: 1e-3 }), set())).toBeNull();
    expect(separableBound(squaredError(), set())).toBeNull();
    expect(separableBound(huber({ delta: 1 }), set())).toBeNull();
    expect(separableReason(null, 0)).toBeNull();
    expect(separableReason(separableBound(logistic(), set()), 4e-6)).toBeNull();
  });
});

describe("the option hessian", () => {
  it("is auto or never", () => {
    expect(levenbergMarquardt().settings.hessian).toBe("auto");
    expect(() => levenbergMarquardt({ hessian: "always" as never })).toThrow(
      /options\.hessian must be "auto" or "never"/,
    );
  });
});

// Samples that stand for all in the curvature: the rule of their number, their draw, and trainings that end where all samples end.
import { describe, expect, it } from "vitest";
import { createEngine } from "../../src/backend/create.js";
import type { Engine, LinearizeRequest } from "../../src/backend/engine.js";
import type { Point } from "../../src/linearize/problem.js";
import { evenness } from "../../src/loss/weighted.js";
import { levenbergMarquardt } from "../../src/method/levenberg-marquardt/levenberg-marquardt.js";
import { predictions } from "../../src/network/forward.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import type { TrainRecord } from "../../src/run/record.js";
import { endsNoRun, type RunSizes } from "../../src/step/fidelity.js";
import { gainTerm } from "../../src/step/forcing.js";
import { type CurvatureSamples, drawSubset, nextSubset, plannedSubset } from "../../src/step/subset.js";
import { minimize } from "../../src/train/minimize.js";
import type { MinimizeResult } from "../../src/train/minimize-options.js";
import { stopRules } from "../../src/train/stop.js";

const record = (subset: number | null, objective: number, more: object = {}) =>
  ({ accepted: true, iteration: 1, objective, gainRatio: 1, subset, ...more }) as TrainRecord;
const start = { accepted: true, iteration: 0, objective: 100, gainRatio: null } as TrainRecord;

describe("the number of samples", () => {
  it("is all of them where a subset would lack most classes: with losses other than squared error, without a matrix", () => {
    const policy = levenbergMarquardt().fidelity;
    const sizes = {
      route: "matrix-free",
      condition: false,
      sampleCount: 2000,
      outputSize: 100,
      parameterCount: 1860,
      exactHessian: true,
    } as const;
    const next = (of: RunSizes) => policy?.next(of, { state: null, iteration: 0, records: [start] }).subset;
    // 5 * 1860 / 100 samples.
    expect(policy?.planned(sizes).subset).toBeNull();
    expect(next(sizes) ?? null).toBeNull();
    expect(policy?.planned({ ...sizes, exactHessian: false }).subset?.first).toBe(93);
    expect(next({ ...sizes, exactHessian: false })).toHaveLength(93);
    expect(policy?.planned({ ...sizes, parameterCount: 2000 }).subset?.first).toBe(100);
    const never = levenbergMarquardt({ hessian: "never" }).fidelity;
    expect(never?.planned(sizes).subset?.first).toBe(93);
  });

  const sizes = { sampleCount: 10_000, outputSize: 2, parameterCount: 1000 };

  it("comes from the equations that the parameters need at first, and is all of them above half", () => {
    expect(nextSubset(sizes, "primal", [start])).toBe(150);
    expect(nextSubset(sizes, "matrix-free", [start])).toBe(2500);
    expect(nextSubset({ ...sizes, sampleCount: 300 }, "primal", [start])).toBe(150);
    expect(nextSubset({ ...sizes, sampleCount: 299 }, "primal", [start])).toBeNull();
    expect(nextSubset({ ...sizes, sampleCount: 4999 }, "matrix-free", [start])).toBeNull();
  });

  it("stays while the model promises much, and goes to all, or to twice as many, once it does not", () => {
    const precision = { steps: 6 };
    expect(nextSubset(sizes, "primal", [start, record(150, 75, { precision })])).toBe(150);
    expect(nextSubset(sizes, "primal", [start, record(150, 85, { precision })])).toBeNull();
    // The damping holds the step short, and the factor of few samples is as good as that of all.
    expect(nextSubset(sizes, "primal", [start, record(150, 85, { precision: { steps: 5 } })])).toBe(150);
    // The same reduction from a promise twice as large.
    expect(nextSubset(sizes, "primal", [start, record(150, 85, { precision, gainRatio: 0.5 })])).toBe(150);
    expect(nextSubset(sizes, "matrix-free", [start, record(2500, 85)])).toBe(2500);
    expect(nextSubset(sizes, "matrix-free", [start, record(2500, 99.95)])).toBe(5000);
    expect(nextSubset(sizes, "matrix-free", [start, record(5000, 99.95)])).toBeNull();
  });

  it("doubles where the factor is too rough, and once it is all of them stays so", () => {
    expect(nextSubset(sizes, "primal", [start, record(150, 50, { precision: { steps: 13 } })])).toBe(300);
    expect(nextSubset(sizes, "primal", [start, record(null, 1)])).toBeNull();
    expect(nextSubset(sizes, "matrix-free", [start, record(null, 1)])).toBeNull();
  });

  it("doubles also where only a rejected trial of the last iteration was too rough", () => {
    const rejected = record(150, 100, { accepted: false, precision: { steps: 13 } });
    const accepted = record(150, 50, { precision: { steps: 0 } });
    expect(nextSubset(sizes, "primal", [start, rejected, accepted])).toBe(300);
    // Steps of an iteration before it say nothing of this factor.
    expect(nextSubset(sizes, "primal", [start, { ...rejected, iteration: 0 }, accepted])).toBe(150);
  });

  it("is never above eight times the first, which memory is planned for", () => {
    const many = { ...sizes, sampleCount: 1e7 };
    const rough = (count: number) => record(count, 50, { precision: { steps: 13 } });
    expect(nextSubset(many, "primal", [start, rough(600)])).toBe(1200);
    expect(nextSubset(many, "primal", [start, rough(1200)])).toBeNull();
    expect(plannedSubset(many, "primal")).toEqual({ first: 150, most: 1200 });
    expect(plannedSubset(sizes, "matrix-free")).toEqual({ first: 2500, most: 5000 });
    expect(plannedSubset({ ...sizes, sampleCount: 299 }, "primal")).toBeNull();
  });

  it("counts samples of unequal weight as the equal ones they are worth", () => {
    expect(evenness(null, 4)).toBe(1);
    expect(evenness(Float64Array.of(3, 3, 3, 3), 4)).toBe(1);
    expect(evenness(Float64Array.of(2, 0, 2, 0), 4)).toBe(0.5);
    // Squares of these would overflow.
    expect(evenness(Float64Array.of(1e300, 1, 1, 1), 4)).toBe(0.25);
    expect(nextSubset({ ...sizes, evenness: 0.25 }, "primal", [start])).toBe(600);
    expect(nextSubset({ ...sizes, evenness: 0.01 }, "primal", [start])).toBeNull();
  });
});

it("draws one sample of each equal part, ascending, others at every iteration and the same ones again", () => {
  for (const [count, n] of [
    [300, 10_000],
    [7, 14],
    [5, 13],
    [1, 3],
  ]) {
    const drawn = drawSubset(count, n, 4);
    expect(drawn).toHaveLength(count);
    drawn.forEach((index, k) => {
      expect(index).toBeGreaterThanOrEqual(Math.floor((k * n) / count));
      expect(index).toBeLessThan(Math.floor(((k + 1) * n) / count));
    });
    expect(drawSubset(count, n, 4)).toEqual(drawn);
  }
  expect(drawSubset(300, 10_000, 5)).not.toEqual(drawSubset(300, 10_000, 4));
});

it("the systems of single precision are solved as exactly as the model was last true", () => {
  const gain = (gainRatio: number | null, accepted = true) => ({ gainRatio, accepted }) as TrainRecord;
  expect(gainTerm([])).toBe(0.3);
  expect(gainTerm([gain(null)])).toBe(0.3);
  expect(gainTerm([gain(0.5)])).toBe(0.3);
  expect(gainTerm([gain(0.99), gain(-3, false)])).toBeCloseTo(0.1, 15);
  expect(gainTerm([gain(1.01)])).toBeCloseTo(0.1, 15);
  expect(gainTerm([gain(1)])).toBe(1e-8);
});

/** A teacher of the student's shape: the minimum is 0. With noise it is not. */
function problem(sizes: number[], count: number, noise: number) {
  const teacher = network({ layers: sizes, seed: 9 });
  const net = network({ layers: sizes, seed: 2 });
  const random = new Random(5);
  const inputs = Float64Array.from({ length: count * sizes[0] }, () => random.normal());
  const targets = predictions(teacher.architecture, teacher.parameters, inputs).map(
    (value) => value + noise * random.normal(),
  );
  return { teacher, net, engine: createEngine(net.architecture, { sampleCount: count, inputs, targets }) };
}

async function run(
  engine: Engine,
  parameters: Float64Array,
  route: "primal" | "matrix-free",
  curvatureSamples: CurvatureSamples,
  iterations = 200,
): Promise<MinimizeResult> {
  const method = levenbergMarquardt({ curvatureSamples });
  const stop = stopRules({ iterations, gradient: 1e-9 });
  const steps = minimize(engine, parameters, { method, stop, route, decay: 0 });
  for (;;) {
    const { done, value } = await steps.next();
    if (done) return value;
  }
}

describe("training", () => {
  it.each(["primal", "matrix-free"] as const)("starts with a few samples and ends with all: %s", async (route) => {
    // 3-40-10-2: 592 parameters, 89 and 1,480 samples at first.
    const { net, engine } = problem([3, 40, 10, 2], 3200, 0.05);
    const few = await run(engine, net.parameters, route, "auto", 12);
    const used = few.records.filter(({ iteration }) => iteration > 0).map(({ subset }) => subset);
    expect(used[0]).toBe(route === "primal" ? 89 : 1480);
    if (route === "primal") expect(used.at(-1)).toBeNull();
    // Never fewer again.
    const sizes = used.map((count) => count ?? 3200);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    for (const { accepted, objective, iteration } of few.records)
      if (accepted && iteration > 0) expect(objective).toBeLessThan(few.records[0].objective);
    const all = await run(engine, net.parameters, route, "all", 12);
    expect(all.records.every(({ subset }) => subset === undefined)).toBe(true);
    engine.dispose();
  });

  it("reaches a minimum of 0 to rounding", async () => {
    const { teacher, engine } = problem([12, 40, 1], 3000, 0);
    const random = new Random(6);
    const near = teacher.parameters.map((value) => value + 0.05 * random.normal());
    const { records, last, reason } = await run(engine, near, "primal", "auto", 60);
    expect(records.some(({ subset }) => typeof subset === "number")).toBe(true);
    expect(["gradient", "reduction", "step"]).toContain(reason.code);
    // Its residuals are of rounding size: 3,000 squares of some units of eps each.
    expect(last.value).toBeLessThan(3000 * (64 * Number.EPSILON) ** 2);
    engine.dispose();
  });

  it("goes to all samples at the same point where the factor of a few does not do, and says so", async () => {
    const { net, engine } = problem([3, 40, 10, 2], 3200, 0.05);
    const requests: (number | null)[] = [];
    const failing = new Proxy(engine, {
      get(target, name) {
        if (name === "linearize")
          return (w: Float64Array, request: LinearizeRequest, signal?: AbortSignal) => {
            requests.push(request.subset?.length ?? null);
            return target.linearize(w, request, signal);
          };
        if (name === "solve")
          return async (...given: Parameters<Engine["solve"]>) =>
            requests.length === 3
              ? ({ code: "imprecise", message: "not enough", steps: 40 } as const)
              : target.solve(...given);
        const value = target[name as keyof Engine];
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const { records } = await run(failing, net.parameters, "primal", "auto", 5);
    expect(requests.slice(0, 4)).toEqual([89, 89, 89, null]);
    const told = records.find(({ precision }) => (precision?.fallback ?? null) !== null);
    expect(told).toMatchObject({ subset: null, precision: { used: "single", fallback: "not enough" } });
    expect(records.filter(({ iteration }) => iteration > 3).every(({ subset }) => subset === null)).toBe(true);
    engine.dispose();
  });

  it("asks all samples before it ends where the model is that of a few: matrix-free", async () => {
    // 3-16-2: 98 parameters, 245 of 3,200 samples.
    const { net, engine } = problem([3, 16, 2], 3200, 0.05);
    const asked: (number | null)[] = [];
    let few = false;
    // At the third point no step of the few is any good.
    const misled = new Proxy(engine, {
      get(target, name) {
        if (name === "linearize")
          return (w: Float64Array, request: LinearizeRequest, signal?: AbortSignal) => {
            asked.push(request.subset?.length ?? null);
            few = (request.subset ?? null) !== null && asked.length === 3;
            return target.linearize(w, request, signal);
          };
        if (name === "evaluate")
          return async (...given: Parameters<Engine["evaluate"]>) =>
            few ? ({ ok: true, loss: 1e300 } as const) : target.evaluate(...given);
        const value = target[name as keyof Engine];
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const { records, iterations, reason } = await run(misled, net.parameters, "matrix-free", "auto", 5);
    expect(asked.slice(0, 4)).toEqual([245, 245, 245, null]);
    expect([iterations, reason.code]).toEqual([5, "iterations"]);
    const third = records.filter(({ iteration }) => iteration === 3);
    const accepted = third.at(-1);
    expect(accepted).toMatchObject({ accepted: true, subset: null });
    // The damping grew against another model: all samples start where the few did.
    expect(accepted?.damping).toBe(third[0].damping);
    expect(third.length).toBeGreaterThan(5);
    expect(third.slice(0, -1).every(({ subset }) => subset === 245)).toBe(true);
    engine.dispose();
  });

  it.each([
    ["matrix-free", true],
    ["primal", false],
  ] as const)("a short step on a model of a few that promised little: %s", (route, goesOn) => {
    const sizes: RunSizes = { route, condition: false, sampleCount: 1e4, outputSize: 1, parameterCount: 600 };
    const fidelity = levenbergMarquardt().fidelity?.next(sizes, { state: null, iteration: 0, records: [] }) ?? {};
    const point = { objective: 1, precision: "double", subset: 300 } as Point;
    expect(endsNoRun(fidelity, point, route, 0.9e-3)).toBe(goesOn);
    // The next would have as many samples again, or the model was that of all.
    expect(endsNoRun(fidelity, point, route, 1.1e-3)).toBe(false);
    expect(endsNoRun(fidelity, { ...point, subset: null }, route, 0.9e-3)).toBe(false);
  });

  it("names the option, the rule and the value", () => {
    expect(() => levenbergMarquardt({ curvatureSamples: "few" as CurvatureSamples })).toThrow(
      /curvatureSamples must be "auto" or "all"; received "few"/,
    );
  });
});

// Single precision in training: the rule by sizes, the switch to double and back in the records, the same end as double precision.
import { describe, expect, it } from "vitest";
import type { LinearizeRequest, SolveRequest } from "../../src/backend/engine.js";
import { createNativeEngine } from "../../src/backend/native/engine.js";
import { loadNative } from "../../src/backend/native/load.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { imprecise } from "../../src/backend/single.js";
import { levenbergMarquardt } from "../../src/method/levenberg-marquardt/levenberg-marquardt.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import type { TrainRecord } from "../../src/run/record.js";
import { nextPrecision } from "../../src/step/precision.js";
import { minimize } from "../../src/train/minimize.js";
import type { MinimizeResult } from "../../src/train/minimize-options.js";
import { stopRules } from "../../src/train/stop.js";

/** Either engine shows it (test/parity/engine-single.test.ts compares them); the native one is faster. */
const create = loadNative().ok ? createNativeEngine : createReferenceEngine;

/** 4-50-5-1: 511 parameters. */
const layers = [4, 50, 5, 1];

/** A sine of the first input, and noise. */
function engineOf(sizes = layers, count = 80, factory = create) {
  const net = network({ layers: sizes, seed: 3 });
  const random = new Random(5);
  const inputs = Float64Array.from({ length: count * sizes[0] }, () => random.normal());
  const targets = Float64Array.from(
    { length: count },
    (_, i) => Math.sin(inputs[i * sizes[0]]) + 0.3 * random.normal(),
  );
  return { net, engine: factory(net.architecture, { sampleCount: count, inputs, targets }) };
}

async function run(
  engine: NetworkEngine,
  start: Float64Array,
  precision: "auto" | "double",
  options: {
    readonly decay?: number;
    readonly condition?: boolean;
    readonly iterations?: number;
    readonly classic?: boolean;
  } = {},
): Promise<MinimizeResult> {
  const { decay = 0, condition = false, iterations = 6, classic = false } = options;
  // With Marquardt's scaling the damping of this problem falls from 1 by steps: 1, 0.85, 0.49, then about 0.51.
  const method = levenbergMarquardt(classic ? { precision, scaling: "marquardt", acceleration: false } : { precision });
  const stop = stopRules({ iterations, gradient: 1e-9 });
  const steps = minimize(engine, start, {
    method,
    stop,
    route: "primal",
    decay,
    condition,
  });
  for (;;) {
    const { done, value } = await steps.next();
    if (done) return value;
  }
}

/** The engine, where single precision fails below a damping; what was asked of it. */
function failing(engine: NetworkEngine, limit: number) {
  let single = false;
  const linearized: string[] = [];
  const wrapped = Object.create(engine) as NetworkEngine;
  const own = {
    linearize: (w: Float64Array, request: LinearizeRequest, signal?: AbortSignal) => {
      single = request.precision === "single";
      linearized.push(request.precision ?? "double");
      return engine.linearize(w, request, signal);
    },
    solve: async (request: SolveRequest, signal?: AbortSignal) =>
      single && request.damping < limit ? imprecise(12) : engine.solve(request, signal),
    evaluate: engine.evaluate.bind(engine),
    accelerate: engine.accelerate.bind(engine),
  };
  for (const name of ["sampleCount", "outputSize", "parameterCount", "layerCount"] as const)
    Object.defineProperty(wrapped, name, { value: engine[name] });
  return { engine: Object.assign(wrapped, own), linearized };
}

describe("precision of the curvature in training", () => {
  it("is single by sizes alone, and double where that is asked for", async () => {
    const { net, engine } = engineOf();
    const used = async (precision: "auto" | "double", condition = false) =>
      (await run(engine, net.parameters, precision, { condition, iterations: 2 })).records
        .slice(1)
        .map((record) => record.precision?.used);
    expect(new Set(await used("auto"))).toEqual(new Set(["single"]));
    expect(new Set(await used("double"))).toEqual(new Set([undefined]));
    // A condition estimate needs the double factor.
    expect(new Set(await used("auto", true))).toEqual(new Set([undefined]));
    const small = engineOf([4, 8, 1]);
    const { records } = await run(small.engine, small.net.parameters, "auto");
    expect(records.every((record) => record.precision === undefined)).toBe(true);
  });

  it("ends where double precision ends, after as many iterations", async () => {
    // More parameters than samples: the minimum is 0, and converging to it takes the whole order of the method.
    const { net, engine } = engineOf();
    const double = await run(engine, net.parameters, "double", { iterations: 60 });
    const auto = await run(engine, net.parameters, "auto", { iterations: 60 });
    expect(double.reason.code).toBe("step");
    expect(auto.reason.code).toBe("step");
    expect(auto.iterations).toBe(double.iterations);
    expect(auto.records.some((record) => record.precision?.used === "single")).toBe(true);
    // Residuals of rounding size: 80 squares of some units of eps each.
    for (const { last } of [double, auto]) expect(last.value).toBeLessThan(80 * (8 * Number.EPSILON) ** 2);
  });

  it("has the minimum of double precision where it is not 0", async () => {
    const { net, engine } = engineOf();
    // A long way with a linear rate at its end, which the rule of small reductions ends.
    const options = { decay: 20, iterations: 3000 };
    const double = await run(engine, net.parameters, "double", options);
    const auto = await run(engine, net.parameters, "auto", options);
    expect([double.reason.code, auto.reason.code]).toEqual(["reduction", "reduction"]);
    expect(auto.records.some((record) => record.precision?.used === "single")).toBe(true);
    // The rule lets either end where an iteration wins under 1e-12 of the objective: at most that for every iteration there was.
    const objective = double.last.value;
    expect(Math.abs(auto.last.value - objective)).toBeLessThanOrEqual(1e-12 * double.iterations * objective);
  });

  it("goes back to double at the same point, and says so", async () => {
    const { net, engine } = engineOf();
    const limit = 0.5;
    const broken = failing(engine, limit);
    const { records } = await run(broken.engine, net.parameters, "auto", { iterations: 8, classic: true });
    const trials = records.slice(1);
    const first = trials.findIndex((record) => record.precision?.fallback !== null);
    expect(first).toBeGreaterThan(0);
    expect(trials[first]).toMatchObject({ precision: { used: "double", steps: 0 } });
    expect(trials[first].precision?.fallback).toMatch(/single precision is not enough/);
    expect(trials[first].damping).toBeLessThan(limit);
    for (const record of trials.slice(first + 1))
      expect(record.precision?.used).toBe(record.damping >= 10 * trials[first].damping ? "single" : "double");
    // One linearization an iteration, and one more for the switch.
    expect(broken.linearized).toHaveLength(records.filter((record) => record.accepted).length - 1 + 1);
    expect(broken.linearized.filter((precision) => precision === "single").length).toBeGreaterThan(0);
  });

  it("returns to single precision at ten times the damping that failed last", () => {
    const record = (damping: number, fallback: string | null) =>
      ({
        damping,
        precision: { used: fallback === null ? "single" : "double", steps: 0, tolerance: null, fallback },
      }) as TrainRecord;
    expect(nextPrecision(1e-9, [record(1, null)])).toBe("single");
    const records = [record(1, "once"), record(0.5, null), record(0.1, "again"), record(0.2, null)];
    expect(nextPrecision(0.99, records)).toBe("double");
    expect(nextPrecision(1.01, records)).toBe("single");
    // More samples in the same precision are no such failure.
    const more = {
      damping: 1,
      precision: { used: "single", steps: 0, tolerance: 0.3, fallback: "why" },
    } as TrainRecord;
    expect(nextPrecision(1e-9, [more])).toBe("single");
  });

  it("from a first step that fails is the run of double precision, bit for bit", async () => {
    // The reference engine sums diag G in one way for both precisions; the native one in two, equal to rounding.
    const { net, engine } = engineOf(layers, 80, createReferenceEngine);
    const broken = failing(engine, Number.POSITIVE_INFINITY);
    const auto = await run(broken.engine, net.parameters, "auto");
    const double = await run(engine, net.parameters, "double");
    expect(auto.last.parameters).toEqual(double.last.parameters);
  });

  it("names the option, the rule and the value", () => {
    expect(() => levenbergMarquardt({ precision: "single" as "auto" })).toThrow(
      /options.precision must be "auto" or "double".*single/,
    );
  });
});

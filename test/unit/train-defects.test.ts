// Defects of other libraries (confirmed in their code or named by their users) that must not be ours: steps that make things worse
// are never kept, a run without an accepted step is no success, a factorization that fails raises the damping, and so on.
import { describe, expect, it } from "vitest";
import type { Failure, Solved, SolveRequest } from "../../src/backend/engine.js";
import { GaussflowError } from "../../src/errors.js";
import { gaussNewton, levenbergMarquardt, network, squaredError, train } from "../../src/index.js";
import { minimize } from "../../src/train/minimize.js";
import type { MinimizeResult } from "../../src/train/minimize-options.js";
import { stopRules } from "../../src/train/stop.js";
import { minimizeDense, ProblemEngine } from "../helpers/minimize-dense.js";
import { waves } from "../helpers/problems.js";

const rosenbrock = {
  parameterCount: 2,
  residualCount: 2,
  residual: ([a, b]: Float64Array) => Float64Array.of(10 * (b - a * a), 1 - a),
};
const quick = { validation: false, backend: "typescript" } as const;

async function run(engine: ProblemEngine, start: number[], method = levenbergMarquardt()): Promise<MinimizeResult> {
  const steps = minimize(engine, Float64Array.from(start), { method, stop: stopRules(), route: "primal", decay: 0 });
  for (;;) {
    const next = await steps.next();
    if (next.done) return next.value;
  }
}

/** Steps of the wrong sign: what a user's wrong derivative does. */
class Uphill extends ProblemEngine {
  override async solve(request: SolveRequest): Promise<Solved | Failure> {
    const solved = await super.solve(request);
    return "step" in solved ? { ...solved, step: solved.step.map((value) => -value) } : solved;
  }
}

/** A factorization that only passes with enough damping. */
class Fragile extends ProblemEngine {
  solves = 0;
  linearizations = 0;
  override linearize(...request: Parameters<ProblemEngine["linearize"]>) {
    this.linearizations++;
    return super.linearize(...request);
  }
  override async solve(request: SolveRequest): Promise<Solved | Failure> {
    this.solves++;
    if (request.damping >= 0.01) return super.solve(request);
    return { code: "indefinite", pivot: 1, message: "the leading minor of order 2 is not positive definite" } as const;
  }
}

describe("trials that fail", () => {
  it("all rejected: the start comes back, and the reason is no success", async () => {
    const result = await run(new Uphill(rosenbrock), [-1.2, 1]);
    expect(["no-progress", "damping-saturated"]).toContain(result.reason.code);
    expect([...result.best.parameters]).toEqual([-1.2, 1]);
    expect(result.iterations).toBe(0);
    const trials = result.records.slice(1);
    expect(trials.length).toBeGreaterThan(3);
    expect(trials.every(({ accepted, rejection }) => !accepted && rejection !== null)).toBe(true);
  });

  it("an indefinite matrix is a rejected trial with more damping, on the same linearization", async () => {
    const engine = new Fragile(rosenbrock);
    const result = await run(engine, [-1.2, 1], levenbergMarquardt({ scaling: "marquardt", initialDamping: 1e-3 }));
    const [first, second] = result.records.slice(1);
    expect(first.accepted).toBe(false);
    expect(first.rejection).toMatch(/not positive definite/);
    expect(second.damping).toBeGreaterThan(first.damping);
    expect(result.best.value).toBeLessThan(1e-3);
    expect(engine.solves).toBeGreaterThan(engine.linearizations);
    expect(engine.linearizations).toBeLessThanOrEqual(result.iterations + 1);
  });

  it("a matrix that no damping can factorize ends the run as damping-saturated, with the start", async () => {
    class Broken extends ProblemEngine {
      override async solve(): Promise<Solved | Failure> {
        return { code: "indefinite", pivot: 0, message: "the leading minor of order 1 is not positive" } as const;
      }
    }
    for (const method of [levenbergMarquardt(), gaussNewton()]) {
      const result = await run(new Broken(rosenbrock), [-1.2, 1], method);
      expect(result.reason.code).toBe("damping-saturated");
      expect(result.reason.message).toMatch(/leading minor/);
      expect([...result.best.parameters]).toEqual([-1.2, 1]);
    }
  });

  describe("memory that cannot be had ends the run with its best, and is no rejected trial", () => {
    const message = "the engine asked for 8.00 TiB of memory, and the system refused";
    const refused = { code: "memory", bytes: 2 ** 43, message } as const;
    const thrown = new GaussflowError("GAUSSFLOW_MEMORY", message);
    const start = [-1.2, 1];

    for (const method of [levenbergMarquardt(), gaussNewton()]) {
      it(`in a solve, ${method.name}`, async () => {
        class Full extends ProblemEngine {
          override async solve(): Promise<Solved | Failure> {
            return refused;
          }
        }
        const result = await run(new Full(rosenbrock), start, method);
        expect(result.reason).toEqual({ code: "memory", message });
        expect(result.records).toHaveLength(1);
        expect([...result.best.parameters]).toEqual(start);
      });
    }

    /** Fails at call number `at` (from 1). */
    const counted = (at: number) => {
      let calls = 0;
      return () => ++calls === at;
    };

    it("in the loss of a trial point", async () => {
      const fails = counted(4);
      class Full extends ProblemEngine {
        override async evaluate(parameters: Float64Array) {
          return fails() ? refused : super.evaluate(parameters);
        }
      }
      const full = await run(new Full(rosenbrock), start, levenbergMarquardt());
      const whole = await run(new ProblemEngine(rosenbrock), start, levenbergMarquardt());
      expect(full.reason).toEqual({ code: "memory", message });
      // The start and three trials, as in a run that had the memory.
      expect(full.records).toHaveLength(4);
      const story = (records: typeof full.records) =>
        records.map(({ accepted, loss, damping }) => [accepted, loss, damping]);
      expect(story(full.records)).toEqual(story(whole.records.slice(0, 4)));
      expect(full.best.loss).toBe(Math.min(...full.records.map(({ loss }) => loss)));
    });

    it("thrown by a call that has no failure to answer with", async () => {
      const fails = counted(3);
      class Full extends ProblemEngine {
        override async linearize(...given: Parameters<ProblemEngine["linearize"]>) {
          if (fails()) throw thrown;
          return super.linearize(...given);
        }
      }
      const result = await run(new Full(rosenbrock), start, levenbergMarquardt());
      expect(result.reason).toEqual({ code: "memory", message });
      expect(result.iterations).toBe(2);
      expect(result.best.loss).toBe(Math.min(...result.records.map(({ loss }) => loss)));
    });

    it("refused to JavaScript, but not other RangeErrors", async () => {
      class Full extends ProblemEngine {
        constructor(readonly error: RangeError) {
          super(rosenbrock);
        }
        override async evaluate(): Promise<never> {
          throw this.error;
        }
      }
      const array = new RangeError("Array buffer allocation failed");
      const result = await run(new Full(array), start, levenbergMarquardt());
      expect(result.reason).toMatchObject({ code: "memory", message: expect.stringContaining(array.message) });
      const other = new RangeError("Maximum call stack size exceeded");
      await expect(run(new Full(other), start, levenbergMarquardt())).rejects.toBe(other);
    });
  });

  it("a trial that is not finite is rejected and the run goes on", async () => {
    // log(w) does not exist where the first Gauss-Newton step from 5 lands.
    const problem = {
      parameterCount: 1,
      residualCount: 1,
      residual: ([w]: Float64Array) => Float64Array.of(Math.log(w)),
    };
    const result = await minimizeDense(problem, [5], levenbergMarquardt({ initialDamping: 1e-8 }));
    expect(result.records[1].accepted).toBe(false);
    expect(result.records[1].rejection).toMatch(/not finite/);
    expect(Math.abs(result.best.parameters[0] - 1)).toBeLessThan(1e-8);
  });

  it("the objective never rises, whatever the method that may reject", async () => {
    for (const method of [
      levenbergMarquardt({ damping: "hybrid" }),
      levenbergMarquardt({ scaling: "identity" }),
      gaussNewton(),
    ]) {
      const result = await minimizeDense(rosenbrock, [-1.2, 1], method);
      const kept = result.records.map((record) => record.objective);
      for (let k = 1; k < kept.length; k++) expect(kept[k]).toBeLessThanOrEqual(kept[k - 1]);
      expect(result.best.value).toBeLessThan(1e-20);
    }
  });

  it("plain Gauss-Newton may climb, but the best point is what comes back", async () => {
    const result = await minimizeDense(rosenbrock, [-1.2, 1], gaussNewton({ lineSearch: false }), { iterations: 1 });
    expect(result.last.value).toBeGreaterThan(result.best.value);
    expect([...result.best.parameters]).toEqual([-1.2, 1]);
  });
});

describe("training", () => {
  it("the same seed gives the same bits, another seed another validation part", async () => {
    const data = waves(100, 3, 1, 5);
    const net = network({ layers: [3, 4, 1], seed: 1 });
    const options = { backend: "typescript", stop: { iterations: 5 } } as const;
    const [a, b, c] = await Promise.all([7, 7, 8].map((seed) => train(net, data, { ...options, seed })));
    expect(a.network.parameters).toEqual(b.network.parameters);
    expect(a.validationLoss).not.toBe(c.validationLoss);
  });

  it("a bounded output activation is trained on raw targets", async () => {
    const data = waves(80, 2, 1, 6);
    const targets = data.targets.map((value) => (value > 0 ? 0.9 : 0.2));
    const net = network({ layers: [2, 6, 1], outputActivation: "logistic", seed: 1 });
    const { network: fitted } = await train(net, { inputs: data.inputs, targets, inputSize: 2 }, quick);
    expect([...(fitted.scaling?.targets.scale ?? [])]).toEqual([1]);
    const predicted = fitted.predict(data.inputs);
    const mean = predicted.reduce((sum, value, i) => sum + (value - targets[i]) ** 2, 0) / 80;
    // Standardized targets lie outside (0, 1): the mean of squares would stay near the variance, 0.12.
    expect(mean).toBeLessThan(0.03);
    expect(Math.min(...predicted)).toBeGreaterThan(0);
  });

  it("decay works in the dual route with the default method, and the choice is told", async () => {
    const data = waves(30, 3, 1, 8);
    const net = network({ layers: [3, 20, 1], seed: 1 });
    const result = await train(net, data, { ...quick, loss: squaredError({ decay: 0.01 }) });
    expect(result.plan.route).toBe("dual");
    expect(result.details).toMatch(/identity in effect: the dual route/);
    const layered = levenbergMarquardt({ scaling: "marquardt" });
    const told = await train(net, data, { ...quick, method: layered, loss: squaredError({ decay: 0.01 }) });
    expect(told.details).toMatch(/identity in effect: decay in the dual route/);
    const primal = await train(net, data, { ...quick, loss: squaredError({ decay: 0.01 }), route: "primal" });
    // Two local searches of one objective: they need not meet, but neither may stall above the other by much.
    const objective = (records: typeof result.records) => records.at(-1)?.objective ?? Number.NaN;
    expect(objective(result.records)).toBeLessThan(2 * objective(primal.records));
  });

  it("rows that a split column holds out are never trained on", async () => {
    const data = waves(30, 2, 1, 9);
    const { Dataset } = await import("../../src/data/dataset.js");
    const split = new Dataset({ ...data, parts: Uint8Array.from({ length: 30 }, (_, i) => (i < 20 ? 0 : 2)) } as never);
    const result = await train(network({ layers: [2, 1] }), split, { ...quick, stop: { iterations: 1 } });
    expect(result.chosen).toContain("trained on 20 rows");
  });
});

// Geodesic acceleration in the loop: when the second-order step is taken, what comes after one that does not lower the objective,
// and the rule that keeps it from being tried at all.
import { describe, expect, it } from "vitest";
import { failed } from "../../src/backend/engine.js";
import { levenbergMarquardt } from "../../src/index.js";
import type { Point, Problem } from "../../src/linearize/problem.js";
import type { TrainRecord } from "../../src/run/record.js";
import { accelerated } from "../../src/step/acceleration.js";
import { minimize } from "../../src/train/minimize.js";
import { stopRules } from "../../src/train/stop.js";
import { ProblemEngine, type ResidualProblem } from "../helpers/minimize-dense.js";

const rosenbrock: ResidualProblem = {
  parameterCount: 2,
  residualCount: 2,
  residual: ([a, b]: Float64Array) => Float64Array.of(10 * (b - a * a), 1 - a),
};

class Counting extends ProblemEngine {
  solves = 0;
  accelerations = 0;
  override solve(...request: Parameters<ProblemEngine["solve"]>) {
    this.solves++;
    return super.solve(...request);
  }
  override accelerate(...request: Parameters<ProblemEngine["accelerate"]>) {
    this.accelerations++;
    return super.accelerate(...request);
  }
}

/** An acceleration of the given length relative to the velocity, along it: 2 |a| / |v| = 2 length. */
class Pulled extends Counting {
  readonly #length: number;
  constructor(length: number) {
    super(rosenbrock);
    this.#length = length;
  }
  override async accelerate(velocity: Float64Array) {
    this.accelerations++;
    return { ok: true, acceleration: velocity.map((value) => this.#length * value), seconds: 0 } as const;
  }
}

/** An acceleration across the velocity, as long as it may be: in a narrow valley it leads up the wall. */
class Askew extends Counting {
  override async accelerate([x, y]: Float64Array) {
    this.accelerations++;
    return { ok: true, acceleration: Float64Array.of(-0.37 * y, 0.37 * x), seconds: 0 } as const;
  }
}

async function run(engine: ProblemEngine, acceleration: boolean, iterations = 100): Promise<readonly TrainRecord[]> {
  const steps = minimize(engine, Float64Array.of(-1.2, 1), {
    method: levenbergMarquardt({ acceleration, scaling: "identity" }),
    stop: stopRules({ iterations }),
    route: "primal",
    decay: 0,
  });
  for (;;) {
    const next = await steps.next();
    if (next.done) return next.value.records.slice(1);
  }
}

describe("geodesic acceleration", () => {
  it("is not asked for where the factor is that of a subset of the samples", async () => {
    const engine = new Counting(rosenbrock);
    const problem = { engine, route: "primal", decay: 0, condition: false } as unknown as Problem;
    const point = (subset: number | null) => ({ gradient: Float64Array.of(1, 1), scaling: null, subset }) as Point;
    const scaling = null;
    await engine.linearize(Float64Array.of(-1.2, 1), { curvature: "primal", decay: 0, scaling });
    const solved = await engine.solve({ damping: 1, decay: 0, scaling });
    if (failed(solved)) throw new Error(solved.message);
    const velocity = { ...solved, acceleration: null, predicted: 1, slope: -1, damping: 1, condition: null };
    expect(await accelerated(problem, point(2), velocity)).toBe(velocity);
    expect(engine.accelerations).toBe(0);
    await accelerated(problem, point(null), velocity);
    expect(engine.accelerations).toBe(1);
  });

  it("follows a narrow curved valley in fewer iterations than the velocity alone", async () => {
    // Rosenbrock's, a hundred times as steep across: the straight step soon leaves it, the parabola is its floor.
    const narrow = {
      ...rosenbrock,
      residual: ([a, b]: Float64Array) => Float64Array.of(1000 * (b - a * a), 1 - a),
    };
    const curved = await run(new ProblemEngine(narrow), true, 1000);
    const straight = await run(new ProblemEngine(narrow), false, 1000);
    const last = (records: readonly TrainRecord[]) => records.at(-1) as TrainRecord;
    expect(last(curved).objective).toBeLessThan(1e-20);
    expect(last(curved).iteration).toBeLessThan(last(straight).iteration);
    expect(straight.every(({ acceleration }) => acceleration === null)).toBe(true);
    const ratios = curved.flatMap(({ acceleration }) => acceleration ?? []);
    expect(ratios.length).toBeGreaterThan(0);
    expect(Math.max(...ratios)).toBeLessThanOrEqual(0.75);
  });

  it("is asked for once a solve, and a rejected one is followed by the velocity with the same damping and no solve", async () => {
    const engine = new Askew(rosenbrock);
    const records = await run(engine, true);
    expect(engine.accelerations).toBe(engine.solves);
    const pairs = records.flatMap((record, k) =>
      !record.accepted && record.acceleration !== null ? [[record, records[k + 1]]] : [],
    );
    expect(pairs.length).toBeGreaterThan(0);
    for (const [rejected, next] of pairs) {
      expect(next.damping).toBe(rejected.damping);
      expect(next.acceleration).toBeNull();
      expect(next.seconds.solve).toBe(0);
    }
    const alone = records.filter((record, k) => k === 0 || !pairs.some(([, next]) => next === record));
    expect(engine.solves).toBe(alone.length);
  });

  it("is left out where it is longer than 3/8 of the velocity, and where it cannot be had", async () => {
    // The ratio is computed with a square root, which may round it up.
    const [short, long] = [new Pulled(0.375 - 1e-13), new Pulled(0.3751)];
    const [taken] = await run(short, true, 1);
    const [left] = await run(long, true, 1);
    expect(taken.acceleration).toBeCloseTo(0.75, 12);
    expect(left.acceleration).toBeNull();
    expect(long.accelerations).toBeGreaterThan(0);
    class Failing extends Counting {
      override async accelerate() {
        return { code: "non-finite", where: { what: "step" }, message: "the step is not finite" } as never;
      }
    }
    const records = await run(new Failing(rosenbrock), true);
    expect(records.every(({ acceleration }) => acceleration === null)).toBe(true);
    expect(records.at(-1)?.objective).toBeLessThan(1e-20);
  });
});

// The secant correction: its own equations, and trainings on noisy data that end where they are stationary in a fraction of the steps.
import { describe, expect, it } from "vitest";
import { dot } from "../../src/algebra/vectors.js";
import { multiplyLowRank } from "../../src/backend/low-rank.js";
import {
  levenbergMarquardt,
  type Network,
  network,
  type TrainOptions,
  type TrainRecord,
  train,
} from "../../src/index.js";
import { Random } from "../../src/random.js";
import {
  noPairs,
  nothingPending,
  type Pairs,
  type ResidualCurvature,
  secantOf,
  withPending,
} from "../../src/step/secant.js";
import { waves } from "../helpers/problems.js";

const random = new Random(11);
const draw = (count: number) => Float64Array.from({ length: count }, () => random.normal());
const p = 7;

/** A pair with s.y > 0. */
function pair(): { step: Float64Array; change: Float64Array; residual: Float64Array } {
  const step = draw(p);
  const change = step.map((value) => value + 0.3 * random.normal());
  return { step, change, residual: draw(p) };
}

function pairsOf(list: readonly ReturnType<typeof pair>[]): Pairs {
  const rows = (name: "step" | "change" | "residual") => Float64Array.from(list.flatMap((one) => [...one[name]]));
  return { steps: rows("step"), changes: rows("change"), residuals: rows("residual") };
}

describe("the correction", () => {
  it.each([1, 2, 5])("of %i pairs fulfills the secant equation of the last one, S s = y#", (count) => {
    const list = Array.from({ length: count }, pair);
    const { step, residual } = list[count - 1];
    const correction = secantOf(pairsOf(list), p);
    if (correction === null) throw new Error("there is none");
    multiplyLowRank(correction, step).forEach((value, j) => {
      expect(value).toBeCloseTo(residual[j], 10);
    });
    // Symmetric, by form: u.S v = v.S u.
    const [u, v] = [draw(p), draw(p)];
    expect(dot(u, multiplyLowRank(correction, v))).toBeCloseTo(dot(v, multiplyLowRank(correction, u)), 10);
  });

  it("shrinks what it knew where that was too large along the new step (their sizing)", () => {
    const first = pair();
    const orthogonal = draw(p);
    const one = secantOf(pairsOf([first]), p);
    // The same step again, whose y# is a tenth: what is left of the first is at most a tenth along any direction that y does not touch.
    const again = { ...first, residual: first.residual.map((value) => value / 10) };
    const two = secantOf(pairsOf([first, again]), p);
    if (one === null || two === null) throw new Error("there is none");
    const share = dot(orthogonal, first.change) / dot(first.change, first.change);
    const free = orthogonal.map((value, j) => value - share * first.change[j]);
    expect(dot(free, multiplyLowRank(two, free))).toBeCloseTo(dot(free, multiplyLowRank(one, free)) / 10, 10);
  });

  it("is none without pairs, and none where a number left the range", () => {
    expect(secantOf(noPairs, p)).toBeNull();
    const bad = pair();
    expect(
      secantOf(
        pairsOf([{ ...bad, residual: bad.residual.map(() => 1e300), change: bad.step.map((v) => 1e-300 * v) }]),
        p,
      ),
    ).toBeNull();
  });
});

describe("a pair", () => {
  it("has y# = y - (mean of G at both ends) s, which is S* s where the gradient is that of a quadratic of s", () => {
    const [before, after, step, old, image] = [draw(p), draw(p), draw(p), draw(p), draw(p)];
    const change = after.map((value, j) => value - before[j]);
    const sign = dot(step, change) > 0 ? 1 : -1;
    const along = step.map((value) => sign * value);
    const pending = { step: along, gradient: before, image: old };
    const { residuals, changes, steps } = withPending(noPairs, pending, after, image);
    expect([...steps]).toEqual([...along]);
    expect([...changes]).toEqual([...change]);
    residuals.forEach((value, j) => {
      expect(value).toBeCloseTo(change[j] - (old[j] + image[j]) / 2, 12);
    });
  });

  it("that says nothing of the curvature along its step, or holds no number, ends what was known", () => {
    const [step, gradient, image] = [draw(p), draw(p), draw(p)];
    const known = pairsOf([pair()]);
    const backwards = gradient.map((v, j) => v - step[j]);
    expect(withPending(known, { step, gradient, image }, backwards, image)).toBe(noPairs);
    const forwards = gradient.map((v, j) => v + step[j]);
    expect(
      withPending(
        known,
        { step, gradient, image },
        forwards,
        image.map(() => Number.POSITIVE_INFINITY),
      ),
    ).toBe(noPairs);
    expect(withPending(known, { step, gradient, image }, forwards, image).steps.length).toBe(2 * p);
    expect(withPending(known, nothingPending, gradient, image)).toBe(known);
  });

  it("of the last ten: the oldest goes", () => {
    let pairs: Pairs = noPairs;
    const list = Array.from({ length: 13 }, pair);
    const zero = new Float64Array(p);
    for (const { step, change } of list)
      pairs = withPending(pairs, { step, gradient: zero, image: zero }, change, zero);
    expect(pairs.steps.length).toBe(10 * p);
    expect([...pairs.steps.subarray(0, p)]).toEqual([...list[3].step]);
    expect([...pairs.steps.subarray(9 * p)]).toEqual([...list[12].step]);
  });
});

describe("a training on noisy data", () => {
  const noisy = waves(120, 3, 1, 3, 0.5);
  const stop = { iterations: 1000, gradient: 1e-7, reduction: 0, step: 0 };

  const run = (start: Network, residualCurvature: ResidualCurvature, more: TrainOptions = {}) =>
    // A bold start, so that the runs soon stand in the valley.
    train(start, noisy, {
      validation: false,
      method: levenbergMarquardt({ residualCurvature, initialDamping: 0.01 }),
      stop,
      ...more,
    });

  it("comes to the same minimum in less than half of the iterations", async () => {
    const start = network({ layers: [3, 6, 1], seed: 2 });
    const [plain, secant] = [await run(start, "none"), await run(start, "auto")];
    expect([plain.reason.code, secant.reason.code]).toEqual(["gradient", "gradient"]);
    // A gradient of 1e-7, relative, is a loss of some 1e-14 above the minimum, and of more where the Hessian is nearly singular.
    expect(Math.abs(secant.loss / plain.loss - 1)).toBeLessThan(1e-8);
    expect(secant.iterations).toBeLessThan(0.5 * plain.iterations);
    expect(plain.records.every((record) => record.secant === undefined)).toBe(true);
    // Before the first correction the two are one run but for the acceleration, which a stalled run leaves out.
    const first = secant.records.findIndex((record) => record.secant !== undefined);
    const told = (records: readonly TrainRecord[]) =>
      records.slice(0, first - 1).map(({ loss, damping }) => [loss, damping]);
    expect(told(secant.records)).toEqual(told(plain.records));
  });

  it("is at a minimum where without it it creeps", async () => {
    const start = network({ layers: [3, 6, 1], seed: 1 });
    const [plain, secant] = [await run(start, "none"), await run(start, "auto")];
    expect(plain.reason.code).toBe("iterations");
    expect(secant.reason.code).toBe("gradient");
    expect(secant.iterations).toBeLessThan(300);
    expect(secant.loss).toBeLessThan(plain.loss);
  });

  it("is not accelerated where the correction stands, and both engines take the same way", async () => {
    const start = network({ layers: [3, 6, 1], seed: 2 });
    const one = await run(start, "auto", { backend: "typescript" });
    const other = await run(start, "auto");
    const corrected = one.records.filter(({ secant }) => secant !== undefined);
    expect(corrected.length).toBeGreaterThan(5);
    expect(corrected.every(({ acceleration }) => acceleration === null)).toBe(true);
    expect(Math.max(...corrected.map(({ secant }) => secant ?? 0))).toBe(10);
    // Some 60 damped steps carry rounding on; 1e-6 is far above it and far below any other step.
    other.records.slice(0, 40).forEach((record, k) => {
      expect(Math.abs(record.loss / one.records[k].loss - 1)).toBeLessThan(1e-6);
    });
    expect(Math.abs(other.loss / one.loss - 1)).toBeLessThan(1e-8);
  });

  it("has none of it in the dual route, or where a condition estimate is asked for", async () => {
    const start = network({ layers: [3, 6, 1], seed: 1 });
    for (const more of [{ route: "dual" }, { condition: true }] as const) {
      const result = await run(start, "auto", { ...more, stop: { ...stop, iterations: 60 } });
      expect(result.records.every((record) => record.secant === undefined)).toBe(true);
    }
  });

  it("refuses another word", () => {
    expect(() => levenbergMarquardt({ residualCurvature: "bfgs" as ResidualCurvature })).toThrow(
      /residualCurvature must be "auto" or "none"; received "bfgs"/,
    );
  });
});

// A damped solve with a matrix of low rank added to the curvature: both engines against the equation it has to solve, the bits of one
// thread against those of two, and what is refused.
import { describe, expect, it } from "vitest";
import type { LowRank } from "../../src/backend/curvature.js";
import { multiplyLowRank } from "../../src/backend/low-rank.js";
import { createNativeEngine } from "../../src/backend/native/engine.js";
import { loadNative } from "../../src/backend/native/load.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import { sure } from "../helpers/engine-problems.js";

const engines = loadNative().ok ? [createReferenceEngine, createNativeEngine] : [createReferenceEngine];
const decay = 20;
const damping = 0.5;

function setting(create: typeof createNativeEngine, hidden: number, pairs: number, threads = 1) {
  const net = network({ layers: [5, hidden, 2], seed: 7 });
  const random = new Random(3, 1);
  const draw = (count: number, scale = 1) => Float64Array.from({ length: count }, () => scale * random.normal());
  const data = { sampleCount: 90, inputs: draw(450), targets: draw(180) };
  const p = net.parameters.length;
  // Of both signs; a pair has a norm of about 1, so that ten are below the decay and the sum stays positive definite.
  const scale = 1 / Math.sqrt(p);
  const correction: LowRank = { left: draw(pairs * p, scale), right: draw(pairs * p, scale) };
  return { engine: create(net.architecture, data, { threads }), w: net.parameters, p, correction };
}

describe.each(engines)("a corrected solve of %o", (create) => {
  // 8 p + 2 parameters: within one tile of the native engine's factor (192 columns), at its edge, in several.
  it.each([
    [3, 1],
    [24, 4],
    [80, 10],
  ])("solves the sum, %i hidden units, %i pairs", async (hidden, pairs) => {
    const { engine, w, p, correction } = setting(create, hidden, pairs);
    const scaling = new Float64Array(p);
    const { gradient } = await sure(engine.linearize(w, { curvature: "primal", decay, scaling }));
    const { step } = await sure(engine.solve({ damping, decay, scaling, correction }));
    const image = await engine.curvatureProduct(step);
    const added = multiplyLowRank(correction, step);
    const sum = image.map((value, j) => value + added[j] + (decay + damping * scaling[j]) * step[j] + gradient[j]);
    const scale = Math.max(...gradient.map(Math.abs));
    // One refinement: some p eps of the right-hand side.
    expect(Math.max(...sum.map(Math.abs)) / scale).toBeLessThan(10 * p * Number.EPSILON);
    // It is not the solve without: the correction shows.
    const plain = await sure(engine.solve({ damping, decay, scaling }));
    expect(Math.max(...plain.step.map((value, j) => Math.abs(value - step[j])))).toBeGreaterThan(1e-6);
    engine.dispose();
  });

  it("is what an acceleration after it solves with, and leaves the curvature alone", async () => {
    const { engine, w, p, correction } = setting(create, 24, 4);
    const scaling = new Float64Array(p);
    await sure(engine.linearize(w, { curvature: "primal", decay, scaling }));
    const before = await engine.curvature();
    const { step } = await sure(engine.solve({ damping, decay, scaling, correction }));
    const apply = async (a: Float64Array, more: Float64Array | null) =>
      (await engine.curvatureProduct(a)).map(
        (value, j) => value + (decay + damping * scaling[j]) * a[j] + (more?.[j] ?? 0),
      );
    const { acceleration: bent } = await sure(engine.accelerate(step, scaling));
    await sure(engine.solve({ damping, decay, scaling }));
    const { acceleration: plain } = await sure(engine.accelerate(step, scaling));
    // Both have the same right-hand side, -J^T psi_vv.
    const [one, other] = [await apply(bent, multiplyLowRank(correction, bent)), await apply(plain, null)];
    const scale = Math.max(...other.map(Math.abs));
    expect(Math.max(...one.map((value, j) => Math.abs(value - other[j]))) / scale).toBeLessThan(
      10 * p * Number.EPSILON,
    );
    expect(await engine.curvature()).toEqual(before);
    engine.dispose();
  });

  it("that is not positive definite says so", async () => {
    const { engine, w, p } = setting(create, 24, 1);
    await sure(engine.linearize(w, { curvature: "primal", decay, scaling: null }));
    const left = new Float64Array(p).fill(1);
    const right = left.map(() => -1e6);
    expect(await engine.solve({ damping, decay, scaling: null, correction: { left, right } })).toMatchObject({
      code: "indefinite",
      pivot: 0,
    });
    engine.dispose();
  });

  it("is refused where it has no place, or no form", async () => {
    const { engine, w, p, correction } = setting(create, 24, 2);
    const request = { damping, decay: 0, scaling: null };
    const refused = (more: object) =>
      expect(engine.solve({ ...request, correction, ...more })).rejects.toMatchObject({ code: "GAUSSFLOW_ARGUMENT" });
    await sure(engine.linearize(w, { curvature: "primal", decay: 0, scaling: null }));
    await refused({ condition: true });
    await refused({ correction: { left: correction.left, right: correction.right.slice(p) } });
    await refused({ correction: { left: correction.left.slice(1), right: correction.right.slice(1) } });
    await refused({ correction: { left: [1, 2], right: [1, 2] } });
    await refused({ correction: { left: new Float64Array(0), right: new Float64Array(0) } });
    for (const curvature of ["dual", "orthogonal"] as const) {
      await sure(engine.linearize(w, { curvature, decay: 0, scaling: null }));
      await refused({});
    }
    await sure(engine.linearize(w, { curvature: "primal", decay: 0, scaling: null, precision: "single" }));
    await refused({});
    engine.dispose();
  });
});

it.skipIf(engines.length === 1)("has the same bits on one thread and on two", async () => {
  const steps: Float64Array[] = [];
  for (const threads of [1, 2]) {
    const { engine, w, p, correction } = setting(createNativeEngine, 160, 10, threads);
    const scaling = new Float64Array(p);
    await sure(engine.linearize(w, { curvature: "primal", decay, scaling }));
    steps.push((await sure(engine.solve({ damping, decay, scaling, correction }))).step);
    engine.dispose();
  }
  expect(steps[1]).toEqual(steps[0]);
});

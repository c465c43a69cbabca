// The moving average of Gram matrices (`LinearizeRequest.accumulate`) in both engines: against the Gram matrices of an engine that does not
// average; that it outlives loads, other linearizations and failures; how a run goes on with it; and how long the factor of a solve stays.
import { describe, expect, it } from "vitest";
import { estimateBytes } from "../../src/backend/estimate.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import { squaredError } from "../../src/loss/squared-error.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import { difference, sure } from "../helpers/engine-problems.js";
import { ENGINES } from "../helpers/losses.js";

const net = network({ layers: [4, 8, 2], seed: 3 });
const w = net.parameters;
const p = w.length;
const n = 150; // more than a block of the reference engine

function rowsOf(seed: number) {
  const random = new Random(seed, 1);
  const draw = (count: number) => Float64Array.from({ length: count }, () => random.normal());
  return { inputs: draw(n * 4), targets: draw(n * 2) };
}

const plain = { curvature: "primal", decay: 0.1, scaling: null } as const;
const averaged = { ...plain, accumulate: { keep: 0.7, add: 0.4 } } as const;
const solving = { damping: 0.5, decay: 0.1, scaling: null };
const v = Float64Array.from({ length: p }, (_, j) => Math.cos(j));
const state = { code: "GAUSSFLOW_STATE" };

describe.each(ENGINES)("a moving average in the %s engine", (kind, create) => {
  const make = (slots = 1, threads = 2) =>
    create(net.architecture, { sampleCount: n, ...rowsOf(1), slots }, { threads });
  const matrixAt = async (engine: NetworkEngine, request: typeof plain | typeof averaged) => {
    await sure(engine.linearize(w, request));
    return engine.curvature();
  };

  it("goes into an array of its size, and into no other", async () => {
    const engine = make();
    await sure(engine.linearize(w, averaged));
    const [fresh, into] = [await engine.curvature(), new Float64Array(p * p)];
    expect(await engine.curvature(into)).toBe(into);
    expect(into).toEqual(fresh);
    for (const wrong of [new Float64Array(p), new Float32Array(p * p), [], "M"])
      await expect(engine.curvature(wrong as Float64Array)).rejects.toMatchObject({ code: "GAUSSFLOW_ARGUMENT" });
    engine.dispose();
  });

  it.each([1, 4])("is keep times the matrix before and add times that of the rows, %i slots", async (slots) => {
    const [engine, other] = [make(slots), make(slots)];
    const expected = new Float64Array(p * p);
    for (const seed of [1, 2, 3]) {
      engine.load(rowsOf(seed));
      other.load(rowsOf(seed));
      const G = await matrixAt(other, plain);
      for (let k = 0; k < p * p; k++) expected[k] = 0.7 * expected[k]! + 0.4 * G[k]!;
      // Three roundings an average.
      expect(difference(expected, await matrixAt(engine, averaged))).toBeLessThan(9 * Number.EPSILON);
    }
    // What stands between, and fails, does not touch it.
    const before = await engine.curvature();
    await sure(engine.linearize(w, { ...plain, curvature: "none" }));
    await sure(engine.linearize(w, { ...plain, curvature: "dual" }));
    await sure(engine.linearize(w, plain));
    expect(
      await engine.linearize(
        w.map(() => Number.NaN),
        averaged,
      ),
    ).toHaveProperty("code", "non-finite");
    expect(await matrixAt(engine, { ...averaged, accumulate: { keep: 1, add: 0 } } as never)).toEqual(before);
    // Another engine goes on with it.
    other.restoreCurvature(before);
    expect(await matrixAt(other, averaged)).toEqual(await matrixAt(engine, averaged));
    engine.dispose();
    other.dispose();
  });

  it("leaves the factor of the last solve to dampedInverse, with one slot", async () => {
    for (const slots of [1, 4]) {
      const engine = make(slots);
      await sure(engine.linearize(w, averaged));
      await sure(engine.solve(solving));
      const before = await sure(engine.dampedInverse(v));
      engine.load(rowsOf(2));
      expect(await sure(engine.dampedInverse(v))).toEqual(before);
      await sure(engine.linearize(w, { ...plain, curvature: "none" }));
      await engine.jacobianProduct(w, v);
      expect(await sure(engine.dampedInverse(v))).toEqual(before);
      await sure(engine.linearize(w, averaged));
      if (slots === 1) expect(await sure(engine.dampedInverse(v))).toEqual(before);
      else await expect(engine.dampedInverse(v)).rejects.toMatchObject(state);
      await expect(engine.accelerate(v, null)).rejects.toMatchObject(state);
      await sure(engine.solve(solving));
      expect(await sure(engine.dampedInverse(v))).not.toEqual(before);
      // A matrix of another shift takes its place, and so does any other linearization.
      await sure(engine.curvatureInverse(v, 2));
      await expect(engine.dampedInverse(v)).rejects.toMatchObject(state);
      for (const curvature of ["primal", "dual", "orthogonal", "matrix-free"] as const) {
        if (slots > 1 && curvature === "orthogonal") continue;
        await sure(engine.linearize(w, averaged));
        await sure(engine.solve(solving));
        await sure(engine.linearize(w, { ...plain, curvature }));
        await expect(engine.dampedInverse(v), curvature).rejects.toMatchObject(state);
      }
      // A factor that needs the linearization ends with it.
      await sure(engine.linearize(w, { ...plain, curvature: "dual" }));
      await sure(engine.solve(solving));
      engine.load(rowsOf(3));
      await expect(engine.dampedInverse(v)).rejects.toMatchObject(state);
      engine.dispose();
    }
  });

  it("goes on as before with the matrix and the factor of a run that ended", async () => {
    const [whole, later] = [make(), make()];
    const M = await matrixAt(whole, averaged);
    await sure(whole.solve(solving));
    whole.load(rowsOf(2));
    const next = await matrixAt(whole, averaged);
    later.load(rowsOf(2));
    later.restoreCurvature(M);
    await matrixAt(later, { ...averaged, accumulate: { keep: 1, add: 0 } } as never);
    await sure(later.solve(solving));
    later.restoreCurvature(next);
    expect(await later.dampedInverse(v)).toEqual(await whole.dampedInverse(v));
    expect(await matrixAt(later, averaged)).toEqual(await matrixAt(whole, averaged));
    whole.dispose();
    later.dispose();
  });

  it("holds the bytes that are planned for it", async () => {
    const engine = make();
    await sure(engine.evaluate(w));
    await sure(engine.linearize(w, averaged));
    await sure(engine.solve(solving));
    if (kind === "native") await sure(engine.accelerate(v, null));
    const sizes = {
      architecture: net.architecture,
      loss: squaredError(),
      sampleCount: n,
      weighted: false,
      fileWidth: 0,
      threads: 2,
      slots: 1,
    };
    const { data, curvature, factor, workspaces } = estimateBytes(kind, sizes, [
      { curvature: "primal", average: true },
    ]);
    expect(engine.bytes()).toBe(data + curvature + factor + workspaces);
    engine.dispose();
  });

  it("refuses shares, matrices and curvatures that it is not for", async () => {
    const engine = make();
    const wrong: readonly [object, RegExp][] = [
      [{ accumulate: { keep: -1, add: 1 } }, /accumulate\.keep/],
      [{ accumulate: { keep: 1, add: Number.NaN } }, /accumulate\.add/],
      [{ accumulate: { keep: 1, add: Number.POSITIVE_INFINITY } }, /accumulate\.add/],
      [{ accumulate: { keep: 1, add: 1, of: 2 } }, /of/],
      [{ curvature: "dual" }, /accumulate must be absent/],
      [{ precision: "single" }, /accumulate must be absent/],
    ];
    for (const [change, message] of wrong)
      await expect(engine.linearize(w, { ...averaged, ...change } as never), String(message)).rejects.toMatchObject({
        code: "GAUSSFLOW_ARGUMENT",
        message: expect.stringMatching(message),
      });
    const changed = (at: number, value: number) => {
      const matrix = new Float64Array(p * p);
      matrix[at] = value;
      return matrix;
    };
    const matrices: readonly [Float64Array, string][] = [
      [new Float64Array(p), `matrix must be a Float64Array of ${p * p} numbers`],
      [new Float64Array(p * p + 1), `matrix must be a Float64Array of ${p * p} numbers`],
      [changed(1, 1), "matrix[1] must be 0: the matrix is symmetric"],
      [changed(1, Number.POSITIVE_INFINITY), "matrix[1] must be 0: the matrix is symmetric"],
      [changed(p, Number.POSITIVE_INFINITY), `matrix[${p}] must be a finite number`],
      [new Float64Array(p * p).fill(Number.POSITIVE_INFINITY), "matrix[0] must be a finite number"],
      [changed(p * p - 1, Number.NaN), `matrix[${p * p - 1}] must be a finite number`],
    ];
    for (const [matrix, message] of matrices)
      expect(() => engine.restoreCurvature(matrix), message).toThrow(
        expect.objectContaining({ code: "GAUSSFLOW_ARGUMENT", message: expect.stringContaining(message) }),
      );
    const running = engine.linearize(w, averaged);
    expect(() => engine.restoreCurvature(new Float64Array(p * p))).toThrow(
      expect.objectContaining({ code: "GAUSSFLOW_BUSY" }),
    );
    await sure(running);
    engine.dispose();
    expect(() => engine.restoreCurvature(new Float64Array(p * p))).toThrow(expect.objectContaining(state));
  });
});

it.skipIf(ENGINES.length < 2)("the bits of a moving average depend on no number of threads", async () => {
  const seen: Float64Array[] = [];
  for (const threads of [1, 3]) {
    const engine = ENGINES[1]![1](net.architecture, { sampleCount: n, ...rowsOf(1) }, { threads });
    for (const seed of [2, 3]) {
      engine.load(rowsOf(seed));
      await sure(engine.linearize(w, averaged));
    }
    seen.push(await engine.curvature());
    engine.dispose();
  }
  expect(seen[1]).toEqual(seen[0]);
});

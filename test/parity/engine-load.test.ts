// Rows that replace those of an engine (`load`), in both engines: afterwards it is an engine on those rows, bit for bit; what is refused; and
// that the linearization before has ended.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Curvature } from "../../src/backend/curvature.js";
import type { EngineData } from "../../src/backend/engine.js";
import { createNativeEngine } from "../../src/backend/native/engine.js";
import { loadNative } from "../../src/backend/native/load.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import type { EngineRows } from "../../src/backend/rows.js";
import { openDataFile, writeDataFile } from "../../src/index.js";
import { softmaxCrossEntropy } from "../../src/loss/softmax-cross-entropy.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import { sure } from "../helpers/engine-problems.js";

const native = loadNative();
const engines = native.ok ? [createReferenceEngine, createNativeEngine] : [createReferenceEngine];
const net = network({ layers: [7, 9, 3], seed: 4 });
const w = net.parameters;
const n = 140; // more than a block of the reference engine

function rowsOf(seed: number, weighted: boolean): EngineRows {
  const random = new Random(seed, 1);
  const draw = (count: number) => Float64Array.from({ length: count }, () => random.normal());
  const targets = new Float64Array(n * 3);
  for (let i = 0; i < n; i++) targets[3 * i + Math.floor(3 * random.uniform())] = 1;
  return { inputs: draw(n * 7), targets, ...(weighted ? { weights: draw(n).map(Math.abs) } : {}) };
}

const dataOf = (rows: EngineRows): EngineData => ({ ...rows, sampleCount: n, loss: softmaxCrossEntropy() });

async function answers(engine: NetworkEngine, curvature: Curvature) {
  const { loss, gradient } = await sure(engine.linearize(w, { curvature, decay: 0.1, scaling: null }));
  const seen = [Float64Array.of(loss), gradient, await engine.forward(w)];
  if (curvature === "matrix-free") {
    const factors = (await engine.layerFactors()).flatMap(({ left, right }) => [left, right]);
    return [...seen, await engine.curvatureProduct(w), ...factors];
  }
  if (curvature === "none") return seen;
  return [...seen, (await sure(engine.solve({ damping: 0.5, decay: 0.1, scaling: null }))).step];
}

const state = { code: "GAUSSFLOW_STATE" };
const refusal = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

describe.each(engines)("%O after a load", (create) => {
  for (const weighted of [false, true])
    it.each(["none", "primal", "dual", "orthogonal", "matrix-free"] as const)(
      `answers as an engine on those rows, %s, ${weighted ? "weighted" : "without weights"}`,
      async (curvature) => {
        const engine = create(net.architecture, dataOf(rowsOf(1, weighted)), { threads: 2 });
        const rows = rowsOf(2, weighted);
        const before = await answers(engine, curvature);
        const held = engine.bytes();
        engine.load(rows);
        expect(engine.held).toBe("none");
        expect(engine.bytes()).toBeLessThanOrEqual(held);
        // What is the caller's stays the caller's.
        const copy = { inputs: rows.inputs.slice(), targets: rows.targets.slice() };
        rows.inputs.fill(Number.NaN);
        rows.targets.fill(Number.NaN);
        const fresh = create(net.architecture, dataOf({ ...rows, ...copy }), { threads: 2 });
        const right = await answers(fresh, curvature);
        expect(await answers(engine, curvature)).toEqual(right);
        expect(before[0]).not.toEqual(right[0]);
        engine.dispose();
        fresh.dispose();
      },
    );

  it("has no linearization until the next", async () => {
    const engine = create(net.architecture, dataOf(rowsOf(1, false)));
    await answers(engine, "primal");
    engine.load(rowsOf(2, false));
    await expect(engine.solve({ damping: 1, decay: 0, scaling: null })).rejects.toMatchObject(state);
    await expect(engine.hessianProduct(w)).rejects.toMatchObject(state);
    await expect(engine.curvature()).rejects.toMatchObject(state);
    engine.dispose();
  });

  it("refuses rows of other sizes and weights that it has no place for, and keeps what it holds", async () => {
    const rows = rowsOf(2, true);
    const engine = create(net.architecture, dataOf(rowsOf(1, false)));
    const weighted = create(net.architecture, dataOf(rowsOf(1, true)));
    const before = await answers(engine, "primal");
    const wrong: readonly [NetworkEngine, unknown, RegExp][] = [
      [engine, null, /rows must be an object/],
      [engine, { ...rows, weights: undefined, inputs: rows.inputs.subarray(7) }, /rows\.inputs/],
      [engine, { ...rows, weights: undefined, targets: new Float64Array(n * 3 + 3) }, /rows\.targets/],
      [engine, { ...rows, weights: undefined, targets: Array.from(rows.targets) }, /rows\.targets/],
      [engine, rows, /rows\.weights must be absent/],
      [engine, { ...rows, weights: undefined, sampleCount: n }, /sampleCount/],
      [weighted, { ...rows, weights: undefined }, /rows\.weights must be given/],
      [weighted, { ...rows, weights: new Float64Array(n).fill(-1) }, /rows\.weights\[0\]/],
      [weighted, { ...rows, weights: new Float64Array(n - 1) }, /rows\.weights/],
    ];
    for (const [one, given, message] of wrong)
      expect(() => one.load(given as EngineRows), String(message)).toThrow(refusal("GAUSSFLOW_ARGUMENT", message));
    expect(engine.held).toBe("primal");
    expect((await sure(engine.solve({ damping: 0.5, decay: 0.1, scaling: null }))).step).toEqual(before[3]);
    engine.dispose();
    weighted.dispose();
  });

  it("refuses while it is at work, when it was disposed of, and where a file has the rows", async () => {
    const rows = rowsOf(2, false);
    const engine = create(net.architecture, dataOf(rowsOf(1, false)));
    const running = engine.linearize(w, { curvature: "primal", decay: 0, scaling: null });
    expect(() => engine.load(rows)).toThrow(refusal("GAUSSFLOW_BUSY", /at work/));
    await sure(running);
    engine.load(rows);
    engine.dispose();
    expect(() => engine.load(rows)).toThrow(refusal("GAUSSFLOW_STATE", /disposed/));
    const folder = mkdtempSync(join(tmpdir(), "gaussflow-load-"));
    try {
      const path = join(folder, "rows.gfd");
      const table = Array.from({ length: 5 }, (_, i) => [i, 1, 2, 3, 4, 5, 6, 7, 8, i % 2]);
      const names = (prefix: string, count: number) => Array.from({ length: count }, (_, k) => `${prefix}${k}`);
      await writeDataFile(path, { featureNames: names("x", 7), targetNames: names("y", 3) }, table);
      const { layout } = openDataFile(path);
      const scaling = (count: number) => ({ offset: new Float64Array(count), scale: new Float64Array(count).fill(1) });
      const none = new Float64Array(0);
      const file = { layout, inputs: scaling(7), targets: scaling(3) };
      const reader = create(net.architecture, { sampleCount: 5, inputs: none, targets: none, file });
      expect(() => reader.load(rows)).toThrow(refusal("GAUSSFLOW_STATE", /from a file/));
      reader.dispose();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

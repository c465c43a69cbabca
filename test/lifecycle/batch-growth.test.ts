// A training on batches holds the same after 2,000 steps as after 200: nothing that a step makes outlives it, in JavaScript or in the addon.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import { buildLibrary } from "../helpers/build.js";

const library = buildLibrary();
const scene = fileURLToPath(new URL("scenes/batch-growth.mjs", import.meta.url));

interface Held {
  readonly arrayBuffers: number;
  readonly external: number;
  readonly heapUsed: number;
  readonly rss: number;
}

const MARKS = [200, 2000];
/** 1,129 parameters: of one vector a step 1,800 steps would keep 16 MB. */
const WIDE = [6, 24, 24, 2];
/** 58 parameters: of one matrix an update of M, every second step, 900 updates would keep 24 MB. */
const NARROW = [4, 8, 2];
/** Of arrays: vectors of records that the collector has not given back yet, 0.08 MB at most. A vector every 65 steps would be as much. */
const ARRAYS = 250e3;
/** Of the heap: the records of the run, and code that is compiled meanwhile, 0.5 MB together. An object of 300 bytes a step would be as much. */
const HEAP = 1e6;
/** Of the process: the same, and pages that the allocator has not touched before. */
const RESIDENT = 8e6;

const cases = [
  ["exactGaussNewton", { curvature: "exact", batch: 16, damping: 3 }, WIDE],
  ["exactGaussNewton", { curvature: "sampled", batch: 16, damping: 3 }, WIDE],
  ["adam", { batch: 16 }, WIDE],
  ["cumulativeGaussNewton", { batch: 16, factorEvery: 2 }, NARROW],
] as const;

describe.skipIf(process.platform !== "linux" || !loadNative().ok)("2,000 steps on batches", () => {
  it.each(cases)("%s %j: hold what 200 do", { timeout: 60_000 }, (method, options, layers) => {
    const given = { method, options, layers, rows: 128, backend: "native", marks: MARKS };
    // A young generation of one size: it grows by tens of MB before V8 looks for garbage there.
    const flags = ["--expose-gc", "--max-semi-space-size=1"];
    const child = spawnSync(process.execPath, [...flags, scene, library, JSON.stringify(given)], { encoding: "utf8" });
    expect(child.status, child.stderr).toBe(0);
    const { held } = JSON.parse(child.stdout) as { readonly held: readonly [Held, Held] };
    const [early, late] = held;
    expect(held).toHaveLength(2);
    expect(late.arrayBuffers - early.arrayBuffers).toBeLessThan(ARRAYS);
    expect(late.external - early.external).toBeLessThan(HEAP);
    expect(late.heapUsed - early.heapUsed).toBeLessThan(HEAP);
    expect(late.rss - early.rss).toBeLessThan(RESIDENT);
  });
});

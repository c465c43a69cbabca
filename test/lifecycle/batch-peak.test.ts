// The memory that a plan of steps on batches promises: against the most resident memory of a process that does nothing else, for the engines
// that such runs make, rows in memory and in a file, and the matrices in the state of a method.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import type { MemoryEstimate } from "../../src/plan/memory-model.js";
import { buildLibrary } from "../helpers/build.js";

const library = buildLibrary();
const scene = fileURLToPath(new URL("scenes/batch-peak.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "gaussflow-batch-peak-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Measured {
  readonly bytes: MemoryEstimate;
  readonly before: number;
  readonly measured: number;
  readonly reason: string;
}

/** Share by which a plan may miss the peak of the whole process. */
const TOLERANCE = 0.12;

const cases = [
  ["kernels", { method: "exactGaussNewton", options: { curvature: "exact" }, layers: [40, 24, 10], rows: 20_000 }],
  [
    "one row a sample",
    { method: "exactGaussNewton", options: { curvature: "sampled" }, layers: [300, 64, 10], rows: 9000 },
  ],
  [
    "matrices in the state",
    { method: "cumulativeGaussNewton", options: { warmUp: 0.2 }, layers: [40, 32, 1], rows: 20_000 },
  ],
  [
    "blocks of a file",
    {
      method: "exactGaussNewton",
      options: { curvature: "exact" },
      layers: [63, 24, 1],
      rows: 80_000,
      file: join(folder, "rows.gfd"),
    },
  ],
] as const;

describe.skipIf(process.platform !== "linux" || !loadNative().ok)("the peak memory of a training on batches", () => {
  it.each(cases)("%s", { timeout: 60_000 }, (_, given) => {
    const argument = JSON.stringify({ backend: "native", iterations: 12, ...given });
    const child = spawnSync(process.execPath, [scene, library, argument], { encoding: "utf8" });
    expect(child.status, child.stderr).toBe(0);
    const { bytes, before, measured, reason } = JSON.parse(child.stdout) as Measured;
    expect(reason).toBe("iterations");
    expect(measured).toBeGreaterThan(before);
    expect(bytes.most / measured).toBeGreaterThan(1 - TOLERANCE);
    expect(bytes.peak / measured).toBeLessThan(1 + TOLERANCE);
  });
});

// The memory limit holds what a process comes to with a monitor: the plan against the most resident memory of a process that does nothing
// else, on either engine.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { buildLibrary } from "../helpers/build.js";

const library = buildLibrary();
const scene = fileURLToPath(new URL("scenes/monitor-peak.mjs", import.meta.url));

interface Measured {
  readonly peak: number;
  readonly most: number;
  readonly before: number;
  readonly measured: number;
  readonly reason: string;
  readonly warnings: readonly string[];
}

describe.skipIf(process.platform !== "linux")("a training with a monitor comes to the memory that was planned", () => {
  it.each([
    ["native", 3000, 60],
    ["typescript", 1500, 26],
  ] as const)(
    "%s engine, %i samples, width %i",
    (backend, samples, width) => {
      // V8 lets its young generation grow by tens of MB before it looks for garbage there. The plan counts the 4 MB that small trainings have.
      const small = "--max-semi-space-size=4";
      const child = spawnSync(process.execPath, [small, scene, library, backend, String(samples), String(width)], {
        encoding: "utf8",
        timeout: 240_000,
      });
      expect(child.status, child.stderr).toBe(0);
      const { peak, most, before, measured, reason, warnings } = JSON.parse(child.stdout) as Measured;
      expect([reason, warnings]).toEqual(["iterations", []]);
      expect(measured).toBeGreaterThan(before);
      // 15%, as the planner promises for the whole process.
      expect(most / measured).toBeGreaterThan(0.85);
      expect(peak / measured).toBeLessThan(1.15);
    },
    250_000,
  );
});

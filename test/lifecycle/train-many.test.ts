// trainMany with worker threads, as installed: the built library in a process of its own, one script of test/lifecycle/scenes a test.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { buildLibrary } from "../helpers/build.js";

let library = "";

beforeAll(() => {
  library = buildLibrary();
});

function scene(name: string, ...args: readonly string[]) {
  const script = fileURLToPath(new URL(`scenes/many-${name}.mjs`, import.meta.url));
  const child = spawnSync(process.execPath, [script, ...args], {
    encoding: "utf8",
    timeout: 50_000,
    env: { ...process.env, GAUSSFLOW_LIBRARY: library },
  });
  expect(child.status, child.stderr).toBe(0);
  return child.stdout.trim();
}

describe("trainMany in threads", () => {
  it.each(["native", "typescript"])("gives the same bits for every number of jobs at a time (%s)", (backend) => {
    expect(scene("same", backend)).toBe("threads used: 3; equal: true true true");
  });

  it("stops jobs in threads with their best so far, says why, and starts no more", () => {
    expect(JSON.parse(scene("abort"))).toEqual({
      aborted: true,
      states: ["trained", "trained", "idle", "idle"],
      reasons: ["aborted", "aborted"],
      told: [true, true],
      kept: [true, true],
    });
  });

  it("carries the errors of threads whole, and a thread that dies takes only its own job with it", () => {
    expect(JSON.parse(scene("faults"))).toEqual({
      states: ["trained", "failed", "failed", "trained", "trained"],
      code: "GAUSSFLOW_FILE",
      ours: true,
      full: "GAUSSFLOW_MEMORY",
    });
  });

  it("streams the progress of all threads in order, all of it, and threads that idle hold no process up", () => {
    const expected = { whole: true, ordered: true, ended: [1, 2, 3, 4, 5, 6], kept: true, held: false };
    expect(JSON.parse(scene("progress"))).toEqual(expected);
  });
});

// A checkpointed training or min-max game killed with SIGKILL at random moments goes on to the bits of the one that was left alone, and the
// killed writes leave nothing behind.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../src/random.js";
import { buildLibrary } from "../helpers/build.js";

const scene = fileURLToPath(new URL("scenes/checkpointed.mjs", import.meta.url));
let library = "";
beforeAll(() => {
  library = buildLibrary();
});

/** Kills of one run; `GAUSSFLOW_KILLS=20` says more. */
const KILLS = Number(process.env.GAUSSFLOW_KILLS ?? 1);

/** Iterations of the scene: a run is killed soon after its twelfth line at the latest, and the one that is left alone has as many left. */
const ITERATIONS = 20 * (KILLS + 1);

/** Runs the scene; kills it after that many lines, or rather as many turns of the event loop later as `turns` says. */
function run(
  mode: "run" | "resume",
  path: string,
  [backend, method]: readonly [string, string],
  kill: { lines: number; turns: number } | null,
) {
  const child = spawn(process.execPath, [scene, library, mode, path, backend, method, String(ITERATIONS)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  let doomed = false;
  const later = (turns: number): void => {
    if (turns <= 0) child.kill("SIGKILL");
    else setImmediate(() => later(turns - 1));
  };
  child.stdout.on("data", (text) => {
    out += text;
    if (kill === null || doomed || out.split("\n").length <= kill.lines) return;
    doomed = true;
    later(kill.turns);
  });
  return new Promise<{ killed: boolean; digest: string | undefined; lines: number }>((resolve) =>
    child.on("close", (_code, signal) =>
      resolve({
        killed: signal === "SIGKILL",
        digest: /digest (\w+)/.exec(out)?.[1],
        lines: out.split("\n").length - 2,
      }),
    ),
  );
}

describe.each([
  ["typescript", "lm"],
  ["auto", "lm"],
  ["typescript", "egn"],
  ["auto", "egn"],
  ["typescript", "sampled"],
  ["auto", "sampled"],
  ["auto", "game"],
] as const)("a run killed at random moments, %s engine, %s", (...kind) => {
  // A dozen processes one after the other: on a loaded machine each takes seconds to start.
  it("goes on from its checkpoint bit for bit, each time", { timeout: 300_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "gaussflow-killed-"));
    const whole = await run("run", join(folder, "whole.json"), kind, null);
    expect(whole.digest).toBeDefined();
    const draw = new Random(20261129);
    const path = join(folder, "killed.json");
    let kills = 0;
    // Each is killed, and so is what goes on from it, until one comes through; the last of them is left alone.
    for (let attempt = 0; ; attempt++) {
      const mode = existsSync(path) ? "resume" : "run";
      const kill =
        attempt === KILLS
          ? null
          : { lines: 1 + Math.floor(draw.uniform() * 12), turns: Math.floor(draw.uniform() * 50) };
      const ended = await run(mode, path, kind, kill);
      if (ended.killed) {
        kills++;
        continue;
      }
      expect(ended.digest).toBe(whole.digest);
      break;
    }
    expect(kills).toBeGreaterThan(0);
    expect(readdirSync(folder).sort()).toEqual(["killed.json", "whole.json"]);
  });
});

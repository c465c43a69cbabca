// Memory that the system refuses to the addon, in every call: no crash, no wrong result, no engine left busy. Every seventh allocation;
// `npm run walk:allocations` refuses each.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";

const compiler = process.platform === "linux" && spawnSync("g++", ["--version"]).status === 0;

it.skipIf(!compiler || !loadNative().ok)("the addon survives any refused allocation", { timeout: 300_000 }, () => {
  const script = fileURLToPath(new URL("../../scripts/walk-allocations.mjs", import.meta.url));
  const child = spawnSync(process.execPath, [script, "--binding", "--stride", "7"], { encoding: "utf8" });
  expect(child.status, child.stdout + child.stderr).toBe(0);
  const [, points, wrong, busy] =
    /(\d+) points, 0 crashes, \d+ refused, (\d+) wrong results, (\d+) engines left busy/.exec(child.stdout) ?? [];
  expect(Number(points)).toBeGreaterThan(200);
  expect([wrong, busy]).toEqual(["0", "0"]);
});

// A compiled copy of the library for tests that run it in processes of their own: dist, fresh. Returns the path of its index.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export function buildLibrary(): string {
  const script = fileURLToPath(new URL("../../scripts/build.mjs", import.meta.url));
  const child = spawnSync(process.execPath, [script, "--if-stale"], { encoding: "utf8" });
  if (child.status !== 0) throw new Error(`dist does not compile: ${child.stdout}${child.stderr}`);
  return fileURLToPath(new URL("../../dist/index.js", import.meta.url));
}

// npm run check: runs every check that a change must pass, the quick ones first, and ends at the first failure. A developer runs it before
// a commit, and CI (.ci/run) runs it with --no-tests, because it runs vitest by itself.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "../native/paths.mjs";

const node = process.execPath;
const bin = (name) => join(root, "node_modules", ".bin", name);
const script = (name) => [node, join(root, "scripts", "check", `${name}.mjs`)];
const checks = [
  ["format and lint", [bin("biome"), "check", "--error-on-warnings", "."]],
  ["C++ format", script("clang-format")],
  ["types", [bin("tsc"), "--noEmit"]],
  ["walls", script("walls")],
  ["file length", script("file-length")],
  ["C++ functions", script("native-functions")],
  ["native face", script("native-face")],
  ["dist", [node, join(root, "scripts", "build.mjs"), "--if-stale"]],
  ["repository and package", script("repository")],
  ["API reference", [bin("typedoc"), "--emit", "none", "--treatWarningsAsErrors"]],
];
if (!process.argv.includes("--no-tests")) checks.push(["tests", [bin("vitest"), "run"]]);
for (const [name, [program, ...args]] of checks) {
  const child = spawnSync(program, args, { cwd: root, stdio: "inherit" });
  if (child.status !== 0) {
    console.error(`check: ${name} FAILED`);
    process.exit(1);
  }
  console.log(`check: ${name} ok`);
}

// Runs cmake-js, and puts what it has made in its place. build.mjs and build-mpi.mjs, which know the two addons, call it.
import { spawnSync } from "node:child_process";
import { closeSync, copyFileSync, mkdirSync, openSync, renameSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { root } from "./paths.mjs";

function findCmakeJs() {
  try {
    return join(dirname(createRequire(join(root, "package.json")).resolve("cmake-js/package.json")), "bin", "cmake-js");
  } catch {
    return null;
  }
}

/**
 * Compiles into `folder`, with all output in the file `log`. Returns whether it did, or null where cmake-js is not installed.
 * @param definitions variables of CMakeLists.txt, for example { GAUSSFLOW_MPI: "ON" }
 */
export function compile(folder, log, definitions = {}) {
  const cmakeJs = findCmakeJs();
  if (cmakeJs === null) return null;
  mkdirSync(dirname(log), { recursive: true });
  const jobs = process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? String(Math.min(availableParallelism(), 8));
  const output = openSync(log, "w");
  // `rebuild`, not `compile`: the latter retries and prints every error twice, and a failed configure poisons its cache.
  const args = [cmakeJs, "rebuild", "-d", root, "-O", folder, "-p", jobs];
  for (const [name, value] of Object.entries(definitions)) args.push(`--CD${name}=${value}`);
  const child = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", output, output] });
  closeSync(output);
  return child.status === 0;
}

/** Moves a proven binary to its place in one step: a process that has the old one loaded keeps it. */
export function moveIntoPlace(built, binary) {
  mkdirSync(dirname(binary), { recursive: true });
  const staged = `${binary}.${process.pid}.tmp`;
  copyFileSync(built, staged);
  renameSync(staged, binary);
}

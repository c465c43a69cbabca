// Compiles the addon with cmake-js into build/cmake, tests it in a child process, and only then moves it to build/Release/gaussflow.node.
// install.mjs calls it if there is no usable addon. Returns what went wrong instead of throwing.
import { spawnSync } from "node:child_process";
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { binary, buildFolder, cmakeFolder, logFile, root } from "./paths.mjs";
import { hint, missingTools, pieces } from "./tools.mjs";
import { verify } from "./verify.mjs";

const LOG = "build/install.log";

function failure(missing, reason, remedy) {
  return { ok: false, missing, reason, hint: remedy };
}

function missingPieces(missing) {
  // Without a compiler nobody can tell whether OpenBLAS is there: name it in the same command, rather than in the next one.
  const wanted = missing.includes("compiler") ? [...missing, "blas"] : missing;
  return failure(missing, missing.map((piece) => pieces[piece].reason).join("; "), hint(wanted));
}

function findCmakeJs() {
  try {
    return join(dirname(createRequire(join(root, "package.json")).resolve("cmake-js/package.json")), "bin", "cmake-js");
  } catch {
    return null;
  }
}

/** Returns the status: { ok: true, selfTest } or { ok: false, missing, reason, hint }. */
export function build() {
  if (process.platform === "win32") {
    return failure(["platform"], "the native engine is not available on Windows yet", "use WSL 2");
  }
  const missing = missingTools();
  if (missing.length > 0) return missingPieces(missing);
  const cmakeJs = findCmakeJs();
  if (cmakeJs === null) return failure(["cmake-js"], "the package cmake-js is not installed", "npm install");

  console.log("gaussflow: compiling the native engine (about a minute) ...");
  mkdirSync(buildFolder, { recursive: true });
  const jobs = process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? String(Math.min(availableParallelism(), 8));
  const log = openSync(logFile, "w");
  // `rebuild`, not `compile`: the latter retries and prints every error twice, and a failed configure poisons its cache.
  const args = [cmakeJs, "rebuild", "-d", root, "-O", cmakeFolder, "-p", jobs];
  const child = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", log, log] });
  closeSync(log);

  const marked = [...readFileSync(logFile, "utf8").matchAll(/GAUSSFLOW-MISSING: (blas|lapack)\b/g)].map((m) => m[1]);
  if (marked.length > 0) return missingPieces([...new Set(marked)]);
  const built = join(cmakeFolder, "Release", "gaussflow.node");
  if (child.status !== 0 || !existsSync(built)) {
    return failure(["build"], `the addon did not compile (see ${LOG})`, "export CXX=<g++ 11 or clang++ 14 or newer>");
  }
  return publish(built);
}

/** Moves a proven binary to its place in one step: a process that has the old one loaded keeps it. */
function publish(built) {
  const selfTest = verify(built);
  if (!selfTest.ok) {
    rmSync(binary, { force: true });
    const kernel = selfTest.core ? ` (OpenBLAS kernel ${selfTest.core})` : "";
    const remedy = selfTest.core ? "export OPENBLAS_CORETYPE=Haswell" : `cat ${LOG}`;
    return failure(["self-test"], `the addon failed its self-test: ${selfTest.message}${kernel}`, remedy);
  }
  mkdirSync(dirname(binary), { recursive: true });
  const staged = join(buildFolder, `gaussflow.${process.pid}.tmp`);
  copyFileSync(built, staged);
  renameSync(staged, binary);
  return { ok: true, selfTest };
}

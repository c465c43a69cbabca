// Compiles the addon with cmake-js into build/cmake, tests it in a child process, and only then moves it to build/Release/gaussflow.node.
// install.mjs calls it if there is no usable addon. Returns what went wrong instead of throwing.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { compile, moveIntoPlace } from "./compile.mjs";
import { binary, cmakeFolder, logFile } from "./paths.mjs";
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

/** Returns the status: { ok: true, selfTest } or { ok: false, missing, reason, hint }. */
export function build() {
  if (process.platform === "win32") {
    return failure(["platform"], "the native engine is not available on Windows yet", "use WSL 2");
  }
  const missing = missingTools();
  if (missing.length > 0) return missingPieces(missing);
  console.log("gaussflow: compiling the native engine (about a minute) ...");
  const compiled = compile(cmakeFolder, logFile);
  if (compiled === null) return failure(["cmake-js"], "the package cmake-js is not installed", "npm install");

  const marked = [...readFileSync(logFile, "utf8").matchAll(/GAUSSFLOW-MISSING: (blas|lapack)\b/g)].map((m) => m[1]);
  if (marked.length > 0) return missingPieces([...new Set(marked)]);
  const built = join(cmakeFolder, "Release", "gaussflow.node");
  if (!compiled || !existsSync(built)) {
    return failure(["build"], `the addon did not compile (see ${LOG})`, "export CXX=<g++ 11 or clang++ 14 or newer>");
  }
  return publish(built);
}

/** Puts the binary where the loader looks, if it can be trusted. */
function publish(built) {
  const selfTest = verify(built);
  if (!selfTest.ok) {
    rmSync(binary, { force: true });
    const kernel = selfTest.core ? ` (OpenBLAS kernel ${selfTest.core})` : "";
    const remedy = selfTest.core ? "export OPENBLAS_CORETYPE=Haswell" : `cat ${LOG}`;
    return failure(["self-test"], `the addon failed its self-test: ${selfTest.message}${kernel}`, remedy);
  }
  moveIntoPlace(built, binary);
  return { ok: true, selfTest };
}

// Compiles the addon of MPI where a compiler wrapper of MPI is found, tests it in a child process, and only then moves it to
// build/mpi/gaussflow_mpi.node. `npx gaussflow build --mpi` and setup-mpi.mjs run it. It is never prebuilt: every cluster has its own MPI.
//   node build-mpi.mjs             always
//   node build-mpi.mjs --if-stale  only when a source is newer than the addon
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { compile, moveIntoPlace } from "./compile.mjs";
import { withLock } from "./lock.mjs";
import { buildFolder, mpiBinary, mpiBinaryIsFresh, root } from "./paths.mjs";
import { hasMpi, hint, missingTools, pieces } from "./tools.mjs";

const LOG = "build/mpi.log";
const REBUILD = "npx gaussflow build --mpi";

function failure(reason, remedy) {
  return { ok: false, reason, hint: remedy };
}

/** One process that mpirun has not started uses the addon: it loads, and MPI begins and ends. */
function selfTest(file) {
  const script = join(root, "scripts", "native", "self-test-mpi.mjs");
  const child = spawnSync(process.execPath, [script, file], { encoding: "utf8", timeout: 60_000 });
  try {
    return JSON.parse(child.stdout.trim().split("\n").at(-1));
  } catch {
    const how = child.signal ? `was ended by ${child.signal}` : `ended with code ${child.status}`;
    const [said = ""] = child.stderr.trim().split("\n");
    return { ok: false, message: `the self-test process ${how}${said && `: ${said}`}` };
  }
}

/** Returns the status: { ok: true, library } or { ok: false, reason, hint }. */
function build() {
  if (process.platform === "win32") return failure("MPI is not available on Windows", "use WSL 2");
  const missing = missingTools();
  if (!hasMpi()) missing.push("mpi");
  if (missing.length > 0)
    return failure(missing.map((piece) => pieces[piece].reason).join("; "), `${hint(missing)} && ${REBUILD}`);
  console.log("gaussflow: compiling the addon of MPI (some seconds) ...");
  const folder = join(buildFolder, "cmake-mpi");
  const compiled = compile(folder, join(root, LOG), { GAUSSFLOW_MPI: "ON" });
  if (compiled === null) return failure("the package cmake-js is not installed", "npm install");
  const built = join(folder, "Release", "gaussflow_mpi.node");
  if (!compiled || !existsSync(built)) return failure(`the addon of MPI did not compile (see ${LOG})`, `cat ${LOG}`);
  const test = selfTest(built);
  if (!test.ok)
    return failure(
      `the addon of MPI failed its self-test: ${test.message}`,
      `look whether mpirun -np 2 hostname works here, then ${REBUILD}`,
    );
  moveIntoPlace(built, mpiBinary);
  return { ok: true, library: test.library };
}

if (process.argv.includes("--if-stale") && mpiBinaryIsFresh()) process.exit(0);
const status = withLock(build);
if (status.ok) console.log(`gaussflow: the addon of MPI is ready (${status.library})`);
else {
  console.log(`gaussflow: no addon of MPI: ${status.reason}.`);
  console.log(`gaussflow: remedy: ${status.hint}`);
  process.exitCode = 1;
}

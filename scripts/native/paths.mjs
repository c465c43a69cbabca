// Names the paths of the package's folders and files, in a checkout and in node_modules, and finds whether the built addon is newer than
// its sources. The other scripts import it: install and build, setup, the checks, the demo.
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
export const buildFolder = join(root, "build");
/** The one file that the loader takes; it only gets here after its self-test. */
export const binary = join(buildFolder, "Release", "gaussflow.node");
/** CMake works here, so that a failing build never touches a good binary. */
export const cmakeFolder = join(buildFolder, "cmake");
/** The addon of MPI, apart from build/Release, of which node-gyp-build takes the first .node that it finds. src/cluster/load.ts has the same. */
export const mpiBinary = join(buildFolder, "mpi", "gaussflow_mpi.node");
export const statusFile = join(buildFolder, "native-status.json");
export const logFile = join(buildFolder, "install.log");

/** What a person types to try again. */
export const rebuildCommand = root.split(sep).includes("node_modules") ? "npx gaussflow build" : "npm run build:native";

/** What the addon is made of (its tests are not). */
const nativeSources = ["CMakeLists.txt", "cmake", "native/core", "native/binding"];

const mpiSources = ["CMakeLists.txt", "native/mpi", "native/binding/napi_setup.h", "native/core/exchange.h"];

/** Time of the newest file under `paths` (relative to the root), in milliseconds; 0 where there is none. */
export function newest(paths) {
  let latest = 0;
  for (const path of paths) {
    const full = join(root, path);
    if (!existsSync(full)) continue;
    const entry = statSync(full);
    // A folder's own time counts as well: it moves when a file is deleted.
    latest = Math.max(latest, entry.mtimeMs);
    if (entry.isDirectory()) latest = Math.max(latest, newest(readdirSync(full).map((name) => join(path, name))));
  }
  return latest;
}

/** Whether the built addon is newer than everything it is made of. */
export function binaryIsFresh() {
  return existsSync(binary) && statSync(binary).mtimeMs > newest(nativeSources);
}

/** The same of the addon of MPI. */
export function mpiBinaryIsFresh() {
  return existsSync(mpiBinary) && statSync(mpiBinary).mtimeMs > newest(mpiSources);
}

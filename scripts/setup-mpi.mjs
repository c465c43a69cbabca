// npm run setup:mpi: installs MPI where this user may install packages of the system (as root, Debian: openmpi-bin, libopenmpi-dev, and ScaLAPACK for them), and
// builds its addon. CI runs it too.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./native/paths.mjs";
import { installSystemPackages } from "./native/system-packages.mjs";
import { hasMpi, missingScalapack, missingTools } from "./native/tools.mjs";

const missing = missingTools();
if (!hasMpi()) missing.push("mpi");
if (missing.length > 0) installSystemPackages(missing, (text) => console.log(`setup: ${text}`));
// Optional: without it each rank holds the whole Gram matrix.
const scalapack = missingScalapack();
if (scalapack !== null) installSystemPackages([scalapack], (text) => console.log(`setup: ${text}`));
const script = join(root, "scripts", "native", "build-mpi.mjs");
process.exitCode = spawnSync(process.execPath, [script, "--if-stale"], { stdio: "inherit" }).status ?? 1;

// Finds and loads the MPI addon, which `gaussflow build --mpi` makes; mpi.ts calls it in a process that an MPI launcher has started.
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { GaussflowError } from "../errors.js";
import { requiredPackageRoot } from "../package-root.js";
import { MPI_FACE, type MpiBinding } from "./binding.js";

/** What a person types to have the addon. */
export const BUILD_MPI = "npx gaussflow build --mpi";

/** An error of MPI that names the reason and the remedy. */
export function mpiError(reason: string, remedy: string, cause?: unknown): GaussflowError {
  const options = cause === undefined ? undefined : { cause };
  return new GaussflowError("GAUSSFLOW_MPI", `${reason}. Remedy: ${remedy}`, { reason, remedy }, options);
}

/** Where `gaussflow build --mpi` puts it; scripts/native/paths.mjs has the same. */
export function mpiFile(): string {
  return join(requiredPackageRoot("MPI"), "build", "mpi", "gaussflow_mpi.node");
}

/**
 * The addon.
 * @param run words for the run that needs it
 * @throws GAUSSFLOW_MPI with the remedy where it is not there or does not load
 */
export function loadMpi(run: string, file = mpiFile()): MpiBinding {
  if (!existsSync(file))
    throw mpiError(
      `${run}, and the addon by which they work together is not built: each would compute the same thing alone`,
      `${BUILD_MPI} (without mpirun, with the MPI that mpirun belongs to), or start one process`,
    );
  const module = { exports: {} as MpiBinding };
  try {
    // Global: the components that older libraries of Open MPI load look for its symbols among those of the process.
    process.dlopen(module, file, constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL);
  } catch (cause) {
    const [first] = String((cause as Error | null)?.message ?? cause).split("\n", 1);
    throw mpiError(`the addon of MPI does not load: ${first}`, BUILD_MPI, cause);
  }
  if (module.exports.face !== MPI_FACE)
    throw mpiError("the addon of MPI is of another version of gaussflow", BUILD_MPI);
  return module.exports;
}

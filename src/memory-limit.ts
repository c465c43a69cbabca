// Finds the memory that this process may use (physical memory or its control group's limit), and the default limit of a run, half of it.
// Trainings, trainMany and readCsv check their needs against the default, and doctor prints the memory.
import { totalmem } from "node:os";
import { constrainedMemory } from "node:process";

/** Bytes that this process could have at most: physical memory, or its control group's limit. */
export function memoryCeiling(): number {
  const limit = constrainedMemory();
  // 0 or an absurd number means "no limit".
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}

/** Half of what the process may have: physical memory or its control group's limit. */
export function defaultMemoryLimit(): number {
  return memoryCeiling() / 2;
}

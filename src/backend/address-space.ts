// Compares the limit on the process's address space (`ulimit -v`, usual on clusters) with the needs of the addon, before native/load.ts
// loads it and before jobs/thread.ts starts a worker thread. OpenBLAS maps a work buffer for every thread inside one of its calls, and
// retries forever if the system refuses, so a limit that is too low must be detected before.
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { isMainThread } from "node:worker_threads";
import { showBytes } from "../bytes.js";

const MEBIBYTE = 2 ** 20;
/** Of one call of OpenBLAS: native/core/blas.h has the same number. */
const WORK_BUFFER = 128 * MEBIBYTE;
/** The addon, OpenBLAS and the Fortran library as mapped, with some room for Node's own growth while they load. */
const LIBRARIES = 96 * MEBIBYTE;
const THREADS = "OPENBLAS_NUM_THREADS";

/** Bytes of address space that this process can still map; infinite without a limit, and if the system reports none. */
export function freeAddressSpace(): number {
  if (process.platform !== "linux") return Number.POSITIVE_INFINITY;
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const limit = (name: string) => Number(new RegExp(`^${name} +(\\d+)`, "m").exec(limits)?.[1] ?? Infinity);
    const [space, data] = [limit("Max address space"), limit("Max data size")];
    if (space === Infinity && data === Infinity) return Infinity;
    const status = readFileSync("/proc/self/status", "utf8");
    const used = (name: string) => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
    return Math.min(space - used("VmSize"), data - used("VmData"));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Why the addon cannot be loaded into what address space is left, or null where it can. */
export function addressSpaceProblem(free = freeAddressSpace()): string | null {
  if (free === Number.POSITIVE_INFINITY) return null;
  // OpenBLAS starts threads of its own while it is loaded, which gaussflow never uses; each of them has a buffer.
  const own = Number(process.env[THREADS] ?? (isMainThread ? 1 : availableParallelism()));
  const need = LIBRARIES + WORK_BUFFER * (Number.isInteger(own) && own > 0 ? own : availableParallelism());
  if (free >= need) return null;
  return `the limit on address space (ulimit -v) leaves ${showBytes(Math.max(0, free))}, and the addon needs ${showBytes(need)}`;
}

/**
 * Loads under a limit on address space without the threads that OpenBLAS starts for itself. A worker thread's environment is a copy that
 * the library does not see: `addressSpaceProblem` counts them there.
 */
export function withoutOwnThreads<T>(load: () => T, free = freeAddressSpace()): T {
  if (!isMainThread || free === Number.POSITIVE_INFINITY || process.env[THREADS] !== undefined) return load();
  process.env[THREADS] = "1";
  try {
    return load();
  } finally {
    delete process.env[THREADS];
  }
}

// The public `doctor`, which `gaussflow doctor` prints: reports the machine, the addon, its BLAS, and the remedy if something is missing.
import { availableParallelism, cpus, totalmem } from "node:os";
import { showBytes } from "../bytes.js";
import { memoryCeiling } from "../memory-limit.js";
import { packageRoot } from "../package-root.js";
import { chooseThreads } from "./create.js";
import { loadNative, OTHER_KERNEL } from "./native/load.js";

/** The state of the native engine, and what to do about it. */
export interface DoctorReport {
  /** The native engine works. */
  readonly ok: boolean;
  /** Name and value, in the order to be shown. */
  readonly facts: readonly (readonly [string, string])[];
  /** What cures what is wrong: a command, or a sentence in the imperative. Null where all is well. */
  readonly remedy: string | null;
}

const THREADING = ["no threads", "pthreads", "OpenMP"];
/** The order at which broken kernels have been seen to fail (OpenBLAS #2986). */
const LARGE_ORDER = 1107;

/** Looks at the machine and at the addon; takes a few hundred milliseconds for the self-test. */
export function doctor(): DoctorReport {
  const facts: [string, string][] = [
    ["platform", `${process.platform} ${process.arch}, Node ${process.versions.node}`],
    ["processor", `${cpus()[0]?.model.trim() ?? "unknown"}, ${availableParallelism()} usable`],
    ["memory", `${showBytes(totalmem())}, of which this process may use ${showBytes(memoryCeiling())}`],
    ["package", packageRoot() ?? "inside a bundle"],
  ];
  const native = loadNative();
  if (!native.ok) {
    facts.push(["engine", "TypeScript (many times slower)"], ["because", native.reason]);
    return { ok: false, facts, remedy: native.hint };
  }
  const wanted =
    process.env.GAUSSFLOW_BACKEND === "typescript" ? "native, but GAUSSFLOW_BACKEND asks for TypeScript" : "native";
  const test = native.binding.selfTest(LARGE_ORDER);
  facts.push(
    ["engine", `${wanted}, ${chooseThreads()} threads`],
    ["BLAS", test.blas],
    ["kernel", test.core],
    ["threading", `${THREADING[test.parallel] ?? "unknown"} (held to one thread: gaussflow has its own)`],
    ["self-test", test.message],
  );
  return { ok: test.ok, facts, remedy: test.ok ? null : OTHER_KERNEL };
}

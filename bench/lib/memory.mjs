// Reads the peak resident memory of this process from the kernel (VmHWM: addon, heap and everything else). Called at the end of a case by
// the benchmarks that report memory: cases/csv, cases/gram, data-file, large and plan-process.
import { readFileSync } from "node:fs";

/** Peak in MB (10^6 bytes) since the process began, or null where the system has no /proc. */
export function peakMegabytes() {
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    return kibibytes === undefined ? null : (Number(kibibytes) * 1024) / 1e6;
  } catch {
    return null;
  }
}

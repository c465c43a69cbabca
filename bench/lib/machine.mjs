// Describes the machine in one line, which the benchmarks (run, large, defaults, preconditioners and peers/run) print before their figures.
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";

/** "AMD EPYC, 2 cores, ..."; `blas` is the baseline's answer to `config`, or null. */
export function machineLine(threads, blas) {
  const model = cpus()[0]?.model.trim() ?? "unknown CPU";
  const parts = [
    `${model}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `node ${process.version}`,
    blas ? `${blas.config.split(" ").slice(0, 2).join(" ")} (core type ${blas.core})` : "no OpenBLAS baseline",
    `${threads} threads`,
    `load ${loadavg()[0].toFixed(2)}`,
  ];
  return parts.join(" | ");
}

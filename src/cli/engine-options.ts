// Adds the flags --backend, --threads, --memory-limit and --slots to the commands that compute: train, plan and experiment.
import { type Command, Option } from "commander";
import type { Backend } from "../backend/create.js";
import { bytes, integer } from "./parse.js";

export interface EngineFlags {
  readonly backend?: Backend;
  readonly threads?: number;
}

export interface RunFlags {
  readonly memoryLimit?: number;
  readonly slots?: number;
}

/** The help of --distributed, which train and plan have. */
export const DISTRIBUTED =
  "on several ranks: hold the Gram matrix together, each rank its blocks (default: where a rank has no room for all of it)";

/** --memory-limit and --slots: of the commands that train and plan. */
export function addRunOptions(command: Command): Command {
  return command
    .option(
      "--memory-limit <bytes>",
      'most memory that the process may use, such as "2GiB"; a run predicted to need more is refused (default: half of the memory)',
      bytes,
    )
    .option(
      "--slots <count>",
      "number of parts into which the sums over the rows are cut, a power of two; the last digits depend on it (default 1; under mpirun the smallest power of two that is at least the number of its processes)",
      integer(1),
    );
}

export function addEngineOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--backend <name>",
        "engine that computes (default: GAUSSFLOW_BACKEND, else auto: native if it is available)",
      ).choices(["auto", "native", "typescript"]),
    )
    .option(
      "--threads <count>",
      "most threads of the native engine (default: GAUSSFLOW_THREADS, else all processors)",
      integer(1),
    );
}

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

/** --memory-limit and --slots: of the commands that train and plan. */
export function addRunOptions(command: Command): Command {
  return command
    .option(
      "--memory-limit <bytes>",
      'what the process may come to, such as "2GiB": more is refused (default: half of the memory)',
      bytes,
    )
    .option(
      "--slots <count>",
      "parts that sums over the rows are joined from, a power of two; part of the problem (default 1)",
      integer(1),
    );
}

export function addEngineOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--backend <name>", "engine (default: GAUSSFLOW_BACKEND, else auto)").choices([
        "auto",
        "native",
        "typescript",
      ]),
    )
    .option("--threads <count>", "threads (default: GAUSSFLOW_THREADS, else all processors)", integer(1));
}

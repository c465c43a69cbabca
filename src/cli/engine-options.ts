// --backend and --threads: the options of every command that computes.
import { type Command, Option } from "commander";
import type { Backend } from "../backend/create.js";
import { integer } from "./parse.js";

export interface EngineFlags {
  readonly backend?: Backend;
  readonly threads?: number;
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

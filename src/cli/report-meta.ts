// Describes the machine and the day of a report. experiment.ts and fit-outcome.ts call it.
import { cpus, release, type } from "node:os";
import { counted } from "../report/numbers.js";

/** What a report says of its surroundings. */
export function surroundings(): { readonly machine: string; readonly date: string } {
  const processors = cpus();
  return {
    machine: `${processors[0]?.model.trim() ?? "unknown processor"}, ${counted(processors.length, "core")}, ${type()} ${release()}, Node ${process.versions.node}`,
    date: new Date().toISOString().slice(0, 10),
  };
}

// Parses the command line of the programs in bench with the same rules: parseOptions (flags, usage text), positive (whole numbers) and
// defaultThreads. Nearly every program there, and bench/peers, calls it first.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

/** Parses `--name value` and `--flag`; an unknown or ill-formed option ends the program with the usage text. */
export function parseOptions(usage, options) {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: "boolean" } } });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    return values;
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

/** A positive whole number from an option, or `fallback`. */
export function positive(value, name, fallback) {
  if (value === undefined) return fallback;
  const number = Number(value);
  if (Number.isInteger(number) && number > 0) return number;
  console.error(`--${name} must be a positive whole number; received ${value}`);
  process.exit(2);
}

/** Threads of ours and of the baseline: GAUSSFLOW_THREADS, else two (what the figures in docs are for), if there are two. */
export function defaultThreads() {
  const asked = Number(process.env.GAUSSFLOW_THREADS);
  return Number.isInteger(asked) && asked > 0 ? asked : Math.min(2, availableParallelism());
}

// Decides how a command ends: its exit code, and one line on standard error for an error (with the stack if GAUSSFLOW_DEBUG=1). run.ts
// calls it when a command throws, and every command takes its exit codes and UsageError from it.
import { CommanderError } from "commander";
import { GaussflowError } from "../errors.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { messageOf } from "./flag-names.js";

export { EXIT, type ExitCode } from "./exit-codes.js";

/** The text that ends every help page. */
export const EXIT_CODES_HELP = `
Exit codes:
  0    success
  1    a data, model or output file cannot be used, or the machine lacks memory or the native engine
       (plan: the training would be refused)
  2    the command line is wrong
  3    training met a number that is not finite, or memory that it could not get (the best network so far is saved)
  4    a claim of an experiment does not hold
  130  interrupted by Ctrl-C, 143 by SIGTERM (train: the best network so far is saved; experiment: the finished ones; convert: nothing)`;

/** A mistake in the command line that only shows once the options are seen together. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The exit code of an error. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof UsageError) return EXIT.usage;
  // An argument that only the library could judge (fractions that sum to 1, ...) came from the command line too.
  if (error instanceof GaussflowError && error.code === "GAUSSFLOW_ARGUMENT") return EXIT.usage;
  return EXIT.failure;
}

/** The line that is printed for an error, with its newline; "" for errors that commander has already printed. */
export function errorText(
  error: unknown,
  env: { readonly GAUSSFLOW_DEBUG?: string | undefined } = process.env,
): string {
  if (error instanceof CommanderError) return "";
  if (env.GAUSSFLOW_DEBUG && error instanceof Error) return `gaussflow: ${error.stack ?? error.message}\n`;
  const report =
    error instanceof GaussflowError || error instanceof UsageError || isSystemError(error)
      ? ""
      : " (unexpected: please report it with the output of GAUSSFLOW_DEBUG=1)";
  // Several lines would break tools that read one line an error.
  return `gaussflow: ${messageOf(error).replace(/\s*\n\s*/g, " ")}${report}\n`;
}

// Errors of the operating system (no such file, no space left) speak for themselves.
function isSystemError(error: unknown): boolean {
  return error instanceof Error && "errno" in error && "syscall" in error;
}

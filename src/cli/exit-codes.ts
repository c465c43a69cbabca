// Lists the exit codes of the command line, for exit.ts and signals.ts, in a file without imports, because main.ts loads signals.ts first.

/** Exit codes, as `--help` and docs/cli.md list them. */
export const EXIT = {
  ok: 0,
  /** A data, model or output file cannot be used, or the machine lacks something (memory, the native engine; plan: training would be refused). */
  failure: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** Training met a number that is not finite, or memory that it could not get; the best network so far is saved. */
  numerical: 3,
  /** An experiment ran, and a claim of it does not hold. */
  claim: 4,
  /** 128 + SIGINT. */
  interrupted: 130,
  /** 128 + SIGTERM. */
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

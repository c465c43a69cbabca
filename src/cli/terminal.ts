// Defines the streams that commands write to: results to standard output, messages about the run (progress, notes, warnings) to standard
// error, so that `gaussflow ... > file` separates the two. A reader that closes the pipe (| head) is no error. run.ts makes the terminal of
// the process, and every command receives one.

import { type Painter, painterFor, plain } from "../report/paint.js";
import type { ProgressStream } from "../report/progress.js";
import { EXIT, errorText } from "./exit.js";

/** The two streams of a command, and colors fit for each. */
export interface Terminal {
  readonly out: ProgressStream;
  readonly err: ProgressStream;
  readonly paintOut: Painter;
  readonly paintErr: Painter;
}

/**
 * The process's own streams. From now on a closed pipe is silently ignored; another error of a stream (a full disk) is reported
 * once and the process ends with 1. Either way the command goes on: a model that can still be saved is saved.
 */
export function processTerminal(): Terminal {
  let broken = false;
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED" || broken) return;
    broken = true;
    process.stderr.write(errorText(error));
    process.on("exit", (code) => {
      if (code === EXIT.ok) process.exitCode = EXIT.failure;
    });
  };
  for (const stream of [process.stdout, process.stderr]) stream.on("error", onError);
  return {
    out: process.stdout,
    err: process.stderr,
    paintOut: painterFor(process.stdout),
    paintErr: painterFor(process.stderr),
  };
}

/** Process warnings in the words of a command: those of this library as all of its warnings are, others as Node.js prints them. */
export function showProcessWarnings(terminal: Terminal): void {
  process.removeAllListeners("warning");
  process.on("warning", ({ name, message }) => {
    if (name === "GaussflowWarning") warn(terminal, message);
    else terminal.err.write(`(node:${process.pid}) ${name}: ${message}\n`);
  });
}

/** A warning, on stderr. */
export function warn(terminal: Terminal, message: string): void {
  terminal.err.write(`${terminal.paintErr("second", "warning:")} ${message}\n`);
}

/** For --quiet: nothing is written, Node's own warnings included. Errors still appear: main.ts writes them to the process's stream. */
export function silentTerminal(): Terminal {
  process.removeAllListeners("warning");
  const nowhere: ProgressStream = { write: () => true };
  return { out: nowhere, err: nowhere, paintOut: plain, paintErr: plain };
}

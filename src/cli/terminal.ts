// Where commands write: results to stdout, everything about the run (progress, notes, warnings) to stderr, so that
// `gaussflow ... > file` keeps the two apart. A reader that goes away (| head) is no error.
import { type Painter, painterFor } from "../report/paint.js";

/** The two streams of a command, and colours fit for each. */
export interface Terminal {
  readonly out: NodeJS.WriteStream;
  readonly err: NodeJS.WriteStream;
  readonly paintOut: Painter;
  readonly paintErr: Painter;
}

/** The process's own streams; from now on a closed pipe is silently ignored. */
export function processTerminal(): Terminal {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // What was asked for (a saved model) still gets done when nobody reads the text any more.
      if (error.code !== "EPIPE" && error.code !== "ERR_STREAM_DESTROYED") throw error;
    });
  return {
    out: process.stdout,
    err: process.stderr,
    paintOut: painterFor(process.stdout),
    paintErr: painterFor(process.stderr),
  };
}

/** A warning, on stderr. */
export function warn(terminal: Terminal, message: string): void {
  terminal.err.write(`${terminal.paintErr("second", "warning:")} ${message}\n`);
}

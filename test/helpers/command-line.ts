// Runs the built command line as a user does: in a child process, with its streams and its exit code. The tests of the commands
// (test/lifecycle/cli-*.test.ts) call it.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { buildLibrary } from "./build.js";

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export class CommandLine {
  /** Path of the program; empty before `build`. */
  main = "";
  readonly #options: { readonly cwd?: string; readonly timeout: number };

  /** @param cwd folder in which commands run; default that of the tests */
  constructor({ cwd, timeout = 60_000 }: { readonly cwd?: string; readonly timeout?: number } = {}) {
    this.#options = { timeout, ...(cwd === undefined ? {} : { cwd }) };
  }

  /** Compiles the library, which may take long: for `beforeAll`. */
  build(): void {
    this.main = join(buildLibrary(), "..", "cli", "main.js");
  }

  /** @param input what standard input holds */
  run(args: readonly string[], input?: string | Buffer): Ended {
    const child = spawnSync(process.execPath, [this.main, ...args], { ...this.#options, encoding: "utf8", input });
    return { code: child.status, out: child.stdout, err: child.stderr };
  }
}

/** The objects of an output of JSON lines. */
export function jsonLines(out: string) {
  return out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

// Runs programs on several ranks by mpirun, for the tests of test/cluster. Without mpirun or the MPI addon those tests are skipped.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Ended } from "./command-line.js";

const addon = fileURLToPath(new URL("../../build/mpi/gaussflow_mpi.node", import.meta.url));

/** Whether this checkout can run several ranks. */
export const hasRanks = existsSync(addon) && spawnSync("mpirun", ["--version"]).status === 0;

/** Whether the addon was built with ScaLAPACK: it names the library. */
export const hasScalapack = hasRanks && readFileSync(addon).includes("libscalapack");

/** As root, with more ranks than cores, and with ranks that leave the core to others while they wait. */
const ENVIRONMENT: Record<string, string> = {
  ...JSON.parse(readFileSync(new URL("../../scripts/mpirun.json", import.meta.url), "utf8")),
  // Node colors what it prints to a terminal, and mpirun gives its ranks one.
  NO_COLOR: "1",
};

const wordsOf = (ranks: number, args: readonly string[]) => [
  "--bind-to",
  "none",
  "-np",
  String(ranks),
  process.execPath,
  ...args,
];

/** The same as `mpirun`, which goes on meanwhile. */
export function startRanks(ranks: number, args: readonly string[]): ChildProcess {
  return spawn("mpirun", wordsOf(ranks, args), { env: { ...process.env, ...ENVIRONMENT }, stdio: "ignore" });
}

/** Runs `node ...args` on so many ranks. What ranks print comes line by line, in any order. */
export function mpirun(ranks: number, args: readonly string[], environment: Record<string, string> = {}): Ended {
  const words = wordsOf(ranks, args);
  const env = { ...process.env, ...ENVIRONMENT, ...environment };
  const child = spawnSync("mpirun", words, { encoding: "utf8", timeout: 60_000, env });
  return { code: child.status, out: child.stdout.replaceAll("\r\n", "\n"), err: child.stderr };
}

/** The path of a program of several lines. */
export function program(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "gaussflow-ranks-")), "program.mjs");
  writeFileSync(file, text);
  return file;
}

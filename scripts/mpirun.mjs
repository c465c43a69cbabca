// How checks and benchmarks start ranks: as root too, with more ranks than cores, and without spinning while they wait. mpirun.json has the
// variables that Open MPI reads; the tests read them too (test/helpers/ranks.ts).
import { readFileSync } from "node:fs";

export const mpirunEnvironment = JSON.parse(readFileSync(new URL("./mpirun.json", import.meta.url), "utf8"));

/** Program, arguments and environment of `node ...args` on so many ranks; without mpirun for `null`. */
export function ranksCommand(ranks, args) {
  if (ranks === null) return { program: process.execPath, args, env: process.env };
  return {
    program: "mpirun",
    args: ["--bind-to", "none", "-np", String(ranks), process.execPath, ...args],
    env: { ...process.env, ...mpirunEnvironment },
  };
}

// Runs a program of bench on ranks, as a child that rank 0 ends with a line of JSON: cluster-jobs, cluster-rows, cluster-distributed and scaling.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ranksCommand } from "../../scripts/mpirun.mjs";

/** What `node FILE ...args` says on so many ranks; without mpirun for `null`. @param url of the file */
export function answerOfRanks(ranks, url, args) {
  const { program, args: words, env } = ranksCommand(ranks, [fileURLToPath(url), ...args]);
  const child = spawnSync(program, words, { env, encoding: "utf8" });
  if (child.status !== 0) throw new Error(`${ranks ?? "no"} ranks: ${child.stderr}`);
  return JSON.parse(child.stdout);
}

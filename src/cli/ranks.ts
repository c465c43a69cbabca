// The command line on several ranks of an MPI run. Rank 0 prints and writes files, the others are silent; an error on any rank is printed once
// and ends all of them. run.ts calls it around a command, and the commands ask mpi() for their cluster.
import { setTimeout as delay } from "node:timers/promises";
import { isAgreed } from "../cluster/agreement.js";
import type { Cluster } from "../cluster/cluster.js";
import { launchOf, unrelatedTasks } from "../cluster/launch.js";
import { mpi } from "../cluster/mpi.js";
import { painterFor } from "../report/paint.js";
import type { ProgressStream } from "../report/progress.js";
import { EXIT, type ExitCode, errorText, exitCodeOf, UsageError } from "./exit.js";
import { silentTerminal, type Terminal, warn } from "./terminal.js";

/** Commands that work on several ranks. */
const RANKED: readonly string[] = ["doctor", "plan", "train", "predict", "evaluate", "convert"];

/** Milliseconds that a rank leaves to those before it, which may be about to print the same error; and the most. */
const TURN = 20;
const FIRST_TURN = 500;
const LAST_TURN = 5000;

/** What this process prints to: nothing where it is another rank than 0. mpirun gives rank 0 a terminal, and reads it as a pipe. */
export function rankTerminal(make: () => Terminal): Terminal {
  const launch = launchOf(process.env);
  if (launch === null) return make();
  if ((launch.rank ?? 0) > 0) return silentTerminal();
  const { out, err } = make();
  const piped = (stream: ProgressStream): ProgressStream => ({ write: (text) => stream.write(text) });
  return {
    out: piped(out),
    err: piped(err),
    paintOut: painterFor({ isTTY: false }),
    paintErr: painterFor({ isTTY: false }),
  };
}

/**
 * Begins the use of MPI, before a command does anything.
 * @throws GAUSSFLOW_MPI where there are several processes and no addon; UsageError for a command that is for one process
 */
export async function joinRanks(command: string, terminal: Terminal): Promise<void> {
  const { size } = await mpi();
  const tasks = unrelatedTasks(process.env);
  // They may have other files each.
  if (command === "train" && tasks !== null && process.env.SLURM_PROCID === "0")
    warn(
      terminal,
      `srun has started ${tasks} processes that know nothing of each other: to share one training, srun --mpi=pmix (or --mpi=pmi2)`,
    );
  if (size > 1 && !RANKED.includes(command))
    throw new UsageError(
      `gaussflow ${command} is for one process, and mpirun has started ${size}: run it without mpirun (on several ranks work: ${RANKED.join(", ")})`,
    );
}

/** Work of one process within a run of several: rank 0 does it, and the others wait for its end in leaveRanks. */
export async function onRank0(work: () => Promise<ExitCode>): Promise<ExitCode> {
  return (await mpi()).rank === 0 ? work() : EXIT.ok;
}

/**
 * Work on the rows of a table that all ranks read and share. Standard input reaches rank 0 alone, which then does all of it.
 * @param file of the table; "-" is standard input
 */
export async function onRanks(
  file: string,
  work: (cluster: Cluster | undefined) => Promise<ExitCode>,
): Promise<ExitCode> {
  return file === "-" ? onRank0(() => work(undefined)) : work(await mpi());
}

/** The end of a command that has not thrown. No rank ends before rank 0 has written its files: an exit code ends all ranks at once. */
export async function leaveRanks(): Promise<void> {
  const cluster = await mpi();
  await cluster.close();
  if (cluster.rank > 0) process.exitCode = EXIT.ok;
}

/** Prints an error, on several ranks once and with the rank, and ends all of them. */
export async function reportError(error: unknown): Promise<ExitCode> {
  const code = exitCodeOf(error);
  const text = errorText(error);
  const launch = launchOf(process.env);
  const cluster = await mpi().catch(() => null);
  if (cluster === null || cluster.size === 1) {
    // Without a cluster every process has the same error.
    if ((launch?.rank ?? 0) === 0) process.stderr.write(text);
    return code;
  }
  if (code === EXIT.ok) return code;
  if (isAgreed(error)) {
    if (cluster.rank === 0) process.stderr.write(text);
    await cluster.close();
    return cluster.rank === 0 ? code : EXIT.ok;
  }
  if (cluster.rank > 0) await delay(Math.min(FIRST_TURN + TURN * cluster.rank, LAST_TURN));
  // Of a mistake in the command line the rank says nothing: all have it.
  process.stderr.write(code === EXIT.usage ? text : text.replace(/^gaussflow: /, `gaussflow: rank ${cluster.rank}: `));
  return cluster.abort(code);
}

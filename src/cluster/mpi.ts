// The public `mpi`: makes the Cluster of the processes that mpirun has started, or of one process alone. Users call it and pass the cluster
// on; the command line calls it at its start.
import { inspect } from "node:util";
import { isMainThread } from "node:worker_threads";
import { argumentError, GaussflowError } from "../errors.js";
import { checkCount } from "../options.js";
import type { Letter, MpiBinding } from "./binding.js";
import type { Cluster, RankSlots, RankWaits } from "./cluster.js";
import { type Launch, launchOf } from "./launch.js";
import { BUILD_MPI, loadMpi, mpiError } from "./load.js";
import { type RankTree, rankTree } from "./rank-tree.js";

let made: Promise<Cluster> | undefined;

/**
 * The processes of this MPI run. A process that mpirun has not started is a cluster of size 1, and no MPI library is loaded; so is a run of
 * one process. A process takes part in one run: further calls resolve with the same cluster. Every rank must call it.
 * @throws GAUSSFLOW_MPI with the remedy where there are several processes and the MPI addon is not built, does not load or belongs to another
 * MPI; GAUSSFLOW_STATE in a worker thread
 * @example await train(net, data, { cluster: await mpi() }) // in a script that `mpirun -np 4 node script.js` runs
 */
export function mpi(): Promise<Cluster> {
  made ??= make();
  return made;
}

async function make(): Promise<Cluster> {
  if (!isMainThread)
    throw new GaussflowError(
      "GAUSSFLOW_STATE",
      "mpi() must be called in the main thread of a process, because MPI knows processes: worker threads are parts of a rank",
    );
  const launch = launchOf(process.env);
  return launch === null || launch.size === 1 ? new OneProcess() : open(launch);
}

async function open({ size: told, variable }: Launch): Promise<Cluster> {
  const binding = loadMpi(
    told === null
      ? `an MPI launcher has started this process (${variable} is set)`
      : `mpirun has started ${told} processes`,
  );
  const facts = await asked(binding.open());
  // What is under way at the end of the process ends all ranks, which would wait for this one.
  process.on("exit", (code) => binding.end(code));
  // All ranks end before Node prints an exception that nobody catches.
  process.on("uncaughtExceptionMonitor", (error) => {
    if (process.listenerCount("uncaughtException") > 0) return;
    process.stderr.write(`rank ${facts.rank}: ${inspect(error)}\n`);
  });
  if (told !== null && facts.size !== told)
    throw mpiError(
      `mpirun has started ${told} processes, and ${facts.library}, which the addon of MPI was built with, sees ${facts.size}: mpirun belongs to another MPI`,
      `${BUILD_MPI} with the compiler wrapper (mpicxx) of that mpirun first in PATH`,
    );
  return new MpiCluster(binding, facts);
}

/** The answer, or what failed as an error of the library. */
async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    throw new GaussflowError("GAUSSFLOW_MPI", String((cause as Error).message), {}, { cause });
  }
}

/** @throws GAUSSFLOW_ARGUMENT */
function checkSlots(slots: number): void {
  checkCount("slots", slots, 1);
  if (!Number.isInteger(Math.log2(slots))) throw argumentError("slots", "must be a power of two", slots);
}

/** One process without MPI. */
class OneProcess implements Cluster {
  readonly rank = 0;
  readonly size = 1;
  readonly library = null;
  readonly host = null;
  readonly scalapack = false;
  readonly #letters: Uint8Array[] = [];
  #waiting: ((letter: Letter) => void)[] = [];

  slots(slots: number): null {
    checkSlots(slots);
    return null;
  }

  async gather(values: Float64Array): Promise<readonly Float64Array[]> {
    return [Float64Array.from(values)];
  }

  async broadcast(bytes: Uint8Array): Promise<Uint8Array> {
    return Uint8Array.from(bytes);
  }

  async barrier(): Promise<void> {}

  async timeSum(): Promise<number> {
    return 0;
  }

  waits(): RankWaits {
    return { count: 0, seconds: 0 };
  }

  async send(rank: number, bytes: Uint8Array): Promise<void> {
    checkRank(rank, 1);
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#letters.push(Uint8Array.from(bytes));
    else waiting({ rank: 0, bytes: Uint8Array.from(bytes) });
  }

  receive(): Promise<Letter> {
    const bytes = this.#letters.shift();
    if (bytes !== undefined) return Promise.resolve({ rank: 0, bytes });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  abort(exitCode: number): never {
    process.exit(exitCode);
  }

  async close(): Promise<void> {}
}

function checkRank(rank: number, size: number): void {
  if (!Number.isInteger(rank) || rank < 0 || rank >= size)
    throw argumentError("rank", `must be an integer from 0 to ${size - 1}`, rank);
}

class MpiCluster implements Cluster {
  readonly rank: number;
  readonly size: number;
  readonly library: string;
  readonly host: string;
  readonly scalapack: boolean;
  readonly #binding: MpiBinding;
  readonly #parts = new Map<number, { readonly tree: RankTree; readonly slots: RankSlots }>();

  constructor(binding: MpiBinding, facts: Awaited<ReturnType<MpiBinding["open"]>>) {
    this.#binding = binding;
    this.rank = facts.rank;
    this.size = facts.size;
    this.library = facts.library;
    this.host = facts.host;
    this.scalapack = facts.scalapack;
  }

  slots(slots: number): RankSlots {
    return this.#part(slots).slots;
  }

  /** Kept, because the addon keeps the table of each. */
  #part(slots: number) {
    checkSlots(slots);
    const known = this.#parts.get(slots);
    if (known !== undefined) return known;
    const tree = rankTree(slots, this.size, this.rank);
    const { first, count } = tree;
    const part = { tree, slots: { slots, first, count, exchange: this.#binding.exchange(tree) } };
    this.#parts.set(slots, part);
    return part;
  }

  async gather(values: Float64Array): Promise<readonly Float64Array[]> {
    const all = await asked(this.#binding.gather(values));
    const { length } = values;
    return Array.from({ length: this.size }, (_, rank) => all.slice(rank * length, (rank + 1) * length));
  }

  broadcast(bytes: Uint8Array): Promise<Uint8Array> {
    return asked(this.#binding.broadcast(bytes));
  }

  barrier(): Promise<void> {
    return asked(this.#binding.barrier());
  }

  timeSum(count: number, rounds: number): Promise<number> {
    checkCount("count", count, 1);
    checkCount("rounds", rounds, 1);
    const slots = 2 ** Math.ceil(Math.log2(this.size));
    return asked(this.#binding.timeSum(this.#part(slots).tree, count, rounds));
  }

  waits(): RankWaits {
    return this.#binding.waits();
  }

  async send(rank: number, bytes: Uint8Array): Promise<void> {
    checkRank(rank, this.size);
    return asked(this.#binding.send(rank, bytes));
  }

  receive(): Promise<Letter> {
    return asked(this.#binding.receive());
  }

  abort(exitCode: number): never {
    this.#binding.abort(exitCode);
    process.exit(exitCode);
  }

  async close(): Promise<void> {
    // The end of MPI waits on the thread of the event loop: here it has nothing to wait for any more.
    await this.barrier();
    this.#binding.end(0);
  }
}

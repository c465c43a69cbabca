// Defines Cluster, the ranks of an MPI run as the rest of gaussflow sees them: who this process is, which slots of the samples it sums, and
// the few exchanges between ranks that are not sums inside an engine. `mpi` (mpi.ts) makes it; train, flow, jobs and the command line take it.
// All ranks call the same functions in the same order.
import { argumentError } from "../errors.js";
import type { Letter } from "./binding.js";

/** The slots that this rank sums, and what joins their sums with those of the others. */
export interface RankSlots {
  /** Number of slots of all ranks, S: `EngineData.slots`. */
  readonly slots: number;
  /** The first slot of this rank, from 0. */
  readonly first: number;
  /** Number of its slots, a power of two: an aligned subtree of the tree that joins all slots. */
  readonly count: number;
  /** Opaque to all but the native engine: the table of native/core/exchange.h, made by the MPI addon. */
  readonly exchange: object;
  /** Whether the Gram matrix of the primal route is held in blocks by all ranks. Default: every rank has all of it. */
  readonly distributed?: boolean | undefined;
}

/** Exchanges between ranks that engines have waited for: sums, and agreements on how their calls end. */
export interface RankWaits {
  /** How many there were. */
  readonly count: number;
  /** Of this process, the time in which other ranks were late included. */
  readonly seconds: number;
}

/** The processes of an MPI run, or one process without MPI, which is a cluster of size 1. */
export interface Cluster {
  /** This process, from 0. Rank 0 prints and writes files. */
  readonly rank: number;
  /** Number of processes. */
  readonly size: number;
  /** The MPI library, for example "Open MPI v4.1.4"; null for one process without MPI. */
  readonly library: string | null;
  /** Name of the machine that this process runs on; null for one process without MPI. */
  readonly host: string | null;
  /** Whether its addon was built with ScaLAPACK, which factors a matrix in blocks on the ranks. */
  readonly scalapack: boolean;
  /**
   * The part of `slots` that this rank sums; null where there is one rank. The slots are halved along their tree, as the ranks are, the larger half
   * of the ranks first. Ranks beyond the slots repeat the part of rank modulo slots, and their sums are not used.
   */
  slots(slots: number): RankSlots | null;
  /** The numbers of every rank, in the order of the ranks. All ranks give as many. */
  gather(values: Float64Array): Promise<readonly Float64Array[]>;
  /** The bytes of rank 0 on every rank; what other ranks give is not looked at. */
  broadcast(bytes: Uint8Array): Promise<Uint8Array>;
  /** Resolves once all ranks are here. */
  barrier(): Promise<void>;
  /** Seconds of one of `rounds` sums in a row of `count` numbers over the ranks, which are checked; 0 for one process. */
  timeSum(count: number, rounds: number): Promise<number>;
  /** The exchanges that the engines of this process have waited for so far, and the seconds that they took: none for one process. */
  waits(): RankWaits;
  /** Sends bytes to one rank, beside the exchanges in which all ranks take part. Resolves once that rank receives them. */
  send(rank: number, bytes: Uint8Array): Promise<void>;
  /** The next bytes that a rank sends to this one, in the order of each sender. */
  receive(): Promise<Letter>;
  /** Ends all ranks at once, with this exit code: another rank may be waiting for this one. */
  abort(exitCode: number): never;
  /** Ends the use of MPI, on all ranks. Called by itself when the process ends. */
  close(): Promise<void>;
}

/** The option `cluster`: null where there is one rank. @throws GAUSSFLOW_ARGUMENT */
export function completeCluster(cluster: Cluster | undefined): Cluster | null {
  if (cluster === undefined) return null;
  if (typeof cluster !== "object" || cluster === null || typeof cluster.gather !== "function")
    throw argumentError("options.cluster", "must be made by mpi()", cluster);
  return cluster.size === 1 ? null : cluster;
}

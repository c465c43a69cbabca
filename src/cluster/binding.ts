// Declares the types of the exports of the MPI addon (build/mpi/gaussflow_mpi.node, native/mpi/addon.cc). load.ts loads it, and mpi.ts calls
// it. Promises reject with an error that has the reason as a phrase.
import type { RankTree } from "./rank-tree.js";

/** Number of this face, kFace of native/mpi/addon.cc: an addon of another version would fail at the first call of something new. */
export const MPI_FACE = 3;

/** A message from one rank to another. */
export interface Letter {
  /** Who sent it. */
  readonly rank: number;
  /** What it sent. */
  readonly bytes: Uint8Array;
}

export interface MpiBinding {
  readonly face: number;
  /** Begins the use of MPI: once a process. */
  open(): Promise<{
    readonly rank: number;
    readonly size: number;
    /** For example "Open MPI v4.1.4". */
    readonly library: string;
    readonly host: string;
    /** Whether it was built with ScaLAPACK. */
    readonly scalapack: boolean;
  }>;
  /** What an engine joins its sums with: the table of native/core/exchange.h. */
  exchange(tree: RankTree): object;
  /** The numbers of all ranks, one rank after the other. */
  gather(values: Float64Array): Promise<Float64Array>;
  broadcast(bytes: Uint8Array): Promise<Uint8Array>;
  barrier(): Promise<void>;
  /** The sum over the ranks' numbers, along the tree. */
  sum(tree: RankTree, values: Float64Array): Promise<Float64Array>;
  /** Seconds of one of `rounds` sums in a row of `count` numbers, along a tree to which all ranks contribute; rejects where they are wrong. */
  timeSum(tree: RankTree, count: number, rounds: number): Promise<number>;
  /** The exchanges that the engines of this process have waited for so far, and the seconds that they took. */
  waits(): { readonly count: number; readonly seconds: number };
  send(rank: number, bytes: Uint8Array): Promise<void>;
  receive(): Promise<Letter>;
  /** Ends the use of MPI once all ranks have called it; at once, and all of them, where the code is not 0 or something is under way. */
  end(exitCode: number): void;
  /** Ends all ranks at once. */
  abort(exitCode: number): void;
}

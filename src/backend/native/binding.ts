// Declares the types of the addon's exports (build/Release/gaussflow.node), written by hand. load.ts loads the addon with these types, and
// only engine.ts and vectors.ts of this folder call it. scripts/check/native-face.mjs compares the names with the binary's.

/**
 * Number of this face. The addon says the one that it was built for (kFace in native/binding/addon.cc), and load.ts refuses an addon of another:
 * one that was built before an update would fail at the first call of something new. scripts/check/native-face.mjs fails where this file changes
 * and the number does not.
 */
export const FACE = 5;

/** The failure side of an answer. `value`: bytes (0 = not known), pivot, or which quantity is not finite. */
export interface NativeFailure {
  readonly failure:
    | "canceled"
    | "memory"
    | "indefinite"
    | "nonFinite"
    | "imprecise"
    | "file"
    | "misuse"
    | "internal"
    | "unreachable";
  readonly value: number;
  /** The other rank whose failure it is, under ranks. */
  readonly rank?: number;
}

/** True for the failure side of an answer. */
export function isFailure(answer: unknown): answer is NativeFailure {
  return typeof answer === "object" && answer !== null && "failure" in answer;
}

export interface NativeNetwork {
  /** Five numbers a layer: inputs, outputs, activation (position in ACTIVATION_NAMES), bias (0 or 1), factor. */
  readonly layers: Float64Array;
  readonly outputScale: number;
  /** Position of the loss in LOSS_KINDS, and its parameters: 0 where it has none of the name. */
  readonly loss: number;
  readonly delta: number;
  readonly tau: number;
  readonly smoothing: number;
  /** Slots that sums over samples are cut into (src/backend/slots.ts). */
  readonly slots: number;
}

/** Rows of a file, in place of those that `fill` gives. */
export interface NativeFile {
  readonly path: string;
  readonly offset: number;
  readonly size: number;
  /** Nanoseconds of the last change when the file was opened, and its inode then: another version of the file is refused. */
  readonly changed: bigint;
  readonly inode: bigint;
  /** Doubles of a row. */
  readonly width: number;
  /** One entry an input, then one a target: z = (x - offset) / scale. */
  readonly columnOffset: Float64Array;
  readonly columnScale: Float64Array;
}

/** The slots of this rank and the table of calls that joins their sums with those of the other ranks. */
export interface NativeRanks {
  readonly first: number;
  readonly count: number;
  /** Of native/core/exchange.h. */
  readonly exchange: object;
  /** Whether the Gram matrix of the primal route is held in blocks by the ranks. */
  readonly distributed?: boolean | undefined;
}

export interface NativeJetLinearized {
  readonly loss: number;
  readonly gradient: Float64Array;
  /** The scaling state after the running maximum, or null for identity scaling. */
  readonly scaling: Float64Array | null;
  readonly gradientCosine: number;
  readonly passSeconds: number;
  readonly curvatureSeconds: number;
}

export interface NativeLinearized extends NativeJetLinearized {
  /** Losses other than squared error: |z~|^2; else null. */
  readonly residualSquare: number | null;
  /** Matrix-free: diag G; else null. */
  readonly diagonal: Float64Array | null;
}

export interface NativeJetSolved {
  readonly step: Float64Array;
  readonly condition: number;
  readonly residual: number;
}

export interface NativeSolved extends NativeJetSolved {
  /** Conjugate-gradient steps with a single-precision factor; else 0. */
  readonly steps: number;
  /** Orthogonal route: rank, tolerance, largest and smallest singular value. */
  readonly rank: Float64Array | null;
}

export interface NativeEigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array | null;
}

/** The value itself where the call was small enough to be done at once (native/core/cost.h) and there are no ranks, else a promise of it. */
export type NativeAnswer<T> = T | Promise<T>;

/**
 * One core engine. Every method that answers so throws GAUSSFLOW_BUSY while another call runs, and GAUSSFLOW_STATE after `dispose` or
 * where it needs a curvature that is not held.
 */
export interface NativeEngineObject {
  /**
   * Writes to the next pages of the room for its samples, some milliseconds of work; false once it has been to all. Before the first `fill`,
   * whose rows would take all these pages from the system at once.
   */
  touchPages(): boolean;
  /**
   * Gives it the next `count` of its samples, copied: rows of inputs and targets, null for those of a file, and weights, null where it has none.
   * Other calls throw GAUSSFLOW_STATE until it has them all; samples of a file without weights are there from the start.
   */
  fill(
    count: number,
    inputs: Float64Array | null,
    targets: Float64Array | null,
    weights: Float64Array | null,
  ): undefined | NativeFailure;
  /**
   * Replaces all `count` samples of an engine that holds them, and ends the linearization; the other arguments as in `fill`. GAUSSFLOW_STATE for
   * those of a file.
   */
  load(
    count: number,
    inputs: Float64Array,
    targets: Float64Array,
    weights: Float64Array | null,
  ): undefined | NativeFailure;
  forward(parameters: Float64Array): NativeAnswer<Float64Array | NativeFailure>;
  evaluate(parameters: Float64Array): NativeAnswer<number | NativeFailure>;
  linearize(
    parameters: Float64Array,
    curvature: 0 | 1 | 2 | 3 | 4 | 5,
    decay: number,
    scaling: Float64Array | null,
    precision: 0 | 1,
    exactMeasureBelow: number,
    subset: Uint32Array | null,
    gradient: Float64Array | null,
    signs: Float64Array | null,
    rowSeeds: Float64Array | null,
    gradientSeeds: Float64Array | null,
    /** Shares of a moving average: keep, add. */
    accumulate: Float64Array | null,
  ): NativeAnswer<NativeLinearized | NativeFailure>;
  solve(
    damping: number,
    decay: number,
    scaling: Float64Array | null,
    condition: boolean,
    tolerance: number,
    left: Float64Array | null,
    right: Float64Array | null,
    step: Float64Array | null,
  ): NativeAnswer<NativeSolved | NativeFailure>;
  /** With the factor of the last solve. */
  accelerate(
    velocity: Float64Array,
    scaling: Float64Array | null,
    acceleration: Float64Array | null,
  ): NativeAnswer<Float64Array | NativeFailure>;
  jacobianProduct(parameters: Float64Array, vectors: Float64Array): NativeAnswer<Float64Array | NativeFailure>;
  transposeProduct(parameters: Float64Array, vectors: Float64Array): NativeAnswer<Float64Array | NativeFailure>;
  jacobian(parameters: Float64Array, first: number, count: number): NativeAnswer<Float64Array | NativeFailure>;
  curvature(out: Float64Array | null): Float64Array | NativeFailure;
  /** p x p, symmetric: what a moving average goes on with. */
  restoreCurvature(matrix: Float64Array): undefined | NativeFailure;
  eigen(vectors: boolean): NativeAnswer<NativeEigen | NativeFailure>;
  eigenvaluesBelow(bound: number): NativeAnswer<number | NativeFailure>;
  curvatureProduct(vectors: Float64Array): NativeAnswer<Float64Array | NativeFailure>;
  /** With the exact Hessian of the loss at the parameters of the last linearization; misuse where there is none. */
  hessianProduct(vectors: Float64Array): NativeAnswer<Float64Array | NativeFailure>;
  /** With the factor of the last solve; misuse where there is none. */
  dampedInverse(vector: Float64Array): NativeAnswer<Float64Array | NativeFailure>;
  /** A_1, B_1, A_2, ... of a matrix-free curvature, square after square. */
  layerFactors(): NativeAnswer<Float64Array | NativeFailure>;
  curvatureInverse(vector: Float64Array, shift: number): NativeAnswer<Float64Array | NativeFailure>;
  /** Rows [first, first + count) of the inputs that it computes with: a copy, count x d. Under ranks counted from the first row of its slots. */
  inputs(first: number, count: number): Float64Array | NativeFailure;
  /** A copy of the parameters of the last linearization; empty before the first. */
  parameters(): Float64Array | NativeFailure;
  cancel(): void;
  bytes(): number;
  dispose(): void;
}

/** Channels of jets: `seconds` second-order channels, each product of which is four numbers: its channel, i, j, coefficient. */
export interface NativeChannels {
  readonly firsts: number;
  readonly seconds: number;
  readonly products: Float64Array;
}

/** A JetTerm of src/equations/jet-problem.ts, its lists as arrays. Without points where only its sizes are needed. */
export interface NativeJetTerm extends NativeChannels {
  readonly points: number;
  readonly auxiliaryCount: number;
  readonly inputs: Float64Array;
  readonly auxiliary: Float64Array;
  readonly constants: Float64Array;
  readonly code: Float64Array;
  readonly outputs: Float64Array;
  readonly factors: Float64Array;
}

/** One core engine for residuals with derivatives; methods as those of NativeEngineObject with the same names. */
export interface NativeJetEngineObject {
  /** Replaces the points of a term, as many as before, and ends the linearization. */
  loadTerm(term: number, inputs: Float64Array, auxiliary: Float64Array): undefined | NativeFailure;
  evaluate(parameters: Float64Array): NativeAnswer<number | NativeFailure>;
  linearize(
    parameters: Float64Array,
    /** 1: with the Gram matrix. */
    curvature: 0 | 1,
    decay: number,
    scaling: Float64Array | null,
    gradient: Float64Array | null,
  ): NativeAnswer<NativeJetLinearized | NativeFailure>;
  solve(
    damping: number,
    decay: number,
    scaling: Float64Array | null,
    condition: boolean,
    left: Float64Array | null,
    right: Float64Array | null,
    step: Float64Array | null,
  ): NativeAnswer<NativeJetSolved | NativeFailure>;
  accelerate(velocity: Float64Array, acceleration: Float64Array | null): NativeAnswer<Float64Array | NativeFailure>;
  residuals(parameters: Float64Array): NativeAnswer<Float64Array | NativeFailure>;
  jacobian(parameters: Float64Array, first: number, count: number): NativeAnswer<Float64Array | NativeFailure>;
  /** Points x c x Q from inputs points x Q x d. */
  outputJets(
    parameters: Float64Array,
    channels: NativeChannels,
    inputs: Float64Array,
  ): NativeAnswer<Float64Array | NativeFailure>;
  curvature(out: Float64Array | null): Float64Array | NativeFailure;
  eigen(vectors: boolean): NativeAnswer<NativeEigen | NativeFailure>;
  curvatureProduct(vectors: Float64Array): NativeAnswer<Float64Array | NativeFailure>;
  curvatureInverse(vector: Float64Array, shift: number): NativeAnswer<Float64Array | NativeFailure>;
  dampedInverse(vector: Float64Array): NativeAnswer<Float64Array | NativeFailure>;
  parameters(): Float64Array | NativeFailure;
  cancel(): void;
  bytes(): number;
  dispose(): void;
}

export interface SelfTest {
  readonly ok: boolean;
  readonly message: string;
  /** OpenBLAS's own description, its kernel's name, and its threading: 0 serial, 1 pthread, 2 OpenMP, -1 not OpenBLAS. */
  readonly blas: string;
  readonly core: string;
  readonly parallel: number;
  readonly threads: number;
}

/** What an engine holds: bytes by purpose, and the samples of a block. The TypeScript engine says the same (estimate.ts). */
export interface EngineBytes {
  readonly data: number;
  readonly curvature: number;
  readonly factor: number;
  readonly workspaces: number;
  /** In which the threads of the process pack the operands of products; 0 for the TypeScript engine. */
  readonly packing: number;
  /** Samples at a time, with the last curvature. */
  readonly blockSamples: number;
}

/** Flops of calls (native/core/cost.h). */
export interface NativeCalls {
  readonly forward: number;
  readonly passes: number;
  readonly linearize: number;
  /** A factorization and the solves with it; matrix-free: a product. */
  readonly solve: number;
  /** Whether a subset is held as rows of J, not as G. */
  readonly holdsRows: boolean;
}

export interface BindingModule {
  /** FACE of the sources that it was built from. */
  readonly face: number;
  readonly NativeEngine: new (
    network: NativeNetwork,
    sampleCount: number,
    file: NativeFile | null,
    weighted: boolean,
    threads: number,
    ranks: NativeRanks | null,
  ) => NativeEngineObject;
  readonly NativeJetEngine: new (
    network: NativeNetwork,
    terms: readonly NativeJetTerm[],
    unknownCount: number,
    threads: number,
  ) => NativeJetEngineObject;
  /** Stops every call in flight of this environment; for its end. */
  cancelAll(): void;
  /** From now on, calls of at most this many flops on engines with one thread run synchronously in this environment. */
  synchronousUpTo(flops: number): void;
  selfTest(order: number): SelfTest;
  /**
   * The most that `bytes` of an engine will be on the way through `turns`: five numbers a curvature, its code as in `linearize`, its precision,
   * the samples of its subset (0 = all), 1 where a product of the Hessian with one vector follows, else 0, and 1 where it is a moving average, else 0. `fileWidth`: doubles of a row of the file that has the samples, 0 = they are in memory. `holders`: ranks
   * that hold the Gram matrix of the primal route together, 0 = each has all of it.
   */
  estimateBytes(
    network: NativeNetwork,
    sampleCount: number,
    weighted: boolean,
    fileWidth: number,
    threads: number,
    turns: Float64Array,
    ranks: Pick<NativeRanks, "first" | "count"> | null,
    holders: number,
  ): EngineBytes;
  /** The most that `bytes` of a jet engine will be, but for `outputJets` and `eigen`; the terms need no points. */
  estimateJetBytes(
    network: NativeNetwork,
    terms: readonly NativeJetTerm[],
    unknownCount: number,
    threads: number,
  ): EngineBytes;
  estimateCalls(
    network: NativeNetwork,
    sampleCount: number,
    curvature: 0 | 1 | 2 | 3 | 4 | 5,
    precision: 0 | 1,
    subset: number,
  ): NativeCalls;
  /** Calls of at most this many flops run synchronously: kSynchronousFlops of native/core/cost.h. */
  readonly synchronousFlops: number;
  /** Those of at most this many flops on the calling thread alone: kAloneFlops. */
  readonly aloneFlops: number;
  /** a . b; from LARGE_VECTOR entries on the bits of `dot` in src/algebra/vectors.ts. */
  dot(a: Float64Array, b: Float64Array, threads: number): number;
  /** a + factor b, written to `out` or to a fresh array. */
  addScaled(a: Float64Array, factor: number, b: Float64Array, out: Float64Array | null, threads: number): Float64Array;
}

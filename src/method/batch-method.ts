// Defines BatchMethod, the interface by which the loop over batches (train/descend.ts) calls a method that sees a part
// of the rows at each step. exactGaussNewton, adam and the other methods of this folder implement it. A method has no
// loop, no clock and no data of its own:
//
//   needs(sizes) -> rows of a batch, engines, learning rate;     start(sizes) -> state;     step(context, state) -> next parameters and state
//
// The objective of a run is F(w) = g(w) + decay/2 |w|^2 with the SUM loss g over all n rows. A batch of b rows has the
// objective g_batch(w) + (decay b/n)/2 |w|^2, whose gradient is b/n of the whole one in the mean. A damping that a
// publication states for the mean loss is b times as large here.
//
// The state is plain data, numbers and Float64Arrays of a multiple of p entries, so that a checkpoint in the middle of
// an epoch restores it bit for bit.
import type { VectorOperations } from "../algebra/vectors.js";
import type { Engine, Failure } from "../backend/engine.js";
import type { EngineRows } from "../backend/rows.js";
import type { Loss } from "../loss/rules.js";
import { isObject } from "../options.js";
import type { BatchRoute } from "../plan/route.js";
import type { Random } from "../random.js";
import type { MethodState } from "./method.js";
import type { RateSchedule } from "./rate-schedule.js";
import type { ReasonCode } from "./reason.js";

/** The sizes of a run, known before it begins. */
export interface BatchSizes {
  /** Rows that are fitted, n. */
  readonly rows: number;
  /** Outputs of the network, c. */
  readonly outputSize: number;
  /** Number of parameters, p. */
  readonly parameterCount: number;
  /** What is minimized. Its scale may not be known yet. */
  readonly loss: Loss;
  /** Whether the rows are in a data file: where a step sees them all they are nowhere in memory. Default false. */
  readonly inFile?: boolean | undefined;
}

/** An engine that the method uses at every step. It holds the first rows of the batch. */
export interface BatchEngine {
  /** Rows that it holds, at most those of the batch. */
  readonly rows: number;
  /** What the method forms with it. "none": gradients. */
  readonly curvature: "none" | "primal" | "dual" | "sampled";
  /** Whether the primal curvature is a moving average over batches (`LinearizeRequest.accumulate`). Default false. */
  readonly average?: boolean | undefined;
  /**
   * Steps from one forming of that curvature to the next. Between them the first engine forms gradients alone, and the others nothing. Default
   * 1: at every step.
   */
  readonly every?: number | undefined;
}

/** What a method needs of a run of given sizes. The plan counts its bytes and flops, and the loop provides it. */
export interface BatchNeeds {
  /** Rows of a batch, b, at most n. Where it is n, every step sees all rows, in their order. */
  readonly rows: number;
  /** Engines, the first of them with all rows of the batch. */
  readonly engines: readonly BatchEngine[];
  /** How steps are found, as plans and records name it. */
  readonly route: BatchRoute;
  /** Learning rate by step. */
  readonly rate: RateSchedule;
  /** Vectors of p entries that the method holds, its state and its scratch together. */
  readonly vectors: number;
  /** Evaluations of the loss of a batch in one step, beside its linearization. */
  readonly evaluations: number;
  /** These choices as a phrase: "batches of 256 rows, damping 0.01". */
  readonly described: string;
}

/** What the loop gives a method for one step. Nothing in it outlives the step. */
export interface BatchContext {
  /** Present parameters, p. They must not be changed. */
  readonly parameters: Float64Array;
  /** Array of p entries to which an accepted step writes the next parameters. */
  readonly next: Float64Array;
  /** The engines of `needs`, in its order, with the rows of the batch loaded. */
  readonly engines: readonly Engine[];
  /** The rows that the first engine holds; null for all rows of a data file, which are nowhere in memory. */
  readonly batch: EngineRows | null;
  /** What is minimized, with its scale. */
  readonly loss: Loss;
  /** Rows of the batch, b. The published methods divide sums by it, whatever the sample weights. */
  readonly rows: number;
  /** Rows of all data, n. */
  readonly totalRows: number;
  /** Weight decay of the batch's objective: the decay of the run times b/n. */
  readonly decay: number;
  /** Learning rate of this step. */
  readonly rate: number;
  /** Number of the step, from 1. */
  readonly iteration: number;
  /** Steps of an epoch. */
  readonly stepsPerEpoch: number;
  /** Operations on vectors, with the engine's threads where it has some. */
  readonly vectors: VectorOperations;
  /**
   * An array of `length` entries (default p) by its name, the same one at every step; its contents do not outlive the
   * step.
   */
  scratch(name: string, length?: number): Float64Array;
  /** Random numbers of this step: a function of seed and step alone. */
  random(): Random;
  /** Aborted when the run must end. */
  readonly signal: AbortSignal;
}

/** The result of a step. */
export interface BatchStep {
  /** Tells it from a failure. */
  readonly ok: true;
  /** False: the parameters stay as they are, and the run goes on with the next batch. */
  readonly accepted: boolean;
  /** State of the method from now on. */
  readonly state: MethodState;
  /** Sum loss of the batch at the start of the step, without the decay. */
  readonly loss: number;
  /**
   * Gradient of the batch's objective at the start of the step, p entries; the loop only reads it before the next step.
   */
  readonly gradient: Float64Array;
  /** Euclidean norm of the change of the parameters; 0 where it was not accepted. */
  readonly stepNorm: number;
  /** Damping of the step in the units of the sum loss of the batch; 0 without one. */
  readonly damping: number;
  /** Seconds of the step, by phase. */
  readonly seconds: BatchSeconds;
  /** Set when the method has nothing left to try. */
  readonly end?: BatchEnd | undefined;
}

/** Why a step ends a run. */
export interface BatchEnd {
  /** The reason, for programs. */
  readonly code: ReasonCode;
  /** The reason, as a sentence with the numbers. */
  readonly message: string;
}

/** Seconds of a step. */
export interface BatchSeconds {
  /** Forward and backward passes. */
  readonly passes: number;
  /** Forming the curvature. */
  readonly curvature: number;
  /** Solving for the step. */
  readonly solve: number;
  /** Losses at trial points. */
  readonly evaluate: number;
}

/** Fields that a method adds to records. */
export interface MethodReport {
  /** With `ggnScore`: parameters with |w| below its `threshold`. */
  readonly smallParameters?: number | undefined;
  /** With `ggnScore`: least number of parameters that hold 99.9% of the sum of |w|. */
  readonly holdingParameters?: number | undefined;
}

/** A method whose steps each see one batch. */
export interface BatchMethod {
  /** Distinguishes it from a `Method`, which sees all rows at each step. */
  readonly kind: "batch";
  /** Name in checkpoints. */
  readonly name: string;
  /** A phrase for people: "exact Gauss-Newton on batches (momentum 0.9)". */
  readonly label: string;
  /** All options as plain data; two methods with equal settings take equal steps on equal data. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** Epochs after which a run ends that gives neither `stop.epochs` nor `stop.iterations`. */
  readonly epochs: number;
  /** What to change where the loss is no longer finite: "a smaller rate or a larger damping". */
  readonly remedy: string;
  /**
   * Steps at the start in which the method minimizes another function than it does later, as `ggnScore` while its smoothing falls. A network of
   * these steps is the best by validation only until there is a later one, and `stop.patience` does not count them. Default 0.
   */
  readonly continuation?: number | undefined;
  /** What the method needs of a run of these sizes. @throws GAUSSFLOW_ARGUMENT for options that do not fit them */
  needs(sizes: BatchSizes): BatchNeeds;
  /** State before the first step. */
  start(sizes: BatchSizes): MethodState;
  /**
   * Checks the values of a state from a file, whose names and kinds have been checked and which has no NaN. Returns the
   * rule that it breaks, or null. Default: no check.
   * @param sizes of the run that resumes from it
   */
  checkState?(state: MethodState, sizes: BatchSizes): string | null;
  /**
   * What the method adds to the objective of all rows besides loss and decay, in units of the sum loss, as a function
   * of the parameters. Default: nothing.
   */
  penalty?(sizes: BatchSizes): (parameters: Float64Array) => number;
  /** Fields that the method adds to the record of these parameters. Default: none. */
  report?(parameters: Float64Array): MethodReport;
  /**
   * One step. Arrays of `state` may be changed in place, but only once nothing can fail or be aborted any more: a step
   * that does not resolve with an answer must leave them as they were.
   */
  step(context: BatchContext, state: MethodState): Promise<BatchStep | Failure>;
}

export function isBatchMethod(method: unknown): method is BatchMethod {
  return isObject(method) && method.kind === "batch";
}

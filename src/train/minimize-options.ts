// Defines the types of the loop's options and result, in a file apart from the loop (minimize.ts): train.ts makes the options, and the
// other files of the loop read them.
import type { Engine } from "../backend/engine.js";
import type { Agreement } from "../cluster/agreement.js";
import type { MatrixFreeSettings, Point } from "../linearize/problem.js";
import type { Method } from "../method/method.js";
import type { Reason } from "../method/reason.js";
import type { Evidence } from "../method/regularization.js";
import type { TrainRoute } from "../plan/route.js";
import type { CheckpointOptions } from "../run/checkpoint-keeper.js";
import type { Observer } from "../run/observer.js";
import type { TrainRecord } from "../run/record.js";
import type { DataRenewal } from "./renewal.js";
import type { Separable } from "./separable.js";
import type { Best, Snapshot } from "./snapshot.js";
import type { StopRules } from "./stop.js";

export interface MinimizeOptions {
  readonly method: Method;
  readonly stop: StopRules;
  readonly route: TrainRoute;
  /** Weight decay d: the objective is g + d/2 |w|^2. Where the method sets it, that of the first linearization. */
  readonly decay: number;
  /** Parameters of each layer, in order; default one layer with all of them. */
  readonly layerSizes?: readonly number[] | undefined;
  /** Whether the loss is squared error, whose gradient has a measure of its own; else it is relative to the start. Default true. */
  readonly sumOfSquares?: boolean | undefined;
  /** Whether the loss is convex in the predictions (`LossRule.convex`). Default true. */
  readonly convex?: boolean | undefined;
  /** The sum loss at or below which classes are separable (`separable.ts`); null, the default, where the loss or a decay excludes it. */
  readonly separable?: Separable | null | undefined;
  /** Turns the sum loss g into the reported mean (`run/prepare.ts`). Default 2/(n c), the mean of squares. */
  readonly meanFactor?: number | undefined;
  /** Evenness of the sample weights (`loss/weighted.ts`). Default 1. */
  readonly evenness?: number | undefined;
  /** Validation data, evaluated after every accepted step; the factor as above. */
  readonly validation?: { readonly engine: Engine; readonly meanFactor: number } | null;
  readonly condition?: boolean | undefined;
  /** Seconds of this run before the loop, which count as its own. Default 0. */
  readonly spent?: number | undefined;
  /** What every record holds besides its trial. Default nothing. */
  readonly recordFields?: Pick<TrainRecord, "delta" | "distributed"> | undefined;
  /** Parameters to begin at in place of the initial ones, seen from the linearization there; null = those. Not asked when resuming. */
  readonly startBeside?: (point: Point) => Float64Array | null;
  readonly matrixFree?: MatrixFreeSettings | undefined;
  /** Under ranks that of the agreement. */
  readonly signal?: AbortSignal | undefined;
  /** How the loop decides with the other ranks; null, the default, where there are none. */
  readonly agreement?: Agreement | null | undefined;
  readonly observer?: Observer | undefined;
  /** Replaces the data of the engine between iterations: losses and the best point are then those of the new data. Default null: never. */
  readonly renewal?: DataRenewal | null | undefined;
  /** Called with the state at every `every`-th iteration boundary, and at the end with the last one. What it throws is a warning. */
  readonly checkpoint?: CheckpointOptions<Snapshot> | null | undefined;
  readonly resume?: Snapshot | null | undefined;
}

export interface MinimizeResult {
  readonly reason: Reason;
  readonly iterations: number;
  readonly last: Best;
  readonly best: Best;
  readonly bestValidation: Best | null;
  readonly records: readonly TrainRecord[];
  /** Weight decay at the end, where the method sets it. */
  readonly decay?: number | undefined;
  /** The evidence of the kept point with it, or of the last update in a run that was cut short; absent before the first, and with other methods. */
  readonly evidence?: Evidence | undefined;
  /** Seconds of this call and of those it resumed. */
  readonly elapsed: number;
  /** Problems that did not end the run: checkpoints that could not be written. */
  readonly warnings: readonly string[];
}

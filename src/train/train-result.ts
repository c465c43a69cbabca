// Defines the type of the result of `train`, which train.ts makes and the command line and trainMany read.

import type { RankWaits } from "../cluster/cluster.js";
import type { Loss } from "../loss/rules.js";
import type { Reason } from "../method/reason.js";
import type { Evidence } from "../method/regularization.js";
import type { Network } from "../network/network.js";
import type { Plan } from "../plan/plan.js";
import type { BatchRoute, TrainRoute } from "../plan/route.js";
import type { TrainRecord } from "../run/record.js";
import type { Uncertainty } from "../uncertainty/uncertainty.js";
import type { Advice } from "./advice.js";

/** What `train` resolves with. `Report` is the type of the monitor's report. */
export interface TrainResult<Report = unknown> {
  /** The network to use: best by validation loss where there is validation data, else best by training objective. */
  readonly network: Network;
  /** The last accepted point. */
  readonly last: Network;
  /** Best by the training objective. */
  readonly best: Network;
  /** Best by the validation loss; null without validation data. */
  readonly bestValidation: Network | null;
  /** Why the training ended. */
  readonly reason: Reason;
  /** One entry a trial, the start first. */
  readonly records: readonly TrainRecord[];
  /** Accepted iterations, and the one that `network` comes from. */
  readonly iterations: number;
  /** Iteration of the network that was kept. */
  readonly bestIteration: number;
  /**
   * Mean loss of `network`, as in the records: on all rows that it was fitted to. Only after an abort, or for want of memory, of a run on batches
   * whose best validation was within an epoch (`validateEvery`) it is that of the batches before it.
   */
  readonly loss: number;
  /** The loss that was minimized, with all its parameters: of `huber()`, `pseudoHuber()` and `quantile({ tau })` with the scale that the training has found, in its units. */
  readonly lossUsed: Loss;
  /**
   * With `bayesianRegularization` what the data say of `network`: weight decay, noise, effective number of parameters and log evidence, of which
   * the higher is the better fit of the same rows. null with other methods, and in a run that ended before the first estimate.
   */
  readonly evidence: Evidence | null;
  /** Its loss on the validation data; null without them. */
  readonly validationLoss: number | null;
  /** Seconds of the whole training. */
  readonly seconds: number;
  /** How sure `network` is, where `TrainOptions.uncertainty` was set; else null, and where it could not be measured, which `warnings` say. */
  readonly uncertainty: Uncertainty | null;
  /** What the monitor says, where one was given. */
  readonly monitor: Report | null;
  /** The route, and what it was predicted to need. */
  readonly plan: Plan<TrainRoute | BatchRoute>;
  /** "native", or "reference": the one in TypeScript. */
  readonly engine: string;
  /** Threads that were used: those asked for, or 1 where more would not have been faster (`TrainOptions.threads`). */
  readonly threads: number;
  /** Slots that sums over the samples were joined from (`TrainOptions.slots`). */
  readonly slots: number;
  /** Processes that trained together (`TrainOptions.cluster`); 1 where this one was alone. */
  readonly ranks: number;
  /** Fitted rows whose sums this process made: all of them where it was alone. */
  readonly rankRows: number;
  /** The exchanges with the other processes that its engines waited for, with their seconds; null where it was alone. */
  readonly rankWaits: RankWaits | null;
  /** One plain line: the network, and the rows it was trained on. */
  readonly chosen: string;
  /**
   * What was wrong without ending the run, a sentence each: inputs that are constant, checkpoints that could not be written. Each of the
   * latter is also a process warning of the type GaussflowWarning, code GAUSSFLOW_CHECKPOINT, at the time.
   */
  readonly warnings: readonly string[];
  /** What else was chosen, in the terms of the field: method, units, route, bytes, engine. */
  readonly details: string;
  /** What would lower the errors on new rows, from what was measured; empty where nothing speaks for a change. */
  readonly advice: readonly Advice[];
}

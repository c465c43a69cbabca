// Trains for a few iterations before a training: for the threshold of a Huber loss (first-fit.ts) and for the means of a Gaussian likelihood
// (mean-fit.ts). Such a fit holds out no validation part, and nobody sees its records.
import { type BackendOptions, createEngineInTurns } from "../backend/create.js";
import type { EngineData } from "../backend/engine.js";
import { together } from "../cluster/agreement.js";
import type { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import { type Loss, lossRule } from "../loss/rules.js";
import { evenness } from "../loss/weighted.js";
import { isBatchMethod } from "../method/batch-method.js";
import { levenbergMarquardt } from "../method/levenberg-marquardt/levenberg-marquardt.js";
import type { Network } from "../network/network.js";
import { layerSizes } from "../network/parameters.js";
import type { TrainRoute } from "../plan/route.js";
import { minimize } from "./minimize.js";
import { stopRules } from "./stop.js";
import { besideSymmetry } from "./symmetric-start.js";
import type { CompletedTrainOptions } from "./train-options.js";

/** Share of `stop.seconds` that the fits before a training may take: the training itself needs the rest. */
export const SHARE_OF_SECONDS = 0.5;

/** The training that a short fit is made for, before it begins. */
export interface ShortFit {
  /** In the units of training. */
  readonly start: Network;
  readonly fit: Dataset | FileDataset;
  readonly data: EngineData;
  readonly completed: CompletedTrainOptions;
  readonly route: TrainRoute;
  readonly backend: BackendOptions;
  readonly signal: AbortSignal | undefined;
}

/**
 * Parameters of the best point after at most `iterations` iterations with `loss` from the start.
 * @throws the signal's reason once it has been aborted
 */
export async function shortFit(
  { start, fit, data, completed, route, backend, signal }: ShortFit,
  loss: Loss,
  iterations: number,
  seconds: number,
): Promise<Float64Array> {
  const { agreement } = completed;
  const engine = await together(agreement, () =>
    createEngineInTurns(start.architecture, { ...data, loss }, backend, signal),
  );
  try {
    const steps = minimize(engine, start.parameters, {
      // A method on batches is no better for a few iterations on all rows.
      method: isBatchMethod(completed.method) ? levenbergMarquardt() : completed.method,
      stop: { ...stopRules({ iterations }), seconds: Math.max(seconds, 0) },
      route,
      decay: loss.decay,
      matrixFree: completed.matrixFree,
      layerSizes: layerSizes(start.architecture),
      startBeside: (point) => besideSymmetry(start, loss.decay, point),
      sumOfSquares: lossRule(loss).sumOfSquares,
      convex: lossRule(loss).convex,
      evenness: evenness(fit.weights, fit.sampleCount),
      signal,
      agreement,
    });
    for (;;) {
      const next = await steps.next();
      signal?.throwIfAborted();
      if (next.done) return next.value.best.parameters;
    }
  } finally {
    engine.dispose();
  }
}

// Moves the start of a training by a few epochs of exact Gauss-Newton on batches (`options.batchStart`), before its
// method sees all rows at every step. begin.ts calls it once the engine of all rows is made.
//
// Far from a minimum a step on a batch lowers the loss almost as much as one on all rows, at a small part of its cost:
// of thousands of rows one epoch replaces the first iterations. docs/methods.md has the figures. The training begins at
// the point with the least objective of the start and of the ends of the epochs.
import type { BackendOptions } from "../backend/create.js";
import type { EngineData } from "../backend/engine.js";
import type { NetworkEngine } from "../backend/network-engine.js";
import { type Loss, lossRule } from "../loss/rules.js";
import type { BatchSizes } from "../method/batch-method.js";
import type { Network } from "../network/network.js";
import { makeBatches } from "./batch-engines.js";
import { type CompletedBatchStart, startMethod } from "./batch-start-options.js";
import { descend } from "./descend.js";
import { SHARE_OF_SECONDS } from "./short-fit.js";
import { type StopRules, stopRules } from "./stop.js";
import { besideSymmetry } from "./symmetric-start.js";

/** A training whose start is moved. */
export interface StartedRun {
  /** In the units of training. */
  readonly start: Network;
  /** Of all rows. */
  readonly engine: NetworkEngine;
  readonly data: EngineData;
  readonly loss: Loss;
  readonly stop: StopRules;
  readonly seed: number;
  readonly backend: BackendOptions;
  readonly signal: AbortSignal | undefined;
}

/** Where the training begins, and warnings about it. */
export interface MovedStart {
  /** p numbers. */
  readonly parameters: Float64Array;
  /** Sentences for the result's warnings. */
  readonly warnings: readonly string[];
}

/** @throws the signal's reason once it has been aborted; GAUSSFLOW_MEMORY */
export async function startOnBatches(run: StartedRun, given: CompletedBatchStart): Promise<MovedStart> {
  const { start, engine, data, loss, stop, seed, backend, signal } = run;
  const { outputSize, parameterCount } = start.architecture;
  const inFile = data.file !== undefined;
  const sizes: BatchSizes = { rows: data.sampleCount, outputSize, parameterCount, loss, inFile };
  const method = startMethod(given);
  const needs = method.needs(sizes);
  const batches = await makeBatches(start.architecture, data, engine, needs, seed, backend, signal);
  try {
    const rules = stopRules({ epochs: given.epochs }, "options.stop", lossRule(loss).sumOfSquares, method);
    const steps = descend(engine, start.parameters, {
      method,
      sizes,
      needs,
      engines: batches.engines,
      rows: batches.rows,
      seed,
      stop: { ...rules, seconds: SHARE_OF_SECONDS * stop.seconds },
      decay: loss.decay,
      startBeside: (point) => besideSymmetry(start, loss.decay, point),
      signal,
    });
    for (;;) {
      const next = await steps.next();
      signal?.throwIfAborted();
      if (!next.done) continue;
      const { best, reason } = next.value;
      const whole = reason.code === "iterations" || reason.code === "seconds";
      return {
        parameters: best.parameters,
        warnings: whole ? [] : [`the start on batches ended early: ${reason.message}`],
      };
    }
  } finally {
    batches.dispose();
  }
}

// Evaluates the objective at the end of a step, and the validation loss after an accepted one. The loop (minimize.ts) calls it for each
// trial, and the loop over batches (descend.ts) evaluates and validates by it.
import { plainVectors } from "../algebra/vectors.js";
import { type Engine, failed } from "../backend/engine.js";
import { unlessMemory } from "../backend/memory.js";
import { objectiveOf, type Problem } from "../linearize/problem.js";
import type { BatchMethod } from "../method/batch-method.js";
import type { Reason } from "../method/reason.js";
import { failureReason } from "../run/failure-reason.js";
import type { MinimizeOptions } from "./minimize-options.js";
import type { RunState } from "./run-state.js";
import type { StepEnd } from "./trial.js";

/** Evaluates the objective at `from` + `step`. */
export async function evaluateStep(
  { engine, decay, spare }: Problem,
  from: Float64Array,
  step: Float64Array,
  signal: AbortSignal,
): Promise<StepEnd> {
  const { vectors = plainVectors } = engine;
  const parameters = vectors.addScaled(from, 1, step, spare?.take());
  spare?.borrow(parameters);
  const start = performance.now();
  const answer = unlessMemory(await engine.evaluate(parameters, signal));
  const seconds = (performance.now() - start) / 1000;
  if (failed(answer)) return { parameters, answer, seconds };
  const objective = objectiveOf(answer.loss, decay, parameters, vectors);
  return { parameters, answer: { ok: true, objective, loss: answer.loss }, seconds };
}

/** The sum loss of all rows, and the seconds it took. */
export interface LossOfAll {
  readonly sum: number;
  readonly seconds: number;
}

/** The loss of all rows at a point; the reason that ends the run where there is none. */
export async function lossOfAll(
  engine: Engine,
  parameters: Float64Array,
  signal: AbortSignal,
): Promise<LossOfAll | Reason> {
  const start = performance.now();
  const answer = unlessMemory(await engine.evaluate(parameters, signal));
  if (failed(answer)) return failureReason(answer);
  if (!Number.isFinite(answer.loss)) return { code: "non-finite", message: "the loss is not finite" };
  return { sum: answer.loss, seconds: (performance.now() - start) / 1000 };
}

/**
 * Computes the validation loss at an accepted point, and keeps the point if it is the best. A loss that is not finite is no improvement.
 * @param options of the loop, and of a method on batches its `continuation` and the loss `held` where the parameters are those of the last
 *   validation: that one is not counted again by `stop.patience`
 */
export async function validate(
  {
    validation = null,
    continuation,
    held,
  }: Pick<MinimizeOptions, "validation"> &
    Pick<BatchMethod, "continuation"> & { readonly held?: number | null | undefined },
  run: RunState,
  point: { readonly iteration: number; readonly parameters: Float64Array; readonly loss: number },
  signal: AbortSignal,
): Promise<{ readonly loss: number | null; readonly seconds: number }> {
  if (validation === null) return { loss: null, seconds: 0 };
  if (held !== undefined) return { loss: held, seconds: 0 };
  const start = performance.now();
  const answer = unlessMemory(await validation.engine.evaluate(point.parameters, signal));
  const seconds = (performance.now() - start) / 1000;
  const value = failed(answer) ? Number.POSITIVE_INFINITY : answer.loss * validation.meanFactor;
  run.validate({ ...point, value }, continuation);
  return { loss: Number.isFinite(value) ? value : null, seconds };
}

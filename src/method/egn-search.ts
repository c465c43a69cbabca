// The line search and the adaptation of the damping that were published with exact Gauss-Newton on batches (Korbit et
// al. 2024), with the constants of the authors' code (somax). exact-gauss-newton.ts calls them where its options
// request them.
//
//   length      from min(1.5 last length, rate), times 0.8 until f(w) - f(w + t d) + eps >= -0.1 t g.d, at most 15 times
//   damping     gain = (f(w + s) - f(w)) / (g.s + s^T (J^T Q J) s / 2b): times 1.01 below 0.25, times 0.99 above 0.75
//
// f is the mean loss of the batch. On the batch whose gradient made the direction the condition holds nearly always and
// the gain ratio is nearly always above 0.75: lengths grow and the damping falls without a floor (docs/methods.md).
import { dot } from "../algebra/vectors.js";
import { type Failure, failed } from "../backend/engine.js";
import { objectiveOf } from "../linearize/problem.js";
import type { BatchContext } from "./batch-method.js";

/** Names of the adaptations. */
export type Adaptation = "none" | "published" | "bounded";
/** All names. */
export const ADAPTATIONS: readonly Adaptation[] = ["none", "published", "bounded"];

const GROWTH = 1.5;
const SHRINK = 0.8;
const SUFFICIENT = 0.1;
const MOST_TRIES = 15;
const [LOW_GAIN, HIGH_GAIN] = [0.25, 0.75];
const [RAISE, LOWER] = [1.01, 0.99];

/** A direction on a batch, and what is known at its start. */
export interface BatchModel {
  readonly context: BatchContext;
  /** Sum loss of the batch. */
  readonly loss: number;
  /** Gradient of the batch's objective. */
  readonly gradient: Float64Array;
  readonly direction: Float64Array;
  /** Damping of the system that gave the direction, in the units of the sum loss. */
  readonly damping: number;
}

/** Objective of the batch at a step along the direction, left in `next`; Infinity where it is not finite. */
async function objectiveAt({ context, direction }: BatchModel, length: number): Promise<number | Failure> {
  const { parameters, next, engines, decay, vectors, signal } = context;
  vectors.addScaled(parameters, length, direction, next);
  const answer = await engines[0]!.evaluate(next, signal);
  if (failed(answer)) return answer.code === "memory" ? answer : Number.POSITIVE_INFINITY;
  return objectiveOf(answer.loss, decay, next, vectors);
}

/** Length of the published line search; the direction is `scale` times `direction`. */
export async function publishedLength(model: BatchModel, scale: number, last: number): Promise<number | Failure> {
  const { context, gradient, direction, loss } = model;
  const { parameters, rows, rate, decay, vectors } = context;
  const start = objectiveOf(loss, decay, parameters, vectors) / rows;
  const slope = (scale * dot(gradient, direction)) / rows;
  let length = Math.min(GROWTH * last, rate);
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const end = await objectiveAt(model, scale * length);
    if (typeof end === "object") return end;
    if (start - end / rows + Number.EPSILON >= -SUFFICIENT * length * slope) break;
    length *= SHRINK;
  }
  return length;
}

/** The damping after a step of this length along the direction d of (G + decay I + damping I) d = -gradient. */
export async function adaptedDamping(model: BatchModel, length: number, lambda: number): Promise<number | Failure> {
  const { context, gradient, direction, loss, damping } = model;
  const { parameters, decay, vectors } = context;
  const end = await objectiveAt(model, length);
  if (typeof end === "object") return end;
  const slope = dot(gradient, direction);
  // d^T (G + decay I) d, from the system that d solves.
  const quadratic = -slope - damping * dot(direction, direction);
  const gain = (end - objectiveOf(loss, decay, parameters, vectors)) / (length * slope + 0.5 * length ** 2 * quadratic);
  if (gain < LOW_GAIN) return RAISE * lambda;
  return gain > HIGH_GAIN ? LOWER * lambda : lambda;
}

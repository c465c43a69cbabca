// Checks the arguments of the reference engine, at the beginning of each of its calls (engine.ts, curvature/, passes.ts), by the same rules as the
// binding of the native engine, so that misuse is the same GAUSSFLOW_ARGUMENT error with both engines, and never a wrong number or a
// numerical failure.
import { argumentError } from "../../errors.js";
import { targetCount } from "../../loss/target-rules.js";
import type { Architecture } from "../../network/architecture.js";
import { checkRequest, type RequestSizes } from "../check-request.js";
import type { Curvature, Precision } from "../curvature.js";
import type { EngineData, LinearizeRequest, SolveRequest } from "../engine.js";
import { checkCorrection } from "../low-rank.js";
import { checkSampledSolve } from "../sampled.js";
import { checkTolerance, singleTolerance } from "../single.js";
import { checkSlots } from "../slots.js";

const CURVATURES: readonly Curvature[] = ["none", "primal", "dual", "orthogonal", "matrix-free", "sampled"];

/** A Float64Array of exactly `length` elements. */
export function checkArray(name: string, value: unknown, length: number): void {
  if (!(value instanceof Float64Array)) throw argumentError(name, "must be a Float64Array", value);
  if (value.length !== length) throw argumentError(name, `must have ${length} elements`, value);
}

/** One or more rows of `width` elements; how many. */
export function checkRows(name: string, value: unknown, width: number): number {
  if (!(value instanceof Float64Array)) throw argumentError(name, "must be a Float64Array", value);
  if (value.length === 0 || value.length % width !== 0)
    throw argumentError(name, `must have one or more rows of ${width} elements`, value);
  return value.length / width;
}

function checkCount(name: string, value: unknown, least: number, most: number): void {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most)
    throw argumentError(name, `must be a whole number from ${least} to ${most}`, value);
}

export function checkNonNegative(name: string, value: unknown): void {
  if (typeof value !== "number" || !(value >= 0) || value === Number.POSITIVE_INFINITY)
    throw argumentError(name, "must be a finite number of at least 0", value);
}

export function checkData({ inputSize, outputSize }: Architecture, data: EngineData): void {
  const { sampleCount, inputs, targets, weights, slots } = data;
  checkCount("sampleCount", sampleCount, 1, 2 ** 31 - 1);
  if (data.file === undefined) {
    checkArray("inputs", inputs, sampleCount * inputSize);
    checkArray("targets", targets, sampleCount * targetCount(data.loss, outputSize));
  }
  if (weights !== undefined) checkArray("weights", weights, sampleCount);
  if (slots !== undefined) checkSlots("slots", slots, sampleCount);
}

/** The scaling state; with `count` 0 it is not looked at. */
export function checkScaling(scaling: Float64Array | null, count: number): void {
  if (scaling !== null && count > 0) checkArray("scaling", scaling, count);
}

/** All but the scaling, whose length depends on the curvature. */
export function checkLinearize(request: LinearizeRequest, sizes: RequestSizes): void {
  const { curvature, decay } = request;
  const { exactMeasureBelow = Number.POSITIVE_INFINITY } = request;
  if (!CURVATURES.includes(curvature))
    throw argumentError("curvature", `must be one of ${CURVATURES.join(", ")}`, curvature);
  checkRequest(request, sizes);
  checkNonNegative("decay", decay);
  if (!(exactMeasureBelow >= 0))
    throw argumentError("exactMeasureBelow", "must be a number of at least 0", exactMeasureBelow);
}

/** The curvature that a solve is checked against. */
interface HeldCurvature {
  readonly kind: Curvature;
  readonly precision: Precision;
  /** Entries of the scaling D. */
  readonly scalingCount: number;
}

export function checkSolve({ kind, precision, scalingCount }: HeldCurvature, p: number, request: SolveRequest): void {
  const { damping, decay, scaling, tolerance = singleTolerance, correction = null, condition = false } = request;
  checkCorrection(correction, kind, precision, condition, p);
  checkTolerance(tolerance);
  checkNonNegative("damping", damping);
  checkNonNegative("decay", decay);
  checkSampledSolve(kind, request);
  checkScaling(scaling, scalingCount);
}

/** Samples [first, first + count) of `sampleCount`. */
export function checkSpan(first: number, count: number, sampleCount: number): void {
  checkCount("first", first, 0, sampleCount - 1);
  checkCount("count", count, 1, sampleCount - first);
}

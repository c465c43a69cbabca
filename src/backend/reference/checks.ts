// Checks the arguments of the reference engine, at the beginning of each of its calls (engine.ts, passes.ts), by the same rules as the
// binding of the native engine, so that misuse is the same GAUSSFLOW_ARGUMENT error with both engines, and never a wrong number or a
// numerical failure.
import { argumentError } from "../../errors.js";
import type { Architecture } from "../../network/architecture.js";
import { checkRequest } from "../check-request.js";
import type { Curvature, Precision } from "../curvature.js";
import type { EngineData, LinearizeRequest, SolveRequest } from "../engine.js";
import { checkCorrection } from "../low-rank.js";
import { checkTolerance, singleTolerance } from "../single.js";
import { checkSlots } from "../slots.js";

const CURVATURES: readonly Curvature[] = ["none", "primal", "dual", "orthogonal", "matrix-free"];

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
    checkArray("targets", targets, sampleCount * outputSize);
  }
  if (weights !== undefined) checkArray("weights", weights, sampleCount);
  if (slots !== undefined) checkSlots("slots", slots, sampleCount);
}

/** The scaling state: one entry a layer in the dual route, else one a parameter. */
function checkScaling(architecture: Architecture, curvature: Curvature, scaling: Float64Array | null): void {
  if (scaling === null || curvature === "none") return;
  checkArray("scaling", scaling, curvature === "dual" ? architecture.layers.length : architecture.parameterCount);
}

export function checkLinearize(
  architecture: Architecture,
  request: LinearizeRequest,
  sampleCount: number,
  slots: number,
): void {
  const { curvature, decay, scaling } = request;
  const { exactMeasureBelow = Number.POSITIVE_INFINITY } = request;
  if (!CURVATURES.includes(curvature))
    throw argumentError("curvature", `must be one of ${CURVATURES.join(", ")}`, curvature);
  checkRequest(request, sampleCount, slots);
  checkNonNegative("decay", decay);
  if (!(exactMeasureBelow >= 0))
    throw argumentError("exactMeasureBelow", "must be a number of at least 0", exactMeasureBelow);
  checkScaling(architecture, curvature, scaling);
}

export function checkSolve(
  architecture: Architecture,
  route: Curvature,
  precision: Precision,
  request: SolveRequest,
): void {
  const { damping, decay, scaling, tolerance = singleTolerance, correction = null, condition = false } = request;
  checkCorrection(correction, route, precision, condition, architecture.parameterCount);
  checkTolerance(tolerance);
  checkNonNegative("damping", damping);
  checkNonNegative("decay", decay);
  checkScaling(architecture, route, scaling);
  if (route === "dual" && scaling !== null && decay > 0)
    throw argumentError("decay", "must be 0 with layer factors in the dual route", decay);
}

/** Samples [first, first + count) of `sampleCount`. */
export function checkSpan(first: number, count: number, sampleCount: number): void {
  checkCount("first", first, 0, sampleCount - 1);
  checkCount("count", count, 1, sampleCount - first);
}

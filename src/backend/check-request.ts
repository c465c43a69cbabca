// Checks what a linearization requests of its curvature, for both engines at the start of `linearize`: precision, subset, slots, sampled
// rows and moving average restrict one another.
import type { LinearizeRequest } from "./engine.js";
import { checkAccumulation } from "./moving-average.js";
import { checkSampled } from "./sampled.js";
import { checkPrecision } from "./single.js";
import { checkSlotted } from "./slots.js";
import { checkSubset } from "./subset.js";

/** What a request is for. */
export interface RequestSizes {
  readonly sampleCount: number;
  readonly outputSize: number;
  readonly slots: number;
}

/** @throws GAUSSFLOW_ARGUMENT naming the field, the rule and the value */
export function checkRequest(request: LinearizeRequest, { sampleCount, outputSize, slots }: RequestSizes): void {
  const { curvature, precision = "double", subset = null } = request;
  checkPrecision(curvature, precision);
  checkSubset(curvature, precision, subset, sampleCount);
  checkSlotted(slots, request);
  checkSampled(request, sampleCount * outputSize);
  checkAccumulation(request);
}

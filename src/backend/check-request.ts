// Checks what a linearization requests of its curvature, for both engines at the start of `linearize`: precision, subset, slots, ranks,
// sampled rows and moving average restrict one another.
import type { LinearizeRequest } from "./engine.js";
import { checkAccumulation } from "./moving-average.js";
import { checkRanked } from "./ranks.js";
import { checkSampled } from "./sampled.js";
import { checkPrecision } from "./single.js";
import { checkSlotted } from "./slots.js";
import { checkSubset } from "./subset.js";

/** What a request is for. */
export interface RequestSizes {
  readonly sampleCount: number;
  readonly outputSize: number;
  readonly slots: number;
  /** Whether other processes have a part of the samples. Default false. */
  readonly ranked?: boolean | undefined;
}

/** @throws GAUSSFLOW_ARGUMENT naming the field, the rule and the value */
export function checkRequest(request: LinearizeRequest, sizes: RequestSizes): void {
  const { sampleCount, outputSize, slots, ranked = false } = sizes;
  const { curvature, precision = "double", subset = null } = request;
  checkPrecision(curvature, precision);
  checkSubset(curvature, precision, subset, sampleCount);
  checkRanked(ranked, request);
  checkSlotted(slots, request);
  checkSampled(request, sampleCount * outputSize);
  checkAccumulation(request);
}

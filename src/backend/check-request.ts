// Checks what a linearization requests of its curvature, for both engines at the start of `linearize`: precision, subset and slots restrict
// one another.
import type { LinearizeRequest } from "./engine.js";
import { checkPrecision } from "./single.js";
import { checkSlotted } from "./slots.js";
import { checkSubset } from "./subset.js";

/** @throws GAUSSFLOW_ARGUMENT naming the field, the rule and the value */
export function checkRequest(request: LinearizeRequest, sampleCount: number, slots: number): void {
  const { curvature, precision = "double", subset = null } = request;
  checkPrecision(curvature, precision);
  checkSubset(curvature, precision, subset, sampleCount);
  checkSlotted(slots, request);
}

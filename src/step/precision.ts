// When the primal curvature is formed and factored in single precision (`../backend/single.ts`): by sizes, and by what has failed.
//
// Single precision halves the Gram and the factorization, some n c p^2 flops, and costs a few products with J and J^T a step, 4 n c p
// flops each and far from the rate of matrix products: it pays from some hundreds of parameters on, whatever n. Its factor serves
// until the damping no longer holds the condition of the scaled matrix below some 1/eps32. Where a step came back as imprecise or
// indefinite the same point is linearized in double, and single precision is tried again once the damping is ten times of what it
// was there.

import type { Precision } from "../backend/curvature.js";
import type { Engine } from "../backend/engine.js";
import type { Problem } from "../linearize/problem.js";
import type { TrialHistory } from "./trial-history.js";

/** `auto`: single where the rule of this file finds that it pays; `double`: never. */
export type PrecisionChoice = "auto" | "double";

/** Measured on two cores of an AMD EPYC (Zen 4) by `node bench/precision.mjs`. */
const leastParameters = 500;
const recovery = 10;

/** Whether a run in this route with so many parameters uses single precision at all. An estimated condition wants the double factor. */
export function singlePays(
  {
    route,
    engine,
    condition,
  }: Pick<Problem, "route" | "condition"> & { readonly engine: Pick<Engine, "parameterCount"> },
  choice: PrecisionChoice | undefined,
): boolean {
  return choice === "auto" && route === "primal" && !condition && engine.parameterCount >= leastParameters;
}

/** The precision for a linearization whose first step will have this damping; the records tell what failed, also after a resume. */
export function nextPrecision(damping: number, records: readonly TrialHistory[]): Precision {
  const failure = records.findLast(({ precision }) => precision?.used === "double" && precision.fallback !== null);
  return failure === undefined || damping >= recovery * failure.damping ? "single" : "double";
}

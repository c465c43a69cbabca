// Decides when the primal curvature is formed and factored in single precision (`../backend/single.ts`), from sizes and from earlier
// failures. Levenberg-Marquardt's fidelity.ts calls it before each linearization.
//
// Single precision halves the time of the Gram matrix and its factorization, about n c p^2 flops. It costs a few products with J and J^T a
// step, at 4 n c p flops each and far below the rate of matrix products. It pays from some hundreds of parameters on, for any n. Its factor
// is good enough as long as the damping keeps the condition of the scaled matrix below about 1/eps32. After a step that was imprecise or
// indefinite, the same point is linearized in double, and single precision is used again once the damping is ten times the damping of that
// failure.

import type { Precision } from "../backend/curvature.js";
import type { RunSizes } from "./fidelity.js";
import type { TrialHistory } from "./trial-history.js";

/** `auto`: single precision where the rule of this file chooses it; `double`: always double precision. */
export type PrecisionChoice = "auto" | "double";

/** Measured on two cores of an AMD EPYC (Zen 4) by `node bench/precision.mjs`. */
const leastParameters = 500;
const recovery = 10;

/** True if a run of these sizes may use single precision. A condition estimate needs the double factor. */
export function singlePays(
  { route, condition, parameterCount }: Pick<RunSizes, "route" | "condition" | "parameterCount">,
  choice: PrecisionChoice,
): boolean {
  return choice === "auto" && route === "primal" && !condition && parameterCount >= leastParameters;
}

/** The precision of a linearization whose first step will have this damping. Failures are read from the records, also after a resume. */
export function nextPrecision(damping: number, records: readonly TrialHistory[]): Precision {
  const failure = records.findLast(({ precision }) => precision?.used === "double" && precision.fallback !== null);
  return failure === undefined || damping >= recovery * failure.damping ? "single" : "double";
}

// The planner: which route solves the steps, and what it costs, before anything runs.
//
//   primal  n c p^2 + p^3/3 flops, matrix p x p      dual  kernel from layer products, matrix n c x n c     (method.md 3)
//
// The smaller matrix wins: p <= n c takes primal, else dual. Bytes count the matrix and its factor.
import { memoryCeiling } from "../backend/memory.js";
import type { EngineRoute } from "./problem.js";

export interface Plan {
  readonly route: EngineRoute;
  readonly parameterCount: number;
  /** n c. */
  readonly equationCount: number;
  /** Curvature and factor. */
  readonly bytes: number;
  /** One sentence that says why. */
  readonly because: string;
}

/** Plans the route for p parameters and n c equations; `asked` overrides the choice. */
export function planRoute(parameterCount: number, equationCount: number, asked: "auto" | EngineRoute = "auto"): Plan {
  const route = asked === "auto" ? (parameterCount <= equationCount ? "primal" : "dual") : asked;
  const order = route === "primal" ? parameterCount : equationCount;
  // Matrix-free: about a dozen vectors of either size.
  const bytes = route === "matrix-free" ? 12 * 8 * (parameterCount + equationCount) : 2 * 8 * order ** 2;
  const sign = parameterCount <= equationCount ? "at most" : "more than";
  const because =
    asked === "auto"
      ? `${parameterCount} parameters are ${sign} ${equationCount} equations`
      : `the caller asked for the ${route} route`;
  return { route, parameterCount, equationCount, bytes, because };
}

/** Bytes for people: MiB below one GiB. */
export function showBytes(bytes: number): string {
  const mebibytes = bytes / 2 ** 20;
  return mebibytes < 1024 ? `${Math.max(1, Math.round(mebibytes))} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}

/**
 * The sentence for a plan that can not fit what this process may have (a container's limit counts), or null.
 * The engine itself reports what it can not get.
 */
export function memoryProblem(plan: Plan, available: number = memoryCeiling()): string | null {
  if (plan.bytes <= available) return null;
  return `the ${plan.route} route needs ${showBytes(plan.bytes)} for its matrix and factor (${plan.because}), and this machine has ${showBytes(available)}: use fewer ${plan.route === "primal" ? "parameters" : "samples"}`;
}

// Runs the library's loop on a residual function to the end, with the engine of fits (src/fit/residual-engine.ts): tests of the loop and of the methods
// use it for problems whose answers are certified.

import { ResidualEngine } from "../../src/fit/residual-engine.js";
import type { Method } from "../../src/method/method.js";
import { minimize } from "../../src/train/minimize.js";
import type { MinimizeResult } from "../../src/train/minimize-options.js";
import { type StopOptions, stopRules } from "../../src/train/stop.js";

/** A residual function that returns a fresh array. */
export interface ResidualProblem {
  readonly parameterCount: number;
  readonly residualCount: number;
  residual(w: Float64Array): Float64Array;
}

/** The engine of fits on such a function, without derivatives. */
export class ProblemEngine extends ResidualEngine {
  constructor({ parameterCount, residualCount, residual }: ResidualProblem) {
    const residuals = (w: Float64Array, out: Float64Array) => out.set(residual(w));
    super({
      function: { count: residualCount, parameterCount, residuals, columns: null },
      start: new Float64Array(parameterCount),
    });
  }
}

export async function minimizeDense(
  problem: ResidualProblem,
  start: readonly number[],
  method: Method,
  stop: StopOptions = {},
): Promise<MinimizeResult> {
  const steps = minimize(new ProblemEngine(problem), Float64Array.from(start), {
    method,
    stop: stopRules(stop),
    route: "primal",
    decay: 0,
  });
  for (;;) {
    const next = await steps.next();
    if (next.done) return next.value;
  }
}

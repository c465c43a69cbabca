// Runs the library's loop on a dense residual problem to the end.
import type { Method } from "../../src/method/method.js";
import { minimize } from "../../src/train/minimize.js";
import type { MinimizeResult } from "../../src/train/minimize-options.js";
import { type StopOptions, stopRules } from "../../src/train/stop.js";
import { DenseEngine, type ResidualProblem } from "./dense-engine.js";

export async function minimizeDense(
  problem: ResidualProblem,
  start: readonly number[],
  method: Method,
  stop: StopOptions = {},
): Promise<MinimizeResult> {
  const steps = minimize(new DenseEngine(problem), Float64Array.from(start), {
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

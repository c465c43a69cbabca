// Runs one minimization of a fit, from one start to its end, by the loop of `train` on the engine of fits. fit.ts calls it for the given start, and for
// others where it has to.

import { type Loss, lossRule } from "../loss/rules.js";
import { levenbergMarquardt } from "../method/levenberg-marquardt/levenberg-marquardt.js";
import type { Method } from "../method/method.js";
import type { TrainRecord } from "../run/record.js";
import { minimize } from "../train/minimize.js";
import type { MinimizeResult } from "../train/minimize-options.js";
import type { StopRules } from "../train/stop.js";
import type { FitSetup } from "./fit-setup.js";
import { ResidualEngine } from "./residual-engine.js";

/** What all minimizations of a fit share. */
export interface LegSettings {
  readonly method: Method | undefined;
  readonly stop: StopRules;
  readonly signal: AbortSignal | undefined;
  /** Whether the start is near the end: then the first damping is small, and the first differences are central. Default false. */
  readonly near?: boolean | undefined;
  readonly onRecord: ((record: TrainRecord) => void | Promise<void>) | undefined;
}

/** One minimization at its end. */
export interface Leg {
  readonly engine: ResidualEngine;
  readonly result: MinimizeResult;
  /** Best parameters, p. */
  readonly b: Float64Array;
  /** Sum of the losses there; infinite where there is none. */
  readonly objective: number;
}

/** The method of fits. The secant correction is off with bounds, where the gradient does not show the curvature along the step. */
function fitMethod(bounded: boolean, near: boolean): Method {
  return levenbergMarquardt({
    scaling: "marquardt",
    initialDamping: near ? 1e-9 : 1e-3,
    precision: "double",
    residualCurvature: bounded ? "none" : "auto",
  });
}

/** Minimizes from `start`, with this loss. */
export async function runLeg(
  setup: FitSetup,
  start: Float64Array,
  loss: Loss,
  { near = false, method = fitMethod(setup.box !== null, near), stop, signal, onRecord }: LegSettings,
): Promise<Leg> {
  const rule = lossRule(loss);
  const roots = setup.weights?.map(Math.sqrt) ?? null;
  const { function: of, free, sizes, box } = setup;
  const engine = new ResidualEngine({ function: of, start, free, sizes, box, rule, roots, order: near ? 2 : 1 });
  const steps = minimize(engine, engine.toEngine(start), {
    method,
    stop,
    route: "primal",
    decay: 0,
    sumOfSquares: rule.sumOfSquares,
    convex: rule.convex,
    ...(signal === undefined ? {} : { signal }),
    ...(onRecord === undefined ? {} : { observer: { onRecord } }),
  });
  for (;;) {
    const next = await steps.next();
    if (!next.done) continue;
    const { best } = next.value;
    const objective = Number.isFinite(best.value) ? best.value : Number.POSITIVE_INFINITY;
    return { engine, result: next.value, b: engine.toParameters(best.parameters), objective };
  }
}

// Finds the place of a number that is not finite and makes the `non-finite` failure of it. Both engines call it when a result has such a
// number.

import { finishInTurns, type Pace } from "../event-loop-yield.js";
import type { Architecture } from "../network/architecture.js";
import { diagnoseSteps } from "../network/diagnose.js";
import { describeNonFinite, type Failure, type NonFinite } from "./engine.js";

/**
 * Looks through parameters and samples in turns with the event loop. `what` is the quantity in which the engine met it: named where passes
 * and loss are finite. `squares`: whether the loss is squared error.
 * @param inputs gives rows [first, first + count), row-major
 * @throws the signal's reason once it has been aborted
 */
export async function locateNonFinite(
  architecture: Architecture,
  parameters: Float64Array,
  inputs: (first: number, count: number) => Float64Array,
  sampleCount: number,
  { what, squares }: { readonly what: NonFinite["what"]; readonly squares: boolean },
  pace: Pace,
): Promise<Failure> {
  const found = await finishInTurns(diagnoseSteps(architecture, parameters, inputs, sampleCount, squares), pace);
  const where: NonFinite = found.what === "loss" && what !== "loss" ? { what } : found;
  return { code: "non-finite", where, message: describeNonFinite(where) };
}

// Finds the place of a number that is not finite and makes the `non-finite` failure of it. Both engines call it when a result has such a
// number.

import { finishInTurns, type Pace } from "../event-loop-yield.js";
import type { Architecture } from "../network/architecture.js";
import { diagnoseSteps } from "../network/diagnose.js";
import { describeNonFinite, type Failure, type NonFinite } from "./engine.js";
import type { RowRange } from "./ranks.js";

/**
 * Looks through parameters and samples in turns with the event loop. `what` is the quantity in which the engine met it: named where passes
 * and loss are finite. `squares`: whether the loss is squared error.
 * @param inputs gives rows [first, first + count) of `rows`, counted from its first, row-major
 * @param rows which of the data's they are
 * @throws the signal's reason once it has been aborted
 */
export async function locateNonFinite(
  architecture: Architecture,
  parameters: Float64Array,
  inputs: (first: number, count: number) => Float64Array,
  rows: RowRange,
  { what, squares }: { readonly what: NonFinite["what"]; readonly squares: boolean },
  pace: Pace,
): Promise<Failure> {
  const found = await finishInTurns(diagnoseSteps(architecture, parameters, inputs, rows.count, squares), pace);
  const here = found.sample === undefined ? found : { ...found, sample: rows.first + found.sample };
  const where: NonFinite = found.what === "loss" && what !== "loss" ? { what } : here;
  return { code: "non-finite", where, message: describeNonFinite(where) };
}

/** The failure that another rank of an MPI run has met. */
export function nonFiniteElsewhere(what: NonFinite["what"], rank: number): Failure {
  const where: NonFinite = { what, rank };
  return { code: "non-finite", where, message: describeNonFinite(where) };
}

// Copies selected rows of a row-major matrix, for parts of data sets (select.ts), the predictions of folds (cross-validate.ts) and samples
// drawn for a run (sample-engine.ts).
import { finish, STEP, type Steps } from "../event-loop-yield.js";

/** The given rows, in their order, of row-major values: a copy. */
export function pickRows(from: Float64Array, rows: ArrayLike<number>, width: number): Float64Array {
  return finish(pickRowSteps(from, rows, width));
}

/** The same in pieces. */
export function* pickRowSteps(from: Float64Array, rows: ArrayLike<number>, width: number): Steps<Float64Array> {
  const out = new Float64Array(rows.length * width);
  const piece = Math.max(1, Math.floor(STEP / Math.max(1, width)));
  for (let first = 0; first < rows.length; first += piece) {
    copyRows(from, rows, first, Math.min(rows.length, first + piece), width, out);
    yield;
  }
  return out;
}

function copyRows(
  from: Float64Array,
  rows: ArrayLike<number>,
  first: number,
  end: number,
  width: number,
  out: Float64Array,
): void {
  // Number by number: views of a million rows of a few numbers take twenty times as long.
  for (let k = first, at = first * width; k < end; k++)
    for (let j = 0, place = rows[k]! * width; j < width; j++) out[at++] = from[place++]!;
}

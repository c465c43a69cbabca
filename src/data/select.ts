// Makes the fields of a part of a data set from row numbers, in pieces that yield to the event loop. dataset.ts calls it for every split,
// fold and selection.
import { STEP, type Steps } from "../event-loop-yield.js";
import type { DatasetFields } from "./dataset-fields.js";
import { pickRowSteps } from "./rows.js";

/** The fields of the given rows (from 0, checked), copied. Filled-in values and encoding stay as they are. */
export function* selectSteps(from: DatasetFields, indices: ArrayLike<number>): Steps<DatasetFields> {
  const [d, c] = [from.featureNames.length, from.targetNames.length];
  const count = indices.length;
  const { rows = null, parts = null, groups = null, order = null, missing = null, gradients = null } = from;
  return {
    ...from,
    inputs: yield* pickRowSteps(from.inputs, indices, d),
    targets: yield* pickRowSteps(from.targets, indices, c),
    weights: from.weights && (yield* pickRowSteps(from.weights, indices, 1)),
    gradients: gradients && (yield* pickRowSteps(gradients, indices, c * d)),
    rows: rows && (yield* pickSteps(rows, new Uint32Array(count), indices)),
    parts: parts && (yield* pickSteps(parts, new Uint8Array(count), indices)),
    groups: groups && (yield* pickSteps(groups, new Uint32Array(count), indices)),
    order: order && (yield* pickRowSteps(order, indices, 1)),
    missing: missing && (yield* missingSteps(missing, indices, d)),
  };
}

function* pickSteps<Codes extends Uint32Array | Uint8Array>(
  from: Codes,
  to: Codes,
  indices: ArrayLike<number>,
): Steps<Codes> {
  for (let i = 0; i < indices.length; i++) {
    to[i] = from[indices[i]!]!;
    if (i % STEP === STEP - 1) yield;
  }
  return to;
}

/** Places of missing values among the picked rows; `missing` is ascending. */
function* missingSteps(missing: Uint32Array, indices: ArrayLike<number>, d: number): Steps<Uint32Array> {
  const found: number[] = [];
  for (let i = 0; i < indices.length; i++) {
    const start = indices[i]! * d;
    for (let at = lowerBound(missing, start); at < missing.length && missing[at]! < start + d; at++)
      found.push(i * d + missing[at]! - start);
    if (i % SEARCHED === SEARCHED - 1) yield;
  }
  return new Uint32Array(found);
}

/** Rows of a piece of that search. */
const SEARCHED = STEP / 16;

/** The first entry that is not below `bound`. */
function lowerBound(ascending: Uint32Array, bound: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Draws parts and folds of a classification in which every class has its share (stratified). split.ts and folds.ts call it for data sets of
// classes that have neither groups nor an order.
//   part of size S: class k gets S n_k / n rows, rounded by the largest remainders, so that the part has exactly S rows
//   folds: the rows, sorted by class in the drawn sequence, are dealt out in turn; sizes differ by at most 1, those of each class too
import { STEP, type Steps } from "../event-loop-yield.js";
import { classCodeSteps } from "./classes.js";

/** What is known of the classes of the rows. */
export interface ClassedRows {
  /** One-hot, n x c. */
  readonly targets?: Float64Array;
  /** The c classes; null or left out for a regression. */
  readonly classes?: readonly string[] | null;
}

/** The class of each row, a place from 0; null without classes. */
export function* classOfRowSteps({ targets, classes }: ClassedRows): Steps<Uint32Array | null> {
  if (classes === null || classes === undefined || targets === undefined) return null;
  return yield* classCodeSteps(targets, classes.length);
}

/**
 * Part of each row: 2 = test, 1 = validation, 0 = train. Every class keeps a row to train on, as long as other classes have rows enough for
 * the parts.
 * @param sequence all rows in the drawn order: rows are taken from its front
 */
export function* stratifiedParts(
  sequence: Uint32Array,
  codes: Uint32Array,
  classCount: number,
  sizes: { readonly validation: number; readonly test: number },
): Steps<Uint8Array> {
  const n = sequence.length;
  const counts = new Float64Array(classCount);
  // Equal remainders are decided by the draw.
  const order: number[] = [];
  for (let k = 0; k < n; k++) {
    const code = codes[sequence[k]!]!;
    if (counts[code]!++ === 0) order.push(code);
    if (k % STEP === STEP - 1) yield;
  }
  const test = apportion(sizes.test, counts, counts, order);
  const left = counts.map((count, code) => count - test[code]!);
  const validation = apportion(sizes.validation, counts, left, order);
  const parts = new Uint8Array(n);
  for (let k = 0; k < n; k++) {
    const row = sequence[k]!;
    const code = codes[row]!;
    if (test[code]! > 0) {
      test[code]!--;
      parts[row] = 2;
    } else if (validation[code]! > 0) {
      validation[code]!--;
      parts[row] = 1;
    }
    if (k % STEP === STEP - 1) yield;
  }
  return parts;
}

/**
 * `total` rows divided among the classes in proportion to `counts`, by the largest remainders. No class gives its last row of `left` while
 * another has one to spare.
 */
function apportion(total: number, counts: Float64Array, left: Float64Array, order: readonly number[]): Float64Array {
  const n = counts.reduce((sum, count) => sum + count, 0);
  const quota = (code: number) => (total * counts[code]!) / n;
  const given = counts.map((_, code) => Math.min(Math.floor(quota(code)), Math.max(0, left[code]! - 1)));
  let rest = total - given.reduce((sum, count) => sum + count, 0);
  const place = new Map(order.map((code, k) => [code, k]));
  for (const spare of [1, 0])
    while (rest > 0) {
      const able = order.filter((code) => given[code]! < left[code]! - spare);
      if (able.length === 0) break;
      able.sort((a, b) => quota(b) - given[b]! - (quota(a) - given[a]!) || place.get(a)! - place.get(b)!);
      for (const code of able.slice(0, rest)) given[code]!++;
      rest -= Math.min(rest, able.length);
    }
  return given;
}

/** For each row, which of `count` folds holds it out. */
export function* stratifiedFoldSteps(
  sequence: Uint32Array,
  codes: Uint32Array,
  classCount: number,
  count: number,
): Steps<Uint32Array> {
  const n = sequence.length;
  // Where the rows of each class begin once they are sorted by class.
  const starts = new Uint32Array(classCount + 1);
  for (const code of codes) starts[code + 1]!++;
  for (let code = 0; code < classCount; code++) starts[code + 1]! += starts[code]!;
  const folds = new Uint32Array(n);
  for (let k = 0; k < n; k++) {
    const row = sequence[k]!;
    folds[row] = starts[codes[row]!]!++ % count;
    if (k % STEP === STEP - 1) yield;
  }
  return folds;
}

// Divides the rows 0 ... n-1 into training, validation and test rows. dataset.ts calls it for `split` and for the validation part of a
// training, folds.ts for groups and orders, and train/plan.ts for the rows that a planned run would hold out. A split is a function of (n,
// fractions, seed) and of groups, order or classes, and every part keeps the order of the table.
import { argumentError, GaussflowError } from "../errors.js";
import { finish, STEP, type Steps } from "../event-loop-yield.js";
import { checkBoolean, checkOptionNames } from "../options.js";
import { permutationSteps, Random } from "../random.js";
import { type ClassedRows, classOfRowSteps, stratifiedParts } from "./stratify.js";

/** Random stream of splits: other uses of the same seed (initial parameters) take other streams. */
const SPLIT_STREAM = 1;

/** Codes of the parts, as a split column stores them. */
export const PART_NAMES = ["train", "validation", "test"] as const;

/** How `Dataset.split` draws its parts. */
export interface SplitOptions {
  /** Fraction of the rows, in [0, 1); 0 = none. Default 0. */
  readonly validation?: number | undefined;
  /** Fraction of the rows, in [0, 1); 0 = none. Default 0. */
  readonly test?: number | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
  /**
   * Every part has the same shares of each class, and every class keeps a row to train on where that is possible. Default: true for a data set
   * of classes without groups and without an order, which decide themselves.
   */
  readonly stratify?: boolean | undefined;
}

/** Row numbers from 0, ascending; null = no such part. */
export interface Partition {
  readonly train: Uint32Array;
  readonly validation: Uint32Array | null;
  readonly test: Uint32Array | null;
}

function fraction(name: string, value: number | undefined): number {
  if (value === undefined) return 0;
  if (typeof value !== "number" || !(value >= 0 && value < 1))
    throw argumentError(name, "must be a fraction of the rows, at least 0 and below 1", value);
  return value;
}

/** The relations between the rows of a data set: groups or an order, not both. */
export interface RowRelations extends ClassedRows {
  /** Group of each row; all rows of a group belong to the same part. */
  readonly groups: Uint32Array | null;
  /** Order of the rows; the last of them are held out. */
  readonly order: Float64Array | null;
}

/** @throws GAUSSFLOW_ARGUMENT where parts or folds cannot be stratified */
export function checkStratify(stratify: boolean | undefined, { classes, groups, order }: RowRelations): boolean {
  const possible = classes !== null && classes !== undefined && groups === null && order === null;
  if (stratify === undefined) return possible;
  checkBoolean("options.stratify", stratify);
  if (stratify && !possible)
    throw argumentError(
      "options.stratify",
      "must be left out or false for a data set without classes, or with groups or an order, which decide themselves what is held out",
      stratify,
    );
  return stratify;
}

const UNRELATED: RowRelations = { groups: null, order: null };

/** Rows that are sorted at once; longer stretches are merged in pieces. */
const RUN = STEP / 8;

/** Row numbers in rising order of `order`, in pieces; rows of equal value stay in the order of the table. */
export function* sortedRowSteps(order: Float64Array): Steps<Uint32Array> {
  const n = order.length;
  let rows = new Uint32Array(n);
  for (let first = 0; first < n; first += RUN) {
    const run = rows.subarray(first, first + RUN);
    for (let i = 0; i < run.length; i++) run[i] = first + i;
    run.sort((a, b) => order[a]! - order[b]! || a - b);
    yield;
  }
  let merged = new Uint32Array(n);
  for (let width = RUN; width < n; width *= 2) {
    for (let start = 0; start < n; start += 2 * width) {
      const [middle, end] = [Math.min(n, start + width), Math.min(n, start + 2 * width)];
      let [left, right] = [start, middle];
      for (let k = start; k < end; k++) {
        const takesRight = left === middle || (right < end && order[rows[right]!]! < order[rows[left]!]!);
        merged[k] = rows[takesRight ? right++ : left++]!;
        if (k % STEP === STEP - 1) yield;
      }
    }
    [rows, merged] = [merged, rows];
  }
  return rows;
}

/** The rows of each group, ascending, in pieces; groups in the order of their first rows. */
export function* groupSteps(groups: Uint32Array): Steps<number[][]> {
  const rows = new Map<number, number[]>();
  for (let row = 0; row < groups.length; row++) {
    const list = rows.get(groups[row]!);
    if (list === undefined) rows.set(groups[row]!, [row]);
    else list.push(row);
    if (row % RUN === RUN - 1) yield;
  }
  return [...rows.values()];
}

/**
 * Draws a partition of n rows. A requested part (fraction > 0) gets the nearest number of rows, at least one; with groups the
 * nearest that whole groups allow. Ordered rows are not drawn: the first train, then come those for validation, and the last are for test.
 * @throws GAUSSFLOW_ARGUMENT for fractions out of range, GAUSSFLOW_DATA when no row would be left to train on
 */
export function drawPartition(n: number, options: SplitOptions = {}, relations = UNRELATED): Partition {
  return finish(drawSteps(n, options, relations));
}

/** The same in pieces. */
export function* drawSteps(n: number, options: SplitOptions, relations: RowRelations): Steps<Partition> {
  checkOptionNames("options", options, ["validation", "test", "seed", "stratify"]);
  const stratify = checkStratify(options.stratify, relations);
  const validation = fraction("options.validation", options.validation);
  const test = fraction("options.test", options.test);
  const seed = options.seed ?? 0;
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw argumentError("options.seed", "must be an integer from 0 to 2^53 - 1", seed);
  if (validation + test >= 1)
    throw argumentError(
      "options.validation + options.test",
      "must be below 1, so that rows are left to train on",
      validation + test,
    );
  const rows = (part: number) => (part > 0 ? Math.max(1, Math.round(part * n)) : 0);
  const sizes = { validation: rows(validation), test: rows(test) };
  if (sizes.validation + sizes.test >= n)
    throw new GaussflowError(
      "GAUSSFLOW_DATA",
      `${n} ${n === 1 ? "row" : "rows"} cannot be split into ${sizes.validation} for validation, ${sizes.test} for test and at least one to train on; lower the fractions`,
      { rows: n, validation, test },
    );
  const random = new Random(seed, SPLIT_STREAM);
  if (relations.groups !== null)
    return yield* partitionSteps(drawGroups(yield* groupSteps(relations.groups), sizes, random, n));
  const { order } = relations;
  // Drawn rows are taken from the front, later rows from the back.
  const sequence = order === null ? yield* permutationSteps(random, n) : (yield* sortedRowSteps(order)).reverse();
  const codes = stratify ? yield* classOfRowSteps(relations) : null;
  if (codes !== null)
    return yield* partitionSteps(yield* stratifiedParts(sequence, codes, relations.classes!.length, sizes));
  // The places in the sequence decide the parts; collecting the rows by their part keeps the order of the table without a sort.
  const parts = new Uint8Array(n);
  for (let k = 0; k < n; k++) {
    parts[sequence[k]!] = k < sizes.test ? 2 : k < sizes.test + sizes.validation ? 1 : 0;
    if (k % STEP === STEP - 1) yield;
  }
  return yield* partitionSteps(parts);
}

/** Part of each row. */
function drawGroups(
  groups: readonly (readonly number[])[],
  sizes: { readonly validation: number; readonly test: number },
  random: Random,
  n: number,
): Uint8Array {
  const parts = 1 + Number(sizes.validation > 0) + Number(sizes.test > 0);
  if (groups.length < parts)
    throw new GaussflowError(
      "GAUSSFLOW_DATA",
      `${groups.length} ${groups.length === 1 ? "group" : "groups"} of rows cannot be split into ${parts} parts, for the rows of a group stay together`,
      { groups: groups.length, parts },
    );
  const order = random.permutation(groups.length);
  const codes = new Uint8Array(n);
  let next = 0;
  // A group is taken while it brings the part nearer to its size, the first in any case; one group must be left for each part to come.
  const take = (size: number, code: number, partsLeft: number): void => {
    let taken = 0;
    while (size > 0 && next < groups.length - partsLeft) {
      const group = groups[order[next]!]!;
      if (taken > 0 && taken + group.length - size > size - taken) break;
      for (const row of group) codes[row] = code;
      taken += group.length;
      next++;
    }
  };
  take(sizes.test, 2, parts - 1);
  take(sizes.validation, 1, 1);
  return codes;
}

/** The partition given by a column of part codes (positions in PART_NAMES). */
export function* partitionSteps(parts: Uint8Array): Steps<Partition> {
  const counts = [0, 0, 0];
  for (let i = 0; i < parts.length; i++) {
    counts[parts[i]!]!++;
    if (i % STEP === STEP - 1) yield;
  }
  const found = counts.map((count) => new Uint32Array(count)) as [Uint32Array, Uint32Array, Uint32Array];
  const next = [0, 0, 0];
  for (let i = 0; i < parts.length; i++) {
    const code = parts[i]!;
    found[code]![next[code]!++] = i;
    if (i % STEP === STEP - 1) yield;
  }
  const [train, validation, test] = found;
  return { train, validation: validation.length > 0 ? validation : null, test: test.length > 0 ? test : null };
}

/** Throws GAUSSFLOW_ARGUMENT where a row of a table of n is named twice. */
export function checkPartition(parts: Partition, n: number): void {
  const seen = new Uint8Array(n);
  for (const name of PART_NAMES) {
    const rows = parts[name];
    if (rows === null) continue;
    for (const row of rows) {
      if (seen[row] === 1)
        throw argumentError(`rows.${name}`, "must hold no row twice, nor a row of another part", row);
      seen[row] = 1;
    }
  }
}

// Which rows train, which decide when to stop, which are held out: index sets that partition 0 ... n-1.
// A split is a function of (n, fractions, seed) alone, and every part keeps the order of the table.
import { argumentError, GaussflowError } from "../errors.js";
import { checkOptionNames } from "../options.js";
import { Random } from "../random.js";

/** Random stream of splits: other uses of the same seed (initial parameters) take other streams. */
const SPLIT_STREAM = 1;

/** Codes of the parts, as a split column stores them. */
export const PART_NAMES = ["train", "validation", "test"] as const;

export interface SplitOptions {
  /** Fraction of the rows, in [0, 1); 0 = none. Default 0. */
  readonly validation?: number | undefined;
  /** Fraction of the rows, in [0, 1); 0 = none. Default 0. */
  readonly test?: number | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
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

/**
 * Draws a partition of n rows. A part that is asked for (fraction > 0) gets the nearest number of rows, at least one.
 * @throws GAUSSFLOW_ARGUMENT for fractions out of range, GAUSSFLOW_DATA when no row would be left to train on
 */
export function drawPartition(n: number, options: SplitOptions = {}): Partition {
  checkOptionNames("options", options, ["validation", "test", "seed"]);
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
  const validationRows = rows(validation);
  const testRows = rows(test);
  if (validationRows + testRows >= n)
    throw new GaussflowError(
      "GAUSSFLOW_DATA",
      `${n} ${n === 1 ? "row" : "rows"} cannot be split into ${validationRows} for validation, ${testRows} for test and at least one to train on; lower the fractions`,
      { rows: n, validation, test },
    );
  const order = new Random(seed, SPLIT_STREAM).permutation(n);
  const take = (from: number, count: number) => (count > 0 ? order.slice(from, from + count).sort() : null);
  return {
    test: take(0, testRows),
    validation: take(testRows, validationRows),
    train: order.slice(testRows + validationRows).sort(),
  };
}

/** The partition that a column of part codes (positions in PART_NAMES) tells. */
export function partitionOf(parts: Uint8Array): Partition {
  const order = Uint32Array.from(parts, (_, i) => i);
  const rows = (code: number) => order.filter((i) => parts[i] === code);
  const [train, validation, test] = [rows(0), rows(1), rows(2)];
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

// The folds of a k-fold cross-validation: every row is held out exactly once. What is learnt from a table (fills, means, ranges)
// is taken anew from the training rows of each fold, so that nothing of its held-out rows leaks in.
//   rows in an order drawn by the seed; fold i holds out places floor(i n / k) ... floor((i + 1) n / k) - 1 of it
// Source: Stone, "Cross-validatory choice and assessment of statistical predictions", J. R. Stat. Soc. B 36 (1974).
import { argumentError, GaussflowError } from "../errors.js";
import { checkCount } from "../options.js";
import { Random } from "../random.js";
import { Dataset } from "./dataset.js";

/** Random stream of folds: splits and initial parameters of the same seed take other streams. */
const FOLD_STREAM = 2;

/** One fold. */
export interface Fold {
  /** From 0. */
  readonly index: number;
  /** The rows that are trained on, with fills and encoding of their own. */
  readonly train: Dataset;
  /** The rows that are held out, filled and encoded as `train`. */
  readonly held: Dataset;
  /** Row numbers (from 0) of `held` in the whole data set, ascending. */
  readonly rows: Uint32Array;
}

/** Row numbers held out by each of `count` folds of n rows, ascending: disjoint, covering, of sizes that differ by at most 1. */
export function drawFolds(n: number, count: number, seed: number): Uint32Array[] {
  checkCount("folds", count, 2);
  checkCount("seed", seed, 0);
  if (count > n)
    throw new GaussflowError("GAUSSFLOW_DATA", `${n} rows cannot be cut into ${count} folds; ask for ${n} at most`, {
      rows: n,
      folds: count,
    });
  const order = new Random(seed, FOLD_STREAM).permutation(n);
  const edge = (fold: number) => Math.floor((fold * n) / count);
  return Array.from({ length: count }, (_, fold) => order.slice(edge(fold), edge(fold + 1)).sort());
}

/**
 * Cuts a data set into folds.
 * @throws GAUSSFLOW_ARGUMENT (count, seed, a table with a split column), GAUSSFLOW_DATA (more folds than rows, a fold whose weights are all zero)
 */
export function foldsOf(data: Dataset, count: number, seed = 0): Fold[] {
  if (!(data instanceof Dataset))
    throw argumentError("data", "must be a Dataset, as dataset() and readCsv() make them", data);
  if (data.parts !== null)
    throw argumentError("data", "must have no split column: its parts and the folds would contradict each other", data);
  return drawFolds(data.sampleCount, count, seed).map((rows, index) => {
    const out = new Set(rows);
    const rest = Uint32Array.from({ length: data.sampleCount }, (_, i) => i).filter((i) => !out.has(i));
    const { train, test } = data.partition({ train: rest, test: rows });
    return { index, train, held: test as Dataset, rows };
  });
}

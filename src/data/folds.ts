// Draws the folds of a k-fold cross-validation, for the public `foldsOf` and for `crossValidation` in jobs/job.ts: every row is held out
// exactly once (of ordered rows, all but the first stretch). Fills, means and ranges are computed again from the training rows of each
// fold, so that no information about its held-out rows enters the training.
//   rows in an order drawn by the seed; fold i holds out places floor(i n / k) ... floor((i + 1) n / k) - 1 of it; of classes every fold has
//   its share (stratify.ts)
// Source: Stone, "Cross-validatory choice and assessment of statistical predictions", J. R. Stat. Soc. B 36 (1974).
import { argumentError, GaussflowError } from "../errors.js";
import { finish } from "../event-loop-yield.js";
import { checkCount, checkOptionNames } from "../options.js";
import { Random } from "../random.js";
import { checkWeighted, Dataset } from "./dataset.js";
import { checkStratify, type RowRelations, rowsOfGroups, sortedRows } from "./split.js";
import { classOfRowSteps, stratifiedFolds } from "./stratify.js";

/** Random stream of folds; splits and initial parameters use other streams of the same seed. */
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

/** How `foldsOf` cuts. */
export interface FoldOptions {
  /**
   * Every fold has the same shares of each class. Default: true for a data set of classes without groups and without an order, which decide
   * themselves.
   */
  readonly stratify?: boolean | undefined;
}

/** Row numbers of one fold, ascending. */
export interface FoldRows {
  readonly train: Uint32Array;
  readonly held: Uint32Array;
}

function tooFew(what: string, there: number, count: number, most: number): GaussflowError {
  return new GaussflowError(
    "GAUSSFLOW_DATA",
    `${there} ${what} cannot be cut into ${count} folds; ask for ${most} at most`,
    { [what]: there, folds: count },
  );
}

/** The rows that are not held out. */
function others(n: number, held: Uint32Array): Uint32Array {
  const out = new Set(held);
  return Uint32Array.from({ length: n }, (_, i) => i).filter((i) => !out.has(i));
}

/**
 * The rows of each of `count` folds. Drawn ones are disjoint, cover all rows and differ in size by at most 1; with groups they are as equal
 * as whole groups allow. Ordered rows are cut into count + 1 stretches: each fold holds one of them out, from the second on, and trains on all
 * before it, so that no network is judged on rows from before its training.
 */
export function drawFolds(
  n: number,
  count: number,
  seed: number,
  relations: RowRelations,
  options: FoldOptions = {},
): FoldRows[] {
  const { groups, order } = relations;
  const stratify = checkStratify(options.stratify, relations);
  checkCount("folds", count, 2);
  checkCount("seed", seed, 0);
  if (order !== null) return orderedFolds(sortedRows(order), count);
  const random = new Random(seed, FOLD_STREAM);
  if (groups !== null) {
    const sets = rowsOfGroups(groups);
    if (count > sets.length) throw tooFew("groups", sets.length, count, sets.length);
    const drawn = Array.from(random.permutation(sets.length), (group) => sets[group]!);
    // The largest groups first, each into the fold that has the fewest rows: the sort is stable, so the draw decides among equals.
    drawn.sort((a, b) => b.length - a.length);
    const folds = Array.from({ length: count }, (): number[] => []);
    for (const rows of drawn) {
      const smallest = folds.reduce((least, fold) => (fold.length < least.length ? fold : least));
      // One by one: as arguments of a single call, the rows of a large group exhaust the stack.
      for (const row of rows) smallest.push(row);
    }
    return folds.map((rows) => {
      const held = Uint32Array.from(rows).sort();
      return { held, train: others(n, held) };
    });
  }
  if (count > n) throw tooFew("rows", n, count, n);
  const sequence = random.permutation(n);
  const codes = stratify ? finish(classOfRowSteps(relations)) : null;
  if (codes !== null)
    return stratifiedFolds(sequence, codes, relations.classes!.length, count).map((held) => ({
      held,
      train: others(n, held),
    }));
  const edge = (fold: number) => Math.floor((fold * n) / count);
  return Array.from({ length: count }, (_, fold) => {
    const held = sequence.slice(edge(fold), edge(fold + 1)).sort();
    return { held, train: others(n, held) };
  });
}

function orderedFolds(sequence: Uint32Array, count: number): FoldRows[] {
  const n = sequence.length;
  if (count + 1 > n) throw tooFew("ordered rows", n, count, n - 1);
  const edge = (stretch: number) => Math.floor((stretch * n) / (count + 1));
  return Array.from({ length: count }, (_, fold) => ({
    train: sequence.slice(0, edge(fold + 1)).sort(),
    held: sequence.slice(edge(fold + 1), edge(fold + 2)).sort(),
  }));
}

/**
 * Cuts a data set into folds: at random, of classes so that every fold has its share of each, or by its groups or its order where it has
 * them.
 * @throws GAUSSFLOW_ARGUMENT (count, seed, a table with a split column), GAUSSFLOW_DATA (more folds than rows or groups, a fold whose weights are all zero)
 */
export function foldsOf(data: Dataset, count: number, seed = 0, options: FoldOptions = {}): Fold[] {
  if (!(data instanceof Dataset))
    throw argumentError("data", "must be a Dataset, as dataset() and readCsv() make them", data);
  if (data.parts !== null)
    throw argumentError("data", "must have no split column: its parts and the folds would contradict each other", data);
  checkOptionNames("options", options, ["stratify"]);
  return drawFolds(data.sampleCount, count, seed, data, options).map(({ train: rest, held: rows }, index) => {
    checkWeighted(data, rest, `that fold ${index + 1} trains on`);
    checkWeighted(data, rows, `that fold ${index + 1} holds out`);
    const { train, test } = data.partition({ train: rest, test: rows });
    return { index, train, held: test as Dataset, rows };
  });
}

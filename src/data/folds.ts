// Draws the folds of a k-fold cross-validation, for the public `foldsOf` and for `crossValidation` in jobs/job.ts: every row is held out
// exactly once (of ordered rows, all but the first stretch). Fills, means and ranges are computed again from the training rows of each
// fold, so that no information about its held-out rows enters the training.
//   rows in an order drawn by the seed; fold i holds out places floor(i n / k) ... floor((i + 1) n / k) - 1 of it; of classes every fold has
//   its share (stratify.ts)
// Source: Stone, "Cross-validatory choice and assessment of statistical predictions", J. R. Stat. Soc. B 36 (1974).
import { argumentError, GaussflowError } from "../errors.js";
import { finish, STEP, type Steps } from "../event-loop-yield.js";
import { checkCount, checkOptionNames } from "../options.js";
import { permutationSteps, Random } from "../random.js";
import { checkWeighted, Dataset, partSteps } from "./dataset.js";
import { checkStratify, groupSteps, type RowRelations, sortedRowSteps } from "./split.js";
import { classOfRowSteps, stratifiedFoldSteps } from "./stratify.js";

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

/**
 * The rows of each of `count` folds, in pieces. Drawn ones are disjoint, cover all rows and differ in size by at most 1; with groups they are as
 * equal as whole groups allow. Ordered rows are cut into count + 1 stretches: each fold holds one of them out, from the second on, and trains on
 * all before it, so that no network is judged on rows from before its training.
 */
export function* drawFoldSteps(
  n: number,
  count: number,
  seed: number,
  relations: RowRelations,
  options: FoldOptions = {},
): Steps<FoldRows[]> {
  const { groups, order } = relations;
  const stratify = checkStratify(options.stratify, relations);
  checkCount("folds", count, 2);
  checkCount("seed", seed, 0);
  if (order !== null) {
    if (count + 1 > n) throw tooFew("ordered rows", n, count, n - 1);
    return yield* cutSteps(yield* stretchSteps(yield* sortedRowSteps(order), count + 1), count, 1);
  }
  const random = new Random(seed, FOLD_STREAM);
  if (groups !== null)
    return yield* cutSteps(yield* groupFoldSteps(yield* groupSteps(groups), n, count, random), count, 0);
  if (count > n) throw tooFew("rows", n, count, n);
  const sequence = yield* permutationSteps(random, n);
  const codes = stratify ? yield* classOfRowSteps(relations) : null;
  const folds =
    codes === null
      ? yield* stretchSteps(sequence, count)
      : yield* stratifiedFoldSteps(sequence, codes, relations.classes!.length, count);
  return yield* cutSteps(folds, count, 0);
}

/** For each row, in which of `count` equal stretches of the sequence it stands. */
function* stretchSteps(sequence: Uint32Array, count: number): Steps<Uint32Array> {
  const n = sequence.length;
  const stretches = new Uint32Array(n);
  let stretch = 0;
  for (let k = 0; k < n; k++) {
    while (k >= Math.floor(((stretch + 1) * n) / count)) stretch++;
    stretches[sequence[k]!] = stretch;
    if (k % STEP === STEP - 1) yield;
  }
  return stretches;
}

/** For each row, the fold of its group. */
function* groupFoldSteps(
  sets: readonly (readonly number[])[],
  n: number,
  count: number,
  random: Random,
): Steps<Uint32Array> {
  if (count > sets.length) throw tooFew("groups", sets.length, count, sets.length);
  const drawn = Array.from(random.permutation(sets.length), (group) => sets[group]!);
  // The largest groups first, each into the fold that has the fewest rows: the sort is stable, so the draw decides among equals.
  drawn.sort((a, b) => b.length - a.length);
  const sizes = new Float64Array(count);
  const folds = new Uint32Array(n);
  let done = 0;
  for (const rows of drawn) {
    const smallest = sizes.indexOf(Math.min(...sizes));
    sizes[smallest]! += rows.length;
    for (const row of rows) {
      folds[row] = smallest;
      if (++done % STEP === 0) yield;
    }
  }
  return folds;
}

/**
 * The rows of each fold, ascending.
 * @param codes of all rows
 * @param first code of the rows that the first fold holds out: 0 where it trains on all others, 1 where each fold trains on those before
 */
function* cutSteps(codes: Uint32Array, count: number, first: 0 | 1): Steps<FoldRows[]> {
  const n = codes.length;
  const sizes = new Uint32Array(count + first);
  for (let i = 0; i < n; i++) {
    sizes[codes[i]!]!++;
    if (i % STEP === STEP - 1) yield;
  }
  const folds: FoldRows[] = [];
  let before = 0;
  for (let fold = 0; fold < count; fold++) {
    const code = fold + first;
    if (first > 0) before += sizes[code - 1]!;
    const held = new Uint32Array(sizes[code]!);
    const train = new Uint32Array(first > 0 ? before : n - held.length);
    for (let i = 0, h = 0, t = 0; i < n; i++) {
      if (codes[i] === code) held[h++] = i;
      else if (first === 0 || codes[i]! < code) train[t++] = i;
      if (i % STEP === STEP - 1) yield;
    }
    folds.push({ train, held });
  }
  return folds;
}

/**
 * Cuts a data set into folds: at random, of classes so that every fold has its share of each, or by its groups or its order where it has
 * them.
 * @throws GAUSSFLOW_ARGUMENT (count, seed, a table with a split column), GAUSSFLOW_DATA (more folds than rows or groups, a fold whose weights are all zero)
 */
export function foldsOf(data: Dataset, count: number, seed = 0, options: FoldOptions = {}): Fold[] {
  return finish(foldSteps(data, count, seed, options));
}

/** `foldsOf` in pieces. */
export function* foldSteps(data: Dataset, count: number, seed: number, options: FoldOptions): Steps<Fold[]> {
  if (!(data instanceof Dataset))
    throw argumentError("data", "must be a Dataset, as dataset() and readCsv() make them", data);
  if (data.parts !== null)
    throw argumentError("data", "must have no split column: its parts and the folds would contradict each other", data);
  checkOptionNames("options", options, ["stratify"]);
  const folds: Fold[] = [];
  for (const { train: rest, held: rows } of yield* drawFoldSteps(data.sampleCount, count, seed, data, options)) {
    const index = folds.length;
    checkWeighted(data, rest, `that fold ${index + 1} trains on`);
    checkWeighted(data, rows, `that fold ${index + 1} holds out`);
    const { train, test } = yield* partSteps(data, { train: rest, validation: null, test: rows });
    folds.push({ index, train, held: test as Dataset, rows });
  }
  return folds;
}

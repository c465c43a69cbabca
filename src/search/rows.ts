// Decides which rows networks are compared on, and into which folds they are cut: rows with a weight, at most a few thousand of them, and
// fewer folds where rows are many. search.ts calls it before the first training.
import { Dataset, selectedSteps } from "../data/dataset.js";
import { type Fold, foldsOf } from "../data/folds.js";
import { argumentError } from "../errors.js";
import { finishInTurns, Pace, STEP } from "../event-loop-yield.js";
import { permutationSteps, Random } from "../random.js";
import { LEAST_FOR_VALIDATION } from "../train/train-options.js";
import type { FitTrainOptions } from "./fit-options.js";

/** Random stream of the rows that are compared on; splits, folds and parameters use other streams of the same seed. */
const ROWS_STREAM = 4;
/** More rows than this change the choice little, and cost much. */
const MOST_ROWS = 4000;
/** Fewer rows than this are too few to compare networks on. */
export const LEAST_ROWS = 8;
/** Below this number of rows several draws of the folds are averaged, because one draw alone is a matter of luck. */
const REDRAWN_BELOW = 200;
const DRAWS = 3;
/** From this number of rows on two thirds of them train a network as well as four fifths. */
const FEWER_FOLDS_FROM = 2000;

/** What decides when trainings stop: what the caller gave, or "by-decay": a drawn part where there is no decay. */
export type ValidationRule = Dataset | number | false | "by-decay";

/** The rows to train on, without those that a split column holds out, and the rule of the validation part. */
export function trainingRows(
  table: Dataset,
  given: FitTrainOptions["validation"] & (Dataset | number | false | undefined),
): { readonly data: Dataset; readonly validation: ValidationRule } {
  if (table.parts === null) {
    if (given === undefined) return { data: table, validation: "by-decay" };
    return { data: table, validation: given === 0 ? false : given };
  }
  if (typeof given === "number" && given !== 0)
    throw argumentError(
      "options.train.validation",
      "must not be a fraction: the table's split column names the parts",
      given,
    );
  const { train, validation } = table.split();
  // All of these rows are trained on: their codes would only stop them from being cut into folds.
  const data = new Dataset({ ...train.fields(), parts: null });
  if (typeof given === "object") return { data, validation: given };
  return { data, validation: given === undefined ? (validation ?? false) : false };
}

/** Whether a part of `rows` rows is drawn for a training with this decay. */
export function drawsValidation(rule: ValidationRule, decay: number, rows: number): boolean {
  return rule === "by-decay" && decay === 0 && rows >= LEAST_FOR_VALIDATION;
}

/** The rows with a weight, or as many of them as are compared on, drawn by the seed. */
export async function comparedRows(data: Dataset, seed: number): Promise<Dataset> {
  const { sampleCount: n, weights } = data;
  const pace = new Pace(undefined);
  const weighted = new Uint32Array(n);
  let count = 0;
  for (let i = 0; i < n; i++) {
    if (weights === null || weights[i] !== 0) weighted[count++] = i;
    if (i % STEP === STEP - 1) await pace.turn();
  }
  if (count <= MOST_ROWS)
    return count === n ? data : finishInTurns(selectedSteps(data, weighted.subarray(0, count)), pace);
  const drawn = await finishInTurns(permutationSteps(new Random(seed, ROWS_STREAM), count), pace);
  const rows = drawn
    .slice(0, MOST_ROWS)
    .map((place) => weighted[place]!)
    .sort();
  return finishInTurns(selectedSteps(data, rows), pace);
}

/** The folds, of all draws; empty where the rows, their groups or their order cannot be cut. */
export function comparisonFolds(data: Dataset, given: number | null, seed: number): readonly Fold[] {
  const { sampleCount: n, groups, order } = data;
  if (n < LEAST_ROWS && given === null) return [];
  const most = groups === null ? (order === null ? n : n - 1) : new Set(groups).size;
  const usual = n < LEAST_FOR_VALIDATION ? 10 : n < FEWER_FOLDS_FROM ? 5 : 3;
  const count = given ?? Math.min(usual, most);
  if (count < 2) return [];
  // Ordered rows are not drawn: every draw would be the same.
  const draws = order === null && n < REDRAWN_BELOW ? DRAWS : 1;
  return Array.from({ length: draws }, (_, k) => foldsOf(data, count, seed + k)).flat();
}

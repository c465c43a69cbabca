// Computes the figures of a classifier from its predicted probabilities: accuracy, log-loss, Brier score, AUC, F1, the confusion matrix,
// the calibration error. Users call `classMetrics`, `crossValidate` judges folds by it, and the commands train and evaluate call
// classMetricsInTurns for rows that come block by block (cli/assess.ts). class-sums.ts has the formulas.
import { argumentError } from "../errors.js";
import { Pace } from "../event-loop-yield.js";
import type { Link } from "../network/link.js";
import { checkOptionNames, type NumberArray, numbersOf } from "../options.js";
import { type ClassCosts, costTable } from "./class-decision.js";
import { type ClassMetrics, type ClassPass, ClassSums, type TargetClassMetrics } from "./class-sums.js";
import { doublesOf } from "./metrics.js";
import { type ClassBlock, RankingAreas } from "./ranking-area.js";

/** How far the probabilities of a row may be from a sum of 1: that of numbers written with seven digits. */
const SUM_ROUNDING = 1e-6;

/** Options of `classMetrics`. */
export interface ClassMetricsOptions {
  /** n sample weights of at least 0. Default: all 1. */
  readonly weights?: NumberArray | null | undefined;
  /** Costs of errors: decisions then have the smallest expected cost. Default: the likeliest class is decided on. */
  readonly costs?: ClassCosts | null | undefined;
}

/**
 * The figures of predicted class probabilities.
 *
 * @example classMetrics(net.predict(test.inputs), test.targets, ["setosa", "versicolor", "virginica"]).accuracy
 * @param probabilities n x c, row-major, from 0 to 1 and 1 in sum, as a network predicts them that was trained with `softmaxCrossEntropy`
 * @param targets n x c, one-hot or probabilities; or n numbers of classes, from 0
 * @param classes the names of the c classes, at least two; the second of two is the positive one, where `costs` are a ratio
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for lengths that disagree, and for values that are no probabilities, no classes or no weights
 */
export function classMetrics(
  probabilities: NumberArray,
  targets: NumberArray,
  classes: readonly string[],
  options: ClassMetricsOptions = {},
): ClassMetrics {
  checkOptionNames("options", options, ["weights", "costs"]);
  checkClassNames(classes, 2);
  const c = classes.length;
  costTable("options.costs", options.costs, c);
  const p = checkRows("probabilities", doublesOf("probabilities", probabilities), c);
  const n = p.length / c;
  const given = numbersOf("targets", targets);
  if (given.length !== n && given.length !== n * c)
    throw argumentError(
      "targets",
      `must be ${n} rows, as probabilities has: ${n} numbers of classes, or ${n * c} numbers, ${c} a row`,
      targets,
    );
  const y = given.length === n ? oneHot(given, c) : checkRows("targets", given, c);
  const block = { probabilities: p, targets: y, weights: checkedWeights(options.weights, n) };
  return alone(classMetricsOf(block, [{ target: "", classes, column: null }], options.costs));
}

/**
 * The figures of predicted probabilities of yes, for answers yes or no: those of two classes, the second of which is yes.
 *
 * @example binaryMetrics(net.predict(test.inputs), test.targets).auc
 * @param probabilities n numbers from 0 to 1, as a network with one output predicts them that was trained with `logistic`
 * @param targets n numbers: 1 = yes, 0 = no, or probabilities of yes
 * @param classes names of no and yes. Default "0" and "1"
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for lengths that disagree, and for values that are no probabilities or no weights
 */
export function binaryMetrics(
  probabilities: NumberArray,
  targets: NumberArray,
  classes: readonly string[] = NO_AND_YES,
  options: ClassMetricsOptions = {},
): ClassMetrics {
  checkOptionNames("options", options, ["weights", "costs"]);
  checkClassNames(classes, 2, 2);
  costTable("options.costs", options.costs, 2);
  const p = checkProbabilities("probabilities", doublesOf("probabilities", probabilities));
  const y = checkProbabilities("targets", numbersOf("targets", targets));
  if (y.length !== p.length)
    throw argumentError("targets", `must have the length of probabilities, ${p.length}`, targets);
  const block = { probabilities: p, targets: y, weights: checkedWeights(options.weights, p.length) };
  return alone(classMetricsOf(block, [{ target: "", classes, column: 0 }], options.costs));
}

/** Those of the only target, which has no name. */
function alone(list: readonly TargetClassMetrics[]): ClassMetrics {
  const { target: _, ...figures } = list[0]!;
  return figures;
}

/** The two classes of a column of answers yes or no. */
export const NO_AND_YES: readonly string[] = ["0", "1"];

/** A target that is a class: columns of probabilities of all its classes, or one column of probabilities of yes. */
export interface ClassTarget {
  readonly target: string;
  /** Names of its classes, in order. */
  readonly classes: readonly string[];
  /** Its column among those of several answers yes or no; null where all columns are those of its classes. */
  readonly column: number | null;
}

/**
 * The classes that predictions with this link are probabilities of; none where they are no probabilities.
 * @param targetNames one a column; "target=class" where the set has classes
 */
export function classTargets(
  link: Link,
  targetNames: readonly string[],
  classes: readonly string[] | null = null,
): readonly ClassTarget[] {
  if (link === "softmax") {
    const target = classes === null ? "class" : (targetNames[0] ?? "").slice(0, -`=${classes[0]}`.length);
    return [{ target, classes: classes ?? targetNames, column: null }];
  }
  if (link !== "logistic") return [];
  return targetNames.map((target, column) => ({ target, classes: NO_AND_YES, column }));
}

/**
 * Yields the passes that are needed: all blocks are to be added to each before the next, in the same order. Between passes it yields null, where
 * the event loop may run.
 */
function* classPasses(
  targets: readonly ClassTarget[],
  costs: ClassCosts | null,
  name: string,
): Generator<ClassPass | null, TargetClassMetrics[], void> {
  const tables = targets.map(({ classes }) => costTable(name, costs, classes.length));
  const sums = targets.map(({ classes }, k) => new ClassSums(classes.length, tables[k]!));
  const together = (passes: readonly ClassPass[]) => ({
    add: (block: ClassBlock) => {
      for (const [k, { column }] of targets.entries())
        passes[k]!.add(column === null ? block : pairBlock(block, column, targets.length));
    },
  });
  yield together(sums);
  const areas: RankingAreas[] = [];
  for (const { own } of sums) {
    const sorting = own.distinct();
    let sorted = sorting.next();
    for (; !sorted.done; sorted = sorting.next()) yield null;
    areas.push(new RankingAreas(sorted.value));
  }
  yield together(areas);
  return targets.map(({ target, classes, column }, k) => {
    const found = areas[k]!.areas();
    // The areas of no and yes are equal, and 1 - p would tie probabilities below 1e-16.
    return { target, ...sums[k]!.figures(classes, column === null ? found : [found[1]!, found[1]!]) };
  });
}

/** Column `column` of `width` probabilities of yes, as rows of two classes. */
function pairBlock({ probabilities, targets, weights }: ClassBlock, column: number, width: number): ClassBlock {
  const pairs = (values: Float64Array) => {
    const two = new Float64Array((2 * values.length) / width);
    for (let i = 0, k = column; k < values.length; i += 2, k += width) {
      two[i] = 1 - values[k]!;
      two[i + 1] = values[k]!;
    }
    return two;
  };
  return { probabilities: pairs(probabilities), targets: pairs(targets), weights };
}

/** The figures of rows in memory, one entry a target. */
export function classMetricsOf(
  block: ClassBlock,
  targets: readonly ClassTarget[],
  costs: ClassCosts | null = null,
): TargetClassMetrics[] {
  const passes = classPasses(targets, costs, "options.costs");
  for (;;) {
    const next = passes.next();
    if (next.done) return next.value;
    next.value?.add(block);
  }
}

/** The same of rows that come block by block, with turns of the event loop. `blocks` is called twice. */
export async function classMetricsInTurns(
  blocks: () => AsyncIterable<ClassBlock>,
  targets: readonly ClassTarget[],
  costs: ClassCosts | null,
  signal: AbortSignal | undefined,
): Promise<TargetClassMetrics[]> {
  const passes = classPasses(targets, costs, "costs");
  const pace = new Pace(signal);
  for (;;) {
    const next = passes.next();
    if (next.done) return next.value;
    if (next.value === null) await pace.turn();
    else for await (const block of blocks()) next.value.add(block);
  }
}

function checkClassNames(classes: unknown, least: number, most = Number.POSITIVE_INFINITY): void {
  const rule = most === least ? `an array of ${least} names` : `an array of at least ${least} names`;
  if (!Array.isArray(classes) || classes.length < least || classes.length > most)
    throw argumentError("classes", `must be ${rule}`, classes);
  const wrong: unknown = classes.find((name) => typeof name !== "string");
  if (wrong !== undefined) throw argumentError("classes", `must be ${rule}`, wrong);
}

/** Numbers from 0 to 1, or NaN. */
function checkProbabilities(name: string, values: Float64Array): Float64Array {
  const wrong = values.findIndex((value) => value < 0 || value > 1);
  if (wrong >= 0) throw argumentError(`${name}[${wrong}]`, "must be a probability, from 0 to 1", values[wrong]);
  return values;
}

/** Rows of `width` probabilities that sum to 1; rows with NaN pass. */
function checkRows(name: string, values: Float64Array, width: number): Float64Array {
  if (values.length === 0 || values.length % width !== 0)
    throw argumentError(name, `must be rows of ${width} numbers, one a class`, values);
  checkProbabilities(name, values);
  for (let at = 0; at < values.length; at += width) {
    let sum = 0;
    for (let k = at; k < at + width; k++) sum += values[k]!;
    if (Math.abs(sum - 1) > SUM_ROUNDING)
      throw argumentError(name, "must sum to 1 in every row", `the sum ${sum} in row ${at / width + 1}`);
  }
  return values;
}

/** Rows of zeros with a 1 at the class. */
function oneHot(numbers: Float64Array, classCount: number): Float64Array {
  const rows = new Float64Array(numbers.length * classCount);
  numbers.forEach((number, i) => {
    if (!Number.isInteger(number) || number < 0 || number >= classCount)
      throw argumentError(
        `targets[${i}]`,
        `must be the number of a class, an integer from 0 to ${classCount - 1}`,
        number,
      );
    rows[i * classCount + number] = 1;
  });
  return rows;
}

function checkedWeights(given: NumberArray | null | undefined, n: number): Float64Array | null {
  if (given === undefined || given === null) return null;
  const weights = numbersOf("options.weights", given);
  if (weights.length !== n) throw argumentError("options.weights", `must have one entry a row, ${n}`, given);
  const negative = weights.findIndex((weight) => weight < 0);
  if (negative >= 0) throw argumentError(`options.weights[${negative}]`, "must not be negative", weights[negative]);
  return weights;
}

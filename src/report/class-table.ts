// Formats the figures of a classifier that gaussflow train and evaluate print: a line of scores for each set, and the confusion matrix of one
// of them. folds-table.ts shares the columns and lines of the scores.
import type { ClassMetrics, TargetClassMetrics } from "../loss/class-sums.js";
import type { SetMetrics } from "../loss/set-metrics.js";
import { formatCount, formatNumber } from "./numbers.js";
import { type Painter, plain } from "./paint.js";
import { type TextColumn, textTable } from "./text-table.js";

/** Classes up to which the confusion matrix is shown whole. */
const MOST_CLASSES = 12;
/** Confusions that are listed where there are more classes. */
const MOST_CONFUSIONS = 12;

const right = (heading: string): TextColumn => ({ heading, align: "right" });
const left = (heading: string): TextColumn => ({ heading, align: "left" });

/** @param heading of the column that names what the figures are of */
export function classColumns(heading: string, several: boolean, costs: boolean): TextColumn[] {
  return [
    left(heading),
    ...(several ? [left("target")] : []),
    ...["rows", "accuracy", "balanced", "log-loss", "Brier", "AUC", "F1", "calibration"].map(right),
    ...(costs ? [right("cost")] : []),
  ];
}

/** One line a target under these columns; name and row count appear once. */
export function classRows(
  name: string,
  rows: number,
  list: readonly TargetClassMetrics[],
  several: boolean,
): (readonly string[])[] {
  return list.map((one, k) => [
    k === 0 ? name : "",
    ...(several ? [one.target] : []),
    k === 0 ? formatCount(rows) : "",
    ...[one.accuracy, one.balancedAccuracy, one.logLoss, one.brier, one.auc, one.f1, one.calibrationError].map(
      (value) => formatNumber(value),
    ),
    ...(one.cost === null ? [] : [formatNumber(one.cost)]),
  ]);
}

/** The scores of all sets, and the confusion matrices of the last one. */
export function classTable(sets: readonly SetMetrics[], paint: Painter = plain): string {
  const of = ({ classification = [] }: SetMetrics) => classification;
  const several = sets.some((set) => of(set).length > 1);
  const costs = sets.some((set) => of(set).some(({ cost }) => cost !== null));
  const lines = sets.flatMap((set) => classRows(set.set, set.rows, of(set), several));
  const parts = [textTable(classColumns("", several, costs), lines, paint)];
  const last = sets.at(-1);
  if (last !== undefined) parts.push(...confusions(last.set, of(last), paint));
  return parts.join("\n\n");
}

/**
 * The confusion matrix of each target, and what the figures do not say, as paragraphs.
 * @param set which rows: "test"
 */
export function confusions(set: string, list: readonly TargetClassMetrics[], paint: Painter): string[] {
  return list.flatMap((one) => {
    const whose = list.length > 1 ? `${one.target}, ${set} rows` : `${set} rows`;
    return [`${confusionHeading(one, whose)}\n${confusionTable(one, paint)}`, ...remarks(one)];
  });
}

function confusionHeading({ classes }: ClassMetrics, whose: string): string {
  return classes.length > MOST_CLASSES
    ? `Confusions (${whose}), the most frequent of ${classes.length} classes:`
    : `Confusion matrix (${whose}): one line a class, one column a class that was predicted.`;
}

/** The matrix with the figures of each class; for many classes its largest entries beside the diagonal. */
function confusionTable({ classes, confusion }: ClassMetrics, paint: Painter): string {
  const names = classes.map(({ name }) => name);
  if (classes.length > MOST_CLASSES) {
    const wrong = confusion.flatMap((row, a) =>
      row.flatMap((weight, b) => (a === b || weight === 0 ? [] : [{ a, b, weight }])),
    );
    const worst = wrong.toSorted((x, y) => y.weight - x.weight).slice(0, MOST_CONFUSIONS);
    const lines = worst.map(({ a, b, weight }) => [
      names[a]!,
      names[b]!,
      formatWeight(weight),
      formatWeight(classes[a]!.weight),
    ]);
    return textTable([left("class"), left("predicted"), right("rows"), right("of")], lines, paint);
  }
  const columns = [left(""), ...names.map(right), ...["recall", "precision", "F1", "AUC"].map(right)];
  const lines = classes.map((one, a) => [
    one.name,
    ...confusion[a]!.map(formatWeight),
    ...[one.recall, one.precision, one.f1, one.auc].map((value) => formatNumber(value)),
  ]);
  return textTable(columns, lines, paint);
}

/** A number of rows, or a sum of weights. */
function formatWeight(weight: number): string {
  return Number.isInteger(weight) ? formatCount(weight) : formatNumber(weight);
}

/** What the figures do not say. */
function remarks({ classes, threshold, cost, undecided }: ClassMetrics): string[] {
  const list: string[] = [];
  const empty = classes.filter(({ weight }) => weight === 0).map(({ name }) => JSON.stringify(name));
  if (empty.length > 0) {
    const shown = empty.slice(0, 5).join(", ") + (empty.length > 5 ? `, ... (${empty.length} classes)` : "");
    list.push(`These rows have none of ${shown}: no recall and no AUC, and the means leave them out.`);
  }
  if (cost !== null && threshold !== null)
    list.push(
      `${JSON.stringify(classes[1]!.name)} is predicted above a probability of ${formatNumber(threshold)}, where its expected cost is the smaller one.`,
    );
  if (undecided > 0)
    list.push(
      `${formatWeight(undecided)} of the rows have a prediction that is not a number: there are no figures, and the matrix leaves these rows out.`,
    );
  return list;
}

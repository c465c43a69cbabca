// Formats the table of errors that gaussflow train and evaluate print: train, validation and test by RMSE, MAE, R^2 in the units of the
// data; of classifiers that of class-table.ts. folds-table.ts shares its columns and lines.
import type { TargetMetrics } from "../loss/metrics.js";
import type { LossFigures, SetMetrics } from "../loss/set-metrics.js";
import { classTable } from "./class-table.js";
import { formatCount, formatNumber } from "./numbers.js";
import { type Painter, plain } from "./paint.js";
import { type TextColumn, textTable } from "./text-table.js";

/** Columns beside the errors, where the loss has them. */
const FIGURES: readonly (keyof LossFigures)[] = ["deviance", "pinball", "below", "nll", "coverage"];

/** The figures that these targets have, in the order of their columns. */
export function shownFigures(targets: readonly LossFigures[]): readonly (keyof LossFigures)[] {
  return FIGURES.filter((name) => targets.some((one) => one[name] !== undefined));
}

/** @param heading of the column that names what the figures are of */
export function metricsColumns(
  heading: string,
  several: boolean,
  figures: readonly (keyof LossFigures)[] = [],
): TextColumn[] {
  return [
    { heading, align: "left" },
    ...(several ? [{ heading: "target", align: "left" } as const] : []),
    { heading: "rows", align: "right" },
    { heading: "RMSE", align: "right" },
    { heading: "MAE", align: "right" },
    { heading: "R²", align: "right" },
    { heading: "1 - R²", align: "right" },
    ...figures.map((name) => ({ heading: name, align: "right" }) as const),
  ];
}

/** One line a target under these columns; name and row count appear once. */
export function metricsRows(
  name: string,
  rows: number,
  targets: readonly (TargetMetrics & LossFigures)[],
  several: boolean,
  figures: readonly (keyof LossFigures)[] = [],
): (readonly string[])[] {
  return targets.map(({ target, rmse, mae, r2, unexplained, ...beside }, k) => [
    k === 0 ? name : "",
    ...(several ? [target] : []),
    k === 0 ? formatCount(rows) : "",
    formatNumber(rmse),
    formatNumber(mae),
    formatNumber(r2),
    formatNumber(unexplained),
    ...figures.map((figure) => formatNumber(beside[figure])),
  ]);
}

/**
 * One line a set and target; the target's name has a column of its own when there are several. Of classifiers the scores and the confusion
 * matrix.
 */
export function metricsTable(sets: readonly SetMetrics[], paint: Painter = plain): string {
  if (sets.some(({ classification }) => classification !== undefined)) return classTable(sets, paint);
  const several = sets.some((set) => set.targets.length > 1);
  const figures = shownFigures(sets.flatMap(({ targets }) => targets));
  const lines = sets.flatMap(({ set, rows, targets }) => metricsRows(set, rows, targets, several, figures));
  return textTable(metricsColumns("", several, figures), lines, paint);
}

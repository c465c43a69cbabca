// Formats the table of errors that gaussflow train and evaluate print: train, validation and test by RMSE, MAE, R^2 in the units of the
// data; of classifiers that of class-table.ts. folds-table.ts shares its columns and lines.
import type { TargetMetrics } from "../loss/metrics.js";
import type { SetMetrics } from "../loss/set-metrics.js";
import { classTable } from "./class-table.js";
import { formatCount, formatNumber } from "./numbers.js";
import { type Painter, plain } from "./paint.js";
import { type TextColumn, textTable } from "./text-table.js";

/** @param heading of the column that names what the figures are of */
export function metricsColumns(heading: string, several: boolean): TextColumn[] {
  return [
    { heading, align: "left" },
    ...(several ? [{ heading: "target", align: "left" } as const] : []),
    { heading: "rows", align: "right" },
    { heading: "RMSE", align: "right" },
    { heading: "MAE", align: "right" },
    { heading: "R²", align: "right" },
    { heading: "1 - R²", align: "right" },
  ];
}

/** One line a target under these columns; name and row count appear once. */
export function metricsRows(
  name: string,
  rows: number,
  targets: readonly TargetMetrics[],
  several: boolean,
): (readonly string[])[] {
  return targets.map(({ target, rmse, mae, r2, unexplained }, k) => [
    k === 0 ? name : "",
    ...(several ? [target] : []),
    k === 0 ? formatCount(rows) : "",
    formatNumber(rmse),
    formatNumber(mae),
    formatNumber(r2),
    formatNumber(unexplained),
  ]);
}

/**
 * One line a set and target; the target's name has a column of its own when there are several. Of classifiers the scores and the confusion
 * matrix.
 */
export function metricsTable(sets: readonly SetMetrics[], paint: Painter = plain): string {
  if (sets.some(({ classification }) => classification !== undefined)) return classTable(sets, paint);
  const several = sets.some((set) => set.targets.length > 1);
  const lines = sets.flatMap(({ set, rows, targets }) => metricsRows(set, rows, targets, several));
  return textTable(metricsColumns("", several), lines, paint);
}

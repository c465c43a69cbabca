// Formats the folds of a cross-validation as a text table or as fields for --json: the errors on the held-out rows of each fold, on all
// rows together, and the spread of the folds' RMSE. gaussflow train --cross-validate prints it (cli/train-many.ts).
import type { CrossValidationResult } from "../jobs/cross-validate.js";
import { metricsColumns, metricsRows } from "./metrics-table.js";
import { formatNumber } from "./numbers.js";
import { type Painter, plain } from "./paint.js";
import { textTable } from "./text-table.js";

export function foldsTable({ folds, metrics, spread }: CrossValidationResult, paint: Painter = plain): string {
  const targets = metrics ?? folds[0]?.metrics ?? [];
  const several = targets.length > 1;
  // A fold without a network has no figures.
  const none = [{ target: "", rmse: Number.NaN, mae: Number.NaN, r2: Number.NaN, unexplained: Number.NaN }];
  const scored = folds.filter((entry) => entry.metrics !== null);
  const rows = scored.reduce((sum, { fold }) => sum + fold.rows.length, 0);
  return textTable(
    metricsColumns("fold", several),
    [
      ...folds.flatMap(({ fold, metrics: own }) =>
        metricsRows(`${fold.index + 1}`, fold.rows.length, own ?? none, several),
      ),
      ...metricsRows("all", rows, metrics ?? none, several),
      ...spread.map((value, k) => [
        k === 0 ? "spread" : "",
        ...(several ? [targets[k]?.target ?? ""] : []),
        "",
        formatNumber(value),
      ]),
    ],
    paint,
  );
}

/** Each fold as a JSON line has it. */
export function foldRows({ folds }: CrossValidationResult) {
  return folds.map(({ fold, best, metrics }) => ({
    fold: fold.index + 1,
    rows: fold.rows.length,
    run: best?.label ?? null,
    targets: metrics,
  }));
}

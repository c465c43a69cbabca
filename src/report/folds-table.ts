// Formats the folds of a cross-validation as a text table or as fields for --json: the errors on the held-out rows of each fold, on all
// rows together, and the spread of the folds' RMSE; of classifiers their scores, and the spread of the log-loss. gaussflow train
// --cross-validate prints it (cli/train-many.ts).
import type { CrossValidationResult } from "../jobs/cross-validate.js";
import { classColumns, classRows, confusions } from "./class-table.js";
import { metricsColumns, metricsRows, shownFigures } from "./metrics-table.js";
import { formatNumber } from "./numbers.js";
import { type Painter, plain } from "./paint.js";
import { textTable } from "./text-table.js";

export function foldsTable(result: CrossValidationResult, paint: Painter = plain): string {
  if (result.classification !== null) return classFoldsTable(result, paint);
  const { folds, metrics, spread } = result;
  const targets = metrics ?? folds[0]?.metrics ?? [];
  const several = targets.length > 1;
  const figures = shownFigures(targets);
  // A fold without a network has no figures.
  const none = [{ target: "", rmse: Number.NaN, mae: Number.NaN, r2: Number.NaN, unexplained: Number.NaN }];
  return textTable(
    metricsColumns("fold", several, figures),
    [
      ...folds.flatMap(({ fold, metrics: own }) =>
        metricsRows(`${fold.index + 1}`, fold.rows.length, own ?? none, several, figures),
      ),
      ...metricsRows("all", scoredRows(result), metrics ?? none, several, figures),
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

/** The scores of each fold and of all, and the confusion matrix of all. */
function classFoldsTable(result: CrossValidationResult, paint: Painter): string {
  const { folds, spread } = result;
  const classification = result.classification ?? [];
  const several = classification.length > 1;
  const costs = classification.some(({ cost }) => cost !== null);
  const table = textTable(
    classColumns("fold", several, costs),
    [
      ...folds.flatMap(({ fold, classification: own }) =>
        own === null ? [[`${fold.index + 1}`]] : classRows(`${fold.index + 1}`, fold.rows.length, own, several),
      ),
      ...classRows("all", scoredRows(result), classification, several),
      // Under the log-loss.
      ...spread.map((value, k) => [
        k === 0 ? "spread" : "",
        ...(several ? [classification[k]?.target ?? ""] : []),
        "",
        "",
        "",
        formatNumber(value),
      ]),
    ],
    paint,
  );
  return [table, ...confusions("held-out", classification, paint)].join("\n\n");
}

/** Number of the rows that were predicted. */
function scoredRows({ folds }: CrossValidationResult): number {
  return folds.reduce((sum, { fold, best }) => sum + (best === null ? 0 : fold.rows.length), 0);
}

/** Each fold as a JSON line has it. */
export function foldRows({ folds }: CrossValidationResult) {
  return folds.map(({ fold, best, metrics, classification }) => ({
    fold: fold.index + 1,
    rows: fold.rows.length,
    run: best?.label ?? null,
    ...(classification === null ? { targets: metrics } : { targets: [], classification }),
  }));
}

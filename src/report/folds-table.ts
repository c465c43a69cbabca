// The folds of a cross-validation: errors on the rows each held out, then over all rows, and how far the folds' RMSE are apart.
import type { CrossValidationResult } from "../train/cross-validate.js";
import { formatCount, formatNumber } from "./numbers.js";
import { type Painter, plain } from "./paint.js";
import { type TextColumn, textTable } from "./text-table.js";

export function foldsTable({ folds, metrics, spread }: CrossValidationResult, paint: Painter = plain): string {
  const targets = metrics ?? folds[0]?.metrics ?? [];
  const several = targets.length > 1;
  const columns: TextColumn[] = [
    { heading: "fold", align: "left" },
    ...(several ? [{ heading: "target", align: "left" } as const] : []),
    { heading: "rows", align: "right" },
    { heading: "RMSE", align: "right" },
    { heading: "MAE", align: "right" },
    { heading: "R²", align: "right" },
  ];
  const lines = (name: string, rows: number, figures: typeof metrics) =>
    (figures ?? [{ target: "", rmse: Number.NaN, mae: Number.NaN, r2: Number.NaN }]).map((entry, k) => [
      k === 0 ? name : "",
      ...(several ? [entry.target] : []),
      k === 0 ? formatCount(rows) : "",
      formatNumber(entry.rmse),
      formatNumber(entry.mae),
      formatNumber(entry.r2),
    ]);
  const scored = folds.filter((entry) => entry.metrics !== null);
  const rows = scored.reduce((sum, { fold }) => sum + fold.rows.length, 0);
  return textTable(
    columns,
    [
      ...folds.flatMap(({ fold, metrics: own }) => lines(`${fold.index + 1}`, fold.rows.length, own)),
      ...lines("all", rows, metrics),
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

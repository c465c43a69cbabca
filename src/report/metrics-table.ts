// The table at the end of a run: train / validation / test by RMSE, MAE, R^2 in the units of the data.
import type { SetMetrics } from "../loss/metrics.js";
import { formatCount, formatNumber } from "./numbers.js";
import { type Painter, plain } from "./paint.js";
import { type TextColumn, textTable } from "./text-table.js";

/** One line a set and target; the target's name has a column of its own when there are several. */
export function metricsTable(sets: readonly SetMetrics[], paint: Painter = plain): string {
  const several = sets.some((set) => set.targets.length > 1);
  const columns: TextColumn[] = [
    { heading: "", align: "left" },
    ...(several ? [{ heading: "target", align: "left" } as const] : []),
    { heading: "rows", align: "right" },
    { heading: "RMSE", align: "right" },
    { heading: "MAE", align: "right" },
    { heading: "R²", align: "right" },
  ];
  const rows = sets.flatMap((set) =>
    set.targets.map((target, index) => [
      index === 0 ? set.set : "",
      ...(several ? [target.target] : []),
      index === 0 ? formatCount(set.rows) : "",
      formatNumber(target.rmse),
      formatNumber(target.mae),
      formatNumber(target.r2),
    ]),
  );
  return textTable(columns, rows, paint);
}

// Formats a learning curve for gaussflow train --learning-curve: the errors by rows as a text table with the sentence that says whether more
// rows would help, or as fields for --json.
import type { LearningCurve, LearningTarget } from "../jobs/learning-curve.js";
import { formatNumber } from "./numbers.js";
import { type Painter, plain } from "./paint.js";
import { textTable } from "./text-table.js";

const NAMES: Readonly<Record<LearningTarget["measure"], string>> = { rmse: "RMSE", "log-loss": "log-loss" };

/** Widest bar of the chart beside the numbers. */
const BAR = 30;

export function learningTable({ targets }: LearningCurve, paint: Painter = plain): string {
  return targets
    .map(({ target, measure, points, message }) => {
      const most = Math.max(...points.map(({ error }) => error));
      const columns = [
        { heading: "rows", align: "right" },
        { heading: `${NAMES[measure]} of ${target}`, align: "right" },
        { heading: "standard error", align: "right" },
        { heading: "", align: "left" },
      ] as const;
      const rows = points.map(({ rows: count, error, standardError }) => [
        `${Math.round(count)}`,
        formatNumber(error),
        formatNumber(standardError),
        "#".repeat(Math.max(1, Math.round((BAR * error) / most))),
      ]);
      return `${textTable(columns, rows, paint)}\n\n${message[0]!.toUpperCase()}${message.slice(1)}.`;
    })
    .join("\n\n");
}

/** The curve of each target as a JSON line has it. */
export function learningRows({ targets }: LearningCurve) {
  return targets.map(({ law, ...fields }) => ({ ...fields, ...(law === null ? {} : { law }) }));
}

// Formats a fit as statistics packages print it: one line a parameter, and below the table the residual standard deviation, R^2, AIC, BIC
// and the reason of the end. gaussflow fit prints it, and the text of a fit's result.
import type { FitStatistics } from "../fit/statistics.js";
import { counted, formatNumber, formatPercent } from "./numbers.js";
import { type Painter, plain } from "./paint.js";
import { type TextColumn, textTable } from "./text-table.js";

/** What the table shows of a fit. */
export interface SummarizedFit {
  readonly names: readonly string[];
  readonly estimates: Float64Array;
  readonly statistics: FitStatistics;
  /** Why the fit ended. */
  readonly reason: string;
}

/** The table and the lines below it, without a final newline. */
export function fitSummary(summary: SummarizedFit, paint: Painter = plain): string {
  return `${textTable(columnsOf(summary.statistics), parameterRows(summary), paint)}\n\n${summaryLines(summary)
    .map((line) => `  ${line}`)
    .join("\n")}`;
}

/** The headings of `parameterRows`. */
export function columnsOf({ level }: FitStatistics): TextColumn[] {
  const percent = formatPercent(level);
  return [
    { heading: "parameter", align: "left" },
    { heading: "estimate", align: "right" },
    { heading: "std. error", align: "right" },
    { heading: "t", align: "right" },
    { heading: `lower ${percent}`, align: "right" },
    { heading: `upper ${percent}`, align: "right" },
  ];
}

/** One row of texts a parameter. */
export function parameterRows({ names, estimates, statistics }: SummarizedFit): string[][] {
  const { standardErrors, intervals, states } = statistics;
  return names.map((name, j) => {
    const [estimate, error] = [estimates[j], standardErrors[j]];
    const digits = digitsOf(estimate, error);
    if (states[j] !== "free")
      return [name, formatNumber(estimate, digits), states[j] === "fixed" ? "fixed" : `at ${states[j]}`];
    return [
      name,
      formatNumber(estimate, digits),
      formatNumber(error, 5),
      // Neither an exact fit nor a parameter without a standard error has a t.
      formatNumber(error > 0 && error < Number.POSITIVE_INFINITY ? estimate / error : null),
      formatNumber(intervals[2 * j], digits),
      formatNumber(intervals[2 * j + 1], digits),
    ];
  });
}

/** Digits of an estimate that reach two places below its standard error: 6 to 12. */
function digitsOf(estimate: number, error: number): number {
  if (!Number.isFinite(error) || error === 0 || estimate === 0) return 6;
  const places = Math.floor(Math.log10(Math.abs(estimate))) - Math.floor(Math.log10(error)) + 3;
  return Math.max(6, Math.min(12, places));
}

/** The lines below the table: noise, shares explained, criteria, the reason, warnings. */
export function summaryLines({ statistics, reason }: SummarizedFit): string[] {
  const { residualDeviation, degreesOfFreedom, count, r2, adjustedR2, aic, bic, sumOfSquares, warnings } = statistics;
  const noise =
    residualDeviation === null
      ? `sum of squares ${formatNumber(sumOfSquares, 5)}, no degrees of freedom`
      : `residual standard deviation ${formatNumber(residualDeviation, 5)} on ${degreesOf(degreesOfFreedom)}`;
  const shares =
    r2 === null
      ? ""
      : `R² ${formatNumber(r2, 6)}${adjustedR2 === null ? "" : `, adjusted ${formatNumber(adjustedR2, 6)}`}`;
  const figures = aic === null ? "" : `AIC ${formatNumber(aic, 6)}, BIC ${formatNumber(bic, 6)}`;
  return [
    `${noise}; ${counted(count, "observation")}`,
    [shares, figures].filter((part) => part !== "").join("; "),
    reason,
    ...warnings.map((warning) => `warning: ${warning}`),
  ].filter((line) => line !== "");
}

function degreesOf(count: number): string {
  return `${count} ${count === 1 ? "degree" : "degrees"} of freedom`;
}

// Formats a fit as statistics packages print it: one line a parameter, and below the table the residual standard deviation, R^2, AIC, BIC
// and the reason of the end. gaussflow fit prints it, and users print their fits by it.
import { argumentError } from "../errors.js";
import { type FitResult, isFitResult } from "../fit/fit-result.js";
import type { FitStatistics } from "../fit/statistics.js";
import { counted, formatNumber, formatPercent, formatSeconds } from "./numbers.js";
import { type Painter, plain } from "./paint.js";
import { type TextColumn, textTable } from "./text-table.js";

/** What the table shows of a fit. */
export interface SummarizedFit {
  /** Names of the parameters. */
  readonly names: readonly string[];
  /** In the order of the names. */
  readonly estimates: Float64Array;
  /** Standard errors, intervals and the figures below the table. */
  readonly statistics: FitStatistics;
  /** Why the fit ended. */
  readonly reason: { readonly message: string };
}

/**
 * A fit as statistics packages print it: a line a parameter with estimate, standard error, t and interval, and below them the residual standard
 * deviation, R^2, AIC, BIC, the reason of the end, and warnings. Without a final newline.
 *
 * @example console.log(fitSummary(await curveFit("a*exp(-rate*x)", x, y, { start: { a: 1, rate: 0.1 } })));
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for what is no result of a fit.
 */
export function fitSummary(fit: FitResult): string {
  if (!isFitResult(fit)) throw argumentError("fit", "must be the result of leastSquares or curveFit", fit);
  return summaryText({ ...fit, reason: { message: endText(fit) } });
}

/** How a fit came to its end, and why it ended. */
export function endText({ iterations, attempts, seconds, reason }: FitResult): string {
  const best = attempts.length === 1 ? "" : `, the best of ${attempts.length} minimizations`;
  return `${counted(iterations, "iteration")} in ${formatSeconds(seconds)}${best}; stopped because ${reason.message}`;
}

/** The same of a fit whose figures were replaced, in color where `paint` colors. */
export function summaryText(fit: SummarizedFit, paint: Painter = plain): string {
  const lines = summaryLines(fit).map((line) => `  ${line}`);
  return `${textTable(columnsOf(fit.statistics), parameterRows(fit), paint)}\n\n${lines.join("\n")}`;
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
    r2 === null ? "" : `R² ${shareText(r2)}${adjustedR2 === null ? "" : `, adjusted ${shareText(adjustedR2)}`}`;
  const figures = aic === null ? "" : `AIC ${formatNumber(aic, 6)}, BIC ${formatNumber(bic, 6)}`;
  return [
    `${noise}; ${counted(count, "observation")}`,
    [shares, figures].filter((part) => part !== "").join("; "),
    reason.message,
    ...warnings.map((warning) => `warning: ${warning}`),
  ].filter((line) => line !== "");
}

/** A share with six digits, more where it is so near to 1 that these would all be nines. */
function shareText(share: number): string {
  const rest = 1 - share;
  if (!(rest > 0 && rest < 1e-4)) return formatNumber(share, 6);
  return share.toFixed(Math.min(15, 2 - Math.floor(Math.log10(rest))));
}

function degreesOf(count: number): string {
  return `${count} ${count === 1 ? "degree" : "degrees"} of freedom`;
}

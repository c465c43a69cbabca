// The end of gaussflow fit: profiles, the table on standard output or a JSON line, the file of the fit, and the report page. fit.ts calls it.
import { writeFileAtomic } from "../atomic-file.js";
import { saveFit } from "../fit/fit-file.js";
import type { FitResult } from "../fit/fit-result.js";
import { type FittedFormula, predictFormula } from "../fit/fitted-formula.js";
import type { ParameterProfile } from "../fit/profile.js";
import type { FitStatistics } from "../fit/statistics.js";
import type { FittedCurve, FittedRows } from "../report/fit-charts.js";
import { fitReport } from "../report/fit-report.js";
import { endText, type SummarizedFit, summaryText } from "../report/fit-summary.js";
import { jsonLine } from "../report/json-lines.js";
import { EXIT, type ExitCode } from "./exit.js";
import type { FitTable, FitTableFlags } from "./fit-table.js";
import type { LossChoice } from "./loss-flag.js";
import { surroundings } from "./report-meta.js";
import { shellWord } from "./shell-word.js";
import type { SignalWatch } from "./signals.js";
import { type Terminal, warn } from "./terminal.js";

/** The flags of the command. */
export interface FitFlags extends FitTableFlags {
  readonly loss?: LossChoice;
  readonly seed: number;
  readonly iterations?: number;
  readonly seconds?: number;
  readonly level: number;
  readonly intervals: "linear" | "profile";
  readonly out?: string;
  readonly report?: string;
  readonly json?: true;
  readonly quiet?: true;
}

/** What the command was given, and what it read. */
export interface FitCall {
  readonly table: FitTable;
  readonly file: string;
  readonly flags: FitFlags;
  readonly version: string;
  readonly watch: SignalWatch;
}

/** Points of the curve in the report. */
const CURVE_POINTS = 200;
/** Refits for the picture of a profile, on each side, beside those of the search. */
const PROFILE_POINTS = 6;

/** Shows and saves the fit. */
export async function concludeFit(result: FitResult, call: FitCall, terminal: Terminal): Promise<ExitCode> {
  const { table, flags, watch } = call;
  const profiles = await profilesOf(result, flags, watch);
  const byProfile = flags.intervals === "profile";
  const statistics = byProfile ? withProfiles(result, profiles) : result.statistics;
  const better = profiles.find((profile) => profile.better !== null);
  const warnings = better === undefined ? [] : [betterMinimum(better, result)];
  const summary: SummarizedFit = {
    names: result.names,
    estimates: result.estimates,
    statistics,
    reason: {
      message: `${endText(result)}${byProfile ? "; intervals by profile likelihood" : ""}`,
    },
  };
  const fitted = fittedFormula(result, table);
  if (flags.out !== undefined) await saveFit(flags.out, fitted);
  if (flags.report !== undefined) await writeReport(flags.report, summary, fitted, profiles, result, call);
  for (const warning of warnings) warn(terminal, warning);
  if (flags.json) terminal.out.write(jsonLine("result", resultFields(result, statistics, call, warnings)));
  else terminal.out.write(`${summaryText(summary, terminal.paintOut)}\n${savedLines(flags)}`);
  return watch.exitCode ?? (result.reason.code === "non-finite" ? EXIT.numerical : EXIT.ok);
}

/** Profiles of all free parameters, with --intervals profile, or for a report where there is a noise to measure them by. */
async function profilesOf(result: FitResult, flags: FitFlags, watch: SignalWatch): Promise<ParameterProfile[]> {
  const { statistics, point, names, states } = result;
  const possible = point.robust === null && (point.absoluteSigma || (statistics.residualDeviation ?? 0) > 0);
  if (flags.intervals === "linear" && (flags.report === undefined || !possible)) return [];
  const profiles: ParameterProfile[] = [];
  for (const [j, name] of names.entries()) {
    if (states[j] !== "free" || watch.received !== null) continue;
    profiles.push(await result.profile(name, { curvePoints: flags.report === undefined ? 0 : PROFILE_POINTS }));
  }
  return profiles;
}

/** The statistics with the intervals of the profiles. */
function withProfiles({ statistics, names }: FitResult, profiles: readonly ParameterProfile[]): FitStatistics {
  const intervals = statistics.intervals.slice();
  for (const { parameter, lower, upper } of profiles) intervals.set([lower, upper], 2 * names.indexOf(parameter));
  return { ...statistics, intervals };
}

function betterMinimum({ parameter, better }: ParameterProfile, { names, statistics }: FitResult): string {
  const start = names.map((name, j) => `${name}=${Number(better!.estimates[j]!.toPrecision(6))}`).join(",");
  return `the profile of ${parameter} found a lower sum of squares (${better!.sumOfSquares.toPrecision(6)} against ${statistics.sumOfSquares.toPrecision(6)}), so the fit is not the minimum: start from --start ${start}`;
}

function fittedFormula({ names, estimates, statistics, point }: FitResult, table: FitTable): FittedFormula {
  const { formula, target, variables, encoding } = table;
  return {
    formula,
    target,
    variables,
    names,
    estimates,
    covariance: statistics.covariance,
    residualDeviation: point.absoluteSigma ? null : statistics.residualDeviation,
    degreesOfFreedom:
      point.absoluteSigma && point.robust === null ? Number.POSITIVE_INFINITY : statistics.degreesOfFreedom,
    encoding,
  };
}

function resultFields(
  result: FitResult,
  statistics: FitStatistics,
  { table, flags, watch }: FitCall,
  warnings: string[],
) {
  const { names, estimates, reason, converged, iterations, evaluations, seconds, attempts, relativeOffset } = result;
  const { standardErrors, intervals, states, covariance, correlation, warnings: own, ...figures } = statistics;
  const rows = (matrix: Float64Array) => names.map((_, i) => matrix.slice(i * names.length, (i + 1) * names.length));
  return {
    model: table.formula,
    target: table.target,
    variables: table.variables,
    parameters: names.map((name, j) => ({
      name,
      estimate: estimates[j],
      standardError: standardErrors[j],
      lower: intervals[2 * j],
      upper: intervals[2 * j + 1],
      state: states[j],
    })),
    intervals: flags.intervals,
    ...figures,
    covariance: rows(covariance),
    correlation: rows(correlation),
    reason,
    converged,
    relativeOffset,
    iterations,
    evaluations,
    starts: attempts.length,
    seconds,
    interrupted: watch.received,
    fit: flags.out ?? null,
    report: flags.report ?? null,
    warnings: [...own, ...warnings],
  };
}

function savedLines({ out, report }: FitFlags): string {
  const lines = [
    ...(out === undefined ? [] : [`  fit saved: gaussflow predict ${shellWord(out)} NEW.csv predicts with intervals`]),
    ...(report === undefined ? [] : [`  report: ${report}`]),
  ];
  return lines.length === 0 ? "" : `\n${lines.join("\n")}\n`;
}

async function writeReport(
  path: string,
  summary: SummarizedFit,
  fitted: FittedFormula,
  profiles: readonly ParameterProfile[],
  result: FitResult,
  { table, flags, file, version }: FitCall,
): Promise<void> {
  const html = fitReport(
    {
      ...summary,
      formula: `${table.target} = ${table.formula}`,
      converged: result.converged,
      rows: await rowsOf(fitted, result, table),
      curve: await curveOf(fitted, table, flags.level),
      profiles,
    },
    { command: commandOf(file, flags), version, engine: "TypeScript", ...surroundings() },
  );
  await writeFileAtomic(path, html);
}

/** The command line that repeats the report. */
function commandOf(file: string, flags: FitFlags): string {
  const named = (values: object) =>
    Object.entries(values)
      .map(([name, value]) =>
        value === null ? name : `${name}=${Array.isArray(value) ? value.map((end) => end ?? "").join(":") : value}`,
      )
      .join(",");
  const words = (["model", "target", "x", "sigma", "weights", "starts", "level", "intervals"] as const).flatMap(
    (flag) => (flags[flag] === undefined ? [] : [`--${flag} ${shellWord(String(flags[flag]))}`]),
  );
  const lists = (["start", "fixed", "bounds"] as const).flatMap((flag) =>
    flags[flag] === undefined ? [] : [`--${flag} ${shellWord(named(flags[flag]))}`],
  );
  return ["gaussflow fit", shellWord(file), ...words, ...lists].join(" ");
}

async function rowsOf(fitted: FittedFormula, { point, statistics }: FitResult, table: FitTable): Promise<FittedRows> {
  const { target, observed, columns, variables, weights } = table;
  const deviation = point.absoluteSigma ? 1 : statistics.residualDeviation || 1;
  return {
    target,
    observed,
    fitted: (await predictFormula(fitted, columns, statistics.level)).values,
    standardized: point.residuals.map((value, i) => (weights?.[i] === 0 ? Number.NaN : -value / deviation)),
    x: variables.length === 1 ? { name: variables[0]!.column, values: columns[0]! } : null,
  };
}

async function curveOf(
  fitted: FittedFormula,
  { columns, variables }: FitTable,
  level: number,
): Promise<FittedCurve | null> {
  if (variables.length !== 1) return null;
  const [least, most] = columns[0]!.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
  const x = Float64Array.from({ length: CURVE_POINTS }, (_, k) => least! + ((most! - least!) * k) / (CURVE_POINTS - 1));
  const { values, lower, upper, observation } = await predictFormula(fitted, [x], level);
  return { variable: variables[0]!.column, x, fitted: values, lower, upper, observation };
}

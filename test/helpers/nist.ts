// Reads the nonlinear regression problems of the NIST StRD (files NAME.dat): the model as a formula, data, both starts, certified values.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The folder of the files, or null where `GAUSSFLOW_DATA` is not set. */
export const NIST_FOLDER = process.env.GAUSSFLOW_DATA === undefined ? null : join(process.env.GAUSSFLOW_DATA, "nist");

/** One problem. */
export interface NistProblem {
  readonly name: string;
  /** In the language of src/expression. */
  readonly formula: string;
  /** The names b1, b2, ... */
  readonly parameters: readonly string[];
  /** Both starts. */
  readonly starts: readonly [number[], number[]];
  readonly certified: readonly number[];
  /** Certified standard deviations of the estimates. */
  readonly standardErrors: readonly number[];
  /** Residual sum of squares. */
  readonly squares: number;
  readonly residualDeviation: number;
  readonly degreesOfFreedom: number;
  /** Observations of the response. */
  readonly y: readonly number[];
  /** Names of the predictors, and one list of numbers each. */
  readonly predictors: Readonly<Record<string, readonly number[]>>;
}

/** Names of the problems in the folder. */
export function nistNames(): string[] {
  if (NIST_FOLDER === null) return [];
  return readdirSync(NIST_FOLDER)
    .filter((name) => name.endsWith(".dat"))
    .map((name) => name.slice(0, -".dat".length))
    .sort();
}

export function nistProblem(name: string): NistProblem {
  const lines = readFileSync(join(NIST_FOLDER ?? "", `${name}.dat`), "utf8").split(/\r?\n/);
  const rows = lines
    .map((line) => line.match(/^\s*b\d+\s*=\s*(.*)$/)?.[1])
    .filter((text) => text !== undefined)
    .map((text) => text.trim().split(/\s+/).map(Number));
  const figure = (label: RegExp) =>
    Number(lines.find((line) => label.test(line))?.match(/([\d.]+(?:E[+-]?\d+)?)\s*$/i)?.[1]);
  const heading = lines.findLastIndex((line) => /^Data:\s+y\s+x/.test(line));
  const names = lines[heading]!.replace("Data:", "").trim().split(/\s+/);
  const table = lines
    .slice(heading + 1)
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter((cells) => cells.length === names.length && cells.every(Number.isFinite));
  const { formula, logarithm } = modelOf(lines);
  return {
    name,
    formula,
    parameters: rows.map((_, j) => `b${j + 1}`),
    starts: [rows.map((row) => row[0]!), rows.map((row) => row[1]!)],
    certified: rows.map((row) => row[2]!),
    standardErrors: rows.map((row) => row[3]!),
    squares: figure(/^\s*Residual Sum of Squares/i),
    residualDeviation: figure(/^\s*Residual Standard Deviation/i),
    degreesOfFreedom: figure(/^\s*Degrees of Freedom/i),
    y: table.map(([y]) => (logarithm ? Math.log(y!) : y!)),
    predictors: Object.fromEntries(names.slice(1).map((x, k) => [x, table.map((cells) => cells[k + 1]!)])),
  };
}

/** The lines from "y = ..." to "... + e" as one formula; the response of one problem is log[y]. */
function modelOf(lines: readonly string[]): { formula: string; logarithm: boolean } {
  const from = lines.findIndex((line) => /^\s*(y|log\[y\])\s*=/.test(line));
  const to = lines.findIndex((line, at) => at >= from && /\+\s*e\s*$/.test(line));
  const [left = "", right = ""] = lines
    .slice(from, to + 1)
    .join(" ")
    .split("=");
  const formula = right
    .replace(/\+\s*e\s*$/, "")
    .replaceAll("[", "(")
    .replaceAll("]", ")")
    .replaceAll("**", "^")
    .replaceAll("arctan", "atan")
    .replace(/\s+/g, " ")
    .trim();
  return { formula, logarithm: left.includes("log") };
}

/** The problem as a table: the response, then the predictors. */
export function nistTable({ y, predictors }: NistProblem): string {
  const names = Object.keys(predictors);
  const rows = y.map((value, i) => [value, ...names.map((x) => predictors[x]![i]!)].join(","));
  return `${["y", ...names].join(",")}\n${rows.join("\n")}\n`;
}

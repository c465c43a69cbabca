// Turns a model and data into the residuals of a fit: (model(x_i, b) - y_i) / sigma_i. A model is a function of one point, or a formula as text, which is
// compiled with its exact derivatives (src/expression). curve-fit.ts calls it.
import { argumentError } from "../errors.js";
import { column, scalarsOf } from "../expression/columns.js";
import { compile } from "../expression/compile.js";
import { TapeEvaluator } from "../expression/evaluate.js";
import { CurveEvaluator } from "../expression/evaluate-curve.js";
import { namesIn } from "../expression/expression.js";
import { checkNames, parseExpression } from "../expression/parse.js";
import type { Tape } from "../expression/tape.js";
import { isObject } from "../options.js";
import { columnsOf } from "./least-squares.js";
import type { ResidualFunction } from "./residual-function.js";

/** Points of a curve: numbers, rows of numbers, or columns by name. */
export type CurvePoints<Point> = ArrayLike<Point> | Readonly<Record<string, ArrayLike<number>>>;

/** Observations, and their standard deviations where they are known. */
export interface Observed {
  /** n numbers. */
  readonly y: Float64Array;
  /** n numbers above 0; null = all 1. */
  readonly sigma: Float64Array | null;
}

/** Residuals of a model that is a function. */
export function functionResiduals<Point>(
  model: (x: Point, b: Float64Array) => number,
  x: ArrayLike<Point>,
  { y, sigma }: Observed,
  parameterCount: number,
  jacobian: ((x: Point, b: Float64Array, out: Float64Array) => void) | undefined,
): ResidualFunction {
  const count = y.length;
  const residuals = (b: Float64Array, out: Float64Array) => {
    if (sigma === null) for (let i = 0; i < count; i++) out[i] = model(x[i]!, b) - y[i];
    else for (let i = 0; i < count; i++) out[i] = (model(x[i]!, b) - y[i]) / sigma[i];
  };
  if (jacobian === undefined) return { count, parameterCount, residuals, columns: null };
  const row = new Float64Array(parameterCount);
  const rows = (b: Float64Array, out: Float64Array) => {
    for (let i = 0; i < count; i++) {
      row.fill(Number.NaN);
      jacobian(x[i]!, b, row);
      for (let j = 0; j < parameterCount; j++) out[i * parameterCount + j] = row[j] / (sigma?.[i] ?? 1);
    }
  };
  return { count, parameterCount, residuals, columns: columnsOf(count, parameterCount, rows) };
}

interface Compiled {
  readonly tape: Tape;
  /** Names in the text. */
  readonly used: ReadonlySet<string>;
}

/** Models that were compiled last, by their text and names: parsing one takes longer than many fits. */
const recent = new Map<string, Compiled>();
const MOST_RECENT = 32;

async function compiled(text: string, names: readonly string[]): Promise<Compiled> {
  const key = JSON.stringify([text, names]);
  const known = recent.get(key);
  if (known !== undefined) return known;
  await checkNames(names, "model");
  const expression = await parseExpression(text, { names, declare: "give it a start in options.start" }, "model");
  const model = { tape: compile([expression], names, "model"), used: namesIn(expression) };
  if (recent.size >= MOST_RECENT) recent.delete(recent.keys().next().value as string);
  recent.set(key, model);
  return model;
}

/**
 * Residuals of a model that is text, with exact first derivatives, and second ones along a step.
 * @param variables columns of the points by the names that the text has for them
 * @throws GAUSSFLOW_ARGUMENT for text that is no formula, or has names that are neither
 */
export async function textResiduals(
  text: string,
  variables: ReadonlyMap<string, Float64Array>,
  { y, sigma }: Observed,
  names: readonly string[],
): Promise<ResidualFunction> {
  const both = names.find((name) => variables.has(name));
  if (both !== undefined)
    throw argumentError("options.start", "must not have a parameter of the name of a variable", both);
  const all = [...variables.keys(), ...names];
  const { tape, used } = await compiled(text, all);
  const idle = names.find((name) => !used.has(name));
  if (idle !== undefined)
    throw argumentError("options.start", "must have no parameter that the model does not have", idle);
  const [count, parameterCount] = [y.length, names.length];
  const parameters = new Float64Array(parameterCount);
  const columns = [...[...variables.values()].map(column), ...scalarsOf(parameters)];
  const [evaluator, curves] = [new TapeEvaluator(tape), new CurveEvaluator(tape)];
  const places = names.map((_, j) => variables.size + j);
  const values = new Float64Array(count);
  const scaled = (out: Float64Array, shift: boolean) => {
    if (shift) for (let i = 0; i < count; i++) out[i] -= y[i];
    if (sigma !== null) for (let i = 0; i < count; i++) out[i] /= sigma[i];
  };
  let prepared: { readonly key: string; readonly wanted: ReturnType<TapeEvaluator["wanted"]> } | null = null;
  let partials = new Float64Array(0);
  return {
    count,
    parameterCount,
    residuals: (b, out) => {
      parameters.set(b);
      evaluator.values(columns, count, out);
      scaled(out, true);
    },
    columns: (b, which, out) => {
      parameters.set(b);
      const width = which.length;
      if (prepared?.key !== which.join()) {
        prepared = { key: which.join(), wanted: evaluator.wanted(which.map((j) => places[j]!)) };
        partials = new Float64Array(count * width);
      }
      evaluator.partials(columns, count, prepared.wanted, values, partials);
      for (let k = 0; k < width; k++) {
        const own = out.subarray(k * count, (k + 1) * count);
        for (let i = 0; i < count; i++) own[i] = partials[i * width + k];
        scaled(own, false);
      }
    },
    secondAlong: (b, direction, out) => {
      parameters.set(b);
      const still = [...variables.keys()].map(() => null);
      const none = [...still, ...names.map(() => null)];
      const first = new Float64Array(count);
      curves.evaluate(columns, [...still, ...scalarsOf(direction)], none, count, { values, first, second: out });
      scaled(out, false);
    },
  };
}

/**
 * The columns of points by name: one column of numbers is "x", the columns of rows are "x1", "x2", ..., unless `variables` names them.
 * @throws GAUSSFLOW_ARGUMENT for points that are not numbers, and rows of different lengths
 */
export function columnsByName(
  x: CurvePoints<unknown>,
  variables: readonly string[] | undefined,
): ReadonlyMap<string, Float64Array> {
  if (isObject(x)) {
    if (variables !== undefined)
      throw argumentError("options.variables", "must be left out where x names its columns", variables);
    const named = Object.entries(x).map(([name, values]) => [name, columnOf(`x.${name}`, values)] as const);
    const count = named[0]?.[1].length;
    const short = named.find(([, values]) => values.length !== count);
    if (count === undefined) throw argumentError("x", "must have at least one column", x);
    if (short !== undefined)
      throw argumentError(`x.${short[0]}`, `must have ${count} numbers, as the column before it`, short[1]);
    return new Map(named);
  }
  const points = x as ArrayLike<unknown>;
  const first = points[0];
  if (typeof first === "number") return new Map([[nameAt(variables, 0, 1), columnOf("x", points)]]);
  const width = (first as ArrayLike<unknown> | undefined)?.length ?? 0;
  if (width === 0)
    throw argumentError("x", "must be an array of numbers, of rows of numbers, or an object of columns", x);
  return new Map(
    Array.from({ length: width }, (_, k) => {
      const values = Array.from({ length: points.length }, (_, i) => {
        const row = points[i] as ArrayLike<unknown>;
        if (row?.length !== width)
          throw argumentError(`x[${i}]`, `must be a row of ${width} numbers, as the first`, row);
        return row[k];
      });
      return [nameAt(variables, k, width), columnOf("x", values)] as const;
    }),
  );
}

function nameAt(variables: readonly string[] | undefined, k: number, width: number): string {
  if (variables === undefined) return width === 1 ? "x" : `x${k + 1}`;
  if (!Array.isArray(variables) || variables.length !== width || new Set(variables).size !== width)
    throw argumentError("options.variables", `must be ${width} different names, one a column of x`, variables);
  return variables[k]!;
}

function columnOf(name: string, values: unknown): Float64Array {
  const list = values as ArrayLike<unknown>;
  if (!(Array.isArray(values) || ArrayBuffer.isView(values)))
    throw argumentError(name, "must be an array of numbers", values);
  const copy = new Float64Array(list.length);
  for (let i = 0; i < copy.length; i++) {
    const one = list[i];
    if (typeof one !== "number" || !Number.isFinite(one))
      throw argumentError(`${name}[${i}]`, "must be a finite number", one);
    copy[i] = one;
  }
  return copy;
}

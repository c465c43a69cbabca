// Checks and completes what callers pass to `leastSquares` and `curveFit`: names, start, bounds, fixed parameters, weights and loss become a FitSetup,
// plain data beside the residual function.
import { argumentError } from "../errors.js";
import { checkLoss, type Loss } from "../loss/rules.js";
import { squaredError } from "../loss/squared-error.js";
import { isObject } from "../options.js";
import { suggestion } from "../suggest.js";
import type { Bound, FitParameters, ParameterValues } from "./fit-options.js";
import type { Box, ResidualFunction } from "./residual-function.js";

/** A fit that is ready to run. */
export interface FitSetup {
  readonly function: ResidualFunction;
  readonly names: readonly string[];
  readonly start: Float64Array;
  /** Places of the parameters that are not fixed, ascending. */
  readonly free: readonly number[];
  /** Typical size of each parameter. */
  readonly sizes: Float64Array;
  readonly box: Box | null;
  readonly loss: Loss;
  /** Weight of each residual; null = all 1. */
  readonly weights: Float64Array | null;
  /** Places of the parameters that the caller says are linear; null where nothing was said. */
  readonly linear: readonly number[] | null;
}

/** Names of the members of FitParameters. */
export const PARAMETER_OPTIONS = ["start", "bounds", "fixed", "scale", "loss", "weights", "linear"] as const;

/** Names of the parameters of a start. */
export function parameterNames(name: string, start: unknown): readonly string[] {
  if (isObject(start) && !isArrayLike(start)) {
    const names = Object.keys(start);
    if (names.length === 0) throw argumentError(name, "must have at least one parameter", start);
    return names;
  }
  if (!isArrayLike(start) || start.length === 0)
    throw argumentError(name, "must be an array of at least one number, or an object of named numbers", start);
  return Array.from({ length: start.length }, (_, j) => `b${j + 1}`);
}

/**
 * @param path prefix of the options in errors, such as "problem"
 * @throws GAUSSFLOW_ARGUMENT naming the option, the rule and the value
 */
export function fitSetup(path: string, options: FitParameters, of: ResidualFunction): FitSetup {
  const names = parameterNames(`${path}.start`, options.start);
  const start = valuesOf(`${path}.start`, options.start, names);
  const fixed = new Set(placesOf(`${path}.fixed`, options.fixed ?? [], names));
  const free = names.flatMap((_, j) => (fixed.has(j) ? [] : [j]));
  if (free.length === 0) throw argumentError(`${path}.fixed`, "must leave at least one parameter free", options.fixed);
  const box = boxOf(`${path}.bounds`, options.bounds, names);
  if (box !== null) for (const j of free) checkInside(path, names, start, box, j);
  return {
    function: of,
    names,
    start,
    free,
    sizes: sizesOf(`${path}.scale`, options.scale, start, names),
    box,
    loss: lossOf(`${path}.loss`, options.loss),
    weights: options.weights === undefined ? null : weightsOf(`${path}.weights`, options.weights, of.count),
    linear: options.linear === undefined ? null : linearOf(`${path}.linear`, options.linear, names, fixed),
  };
}

/** A list of finite numbers, one a row. */
export function numbersOf(name: string, values: unknown, count: number): Float64Array {
  if (!isArrayLike(values) || values.length !== count)
    throw argumentError(name, `must be an array of ${count} numbers`, values);
  const copy = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const value = values[i];
    // The name of an entry is text, which is made for errors alone.
    copy[i] = typeof value === "number" && Number.isFinite(value) ? value : finite(`${name}[${i}]`, value);
  }
  return copy;
}

function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function finite(name: string, value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw argumentError(name, "must be a finite number", value);
  return value;
}

function valuesOf(name: string, values: ParameterValues, names: readonly string[]): Float64Array {
  if (isArrayLike(values)) return numbersOf(name, values, names.length);
  if (!isObject(values))
    throw argumentError(name, "must be an array of numbers, or an object of named numbers", values);
  checkKeys(name, values, names);
  return Float64Array.from(names, (one) => finite(`${name}.${one}`, (values as Record<string, unknown>)[one]));
}

function checkKeys(name: string, values: object, names: readonly string[]): void {
  const foreign = Object.keys(values).find((key) => !names.includes(key));
  if (foreign !== undefined)
    throw argumentError(name, `has no parameter of that name; ${suggestion(foreign, names, names.length)}`, foreign);
}

function placesOf(name: string, list: unknown, names: readonly string[]): number[] {
  if (!Array.isArray(list)) throw argumentError(name, "must be an array of names, or of places from 0", list);
  const places = list.map((one: unknown) => {
    const place = typeof one === "string" ? names.indexOf(one) : one;
    if (!Number.isInteger(place) || (place as number) < 0 || (place as number) >= names.length)
      throw argumentError(name, `must be among the parameters ${names.join(", ")}, or places from 0`, one);
    return place as number;
  });
  return [...new Set(places)].sort((a, b) => a - b);
}

function linearOf(name: string, list: unknown, names: readonly string[], fixed: ReadonlySet<number>): number[] {
  const places = placesOf(name, list, names);
  const both = places.find((j) => fixed.has(j));
  if (both !== undefined)
    throw argumentError(
      name,
      "must not have a fixed parameter, whose value is not solved for: leave it out",
      names[both],
    );
  return places;
}

function boxOf(name: string, bounds: FitParameters["bounds"], names: readonly string[]): Box | null {
  if (bounds === undefined) return null;
  if (Array.isArray(bounds)) {
    if (bounds.length !== names.length)
      throw argumentError(name, `must have one entry for each of the ${names.length} parameters`, bounds);
  } else {
    if (!isObject(bounds)) throw argumentError(name, "must be an array, or an object by name", bounds);
    checkKeys(name, bounds, names);
  }
  const pairs = names.map((one, j) => {
    const pair: unknown = Array.isArray(bounds) ? bounds[j] : (bounds as Readonly<Record<string, Bound>>)[one];
    if (pair === undefined || pair === null) return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
    const path = Array.isArray(bounds) ? `${name}[${j}]` : `${name}.${one}`;
    if (!Array.isArray(pair) || pair.length !== 2)
      throw argumentError(path, "must be a pair [lower, upper], null for no bound", pair);
    const lower: unknown = pair[0] ?? Number.NEGATIVE_INFINITY;
    const upper: unknown = pair[1] ?? Number.POSITIVE_INFINITY;
    if (typeof lower !== "number" || typeof upper !== "number" || !(lower < upper))
      throw argumentError(
        path,
        "must be a pair of numbers, the lower first (to hold a parameter, use fixed)",
        `[${pair.join(", ")}]`,
      );
    return [lower, upper] as const;
  });
  if (pairs.every(([lower, upper]) => lower === Number.NEGATIVE_INFINITY && upper === Number.POSITIVE_INFINITY))
    return null;
  return { lower: Float64Array.from(pairs, ([lower]) => lower), upper: Float64Array.from(pairs, ([, upper]) => upper) };
}

function checkInside(
  path: string,
  names: readonly string[],
  start: Float64Array,
  { lower, upper }: Box,
  j: number,
): void {
  if (start[j] >= lower[j] && start[j] <= upper[j]) return;
  throw argumentError(
    `${path}.start`,
    `must be inside the bounds: ${names[j]} between ${lower[j]} and ${upper[j]}`,
    start[j],
  );
}

function sizesOf(
  name: string,
  scale: ParameterValues | undefined,
  start: Float64Array,
  names: readonly string[],
): Float64Array {
  const given = scale === undefined ? null : valuesOf(name, scale, names);
  given?.forEach((value, j) => {
    if (!(value > 0)) throw argumentError(`${name}[${j}]`, "must be above 0", value);
  });
  return given ?? start.map((value) => Math.abs(value) || 1);
}

/** Losses of one residual that have their minimum at 0. */
const LOSSES = ["squared-error", "huber", "pseudo-huber", "log-cosh"];

function lossOf(name: string, given: Loss | undefined): Loss {
  if (given === undefined) return squaredError();
  const loss = checkLoss(name, given);
  if (!LOSSES.includes(loss.kind))
    throw argumentError(name, "must be squaredError(), huber(), pseudoHuber() or logCosh()", loss.kind);
  if (loss.decay !== 0)
    throw argumentError(`${name}.decay`, "must be 0 in a fit: parameters have no common size", loss.decay);
  return loss;
}

function weightsOf(name: string, given: ArrayLike<number>, count: number): Float64Array {
  const weights = numbersOf(name, given, count);
  const bad = weights.findIndex((value) => value < 0);
  if (bad >= 0) throw argumentError(`${name}[${bad}]`, "must be at least 0", weights[bad]);
  if (!weights.some((value) => value > 0)) throw argumentError(name, "must have an entry above 0", weights);
  return weights;
}

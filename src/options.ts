// Checks arguments and options with one wording of errors; every public function calls it on what a user passes. A name is the path to the
// value as the caller wrote it: `options.stop.seconds`, `data.inputs`, `network`.
import { argumentError } from "./errors.js";
import { suggestion } from "./suggest.js";

/** An object with named members: no array, no typed array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** An object of options, whatever their names. */
export function checkObject(argument: string, options: unknown): void {
  if (!isObject(options)) throw argumentError(argument, "must be an object of options", options);
}

/**
 * `options` must be an object whose keys are among `names`: a misspelled option is an error that names the nearest right one, never a
 * silent default.
 * @throws GAUSSFLOW_ARGUMENT that names the option and, where one is near, the spelling that was meant
 */
export function checkOptionNames(argument: string, options: unknown, names: readonly string[]): void {
  checkObject(argument, options);
  const foreign = Object.keys(options as object).find((key) => !names.includes(key));
  if (foreign !== undefined)
    throw argumentError(argument, `has no option of that name; ${suggestion(foreign, names, names.length)}`, foreign);
}

/** Without the options that are `undefined`: those take their default, and must not overwrite one in a spread. */
export function definedOptions<T extends object>(options: T): { [Name in keyof T]: Exclude<T[Name], undefined> } {
  const defined = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(defined) as { [Name in keyof T]: Exclude<T[Name], undefined> };
}

export function checkFunction(what: string, value: unknown): void {
  if (typeof value !== "function") throw argumentError(what, "must be a function", value);
}

export function checkText(what: string, value: unknown): asserts value is string {
  if (typeof value !== "string") throw argumentError(what, "must be a text", value);
}

/** A path of the file system, which knows no name with a NUL in it. */
export function checkPath(what: string, value: unknown): asserts value is string {
  if (typeof value !== "string" || value === "" || value.includes("\0"))
    throw argumentError(what, "must be a path", value);
}

/** Several numbers in one array. */
export type NumberArray = readonly number[] | Float64Array | Float32Array;

/** True for a typed array of numbers; a DataView has none, and big integers are no numbers. */
export function isTypedNumbers(value: unknown): value is Float64Array | Float32Array {
  return (
    ArrayBuffer.isView(value) &&
    !(value instanceof DataView || value instanceof BigInt64Array || value instanceof BigUint64Array)
  );
}

/** An array of at least one number, finite all of them, as a copy. @throws GAUSSFLOW_ARGUMENT with the place */
export function numbersOf(what: string, value: unknown): Float64Array {
  if (!(Array.isArray(value) || isTypedNumbers(value)) || value.length === 0)
    throw argumentError(what, "must be an array of at least one number", value);
  const list: ArrayLike<unknown> = value;
  const copy = new Float64Array(list.length);
  for (let i = 0; i < copy.length; i++) {
    const one = list[i];
    if (typeof one !== "number" || !Number.isFinite(one))
      throw argumentError(`${what}[${i}]`, "must be a finite number", one);
    copy[i] = one;
  }
  return copy;
}

/** Deeper than anything that this library writes, and far from where JSON.stringify ends with a RangeError. */
const DEEPEST = 100;

/** Plain JSON: what comes back from a file as it was. @throws GAUSSFLOW_ARGUMENT with the place */
export function checkJson(what: string, value: unknown, depth = 0): void {
  if (value === null || typeof value === "boolean" || typeof value === "string") return;
  if (typeof value === "number" && Number.isFinite(value)) return;
  const list = Array.isArray(value);
  if (!list && !(isObject(value) && Object.getPrototypeOf(value) === Object.prototype))
    throw argumentError(
      what,
      "must be plain JSON: null, true, false, a finite number, a text, an array or an object",
      value,
    );
  if (depth === DEEPEST) throw argumentError(what, `must not be nested deeper than ${DEEPEST} levels`, value);
  for (const [key, one] of Object.entries(value))
    checkJson(list ? `${what}[${key}]` : `${what}.${key}`, one, depth + 1);
}

/** An array of `length` doubles that is taken as it is. */
export function checkDoubles(what: string, value: unknown, length: number): asserts value is Float64Array {
  if (!(value instanceof Float64Array) || value.length !== length)
    throw argumentError(what, `must be a Float64Array of ${length} numbers`, value);
}

/** A finite number > 0. */
export function checkPositive(what: string, value: unknown): asserts value is number {
  if (typeof value !== "number" || !(value > 0) || value === Infinity)
    throw argumentError(what, "must be a positive finite number", value);
}

/** A finite number >= 0. */
export function checkNonNegative(what: string, value: unknown): asserts value is number {
  if (typeof value !== "number" || !(value >= 0) || value === Infinity)
    throw argumentError(what, "must be a finite number of at least 0", value);
}

/** A safe integer >= least. */
export function checkCount(what: string, value: unknown, least: number): asserts value is number {
  if (!Number.isSafeInteger(value) || (value as number) < least)
    throw argumentError(what, `must be an integer of at least ${least}`, value);
}

export function checkBoolean(what: string, value: unknown): asserts value is boolean {
  if (typeof value !== "boolean") throw argumentError(what, "must be true or false", value);
}

/** Bytes; Infinity is no limit. */
export function checkMemoryLimit(what: string, value: unknown): asserts value is number {
  if (typeof value !== "number" || !(value > 0)) throw argumentError(what, "must be a number of bytes above 0", value);
}

export function checkSignal(what: string, value: unknown): asserts value is AbortSignal | undefined {
  if (value !== undefined && !(value instanceof AbortSignal))
    throw argumentError(what, "must be an AbortSignal", value);
}

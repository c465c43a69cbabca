// Checks of arguments and options, in one wording. A name is the path to the value as the caller wrote it: `options.stop.seconds`,
// `data.inputs`, `network`.
import { argumentError } from "./errors.js";
import { suggestion } from "./suggest.js";

/** An object with named members: no array, no typed array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/**
 * `options` must be an object whose keys are among `names`: a misspelt option is an error that names the nearest right one, never a
 * silent default.
 * @throws GAUSSFLOW_ARGUMENT that names the option and, where one is near, the spelling that was meant
 */
export function checkOptionNames(argument: string, options: unknown, names: readonly string[]): void {
  if (!isObject(options)) throw argumentError(argument, "must be an object of options", options);
  const foreign = Object.keys(options).find((key) => !names.includes(key));
  if (foreign !== undefined)
    throw argumentError(argument, `has no option of that name; ${suggestion(foreign, names, names.length)}`, foreign);
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

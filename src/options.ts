// Checks of option values, in one wording.
import { argumentError } from "./errors.js";

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

// Checks shared by the options of methods and of training: a misspelt name is an error, not a silent default.
import { argumentError } from "../errors.js";

/** Every key of `options` must be one of `names`; the error proposes the nearest one. */
export function checkNames(what: string, options: unknown, names: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw argumentError(what, "must be an object of options", options);
  for (const key of Object.keys(options)) {
    if (names.includes(key)) continue;
    const nearest = [...names].sort((a, b) => distance(key, a) - distance(key, b))[0];
    const hint = nearest !== undefined && distance(key, nearest) <= 3 ? `; did you mean "${nearest}"?` : "";
    throw argumentError(what, `know only ${names.join(", ")}${hint}`, key);
  }
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

/** Levenshtein distance, case ignored: only for the hint in an error message. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1].toLowerCase() === b[j - 1].toLowerCase() ? 0 : 1;
      next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + same));
    }
    row = next;
  }
  return row[b.length];
}

// A misspelt option is an error that names the nearest right one, never a silent default.
import { argumentError } from "../errors.js";

/** Levenshtein distance, case ignored. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1].toLowerCase() === b[j - 1].toLowerCase() ? 0 : 1;
      next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + change));
    }
    row = next;
  }
  return row[b.length];
}

/**
 * `options` must be a plain object whose keys are among `names`.
 * @throws GAUSSFLOW_ARGUMENT that names the option and, where one is near, the spelling that was meant
 */
export function checkOptionNames(argument: string, options: unknown, names: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options) || ArrayBuffer.isView(options))
    throw argumentError(argument, "must be an object of options", options);
  for (const key of Object.keys(options)) {
    if (names.includes(key)) continue;
    const nearest = [...names].sort((a, b) => distance(key, a) - distance(key, b))[0];
    const near = nearest !== undefined && distance(key, nearest) <= 3;
    const rule = `knows only ${names.join(", ")}${near ? ` (did you mean "${nearest}"?)` : ""}`;
    throw argumentError(argument, rule, key);
  }
}

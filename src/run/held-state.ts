// Writes and reads the state of a method in checkpoints, for train/checkpoint.ts and game/game-checkpoint.ts: numbers and arrays as bits, by name.
import { fileError } from "../errors.js";
import type { Method, MethodState } from "../method/method.js";
import { checkNumbers, decodeFloats } from "../sealed-json.js";

/** Name, numbers, and whether they are one number or an array. The file has the base64 of the numbers. */
export type WrittenState = readonly (readonly [string, Float64Array, "number" | "array"])[];

export function writtenState(state: MethodState): WrittenState {
  return Object.entries(state).map(([name, value]) =>
    typeof value === "number" ? [name, Float64Array.of(value), "number"] : [name, value, "array"],
  );
}

/** What a stored state must be. */
export interface StateForm {
  readonly parameterCount: number;
  /** A state of the run's method, whose names and kinds the stored one must have. */
  readonly state: MethodState;
  /** The method's own check of it. */
  readonly checkState?: Method["checkState"] | undefined;
}

/**
 * @param what names it in errors
 * @throws GAUSSFLOW_FILE
 */
export function readState(
  value: unknown,
  { state: like, checkState, parameterCount }: StateForm,
  path: string,
  what: string,
): MethodState {
  if (!Array.isArray(value)) throw fileError(path, `${what} must be a list`);
  const found = new Map<string, number | Float64Array>();
  for (const entry of value as unknown[]) {
    if (!Array.isArray(entry) || typeof entry[0] !== "string") throw fileError(path, `${what} has a bad entry`);
    const [name, bits, kind] = entry as [string, unknown, unknown];
    const one = `${what}.${name}`;
    // The state of a method may be infinite, but not NaN.
    const values = checkNumbers(decodeFloats(bits, kind === "number" ? 1 : null, path, one), path, one, true);
    if (kind !== "number" && values.length % parameterCount !== 0)
      throw fileError(path, `${one} must have a multiple of ${parameterCount} numbers; received ${values.length}`);
    found.set(name, kind === "number" ? values[0] : values);
  }
  for (const name of new Set([...Object.keys(like), ...found.keys()]))
    if (!Object.hasOwn(like, name) || typeof like[name] !== typeof found.get(name))
      throw fileError(path, `${what}.${name} does not belong to the method or is missing`);
  const state = Object.fromEntries(found);
  const rule = checkState?.(state) ?? null;
  if (rule !== null) throw fileError(path, `${what}.${rule}`);
  return state;
}

// Arguments of the wrong kind, and calls of the public face with them: what a caller in JavaScript may hand in.

import * as face from "../../src/index.js";
import { fc } from "./property.js";

const deep = (levels: number): unknown => {
  let value: unknown = [];
  for (let k = 0; k < levels; k++) value = [value];
  return value;
};

const net = face.network({ layers: [2, 3, 1] });
const set = face.dataset({ inputs: [[1, 2], [3, 5], [4, 4]], targets: [1, 2, 3] }); // biome-ignore format: a table

/** Makers of values, so that every call gets fresh ones. */
export const WRONG: readonly (() => unknown)[] = [
  ...[undefined, null, true, false].map((value) => () => value),
  ...[0, -1, 1, 2, 1.5, Number.NaN, Infinity, -Infinity, 1e308, 5e-324, 2 ** 53 - 1, 2 ** 53, 1e12].map(
    (value) => () => value,
  ),
  ...["", "text", "m.json", "no/such/m.json", "\0", "auto", "x".repeat(100_000)].map((value) => () => value),
  () => Symbol("s"),
  () => 10n,
  () => [],
  () => [[]],
  () => [null],
  () => [1, 2, 3],
  () => ["a", "b"],
  () => [[1, 2], [3]],
  () => new Array(3),
  () => deep(100_000),
  () => ({}),
  () => ({ a: 1 }),
  () => ({ length: 3 }),
  () => ({ length: 1e12 }),
  () => Object.create(null),
  () => () => 1,
  () => () => {
    throw new face.GaussflowError("GAUSSFLOW_ARGUMENT", "thrown by the caller's own function");
  },
  () => class {},
  () => new Date(),
  () => new Map(),
  () => new Set([1]),
  () => new Error("e"),
  () => Promise.resolve(1),
  () => new Float64Array(0),
  () => new Float64Array([Number.NaN]),
  () => new Float64Array([1, 2, 3]),
  () => new Float32Array([1, 2, 3, 4]),
  () => new Uint8Array(3),
  () => new BigInt64Array(2),
  () => new ArrayBuffer(8),
  () => new DataView(new ArrayBuffer(8)),
  () => net,
  () => structuredClone(net),
  () => set,
  () => structuredClone(set),
  () => face.ensemble([net]),
  () => ({ network: net, loss: 1, reason: { code: "iterations" } }),
  () => face.monitor(),
  () => face.squaredError(),
  () => face.levenbergMarquardt(),
  () => face.dormandPrince(),
  () => new face.Random(1),
  () => new AbortController().signal,
  () => AbortSignal.abort(new face.GaussflowError("GAUSSFLOW_ARGUMENT", "the caller's own reason")),
];

/** One change to a list of arguments. */
export type Change =
  /** The place is chosen by the numbers: an argument, then a member of it, and so on while there are numbers. */
  | { readonly kind: "replace"; readonly at: readonly number[]; readonly wrong: number }
  | { readonly kind: "swap"; readonly one: number; readonly other: number }
  | { readonly kind: "missing"; readonly count: number }
  | { readonly kind: "remove"; readonly at: readonly number[] }
  | { readonly kind: "foreign"; readonly at: readonly number[]; readonly wrong: number };

const place = fc.array(fc.nat(1000), { minLength: 1, maxLength: 4 });
const wrong = fc.nat(WRONG.length - 1);
export const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("replace" as const), at: place, wrong }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("swap" as const), one: fc.nat(5), other: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("missing" as const), count: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), at: place }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("foreign" as const), at: place, wrong }) },
);

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** A copy of lists and plain objects; everything else is shared. */
const copied = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(copied)
    : isPlain(value)
      ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, copied(one)]))
      : value;

/** The arguments with the change made. */
export function changed(args: readonly unknown[], how: Change): unknown[] {
  const list = copied(args) as unknown[];
  if (how.kind === "swap") {
    const [i, j] = [how.one % Math.max(1, list.length), how.other % Math.max(1, list.length)];
    [list[i], list[j]] = [list[j], list[i]];
    return list;
  }
  if (how.kind === "missing") return list.slice(0, Math.max(0, list.length - 1 - how.count));
  let holder: Record<string, unknown> | unknown[] = list;
  for (const [depth, step] of how.at.entries()) {
    const keys: string[] = Object.keys(holder);
    const key: string | undefined = keys[step % Math.max(1, keys.length)];
    const inner: unknown = key === undefined ? undefined : (holder as Record<string, unknown>)[key];
    if (depth < how.at.length - 1 && (Array.isArray(inner) || isPlain(inner))) holder = inner;
    else if (how.kind === "foreign") {
      if (!Array.isArray(holder)) holder.foreign = WRONG[how.wrong]!();
      else if (isPlain(inner)) inner.foreign = WRONG[how.wrong]!();
      else holder.push(WRONG[how.wrong]!());
      return list;
    } else {
      if (how.kind === "remove") Array.isArray(holder) ? holder.splice(Number(key), 1) : delete holder[key as string];
      else (holder as Record<string, unknown>)[key ?? "0"] = WRONG[how.wrong]!();
      return list;
    }
  }
  return list;
}

/** What a call came to, to its end: promises are awaited, steps taken, engines given back. */
export async function outcomeOf(call: () => unknown): Promise<unknown> {
  try {
    const value = await call();
    if (typeof value === "object" && value !== null && Symbol.asyncIterator in value && "next" in value)
      for await (const _ of value as AsyncIterable<unknown>);
    if (typeof value === "object" && value !== null && "dispose" in value) (value as face.Engine).dispose();
    return null;
  } catch (error) {
    return error ?? "something without a value";
  }
}

// The classes of a classification: their names, their order, and the target columns that stand for them. A data set of c classes has c
// target columns, 1 for the row's own class and 0 for the others (one-hot), also where c = 2. The readers of tables and data files,
// dataset-input.ts, splits, class weights and the class of a prediction use these functions.
import { argumentError } from "../errors.js";
import { STEP, type Steps } from "../event-loop-yield.js";

/**
 * What the targets are: "regression" = numbers, "classification" = names of classes, "auto" = a classification where they are texts or
 * booleans, else a regression.
 */
export type Task = "auto" | "regression" | "classification";

/** All tasks. */
export const TASKS: readonly Task[] = ["auto", "regression", "classification"];

/** The name of a class in a table: true and false in any spelling are the classes "true" and "false". */
export function classText(text: string): string {
  return /^(true|false)$/i.test(text) ? text.toLowerCase() : text;
}

/** Classes in their default order: by value where all of them are numbers, else by code units, so that it does not depend on the rows. */
export function sortedClasses(classes: Iterable<string>): string[] {
  const names = [...classes];
  const values = new Map(names.map((name) => [name, name.trim() === "" ? Number.NaN : Number(name)]));
  const sorted = names.sort();
  return [...values.values()].every(Number.isFinite) ? sorted.sort((a, b) => values.get(a)! - values.get(b)!) : sorted;
}

/** Names of the target columns of classes: "species=Adelie". */
export function classTargetNames(target: string, classes: readonly string[]): string[] {
  return classes.map((name) => `${target}=${name}`);
}

/** A checked copy of a list of names of classes. @throws GAUSSFLOW_ARGUMENT */
export function checkClasses(name: string, classes: unknown): readonly string[] {
  if (!Array.isArray(classes) || classes.length < 2 || classes.some((one) => typeof one !== "string" || one === ""))
    throw argumentError(name, "must be a list of the names of at least two classes", classes);
  const seen = new Set<string>();
  for (const one of classes as readonly string[]) {
    if (seen.has(one)) throw argumentError(name, "must not hold a class twice", one);
    seen.add(one);
  }
  return [...(classes as readonly string[])];
}

/** True where both lists hold the same classes in the same order; null = no classes. */
export function sameClasses(a: readonly string[] | null, b: readonly string[] | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((name, k) => name === b[k]);
}

/** One-hot targets [n x c] of n codes (places of classes, from 0), in pieces. */
export function* oneHotSteps(codes: ArrayLike<number>, classCount: number): Steps<Float64Array> {
  const targets = new Float64Array(codes.length * classCount);
  for (let i = 0; i < codes.length; i++) {
    targets[i * classCount + codes[i]!] = 1;
    if (i % STEP === STEP - 1) yield;
  }
  return targets;
}

/** The class of each row, a place from 0, of targets [n x c]: that of the largest entry, which for probabilities is the most probable one. */
export function* classCodeSteps(targets: Float64Array, classCount: number): Steps<Uint32Array> {
  const codes = new Uint32Array(targets.length / classCount);
  const piece = Math.max(1, Math.floor(STEP / classCount));
  for (let i = 0; i < codes.length; i++) {
    codes[i] = Math.max(0, largestOf(targets, i * classCount, classCount));
    if (i % piece === piece - 1) yield;
  }
  return codes;
}

/** Place of the largest of `count` values from `at` on, the first among equals; -1 where one of them is not a number. */
export function largestOf(values: Float64Array, at: number, count: number): number {
  let best = 0;
  for (let a = 0; a < count; a++) {
    if (Number.isNaN(values[at + a])) return -1;
    if (values[at + a]! > values[at + best]!) best = a;
  }
  return best;
}

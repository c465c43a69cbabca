// Weighs the rows of a classification by their classes. train-options.ts checks the option `classWeights` and finds the factors, train.ts and
// plan.ts multiply the sample weights by them.
//   balanced: factor of class k = W / (c W_k), W_k = sum s_i y_ik over the training rows, W = sum of W_k, c = number of classes with W_k > 0,
//   so that every class has the same total weight, and all weights together the same as before
//   row i: s_i sum_k y_ik f_k, which for one-hot targets is its own weight times the factor of its class
import { argumentError } from "../errors.js";
import { STEP, type Steps } from "../event-loop-yield.js";
import { isObject } from "../options.js";
import { suggestion } from "../suggest.js";
import { Dataset } from "./dataset.js";

/** Factors of the classes: "balanced", or a positive number for each class by name; a class that is not named has the factor 1. */
export type ClassWeights = "balanced" | { readonly [name: string]: number };

/**
 * The factor of each class.
 * @param data its training rows count: with a split column those of the training part
 * @throws GAUSSFLOW_ARGUMENT naming the class
 */
export function* classFactorSteps(name: string, given: ClassWeights, data: Dataset): Steps<Float64Array> {
  const { classes } = data;
  if (classes === null)
    throw argumentError(name, "must be left out for data without classes: use sample weights", given);
  if (given === "balanced") return yield* balancedSteps(data, classes.length);
  if (!isObject(given))
    throw argumentError(name, 'must be "balanced" or an object with a number for each class', given);
  const factors = new Float64Array(classes.length).fill(1);
  for (const [key, factor] of Object.entries(given)) {
    const place = classes.indexOf(key);
    if (place < 0) throw argumentError(name, `must name classes of the data; ${suggestion(key, classes)}`, key);
    if (typeof factor !== "number" || !(factor > 0 && factor < Number.POSITIVE_INFINITY))
      throw argumentError(`${name}[${JSON.stringify(key)}]`, "must be a positive finite number", factor);
    factors[place] = factor;
  }
  return factors;
}

function* balancedSteps({ targets, weights, parts, sampleCount }: Dataset, c: number): Steps<Float64Array> {
  const totals = new Float64Array(c);
  const piece = Math.max(1, Math.floor(STEP / c));
  for (let i = 0; i < sampleCount; i++) {
    const weight = parts !== null && parts[i] !== 0 ? 0 : (weights?.[i] ?? 1);
    if (weight !== 0) for (let k = 0; k < c; k++) totals[k]! += weight * targets[i * c + k]!;
    if (i % piece === piece - 1) yield;
  }
  const there = totals.filter((total) => total > 0);
  const all = there.reduce((sum, total) => sum + total, 0);
  return totals.map((total) => (total > 0 ? all / (there.length * total) : 1));
}

/** The data set with every row's weight multiplied by the factor of its class; the other arrays are shared. */
export function* weighByClassSteps(set: Dataset, factors: Float64Array): Steps<Dataset> {
  const { targets, sampleCount: n } = set;
  const c = factors.length;
  const weights = new Float64Array(n);
  const piece = Math.max(1, Math.floor(STEP / c));
  for (let i = 0; i < n; i++) {
    let factor = 0;
    for (let k = 0; k < c; k++) factor += targets[i * c + k]! * factors[k]!;
    weights[i] = (set.weights?.[i] ?? 1) * factor;
    if (i % piece === piece - 1) yield;
  }
  return new Dataset({ ...set.fields(), weights });
}

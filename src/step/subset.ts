// How many samples, and which, the costly part of a curvature is made of (`../backend/subset.ts`): few while the model promises much, all
// of them where it promises little.
//
//   primal, single precision   0.3 p equations at first: a preconditioner. Twice as many once a step costs over `mostSteps` conjugate-
//                              gradient steps, all once the model promises under a fifth of the objective and a step costs `fewSteps`:
//                              with much damping it promises little and costs one step
//   matrix-free                5 p equations at first: the model itself. Twice as many once it promises under a thousandth
//
// Where sample weights differ the equations are those of as many equal samples (`evenness` in `../loss/weighted.ts`). Above half of the
// samples, or `mostGrowth` times the first of them, it is all of them, and stays so. Loss and gradient are always those of all samples. In
// the primal route so is every step, and the order of convergence is untouched; matrix-free it is linear while a subset is the model, which
// it is down to rounding where the minimum is 0 (sub-sampled Newton methods: Byrd, Chin, Neveitt and Nocedal, SIAM J. Optim. 21, 2011).

import { Random } from "../random.js";
import type { TrialHistory } from "./trial-history.js";

/** `auto`: by the rule of this file; `all`: every sample, always. */
export type CurvatureSamples = "auto" | "all";

type Sampled = "primal" | "matrix-free";

// Chosen on the common case of the peers from eight starts and on 784-30-10 with 60,000 samples; `node bench/precision.mjs` and
// `node bench/large.mjs` show what they do.
const firstEquations = { primal: 0.3, "matrix-free": 5 };
const leastPromise = { primal: 0.2, "matrix-free": 1e-3 };
const fewSteps = 6;
const mostSteps = 12;
const mostShare = 0.5;
const mostGrowth = 8;

/** What the rule looks at. */
export interface SubsetSizes {
  readonly sampleCount: number;
  readonly outputSize: number;
  readonly parameterCount: number;
  /** Of the sample weights. Default 1. */
  readonly evenness?: number | undefined;
}

/** Samples of the next linearization, null = all; the records tell what became of those before, also after a resume. */
export function nextSubset(sizes: SubsetSizes, route: Sampled, records: readonly TrialHistory[]): number | null {
  const last = records.findLast(({ subset }) => subset !== undefined);
  const count = last === undefined ? firstCount(sizes, route) : after(last, route, records);
  return count === null || count > limit(sizes, route) ? null : count;
}

/** The samples that `nextSubset` comes to in a run, at first (for its time) and at most (for its memory); null = all, always. */
export function plannedSubset(sizes: SubsetSizes, route: Sampled): { first: number; most: number } | null {
  const first = firstCount(sizes, route);
  const bound = limit(sizes, route);
  if (first > bound) return null;
  let most = first;
  while (2 * most <= bound) most *= 2;
  return { first, most };
}

function firstCount({ parameterCount, outputSize, evenness = 1 }: SubsetSizes, route: Sampled): number {
  return Math.ceil((firstEquations[route] * parameterCount) / (outputSize * evenness));
}

function limit(sizes: SubsetSizes, route: Sampled): number {
  return Math.min(mostShare * sizes.sampleCount, mostGrowth * firstCount(sizes, route));
}

function after(last: TrialHistory, route: Sampled, records: readonly TrialHistory[]): number | null {
  const count = last.subset ?? null;
  if (count === null) return null;
  const scarce = isScarce(route, promised(last, records));
  if (route === "matrix-free") return scarce ? 2 * count : count;
  // Of all trials: one with more damping needs fewer.
  const trials = records.filter(({ iteration }) => iteration === last.iteration);
  const steps = Math.max(...trials.map(({ precision }) => precision?.steps ?? 0));
  if (scarce && steps >= fewSteps) return null;
  return steps > mostSteps ? 2 * count : count;
}

/** Is this share of the objective, which a model promised, too little for a model of so few samples? */
export function isScarce(route: Sampled, share: number): boolean {
  return share < leastPromise[route];
}

/** Share of the objective that the model promised to the accepted step of this record. */
function promised({ iteration, objective, gainRatio }: TrialHistory, records: readonly TrialHistory[]): number {
  const before = records.findLast((record) => record.accepted && record.iteration < iteration);
  if (before === undefined || gainRatio === null) return 1;
  return (1 - objective / before.objective) / gainRatio;
}

/** One sample of each of `count` equal parts of `n`, ascending; others at every iteration. */
export function drawSubset(count: number, n: number, iteration: number): Uint32Array {
  const random = new Random(iteration);
  return Uint32Array.from({ length: count }, (_, k) => {
    const first = Math.floor((k * n) / count);
    return first + random.below(Math.floor(((k + 1) * n) / count) - first);
  });
}

// Chooses how many samples, and which, the costly part of a curvature uses (`../backend/subset.ts`): few while the model predicts a large
// reduction, all of them when it predicts little. Levenberg-Marquardt's fidelity.ts calls it before each linearization.
//
//   primal, single precision   0.3 p equations at first: a preconditioner. Doubled once a step costs over `mostSteps` conjugate-gradient
//                              steps. All samples once the model predicts under a fifth of the objective and a step costs `fewSteps`
//                              (a heavily damped step predicts little too, but costs one conjugate-gradient step)
//   matrix-free                5 p equations at first: the model itself. Doubled once it predicts under a thousandth of the objective
//
// Where sample weights differ, the equations are those of as many equal samples (`evenness` in `../loss/weighted.ts`). Above half of the
// samples, or `mostGrowth` times the first number, all samples are used from then on. Loss and gradient always use all samples. On the
// primal route so does every step, and the order of convergence is unchanged. On the matrix-free route convergence is linear while a subset
// defines the model, which is down to rounding where the minimum is 0 (sub-sampled Newton methods: Byrd, Chin, Neveitt and Nocedal, SIAM J.
// Optim. 21, 2011).

import { Random } from "../random.js";
import type { RunSizes } from "./fidelity.js";
import type { TrialHistory } from "./trial-history.js";

/** `auto`: a subset by the rule of this file; `all`: always all samples. */
export type CurvatureSamples = "auto" | "all";

/** Routes with a subset. */
export type Sampled = "primal" | "matrix-free";

// Chosen on the benchmark shared with other libraries, from eight starts, and on 784-30-10 with 60,000 samples; measured by
// `node bench/precision.mjs` and `node bench/large.mjs`.
const firstEquations = { primal: 0.3, "matrix-free": 5 };
/** Share of the objective that a step must promise; below it, its model has too few samples. */
export const leastPromise = { primal: 0.2, "matrix-free": 1e-3 };
const fewSteps = 6;
const mostSteps = 12;
const mostShare = 0.5;
const mostGrowth = 8;

/** The sizes that the rule depends on. */
export type SubsetSizes = Pick<RunSizes, "sampleCount" | "outputSize" | "parameterCount" | "evenness">;

/** Number of samples of the next linearization, null = all. The outcome of earlier ones is read from the records, also after a resume. */
export function nextSubset(sizes: SubsetSizes, route: Sampled, records: readonly TrialHistory[]): number | null {
  const last = records.findLast(({ subset }) => subset !== undefined);
  const count = last === undefined ? firstCount(sizes, route) : after(last, route, records);
  return count === null || count > limit(sizes, route) ? null : count;
}

/** The number that `nextSubset` returns in a run at first (for its time) and at most (for its memory); null = always all samples. */
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
  const scarce = promised(last, records) < leastPromise[route];
  if (route === "matrix-free") return scarce ? 2 * count : count;
  // The largest of all trials: a trial with more damping needs fewer.
  const trials = records.filter(({ iteration }) => iteration === last.iteration);
  const steps = Math.max(...trials.map(({ precision }) => precision?.steps ?? 0));
  if (scarce && steps >= fewSteps) return null;
  return steps > mostSteps ? 2 * count : count;
}

/** Predicted reduction of the accepted step of this record, as a share of the objective. */
function promised({ iteration, objective, gainRatio }: TrialHistory, records: readonly TrialHistory[]): number {
  const before = records.findLast((record) => record.accepted && record.iteration < iteration);
  if (before === undefined || gainRatio === null) return 1;
  // Both may be below 0.
  return (Math.sign(before.objective) * (1 - objective / before.objective)) / gainRatio;
}

/** One random sample of each of `count` equal parts of `n`, ascending; different ones at every iteration. */
export function drawSubset(count: number, n: number, iteration: number): Uint32Array {
  const random = new Random(iteration);
  return Uint32Array.from({ length: count }, (_, k) => {
    const first = Math.floor((k * n) / count);
    return first + random.below(Math.floor(((k + 1) * n) / count) - first);
  });
}

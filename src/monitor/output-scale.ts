// The public `recommendOutputScale`, which users, `checkAssumptions` and the experiment on real data call before a run: recommends the
// output scale alpha, by a rule of gaussflow's own. The predictions psi = alpha f have to travel the distance y - psi_0; to first order
// that takes the parameters from w_0 to w_0 + d/alpha with J d = y, J = Df(w_0). The undamped flow is safe if J changes little along that
// path:
//
//   careful    L |d|/alpha <= sigma_min/2      L = estimated Lipschitz constant of J near w_0: J keeps half of its smallest singular
//              value for any direction of its change
//   measured   at w_0 + d/alpha itself: psi differs from the linear prediction by at most a tenth, and sigma_min(J) keeps a half
//
// The careful rule demands far too much where J is ill-conditioned. The measured rule gives the recommendation, unless rounding prevents it
// (rounding-bound.ts). With sample weights J and y are the weighted ones.
import { norm } from "../algebra/vectors.js";
import { createEngine } from "../backend/create.js";
import { failed } from "../backend/engine.js";
import type { NetworkEngine } from "../backend/network-engine.js";
import type { Dataset } from "../data/dataset.js";
import type { DatasetInput } from "../data/dataset-input.js";
import { GaussflowError } from "../errors.js";
import { weighted } from "../loss/weighted.js";
import type { Network } from "../network/network.js";
import { type JacobianRank, jacobianRank } from "../spectrum/jacobian-rank.js";
import { lastDigitMoved } from "../spectrum/velocity-noise.js";
import { endOfWay, survives } from "./linear-extrapolation.js";
import { deadNetwork } from "./observation.js";
import { percent } from "./percent.js";
import { type AdviceOptions, prepareAdvice } from "./prepared.js";
import { roundingBound } from "./rounding-bound.js";

/** alpha is sought among 10^(k/4). */
const perDecade = 4;
const [leastDecade, mostDecade] = [-2, 10];
/** Units of rounding that f(w_0) carries. */
const reachedUnits = 16;
/** Power iterations for the Lipschitz constant: a digit is enough. */
const iterations = 8;

/** Remedy for a J that is singular at the start. */
export const singularAdvice =
  "J is singular at the start: no output scale makes the undamped flow safe; damp it, or start elsewhere";

export const deadRemedy = "Start elsewhere: with other weights, or with biases";

const singularKernel =
  "The kernel is singular at the start (duplicate samples?): the flow needs a damping above 0, as it has for p > n c";

/** The recommended output scale, with the numbers that led to it. */
export interface OutputScaleAdvice {
  /**
   * The suggestion: the smallest scale of the search that passes, 1 where J is constant. null where none passes, where rounding forbids
   * those that do, and for p <= n c where J is singular at the start: no scale makes the undamped flow safe then.
   */
  readonly outputScale: number | null;
  /** Largest scale of the search at which rounding makes up less than a thousandth of the distance |y|; 0 if there is none. */
  readonly roundingBound: number;
  /** The careful estimate 2 L |d| / sigma_min; infinite for a singular J. */
  readonly sufficient: number;
  /** Smallest singular value of J = Df(w_0), not scaled, above rounding; null if none is known. */
  readonly sigmaMin: number | null;
  /** Numerical rank of J. */
  readonly rank: number;
  /** The full rank, min(p, n c). */
  readonly of: number;
  /** |J(w_0 + h u) - J(w_0)|_2 / h, the larger one of u along d and along the gradient: estimated by power iterations. */
  readonly lipschitz: number;
  /** |y|, the distance of the targets from the start, in the units of training. */
  readonly distance: number;
  /** Norm of J^T y in the units of training. */
  readonly gradientNorm: number;
  /** Norm of the displacement d at alpha = 1. */
  readonly displacement: number;
  /** The scales that were tried; `kept` is null where J is singular from the start, and 0 where `curved` was too much to look. */
  readonly trials: readonly {
    /** The scale alpha. */
    readonly outputScale: number;
    /** How far the predictions along d are from linear, relative. */
    readonly curved: number;
    /** Share of the smallest singular value that is kept along d. */
    readonly kept: number | null;
  }[];
  /** The reasoning, in sentences with the numbers. */
  readonly text: string;
}

/**
 * Suggests an output scale at which the undamped flow from the network's parameters stays in the regime of the theory.
 *
 * Works on the centered network (psi_0 = 0); `text` mentions a network that does not start at 0. Costs a few linearizations and
 * singular values.
 * @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_DATA; GAUSSFLOW_ARGUMENT also where J is not finite at the start
 * @example
 * const { outputScale, text } = await recommendOutputScale(net, data);
 * if (outputScale === null) console.log(text); // and give `flow` a damping above 0
 * else await flow(net.withOutputScale(outputScale), data);
 */
export async function recommendOutputScale(
  network: Network,
  data: Dataset | DatasetInput,
  options: AdviceOptions = {},
): Promise<OutputScaleAdvice> {
  const prepared = await prepareAdvice(network, data, options, 1);
  const { start } = prepared;
  const { signal } = options;
  const w = start.parameters;
  const there = createEngine(start.architecture, prepared.data, prepared.backend);
  const f0 = await there.forward(w, signal).finally(() => there.dispose());
  // Targets as the centered network at w has to reach them, and how far it starts from 0 if it is not that.
  const y = start.center === null ? prepared.data.targets : prepared.data.targets.map((value, i) => value - f0[i]);
  const offset = norm(start.predictScaled(prepared.data.inputs));
  const engine = createEngine(
    start.architecture,
    { ...prepared.data, targets: y.map((value, i) => value + f0[i]) },
    prepared.backend,
  );
  const rows = new WeightedRows(engine, prepared.data.weights ?? null, signal);
  try {
    const rank = await jacobianRank(engine, w, 1, signal);
    if (rank === null)
      throw new GaussflowError("GAUSSFLOW_ARGUMENT", "the network's Jacobian is not finite at its parameters");
    const distance = rows.weighted(y);
    const gradient = await rows.transpose(w, distance);
    // y is a difference of numbers of the size of f(w_0): below their rounding it is none.
    const reached = norm(distance) <= reachedUnits * Number.EPSILON * norm(rows.weighted(f0));
    if (reached || rank.largest === 0) {
      const lipschitz = await lipschitzAlong(rows, w, new Float64Array(w.length).fill(1));
      return withoutWay(rank, { distance: norm(distance), gradientNorm: norm(gradient), lipschitz }, offset);
    }
    const d = await displacementOf(engine, w, rank.tolerance * rank.largest, signal);
    const lipschitz = Math.max(await lipschitzAlong(rows, w, d), await lipschitzAlong(rows, w, gradient));
    const singular = rank.rank < rank.of;
    const sufficient =
      singular || rank.smallestAbove === null
        ? Number.POSITIVE_INFINITY
        : (2 * lipschitz * norm(d)) / rank.smallestAbove;
    const way: Way = { engine, rows, w, d, f0, rank, signal };
    const trials: Trial[] = [];
    const passing = norm(d) === 0 || lipschitz === 0 ? 1 : await passingScale(way, trials);
    const over = engine.parameterCount > engine.sampleCount * engine.outputSize;
    const canceling = createEngine(start.architecture, { ...prepared.data, targets: f0 }, prepared.backend);
    const largest = await largestScale(way, canceling, norm(distance)).finally(() => canceling.dispose());
    const outputScale = passing === null || passing > largest || (singular && !over) ? null : passing;
    const facts = {
      outputScale,
      roundingBound: largest,
      sufficient,
      sigmaMin: rank.smallestAbove,
      rank: rank.rank,
      of: rank.of,
      lipschitz,
      distance: norm(distance),
      gradientNorm: norm(gradient),
      displacement: norm(d),
      trials,
    };
    return { ...facts, text: reasoning(facts, passing, over, offset) };
  } finally {
    engine.dispose();
  }
}

type Trial = OutputScaleAdvice["trials"][number];

/** The path from the start w to the targets, to first order. */
interface Way {
  readonly engine: NetworkEngine;
  readonly rows: WeightedRows;
  readonly w: Float64Array;
  /** The displacement at alpha = 1: J d = y. */
  readonly d: Float64Array;
  /** f(w), n c entries. */
  readonly f0: Float64Array;
  /** Of J at w. */
  readonly rank: JacobianRank;
  readonly signal: AbortSignal | undefined;
}

/** The smallest scale of the search whose way survives; null where none does. Adds what was tried to `trials`. */
async function passingScale({ engine, rows, w, d, f0, rank, signal }: Way, trials: Trial[]): Promise<number | null> {
  const linear = await rows.product(w, d);
  return smallestPassing(async (alpha) => {
    const end = w.map((value, j) => value + d[j] / alpha);
    const f = await engine.forward(end, signal);
    const change = rows.weighted(f.map((value, i) => alpha * (value - f0[i])));
    const measured = await endOfWay({ engine, end, linear, change, start: rank, alpha: 1 }, signal);
    trials.push({ outputScale: alpha, ...measured });
    return survives(measured);
  });
}

/** The largest scale of the search that rounding allows. `canceling` has f(w) for targets, so that its solve leads back to w. */
async function largestScale(way: Way, canceling: NetworkEngine, distance: number): Promise<number> {
  const { engine, rows, w, d, rank, signal } = way;
  const digit = lastDigitMoved(w);
  const floor = rank.tolerance * rank.largest;
  const moved = await displacementOf(engine, digit, floor, signal);
  // Its targets are f(w): the solve leads from f(w~) back to it, which is -n.
  const back = await displacementOf(canceling, digit, floor, signal);
  const weighted = (values: Float64Array) => rows.weighted(values);
  return roundingBound({ engine, w, d, moved, back, distance, weighted }, scales, signal);
}

/** The result if J is 0 or the network starts at the targets: no scale is tried. */
function withoutWay(
  { largest, smallestAbove, rank, of }: JacobianRank,
  sizes: Pick<OutputScaleAdvice, "distance" | "gradientNorm" | "lipschitz">,
  offset: number,
): OutputScaleAdvice {
  const facts = { ...sizes, sigmaMin: smallestAbove, rank, of, displacement: 0, trials: [] };
  if (largest === 0) {
    const text = `${deadNetwork}. ${deadRemedy}; no output scale changes that.`;
    return { ...facts, outputScale: null, roundingBound: 0, sufficient: Number.POSITIVE_INFINITY, text };
  }
  const text = [
    `The targets are |y| = ${show(sizes.distance)} away, which is nothing to the rounding of f(w_0): the start already fits the targets, and all output scales are equivalent.`,
    ...offsetLines(offset, sizes.distance),
  ].join("\n");
  return { ...facts, outputScale: 1, roundingBound: Number.POSITIVE_INFINITY, sufficient: 0, text };
}

/** J~ = sqrt(s) J as an operator, as the engine's loss and factorizations have it. */
class WeightedRows {
  readonly #engine: NetworkEngine;
  readonly #weights: Float64Array | null;
  readonly #signal: AbortSignal | undefined;

  constructor(engine: NetworkEngine, weights: Float64Array | null, signal: AbortSignal | undefined) {
    this.#engine = engine;
    this.#weights = weights;
    this.#signal = signal;
  }

  weighted(values: Float64Array): Float64Array {
    return weighted(values, this.#weights, this.#engine.outputSize);
  }

  async product(parameters: Float64Array, v: Float64Array): Promise<Float64Array> {
    return this.weighted(await this.#engine.jacobianProduct(parameters, v, this.#signal));
  }

  transpose(parameters: Float64Array, u: Float64Array): Promise<Float64Array> {
    return this.#engine.transposeProduct(parameters, this.weighted(u), this.#signal);
  }
}

/** d of least norm with J d = y in the range of J. */
async function displacementOf(
  engine: NetworkEngine,
  w: Float64Array,
  floor: number,
  signal?: AbortSignal,
): Promise<Float64Array> {
  const over = engine.parameterCount > engine.sampleCount * engine.outputSize;
  const point = await engine.linearize(w, { curvature: over ? "dual" : "orthogonal", decay: 0, scaling: null }, signal);
  if (failed(point)) throw new GaussflowError("GAUSSFLOW_ARGUMENT", point.message);
  const solved = await engine.solve({ damping: over ? floor ** 2 : 0, decay: 0, scaling: null }, signal);
  if (failed(solved)) throw new GaussflowError("GAUSSFLOW_ARGUMENT", solved.message);
  return solved.step;
}

/** Largest singular value of (J~(w + h u) - J~(w))/h, u = direction/|direction|, by power iterations: an estimate from below. */
async function lipschitzAlong(rows: WeightedRows, w: Float64Array, direction: Float64Array): Promise<number> {
  const length = norm(direction);
  if (length === 0) return 0;
  const h = 1e-4 * (1 + norm(w) / Math.sqrt(w.length));
  const moved = w.map((value, j) => value + (h * direction[j]) / length);
  let v: Float64Array = w.map((_, j) => 1 + 0.5 * Math.sin(j + 1));
  let size = 0;
  for (let i = 0; i < iterations; i++) {
    const unit = norm(v);
    v = v.map((value) => value / unit);
    const [a, b] = [await rows.product(moved, v), await rows.product(w, v)];
    const x = a.map((value, k) => (value - b[k]) / h);
    size = norm(x);
    if (size === 0) return 0;
    const [c, e] = [await rows.transpose(moved, x), await rows.transpose(w, x)];
    v = c.map((value, k) => (value - e[k]) / h);
  }
  return size;
}

/** All scales of the search. */
const scales = Array.from(
  { length: (mostDecade - leastDecade) * perDecade + 1 },
  (_, k) => 10 ** (leastDecade + k / perDecade),
);

/** The smallest 10^(k/4) from which on the trial passes, by bisection: the distance from linear falls as 1/alpha. */
async function smallestPassing(passes: (alpha: number) => Promise<boolean>): Promise<number | null> {
  const alpha = (k: number) => 10 ** (k / perDecade);
  let [bad, good] = [leastDecade * perDecade - 1, mostDecade * perDecade];
  if (!(await passes(alpha(good)))) return null;
  while (good - bad > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (await passes(alpha(middle))) good = middle;
    else bad = middle;
  }
  return alpha(good);
}

function reasoning(
  advice: Omit<OutputScaleAdvice, "text">,
  passing: number | null,
  over: boolean,
  offset: number,
): string {
  const { sigmaMin, rank, of, lipschitz, distance, gradientNorm, displacement } = advice;
  const moves =
    lipschitz === 0 ? "it is the same everywhere" : `near w_0 it changes by up to ${show(lipschitz)} a unit of |w|`;
  const lines = [
    `J = Df(w_0) has rank ${rank} of ${of}, smallest singular value ${show(sigmaMin)}; ${moves}.`,
    `The targets are |y| = ${show(distance)} away (gradient ${show(gradientNorm)}): to first order that takes |w - w_0| = ${show(displacement)}/alpha.`,
    ...sentences(advice, passing, over),
    ...offsetLines(offset, distance),
  ];
  return lines.join("\n");
}

function offsetLines(offset: number, distance: number): string[] {
  if (offset <= 1e-8 * distance) return [];
  return [
    `This holds for the centered network. As it is, it starts at alpha |f(w_0)| = alpha * ${show(offset)}, which grows with alpha: use centered: true.`,
  ];
}

function show(value: number | null): string {
  return value === null ? "unknown" : value.toPrecision(3);
}

/** The conclusions from the numbers, as sentences. */
function sentences(advice: Omit<OutputScaleAdvice, "text">, passing: number | null, over: boolean): string[] {
  const { sufficient, lipschitz, rank, of, roundingBound: bound, trials } = advice;
  const lines: string[] = [];
  if (rank < of) lines.push(`${over ? singularKernel : singularAdvice}.`);
  else if (lipschitz === 0)
    return ["The network is linear in its parameters: all output scales are equivalent, so use 1."];
  else
    lines.push(
      `Careful: with alpha >= ${show(sufficient)} J keeps half of its smallest singular value, whichever way it changes.`,
    );
  const trial = trials.find(({ outputScale }) => outputScale === passing);
  const kept = trial?.kept == null ? "" : `, and sigma_min keeps ${percent(trial.kept)}`;
  const whose = rank < of ? "the way of a damped flow" : "the way itself";
  lines.push(
    passing === null
      ? `No alpha up to 1e${mostDecade} passes along ${whose}.`
      : `Along ${whose} alpha = ${show(passing)} is enough${trial === undefined ? "" : `: psi ends ${percent(trial.curved)} off its linear prediction${kept}`}.`,
  );
  if (bound < (passing ?? Number.POSITIVE_INFINITY))
    lines.push(
      bound === 0
        ? "Rounding: it makes more than a thousandth of the way at every alpha, since the weakest directions of J are lost in it: the undamped flow would crawl; damp it, or start elsewhere."
        : `Rounding: above alpha = ${show(bound)} it makes more than a thousandth of the way${passing === null ? "" : ", and the undamped flow would crawl at what the way needs; damp it, or start elsewhere"}.`,
    );
  return lines;
}

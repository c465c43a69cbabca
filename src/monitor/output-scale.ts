// A suggestion for the output scale alpha (our rule, not the paper's). The predictions psi = alpha f have to travel the distance
// y - psi_0; to first order that takes the parameters from w_0 to w_0 + d/alpha with J d = y, J = Df(w_0). The undamped flow is safe
// when J changes little on the way:
//
//   careful    L |d|/alpha <= sigma_min/2      L = estimated Lipschitz constant of J near w_0: J keeps half of its smallest singular
//              value whatever direction the change of J has
//   measured   at w_0 + d/alpha itself: psi is off the linear prediction by at most a tenth, and sigma_min(J) has kept a half
//
// The first is far too careful where J is ill-conditioned; the second is what is recommended. With sample weights J and y are the
// weighted ones.
import { createEngine } from "../backend/create.js";
import { type Engine, failed } from "../backend/engine.js";
import type { Dataset, DatasetInput } from "../data/dataset.js";
import { GaussflowError } from "../errors.js";
import { jacobianRank } from "../linearise/jacobian-rank.js";
import { norm } from "../linearise/problem.js";
import type { Network } from "../network/network.js";
import { type AdviceOptions, prepareAdvice } from "./prepared.js";

/** Largest relative distance of psi from its linear prediction, and smallest share of sigma_min, at the end of the way. */
const mostCurved = 0.1;
const leastKept = 0.5;
/** alpha is sought among 10^(k/4). */
const perDecade = 4;
const [leastDecade, mostDecade] = [-2, 10];
/** Power iterations for the Lipschitz constant: a digit is enough. */
const iterations = 8;

/** What to do about a J that is singular from the start. */
export const singularAdvice =
  "J is singular at the start: no output scale makes the undamped flow safe; damp it, or start elsewhere.";

export interface OutputScaleAdvice {
  /** The suggestion: the smallest scale of the search that passes; null where none does. */
  readonly outputScale: number | null;
  /** The careful estimate 2 L |d| / sigma_min; infinite for a singular J. */
  readonly sufficient: number;
  /** Of J = Df(w_0), not scaled: smallest singular value above rounding (null: none is known), numerical rank of min(p, n c). */
  readonly sigmaMin: number | null;
  readonly rank: number;
  readonly of: number;
  /** |J(w_0 + h u) - J(w_0)|_2 / h, the larger one of u along d and along the gradient: estimated by power iterations. */
  readonly lipschitz: number;
  /** |y| and |J^T y| in the units of training; d the displacement at alpha = 1. */
  readonly distance: number;
  readonly gradientNorm: number;
  readonly displacement: number;
  /** The scales that were tried; `kept` is null where J is singular from the start, and 0 where `curved` was too much to look. */
  readonly trials: readonly { readonly outputScale: number; readonly curved: number; readonly kept: number | null }[];
  /** The reasoning, in sentences with the numbers. */
  readonly text: string;
}

/**
 * Suggests an output scale at which the undamped flow from the network's parameters stays in the regime of the theory.
 *
 * Works on the centred network (psi_0 = 0); a network that does not start at 0 is told so in `text`. Costs a few linearisations and
 * singular values.
 * @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_DATA; GAUSSFLOW_ARGUMENT also where J is not finite at the start
 * @example const better = net.withOutputScale((await recommendOutputScale(net, data)).outputScale ?? 1);
 */
export async function recommendOutputScale(
  network: Network,
  data: Dataset | DatasetInput,
  options: AdviceOptions = {},
): Promise<OutputScaleAdvice> {
  const prepared = prepareAdvice("recommendOutputScale options", network, data, options, 1);
  const { start } = prepared;
  const { signal } = options;
  const w = start.parameters;
  const there = createEngine(start.architecture, prepared.data, options);
  const f0 = await there.forward(w, signal).finally(() => there.dispose());
  // Targets as the centred network at w has to reach them, and how far it starts from 0 if it is not that.
  const y = start.centre === null ? prepared.data.targets : prepared.data.targets.map((value, i) => value - f0[i]);
  const offset = norm(start.predictScaled(prepared.data.inputs));
  const engine = createEngine(
    start.architecture,
    { ...prepared.data, targets: y.map((value, i) => value + f0[i]) },
    options,
  );
  const rows = new WeightedRows(engine, prepared.data.weights ?? null, signal);
  try {
    const rank = await jacobianRank(engine, w, 1, signal);
    if (rank === null)
      throw new GaussflowError("GAUSSFLOW_ARGUMENT", "the network's Jacobian is not finite at its parameters");
    const d = await displacementOf(engine, w, rank.tolerance * rank.largest, signal);
    const distance = rows.weighted(y);
    const gradient = await rows.transpose(w, distance);
    const lipschitz = Math.max(await lipschitzAlong(rows, w, d), await lipschitzAlong(rows, w, gradient));
    const singular = rank.rank < rank.of;
    const sufficient =
      singular || rank.smallestAbove === null
        ? Number.POSITIVE_INFINITY
        : (2 * lipschitz * norm(d)) / rank.smallestAbove;
    const linear = await rows.product(w, d);
    const trials: OutputScaleAdvice["trials"][number][] = [];
    const passes = async (alpha: number): Promise<boolean> => {
      const moved = w.map((value, j) => value + d[j] / alpha);
      const f = await engine.forward(moved, signal);
      const psi = rows.weighted(f.map((value, i) => alpha * (value - f0[i])));
      const curved = norm(psi.map((value, i) => value - linear[i])) / norm(linear);
      const now = curved <= mostCurved ? await jacobianRank(engine, moved, 1, signal) : null;
      // Of a J that is singular from the start there is no smallest singular value to keep.
      const kept = singular ? null : now === null ? 0 : now.smallest / rank.smallest;
      trials.push({ outputScale: alpha, curved, kept });
      return curved <= mostCurved && (kept === null || kept >= leastKept);
    };
    const outputScale = norm(d) === 0 ? 1 : await smallestPassing(passes);
    const facts = {
      outputScale,
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
    return { ...facts, text: reasoning(facts, offset) };
  } finally {
    engine.dispose();
  }
}

/** J~ = sqrt(s) J as an operator, as the engine's loss and factorisations have it. */
class WeightedRows {
  readonly #engine: Engine;
  readonly #roots: Float64Array | null;
  readonly #signal: AbortSignal | undefined;

  constructor(engine: Engine, weights: Float64Array | null, signal: AbortSignal | undefined) {
    this.#engine = engine;
    this.#roots = weights?.map(Math.sqrt) ?? null;
    this.#signal = signal;
  }

  weighted(values: Float64Array): Float64Array {
    const [roots, c] = [this.#roots, this.#engine.outputSize];
    return roots === null ? values : values.map((value, k) => roots[Math.floor(k / c)] * value);
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
  engine: Engine,
  w: Float64Array,
  floor: number,
  signal?: AbortSignal,
): Promise<Float64Array> {
  const over = engine.parameterCount > engine.sampleCount * engine.outputSize;
  const point = await engine.linearise(w, { curvature: over ? "dual" : "orthogonal", decay: 0, scaling: null }, signal);
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

function reasoning(advice: Omit<OutputScaleAdvice, "text">, offset: number): string {
  const { outputScale, sufficient, sigmaMin, rank, of, lipschitz, distance, gradientNorm, displacement } = advice;
  const show = (value: number | null) => (value === null ? "unknown" : value.toPrecision(3));
  const lines = [
    `J = Df(w_0) has rank ${rank} of ${of}, smallest singular value ${show(sigmaMin)}; near w_0 it changes by up to ${show(lipschitz)} a unit of |w|.`,
    `The targets are |y| = ${show(distance)} away (gradient ${show(gradientNorm)}): to first order that takes |w - w_0| = ${show(displacement)}/alpha.`,
    Number.isFinite(sufficient)
      ? `Careful: with alpha >= ${show(sufficient)} J keeps half of its smallest singular value, whichever way it changes.`
      : singularAdvice,
    outputScale === null
      ? `No alpha up to 1e${mostDecade} passes along the way itself.`
      : `Along the way itself alpha = ${show(outputScale)} is enough: psi ends within ${100 * mostCurved}% of its linear prediction${rank === of ? `, and sigma_min keeps ${100 * leastKept}%` : ""}.`,
  ];
  if (offset > 1e-8 * distance)
    lines.push(
      `This holds for the centred network. As it is, it starts at alpha |f(w_0)| = alpha * ${show(offset)}, which grows with alpha: use centred: true.`,
    );
  return lines.join("\n");
}

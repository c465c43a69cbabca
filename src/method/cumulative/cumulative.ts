// Cumulative stochastic Gauss-Newton (`cumulativeGaussNewton`): the curvatures of all batches so far precondition the
// gradient of each. Users and gaussflow train pass it to `train` as the option `method`; the loop over batches calls
// it.
//
//   published        H_k = alpha sum_(t <= k) J_t^T J_t + lambda I        step = -rate H_k^-1 J_k^T G_k, then projected (ball-projection.ts)
//   forgetting       the sum is multiplied by `keep` before each batch
//   moving-average   M <- keep M + (1 - keep) J^T J / rows,               step = -rate (M + damping I)^-1 (gradient of the mean loss),
//                    with the factor of M renewed every few steps, M from a warm-up before the first move, and no step taken that raises the
//                    loss of the batch by more than 5%
//
// J is J~ = sqrt(s) R^T J for every loss. The published sums make the steps of a long run short: after k batches H is k
// times the curvature of one. Source: Cayci's stochastic Gauss-Newton method (arXiv 2511.03972); the moving average is
// ours.
import { addScaled } from "../../algebra/vectors.js";
import { type Failure, failed, type Linearized } from "../../backend/engine.js";
import { asymmetry } from "../../backend/moving-average.js";
import type { BatchContext, BatchMethod, BatchStep } from "../batch-method.js";
import { arrayOf, describedBySettings, type MethodState } from "../method.js";
import { projectOntoBall } from "./ball-projection.js";
import { Metric } from "./metric.js";
import {
  type CumulativeGaussNewtonOptions,
  type CumulativeSettings,
  cumulativeSettings,
  needsOf,
  plainSettings,
} from "./options.js";

/**
 * Cumulative stochastic Gauss-Newton.
 *
 * @example train(net, data, { method: cumulativeGaussNewton(), stop: { epochs: 20 } })
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for an unknown option or value, or one that the chosen form does not have.
 */
export function cumulativeGaussNewton(options: CumulativeGaussNewtonOptions = {}): BatchMethod {
  const settings = cumulativeSettings(options);
  return describedBySettings<BatchMethod>({
    kind: "batch",
    name: "cumulative-gauss-newton",
    label: `cumulative Gauss-Newton (${settings.form})`,
    settings: plainSettings(settings),
    epochs: 20,
    remedy: "a larger damping or a smaller rate",
    needs: (sizes) => needsOf(settings, sizes),
    start: ({ parameterCount: p }) => ({
      curvature: new Float64Array(p * p),
      ...(settings.radius === null ? {} : { center: new Float64Array(p) }),
    }),
    checkState: (state, { parameterCount: p }) => checkMatrix(arrayOf(state, "curvature"), p),
    step: (context, state) => takeStep(settings, context, state),
  });
}

/** Rule that M of a checkpoint breaks, or null. */
function checkMatrix(matrix: Float64Array, p: number): string | null {
  if (matrix.length !== p * p) return `curvature must have ${p * p} numbers; it has ${matrix.length}`;
  const broken = asymmetry(matrix, p);
  return broken && `curvature[${broken.at}] ${broken.rule}; it is ${broken.value}`;
}

/**
 * The update of M in step k, from 0 (null: none), whether the step only warms up, and the number of updates before it.
 * @param curved rows that an update sees
 */
function updateAt(
  settings: CumulativeSettings,
  k: number,
  curved: number,
  { p, perEpoch }: Record<"p" | "perEpoch", number>,
) {
  const { form, keep, weight, warmUp, factorEvery } = settings;
  if (form !== "moving-average") return { update: { keep, add: weight }, warming: false, before: k };
  // At most one epoch: later batches have no new rows.
  const warm = Math.min(Math.ceil((warmUp * p) / curved), perEpoch);
  // M becomes the mean over the batches so far.
  const mean = (count: number) => ({ keep: count / (count + 1), add: 1 / ((count + 1) * curved) });
  if (k < warm) return { update: mean(k), warming: true, before: k };
  const since = k - warm;
  const before = warm + Math.ceil(since / factorEvery);
  if (since % factorEvery > 0) return { update: null, warming: false, before };
  return { update: before === 0 ? mean(0) : { keep, add: (1 - keep) / curved }, warming: false, before };
}

async function takeStep(
  settings: CumulativeSettings,
  context: BatchContext,
  state: MethodState,
): Promise<BatchStep | Failure> {
  const { parameters, next, rows, decay, rate, engines, vectors, signal, scratch } = context;
  const average = settings.form === "moving-average";
  const [engine, other] = engines;
  const curvatureEngine = (other ?? engine)!;
  const { sampleCount: curved, parameterCount: p } = curvatureEngine;
  const { update, warming, before } = updateAt(settings, context.iteration - 1, curved, {
    p,
    perEpoch: context.stepsPerEpoch,
  });
  const metric = new Metric(curvatureEngine, arrayOf(state, "curvature"), before, {
    parameters,
    decay,
    gradient: scratch(other === undefined ? "gradient" : "unused"),
    spare: scratch("unused"),
    matrix: scratch("matrix", p * p),
    signal,
  });
  const clock = { passes: 0, curvature: 0, solve: 0, evaluate: 0 };
  let point: Linearized | null = null;
  if (update !== null) {
    const formed = await metric.update(update);
    if (failed(formed)) return formed;
    clock.curvature = formed.seconds.curvature;
    clock.passes = formed.seconds.passes;
    if (other === undefined) point = formed;
  }
  if (point === null) {
    const request = { curvature: "none", decay, scaling: null, gradient: scratch("gradient") } as const;
    const answer = await engine!.linearize(parameters, request, signal);
    if (failed(answer)) return answer;
    clock.passes += answer.seconds.passes;
    point = answer;
  }
  const { loss, gradient } = point;
  const done = (accepted: boolean): BatchStep => {
    metric.commit();
    const damping = average ? rows * settings.damping : settings.damping;
    const stepNorm = accepted ? vectors.norm(vectors.addScaled(next, -1, parameters, scratch("unused"))) : 0;
    return { ok: true, accepted, state, loss, gradient, stepNorm, damping, seconds: clock };
  };
  if (warming) return done(false);
  const start = performance.now();
  // The moving average is that of the mean loss; the other forms sum over batches.
  const unit = average ? rows : 1;
  const shift = settings.damping + decay / unit;
  const broken = await metric.factor(shift);
  if (broken !== null) return broken;
  const direction = await metric.inverse(gradient);
  if (!(direction instanceof Float64Array)) return direction;
  vectors.addScaled(parameters, -rate / unit, direction, next);
  if (settings.radius !== null) {
    const failure = await project(settings.radius, context, metric, shift, arrayOf(state, "center"));
    if (failure !== null) return failure;
  }
  clock.solve = (performance.now() - start) / 1000;
  if (settings.largestRise === null) return done(true);
  const trial = performance.now();
  const answer = await engine!.evaluate(next, signal);
  clock.evaluate = (performance.now() - trial) / 1000;
  if (failed(answer)) return answer.code === "non-finite" ? done(false) : answer;
  return done(answer.loss <= loss + settings.largestRise * Math.abs(loss));
}

/** Moves `next` to the nearest point of the ball in the metric of H' + shift I. Null, or why that failed. */
async function project(
  radius: number,
  { parameters, next, iteration }: BatchContext,
  metric: Metric,
  shift: number,
  center: Float64Array,
): Promise<Failure | null> {
  if (iteration === 1) center.set(parameters);
  const offset = addScaled(next, -1, center);
  const answer = await projectOntoBall<Failure>(offset, radius, {
    product: async (x) => addScaled(await metric.product(x), shift, x),
    factor: (theta) => metric.factor(shift + theta),
    inverse: (x) => metric.inverse(x),
  });
  if (!(answer instanceof Float64Array)) return answer;
  addScaled(center, 1, answer, next);
  return null;
}

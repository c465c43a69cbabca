// Cumulative stochastic Gauss-Newton (`cumulativeGaussNewton`): the curvatures of all batches so far precondition the gradient of each. Users
// and gaussflow train pass it to `train` as the option `method`; the loop over batches calls it.
//
//   published        H_k = alpha sum_(t <= k) J_t^T J_t + lambda I        step = -rate H_k^-1 J_k^T G_k, then projected (ball-projection.ts)
//   forgetting       the sum is multiplied by `keep` before each batch
//   moving-average   M <- keep M + (1 - keep) J^T J / rows,               step = -rate (M + damping I)^-1 (gradient of the mean loss),
//                    with the factor of M renewed every few steps, M from a warm-up before the first move, and no step taken that raises the
//                    loss of the batch by more than 5%
//
// J is J~ = sqrt(s) R^T J for every loss. The published sums make the steps of a long run short: after k batches H is k times the curvature
// of one. Source: Cayci, "Gauss-Newton ... stochastic" (arXiv 2511.03972); the moving average is ours.
import { addScaled } from "../../algebra/vectors.js";
import { type Failure, failed } from "../../backend/engine.js";
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
    step: (context, state) => takeStep(settings, context, state),
  });
}

/** How the curvature of a step's batch enters H; null: not at this step. */
interface Update {
  readonly keep: number;
  readonly add: number;
  /** Whether the curvature is still warming up: the parameters stay. */
  readonly warming: boolean;
}

/** The update of step k, from 0, and the number of updates before it. */
function updateAt(settings: CumulativeSettings, k: number, p: number, curved: number): [Update | null, number] {
  const { form, keep, weight, warmUp, factorEvery } = settings;
  if (form !== "moving-average") return [{ keep, add: weight, warming: false }, k];
  const warm = Math.ceil((warmUp * p) / curved);
  // The mean of the batches so far, whatever the number.
  if (k < warm) return [{ keep: k / (k + 1), add: 1 / ((k + 1) * curved), warming: true }, k];
  const since = k - warm;
  const before = warm + Math.ceil(since / factorEvery);
  if (since % factorEvery > 0) return [null, before];
  return [
    before === 0 ? { keep: 0, add: 1 / curved, warming: false } : { keep, add: (1 - keep) / curved, warming: false },
    before,
  ];
}

async function takeStep(
  settings: CumulativeSettings,
  context: BatchContext,
  state: MethodState,
): Promise<BatchStep | Failure> {
  const { parameters, next, rows, decay, rate, engines, vectors, signal } = context;
  const p = parameters.length;
  const average = settings.form === "moving-average";
  const curvatureEngine = engines[average ? 1 : 0]!;
  const curved = curvatureEngine.sampleCount;
  const [update, before] = updateAt(settings, context.iteration - 1, p, curved);
  const gradient = context.scratch("gradient");
  const point = await engines[0]!.linearize(
    parameters,
    { curvature: average ? "none" : "primal", decay, scaling: null, gradient },
    signal,
  );
  if (failed(point)) return point;
  const clock = { passes: point.seconds.passes, curvature: point.seconds.curvature, solve: 0, evaluate: 0 };
  const metric = new Metric(curvatureEngine, arrayOf(state, "curvature"), before, signal);
  if (update !== null) {
    if (average) {
      const formed = await curvatureEngine.linearize(
        parameters,
        { curvature: "primal", decay: 0, scaling: null, gradient: context.scratch("unused") },
        signal,
      );
      if (failed(formed)) return formed;
      clock.curvature += formed.seconds.passes + formed.seconds.curvature;
    }
    await metric.update(update.keep, update.add);
  }
  const start = performance.now();
  const done = (accepted: boolean): BatchStep => {
    metric.commit();
    return {
      ok: true,
      accepted,
      state,
      loss: point.loss,
      gradient: point.gradient,
      stepNorm: accepted ? vectors.norm(vectors.addScaled(next, -1, parameters, context.scratch("unused"))) : 0,
      damping: average ? rows * settings.damping : settings.damping,
      seconds: clock,
    };
  };
  if (update?.warming === true) return done(false);
  // Of the mean loss, or of the sums over batches.
  const unit = average ? rows : 1;
  const shift = settings.damping + decay / unit;
  const broken = await metric.factor(shift);
  if (broken !== null) return broken;
  const direction = metric.inverse(point.gradient, context.scratch("direction"));
  vectors.addScaled(parameters, -rate / unit, direction, next);
  if (settings.radius !== null) {
    const failure = await project(settings.radius, context, metric, shift, arrayOf(state, "center"));
    if (failure !== null) return failure;
  }
  clock.solve = (performance.now() - start) / 1000;
  if (settings.largestRise === null) return done(true);
  const trial = performance.now();
  const answer = await engines[0]!.evaluate(next, signal);
  clock.evaluate = (performance.now() - trial) / 1000;
  if (failed(answer)) return answer.code === "non-finite" ? done(false) : answer;
  return done(answer.loss <= point.loss + settings.largestRise * Math.abs(point.loss));
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
    product: async (x) => addScaled(metric.product(x), shift, x),
    factor: (theta) => metric.factor(shift + theta),
    inverse: async (x) => metric.inverse(x, new Float64Array(x.length)),
  });
  if (!(answer instanceof Float64Array)) return answer;
  addScaled(center, 1, answer, next);
  return null;
}

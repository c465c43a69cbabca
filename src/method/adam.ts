// Adam with decoupled weight decay (`adam`; Kingma and Ba 2015, Loshchilov and Hutter 2019), on batches or on all rows:
// the usual first-order method, for comparison. Users and gaussflow train pass it to `train` as the option `method`;
// the loop over batches calls its functions.
//
//   m <- b1 m + (1 - b1) g,   v <- b2 v + (1 - b2) g^2         g the gradient of the batch's objective divided by its rows
//   w <- w - rate ( m/(1 - b1^k) / (sqrt(v/(1 - b2^k)) + epsilon) + decoupledDecay w )        k = 1, 2, ... the step
//
// The weight decay of the loss is part of the objective, and so of g; `decoupledDecay` is not, and its default is 0.
import { failed } from "../backend/engine.js";
import { argumentError } from "../errors.js";
import { checkNonNegative, checkOptionNames, checkPositive } from "../options.js";
import type { BatchMethod } from "./batch-method.js";
import { type BatchSize, checkBatchSize, describeBatches, gradientOf, rowsOf } from "./batch-size.js";
import { arrayOf, describedBySettings, type MethodState } from "./method.js";
import {
  describeRate,
  plainRate,
  RATE_OPTION_NAMES,
  type RateOptions,
  rateSettings,
  withRate,
} from "./rate-schedule.js";

/** Options of `adam`. `rate`: default 0.001. `schedule`: default "constant". */
export interface AdamOptions extends RateOptions {
  /** Rows of a batch. Default "auto": 128, or all rows where there are fewer. */
  readonly batch?: BatchSize | undefined;
  /** b1, decay of the mean of the gradients, at least 0 and below 1. Default 0.9. */
  readonly beta1?: number | undefined;
  /** b2, decay of the mean of their squares, at least 0 and below 1. Default 0.999. */
  readonly beta2?: number | undefined;
  /** Added to the root of the mean square. Default 1e-8. */
  readonly epsilon?: number | undefined;
  /** Share of the parameters that every step takes away, times the rate (AdamW). Default 0. */
  readonly decoupledDecay?: number | undefined;
}

const AUTOMATIC = { batch: 128, rate: 1e-3 };

/**
 * Adam with decoupled weight decay.
 *
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for an unknown option or value.
 * @example train(net, data, { method: adam({ batch: 64, rate: 3e-3, schedule: "cosine" }), stop: { epochs: 100 } })
 */
export function adam(options: AdamOptions = {}): BatchMethod {
  checkOptionNames("options", options, ["batch", "beta1", "beta2", "epsilon", "decoupledDecay", ...RATE_OPTION_NAMES]);
  const { batch = "auto", beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decoupledDecay = 0 } = options;
  checkBatchSize(batch);
  for (const [name, value] of Object.entries({ beta1, beta2 })) {
    checkNonNegative(`options.${name}`, value);
    if (value >= 1) throw argumentError(`options.${name}`, "must be below 1", value);
  }
  checkPositive("options.epsilon", epsilon);
  checkNonNegative("options.decoupledDecay", decoupledDecay);
  const rate = rateSettings(options, "constant");
  return describedBySettings<BatchMethod>({
    kind: "batch",
    name: "adam",
    label: decoupledDecay === 0 ? "Adam" : `Adam with decoupled weight decay ${decoupledDecay}`,
    settings: { batch, beta1, beta2, epsilon, decoupledDecay, ...plainRate(rate) },
    epochs: 20,
    remedy: "a smaller rate",
    needs: (sizes) => {
      const rows = rowsOf(batch, AUTOMATIC.batch, sizes);
      const schedule = withRate(rate, AUTOMATIC.rate);
      return {
        rows,
        engines: [{ rows, curvature: "none" }],
        route: "gradient",
        rate: schedule,
        vectors: 4,
        evaluations: 0,
        described: `${describeBatches(rows, sizes)}, ${describeRate(schedule)}`,
      };
    },
    start: ({ parameterCount }) => ({
      mean: new Float64Array(parameterCount),
      square: new Float64Array(parameterCount),
    }),
    checkState: checkSquares,

    async step(context, state) {
      const { parameters, next, rows, rate: length, iteration, vectors } = context;
      const answer = await gradientOf(context, parameters);
      if (failed(answer)) return answer;
      const { loss, gradient, passes } = answer;
      const [mean, square] = [arrayOf(state, "mean"), arrayOf(state, "square")];
      const [first, second] = [1 - beta1 ** iteration, 1 - beta2 ** iteration];
      for (let j = 0; j < next.length; j++) {
        const slope = gradient[j]! / rows;
        const m = beta1 * mean[j]! + (1 - beta1) * slope;
        const v = beta2 * square[j]! + (1 - beta2) * slope * slope;
        [mean[j], square[j]] = [m, v];
        const move = m / first / (Math.sqrt(v / second) + epsilon) + decoupledDecay * parameters[j]!;
        next[j] = parameters[j]! - length * move;
      }
      const stepNorm = vectors.norm(vectors.addScaled(next, -1, parameters, context.scratch("step")));
      const seconds = { passes, curvature: 0, solve: 0, evaluate: 0 };
      return { ok: true, accepted: true, state, loss, gradient, stepNorm, damping: 0, seconds };
    },
  });
}

function checkSquares(state: MethodState): string | null {
  const bad = arrayOf(state, "square").find((value) => !(value >= 0));
  return bad === undefined ? null : `square must be numbers of at least 0; one of them is ${bad}`;
}

// Gradient descent with momentum (`gradientDescent`), on batches or on all rows: the simplest method, for comparison.
// Users and gaussflow train pass it to `train` as the option `method`; the loop over batches calls its functions.
//
//   u <- momentum u + g/b;   w <- w - rate u        g the gradient of the batch's objective, b its rows (Polyak 1964)
//   with `nesterov`          w <- w - rate (g/b + momentum u)        (Sutskever et al. 2013, as in PyTorch)
import { failed } from "../backend/engine.js";
import { argumentError } from "../errors.js";
import { checkBoolean, checkNonNegative, checkOptionNames } from "../options.js";
import type { BatchMethod } from "./batch-method.js";
import { type BatchSize, checkBatchSize, describeBatches, gradientOf, rowsOf } from "./batch-size.js";
import { arrayOf, describedBySettings } from "./method.js";
import {
  describeRate,
  plainRate,
  RATE_OPTION_NAMES,
  type RateOptions,
  rateSettings,
  withRate,
} from "./rate-schedule.js";

/**
 * Options of `gradientDescent`. `rate`: default 0.1, of the gradient of the mean loss of the batch. `schedule`: default
 * "constant".
 */
export interface GradientDescentOptions extends RateOptions {
  /** Rows of a batch. Default "auto": 128, or all rows where there are fewer. */
  readonly batch?: BatchSize | undefined;
  /** Share of the last change of the parameters that is kept, at least 0 and below 1. Default 0.9. */
  readonly momentum?: number | undefined;
  /** Nesterov's form of the momentum. Default false. */
  readonly nesterov?: boolean | undefined;
}

const AUTOMATIC = { batch: 128, rate: 0.1 };

/**
 * Gradient descent with momentum.
 *
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for an unknown option or value.
 * @example train(net, data, { method: gradientDescent({ batch: 64, rate: 0.05 }), stop: { epochs: 50 } })
 */
export function gradientDescent(options: GradientDescentOptions = {}): BatchMethod {
  checkOptionNames("options", options, ["batch", "momentum", "nesterov", ...RATE_OPTION_NAMES]);
  const { batch = "auto", momentum = 0.9, nesterov = false } = options;
  checkBatchSize(batch);
  checkNonNegative("options.momentum", momentum);
  if (momentum >= 1) throw argumentError("options.momentum", "must be below 1", momentum);
  checkBoolean("options.nesterov", nesterov);
  const rate = rateSettings(options, "constant");
  const form = nesterov ? "Nesterov momentum" : "momentum";
  return describedBySettings<BatchMethod>({
    kind: "batch",
    name: "gradient-descent",
    label: momentum === 0 ? "gradient descent" : `gradient descent with ${form} ${momentum}`,
    settings: { batch, momentum, nesterov, ...plainRate(rate) },
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
        vectors: 2,
        evaluations: 0,
        described: `${describeBatches(rows, sizes)}, ${describeRate(schedule)}`,
      };
    },
    start: ({ parameterCount }) => ({ velocity: new Float64Array(parameterCount) }),

    async step(context, state) {
      const { parameters, next, rows, rate: length, vectors } = context;
      const answer = await gradientOf(context, parameters);
      if (failed(answer)) return answer;
      const { loss, gradient, passes } = answer;
      const velocity = arrayOf(state, "velocity");
      for (let j = 0; j < next.length; j++) {
        const slope = gradient[j]! / rows;
        const moved = momentum * velocity[j]! + slope;
        velocity[j] = moved;
        next[j] = parameters[j]! - length * (nesterov ? slope + momentum * moved : moved);
      }
      const stepNorm = vectors.norm(vectors.addScaled(next, -1, parameters, context.scratch("step")));
      const seconds = { passes, curvature: 0, solve: 0, evaluate: 0 };
      return { ok: true, accepted: true, state, loss, gradient, stepNorm, damping: 0, seconds };
    },
  });
}

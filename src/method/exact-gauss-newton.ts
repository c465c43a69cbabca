// Exact Gauss-Newton on batches (`exactGaussNewton`, EGN; Korbit et al. 2024, arXiv 2405.14402). Users and gaussflow
// train pass it to `train` as the option `method`; the loop over batches calls its functions.
//
//   d = -(J^T Q J / b + lambda I)^-1 g/b,  by the b c x b c kernel Q J J^T (Duncan and Guttman):  exact, at the cost of the rows
//   m <- beta m + (1 - beta) d,   w <- w + rate m / (1 - beta^k)                 k = 1, 2, ... the step
//
// The engine works with sums: its damping is b lambda. A weight decay is part of the curvature and of the gradient.
// With `curvature` "sampled" the kernel is b x b: each row of the batch gives one row (R v)^T J of curvature, with
// random signs v and R R^T = Q, whose mean is the exact curvature; the gradient is exact. The published line search and
// adaptation are in egn-search.ts.
import { type Failure, failed } from "../backend/engine.js";
import { argumentError } from "../errors.js";
import { lossRule } from "../loss/rules.js";
import { checkBoolean, checkNonNegative, checkOptionNames, checkPositive } from "../options.js";
import type { BatchContext, BatchMethod, BatchSizes, BatchStep } from "./batch-method.js";
import { type BatchSize, checkBatchSize, describeBatches, rowsOf } from "./batch-size.js";
import { ADAPTATIONS, type Adaptation, adaptedDamping, type BatchModel, publishedLength } from "./egn-search.js";
import { arrayOf, checkSizes, describedBySettings, type MethodState, numberOf } from "./method.js";
import {
  describeRate,
  plainRate,
  RATE_OPTION_NAMES,
  type RateOptions,
  rateSettings,
  withRate,
} from "./rate-schedule.js";

/** Options of `exactGaussNewton`. `rate`: default 1. `schedule`: default "cosine". */
export interface ExactGaussNewtonOptions extends RateOptions {
  /**
   * "exact": the kernel has a row for each output of each row of the batch. "sampled": the kernel has one row for each
   * row of the batch, which costs less with many outputs. Default "auto": sampled from 5 outputs on.
   */
  readonly curvature?: CurvatureChoice | undefined;
  /**
   * Rows of a batch. Default "auto": 128, for classes and probabilities 32 with exact curvature, or all rows where
   * there are fewer.
   */
  readonly batch?: BatchSize | undefined;
  /**
   * lambda, above 0, of the sum loss of the batch divided by its rows, so that sample weights should have the mean 1.
   * Default "auto": 0.01; for classes and probabilities 1, and 3 with sampled curvature.
   */
  readonly damping?: number | "auto" | undefined;
  /**
   * beta, at least 0 and below 1. Default 0.9; 0 with an adaptation or a line search, which judge the direction itself.
   */
  readonly momentum?: number | "auto" | undefined;
  /**
   * How the damping changes: "none", the default; "published": times 1.01 or 0.99 by the gain ratio of the batch, which
   * on batches falls without end (docs/methods.md); "bounded": the same, but never below a tenth of the start. Both
   * evaluate the loss of the batch once more in each step.
   */
  readonly adaptation?: Adaptation | undefined;
  /**
   * The published line search: Armijo's condition on the batch, from 1.5 times the last length, at most `rate`. Default
   * false.
   */
  readonly lineSearch?: boolean | undefined;
}

/** Values that "auto" stands for, by task (docs/methods.md). */
const REGRESSION = { batch: 128, damping: 0.01, rate: 1 };
const CLASSIFICATION = { batch: 32, damping: 1, rate: 1 };
const SAMPLED_CLASSIFICATION = { batch: 128, damping: 3, rate: 1 };

/** Names of the curvatures. */
export type CurvatureChoice = "exact" | "sampled" | "auto";
/** All names. */
export const CURVATURE_CHOICES: readonly CurvatureChoice[] = ["exact", "sampled", "auto"];

/** Outputs from which on "auto" is the sampled curvature: the exact kernel costs the cube of rows times outputs. */
const MANY_OUTPUTS = 5;

/** Least damping of the bounded adaptation, relative to the first. */
const FLOOR = 0.1;

/** Default momentum, where neither an adaptation nor a line search judges the direction. */
const MOMENTUM = 0.9;

/**
 * Exact Gauss-Newton on batches.
 *
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for an unknown option or value.
 * @example train(net, data, { method: exactGaussNewton(), stop: { epochs: 20 } })
 */
export function exactGaussNewton(options: ExactGaussNewtonOptions = {}): BatchMethod {
  const settings = settingsFrom(options);
  const { curvature, batch, damping, momentum, adaptation, lineSearch, rate } = settings;
  const extras = [
    ...(curvature === "sampled" ? ["sampled curvature"] : []),
    ...(momentum === 0 ? [] : [`momentum ${momentum}`]),
    ...(adaptation === "none" ? [] : [`${adaptation} adaptation of the damping`]),
    ...(lineSearch ? ["line search"] : []),
  ];
  return describedBySettings<BatchMethod>({
    kind: "batch",
    name: "exact-gauss-newton",
    label: `exact Gauss-Newton on batches${extras.length > 0 ? ` (${extras.join(", ")})` : ""}`,
    settings: { curvature, batch, damping, momentum, adaptation, lineSearch, ...plainRate(rate) },
    epochs: 20,
    remedy: "a smaller rate or a larger damping",
    needs: (sizes) => {
      const automatic = automaticFor(settings, sizes);
      const formed = curvatureFor(settings, sizes);
      const rows = rowsOf(batch, automatic.batch, sizes);
      const schedule = withRate(rate, automatic.rate);
      return {
        rows,
        engines: [{ rows, curvature: formed }],
        route: formed,
        rate: schedule,
        vectors: 4,
        evaluations: (adaptation === "none" ? 0 : 1) + (lineSearch ? 1 : 0),
        described: `${formed === "sampled" ? "sampled curvature, " : ""}${describeBatches(rows, sizes)}, damping ${firstDamping(settings, sizes)}, ${describeRate(schedule)}`,
      };
    },
    start: (sizes) => ({
      damping: firstDamping(settings, sizes),
      first: firstDamping(settings, sizes),
      // The first step tries the largest length.
      length: Number.POSITIVE_INFINITY,
      momentum: new Float64Array(momentum === 0 ? 0 : sizes.parameterCount),
    }),
    checkState: (state) => checkSizes(state, ["damping", "first"], true) ?? checkLength(state),
    step: (context, state) => step(context, state, settings),
  });
}

type Settings = ReturnType<typeof settingsFrom>;

/** @throws GAUSSFLOW_ARGUMENT */
function settingsFrom(options: ExactGaussNewtonOptions) {
  checkOptionNames("options", options, [
    "curvature",
    "batch",
    "damping",
    "momentum",
    "adaptation",
    "lineSearch",
    ...RATE_OPTION_NAMES,
  ]);
  const { curvature = "auto", batch = "auto", damping = "auto", adaptation = "none", lineSearch = false } = options;
  if (!CURVATURE_CHOICES.includes(curvature))
    throw argumentError("options.curvature", `must be one of ${CURVATURE_CHOICES.join(", ")}`, curvature);
  checkBatchSize(batch);
  if (damping !== "auto") checkPositive("options.damping", damping);
  if (!ADAPTATIONS.includes(adaptation))
    throw argumentError("options.adaptation", `must be one of ${ADAPTATIONS.join(", ")}`, adaptation);
  checkBoolean("options.lineSearch", lineSearch);
  const judged = adaptation !== "none" || lineSearch;
  const { momentum = "auto" } = options;
  const beta = momentum === "auto" ? (judged ? 0 : MOMENTUM) : momentum;
  checkNonNegative("options.momentum", beta);
  if (beta >= 1) throw argumentError("options.momentum", "must be below 1", beta);
  if (beta > 0 && adaptation !== "none")
    throw argumentError(
      "options.momentum",
      "must be 0 with an adaptation of the damping, whose gain ratio is that of the direction itself",
      beta,
    );
  return { curvature, batch, damping, momentum: beta, adaptation, lineSearch, rate: rateSettings(options, "cosine") };
}

/** The defaults of a task. */
function automaticFor(settings: Settings, sizes: BatchSizes): typeof REGRESSION {
  const { link } = lossRule(sizes.loss);
  if (link !== "logistic" && link !== "softmax") return REGRESSION;
  return curvatureFor(settings, sizes) === "sampled" ? SAMPLED_CLASSIFICATION : CLASSIFICATION;
}

/** The kernel that the engine forms of a batch. */
function curvatureFor({ curvature }: Settings, { outputSize }: Pick<BatchSizes, "outputSize">): "dual" | "sampled" {
  if (curvature === "auto") return outputSize >= MANY_OUTPUTS ? "sampled" : "dual";
  return curvature === "sampled" ? "sampled" : "dual";
}

function firstDamping(settings: Settings, sizes: BatchSizes): number {
  return settings.damping === "auto" ? automaticFor(settings, sizes).damping : settings.damping;
}

/** Checks the last length of the line search, which is infinite before the first step. */
function checkLength(state: MethodState): string | null {
  return numberOf(state, "length") > 0 ? null : `length must be above 0; it is ${numberOf(state, "length")}`;
}

/** Signs that one random integer gives. */
const DRAWN = 32;

/** 1 or -1 for each output of each row, from the random numbers of the step. */
function drawSigns({ random, scratch }: BatchContext, count: number): Float64Array {
  const signs = scratch("signs", count);
  const draw = random();
  for (let k = 0; k < count; k += DRAWN) {
    let bits = draw.below(2 ** DRAWN);
    for (let j = k; j < Math.min(count, k + DRAWN); j++, bits = Math.floor(bits / 2))
      signs[j] = bits % 2 === 0 ? -1 : 1;
  }
  return signs;
}

async function step(context: BatchContext, state: MethodState, settings: Settings): Promise<BatchStep | Failure> {
  const { momentum: beta, adaptation, lineSearch } = settings;
  const { parameters, next, engines, rows, decay, rate, vectors, signal, scratch } = context;
  const [engine] = engines;
  const { outputSize } = engine!;
  const kind = curvatureFor(settings, { outputSize });
  const sampled = kind === "sampled" ? { signs: drawSigns(context, rows * outputSize) } : undefined;
  const lambda = numberOf(state, "damping");
  const damping = rows * lambda;
  const linearized = await engine!.linearize(
    parameters,
    { curvature: kind, sampled, decay, scaling: null, gradient: scratch("gradient"), exactMeasureBelow: 0 },
    signal,
  );
  if (failed(linearized)) return linearized;
  const { loss, gradient } = linearized;
  const solved = await engine!.solve({ damping, decay, scaling: null, step: scratch("step") }, signal);
  if (failed(solved)) return solved;
  const direction = solved.step;
  const average = arrayOf(state, "momentum");
  // Overwrites the step. The average of the state changes at the end, once nothing can fail.
  for (let j = 0; j < average.length; j++) direction[j] = beta * average[j]! + (1 - beta) * direction[j]!;
  const unbiased = beta === 0 ? 1 : 1 / (1 - beta ** context.iteration);
  const from = performance.now();
  const model: BatchModel = { context, loss, gradient, direction, damping };
  const found = lineSearch ? await publishedLength(model, unbiased, numberOf(state, "length")) : rate;
  if (typeof found === "object") return found;
  vectors.addScaled(parameters, unbiased * found, direction, next);
  const adapted = adaptation === "none" ? lambda : await adaptedDamping(model, found, lambda);
  if (typeof adapted === "object") return adapted;
  const floor = adaptation === "bounded" ? FLOOR * numberOf(state, "first") : 0;
  const evaluate = lineSearch || adaptation !== "none" ? (performance.now() - from) / 1000 : 0;
  average.set(beta === 0 ? [] : direction);
  const { passes, curvature } = linearized.seconds;
  return {
    ok: true,
    accepted: true,
    state: { ...state, damping: Math.max(floor, adapted), length: lineSearch ? found : numberOf(state, "length") },
    loss,
    gradient,
    stepNorm: unbiased * found * vectors.norm(direction),
    damping,
    seconds: { passes, curvature, solve: solved.seconds, evaluate },
  };
}

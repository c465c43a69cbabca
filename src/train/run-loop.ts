// Runs the loop of a training that has been prepared: minimize.ts for methods that see all rows at every step, descend.ts for methods on
// batches. train.ts calls it.
import { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import { scalingInEffect } from "../linearize/problem.js";
import { type Loss, lossRule, lossScale } from "../loss/rules.js";
import { evenness } from "../loss/weighted.js";
import { type BatchMethod, type BatchNeeds, type BatchSizes, isBatchMethod } from "../method/batch-method.js";
import type { Method } from "../method/method.js";
import { layerSizes } from "../network/parameters.js";
import type { TrainRoute } from "../plan/route.js";
import type { ObservedRun, Observer } from "../run/observer.js";
import { lossFactor } from "../run/prepare.js";
import { writesFiles } from "../run/ranks.js";
import type { TrainRecord } from "../run/record.js";
import type { Batches } from "./batch-engines.js";
import type { Begun } from "./begin.js";
import { type CheckpointForm, readCheckpoint, writeCheckpoint } from "./checkpoint.js";
import { type DescendOptions, descend } from "./descend.js";
import { minimize } from "./minimize.js";
import type { MinimizeOptions, MinimizeResult } from "./minimize-options.js";
import type { PlannedTraining } from "./plan.js";
import { separableBound } from "./separable.js";
import { besideSymmetry } from "./symmetric-start.js";
import type { CompletedTrainOptions, TrainOptions } from "./train-options.js";

/** The rows of a run. */
interface RunParts {
  readonly fit: Dataset | FileDataset;
  readonly validation: Dataset | null;
}

/** @throws GAUSSFLOW_FILE for a checkpoint that cannot be gone on from */
export async function* runLoop(
  begun: Begun,
  parts: RunParts,
  completed: CompletedTrainOptions,
  { plan, route, needs }: PlannedTraining,
  options: TrainOptions,
): AsyncGenerator<TrainRecord, MinimizeResult> {
  const { start, engine, batches } = begun;
  const { method } = completed;
  if (!isBatchMethod(method)) {
    const form = formOf(completed, method, route, begun, parts.validation);
    const shared = await sharedOptions(begun, parts, completed, form, options);
    const own = wholeOptions(begun, parts, completed, method, route, options);
    const recordFields = { ...shared.recordFields, ...(plan.chosen.distributed ? { distributed: true as const } : {}) };
    return yield* minimize(engine, start.parameters, { ...shared, ...own, recordFields });
  }
  // Both follow from the method.
  const sizes = { ...sizesOf(begun, parts), loss: completed.loss };
  const form = batchForm(method, sizes, parts.validation);
  const shared = await sharedOptions(begun, parts, completed, form, options);
  const own = batchOptions(begun, completed, method, sizes, needs as BatchNeeds, batches as Batches, options);
  return yield* descend(engine, start.parameters, { ...shared, ...own });
}

/** What both loops are told of the run. */
type SharedOptions = Pick<
  MinimizeOptions & DescendOptions,
  | "stop"
  | "decay"
  | "spent"
  | "recordFields"
  | "separable"
  | "meanFactor"
  | "validation"
  | "signal"
  | "agreement"
  | "checkpoint"
  | "resume"
>;

async function sharedOptions(
  { print, fixed, validationEngine }: Begun,
  { fit, validation }: RunParts,
  { stop, loss, checkpoint, resume, slots, agreement }: CompletedTrainOptions,
  form: CheckpointForm,
  { signal }: TrainOptions,
): Promise<SharedOptions> {
  return {
    stop,
    decay: loss.decay,
    spent: fixed.seconds,
    recordFields: scaleFields(loss),
    // A loss to reach goes before: it is falling all the same.
    separable: stop.loss > 0 ? null : separableBound(loss, fit),
    meanFactor: lossFactor(fit, loss),
    validation:
      validationEngine && validation ? { engine: validationEngine, meanFactor: lossFactor(validation, loss) } : null,
    signal,
    agreement,
    checkpoint:
      checkpoint === null || !writesFiles(agreement)
        ? null
        : {
            every: checkpoint.every,
            urgent: agreement?.own,
            write: (snapshot) =>
              writeCheckpoint(checkpoint.path, snapshot, print, { scale: fixed.found, start: fixed.fitted, slots }),
          },
    resume: resume === null ? null : await readCheckpoint({ path: resume, agreement, print, slots }, form),
  };
}

function wholeOptions(
  { start, engine, observed }: Begun,
  { fit }: RunParts,
  { loss, condition, matrixFree }: CompletedTrainOptions,
  method: Method,
  route: TrainRoute,
  options: TrainOptions,
): Omit<MinimizeOptions, keyof SharedOptions> {
  return {
    method,
    route,
    condition,
    matrixFree,
    layerSizes: layerSizes(start.architecture),
    startBeside: (point) => besideSymmetry(start, loss.decay, point),
    sumOfSquares: lossRule(loss).sumOfSquares,
    convex: lossRule(loss).convex,
    evenness: evenness(fit.weights, fit.sampleCount),
    observer: observe(
      options,
      observed && {
        kind: "train",
        engine,
        sample: observed.sample.get,
        architecture: start.architecture,
        start: start.parameters,
        loss,
        decay: loss.decay,
        targets: observed.targets,
        weights: observed.weights,
        terms: observed.terms,
        resolution: 0,
        discretized: (rate) => rate,
        fixedStep: null,
        identityScaling: scalingInEffect(method.scaling, route, loss.decay) === "identity",
        signal: options.signal ?? new AbortController().signal,
      },
    ),
  };
}

function batchOptions(
  { start }: Begun,
  { loss, seed }: CompletedTrainOptions,
  method: BatchMethod,
  sizes: BatchSizes,
  needs: BatchNeeds,
  { engines, rows, whole }: Batches,
  { onRecord }: TrainOptions,
): Omit<DescendOptions, keyof SharedOptions> {
  return {
    method,
    sizes,
    needs,
    engines,
    rows,
    whole,
    seed,
    startBeside: (point) => besideSymmetry(start, loss.decay, point),
    observer: onRecord && { onRecord },
  };
}

function sizesOf({ start }: Begun, { fit }: RunParts): Omit<BatchSizes, "loss"> {
  const { outputSize, parameterCount } = start.architecture;
  return { rows: fit.sampleCount, outputSize, parameterCount, inFile: fit instanceof FileDataset };
}

/** What a checkpoint of the run looks like. */
function formOf(
  { loss }: CompletedTrainOptions,
  method: Method,
  route: TrainRoute,
  { engine: { parameterCount, layerCount } }: Begun,
  validation: Dataset | null,
): CheckpointForm {
  const effect = scalingInEffect(method.scaling, route, loss.decay);
  return {
    parameterCount,
    scalingLength: effect === "identity" ? null : route === "dual" ? layerCount : parameterCount,
    validated: validation !== null,
    batches: false,
    relativeGradient: !lossRule(loss).sumOfSquares,
    state: method.start(1, effect, parameterCount),
    checkState: method.checkState,
  };
}

/** The same of a method on batches. */
function batchForm(method: BatchMethod, sizes: BatchSizes, validation: Dataset | null): CheckpointForm {
  return {
    parameterCount: sizes.parameterCount,
    scalingLength: null,
    validated: validation !== null,
    batches: true,
    relativeGradient: true,
    state: method.start(sizes),
    checkState: (state) => method.checkState?.(state, sizes) ?? null,
  };
}

/** The caller's callback and monitor as one observer. The monitor starts inside the loop, where an abort is a reason. */
function observe({ onRecord, monitor }: TrainOptions, run: ObservedRun | null): Observer {
  let begun = false;
  return {
    onRecord: async (record) => {
      if (run !== null && record.decay !== undefined) run.decay = record.decay;
      await onRecord?.(record);
      await monitor?.onRecord?.(record);
    },
    // Without a monitor there is no one to copy the point for.
    ...(monitor === undefined
      ? {}
      : {
          onPoint: async (point) => {
            if (!begun && run !== null) await monitor.onStart?.(run);
            begun = true;
            await monitor.onPoint?.(point);
          },
        }),
  };
}

/** The scale of the loss, as records hold it. */
function scaleFields(loss: Loss): Pick<TrainRecord, "delta" | "smoothing"> {
  const scale = lossScale(loss);
  return scale === null || scale.value === null ? {} : { [scale.parameter]: scale.value };
}

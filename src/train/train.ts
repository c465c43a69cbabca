// The public `train` and `trainSteps`: prepare a training (begin.ts), run the loop of minimize.ts, and make the result. Users, gaussflow
// train, the experiment on real data and trainMany call them.
import type { Engine } from "../backend/engine.js";
import { FileDataset } from "../data/data-file.js";
import { Dataset } from "../data/dataset.js";
import type { DatasetInput } from "../data/dataset-input.js";
import { GaussflowError } from "../errors.js";
import { finishInTurns, Pace } from "../event-loop-yield.js";
import { checkDistinct } from "../file-target.js";
import { scalingInEffect } from "../linearize/problem.js";
import { type Loss, lossRule, lossScale } from "../loss/rules.js";
import { evenness } from "../loss/weighted.js";
import type { Reason } from "../method/reason.js";
import type { Network } from "../network/network.js";
import { layerSizes } from "../network/parameters.js";
import { rowMarks } from "../network/row-marks.js";
import { type Plan, planRoute, refuse } from "../plan/plan.js";
import type { TrainRoute } from "../plan/route.js";
import { withHeldSlots } from "../run/held-slots.js";
import { abortReason, endedBy } from "../run/interrupt.js";
import type { ObservedRun, Observer } from "../run/observer.js";
import { lossFactor, predictingNetwork, trainingDataSteps } from "../run/prepare.js";
import type { TrainRecord } from "../run/record.js";
import { adviceAfter } from "./advice.js";
import { adviceFacts } from "./advice-facts.js";
import { type Begun, begin, cut } from "./begin.js";
import { type CheckpointForm, heldSlots, readCheckpoint, writeCheckpoint } from "./checkpoint.js";
import { type DescribedEngine, describeChoice } from "./chosen.js";
import { countAtFloor, type FloorCount } from "./floor-count.js";
import { minimize } from "./minimize.js";
import type { MinimizeOptions, MinimizeResult } from "./minimize-options.js";
import { trainRequest } from "./plan.js";
import { separableBound } from "./separable.js";
import type { Best } from "./snapshot.js";
import { besideSymmetry } from "./symmetric-start.js";
import { type CompletedTrainOptions, type TrainOptions, trainOptionSteps, weighedSteps } from "./train-options.js";
import type { TrainResult } from "./train-result.js";

/**
 * Trains `network` on `data` and resolves with the best network, the records and the reason the run ended.
 *
 * Many rows are copied, checked and cut in turns with the event loop: arrays must not change before the first record.
 *
 * Expected numerical trouble (a loss that is not finite, no progress, an abort) is a reason, never an exception. Where a symmetry of data
 * and network would hold all hidden biases at the 0 they start from, the run begins with drawn ones (docs/architecture.md).
 * @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_DATA, GAUSSFLOW_MEMORY (the plan cannot fit this machine), GAUSSFLOW_FILE (a checkpoint
 * that cannot be read, or whose place cannot be written to at the start; data files),
 * GAUSSFLOW_NO_NATIVE, and what onRecord throws
 */
export async function train<Report = never>(
  network: Network,
  data: Dataset | DatasetInput | FileDataset,
  options: TrainOptions<Report> = {},
): Promise<TrainResult<Report>> {
  const steps = trainSteps(network, data, options);
  for (;;) {
    const next = await steps.next();
    if (next.done) return next.value;
  }
}

/** The same as an async generator: yields every record, returns the result. Leaving the loop early frees the engines. */
export async function* trainSteps<Report = never>(
  network: Network,
  data: Dataset | DatasetInput | FileDataset,
  options: TrainOptions<Report> = {},
): AsyncGenerator<TrainRecord, TrainResult<Report>> {
  // Copying, checking and cutting many rows take tens of milliseconds each.
  const pace = new Pace(undefined);
  const given = await finishInTurns(trainingDataSteps(network, data, options), pace);
  const completed = await withHeldSlots(
    await finishInTurns(trainOptionSteps(options, given, network), pace),
    options,
    heldSlots,
  );
  const whole = await finishInTurns(weighedSteps(given, completed), pace);
  const request = trainRequest(
    network,
    whole,
    completed,
    options,
    data instanceof Dataset || data instanceof FileDataset,
  );
  const plan = planRoute(request);
  refuse(plan, request);
  if (whole instanceof FileDataset)
    checkDistinct([
      { name: "the data file", path: whole.layout.path, written: false },
      { name: "options.checkpoint.path", path: completed.checkpoint?.path, written: true },
    ]);
  const { fit, validation } = await finishInTurns(cut(whole, completed, options.validation), pace);
  const backend = { backend: options.backend, threads: plan.threads, route: plan.route };
  let begun: Begun;
  try {
    begun = await begin(network, { whole, fit, validation }, completed, backend, {
      ...options,
      signal: heardWhile(completed, options),
    });
  } catch (error) {
    const { signal } = options;
    if (!endedBy(signal, error)) throw error;
    const reason = abortReason(signal);
    const engine = { kind: request.engine === "native" ? "native" : "reference", threads: plan.threads };
    const report = (await options.monitor?.onEnd?.(reason)) ?? null;
    const start = predictingNetwork(network, fit, completed.loss);
    return finish(start, fit, validation, completed, plan, engine, unbegun(network, reason), report);
  }
  const { start, engine, observed, validationEngine, constant } = begun;
  const settled = { ...completed, loss: begun.fixed.loss };
  try {
    const settings = await minimizeOptions(begun, fit, validation, settled, plan, options);
    const result = yield* minimize(engine, start.parameters, settings);
    const report = (await options.monitor?.onEnd?.(result.reason)) ?? null;
    const warnings = [...constant, ...result.warnings];
    const { parameters } = result.bestValidation ?? result.best;
    const floor = await countAtFloor(start, parameters, fit, { ...backend, signal: options.signal }).catch(
      withoutCount,
    );
    return finish(start, fit, validation, settled, plan, engine, { ...result, warnings, floor }, report);
  } finally {
    engine.dispose();
    observed?.sample.dispose();
    validationEngine?.dispose();
  }
}

/** A training is not lost over a count for its advice: null where a file has changed or memory is refused. */
function withoutCount(error: unknown): null {
  if (error instanceof GaussflowError && ["GAUSSFLOW_FILE", "GAUSSFLOW_MEMORY"].includes(error.code)) return null;
  throw error;
}

/** What the loop is told of the run. @throws GAUSSFLOW_FILE for a checkpoint that cannot be gone on from */
async function minimizeOptions(
  { start, print, fixed, engine, observed, validationEngine }: Begun,
  fit: Dataset | FileDataset,
  validation: Dataset | null,
  completed: CompletedTrainOptions,
  plan: Plan<TrainRoute>,
  options: TrainOptions,
): Promise<MinimizeOptions> {
  const { checkpoint, resume, loss } = completed;
  return {
    method: completed.method,
    stop: completed.stop,
    route: plan.route,
    decay: loss.decay,
    condition: completed.condition,
    matrixFree: completed.matrixFree,
    spent: fixed.seconds,
    recordFields: scaleFields(loss),
    layerSizes: layerSizes(start.architecture),
    startBeside: (point) => besideSymmetry(start, loss.decay, point),
    sumOfSquares: lossRule(loss).sumOfSquares,
    convex: lossRule(loss).convex,
    // A loss to reach goes before: it is falling all the same.
    separable: completed.stop.loss > 0 ? null : separableBound(loss, fit),
    meanFactor: lossFactor(fit, loss),
    evenness: evenness(fit.weights, fit.sampleCount),
    validation:
      validationEngine && validation ? { engine: validationEngine, meanFactor: lossFactor(validation, loss) } : null,
    signal: options.signal,
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
        identityScaling: scalingInEffect(completed.method.scaling, plan.route, loss.decay) === "identity",
        signal: options.signal ?? new AbortController().signal,
      },
    ),
    checkpoint: checkpoint && {
      every: checkpoint.every,
      write: (snapshot) =>
        writeCheckpoint(checkpoint.path, snapshot, print, {
          scale: fixed.found,
          start: fixed.fitted,
          slots: completed.slots,
        }),
    },
    resume: resume === null ? null : await readCheckpoint(resume, print, formOf(completed, plan, engine, validation)),
  };
}

/**
 * What a run hears while it is prepared. A resumed one is not cut short there: the points of its checkpoint are in the units that the
 * preparation finds, and an aborted run returns the best of them.
 */
function heardWhile({ resume }: CompletedTrainOptions, { signal }: TrainOptions): AbortSignal | undefined {
  return resume === null ? signal : undefined;
}

/** The end of a run that was aborted before its first linearization. */
function unbegun(network: Network, reason: Reason): EndedRun {
  const start = { iteration: 0, parameters: network.parameters, value: Number.NaN, loss: Number.NaN };
  return {
    reason,
    iterations: 0,
    last: start,
    best: start,
    bestValidation: null,
    records: [],
    elapsed: 0,
    warnings: [],
    floor: null,
  };
}

/** What a checkpoint of the run looks like. */
function formOf(
  { method, loss, slots }: CompletedTrainOptions,
  { route }: Plan<TrainRoute>,
  { parameterCount, layerCount }: Engine,
  validation: Dataset | null,
): CheckpointForm {
  const effect = scalingInEffect(method.scaling, route, loss.decay);
  return {
    parameterCount,
    slots,
    scalingLength: effect === "identity" ? null : route === "dual" ? layerCount : parameterCount,
    validated: validation !== null,
    relativeGradient: !lossRule(loss).sumOfSquares,
    state: method.start(1, effect, parameterCount),
    checkState: method.checkState,
  };
}

/** The caller's callback and monitor as one observer. The monitor starts inside the loop, where an abort is a reason. */
function observe({ onRecord, monitor }: TrainOptions, run: ObservedRun | null): Observer {
  let begun = false;
  return {
    onRecord: async (record) => {
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

type EndedRun = MinimizeResult & { readonly floor: FloorCount | null };

/** The scale of the loss, as records hold it. */
function scaleFields(loss: Loss): Pick<TrainRecord, "delta" | "smoothing"> {
  const scale = lossScale(loss);
  return scale === null || scale.value === null ? {} : { [scale.parameter]: scale.value };
}

/** The parameters of the loss, as summaries hold them. */
function lossFields(loss: Loss) {
  if (loss.kind === "quantile") return { lossTau: loss.tau, lossSmoothing: loss.smoothing };
  return loss.kind === "huber" || loss.kind === "pseudo-huber" ? { lossDelta: loss.delta } : {};
}

function finish<Report>(
  start: Network,
  fit: Dataset | FileDataset,
  validation: Dataset | null,
  completed: CompletedTrainOptions,
  plan: Plan<TrainRoute>,
  engine: DescribedEngine,
  result: EndedRun,
  watched: Report | null,
): TrainResult<Report> {
  const at = (point: Best) => start.withParameters(point.parameters);
  const { loss } = completed;
  const kept = result.bestValidation ?? result.best;
  const validationLoss = result.bestValidation?.value ?? null;
  const summary = {
    reason: result.reason.code,
    iterations: result.iterations,
    bestIteration: kept.iteration,
    // JSON knows no NaN.
    loss: Number.isFinite(kept.loss) ? kept.loss : null,
    validationLoss: validationLoss !== null && Number.isFinite(validationLoss) ? validationLoss : null,
    samples: fit.sampleCount,
    validationSamples: validation?.sampleCount ?? 0,
    seconds: result.elapsed,
    method: completed.method.label,
    // Squared error needs no name: it is what every earlier file was trained with.
    ...(lossRule(loss).sumOfSquares ? {} : { lossKind: loss.kind }),
    ...(completed.slots === 1 ? {} : { slots: completed.slots }),
    ...(completed.classFactors === null ? {} : { classFactors: [...completed.classFactors] }),
    ...lossFields(loss),
    features: fit.featureNames,
    targets: fit.targetNames,
    rowMarks: fit instanceof FileDataset ? null : rowMarks(fit),
  };
  return {
    network: at(kept).withSummary(summary),
    last: at(result.last),
    best: at(result.best),
    bestValidation: result.bestValidation && at(result.bestValidation),
    reason: result.reason,
    records: result.records,
    iterations: result.iterations,
    bestIteration: kept.iteration,
    loss: kept.loss,
    lossUsed: loss,
    validationLoss,
    seconds: result.elapsed,
    monitor: watched,
    plan,
    engine: engine.kind,
    threads: engine.threads,
    slots: completed.slots,
    warnings: result.warnings,
    ...describeChoice({ start, fit, validation, completed, plan, engine }),
    advice: adviceAfter({ ...adviceFacts(start, fit, validation, loss, result), floor: result.floor }),
  };
}

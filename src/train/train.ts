// The public `train` and `trainSteps`: prepare a training (begin.ts), run its loop (run-loop.ts), and make the result. Users, gaussflow
// train, the experiment on real data and trainMany call them.
import { type Agreement, together } from "../cluster/agreement.js";
import { FileDataset } from "../data/data-file.js";
import { Dataset } from "../data/dataset.js";
import type { DatasetInput } from "../data/dataset-input.js";
import { type EquationProblem, isEquationProblem } from "../equations/equation-problem.js";
import { argumentError, GaussflowError } from "../errors.js";
import { finishInTurns, Pace } from "../event-loop-yield.js";
import { checkDistinct } from "../file-target.js";
import { type Loss, lossRule } from "../loss/rules.js";
import type { Reason } from "../method/reason.js";
import type { Network } from "../network/network.js";
import { rowMarks } from "../network/row-marks.js";
import type { Plan } from "../plan/plan.js";
import type { BatchRoute, TrainRoute } from "../plan/route.js";
import { withHeldSlots } from "../run/held-slots.js";
import { abortReason, endedBy } from "../run/interrupt.js";
import { predictingNetwork, trainingDataSteps } from "../run/prepare.js";
import { rowsOfRank, stepsOnRanks } from "../run/ranks.js";
import type { TrainRecord } from "../run/record.js";
import { adviceAfter } from "./advice.js";
import { adviceFacts } from "./advice-facts.js";
import { type Begun, begin, cut } from "./begin.js";
import { heldSlots } from "./checkpoint.js";
import { type DescribedEngine, describeChoice } from "./chosen.js";
import type { EquationTrainOptions } from "./equations-options.js";
import type { EquationsResult } from "./equations-result.js";
import { equationSteps } from "./equations-train.js";
import { countAtFloor, type FloorCount } from "./floor-count.js";
import type { MinimizeResult } from "./minimize-options.js";
import { planTraining } from "./plan.js";
import { evidenceWarnings } from "./regularize.js";
import { runLoop } from "./run-loop.js";
import type { Best } from "./snapshot.js";
import { type CompletedTrainOptions, type TrainOptions, trainOptionSteps, weighedSteps } from "./train-options.js";
import type { TrainResult } from "./train-result.js";
import { withUncertainty } from "./uncertainty.js";

/**
 * Trains `network` on equations, made by `equations(...)`: residuals that contain its derivatives by its inputs. It resolves with the field that
 * solves them best, the unknowns of the equations, the records and the reason the run ended.
 *
 * @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_MEMORY (the plan cannot fit this machine), GAUSSFLOW_FILE (a checkpoint that cannot be read, or whose
 * place cannot be written to at the start), GAUSSFLOW_NO_NATIVE, and what onRecord throws
 */
export function train<Field>(
  network: Network,
  problem: EquationProblem<Field>,
  options?: EquationTrainOptions,
): Promise<EquationsResult<Field>>;
/**
 * Trains `network` on `data` and resolves with the best network, the records and the reason the run ended.
 *
 * Many rows are copied, checked and cut in turns with the event loop: arrays must not change before the first record.
 *
 * Expected numerical trouble (a loss that is not finite, no progress, an abort) is a reason, never an exception. Where a symmetry of data
 * and network would hold all hidden biases at the 0 they start from, the run begins with drawn ones (docs/architecture.md).
 * @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_DATA, GAUSSFLOW_MEMORY (the plan cannot fit this machine), GAUSSFLOW_FILE (a checkpoint
 * that cannot be read, or whose place cannot be written to at the start; data files),
 * GAUSSFLOW_NO_NATIVE, GAUSSFLOW_BUSY (another run on `options.cluster`), GAUSSFLOW_RANKS (ranks of `options.cluster` that differ), and what onRecord throws
 */
export function train<Report = never>(
  network: Network,
  data: Dataset | DatasetInput | FileDataset,
  options?: TrainOptions<Report>,
): Promise<TrainResult<Report>>;
export async function train(
  network: Network,
  data: Dataset | DatasetInput | FileDataset | EquationProblem,
  options: TrainOptions | EquationTrainOptions = {},
): Promise<TrainResult | EquationsResult> {
  const steps = isEquationProblem(data)
    ? trainSteps(network, data, options as EquationTrainOptions)
    : trainSteps(network, data, options as TrainOptions);
  for (;;) {
    const next = await steps.next();
    if (next.done) return next.value;
  }
}

/** The same as an async generator: yields every record, returns the result. Leaving the loop early frees the engine. */
export function trainSteps<Field>(
  network: Network,
  problem: EquationProblem<Field>,
  options?: EquationTrainOptions,
): AsyncGenerator<TrainRecord, EquationsResult<Field>>;
/** The same as an async generator: yields every record, returns the result. Leaving the loop early frees the engines. */
export function trainSteps<Report = never>(
  network: Network,
  data: Dataset | DatasetInput | FileDataset,
  options?: TrainOptions<Report>,
): AsyncGenerator<TrainRecord, TrainResult<Report>>;
export async function* trainSteps(
  network: Network,
  data: Dataset | DatasetInput | FileDataset | EquationProblem,
  options: TrainOptions | EquationTrainOptions = {},
): AsyncGenerator<TrainRecord, TrainResult | EquationsResult> {
  if (data instanceof Promise)
    throw argumentError("data", "must be awaited: train(network, await equations(...))", data);
  if (isEquationProblem(data)) return yield* equationSteps(network, data, options as EquationTrainOptions);
  const given = options as TrainOptions;
  return yield* stepsOnRanks("train", given, (joined, agreement) => stepsOf(network, data, joined, agreement));
}

async function* stepsOf<Report>(
  network: Network,
  data: Dataset | DatasetInput | FileDataset,
  options: TrainOptions<Report>,
  agreement: Agreement | null,
): AsyncGenerator<TrainRecord, TrainResult<Report>> {
  const { completed, whole, planned, fit, validation } = await settle(network, data, options, agreement);
  const { plan, needs, startThreads } = planned;
  const distributed = plan.chosen.distributed === true;
  const backend = { backend: options.backend, threads: plan.threads, route: planned.route, startThreads, distributed };
  let begun: Begun;
  try {
    const heard = { ...options, signal: heardWhile(completed, options) };
    if (completed.resume === null) agreement?.listen();
    begun = await begin(network, { whole, fit, validation }, completed, backend, heard, needs);
  } catch (error) {
    const { signal } = options;
    if (!endedBy(signal, error)) throw error;
    const reason = abortReason(signal);
    const engine = { kind: planned.engine === "native" ? "native" : "reference", threads: plan.threads };
    const report = (await options.monitor?.onEnd?.(reason)) ?? null;
    const start = predictingNetwork(network, fit, completed.loss);
    return finish(start, fit, validation, completed, plan, engine, unbegun(network, reason), report);
  }
  const { start, engine, observed, validationEngine, warnings: told, batches } = begun;
  const settled = { ...completed, loss: begun.fixed.loss };
  try {
    const result = yield* runLoop(begun, { fit, validation }, settled, planned, options);
    const report = (await options.monitor?.onEnd?.(result.reason)) ?? null;
    const warnings = [...told, ...result.warnings, ...evidenceWarnings(result.evidence)];
    const { parameters } = result.bestValidation ?? result.best;
    const floor = await countAtFloor(start, parameters, fit, { ...backend, signal: options.signal }).catch(
      withoutCount,
    );
    const light = begun.fixed.light;
    const trained = finish(
      start,
      fit,
      validation,
      { ...settled, loss: { ...settled.loss, decay: result.decay ?? settled.loss.decay } },
      plan,
      engine,
      { ...result, warnings, floor, light },
      report,
    );
    if (!completed.uncertainty || fit instanceof FileDataset) return trained;
    return await withUncertainty(trained, engine, fit, options.signal);
  } finally {
    batches?.dispose();
    engine.dispose();
    observed?.sample.dispose();
    validationEngine?.dispose();
  }
}

/** What is known of a training before it begins: options, plan and parts of the data. Nothing has been allocated for its engines. */
async function settle<Report>(
  network: Network,
  data: Dataset | DatasetInput | FileDataset,
  options: TrainOptions<Report>,
  agreement: Agreement | null,
) {
  // Copying, checking and cutting many rows take tens of milliseconds each.
  const pace = new Pace(undefined);
  const { given, unheld } = await together(agreement, async () => {
    const given = await finishInTurns(trainingDataSteps(network, data, options), pace);
    return { given, unheld: await finishInTurns(trainOptionSteps(options, given, network), pace) };
  });
  const completed = await withHeldSlots({ ...unheld, agreement }, options, heldSlots);
  const owned = data instanceof Dataset || data instanceof FileDataset;
  return together(agreement, async () => {
    const whole = await finishInTurns(weighedSteps(given, completed), pace);
    const planned = planTraining(network, whole, completed, options, owned);
    planned.refuse();
    if (whole instanceof FileDataset)
      checkDistinct([
        { name: "the data file", path: whole.layout.path, written: false },
        { name: "options.checkpoint.path", path: completed.checkpoint?.path, written: true },
      ]);
    return { completed, whole, planned, ...(await finishInTurns(cut(whole, completed, options.validation), pace)) };
  });
}

/** A training is not lost over a count for its advice: null where a file has changed or memory is refused. */
function withoutCount(error: unknown): null {
  if (error instanceof GaussflowError && ["GAUSSFLOW_FILE", "GAUSSFLOW_MEMORY"].includes(error.code)) return null;
  throw error;
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
    light: false,
  };
}

type EndedRun = MinimizeResult & {
  readonly floor: FloorCount | null;
  /** Whether it began with little weight decay (light-start.ts). */
  readonly light: boolean;
};

/** The parameters of the loss, as summaries hold them. */
function lossFields(loss: Loss) {
  if (loss.kind === "quantile") return { lossTau: loss.tau, lossSmoothing: loss.smoothing };
  if (loss.kind === "softmax-cross-entropy" && loss.smoothing > 0) return { lossSmoothing: loss.smoothing };
  return loss.kind === "huber" || loss.kind === "pseudo-huber" ? { lossDelta: loss.delta } : {};
}

function finish<Report>(
  start: Network,
  fit: Dataset | FileDataset,
  validation: Dataset | null,
  completed: CompletedTrainOptions,
  plan: Plan<TrainRoute | BatchRoute>,
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
    evidence: result.evidence ?? null,
    validationLoss,
    seconds: result.elapsed,
    uncertainty: null,
    monitor: watched,
    plan,
    engine: engine.kind,
    threads: engine.threads,
    slots: completed.slots,
    ranks: completed.ranks,
    rankRows: rowsOfRank(completed.agreement, completed.slots, fit.sampleCount),
    rankWaits: completed.agreement?.waits ?? null,
    warnings: result.warnings,
    ...describeChoice({ start, fit, validation, completed, plan, engine, light: result.light }),
    advice: adviceAfter({ ...adviceFacts(start, fit, validation, loss, result), floor: result.floor }),
  };
}

// Prepares a training before its first iteration: parts of the data, the start in its units, the scale of a loss that has none, the means of a
// Gaussian likelihood, engines, and the identity of the run. Called by train.ts.
import { checkWritable } from "../atomic-file.js";
import { type BackendOptions, createEngineInTurns } from "../backend/create.js";
import { together } from "../cluster/agreement.js";
import { FileDataset } from "../data/data-file.js";
import { dataWarnings } from "../data/data-warnings.js";
import { type Dataset, splitSteps } from "../data/dataset.js";
import { argumentError } from "../errors.js";
import type { Steps } from "../event-loop-yield.js";
import { type Loss, lossScale, withScale } from "../loss/rules.js";
import type { BatchNeeds } from "../method/batch-method.js";
import type { Network } from "../network/network.js";
import type { TrainRoute } from "../plan/route.js";
import { checkLossTargets } from "../run/loss-targets.js";
import {
  checkTargetsKept,
  engineData,
  fittedPartSteps,
  type StartingPoint,
  startingPoint,
  withWeightSteps,
} from "../run/prepare.js";
import { compareRuns, slotsOfRank, writesFiles } from "../run/ranks.js";
import { checkReachable } from "../run/reachable.js";
import { SampleEngine } from "../run/sample-engine.js";
import { makeBatches } from "./batch-engines.js";
import { type StartedRun, startOnBatches } from "./batch-start.js";
import { readScale, readStart } from "./checkpoint.js";
import { findScale } from "./first-fit.js";
import { lightStart, startsLight } from "./light-start.js";
import { fitMeans } from "./mean-fit.js";
import { comparedOf, identityOf, NO_IDENTITY, type RunIdentity, type RunParts } from "./run-identity.js";
import type { ShortFit } from "./short-fit.js";
import { withStartBias } from "./start-bias.js";
import type { CompletedTrainOptions, TrainOptions } from "./train-options.js";

/** The data of a run. */
interface Parts {
  /** As they were given. */
  readonly whole: Dataset | FileDataset;
  /** The rows that are fitted. */
  readonly fit: Dataset | FileDataset;
  /** The rows that decide when to stop. */
  readonly validation: Dataset | null;
}

export type Begun = Awaited<ReturnType<typeof begin>>;

/**
 * The start of a run in its units, the engines, and what a monitor asks for. A function of its own, so that without a monitor and without
 * batches nothing holds the scaled copy of the inputs once the engine has its own. The passes over the data take turns with the event loop.
 * @throws the signal's reason once it has been aborted
 */
export async function begin(
  network: Network,
  { whole, fit, validation }: Parts,
  completed: CompletedTrainOptions,
  {
    route,
    startThreads,
    distributed,
    ...backend
  }: BackendOptions & {
    readonly route: TrainRoute;
    readonly startThreads: number | null;
    /** Whether the ranks hold the Gram matrix together. */
    readonly distributed: boolean;
  },
  { signal, monitor }: TrainOptions,
  needs: BatchNeeds | null,
) {
  const { agreement, slots } = completed;
  const point = await together(agreement, () => pointOf(network, whole, fit, completed, signal));
  const { start: drawn, scaling, terms } = point;
  const prepared = { ...point.data, slots, ranks: slotsOfRank(agreement, slots, distributed) };
  // The fits that find a scale and the fingerprint are of the network as it was drawn: its start follows from the loss and the data.
  const print = await identify({ network: drawn, data: prepared, validation, completed, needs }, signal);
  const before = { start: drawn, fit, data: prepared, completed, route, backend, signal };
  const fixed = await fixStart(before, await fixLoss(before, print), print);
  const { loss, start } = fixed;
  const data = { ...prepared, loss };
  const held = validation === null ? null : await engineData(start, validation, scaling, signal, loss);
  const constant = await dataWarnings(fit, signal);
  const engine = await together(agreement, () => createEngineInTurns(start.architecture, data, backend, signal));
  try {
    const { stop, seed } = completed;
    const few = { ...backend, threads: startThreads ?? backend.threads };
    const run = { start, engine, data, loss, stop, seed, backend: few, signal };
    const moved = await moveStart(run, completed, print, fixed);
    const { targets, weights = null } = data;
    const sample = monitor === undefined ? null : new SampleEngine(start.architecture, data, backend);
    const validationEngine =
      held && (await together(agreement, () => createEngineInTurns(start.architecture, held, backend, signal)));
    const observed = sample && { sample, targets, weights, terms };
    const batches =
      needs && (await makeBatches(start.architecture, data, engine, needs, completed.seed, backend, signal));
    const warnings = [...constant, ...moved.warnings];
    return { start: moved.start, print, fixed: moved.fixed, engine, validationEngine, observed, warnings, batches };
  } catch (error) {
    engine.dispose();
    throw error;
  }
}

/** The start in the units of the run, with all that is checked of data and network. */
async function pointOf(
  network: Network,
  whole: Dataset | FileDataset,
  fit: Dataset | FileDataset,
  completed: CompletedTrainOptions,
  signal: AbortSignal | undefined,
): Promise<StartingPoint> {
  await checkLossTargets(whole, completed.loss, "data", signal);
  if (typeof completed.validation === "object" && completed.validation !== null)
    await checkLossTargets(completed.validation, completed.loss, "options.validation", signal);
  const point = await startingPoint(network, fit, completed, signal);
  await checkTargetsKept(point);
  checkReachable(point, fit);
  const { checkpoint, agreement } = completed;
  if (checkpoint !== null && writesFiles(agreement)) await checkWritable(checkpoint.path);
  return point;
}

/** The identity of a run for its checkpoints. Ranks compare it, and take that of rank 0, whose data file may have another time of change. */
async function identify(parts: RunParts, signal: AbortSignal | undefined): Promise<RunIdentity> {
  const { checkpoint, resume, agreement } = parts.completed;
  if (checkpoint === null && resume === null && agreement === null) return NO_IDENTITY;
  const own = await together(agreement, () => identityOf(parts, signal));
  if (agreement === null) return own;
  const named = await together(agreement, () => comparedOf(own, parts, signal));
  await compareRuns(agreement, named);
  return JSON.parse(await agreement.byFirst(async () => JSON.stringify(own))) as RunIdentity;
}

/** The start of a run, moved by steps on batches if `batchStart` asks for them. A resumed run has it from the checkpoint. */
async function moveStart(
  run: StartedRun,
  { batchStart, resume, slots, agreement }: CompletedTrainOptions,
  print: RunIdentity,
  fixed: FixedLoss,
): Promise<{ readonly start: Network; readonly fixed: FixedLoss; readonly warnings: readonly string[] }> {
  const { start } = run;
  if (batchStart === null) return { start, fixed, warnings: [] };
  if (resume !== null) {
    const fitted = await readStart({ path: resume, agreement, print, slots }, start.parameterCount);
    return { start: fitted === null ? start : start.withParameters(fitted), fixed, warnings: [] };
  }
  const since = performance.now();
  const { parameters: fitted, warnings } = await startOnBatches(run, batchStart);
  const seconds = fixed.seconds + (performance.now() - since) / 1000;
  return { start: start.withParameters(fitted), fixed: { ...fixed, fitted, seconds }, warnings };
}

/** The loss of a run with all its parameters, and what fits before the run have found. */
interface FixedLoss {
  readonly loss: Loss;
  /** The network to start from. */
  readonly start: Network;
  /** The scale that the run has found for a loss without one; else null. */
  readonly found: number | null;
  /** Whether that fit had little weight decay (light-start.ts). */
  readonly light: boolean;
  /** The parameters of `start` where a fit has found them; else null. */
  readonly fitted: Float64Array | null;
  /** Seconds that these fits have taken. */
  readonly seconds: number;
}

/**
 * A loss without its scale gets that of the checkpoint, or that of a first fit. A Gaussian likelihood starts from a fit of its means,
 * which a resumed run has from the checkpoint too: a monitor measures distances from there.
 */
async function fixLoss(run: ShortFit, print: RunIdentity): Promise<FixedLoss> {
  const { start, completed } = run;
  const { loss, resume, slots, agreement } = completed;
  const file = resume === null ? null : { path: resume, agreement, print, slots };
  const since = performance.now();
  const seconds = () => (resume === null ? (performance.now() - since) / 1000 : 0);
  if (loss.kind === "gaussian-nll") {
    const fitted = file === null ? await fitMeans(run) : await readStart(file, start.parameterCount);
    const from = fitted === null ? start : start.withParameters(fitted);
    return { loss, start: from, found: null, light: false, fitted, seconds: seconds() };
  }
  const scale = lossScale(loss);
  if (scale?.value !== null) return { loss, start, found: null, light: false, fitted: null, seconds: 0 };
  const found = file === null ? await findScale(run, scale) : await readScale(file);
  return { loss: withScale(loss, found), start, found, light: false, fitted: null, seconds: seconds() };
}

/** The start with the output biases that the loss names, and moved by a fit with little weight decay where the rule asks for it. */
async function fixStart(run: ShortFit, fixed: FixedLoss, print: RunIdentity): Promise<FixedLoss> {
  const { completed, fit, data, signal } = run;
  const start = await withStartBias(fixed.start, fit, data, fixed.loss, signal);
  if (!startsLight(run.start, completed)) return { ...fixed, start };
  const since = performance.now();
  const { resume, slots, stop, agreement } = completed;
  // A run of no iterations ends at the network that it was given.
  if (resume === null && stop.iterations === 0) return { ...fixed, start };
  const fitted =
    resume === null
      ? await lightStart({ ...run, start }, fixed.loss, fixed.seconds)
      : await readStart({ path: resume, agreement, print, slots }, start.parameterCount);
  if (fitted === null) return { ...fixed, start };
  const seconds = resume === null ? fixed.seconds + (performance.now() - since) / 1000 : 0;
  return { ...fixed, start: start.withParameters(fitted), light: true, fitted, seconds };
}

/**
 * Training part, of it the rows with a weight, and validation part. Rows that a split column holds out are never trained on, whatever
 * the options say.
 */
export function* cut(
  whole: Dataset | FileDataset,
  { validation, seed }: CompletedTrainOptions,
  asked: TrainOptions["validation"],
): Steps<Omit<Parts, "whole">> {
  if (whole instanceof FileDataset)
    return { fit: whole, validation: typeof validation === "object" ? validation : null };
  if (whole.parts !== null) {
    const parts = yield* splitSteps(whole);
    if (typeof asked === "number" && asked !== 0)
      throw argumentError(
        "options.validation",
        "must not be a fraction: the table's split column names the parts",
        asked,
      );
    const given = typeof validation === "object" ? validation : null;
    return {
      fit: yield* withWeightSteps(parts.train),
      validation: given ?? (asked === false || asked === 0 ? null : parts.validation),
    };
  }
  if (typeof validation !== "number") return { fit: yield* fittedPartSteps(whole), validation };
  const parts = yield* splitSteps(whole, { validation, seed });
  return { fit: yield* withWeightSteps(parts.train), validation: parts.validation };
}

// Turns a network and a data set in raw units into what an engine works on: checks that they fit, chooses the units, scales the data, and
// shifts the targets of a centered network. `train` and `flow` call it at their start, and the monitor's advice before a run.
import type { EngineData } from "../backend/engine.js";
import { sameClasses } from "../data/classes.js";
import { FileDataset } from "../data/data-file.js";
import { Dataset, fittedSteps, selectedSteps, splitSteps } from "../data/dataset.js";
import { type DatasetInput, datasetSteps, type SampleSizes } from "../data/dataset-input.js";
import { identityScaling, type Scaling, scaleSteps, standardizeInTurns } from "../data/scaling.js";
import { argumentError } from "../errors.js";
import { copySteps, finish, finishInTurns, Pace, STEP, type Steps } from "../event-loop-yield.js";
import { isLossKind, type Loss, lossRule } from "../loss/rules.js";
import { targetCount } from "../loss/target-rules.js";
import { rootWeight } from "../loss/weighted.js";
import { predictionSteps } from "../network/forward.js";
import { checkNetwork, type Network } from "../network/network.js";
import { isObject } from "../options.js";
import { listed } from "../suggest.js";
import type { ResidualTerms } from "./observer.js";

/** Standardized inputs; standardized targets too, unless the output activation or the loss ties the predictions to raw units. */
async function unitsOf(
  network: Network,
  fit: Dataset | FileDataset,
  loss: Loss,
  signal: AbortSignal | undefined,
): Promise<Scaling> {
  const standard = await standardizeInTurns(fit, signal);
  const linear = network.architecture.layers.at(-1)?.activation === "identity";
  return linear && lossRule(loss).targets === "real"
    ? standard
    : { ...standard, targets: identityScaling(fit.inputSize, fit.outputSize).targets };
}

/**
 * Inputs, targets and classes of a sample that a run of the network needs.
 * @param options the caller's, which are checked later: without a loss there, the targets are those of the network's predictions
 * @throws GAUSSFLOW_ARGUMENT where the loss needs another number of outputs
 */
export function sampleSizes(network: Network, options: unknown): SampleSizes {
  const { inputSize, outputSize, targetSize, classes } = network;
  const loss = isObject(options) ? options.loss : undefined;
  if (!isObject(loss) || !isLossKind(loss.kind)) return { inputSize, outputSize: targetSize, classes };
  const targets = targetCount(loss as unknown as Loss, outputSize);
  if (!Number.isInteger(targets))
    throw argumentError(
      "network",
      `must have two outputs for each target with ${loss.kind}: use network({ layers: [..., 2] }) for one target`,
      `${outputSize} outputs`,
    );
  return { inputSize, outputSize: targets, classes };
}

/** A data set that fits the network and the loss of the run (`sampleSizes`). @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_DATA */
export function fittingDataset(network: Network, given: Dataset | DatasetInput, options: unknown): Dataset {
  return finish(fittingSteps(network, given, options));
}

/** The same in pieces. */
export function* fittingSteps(network: Network, given: Dataset | DatasetInput, options: unknown): Steps<Dataset> {
  checkNetwork("network", network);
  const sizes = sampleSizes(network, options);
  const set = yield* datasetSteps(given, "data", sizes);
  checkFit(network, sizes, set);
  return set;
}

/** What `train` takes: data files too. */
export function trainingData(
  network: Network,
  given: Dataset | DatasetInput | FileDataset,
  options: unknown,
): Dataset | FileDataset {
  return finish(trainingDataSteps(network, given, options));
}

/** The same in pieces. */
export function* trainingDataSteps(
  network: Network,
  given: Dataset | DatasetInput | FileDataset,
  options: unknown,
): Steps<Dataset | FileDataset> {
  if (!(given instanceof FileDataset)) return yield* fittingSteps(network, given, options);
  checkNetwork("network", network);
  checkFit(network, sampleSizes(network, options), given);
  if (network.center !== null)
    throw argumentError(
      "network",
      "must not be centered for data from a file: its targets stand as they are",
      "centered",
    );
  return given;
}

function checkFit(network: Network, { inputSize, outputSize: targets }: SampleSizes, set: Dataset | FileDataset): void {
  const { classes } = set;
  if (set instanceof Dataset && set.gradients !== null)
    throw argumentError(
      "data",
      "must have no gradients here: train(network, derivativeData(data)) uses them; without them the data are dataset({ inputs, targets })",
      "a data set with gradients",
    );
  if (classes !== null && network.outputSize !== classes.length)
    throw argumentError(
      "network",
      `must have ${classes.length} outputs, one a class of the data (${listed(classes)}): make its last layer data.outputSize`,
      `${network.outputSize} of them`,
    );
  if (classes !== null && network.classes !== null && !sameClasses(classes, network.classes))
    throw argumentError(
      "data",
      `must have the classes of the network in their order (${listed(network.classes)}): read the table with its encoding, or name them by the option classes`,
      listed(classes),
    );
  if (set.inputSize === inputSize && set.outputSize === targets) return;
  const why = targets === network.outputSize ? "" : `, whose ${network.outputSize} outputs are two for each target`;
  throw argumentError(
    "data",
    `must have ${inputSize} inputs and ${targets} targets, as the network${why}`,
    `${set.inputSize} and ${set.outputSize}`,
  );
}

/** The rows that are fitted: those of a split column's training part, and of them those with a weight. */
export function fittedPart(set: Dataset): Dataset {
  return finish(fittedPartSteps(set));
}

/** The same in pieces. */
export function* fittedPartSteps(set: Dataset): Steps<Dataset> {
  return yield* withWeightSteps(set.parts === null ? yield* fittedSteps(set) : (yield* splitSteps(set)).train);
}

/** The rows whose weight is not 0, in pieces: only they are equations. Regime, ranks and degrees of freedom count these. */
export function* withWeightSteps(set: Dataset): Steps<Dataset> {
  const { weights } = set;
  if (weights === null || !weights.includes(0)) return set;
  const rows = new Uint32Array(weights.length);
  let count = 0;
  for (let row = 0; row < rows.length; row++) {
    if (weights[row] !== 0) rows[count++] = row;
    if (row % STEP === STEP - 1) yield;
  }
  return yield* selectedSteps(set, rows.subarray(0, count));
}

/** Where a run starts: the network in its units, the data as the engine gets them, and how large the terms of its residual are. */
export interface StartingPoint {
  readonly start: Network;
  readonly scaling: Scaling | null;
  readonly data: EngineData;
  /** Only a monitor and a centered network ask for them: a pass over the data. */
  readonly terms: () => Promise<ResidualTerms>;
}

/**
 * The passes over the data take turns with the event loop.
 * @throws GAUSSFLOW_FILE where a data file has changed, and the signal's reason once it has been aborted
 */
export async function startingPoint(
  network: Network,
  fit: Dataset | FileDataset,
  { standardize, loss }: { readonly standardize: boolean; readonly loss: Loss },
  signal: AbortSignal | undefined,
): Promise<StartingPoint> {
  const scaling = network.scaling ?? (standardize ? await unitsOf(network, fit, loss, signal) : null);
  const start = predictingNetwork(network, fit, loss).withScaling(scaling);
  if (fit instanceof FileDataset) {
    const { layout, sampleCount, weights, inputSize, outputSize } = fit;
    const none = new Float64Array(0);
    const file = { layout, ...(scaling ?? identityScaling(inputSize, outputSize)) };
    const data = { sampleCount, inputs: none, targets: none, weights: weights ?? undefined, loss, file };
    // Only a shift of the targets needs these lengths, and a monitor: neither goes with a file.
    return { start, scaling, data, terms: () => Promise.resolve({ targets: 0, raw: 0, shift: 0 }) };
  }
  const data = await engineData(start, fit, scaling, signal, loss);
  // The function outlives the scaled inputs.
  const { targets } = data;
  return {
    start,
    scaling,
    data,
    terms: () => finishInTurns(residualTerms(start, fit, scaling, targets), new Pace(signal)),
  };
}

/** The network with what its predictions take from the data and the loss of the run: also of one that ends before it begins. */
export function predictingNetwork(network: Network, { encoding, classes }: Dataset | FileDataset, loss: Loss): Network {
  const { link } = lossRule(loss);
  const predicting = network.withEncoding(encoding ?? network.encoding).withLink(link);
  // The advice before a run (monitor/prepared.ts) takes the columns of classes as numbers.
  return classes === null || link !== "softmax" ? predicting : predicting.withClasses(classes);
}

function* residualTerms(
  start: Network,
  fit: Dataset,
  scaling: Scaling | null,
  shifted: Float64Array,
): Steps<ResidualTerms> {
  const c = fit.outputSize;
  const columns = scaling?.targets;
  let [targets, raw, shift] = [0, 0, 0];
  for (let k = 0; k < shifted.length; k++) {
    const root = rootWeight(fit.weights, k, c);
    const scale = columns?.scale[k % c] ?? 1;
    const value = (fit.targets[k] - (columns?.offset[k % c] ?? 0)) / scale;
    // Sums of squares could overflow.
    targets = Math.hypot(targets, root * value);
    raw = Math.hypot(raw, root * (fit.targets[k] / scale));
    if (start.center !== null) shift = Math.hypot(shift, root * (shifted[k] - value));
    if (k % TERMS_STEP === TERMS_STEP - 1) yield;
  }
  return { targets, raw, shift };
}

/** Terms of a piece: `Math.hypot` takes some 50 ns. */
const TERMS_STEP = STEP / 8;

/** Largest share of |y| that rounding of alpha f(w_0) may take. */
const largestLoss = 1e-3;

/**
 * alpha (f(w) - f(w_0)) is a difference of numbers of size alpha |f(w_0)|, known to eps times that whichever way it is formed: targets
 * below it cannot be distinguished from noise, and their loss would be meaningless.
 * @throws GAUSSFLOW_ARGUMENT naming outputScale
 */
export async function checkTargetsKept({
  start: {
    architecture: { outputScale },
    center,
  },
  terms,
}: StartingPoint): Promise<void> {
  if (center === null) return;
  const { targets, shift } = await terms();
  const lost = Number.EPSILON * shift;
  if (targets === 0 || lost <= largestLoss * targets) return;
  const show = (value: number) => value.toExponential(2);
  throw argumentError(
    "outputScale",
    `must keep the rounding eps * outputScale * |f(w_0)| of a centered network's predictions below ${largestLoss} |y|: it is ${show(lost)} for |f(w_0)| = ${show(shift / outputScale)} and |y| = ${show(targets)} in the units of training, so at most ${show((outputScale * largestLoss * targets) / lost)} will do`,
    outputScale,
  );
}

/**
 * What an engine gets: scaled inputs, and targets with alpha f(w_0) added where the network is centered. Takes turns with the event loop.
 * @throws the signal's reason once it has been aborted
 */
export async function engineData(
  network: Network,
  data: Dataset,
  scaling: Scaling | null,
  signal: AbortSignal | undefined,
  loss?: Loss,
): Promise<EngineData> {
  const pace = new Pace(signal);
  const { architecture, center } = network;
  const inputs = scaling === null ? data.inputs : await finishInTurns(scaleSteps(data.inputs, scaling.inputs), pace);
  const targets = await finishInTurns(
    scaling === null ? copySteps(data.targets) : scaleSteps(data.targets, scaling.targets),
    pace,
  );
  if (center !== null) {
    const shift = await finishInTurns(predictionSteps(architecture, center, inputs), pace);
    for (let k = 0; k < targets.length; k++) {
      targets[k] += shift[k];
      if (k % STEP === STEP - 1) await pace.turn();
    }
  }
  return { sampleCount: data.sampleCount, inputs, targets, weights: data.weights ?? undefined, loss };
}

/** 2 / (sum of weights * targets): from half a sum of squares to their weighted mean. */
export function meanFactor(data: Dataset | FileDataset): number {
  return 2 / (totalWeight(data) * data.outputSize);
}

/**
 * From the sum loss to the weighted mean that is reported: of the squares with squared error, else of the loss, over samples and
 * targets; with softmax, whose outputs make one loss, over samples.
 */
export function lossFactor(data: Dataset | FileDataset, loss: Loss): number {
  const rule = lossRule(loss);
  if (rule.sumOfSquares) return meanFactor(data);
  return 1 / (totalWeight(data) * (rule.factor === "full" ? 1 : data.outputSize));
}

function totalWeight(data: Dataset | FileDataset): number {
  return data.weights === null ? data.sampleCount : data.weights.reduce((sum, weight) => sum + weight, 0);
}

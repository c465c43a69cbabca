// Measures the uncertainty of trained networks (src/uncertainty): at the end of `train` on the engine that is there, and by the public
// `estimateUncertainty` for networks that were trained before, as the best of many runs is. Options are checked here, too.
import { type BackendOptions, createEngineInTurns } from "../backend/create.js";
import { memoryRefusal } from "../backend/memory.js";
import type { NetworkEngine } from "../backend/network-engine.js";
import { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import type { DatasetInput } from "../data/dataset-input.js";
import { argumentError, GaussflowError } from "../errors.js";
import { finishInTurns, Pace } from "../event-loop-yield.js";
import { checkClassLoss, defaultLoss } from "../loss/default-loss.js";
import { checkLoss, type Loss, lossRule } from "../loss/rules.js";
import type { BatchMethod } from "../method/batch-method.js";
import type { Method } from "../method/method.js";
import type { Network } from "../network/network.js";
import { checkBoolean, checkOptionNames, checkSignal } from "../options.js";
import { engineData, fittedPartSteps, fittingSteps } from "../run/prepare.js";
import { measure } from "../uncertainty/measure.js";
import { Uncertainty } from "../uncertainty/uncertainty.js";
import type { TrainResult } from "./train-result.js";

/** The first words of the warning of a training whose uncertainty was requested and could not be measured. */
export const UNMEASURED = "the uncertainty was not measured";

/** Options of `estimateUncertainty`. */
export interface EstimateUncertaintyOptions extends BackendOptions {
  /** The loss of the training, with its weight decay. Default that of `train`: `squaredError()`, for classes `softmaxCrossEntropy({ decay: 2 })`. */
  readonly loss?: Loss | undefined;
  /** Stops the computation; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What a loss would need that says nothing of intervals, or null for those that have them. */
function refusalOf(loss: Loss): string | null {
  switch (loss.kind) {
    case "squared-error":
    case "logistic":
    case "softmax-cross-entropy":
      return null;
    case "gaussian-nll":
      return "gaussianNll predicts the noise of each row itself: use predictDistribution";
    case "poisson":
      return "counts of poisson are no mean with a noise of its own, and have no interval of this kind";
    case "quantile":
      return "a quantile is the end of an interval already: train one network for each end";
    case "huber":
    case "pseudo-huber":
    case "log-cosh":
      return "a robust loss is chosen where the noise is not normal, and intervals of this kind take it to be";
    default:
      return loss satisfies never;
  }
}

/**
 * The option `uncertainty` of `train`, checked against the others.
 * @throws GAUSSFLOW_ARGUMENT with the reason
 */
export function completeUncertainty(
  asked: boolean | undefined,
  data: Dataset | FileDataset,
  { loss, ranks, method }: { readonly loss: Loss; readonly ranks: number; readonly method: Method | BatchMethod },
): boolean {
  const { uncertainty = false } = { uncertainty: asked };
  checkBoolean("options.uncertainty", uncertainty);
  if (!uncertainty) return false;
  const refuse = (why: string) => argumentError("options.uncertainty", `must be left out: ${why}`, true);
  const refusal = refusalOf(loss);
  if (refusal !== null) throw refuse(refusal);
  if (data instanceof FileDataset)
    throw refuse(
      "residuals and leverages are those of rows in memory, and a data file is read block by block; train on a part of the rows with readCsv",
    );
  if (ranks > 1)
    throw refuse(
      `the ${ranks} ranks have parts of the rows: use estimateUncertainty(network, data) in one process afterwards`,
    );
  if (method.name === "ggn-score")
    throw refuse(
      "ggnScore minimizes a regularizer that is no weight decay, and the posterior is that of a weight decay",
    );
  return true;
}

/**
 * How sure a network is that was trained on `data` before: what `train` measures with `uncertainty: true`. All rows of `data` with a weight
 * count as fitted; leave out those that were held out for validation. The network of the result carries it to `saveModel`.
 * @param network at the minimum of its training loss
 * @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_DATA (also where the rows leave no degrees of freedom for the noise), GAUSSFLOW_MEMORY,
 * GAUSSFLOW_NO_NATIVE, and the signal's reason once it has been aborted
 * @example const uncertainty = await estimateUncertainty(best.network, data, { loss: squaredError({ decay: 1e-3 }) });
 */
export async function estimateUncertainty(
  network: Network,
  data: Dataset | DatasetInput,
  options: EstimateUncertaintyOptions = {},
): Promise<Uncertainty> {
  checkOptionNames("options", options, ["loss", "signal", "backend", "threads"]);
  const { signal, backend, threads } = options;
  checkSignal("options.signal", signal);
  const pace = new Pace(signal);
  const set = await finishInTurns(fittingSteps(network, data, options), pace);
  const loss = checkLoss("options.loss", options.loss ?? defaultLoss(set.classes !== null));
  checkClassLoss("options.loss", loss, set.classes);
  const refusal = refusalOf(loss);
  if (refusal !== null) throw argumentError("options.loss", `must have intervals: ${refusal}`, loss.kind);
  const { link } = lossRule(loss);
  if (link !== network.link)
    throw argumentError(
      "options.loss",
      `must be that of the training, whose network has the link "${network.link}"`,
      loss.kind,
    );
  const fit = await finishInTurns(fittedPartSteps(set), pace);
  const rows = await engineData(network, fit, network.scaling, signal, loss);
  const engine = await createEngineInTurns(network.architecture, rows, { backend, threads }, signal);
  try {
    const measured = await measure(engine, network, rows, loss.decay, signal);
    if (!measured.ok) throw new GaussflowError("GAUSSFLOW_DATA", `there is no uncertainty: ${measured.message}`);
    return new Uncertainty(network.withPosterior(measured.posterior), measured.rows, measured.warnings);
  } finally {
    engine.dispose();
  }
}

/** The result of a training with the uncertainty of its network, measured on the engine of its rows; with a warning where there is none. */
export async function withUncertainty<Report>(
  result: TrainResult<Report>,
  engine: NetworkEngine,
  fit: Dataset,
  signal: AbortSignal | undefined,
): Promise<TrainResult<Report>> {
  const { network, lossUsed: loss } = result;
  const missing = (why: string) => ({
    ...result,
    warnings: [...result.warnings, `${UNMEASURED}: ${why}`],
  });
  try {
    signal?.throwIfAborted();
    const rows = await engineData(network, fit, network.scaling, signal, loss);
    const measured = await measure(engine, network, rows, loss.decay, signal);
    if (!measured.ok) return missing(measured.message);
    const carrying = network.withPosterior(measured.posterior);
    const uncertainty = new Uncertainty(carrying, measured.rows, measured.warnings);
    return { ...result, network: carrying, uncertainty, warnings: [...result.warnings, ...measured.warnings] };
  } catch (error) {
    // A training is not lost over what is computed after it.
    if (signal?.aborted) return missing("the run was aborted; estimateUncertainty(network, data) does it");
    const refused = memoryRefusal(error);
    if (refused === null) throw error;
    return missing(`${refused}; estimateUncertainty(network, data) does it elsewhere`);
  }
}

// Prepares a network and its data in the units that a run would have; `checkAssumptions` and `recommendOutputScale` call it first.
import type { Backend, BackendOptions } from "../backend/create.js";
import type { EngineData } from "../backend/engine.js";
import type { Dataset } from "../data/dataset.js";
import type { DatasetInput } from "../data/dataset-input.js";
import { squaredError } from "../loss/squared-error.js";
import type { Network } from "../network/network.js";
import { checkBoolean, checkOptionNames, checkSignal } from "../options.js";
import { fittedPart, fittingDataset, startingPoint } from "../run/prepare.js";

/** Options of the checks before a run. */
export interface AdviceOptions {
  /** In standardized units, as in `train` and `flow`. Default true. */
  readonly standardize?: boolean | undefined;
  /** Engine that computes. Default: GAUSSFLOW_BACKEND, else "auto". */
  readonly backend?: Backend | undefined;
  /** Threads that compute. Default: GAUSSFLOW_THREADS, else all processors. */
  readonly threads?: number | undefined;
  /** Ends the check, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * @param outputScale in the place of the network's own
 * @throws GAUSSFLOW_ARGUMENT naming the option, the rule and the value; GAUSSFLOW_DATA
 */
export async function prepareAdvice(
  network: Network,
  given: Dataset | DatasetInput,
  options: AdviceOptions,
  outputScale?: number,
): Promise<{ readonly start: Network; readonly data: EngineData; readonly backend: BackendOptions }> {
  checkOptionNames("options", options, ["standardize", "backend", "threads", "signal"]);
  const { standardize = true, signal } = options;
  checkBoolean("options.standardize", standardize);
  checkSignal("options.signal", signal);
  const loss = squaredError();
  const set = fittingDataset(network, given, { loss });
  const fit = fittedPart(set);
  const scaled = outputScale === undefined ? network : network.withOutputScale(outputScale);
  const { start, data } = await startingPoint(scaled, fit, { standardize, loss }, signal);
  return { start, data, backend: { backend: options.backend, threads: options.threads } };
}

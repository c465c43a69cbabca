// A network and its data at the start of a run, in the units the run would have: what advice about them is computed on.
import type { Backend } from "../backend/create.js";
import type { EngineData } from "../backend/engine.js";
import type { Dataset, DatasetInput } from "../data/dataset.js";
import { checkBoolean } from "../method/options.js";
import type { Network } from "../network/network.js";
import { checkOptionNames } from "../network/option-names.js";
import { fittedPart, fittingDataset, startingPoint } from "../train/prepare.js";

export interface AdviceOptions {
  /** In standardised units, as in `train` and `flow`. Default true. */
  readonly standardise?: boolean | undefined;
  readonly backend?: Backend | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws GAUSSFLOW_ARGUMENT naming the option, the rule and the value; GAUSSFLOW_DATA */
export function prepareAdvice(
  what: string,
  network: Network,
  given: Dataset | DatasetInput,
  options: AdviceOptions,
): { readonly start: Network; readonly data: EngineData } {
  checkOptionNames(what, options, ["standardise", "backend", "threads", "signal"]);
  const { standardise = true } = options;
  checkBoolean(`${what}.standardise`, standardise);
  const set = fittingDataset(network, given);
  const fit = fittedPart(set);
  const { start, data } = startingPoint(network, fit, standardise);
  return { start, data };
}

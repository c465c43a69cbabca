// Turns counts over unequal times, areas or populations into the rates and weights that a training with `poisson` takes. Users call
// `withExposure`. A count y with exposure E has the mean E exp psi, and its Poisson loss is E times that of the rate y/E (loss/poisson.ts):
//
//   E exp psi - y psi = E (exp psi - (y/E) psi)
import { argumentError } from "../errors.js";
import { type NumberArray, numbersOf } from "../options.js";
import { Dataset } from "./dataset.js";
import { asDataset, type DatasetInput } from "./dataset-input.js";

/**
 * The data with counts as rates: targets are divided by the exposure of their sample, and its weight is multiplied by it. A network trained
 * on them with `poisson` predicts means per unit of exposure; times an exposure they are the means of counts.
 *
 * @example train(net, withExposure({ inputs, targets: claims }, years), { loss: poisson() })
 * @param data whose targets are counts; weights that it has stand beside the exposure
 * @param exposure n numbers above 0, one a sample, such as the years in which its events were counted
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for another number of exposures, for one that is not above 0, so small that a rate overflows or
 * so large that a weight does, and for data that were read with a column of exposures.
 */
export function withExposure(data: Dataset | DatasetInput, exposure: NumberArray): Dataset {
  const set = asDataset(data, "data", null);
  const column = set.encoding?.exposure;
  if (column !== undefined)
    throw argumentError(
      "data",
      `must have counts as targets: these are rates already, by the exposure in column ${JSON.stringify(column)}; use the data as they are, or read the table without the option exposure`,
      data,
    );
  if (set.gradients !== null) throw argumentError("data", "must have no gradients, which counts have not", data);
  const { sampleCount: n, outputSize: c } = set;
  const shares = numbersOf("exposure", exposure);
  if (shares.length !== n) throw argumentError("exposure", `must be ${n} numbers, one a sample`, exposure);
  const bad = shares.findIndex((one) => !(one > 0));
  if (bad >= 0) throw argumentError(`exposure[${bad}]`, "must be above 0", shares[bad]);
  const targets = set.targets.map((count, k) => count / shares[Math.floor(k / c)]!);
  const large = targets.findIndex((rate) => !Number.isFinite(rate));
  if (large >= 0) {
    const row = Math.floor(large / c);
    throw argumentError(`exposure[${row}]`, `must leave the rate ${set.targets[large]} / exposure finite`, shares[row]);
  }
  const weights = shares.map((one, i) => one * (set.weights?.[i] ?? 1));
  const heavy = weights.findIndex((weight) => !Number.isFinite(weight));
  if (heavy >= 0)
    throw argumentError(
      `exposure[${heavy}]`,
      `must leave the weight ${set.weights?.[heavy] ?? 1} x exposure finite`,
      shares[heavy],
    );
  return new Dataset({ ...set.fields(), targets, weights });
}

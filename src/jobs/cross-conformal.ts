// The public `crossConformal`: conformal intervals from the folds of a cross-validation, by CV+ (Barber, Candes, Ramdas, Tibshirani 2021,
// Annals of Statistics 49:486). Every row's error is that of the network that had not seen it, so that no rows are given up for it.
//
//   upper end: the ceil((n + 1) level)-th smallest of  f_k(i)(x) + r_i  over all rows i,  f_k(i) the network of the fold that held i out,
//   r_i the size of its error there; the lower end is the mirror image
//
// Without any assumption but that rows are exchangeable the share inside is at least 2 level - 1; for networks that change little from fold to
// fold it is level (uncertainty/conformal.ts has the intervals of a split, whose share is level whatever the network).
import { chooseBackend, chooseThreads } from "../backend/create.js";
import { Dataset } from "../data/dataset.js";
import { argumentError, GaussflowError } from "../errors.js";
import { checkOptionNames, checkSignal, isObject } from "../options.js";
import { Conformal, type ConformalOptions, errorsOf } from "../uncertainty/conformal.js";
import type { CrossValidationResult } from "./cross-validate.js";

/**
 * Conformal intervals from a cross-validation. Predictions are the mean over the folds' networks.
 * @param validated what `crossValidate` resolved with, of a job whose targets are numbers
 * @throws GAUSSFLOW_ARGUMENT for networks of probabilities, GAUSSFLOW_DATA where a fold has no network or errors that are not finite, and what `predictAsync` throws
 * @example
 * const intervals = await crossConformal(await crossValidate({ network, data }, { folds: 10 }));
 * const { mean, lower, upper } = await intervals.predict(rows, { intervals: 0.9 });
 */
export async function crossConformal(
  validated: CrossValidationResult,
  options: Omit<ConformalOptions, "intervals"> = {},
): Promise<Conformal> {
  if (!isObject(validated) || !Array.isArray(validated.folds))
    throw argumentError("validated", "must be what crossValidate resolved with", validated);
  checkOptionNames("options", options, ["signal", "backend", "threads"]);
  checkSignal("options.signal", options.signal);
  const { backend, threads, signal } = options;
  const run = { backend: chooseBackend(backend), threads: chooseThreads(threads), signal };
  const models = [];
  const errors = [];
  for (const [k, one] of (validated as CrossValidationResult).folds.entries()) {
    if (!isObject(one) || !isObject(one.fold) || !(one.fold.held instanceof Dataset))
      throw argumentError(`validated.folds[${k}]`, "must be that of what crossValidate resolved with", one);
    const { fold, best } = one;
    const model = best?.result?.network;
    if (model === undefined)
      throw new GaussflowError(
        "GAUSSFLOW_DATA",
        `fold ${fold.index + 1} has no network, so that the errors of its rows are not known: see its job's error in validated.many.results`,
      );
    models.push(model);
    errors.push(await errorsOf({ model, held: fold.held }, run));
  }
  return new Conformal("cross", models, errors, []);
}

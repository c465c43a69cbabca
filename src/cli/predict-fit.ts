// Makes the columns that gaussflow predict writes for a fitted formula. predict.ts calls it.
import type { Dataset } from "../data/dataset.js";
import { type FittedFormula, predictFormula } from "../fit/fitted-formula.js";

/** The names and values of the columns; the note says what the interval is of where that is not a new observation. */
export interface FitColumns {
  readonly names: readonly string[];
  /** One array of n numbers a column. */
  readonly columns: readonly Float64Array[];
  readonly note: string | null;
}

/** @param level probability of the intervals; undefined: predictions alone */
export async function fitColumns(fit: FittedFormula, data: Dataset, level: number | undefined): Promise<FitColumns> {
  const { inputs, inputSize, sampleCount, featureNames } = data;
  const variables = fit.variables.map(({ column }) => {
    const at = featureNames.indexOf(column);
    return Float64Array.from({ length: sampleCount }, (_, i) => inputs[i * inputSize + at]!);
  });
  const { target } = fit;
  const prediction = await predictFormula(fit, variables, level ?? 0.95);
  if (level === undefined) return { names: [target], columns: [prediction.values], note: null };
  const { lower, upper } = prediction.observation ?? prediction;
  return {
    names: [target, `${target} standard error`, `${target} lower`, `${target} upper`],
    columns: [prediction.values, prediction.standardErrors, lower, upper],
    note:
      prediction.observation === null
        ? "the intervals are those of the curve: the noise of a new observation is not known"
        : null,
  };
}

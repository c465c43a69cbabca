// The columns of gaussflow predict --intervals P --conformal HELD.csv: intervals from the errors on a table that the model has not seen, whatever
// the distribution of the noise. predict.ts calls it.
import type { Dataset } from "../data/dataset.js";
import type { Ensemble } from "../network/ensemble.js";
import type { Network } from "../network/network.js";
import { conformal } from "../uncertainty/conformal.js";
import { UsageError } from "./exit.js";
import { type Terminal, warn } from "./terminal.js";

/** The flags of conformal intervals. */
export interface ConformalFlags {
  readonly intervals?: number;
  readonly conformal?: string;
}

/** Groups of columns, n rows of as many columns as there are targets in each. */
type Columns = readonly { readonly names: readonly string[]; readonly values: Float64Array }[];

/** @throws UsageError for flags and models that have no such intervals, and for columns that are not written beside them */
export function checkConformal(
  { link }: Network,
  { intervals, spread, averaged }: ConformalFlags & { readonly spread?: true; readonly averaged?: true },
  exposure: string | undefined,
  file: string,
): void {
  if (intervals === undefined)
    throw new UsageError(
      "--conformal is about intervals: give the share of new observations too, such as --intervals 0.9",
    );
  const other = spread ? "--spread" : averaged ? "--averaged" : null;
  if (other !== null)
    throw new UsageError(
      `--conformal writes predictions and their intervals alone: leave ${other} out, or --conformal`,
    );
  if (link === "logistic" || link === "softmax")
    throw new UsageError(`--conformal is about numbers, and ${file} predicts probabilities: leave it out`);
  if (exposure !== undefined)
    throw new UsageError(
      `--conformal is about observations of one size, and ${file} predicts rates by the exposure in column ${JSON.stringify(exposure)}: leave it out`,
    );
}

/** @param held rows with their targets that the model has not seen */
export async function conformalColumns(
  model: Network | Ensemble,
  held: Dataset,
  inputs: Float64Array,
  targets: readonly string[],
  { intervals }: ConformalFlags,
  terminal: Terminal,
): Promise<Columns> {
  const found = await conformal(model, held);
  for (const warning of found.warnings) warn(terminal, warning);
  const { mean, lower, upper } = await found.predict(inputs, { intervals });
  const named = (what: string) => targets.map((name) => `${name} ${what}`);
  return [
    { names: targets, values: mean },
    { names: named("lower"), values: lower },
    { names: named("upper"), values: upper },
  ];
}

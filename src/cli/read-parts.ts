// Reads the data of the commands train (train-setup.ts) and plan: a table, divided into training, validation and test rows, or a data file,
// which is trained on whole.
import { type FileDataset, isDataFile, openDataFileAsync } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import { readTable } from "../data/read-csv.js";
import { DEFAULT_VALIDATION, LEAST_FOR_VALIDATION } from "../train/train-options.js";
import { UsageError } from "./exit.js";
import { csvOptions, givenTableFlags, ON_COMMAND_LINE, type TableFlags } from "./table-options.js";

/** Share of the rows that are held out to the end. */
export const DEFAULT_TEST = 0.15;

/** The flags that determine how a table is read and divided, and those that need it in memory. */
export interface PartFlags extends TableFlags {
  readonly validation?: number;
  readonly test?: number;
  readonly seed: number;
  readonly crossValidate?: number;
  /** Folds of a learning curve. */
  readonly learningCurve?: number;
  /** false where parts and folds are drawn without regard to the classes. */
  readonly stratify?: boolean;
  readonly restarts?: number;
  readonly monitor?: true;
}

export interface Parts {
  /** All rows but those of the test part: what a cross-validation or a learning curve cuts into folds. */
  readonly pool: Dataset | FileDataset;
  /** The parts without one for validation, whose rows are trained on: what a search for sizes and decay uses; null if none is made. */
  readonly merged: { readonly fit: Dataset; readonly test: Dataset | null } | null;
  readonly fit: Dataset | FileDataset;
  readonly validation: Dataset | null;
  readonly test: Dataset | null;
}

/**
 * The table, or the data file, in parts.
 * @param search a search for sizes and decay is to be made
 * @throws UsageError for flags that do not go with it
 */
export async function readParts(
  file: string,
  flags: PartFlags,
  tell: (note: string) => void,
  search = false,
): Promise<Parts> {
  if (file !== "-" && isDataFile(file)) return wholeFile(file, flags, tell);
  const data = await readTable(file, csvOptions(flags), ON_COMMAND_LINE);
  for (const note of data.notes) tell(note);
  const { seed, crossValidate = flags.learningCurve } = flags;
  const stratify = stratifyOf(flags);
  if (stratify === false && data.classes === null)
    throw new UsageError("--no-stratify is about classes, and the target is a number: leave it out");
  if (data.parts !== null) {
    if (flags.validation !== undefined || flags.test !== undefined)
      throw new UsageError("--split-column already names the parts: leave --validation and --test out");
    const { train: fit, validation, test } = data.split();
    return { pool: fit, merged: search ? { fit, test } : null, fit, validation, test };
  }
  // Tiny tables are trained on whole: a validation part of a handful of rows says nothing.
  const tiny = data.sampleCount < LEAST_FOR_VALIDATION;
  const { validation = tiny ? 0 : DEFAULT_VALIDATION, test = tiny || crossValidate !== undefined ? 0 : DEFAULT_TEST } =
    flags;
  if (crossValidate === undefined) {
    const { train: fit, ...parts } = data.split({ validation, test, seed, stratify });
    // The same rows are held out for the test, whatever else is drawn.
    const whole = search ? data.split({ test, seed, stratify }) : null;
    return { pool: fit, merged: whole && { fit: whole.train, test: whole.test }, fit, ...parts };
  }
  const { train: pool, test: apart } = data.split({ test, seed, stratify });
  const { train: fit, validation: held } = pool.split({ validation, seed, stratify });
  return { pool, merged: search ? { fit: pool, test: apart } : null, fit, validation: held, test: apart };
}

/** The option of splits and folds: false, or undefined for their default. */
export function stratifyOf({ stratify }: Pick<PartFlags, "stratify">): false | undefined {
  return stratify === false ? false : undefined;
}

/** A file has no rows in memory to draw parts from. Flags are looked at first: opening reads it from end to end. */
async function wholeFile(file: string, flags: PartFlags, tell: (note: string) => void): Promise<Parts> {
  const [first] = givenTableFlags(flags);
  if (first !== undefined)
    throw new UsageError(`${first} says how a table is read, and ${file} is a data file: gaussflow convert settles it`);
  for (const name of ["validation", "test"] as const)
    if ((flags[name] ?? 0) !== 0)
      throw new UsageError(
        `--${name} must be 0 or left out for a data file, which is trained on whole: received ${flags[name]}; keep those rows in a table of their own, and judge the model with gaussflow evaluate`,
      );
  for (const [name, value] of [
    ["restarts", flags.restarts],
    ["cross-validate", flags.crossValidate],
    ["learning-curve", flags.learningCurve],
    ["monitor", flags.monitor],
    ["no-stratify", stratifyOf(flags)],
  ] as const)
    if (value !== undefined)
      throw new UsageError(
        `--${name} wants the data in memory, and ${file} is a data file: give it the table instead, or leave --${name} out`,
      );
  const fit = await openDataFileAsync(file);
  tell("a data file is trained on whole: no rows are held out for validation or test");
  return { pool: fit, merged: null, fit, validation: null, test: null };
}

// The options that say how a table is read, shared by the commands that read one for training.
import { type Command, Option } from "commander";
import type { CsvOptions } from "../data/read-csv.js";
import { delimiter, list } from "./parse.js";

/** The argument of the commands that read a table for training. */
export const TRAINED_ON = 'table to train on, or data file of gaussflow convert; "-" is a table on standard input';

/** As commander collects them. */
export interface TableFlags {
  readonly target?: readonly string[];
  readonly ignore?: readonly string[];
  readonly categorical?: readonly string[];
  readonly weights?: string;
  readonly splitColumn?: string;
  readonly missing?: "error" | "drop" | "mean";
  readonly delimiter?: string;
  readonly decimalComma?: true;
  readonly header: boolean;
}

/**
 * Adds the options to a command.
 * @param rowByRow those that need all rows at once are not shown: the command says why it refuses them
 */
export function addTableOptions(command: Command, rowByRow = false): Command {
  const missing = rowByRow ? "refuse them, leave them out" : "refuse them, leave them out, fill inputs with the mean";
  const needsAll = (flags: string, description: string) => new Option(flags, description).hideHelp(rowByRow);
  return command
    .option(
      "--target <columns>",
      "what to predict: one column or several, separated by commas (default: the last)",
      list,
    )
    .option("--ignore <columns>", "columns to leave out", list)
    .addOption(
      needsAll("--categorical <columns>", "columns of numbers to be read as categories").argParser<readonly string[]>(
        list,
      ),
    )
    .option("--weights <column>", "column of sample weights")
    .addOption(needsAll("--split-column <column>", "column that says train, validation or test"))
    .addOption(
      new Option("--missing <rule>", `rows with missing values: ${missing}`)
        .choices(rowByRow ? ["error", "drop"] : ["error", "drop", "mean"])
        .default("error"),
    )
    .option("--delimiter <character>", "default: found by looking", delimiter)
    .option("--decimal-comma", "numbers are written 1,5")
    .option("--no-header", "the first row is data; columns are called column 1, column 2, ...");
}

/** The reader's options. */
export function csvOptions(flags: TableFlags): CsvOptions {
  return {
    target: flags.target,
    ignore: flags.ignore,
    categorical: flags.categorical,
    weights: flags.weights,
    split: flags.splitColumn,
    missing: flags.missing,
    delimiter: flags.delimiter,
    decimal: flags.decimalComma ? "," : undefined,
    header: flags.header ? undefined : false,
  };
}

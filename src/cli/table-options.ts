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

/** Adds the options to a command. */
export function addTableOptions(command: Command): Command {
  return command
    .option(
      "--target <columns>",
      "what to predict: one column or several, separated by commas (default: the last)",
      list,
    )
    .option("--ignore <columns>", "columns to leave out", list)
    .option("--categorical <columns>", "columns of numbers to be read as categories", list)
    .option("--weights <column>", "column of sample weights")
    .option("--split-column <column>", "column that says train, validation or test")
    .addOption(
      new Option("--missing <rule>", "rows with missing values: refuse them, leave them out, fill inputs with the mean")
        .choices(["error", "drop", "mean"])
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

// Adds the flags that describe a table: its layout, for predict and evaluate, and also the roles of its columns, for train, plan and
// convert. Each flag corresponds to an option of readCsv; csvOptions and layoutOptions make these options from the flags, and messages
// about the table name the flags.
import { type Command, InvalidArgumentError, Option } from "commander";
import { TASKS, type Task } from "../data/classes.js";
import type { HintValue, Wording } from "../data/csv-wording.js";
import type { CsvOptions } from "../data/read-csv.js";
import { UsageError } from "./exit.js";
import { delimiter, integer, list, texts } from "./parse.js";
import { quotedWord } from "./shell-word.js";

/** The argument of the commands that read a table for training. */
export const TRAINED_ON =
  'table to train on, or data file written by gaussflow convert; "-" reads a table from standard input';

/** How the text of a table is laid out, as commander collects it. */
export interface LayoutFlags {
  readonly ignore?: readonly string[];
  /** A boolean is the old --no-header. */
  readonly header?: "yes" | "no" | boolean;
  readonly unitsRow?: true;
  readonly skip?: number;
  readonly comment?: string;
  readonly delimiter?: string;
  readonly decimalComma?: true;
  readonly thousands?: string;
  readonly charset?: "utf8" | "latin1";
  readonly missing?: "error" | "drop" | "mean";
  readonly missingValues?: readonly string[];
  readonly dates?: readonly string[];
  readonly memoryLimit?: number;
}

/** The same and what the columns are for. */
export interface TableFlags extends LayoutFlags {
  readonly target?: readonly string[];
  readonly task?: Task;
  readonly classes?: readonly string[];
  readonly categorical?: readonly string[];
  readonly numeric?: readonly string[];
  readonly maxCategories?: number;
  readonly weights?: string;
  readonly exposure?: string;
  readonly splitColumn?: string;
  readonly group?: string;
  readonly order?: string;
  readonly inOrder?: true;
}

/** Flag of each option of the reader. */
const FLAGS = {
  target: "--target",
  task: "--task",
  classes: "--classes",
  ignore: "--ignore",
  categorical: "--categorical",
  numeric: "--numeric",
  weights: "--weights",
  exposure: "--exposure",
  split: "--split-column",
  group: "--group",
  order: "--order",
  dates: "--dates",
  header: "--header",
  unitsRow: "--units-row",
  skip: "--skip",
  comment: "--comment",
  delimiter: "--delimiter",
  decimal: "--decimal-comma",
  thousands: "--thousands",
  missing: "--missing",
  missingValues: "--missing-values",
  maxCategories: "--max-categories",
  charset: "--charset",
  memoryLimit: "--memory-limit",
  unseen: "--unseen",
} as const satisfies Partial<Record<keyof CsvOptions, string>>;

function flagOf(option: string): string {
  const name = option.replace(/\[.*$/, "");
  return (FLAGS as Readonly<Record<string, string>>)[name] ?? name;
}

/** How messages about a table name the options on the command line. */
export const ON_COMMAND_LINE: Wording = {
  name: flagOf,
  hint: (option: keyof CsvOptions, value: HintValue) => {
    const flag = flagOf(option);
    if (option === "decimal" || option === "unitsRow") return flag;
    if (typeof value === "boolean") return `${flag} ${value ? "yes" : "no"}`;
    const text = typeof value === "string" ? value : value.map((one) => one.replaceAll(",", "\\,")).join(",");
    return `${flag} ${quotedWord(text)}`;
  },
  convert: "gaussflow convert",
};

/**
 * Adds the options of the layout to a command.
 * `rowByRow`: missing values cannot be filled in; `fallback`: the rule for them by default.
 */
export function addLayoutOptions(command: Command, { rowByRow = false, fallback = "error" } = {}): Command {
  const missing = rowByRow
    ? "refuse the table (error) or leave the rows out (drop)"
    : "refuse the table (error), leave the rows out (drop), or fill inputs with the mean";
  return command
    .option("--ignore <columns>", 'columns to leave out, by name or place ("column 3")', list)
    .addOption(
      new Option("--missing <rule>", `treatment of rows with missing values: ${missing} (default ${fallback})`).choices(
        rowByRow ? ["error", "drop"] : ["error", "drop", "mean"],
      ),
    )
    .option(
      "--missing-values <texts>",
      "texts that mark a missing value, in place of NA, NaN, null, None, ?, -, #N/A and the like",
      texts,
    )
    .option("--dates <columns>", "columns of dates such as 2024-05-17, read as days since 1970-01-01", list)
    .addOption(
      new Option("--header <answer>", "whether the first row is a header (default: detected, with a note)").choices([
        "yes",
        "no",
      ]),
    )
    .addOption(new Option("--no-header").hideHelp())
    .option("--units-row", "leave out the row below the header, which holds units")
    .option("--skip <lines>", "number of lines to leave out at the beginning", integer(0))
    .option("--comment <sign>", 'leave out lines that begin with this sign, such as "#"')
    .option(
      "--delimiter <character>",
      "separator of the columns; space means any run of blanks (default: detected)",
      delimiter,
    )
    .option("--decimal-comma", "read 1,5 as one and a half")
    .option(
      "--thousands <sign>",
      "sign between the thousands of a number, as in 1,234.5 or 1.234,5; space for 1 234",
      thousands,
    )
    .addOption(new Option("--charset <name>", "character set of the text (default utf8)").choices(["utf8", "latin1"]));
}

/**
 * Adds all options to a command.
 * @param rowByRow those that need all rows at once are not shown: the command says why it refuses them
 */
export function addTableOptions(command: Command, rowByRow = false): Command {
  const needsAll = (flags: string, description: string) => new Option(flags, description).hideHelp(rowByRow);
  command
    .option("--target <columns>", "columns to predict, separated by commas (default: the last column)", list)
    .addOption(
      new Option(
        "--task <task>",
        "what the target is: numbers (regression) or classes (classification); auto makes classes of texts and booleans (default auto)",
      ).choices(TASKS),
    )
    .option(
      "--classes <names>",
      "classes of the target, separated by commas, in the order of the outputs (default: those in the table, sorted)",
      texts,
    )
    .addOption(
      needsAll("--categorical <columns>", "columns of numbers to read as categories").argParser<readonly string[]>(
        list,
      ),
    )
    .option("--numeric <columns>", "columns that must be numbers; a text in them is an error", list)
    .addOption(
      needsAll("--max-categories <count>", "largest number of categories in a column (default 50)").argParser<number>(
        integer(1),
      ),
    )
    .option("--weights <column>", "column of sample weights")
    .option(
      "--exposure <column>",
      "column of the time, area or population over which the counts of the target were taken (--loss poisson)",
    )
    .addOption(needsAll("--split-column <column>", "column that assigns each row to train, validation or test"))
    .addOption(needsAll("--group <column>", "column whose equal values keep rows together in every split and fold"))
    .addOption(
      needsAll(
        "--order <column>",
        "column of times or numbers by which rows are held out: the last ones, none at random",
      ),
    )
    .addOption(needsAll("--in-order", "hold out the last rows, none at random: the rows are in order"));
  return addLayoutOptions(command, { rowByRow });
}

const SIGNS = new Map([
  ["space", " "],
  ["comma", ","],
  ["point", "."],
  ["apostrophe", "'"],
]);

function thousands(text: string): string {
  const sign = SIGNS.get(text) ?? text;
  if (![",", ".", "'", " "].includes(sign)) throw new InvalidArgumentError('It must be "," "." "\'" or space.');
  return sign;
}

/** The reader's options for the layout. @throws UsageError for the old --no-header */
export function layoutOptions(flags: LayoutFlags): CsvOptions {
  if (flags.header === false) throw new UsageError("--no-header is written --header no");
  return {
    ignore: flags.ignore,
    missing: flags.missing,
    missingValues: flags.missingValues,
    dates: flags.dates,
    header: flags.header === "yes" ? true : flags.header === "no" ? false : undefined,
    unitsRow: flags.unitsRow,
    skip: flags.skip,
    comment: flags.comment,
    delimiter: flags.delimiter,
    decimal: flags.decimalComma ? "," : undefined,
    thousands: flags.thousands,
    charset: flags.charset,
    memoryLimit: flags.memoryLimit,
  };
}

/** All options of the reader. @throws UsageError */
export function csvOptions(flags: TableFlags): CsvOptions {
  if (flags.order !== undefined && flags.inOrder)
    throw new UsageError(
      "--order names the column to order by, --in-order takes the rows as they are: give one of them",
    );
  return {
    ...layoutOptions(flags),
    target: flags.target,
    task: flags.task,
    classes: flags.classes,
    categorical: flags.categorical,
    numeric: flags.numeric,
    maxCategories: flags.maxCategories,
    weights: flags.weights,
    exposure: flags.exposure,
    split: flags.splitColumn,
    group: flags.group,
    order: flags.inOrder ? true : flags.order,
  };
}

/** Flags that say how a table is read, of those that were given. */
export function givenTableFlags(flags: TableFlags): string[] {
  const { memoryLimit: _, ...options } = csvOptions(flags);
  return Object.entries(options).flatMap(([option, value]) => {
    if (value === undefined) return [];
    return option === "order" && flags.inOrder ? ["--in-order"] : [flagOf(option)];
  });
}

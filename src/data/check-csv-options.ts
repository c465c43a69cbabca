// Checks the options of `readCsv` and `convertCsv`, which call it before the file is opened, and returns them completed as a CsvPlan:
// misspelled names, wrong types and options that contradict each other are refused by name.
import { argumentError, GaussflowError } from "../errors.js";
import { defaultMemoryLimit } from "../memory-limit.js";
import { checkMemoryLimit } from "../options.js";
import { suggestion } from "../suggest.js";
import { checkClasses, classText, TASKS, type Task } from "./classes.js";
import { DEFAULT_MISSING_VALUES } from "./csv-number.js";
import type { Charset, ColumnReference, CsvOptions } from "./csv-options.js";
import { IN_CODE, type Wording } from "./csv-wording.js";
import type { MissingRule, TableEncoding } from "./encoding.js";
import { encodingFromJson } from "./encoding-json.js";

/** CsvOptions with defaults in place; null = not given. */
export interface CsvPlan {
  readonly target: readonly ColumnReference[] | null;
  readonly task: Task;
  /** The only classes of the target, or null for those in the table. */
  readonly classes: readonly string[] | null;
  /** Columns to leave out. */
  readonly ignore: readonly ColumnReference[];
  readonly categorical: readonly ColumnReference[];
  readonly numeric: readonly ColumnReference[];
  readonly weights: ColumnReference | null;
  readonly exposure: ColumnReference | null;
  /** Derivatives of the targets by the inputs, target after target; empty for none. */
  readonly gradient: readonly ColumnReference[];
  readonly split: ColumnReference | null;
  readonly group: ColumnReference | null;
  /** Null also where the rows are in order. */
  readonly order: ColumnReference | null;
  readonly rowsInOrder: boolean;
  readonly dates: readonly ColumnReference[];
  readonly header: boolean | null;
  readonly unitsRow: boolean;
  readonly skip: number;
  readonly comment: string | null;
  readonly delimiter: string | null;
  readonly decimal: "." | ",";
  readonly thousands: string | null;
  readonly missing: MissingRule;
  readonly missingValues: readonly string[];
  /** Those that the options name, for hints: a hint adds to them. */
  readonly givenMissing: readonly string[];
  readonly maxCategories: number;
  readonly charset: Charset;
  readonly maxRecordLength: number;
  readonly memoryLimit: number;
  readonly encoding: TableEncoding | null;
  readonly targets: "auto" | "require" | "ignore";
  readonly unseen: "error" | "zeros";
  readonly wording: Wording;
  /** Chooses the columns once their names are known, in place of `target`, `ignore` and `numeric`; null where the options do. */
  readonly choose: ChooseColumns | null;
}

/** Chooses columns by name; those that the option `ignore` leaves out have the name "". */
export type ChooseColumns = (names: readonly string[]) => ChosenColumns;

/** Columns by place. */
export interface ChosenColumns {
  readonly target: readonly number[];
  /** All that are not used. */
  readonly ignore: readonly number[];
  readonly numeric: readonly number[];
}

const NAMES = [
  "target",
  "task",
  "classes",
  "ignore",
  "categorical",
  "numeric",
  "weights",
  "exposure",
  "gradient",
  "split",
  "group",
  "order",
  "dates",
  "header",
  "unitsRow",
  "skip",
  "comment",
  "delimiter",
  "decimal",
  "thousands",
  "missing",
  "missingValues",
  "maxCategories",
  "charset",
  "maxRecordLength",
  "memoryLimit",
  "encoding",
  "targets",
  "unseen",
] as const satisfies readonly (keyof CsvOptions)[];

/** The checks of single values; `name` is what their errors call the option. */
class Checks {
  readonly #wording: Wording;

  constructor(wording: Wording) {
    this.#wording = wording;
  }

  error(option: string, rule: string, value: unknown): GaussflowError {
    return argumentError(this.#wording.name(option), rule, value);
  }

  reference(option: string, value: unknown): ColumnReference {
    if ((typeof value === "string" && value !== "") || (typeof value === "number" && Number.isInteger(value)))
      return typeof value === "string" ? value.trim() : value;
    throw this.error(option, "must be a column's name or its place (an integer)", value);
  }

  optional(option: string, value: unknown): ColumnReference | null {
    return value === undefined ? null : this.reference(option, value);
  }

  references(option: string, value: unknown): ColumnReference[] {
    if (value === undefined) return [];
    if (!Array.isArray(value)) return [this.reference(option, value)];
    return value.map((one, i) => this.reference(`${option}[${i}]`, one));
  }

  choice<T>(option: string, value: unknown, allowed: readonly T[], fallback: T): T {
    if (value === undefined) return fallback;
    if (!allowed.includes(value as T))
      throw this.error(option, `must be ${allowed.map((one) => JSON.stringify(one)).join(" or ")}`, value);
    return value as T;
  }

  count(option: string, value: unknown, fallback: number, least = 1): number {
    if (value === undefined) return fallback;
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least)
      throw this.error(option, least === 0 ? "must be an integer of at least 0" : "must be a positive integer", value);
    return value;
  }

  delimiter(value: unknown): string | null {
    if (value === undefined) return null;
    if (typeof value !== "string" || !/^[^"\r\n\p{L}\p{N}.+-]$/u.test(value))
      throw this.error("delimiter", "must be one character, not a quote, letter, digit or part of a number", value);
    return value;
  }

  comment(value: unknown): string | null {
    if (value === undefined) return null;
    if (typeof value !== "string" || !/^[^"\s\p{L}\p{N}.+-]{1,8}$/u.test(value))
      throw this.error(
        "comment",
        "must be one to eight signs, without quotes, blanks, letters, digits or parts of a number",
        value,
      );
    return value;
  }

  thousands(value: unknown, decimal: string): string | null {
    if (value === undefined || value === null) return null;
    const thousands = this.choice("thousands", value, [",", ".", "'", " "], " ");
    if (thousands === decimal) throw this.error("thousands", "must differ from the decimal sign", value);
    return thousands;
  }

  texts(option: string, value: unknown): readonly string[] | null {
    if (value === undefined) return null;
    if (!Array.isArray(value) || !value.every((one) => typeof one === "string"))
      throw this.error(option, "must be a list of texts", value);
    return value as readonly string[];
  }
}

/** The task and its classes. @throws GAUSSFLOW_ARGUMENT where they contradict each other or the targets */
function checkTask(options: CsvOptions, targets: number, check: Checks, { name }: Wording) {
  const task = check.choice("task", options.task, TASKS, "auto");
  const { classes: given } = options;
  const classes =
    given === undefined
      ? null
      : checkClasses(name("classes"), Array.isArray(given) ? given.map((one: unknown) => className(one)) : given);
  if (classes !== null && task === "regression")
    throw check.error("classes", `must be left out where ${name("task")} is a regression`, given);
  if (targets > 1 && (task === "classification" || classes !== null))
    throw check.error("target", "must be one column for a classification: train a network for each", options.target);
  return { task: classes === null ? task : "classification", classes } as const;
}

function className(one: unknown): unknown {
  return typeof one === "string" ? classText(one.trim()) : one;
}

/** Options that say what the columns of a training table are for: an encoding says it for a table that is predicted. */
const SETTLED = [
  "target",
  "task",
  "classes",
  "categorical",
  "numeric",
  "maxCategories",
  "weights",
  "exposure",
  "gradient",
  "group",
  "order",
] as const;

function checkNames(options: CsvOptions, wording: Wording): void {
  if (options === null || typeof options !== "object" || Array.isArray(options))
    throw argumentError("options", "must be an object", options);
  for (const name of Object.keys(options))
    if (!(NAMES as readonly string[]).includes(name))
      throw argumentError(`options.${name}`, `is no option of readCsv; ${suggestion(name, NAMES)}`, name);
  const refuse = (name: keyof CsvOptions, rule: string) => {
    if (options[name] !== undefined) throw argumentError(wording.name(name), rule, options[name]);
  };
  if (options.encoding !== undefined)
    for (const name of SETTLED) refuse(name, "must not be given together with an encoding, which settles it");
  else for (const name of ["targets", "unseen"] as const) refuse(name, "needs an encoding");
  if (options.classes !== undefined || options.task === "classification") {
    refuse("exposure", "must not be given for a target of classes: it divides counts");
    refuse("gradient", "must not be given for a target of classes");
  }
  if (options.exposure !== undefined) refuse("gradient", "must not be given together with an exposure");
  if (options.group !== undefined) refuse("order", "must not be given together with a group, which it may contradict");
  if (options.split !== undefined)
    for (const name of ["group", "order"] as const)
      refuse(name, "must not be given together with a split column, which names the parts");
  if (options.header === false && options.unitsRow === true)
    refuse("unitsRow", "needs a header, below which the row of units stands");
}

/** @throws GAUSSFLOW_ARGUMENT naming the option, the rule and the value */
export function checkOptions(options: CsvOptions, wording: Wording = IN_CODE): CsvPlan {
  checkNames(options, wording);
  const check = new Checks(wording);
  const encoding =
    options.encoding === undefined
      ? null
      : encodingFromJson(
          options.encoding,
          (rule) => new GaussflowError("GAUSSFLOW_ARGUMENT", `options.${rule}`, { argument: "options.encoding", rule }),
        );
  const target = check.references("target", options.target);
  if (options.target !== undefined && target.length === 0)
    throw check.error("target", "must name at least one column", options.target);
  const decimal = check.choice("decimal", options.decimal, [".", ","] as const, encoding?.decimal ?? ".");
  const missingValues = check.texts("missingValues", options.missingValues);
  const header = check.choice<boolean | null>("header", options.header, [true, false], null);
  const unitsRow = check.choice("unitsRow", options.unitsRow, [true, false], false);
  const { memoryLimit = defaultMemoryLimit() } = options;
  checkMemoryLimit(wording.name("memoryLimit"), memoryLimit);
  return {
    target: options.target === undefined ? null : target,
    ...checkTask(options, target.length, check, wording),
    ignore: check.references("ignore", options.ignore),
    categorical: check.references("categorical", options.categorical),
    numeric: check.references("numeric", options.numeric),
    weights: check.optional("weights", options.weights),
    exposure: check.optional("exposure", options.exposure),
    gradient: check.references("gradient", options.gradient),
    split: check.optional("split", options.split),
    group: check.optional("group", options.group),
    order: options.order === true ? null : check.optional("order", options.order),
    rowsInOrder: options.order === true,
    dates: options.dates === undefined ? (encoding?.dates ?? []) : check.references("dates", options.dates),
    header: unitsRow ? true : (header ?? encoding?.header ?? null),
    unitsRow,
    skip: check.count("skip", options.skip, 0, 0),
    comment: check.comment(options.comment),
    delimiter: check.delimiter(options.delimiter),
    decimal,
    thousands: check.thousands(options.thousands ?? encoding?.thousands, decimal),
    missing: check.choice("missing", options.missing, ["error", "drop", "mean"] as const, encoding?.missing ?? "error"),
    missingValues: missingValues ?? encoding?.missingValues ?? DEFAULT_MISSING_VALUES,
    givenMissing: missingValues ?? [],
    maxCategories: check.count("maxCategories", options.maxCategories, 50),
    charset: check.choice("charset", options.charset, ["utf8", "latin1"] as const, "utf8"),
    maxRecordLength: check.count("maxRecordLength", options.maxRecordLength, 4_000_000),
    memoryLimit,
    encoding,
    targets: check.choice("targets", options.targets, ["auto", "require", "ignore"] as const, "auto"),
    unseen: check.choice("unseen", options.unseen, ["error", "zeros"] as const, "error"),
    wording,
    choose: null,
  };
}

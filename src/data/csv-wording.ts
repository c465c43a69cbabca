// Names the reader's options in messages: as in code, or as flags if the command line reads the table (cli/table-options.ts passes its own
// Wording), because a remedy must exist where the message is read. check-csv-options.ts and the other csv-*.ts files take the names from
// it.
import type { NumberFormat } from "./csv-number.js";
import type { CsvOptions } from "./csv-options.js";

/** The value of an option in a message. */
export type HintValue = string | boolean | readonly string[];

export interface Wording {
  /** Name of the option in the error about its value. */
  name(option: string): string;
  /** The option with a value, ready to be typed. */
  hint(option: keyof CsvOptions, value: HintValue): string;
  /** Name of the function or command that turns a table into a data file. */
  readonly convert: string;
}

/** Options that are numbers. */
const COUNTS: readonly string[] = ["skip", "maxCategories"];

/** The wording of the library. */
export const IN_CODE: Wording = {
  name: (option) => `options.${option}`,
  hint: (option, value) => `${option}: ${COUNTS.includes(option) ? value : JSON.stringify(value)}`,
  convert: "convertCsv",
};

/** A hint to leave comments out, for a line that looks like one; else "". */
export function commentHint(line: string, { hint }: Wording): string {
  const sign = /^\s*(#|%|\/\/)/.exec(line)?.[1];
  return sign === undefined ? "" : `; ${hint("comment", sign)} leaves lines out that begin with ${sign}`;
}

/** A hint to leave lines above the header out. */
export function skipHint({ hint }: Wording): string {
  return `; ${hint("skip", "1")} leaves a line above the header out`;
}

/**
 * What reads a text that is surely a number, written otherwise than the table's numbers are said to be: 1,5 or 1,234.5 or 1 234. Null for
 * any other text.
 */
export function formatHint(text: string, { decimal }: NumberFormat, { hint }: Wording): string | null {
  const grouped =
    /^[+-]?\d{1,3}(?:([.,'\u2019 \u00a0\u2009\u202f])\d{3})(?:\1\d{3})*(?:([.,])\d+)?(?:e[+-]?\d+)?$/i.exec(text);
  const [, separator, point] = grouped ?? [];
  const thousands =
    separator === undefined ? "" : /\s/.test(separator) ? " " : separator === "\u2019" ? "'" : separator;
  if (/^[+-]?\d+,\d+(e[+-]?\d+)?$/i.test(text) && decimal === ".") {
    const asDecimal = `if it is the decimal sign, set ${hint("decimal", ",")}`;
    const either = grouped === null ? "" : `, if it separates thousands, ${hint("thousands", ",")}`;
    return `a comma stands within the number: ${asDecimal}${either}`;
  }
  if (grouped !== null && thousands !== decimal && (point === undefined || point === decimal))
    return `thousands are separated: set ${hint("thousands", thousands)}`;
  if (grouped !== null && point !== undefined && point !== separator && point !== decimal) {
    const asDecimal = point === "," ? `set ${hint("decimal", ",")}` : `leave ${hint("decimal", ",")} out`;
    return `the number is written with another decimal sign: ${asDecimal}, and set ${hint("thousands", thousands)}`;
  }
  if (decimal === "," && /^[+-]?\d*\.\d+(e[+-]?\d+)?$/i.test(text))
    return `a point stands within the number, and the decimal sign is said to be the comma: leave ${hint("decimal", ",")} out`;
  if (/^[+-]?\d+(,\d+)+(\.\d+)?$/.test(text))
    return "commas stand within the number, and not between groups of three digits";
  return null;
}

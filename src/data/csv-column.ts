// Reads one used column of a table for csv-rows.ts: turns each cell into a number. If the kind of the column is not given, its first value
// decides: a number makes it numeric, a text categorical. A text among numbers is refused, never read as a category. csv-rows.ts makes one
// ColumnReader for each column and calls it for every row.
import { listed } from "../suggest.js";
import { classText } from "./classes.js";
import type { Cells } from "./csv-cells.js";
import {
  losesDigits,
  type MissingTexts,
  type NumberFormat,
  parseBoolean,
  parseDate,
  parseNumber,
  signedNumber,
} from "./csv-number.js";
import { formatHint, type Wording } from "./csv-wording.js";

/** Classes of a target that need no `maxCategories`: each one is an output of the network. */
const MOST_CLASSES = 1000;

export type ColumnKind = "undecided" | "numeric" | "categorical";

export interface ColumnRules {
  readonly format: NumberFormat;
  readonly missing: MissingTexts;
  /** The texts of missing values given in the options, for hints. */
  readonly givenMissing: readonly string[];
  /** A missing value is stored as NaN; else it is refused. */
  readonly allowMissing: boolean;
  readonly maxCategories: number;
  /** A target that may be one of classes: its texts, true and false among them, are names of classes. */
  readonly classes: boolean;
  /** A text that is none of the given categories is stored as -1 (all zeros) instead of being refused. */
  readonly unseenAsZeros: boolean;
  /** Texts are compared in lower case. */
  readonly lowerCase: boolean;
  /** Makes the message about a text that is none of the given categories, which it lists. */
  readonly refusal: (categories: string) => string;
  /** Hint: how to read rows with missing values. */
  readonly missingHint: string;
  /** Hint: how to read a column of texts, NAME being its name; null if it must be numbers. */
  readonly textHint: string | null;
  /** Dates are read as days since 1970-01-01. */
  readonly dates: boolean;
  readonly wording: Wording;
}

/** Throws the error with file, line and column. */
export type Complain = (column: string, line: number, message: string, value: string) => never;

export class ColumnReader {
  readonly name: string;
  kind: ColumnKind;
  /** Place in the file, from 0. */
  readonly index: number;
  /** Categories in order of appearance; a category's code is its position. */
  readonly texts: string[] = [];
  readonly #rules: ColumnRules;
  readonly #complain: Complain;
  /** True if the kind was given by an option or an encoding. */
  readonly #told: boolean;
  /** The only categories, or null for any. */
  readonly #only: readonly string[] | null;
  /** Created only for a column with texts, because a table may have a million columns. */
  #codes: Map<string, number> | null = null;
  /** Numbers may be read without their text. */
  #plain: boolean;
  /** The first value; a later one of another sort is refused, and both are named. */
  #first: { readonly text: string; readonly line: number } | null = null;
  /** Percent or currency sign of all values; "" = none, null = no value yet. */
  #sign: string | null = null;
  unseenCount = 0;
  missingCount = 0;
  #booleans = false;
  #lostDigits: string | null = null;

  constructor(
    place: { readonly name: string; readonly index: number; readonly kind: ColumnKind },
    only: readonly string[] | null,
    rules: ColumnRules,
    complain: Complain,
  ) {
    this.name = place.name;
    this.index = place.index;
    this.kind = place.kind;
    this.#told = place.kind !== "undecided";
    this.#only = only;
    this.#rules = rules;
    this.#complain = complain;
    this.#plain = !rules.missing.hasNumbers && !rules.dates;
    for (const category of only ?? []) this.#add(category);
  }

  #add(text: string): number {
    this.#codes ??= new Map();
    const code = this.texts.length;
    this.texts.push(text);
    this.#codes.set(text, code);
    return code;
  }

  /** The number of a cell: its value, the code of its category, or NaN where it is missing. */
  read(cells: Cells, line: number): number {
    if (this.kind === "numeric" && this.#plain) {
      const value = cells.number(this.index);
      if (!Number.isNaN(value)) {
        if (this.#sign === null) this.#sign = "";
        return value;
      }
    }
    const text = cells.text(this.index);
    const { lowerCase, classes } = this.#rules;
    return this.#readText(lowerCase ? text.toLowerCase() : classes ? classText(text) : text, line);
  }

  #readText(text: string, line: number): number {
    if (this.kind === "categorical") return this.#code(text, line);
    const { missing } = this.#rules;
    if (missing.hasNumbers && missing.has(text)) return this.#missing(text, line);
    const value = this.#number(text, line);
    if (Number.isNaN(value)) {
      if (missing.has(text)) return this.#missing(text, line);
      return this.#strange(text, line);
    }
    this.kind = "numeric";
    this.#first ??= { text, line };
    return value;
  }

  /** The number that a text denotes by the rules of this column, or NaN. */
  #number(text: string, line: number): number {
    const { format, dates, classes } = this.#rules;
    let value = parseNumber(text, format);
    let sign = "";
    if (Number.isNaN(value) && dates) value = parseDate(text);
    if (Number.isNaN(value) && !classes) {
      value = parseBoolean(text);
      if (!Number.isNaN(value)) this.#booleans = true;
    }
    if (Number.isNaN(value)) {
      const signed = signedNumber(text);
      if (signed === null) return value;
      sign = signed.sign;
      value = parseNumber(signed.number, format);
      if (Number.isNaN(value)) return value;
    }
    if (!Number.isFinite(value)) this.#fail(line, "the value is infinite, or too large for a number", text);
    if (this.#sign !== null && this.#sign !== sign) this.#mixedSigns(text, sign, line);
    this.#sign = sign;
    if (sign !== "") this.#plain = false;
    if (losesDigits(text, value)) this.#lostDigits ??= text;
    return value;
  }

  #mixedSigns(text: string, sign: string, line: number): never {
    const written = (one: string) => (one === "" ? "no sign" : `the sign ${one}`);
    return this.#fail(
      line,
      `the number has ${written(sign)}, and those before it have ${written(this.#sign ?? "")}: write all of them in one way`,
      text,
    );
  }

  /** A text that is no number, in a column that is numeric or undecided. */
  #strange(text: string, line: number): number {
    const { format, wording, dates, classes } = this.#rules;
    const hint = formatHint(text, format, wording) ?? formatHint(signedNumber(text)?.number ?? "", format, wording);
    if (hint !== null) return this.#fail(line, hint, text);
    const isDate = !dates && !Number.isNaN(parseDate(text));
    // Days are a better target than as many classes as there are days.
    if (this.kind === "undecided" && !(classes && isDate)) {
      this.kind = "categorical";
      this.#first = { text, line };
      return this.#code(text, line);
    }
    if (isDate) return this.#fail(line, `is a date: ${wording.hint("dates", [this.name])} reads dates as days`, text);
    const other = this.#first;
    const where = this.#told || other === null ? "is not a number" : `is not a number, as in line ${other.line}`;
    return this.#fail(line, `${where}; ${this.#remedies(text)}`, text);
  }

  #remedies(text: string): string {
    const { wording, givenMissing, textHint } = this.#rules;
    const missing = `if it stands for a missing value, set ${wording.hint("missingValues", [...givenMissing, text.slice(0, 40)])}`;
    if (textHint === null) return missing;
    return `${missing}; if the column holds texts, ${textHint.replace("NAME", () => this.name)}`;
  }

  #code(text: string, line: number): number {
    const known = this.#codes?.get(text);
    if (known !== undefined) return known;
    const { missing, classes, unseenAsZeros, refusal, wording } = this.#rules;
    const maxCategories = classes ? Math.max(MOST_CLASSES, this.#rules.maxCategories) : this.#rules.maxCategories;
    if (missing.has(text)) return this.#missing(text, line);
    if (this.#only !== null) {
      if (!unseenAsZeros) this.#fail(line, refusal(listed(this.#only)), text);
      this.unseenCount++;
      return -1;
    }
    if (!this.#told && this.texts.length > 0) this.#checkText(text, line);
    if (this.texts.length === maxCategories) {
      const more = wording.hint("maxCategories", String(2 * maxCategories));
      this.#fail(
        line,
        classes
          ? `the target has more than ${maxCategories} classes; if that is right, raise their number (${more})`
          : `the column has more than ${maxCategories} categories; ignore it, or raise their number (${more})`,
        text,
      );
    }
    return this.#add(text);
  }

  /** A number among texts: the first text is the stray one, or the column holds categories. */
  #checkText(text: string, line: number): void {
    const { format } = this.#rules;
    const signed = signedNumber(text);
    if (Number.isNaN(parseNumber(text, format)) && Number.isNaN(parseNumber(signed?.number ?? "", format))) return;
    const { text: first, line: firstLine } = this.#first!;
    const shown = JSON.stringify(text.slice(0, 40));
    this.#fail(firstLine, `is not a number, and line ${line} has one (${shown}); ${this.#remedies(first)}`, first);
  }

  #missing(text: string, line: number): number {
    this.missingCount++;
    if (this.#rules.allowMissing) return Number.NaN;
    const { wording, missingHint } = this.#rules;
    const because =
      text === ""
        ? ""
        : ` (${JSON.stringify(text)} stands for one unless ${wording.name("missingValues")} says otherwise)`;
    return this.#fail(line, `the value is missing${because}; ${missingHint}`, text);
  }

  #fail(line: number, message: string, text: string): never {
    return this.#complain(this.name, line, message, text);
  }

  /** Settles the kind once all rows are read: a column without any value counts as numeric. */
  decide(): void {
    if (this.kind === "undecided") this.kind = "numeric";
  }

  /** What was decided while reading, in sentences. */
  notes(): string[] {
    const column = `column ${JSON.stringify(this.name)}`;
    const notes: string[] = [];
    const sign = this.#sign ?? "";
    if (sign === "%") notes.push(`${column}: the sign % is left out, so that 12% is read as 12`);
    else if (sign !== "") notes.push(`${column}: the currency sign ${sign} is left out`);
    if (this.#booleans) notes.push(`${column}: true and false are read as 1 and 0`);
    if (this.#lostDigits !== null)
      notes.push(
        `${column}: integers beyond 2^53 lose digits (${this.#lostDigits.slice(0, 40)} is read as ${BigInt(Number(this.#lostDigits))}); ignore the column if it is an identifier`,
      );
    if (this.unseenCount > 0) notes.push(`${column}: ${this.unseenCount} values are categories not seen in training`);
    return notes;
  }
}

// One used column of a table while it is read: a growing array of numbers, eight bytes a row whatever the column holds.
// A column whose kind is not told begins undecided, each value a position in a small dictionary of the texts seen so far. It
// turns numeric when the dictionary overflows and all its texts are numbers; it is categorical when one of them is not.

import { listed } from "../suggest.js";
import { hasComma, type MissingTexts, parseNumber } from "./csv-number.js";

/** Numbers in chunks, so that growing copies nothing. */
class GrowingArray {
  static readonly chunk = 8192;
  readonly #chunks: Float64Array[] = [];
  length = 0;

  push(value: number): void {
    const place = this.length % GrowingArray.chunk;
    if (place === 0) this.#chunks.push(new Float64Array(GrowingArray.chunk));
    this.#chunks[this.#chunks.length - 1]![place] = value;
    this.length++;
  }

  get(i: number): number {
    return this.#chunks[Math.floor(i / GrowingArray.chunk)]![i % GrowingArray.chunk]!;
  }

  set(i: number, value: number): void {
    this.#chunks[Math.floor(i / GrowingArray.chunk)]![i % GrowingArray.chunk] = value;
  }
}

/** Called with what is wrong and the text it is about; adds file, line and column and throws. */
export type Fail = (message: string, value: string) => never;

export type ColumnKind = "undecided" | "numeric" | "categorical";

export interface ColumnRules {
  readonly decimal: "." | ",";
  readonly missing: MissingTexts;
  /** What a missing value is met with: refused here, or stored as NaN. */
  readonly allowMissing: boolean;
  readonly maxCategories: number;
  /** The only categories (of a stored encoding); null = whatever comes. */
  readonly categories: readonly string[] | null;
  /** A text that is none of `categories` is stored as -1 (all zeros) instead of being refused. */
  readonly unseenAsZeros: boolean;
  /** What is wrong with a text that is none of `categories`, which are listed for it. */
  readonly refusal: (categories: string) => string;
}

export class ColumnReader {
  readonly name: string;
  readonly values = new GrowingArray();
  kind: ColumnKind;
  /** Texts in order of appearance; a category's code is its position. */
  readonly texts: string[] = [];
  readonly #numbers: number[] = [];
  readonly #codes = new Map<string, number>();
  readonly #rules: ColumnRules;
  #firstText: string | null = null;
  unseenCount = 0;

  constructor(name: string, kind: ColumnKind, rules: ColumnRules) {
    this.name = name;
    this.kind = kind;
    this.#rules = rules;
    for (const category of rules.categories ?? []) this.#add(category, Number.NaN);
  }

  #add(text: string, value: number): number {
    const code = this.texts.length;
    this.texts.push(text);
    this.#numbers.push(value);
    this.#codes.set(text, code);
    return code;
  }

  /** Reads one cell and stores a number: its value, the code of its category, or NaN where it is missing. */
  read(cell: string, fail: Fail): void {
    const text = cell.trim();
    this.values.push(this.kind === "numeric" ? this.#number(text, fail) : this.#code(text, fail));
  }

  #number(text: string, fail: Fail): number {
    const { decimal, missing } = this.#rules;
    if (missing.hasNumbers && missing.has(text)) return this.#missing(text, fail);
    const value = parseNumber(text, decimal);
    if (Number.isFinite(value)) return value;
    if (missing.has(text)) return this.#missing(text, fail);
    if (!Number.isNaN(value)) return fail("the value is infinite, or too large for a number", text);
    if (decimal === "." && hasComma(text))
      return fail('a comma stands within a number; if it is the decimal sign, set decimal: ","', text);
    return fail("is not a number", text);
  }

  #code(text: string, fail: Fail): number {
    const known = this.#codes.get(text);
    if (known !== undefined) return known;
    const { decimal, missing, categories, maxCategories, unseenAsZeros, refusal } = this.#rules;
    if (missing.has(text)) return this.#missing(text, fail);
    if (categories !== null) {
      if (!unseenAsZeros) fail(refusal(listed(categories)), text);
      this.unseenCount++;
      return -1;
    }
    const value = parseNumber(text, decimal);
    if (this.kind === "undecided") {
      if (value === Infinity || value === -Infinity) fail("the value is infinite, or too large for a number", text);
      if (Number.isNaN(value)) {
        if (decimal === "." && hasComma(text))
          fail('a comma stands within a number; if it is the decimal sign, set decimal: ","', text);
        this.#firstText ??= text;
      }
      if (this.texts.length === maxCategories && this.#firstText === null) {
        this.#becomeNumeric();
        return value;
      }
    }
    if (this.texts.length === maxCategories) {
      const because =
        this.#firstText === null ? "" : `, and ${JSON.stringify(this.#firstText.slice(0, 40))} is no number`;
      fail(`the column has more than ${maxCategories} categories${because}; ignore it, or raise maxCategories`, text);
    }
    return this.#add(text, value);
  }

  #missing(text: string, fail: Fail): number {
    if (!this.#rules.allowMissing)
      fail('the value is missing; missing: "drop" leaves such rows out, missing: "mean" fills them in', text);
    return Number.NaN;
  }

  #becomeNumeric(): void {
    for (let i = 0; i < this.values.length; i++) {
      const code = this.values.get(i);
      if (!Number.isNaN(code)) this.values.set(i, this.#numbers[code]!);
    }
    this.kind = "numeric";
  }

  /** Was a value missing in any row? */
  hasMissing(): boolean {
    for (let i = 0; i < this.values.length; i++) if (Number.isNaN(this.values.get(i))) return true;
    return false;
  }

  /** Settles the kind of an undecided column once all rows are read. */
  decide(): void {
    if (this.kind !== "undecided") return;
    if (this.#firstText === null) this.#becomeNumeric();
    else this.kind = "categorical";
  }
}

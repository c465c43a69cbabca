// Which texts of a table are numbers, and which stand for a missing value. Stricter than Number(): no hexadecimal, no empty
// text, and an infinity is told apart from a text that is no number.

/** Texts that stand for a missing value unless the options say otherwise; compared without regard to case. */
export const DEFAULT_MISSING_VALUES: readonly string[] = ["", "NA", "N/A", "NaN", "null", "?"];

const INFINITE = /^[+-]?(inf|infinity|∞|1\.#inf)$/i;

/** The number that a trimmed text denotes: NaN when it denotes none, infinite when it says so or overflows. */
export function parseNumber(text: string, decimal: "." | ","): number {
  if (decimal === ",") {
    // A point would be a thousands separator here: refuse it, for a guess could be off by a factor of a thousand.
    if (text.includes(".")) return INFINITE.test(text) ? Infinity : Number.NaN;
    text = text.replace(",", ".");
  }
  const value = +text;
  if (Number.isNaN(value)) return INFINITE.test(text) ? Infinity : value;
  if (text.length === 0) return Number.NaN;
  if (text.length > 1) {
    // 0x1f, 0b1, 0o7 are numbers to JavaScript, not to a table. The letter stands second.
    const second = text.charCodeAt(1) | 32;
    if (second === 120 || second === 98 || second === 111) return Number.NaN;
  }
  return value;
}

/** A text such as 1,5 or 1,234 in a table whose decimal sign is the point: surely a number, but which? */
export function hasComma(text: string): boolean {
  return /^[+-]?\d+(,\d+)+(\.\d+)?(e[+-]?\d+)?$/i.test(text);
}

/** Recognises the texts of missing values quickly: most cells are numbers and never looked up. */
export class MissingTexts {
  readonly #texts: ReadonlySet<string>;
  /** True when a text that is a number (such as -999) stands for a missing value, so that every cell must be looked up. */
  readonly hasNumbers: boolean;

  constructor(values: readonly string[], decimal: "." | ",") {
    this.#texts = new Set(["", ...values.map((value) => value.trim().toLowerCase())]);
    this.hasNumbers = values.some((value) => !Number.isNaN(parseNumber(value.trim(), decimal)));
  }

  has(text: string): boolean {
    return this.#texts.has(text) || this.#texts.has(text.toLowerCase());
  }
}

// Decides which texts of a table are numbers, booleans or dates, and which stand for a missing value. csv-column.ts calls it for every text
// cell, and csv-header.ts for the first rows. It is stricter than Number(): no hexadecimal, no empty text, and infinities are distinguished
// from texts that are no number.

/** Texts that stand for a missing value unless the options say otherwise; compared without regard to case. */
export const DEFAULT_MISSING_VALUES: readonly string[] = [
  "",
  "?",
  "-",
  ".",
  "NA",
  "N/A",
  "<NA>",
  "#NA",
  "#N/A",
  "#N/A N/A",
  "NaN",
  "-NaN",
  "null",
  "None",
  "1.#QNAN",
  "-1.#QNAN",
  "1.#IND",
  "-1.#IND",
  "#DIV/0!",
  "#NUM!",
  "#VALUE!",
  "#REF!",
  "#NAME?",
  "#NULL!",
];

const INFINITE = /^[+-]?(inf|infinity|∞|1\.#inf)$/i;

/** How the numbers of a table are written. */
export interface NumberFormat {
  readonly decimal: "." | ",";
  /** The sign between groups of three digits, or null. */
  readonly thousands: string | null;
}

/** The number that a trimmed text denotes: NaN when it denotes none, infinite when it says so or overflows. */
export function parseNumber(text: string, { decimal, thousands }: NumberFormat): number {
  if (thousands !== null && !/^[+-]?\d*$/.test(text)) text = withoutThousands(text, decimal, thousands);
  if (decimal === ",") {
    // A point would be a thousands separator here: refuse it, for a guess could be off by a factor of a thousand.
    if (text.includes(".")) return INFINITE.test(text) ? Infinity : Number.NaN;
    text = text.replace(",", ".");
  }
  const value = +text;
  if (Number.isNaN(value)) return INFINITE.test(text) ? Infinity : value;
  if (text.length === 0) return Number.NaN;
  if (text.length > 1) {
    // 0x1f, 0b1, 0o7 are numbers in JavaScript, not in a table. Their second character is a letter.
    const second = text.charCodeAt(1) | 32;
    if (second === 120 || second === 98 || second === 111) return Number.NaN;
  }
  return value;
}

/** The text without its separators where they stand between groups of three digits; any other text as it is. */
function withoutThousands(text: string, decimal: "." | ",", thousands: string): string {
  // Programs write a space and an apostrophe in several ways.
  const sign = thousands === " " ? "[ \\u00a0\\u2009\\u202f]" : thousands === "'" ? "['\\u2019]" : `\\${thousands}`;
  const grouped = new RegExp(`^[+-]?\\d{1,3}(?:${sign}\\d{3})+(?:\\${decimal}\\d*)?(?:e[+-]?\\d+)?$`, "i");
  return grouped.test(text) ? text.replace(new RegExp(sign, "g"), "") : text;
}

/** An integer whose digits a double does not hold: 12345678901234567107 becomes 12345678901234567000. */
export function losesDigits(text: string, value: number): boolean {
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER || !/^[+-]?\d+$/.test(text)) return false;
  return BigInt(text.replace("+", "")) !== BigInt(value);
}

/** A number with a percent or currency sign: the sign, and the number's own text. Null for any other text. */
export function signedNumber(text: string): { readonly sign: string; readonly number: string } | null {
  const found =
    /^(?<minus>[+-]?)\s*(?<sign>\p{Sc})\s*(?<number>[+-]?[\d.,].*)$/u.exec(text) ??
    /^(?<minus>)(?<number>[+-]?[\d.,].*?)\s*(?<sign>%|\p{Sc})$/u.exec(text);
  if (found === null) return null;
  const { minus = "", sign = "", number = "" } = found.groups ?? {};
  return { sign, number: minus + number };
}

/** 1 for true, 0 for false, NaN for any other text. */
export function parseBoolean(text: string): number {
  if (/^true$/i.test(text)) return 1;
  return /^false$/i.test(text) ? 0 : Number.NaN;
}

const DATE =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:\s*(Z|[+-]\d{2}:?\d{2}))?)?$/i;

const DAY = 86_400_000;

/** Days since 1970-01-01, UTC, of an ISO 8601 date with or without a time (UTC where it names no zone); NaN for any other text. */
export function parseDate(text: string): number {
  const found = DATE.exec(text);
  if (found === null) return Number.NaN;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0));
  const time = Date.UTC(year!, month! - 1, day!, hour, minute, second);
  const read = new Date(time);
  const same = read.getUTCMonth() === month! - 1 && read.getUTCDate() === day! && hour! < 24 && minute! < 60;
  if (!same || second! >= 60) return Number.NaN;
  const zone = found[8] ?? "Z";
  const east = zone.startsWith("-") ? -1 : 1;
  const minutes = /z/i.test(zone) ? 0 : east * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2)));
  return (time + Number(`0.${found[7] ?? 0}`) * 1000 - minutes * 60_000) / DAY;
}

/** Recognizes the texts of missing values quickly: most cells are numbers and never looked up. */
export class MissingTexts {
  readonly #texts: ReadonlySet<string>;
  /** True when a text that is a number (such as -999) stands for a missing value, so that every cell must be looked up. */
  readonly hasNumbers: boolean;

  constructor(values: readonly string[], format: NumberFormat) {
    this.#texts = new Set(["", ...values.map((value) => value.trim().toLowerCase())]);
    this.hasNumbers = values.some((value) => !Number.isNaN(parseNumber(value.trim(), format)));
  }

  has(text: string): boolean {
    return this.#texts.has(text) || this.#texts.has(text.toLowerCase());
  }
}

// Parses the values of flags; the commands pass these functions to commander. Each returns a whole value or throws an error with the name
// of the option and the value. They are stricter than Number(), because a typo would otherwise train another network.
import { InvalidArgumentError } from "commander";

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** True for the text of a finite decimal number. */
export function isDecimal(text: string): boolean {
  return DECIMAL.test(text) && Number.isFinite(Number(text));
}

function decimal(text: string, rule: string): number {
  if (!isDecimal(text)) throw new InvalidArgumentError(`It must be ${rule}.`);
  return Number(text);
}

/** An integer from `least` on. */
export function integer(least: number): (text: string) => number {
  const rule = `an integer of at least ${least}`;
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value) || value < least) throw new InvalidArgumentError(`It must be ${rule}.`);
    return value;
  };
}

/** A directory's path; an empty one would be a mistake of a script. */
export function directory(text: string): string {
  if (text === "" || text.includes("\0")) throw new InvalidArgumentError('It must be a directory; "." is this one.');
  return text;
}

/** A number > 0. */
export function positive(text: string): number {
  const value = decimal(text, "a positive number");
  if (value <= 0) throw new InvalidArgumentError("It must be a positive number.");
  return value;
}

/** Any number. */
export function finite(text: string): number {
  return decimal(text, "a number");
}

/** A number >= 0. */
export function nonNegative(text: string): number {
  const value = decimal(text, "a number of at least 0");
  if (value < 0) throw new InvalidArgumentError("It must be a number of at least 0.");
  return value;
}

/** Bytes: "800MB", "2GiB", "1.5 GB"; a bare number is bytes. */
export function bytes(text: string): number {
  const rule = 'It must be bytes such as "800MB" or "2GiB".';
  const [, number = "", prefix = "", binary = ""] = /^\s*([\d.]+)\s*(?:([kmgt])(i)?)?b?\s*$/i.exec(text) ?? [];
  if (!DECIMAL.test(number)) throw new InvalidArgumentError(rule);
  const value = Number(number) * (binary === "" ? 1000 : 1024) ** " kmgt".indexOf(prefix.toLowerCase() || " ");
  if (!(value >= 1 && Number.isFinite(value))) throw new InvalidArgumentError(rule);
  return Math.floor(value);
}

/** A fraction of the rows: at least 0 and below 1. */
export function fraction(text: string): number {
  const value = decimal(text, "a fraction of the rows, at least 0 and below 1");
  if (!(value >= 0 && value < 1))
    throw new InvalidArgumentError("It must be a fraction of the rows, at least 0 and below 1.");
  return value;
}

/** The probability of an interval: above 0 and below 1. */
export function probability(text: string): number {
  const rule = "a probability above 0 and below 1, such as 0.95";
  const value = decimal(text, rule);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError(`It must be ${rule}.`);
  return value;
}

/** Layer sizes: "16,16"; "none" is a network without hidden layers. */
export function sizes(text: string): number[] {
  if (text === "none") return [];
  return text.split(",").map((part) => {
    const size = /^\s*\d+\s*$/.test(part) ? Number(part) : 0;
    if (size < 1 || size > 1e6)
      throw new InvalidArgumentError('It must be layer sizes such as "16,16", each from 1 to 1000000, or "none".');
    return size;
  });
}

/** What `parse` makes of a value, or the word auto. */
export function orAuto<T>(parse: (text: string) => T): (text: string) => T | "auto" {
  return (text) => {
    if (text === "auto") return text;
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      throw new InvalidArgumentError(`${error.message.replace(/\.$/, "")}, or "auto".`);
    }
  };
}

/** Column names: "a,b". Repeating the option adds names; a backslash keeps a comma inside a name: 'width\\, mm'. */
export function list(text: string, previous: readonly string[] | undefined): string[] {
  const names = text.split(/(?<!\\),/).map((name) => name.replaceAll("\\,", ",").trim());
  if (names.some((name) => name === "")) throw new InvalidArgumentError("It must be column names separated by commas.");
  return [...(previous ?? []), ...names];
}

/** Texts: "NA,none". Repeating the option adds texts; a backslash keeps a comma inside a text. */
export function texts(text: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), ...text.split(/(?<!\\),/).map((one) => one.replaceAll("\\,", ",").trim())];
}

const DELIMITERS = new Map([
  ["tab", "\t"],
  ["\\t", "\t"],
  ["comma", ","],
  ["semicolon", ";"],
  ["space", " "],
  ["pipe", "|"],
]);

/** One character that separates the fields of a table, or a word for it. */
export function delimiter(text: string): string {
  const character = DELIMITERS.get(text) ?? text;
  if ([...character].length !== 1 || /["\r\n]/.test(character))
    throw new InvalidArgumentError("It must be one character, or one of tab, comma, semicolon, space, pipe.");
  return character;
}

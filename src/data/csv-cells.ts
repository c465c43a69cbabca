// Delivers the values of one record of a table in two forms: texts from the parser, or positions in a block of bytes. csv-records.ts makes
// the objects, and csv-rows.ts and csv-column.ts read the cells. A plainly written number is read from its bytes without a string, with
// exactly the result of Number(): a whole number below 2^53 times or divided by a power of ten up to 1e22 is one correctly rounded
// operation (Clinger, "How to read floating point numbers accurately", 1990).

/** One record; the object is reused for the next. */
export interface Cells {
  readonly length: number;
  /** The number at place `i`, or NaN where only its text can say: anything but digits, sign, point and exponent. */
  number(i: number): number;
  /** Without the blanks around it. */
  text(i: number): string;
}

export class TextCells implements Cells {
  readonly #texts: readonly string[];

  constructor(texts: readonly string[]) {
    this.#texts = texts;
  }

  get length(): number {
    return this.#texts.length;
  }

  number(_i: number): number {
    return Number.NaN;
  }

  text(i: number): string {
    return this.#texts[i]!.trim();
  }
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const TAB = 9;
const SPACE = 32;
const PLUS = 43;
const COMMA = 44;
const MINUS = 45;
const ZERO = 48;
const LETTER_E = 101;

/** 10^k for k = 0 ... 22, all exact. */
const POWERS = Float64Array.from({ length: 23 }, (_, k) => Number(`1e${k}`));

/** The records of a block of whole lines that hold no quote. */
export class ByteCells implements Cells {
  length = 0;
  readonly #charset: "utf8" | "latin1";
  readonly #delimiter: number;
  readonly #point: number;
  #block: Buffer = Buffer.alloc(0);
  #starts = new Int32Array(64);
  #ends = new Int32Array(64);

  /** @param delimiter one byte; a space stands for any run of spaces and tabs */
  constructor(delimiter: number, decimal: "." | ",", charset: "utf8" | "latin1") {
    this.#delimiter = delimiter;
    this.#point = decimal.charCodeAt(0);
    this.#charset = charset;
  }

  /** Takes the line that begins at `from` and returns where the next one begins. */
  take(block: Buffer, from: number): number {
    this.#block = block;
    this.length = 0;
    const end = this.#delimiter === SPACE ? this.#cutAtBlanks(from) : this.#cut(from);
    if (block[end] === CARRIAGE_RETURN && block[end + 1] === LINE_FEED) return end + 2;
    return Math.min(end + 1, block.length);
  }

  #add(start: number, end: number): void {
    if (this.length === this.#starts.length) {
      const grown = (old: Int32Array) => {
        const next = new Int32Array(2 * old.length);
        next.set(old);
        return next;
      };
      this.#starts = grown(this.#starts);
      this.#ends = grown(this.#ends);
    }
    this.#starts[this.length] = start;
    this.#ends[this.length] = end;
    this.length++;
  }

  /** Returns where the line ends. */
  #cut(from: number): number {
    const block = this.#block;
    const delimiter = this.#delimiter;
    let start = from;
    let at = from;
    for (; at < block.length; at++) {
      const byte = block[at]!;
      if (byte === delimiter) {
        this.#add(start, at);
        start = at + 1;
      } else if (byte === LINE_FEED || byte === CARRIAGE_RETURN) break;
    }
    this.#add(start, at);
    return at;
  }

  #cutAtBlanks(from: number): number {
    const block = this.#block;
    let start = -1; // of the value that is being read; -1 between values
    let at = from;
    for (; at < block.length; at++) {
      const byte = block[at]!;
      if (byte === LINE_FEED || byte === CARRIAGE_RETURN) break;
      if (byte !== SPACE && byte !== TAB) {
        if (start < 0) start = at;
      } else if (start >= 0) {
        this.#add(start, at);
        start = -1;
      }
    }
    if (start >= 0 || this.length === 0) this.#add(start < 0 ? at : start, at);
    return at;
  }

  text(i: number): string {
    const [start, end] = [this.#starts[i]!, this.#ends[i]!];
    const text =
      this.#charset === "latin1"
        ? this.#block.toString("latin1", start, end)
        : this.#block.toString("utf8", start, end);
    return text.trim();
  }

  number(i: number): number {
    const block = this.#block;
    let at = this.#starts[i]!;
    let end = this.#ends[i]!;
    while (at < end && block[at] === SPACE) at++;
    while (end > at && block[end - 1] === SPACE) end--;
    const start = at;
    const negative = at < end && block[at] === MINUS;
    if (at < end && (negative || block[at] === PLUS)) at++;
    let mantissa = 0;
    let digits = 0;
    let whole = -1; // digits before the point; -1 until there is one
    for (; at < end; at++) {
      const byte = block[at]!;
      if (byte >= ZERO && byte <= ZERO + 9) {
        mantissa = mantissa * 10 + (byte - ZERO);
        digits++;
      } else if (byte === this.#point && whole < 0) whole = digits;
      else break;
    }
    if (digits === 0) return Number.NaN;
    let exponent = whole < 0 ? 0 : whole - digits;
    if (at < end) {
      const written = this.#exponent(at, end);
      if (Number.isNaN(written)) return Number.NaN;
      exponent += written;
    } else if (whole < 0 && mantissa > Number.MAX_SAFE_INTEGER) return Number.NaN; // it may lose digits: its text says
    if (mantissa <= Number.MAX_SAFE_INTEGER && exponent >= -22 && exponent <= 22) {
      const value = exponent < 0 ? mantissa / POWERS[-exponent]! : mantissa * POWERS[exponent]!;
      return negative ? -value : value;
    }
    const text = block.toString("latin1", start, end);
    return finite(+(this.#point === COMMA ? text.replace(",", ".") : text));
  }

  /** The exponent that begins at `at` and ends the value, or NaN. */
  #exponent(at: number, end: number): number {
    const block = this.#block;
    if ((block[at]! | 32) !== LETTER_E) return Number.NaN;
    at++;
    const negative = block[at] === MINUS;
    if (negative || block[at] === PLUS) at++;
    if (at >= end || end - at > 6) return Number.NaN;
    let exponent = 0;
    for (; at < end; at++) {
      const byte = block[at]!;
      if (byte < ZERO || byte > ZERO + 9) return Number.NaN;
      exponent = exponent * 10 + (byte - ZERO);
    }
    return negative ? -exponent : exponent;
  }
}

/** NaN in place of an infinity: a number out of range is a matter for its text. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : Number.NaN;
}

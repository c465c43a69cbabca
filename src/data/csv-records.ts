// Cuts the bytes of a table into records and calls back for each with its line number. csv-rows.ts calls it once for each table. Blocks of
// whole lines without a quote are cut in place (csv-cells.ts). csv-parse reads the others, and its errors become GaussflowErrors with the
// place. All blocks have one size, however the stream arrived, so that neither records nor errors depend on it.
import { type CsvError, parse } from "csv-parse/sync";
import { GaussflowError } from "../errors.js";
import { ByteCells, type Cells, TextCells } from "./csv-cells.js";
import type { Charset } from "./csv-options.js";
import type { TableSource } from "./csv-source.js";
import { commentHint, type Wording } from "./csv-wording.js";

export interface RecordLayout {
  /** One character; a space stands for any run of spaces and tabs. */
  readonly delimiter: string;
  readonly decimal: "." | ",";
  readonly charset: Charset;
  /** In characters. */
  readonly maxRecordLength: number;
  /** What a line that is left out begins with. */
  readonly comment: string | null;
  readonly wording: Wording;
}

type OnRecord = (cells: Cells, line: number) => void;

const QUOTE = 34;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** What a parser error means to a person. */
const MEANINGS: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: "a quote is opened in this record and never closed",
  CSV_INVALID_CLOSING_QUOTE: "text follows a closing quote",
  INVALID_OPENING_QUOTE: "a quote stands inside an unquoted value",
  CSV_MAX_RECORD_SIZE: "the record is too long (is a quote left open?)",
};

/**
 * Calls `record` for every record of the table, in order; lines of nothing but blanks and comments are skipped. `line` is where the record
 * begins.
 * @throws GAUSSFLOW_DATA with file and line, or what `record` throws
 */
export async function forEachRecord(source: TableSource, layout: RecordLayout, record: OnRecord): Promise<void> {
  const reader = new RecordReader(source, layout, record);
  for await (const block of source.chunks) reader.push(block);
  reader.end();
}

class RecordReader {
  readonly #file: string;
  readonly #layout: RecordLayout;
  readonly #record: OnRecord;
  readonly #ends: RecordEnds;
  /** Null where the delimiter is more than one byte. */
  readonly #cells: ByteCells | null;
  readonly #comment: string | null;
  /** The beginning of a record whose end is still to come. */
  #pieces: Buffer[] = [];
  #held = 0;
  /** Where the next record begins. */
  #line: number;
  #blankLines = 0;

  constructor({ name, firstLine }: TableSource, layout: RecordLayout, record: OnRecord) {
    this.#file = name;
    this.#layout = layout;
    this.#record = record;
    this.#line = firstLine;
    this.#ends = new RecordEnds(layout.comment === null ? null : Buffer.from(layout.comment, layout.charset));
    const delimiter = Buffer.from(layout.delimiter, layout.charset);
    this.#cells = delimiter.length === 1 ? new ByteCells(delimiter[0]!, layout.decimal, layout.charset) : null;
    this.#comment = layout.comment;
  }

  push(block: Buffer): void {
    const end = this.#ends.last(block);
    if (end === 0) {
      this.#pieces.push(block);
      this.#held += block.length;
      // At most four bytes a character: beyond this the record is surely too long, and there is no need to wait for its end.
      if (this.#held > 4 * this.#layout.maxRecordLength) this.#giveUp();
      return;
    }
    const whole = block.subarray(0, end);
    const part = this.#pieces.length === 0 ? whole : Buffer.concat([...this.#pieces, whole]);
    this.#pieces = end < block.length ? [block.subarray(end)] : [];
    this.#held = block.length - end;
    this.#read(part);
  }

  end(): void {
    if (this.#held > 0) this.#read(Buffer.concat(this.#pieces));
  }

  /** The record that is held is too long. A parser finds out whether a quote is to blame. */
  #giveUp(): never {
    const line = this.#line;
    this.#read(Buffer.concat(this.#pieces));
    throw this.#error(line, MEANINGS.CSV_MAX_RECORD_SIZE!);
  }

  #read(part: Buffer): void {
    if (this.#cells !== null && part.indexOf(QUOTE) < 0) this.#readPlain(part, this.#cells);
    else this.#readQuoted(part.toString(this.#layout.charset));
  }

  #readPlain(part: Buffer, cells: ByteCells): void {
    const most = this.#layout.maxRecordLength;
    const comment = this.#comment;
    for (let at = 0; at < part.length; this.#line++) {
      const from = at;
      at = cells.take(part, from);
      if (at - from > most && part.toString(this.#layout.charset, from, at).trimEnd().length > most)
        throw this.#error(this.#line, "the record is too long");
      if (comment !== null && cells.text(0).startsWith(comment)) continue;
      this.#take(cells, this.#line);
    }
  }

  #readQuoted(text: string): void {
    const { delimiter, maxRecordLength, wording } = this.#layout;
    const from = this.#line;
    let thrown: { readonly error: unknown } | null = null;
    let parserLine = 0;
    try {
      parse(this.#plainer(text), {
        delimiter,
        // All three at once, not the first one found: files glued together from several systems mix them.
        record_delimiter: ["\r\n", "\n", "\r"],
        relax_column_count: true,
        max_record_size: maxRecordLength,
        trim: true,
        on_record: (texts: string[], context: { lines: number }) => {
          const line = this.#line++;
          // Only a record that spans lines pays for counting them; the parser itself counts CR LF inside quotes twice.
          if (context.lines - parserLine > 1)
            for (const one of texts) this.#line += one.match(/\r\n|\n|\r/g)?.length ?? 0;
          parserLine = context.lines;
          try {
            this.#take(new TextCells(texts), line);
          } catch (error) {
            // The parser would wrap it.
            thrown = { error };
            throw error;
          }
          return null;
        },
      });
    } catch (error) {
      if (thrown !== null) throw (thrown as { readonly error: unknown }).error;
      const { code } = error as CsvError;
      if (typeof code !== "string" || !/^(CSV_|INVALID_)/.test(code)) throw error;
      const hint = commentHint(text.split(/\r\n|\n|\r/, this.#line - from + 1).at(-1) ?? "", wording);
      throw this.#error(this.#line, (MEANINGS[code] ?? (error as Error).message) + hint, { code }, error);
    }
  }

  /** Comment lines become blank ones, and runs of blanks one space, where the layout says so; what is quoted stays as it is. */
  #plainer(text: string): string {
    const blanks = this.#layout.delimiter === " ";
    if (this.#comment === null && !blanks) return text;
    const escaped = (this.#comment ?? "").replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
    const comment = this.#comment === null ? "(?!)" : `(?<=^|[\\r\\n])[ \\t]*${escaped}[^\\r\\n]*`;
    const runs = blanks ? "|(?<=^|[\\r\\n])[ \\t]+|[ \\t]+(?=[\\r\\n]|$)|[ \\t]+" : "";
    const pattern = new RegExp(`(${comment})|("(?:[^"]|"")*"?)${runs}`, "g");
    return text.replace(pattern, (match: string, left: string | undefined, quoted: string | undefined, at: number) => {
      if (left !== undefined) return "";
      if (quoted !== undefined) return quoted;
      const after = text[at + match.length];
      const before = at === 0 ? "\n" : text[at - 1];
      const outer = (sign: string | undefined) => sign === undefined || sign === "\n" || sign === "\r";
      return outer(before) || outer(after) ? "" : " ";
    });
  }

  #take(cells: Cells, line: number): void {
    if (cells.length === 1 && cells.text(0) === "") {
      // A packed file of a few megabytes can hold gigabytes of them.
      if (++this.#blankLines > this.#layout.maxRecordLength)
        throw this.#error(line, `more than ${this.#layout.maxRecordLength} blank lines follow each other`);
      return;
    }
    this.#blankLines = 0;
    this.#record(cells, line);
  }

  #error(line: number, message: string, details: Record<string, unknown> = {}, cause?: unknown): GaussflowError {
    const options = cause === undefined ? undefined : { cause };
    const file = this.#file;
    return new GaussflowError(
      "GAUSSFLOW_DATA",
      `${file}, line ${line}: ${message}`,
      { file, line, ...details },
      options,
    );
  }
}

/** Finds where records end: at a line end outside quotes. Reads every byte of a block with quotes, and no byte twice. */
class RecordEnds {
  readonly #comment: Buffer | null;
  #quoted = false;
  /** Bytes of the comment sign that the line begins with; -1 once the line is none. */
  #matched = 0;
  #inComment = false;

  constructor(comment: Buffer | null) {
    this.#comment = comment;
  }

  /** The place behind the last record that ends in this block, 0 if none does. A CR at its very end may be half of a CR LF: it is left. */
  last(block: Buffer): number {
    if (this.#quoted || block.indexOf(QUOTE) >= 0) return this.#scan(block, 0);
    const end = 1 + Math.max(block.lastIndexOf(LINE_FEED), block.lastIndexOf(CARRIAGE_RETURN, block.length - 2));
    if (this.#comment === null) return end;
    // Whether the unfinished line is a comment matters once a quote comes.
    if (end > 0) this.#newLine();
    this.#scan(block, end);
    return end;
  }

  #newLine(): void {
    this.#matched = 0;
    this.#inComment = false;
  }

  #scan(block: Buffer, from: number): number {
    let end = 0;
    for (let at = from; at < block.length; at++) {
      const byte = block[at]!;
      if (this.#quoted) {
        if (byte === QUOTE) this.#quoted = false;
      } else if (byte === LINE_FEED || byte === CARRIAGE_RETURN) {
        if (byte === LINE_FEED || at + 1 < block.length) end = at + 1;
        this.#newLine();
      } else if (!this.#inComment) {
        this.#match(byte);
        if (!this.#inComment && byte === QUOTE) this.#quoted = true;
      }
    }
    return end;
  }

  /** Follows the comment sign at the beginning of a line, behind blanks. */
  #match(byte: number): void {
    const comment = this.#comment;
    if (comment === null || this.#matched < 0) return;
    if (byte === comment[this.#matched]) {
      this.#matched++;
      this.#inComment = this.#matched === comment.length;
    } else if (this.#matched > 0 || (byte !== 32 && byte !== 9)) this.#matched = -1;
  }
}

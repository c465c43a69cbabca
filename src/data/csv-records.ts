// The records of a table, one callback each with its line number, by csv-parse; its errors become ours, with the place.
import { finished } from "node:stream/promises";
import { type CsvError, parse } from "csv-parse";
import { GaussflowError } from "../errors.js";
import { hasPaddedQuotes } from "./csv-sniff.js";
import type { Charset, TableSource } from "./csv-source.js";

/** What a parser error means to a person. */
const MEANINGS: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: "a quote is opened in this record and never closed",
  CSV_INVALID_CLOSING_QUOTE: "text follows a closing quote",
  INVALID_OPENING_QUOTE: "a quote stands inside an unquoted value",
  CSV_MAX_RECORD_SIZE: "the record is too long (is a quote left open?)",
};

/**
 * Calls `record` for every record of the table, in order; lines of nothing but blanks are skipped. `line` is where the record
 * begins.
 * @throws GAUSSFLOW_DATA with file and line, or what `record` throws
 */
export async function forEachRecord(
  source: TableSource,
  delimiter: string,
  charset: Charset,
  maxRecordLength: number,
  record: (cells: readonly string[], line: number) => void,
): Promise<void> {
  let next = 1; // where the next record begins
  let parserLine = 0;
  let thrown: { error: unknown } | null = null;
  const parser = parse({
    delimiter,
    encoding: charset,
    // All three at once, not the first one found: files glued together from several systems mix them.
    record_delimiter: ["\r\n", "\n", "\r"],
    relax_column_count: true,
    max_record_size: maxRecordLength,
    trim: hasPaddedQuotes(source.head.toString(charset), delimiter),
    on_record: (cells: string[], context: { lines: number }) => {
      const line = next++;
      // Only a record that spans lines pays for counting them; the parser itself counts CR LF inside quotes twice.
      if (context.lines - parserLine > 1) for (const cell of cells) next += cell.match(/\r\n|\n|\r/g)?.length ?? 0;
      parserLine = context.lines;
      if (cells.length === 1 && cells[0].trim() === "") return null;
      // A parser that is told to throw wraps the error: ours is kept aside and thrown as it is.
      if (thrown === null) {
        try {
          record(cells, line);
        } catch (error) {
          thrown = { error };
        }
      }
      return null;
    },
  });
  parser.resume();
  const done = finished(parser);
  done.catch(() => {});
  try {
    for await (const chunk of source.chunks) {
      if (thrown !== null || parser.destroyed) break;
      if (!parser.write(chunk)) await new Promise<void>((resolve) => resumeOf(parser, resolve));
    }
    if (thrown === null && !parser.destroyed) parser.end();
    if (thrown === null) await done;
  } catch (error) {
    if (thrown === null) throw asDataError(error, source.name, next);
  } finally {
    parser.destroy();
  }
  if (thrown !== null) throw (thrown as { error: unknown }).error;
}

/** Calls back when the parser takes more, or will never take more. */
function resumeOf(parser: NodeJS.EventEmitter, resolve: () => void): void {
  for (const event of ["drain", "error", "close"]) parser.once(event, resolve);
}

/** @param line where the record begins in which the parser stopped */
function asDataError(error: unknown, file: string, line: number): unknown {
  const { code } = error as CsvError;
  if (error instanceof GaussflowError || typeof code !== "string" || !/^(CSV_|INVALID_)/.test(code)) return error;
  const meaning = MEANINGS[code] ?? (error as Error).message;
  return new GaussflowError(
    "GAUSSFLOW_DATA",
    `${file}, line ${line}: ${meaning}`,
    { file, line, code },
    { cause: error },
  );
}

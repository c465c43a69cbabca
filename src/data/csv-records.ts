// The records of a table, one callback each with its line number, by csv-parse; its errors become ours, with the place.
import { finished } from "node:stream/promises";
import { type CsvError, parse } from "csv-parse";
import { GaussflowError } from "../errors.js";
import { hasPaddedQuotes } from "./csv-sniff.js";
import type { TableSource } from "./csv-source.js";

/** What a parser error means to a person. */
const MEANINGS: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: "a quote is opened and never closed",
  CSV_INVALID_CLOSING_QUOTE: "text follows a closing quote",
  INVALID_OPENING_QUOTE: "a quote stands inside an unquoted value",
  CSV_MAX_RECORD_SIZE: "the record is too long (is a quote left open?)",
};

/**
 * Calls `record` for every record of the table, in order; blank lines are skipped. `line` is where the record ends.
 * @throws GAUSSFLOW_DATA with file and line, or what `record` throws
 */
export async function forEachRecord(
  source: TableSource,
  delimiter: string,
  maxRecordLength: number,
  record: (cells: readonly string[], line: number) => void,
): Promise<void> {
  let last = 0;
  let thrown: { error: unknown } | null = null;
  const parser = parse({
    delimiter,
    encoding: "utf8",
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: maxRecordLength,
    trim: hasPaddedQuotes(source.head.toString("utf8"), delimiter),
    on_record: (cells: string[], context: { lines: number }) => {
      last = context.lines;
      // A parser that is told to throw wraps the error: ours is kept aside and thrown as it is.
      if (thrown === null) {
        try {
          record(cells, context.lines);
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
    if (thrown === null) throw asDataError(error, source.name, last);
  } finally {
    parser.destroy();
  }
  if (thrown !== null) throw (thrown as { error: unknown }).error;
}

/** Calls back when the parser takes more, or will never take more. */
function resumeOf(parser: NodeJS.EventEmitter, resolve: () => void): void {
  for (const event of ["drain", "error", "close"]) parser.once(event, resolve);
}

function asDataError(error: unknown, file: string, last: number): unknown {
  const { code, lines } = error as CsvError & { lines?: unknown };
  if (error instanceof GaussflowError || typeof code !== "string" || !/^(CSV_|INVALID_)/.test(code)) return error;
  const line = typeof lines === "number" ? lines : last + 1;
  const meaning = MEANINGS[code] ?? (error as Error).message;
  return new GaussflowError(
    "GAUSSFLOW_DATA",
    `${file}, line ${line}: ${meaning}`,
    { file, line, code },
    { cause: error },
  );
}

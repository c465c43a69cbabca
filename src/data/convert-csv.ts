// From a table of numbers to a data file, record by record: for tables larger than memory. Categories and means in place of missing
// values need the whole table first, so that such a table is refused; `readCsv` reads it.
import { ReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { argumentError, GaussflowError } from "../errors.js";
import { checkDistinct } from "../file-target.js";
import { checkPath, checkSignal, isObject } from "../options.js";
import { MissingTexts, parseNumber } from "./csv-number.js";
import { type CsvOptions, checkOptions } from "./csv-options.js";
import { forEachRecord } from "./csv-records.js";
import { settleRoles, type TableRoles } from "./csv-roles.js";
import { sniffDelimiter } from "./csv-sniff.js";
import { openTable } from "./csv-source.js";
import type { NumericColumn } from "./encoding.js";
import { DataFileWriter } from "./write-data-file.js";

export interface ConvertOptions extends CsvOptions {
  /** Ends the conversion at its next row: no file is left, and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface Converted {
  readonly rows: number;
  readonly featureNames: readonly string[];
  readonly targetNames: readonly string[];
  /** Rows left out because a value is missing (rule `drop`) or their weight is 0. */
  readonly dropped: number;
  readonly notes: readonly string[];
}

/**
 * Converts a delimited table of numbers into a data file for `openDataFile`. Options are those of `readCsv` but `split`, `categorical`,
 * `encoding` and `missing: "mean"`.
 * @param source a path (unpacked when it ends in .gz), "-" for standard input, or a readable stream
 * @throws GAUSSFLOW_ARGUMENT for options, GAUSSFLOW_DATA for the table (file, line, column, value), GAUSSFLOW_FILE for the output
 */
export async function convertCsv(
  source: string | Readable,
  path: string,
  given: ConvertOptions = {},
): Promise<Converted> {
  checkPath("path", path);
  if (!isObject(given)) throw argumentError("options", "must be an object of options", given);
  const { signal, ...options } = given;
  checkSignal("options.signal", signal);
  const plan = checkOptions(options);
  for (const name of ["split", "encoding", "categorical"] as const)
    if (options[name] !== undefined)
      throw argumentError(`options.${name}`, "is not possible for a table that is converted row by row", options[name]);
  if (plan.missing === "mean")
    throw argumentError(
      "options.missing",
      'must be "error" or "drop" for a table that is converted row by row',
      "mean",
    );
  checkDistinct([
    { name: "source", path: sourcePath(source), written: false },
    { name: "path", path, written: true },
  ]);
  const table = await openTable(source, plan.charset);
  const delimiter = plan.delimiter ?? sniffDelimiter(table.head.toString(plan.charset), plan.decimal, table.complete);
  const missing = new MissingTexts(plan.missingValues, plan.decimal);
  const fail = (message: string, details: Record<string, unknown> = {}) =>
    new GaussflowError("GAUSSFLOW_DATA", `${table.name}${message}`, { file: table.name, ...details });
  let roles: TableRoles | null = null;
  let writer: DataFileWriter | null = null;
  let dropped = 0;
  let row = new Float64Array(0);
  let columns: Running[] = [];
  const record = (cells: readonly string[], line: number) => {
    signal?.throwIfAborted();
    if (roles === null || writer === null) {
      roles = settleRoles(cells, plan, table.name);
      const named = (part: string) => roles!.uses.filter(({ use }) => use === part).map(({ name }) => name);
      const weighted = named("weight").length > 0;
      writer = new DataFileWriter(path, { featureNames: named("input"), targetNames: named("target"), weighted });
      row = new Float64Array(roles.uses.length);
      columns = named("input").map(() => new Running());
      if (roles.header) return;
    }
    if (cells.length !== roles.names.length)
      throw fail(`, line ${line}: has ${cells.length} values where ${roles.names.length} are expected`, { line });
    let gaps = 0;
    roles.uses.forEach(({ index, name, use }, k) => {
      const text = cells[index]!.trim();
      const complain = (message: string) =>
        fail(
          `, line ${line}, column ${JSON.stringify(name)}: ${message}; received ${JSON.stringify(text.slice(0, 40))}`,
          {
            line,
            column: name,
            value: text.slice(0, 40),
          },
        );
      const value = parseNumber(text, plan.decimal);
      if ((Number.isNaN(value) || missing.hasNumbers) && missing.has(text)) {
        if (plan.missing === "error") throw complain('the value is missing (missing: "drop" leaves such rows out)');
        gaps++;
      } else if (!Number.isFinite(value)) throw complain("must be a finite number (ignore columns of text)");
      else if (use === "weight" && value < 0) throw complain("a sample weight must not be negative");
      row[k] = value;
    });
    const weight = roles.uses.at(-1)?.use === "weight" ? row[row.length - 1]! : 1;
    if (gaps > 0 || weight === 0) {
      dropped++;
      return;
    }
    writer.add(row);
    for (let k = 0; k < columns.length; k++) columns[k]!.add(row[k]!, weight);
  };
  // The callback fills them in; the compiler does not follow it there.
  const made = () => ({ roles, writer }) as { roles: TableRoles | null; writer: DataFileWriter | null };
  try {
    await forEachRecord(table, delimiter, plan.charset, plan.maxRecordLength, record);
    const { roles: settled, writer: output } = made();
    if (settled === null || output === null) throw fail(": is empty");
    if (output.rows === 0) throw fail(": has no row without a missing value");
    const names = (part: string) => settled.uses.filter(({ use }) => use === part).map(({ name }) => name);
    const inputs = names("input").map(
      (name, k): NumericColumn => ({ kind: "numeric", name, ...columns[k]!.figures() }),
    );
    output.finish({
      columns: inputs,
      targets: names("target"),
      weights: names("weight")[0] ?? null,
      header: settled.header,
      delimiter,
      decimal: plan.decimal,
      missing: plan.missing,
      missingValues: plan.missingValues,
    });
    return {
      rows: output.rows,
      featureNames: names("input"),
      targetNames: names("target"),
      dropped,
      notes: settled.notes,
    };
  } catch (error) {
    made().writer?.abandon();
    throw error;
  }
}

/** The file that a source is, where it is one. */
function sourcePath(source: string | Readable): string | undefined {
  if (source === "-") return "/dev/stdin";
  if (typeof source === "string") return source;
  return source instanceof ReadStream ? String(source.path) : undefined;
}

/** Mean and range of a column, as `fitEncoding` finds them. */
class Running {
  #total = 0;
  #mean = 0;
  #min = Infinity;
  #max = -Infinity;

  add(value: number, weight: number): void {
    if (weight === 0) return;
    this.#total += weight;
    this.#mean += 2 * ((value / 2 - this.#mean / 2) * (weight / this.#total));
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
  }

  figures(): { mean: number; min: number; max: number } {
    if (this.#total === 0) return { mean: 0, min: 0, max: 0 };
    return { mean: Math.min(Math.max(this.#mean, this.#min), this.#max), min: this.#min, max: this.#max };
  }
}

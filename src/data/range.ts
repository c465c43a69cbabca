// The public `outOfRange`: lists the inputs outside the range of the training, because a network is unreliable beyond its data. Users call
// it before they trust predictions, and the commands predict and evaluate warn with it.
import { GaussflowError } from "../errors.js";
import { encodedSize, type TableEncoding } from "./encoding.js";
import { encodingFromJson } from "./encoding-json.js";
import { type MatrixLike, toMatrix } from "./matrix.js";

/** One numeric column with values outside its training range. */
export interface RangeReport {
  /** Name of the column. */
  readonly column: string;
  /** Rows outside, and the first of them (from 1). */
  readonly count: number;
  /** The first of them, from 1. */
  readonly firstRow: number;
  /** The value there, in raw units. */
  readonly firstValue: number;
  /** The least value seen in training. */
  readonly min: number;
  /** The largest value seen in training. */
  readonly max: number;
}

/**
 * The numeric columns with values outside their training range.
 * @param given n rows of d numbers in raw units, as the encoding lays them out, or the same in one array
 * @throws GAUSSFLOW_ARGUMENT
 */
export function outOfRange(given: MatrixLike, encoding: TableEncoding): RangeReport[] {
  encodingFromJson(encoding, (rule) => new GaussflowError("GAUSSFLOW_ARGUMENT", rule, { argument: "encoding", rule }));
  const d = encodedSize(encoding);
  const inputs = given instanceof Float64Array && given.length % d === 0 ? given : toMatrix(given, d, "inputs");
  const reports: RangeReport[] = [];
  let j = 0;
  for (const column of encoding.columns) {
    if (column.kind === "categorical") {
      j += column.categories.length;
      continue;
    }
    const { name, min, max } = column;
    let count = 0;
    let first = -1;
    for (let k = j; k < inputs.length; k += d) {
      if (inputs[k] >= min && inputs[k] <= max) continue;
      if (count === 0) first = k;
      count++;
    }
    if (count > 0)
      reports.push({ column: name, count, firstRow: Math.floor(first / d) + 1, firstValue: inputs[first], min, max });
    j++;
  }
  return reports;
}

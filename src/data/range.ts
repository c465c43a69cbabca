// Are inputs outside the range that training saw? A network interpolates; beyond its data its predictions mean little.
import { encodedSize, type TableEncoding } from "./encoding.js";

/** One numeric column with values outside its training range. */
export interface RangeReport {
  readonly column: string;
  /** Rows outside, and the first of them (from 1). */
  readonly count: number;
  readonly firstRow: number;
  readonly firstValue: number;
  readonly min: number;
  readonly max: number;
}

/** @param inputs n x d, row-major, raw units, as the encoding lays them out */
export function outOfRange(inputs: Float64Array, encoding: TableEncoding): RangeReport[] {
  const d = encodedSize(encoding);
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

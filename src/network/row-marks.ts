// Marks of some of the rows a network was trained on, kept in its summary: whoever evaluates it on those rows again is told. 64 rows,
// spread evenly over all, by 48 bits of the SHA-1 of their values: no data can be read from them.
import { createHash } from "node:crypto";

const MOST_MARKS = 64;
const HEX_DIGITS = 12;

/** Rows in raw units: inputs (n x d) and targets (n x c), row-major. */
export interface MarkedRows {
  readonly sampleCount: number;
  readonly inputs: Float64Array;
  readonly targets: Float64Array;
}

function markOf({ sampleCount: n, inputs, targets }: MarkedRows, row: number): string {
  const part = (values: Float64Array) => {
    const width = values.length / n;
    const own = values.subarray(row * width, (row + 1) * width);
    return new Uint8Array(own.buffer, own.byteOffset, own.byteLength);
  };
  return createHash("sha1").update(part(inputs)).update(part(targets)).digest("hex").slice(0, HEX_DIGITS);
}

export function rowMarks(rows: MarkedRows): string[] {
  const count = Math.min(MOST_MARKS, rows.sampleCount);
  return Array.from({ length: count }, (_, k) => markOf(rows, Math.floor((k * rows.sampleCount) / count)));
}

/** The share of the marked rows that are among `rows`, 0 to 1; 0 where there are no marks. */
export function shareOfMarked(marks: unknown, rows: MarkedRows): number {
  if (!Array.isArray(marks) || marks.length === 0) return 0;
  const wanted = new Set(marks);
  const found = new Set<string>();
  for (let row = 0; row < rows.sampleCount; row++) {
    const mark = markOf(rows, row);
    if (wanted.has(mark)) found.add(mark);
  }
  return found.size / wanted.size;
}

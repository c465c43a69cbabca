// Computes hashes of some training rows: `train` stores them in the summary of a network, and gaussflow evaluate warns by shareOfMarked if
// a table holds those rows. There are up to 64 rows, spread evenly, each with 48 bits of the SHA-1 of its values. No data can be read from them.
import { createHash } from "node:crypto";
import { Pace } from "../event-loop-yield.js";

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

/** Rows of a piece: a mark takes some microseconds. */
const ROWS = 256;

/**
 * The largest share of one network's marked rows that are among `rows`, 0 to 1; 0 where there are no marks. Takes turns with the event loop.
 * @param marks those of each network
 */
export async function shareOfMarked(marks: readonly unknown[], rows: MarkedRows): Promise<number> {
  const lists = marks.filter((list): list is unknown[] => Array.isArray(list) && list.length > 0);
  if (lists.length === 0) return 0;
  const wanted = new Set(lists.flat());
  const found = new Set<unknown>();
  const pace = new Pace(undefined);
  for (let row = 0; row < rows.sampleCount; row++) {
    const mark = markOf(rows, row);
    if (wanted.has(mark)) found.add(mark);
    if (row % ROWS === ROWS - 1) await pace.turn();
  }
  const shares = lists.map((list) => {
    const own = [...new Set(list)];
    return own.filter((mark) => found.has(mark)).length / own.length;
  });
  return Math.max(...shares);
}

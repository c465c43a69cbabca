// Shares the rows of a prediction over the ranks of a cluster, for predict.ts: whole batches, so that every rank computes what one process does, to the
// bit, and the predictions of all come together in the order of the rows.
import { Agreement } from "../cluster/agreement.js";
import type { Cluster } from "../cluster/cluster.js";

/** Rows from `first` to below `end`. */
export interface RowRange {
  readonly first: number;
  readonly end: number;
}

/** The rows of one of `size` ranks, in whole batches. */
export function rowsOfRank(rank: number, size: number, rows: number, batch: number): RowRange {
  const batches = Math.ceil(rows / batch);
  const begin = (at: number) => Math.min(rows, Math.floor((at * batches) / size) * batch);
  return { first: begin(rank), end: begin(rank + 1) };
}

/**
 * Runs `work` on the rows of this rank; without a cluster on all of them.
 * @param work fills its rows of `matrices`, each of which has `rows` rows; those of other ranks are filled in here
 * @throws what it throws on any rank, on all of them
 */
export async function onSharedRows(
  cluster: Cluster | null,
  { rows, batch }: { readonly rows: number; readonly batch: number },
  matrices: readonly Float64Array[],
  work: (range: RowRange) => Promise<void>,
): Promise<void> {
  if (cluster === null) return work({ first: 0, end: rows });
  const ranges = Array.from({ length: cluster.size }, (_, rank) => rowsOfRank(rank, cluster.size, rows, batch));
  const own = ranges[cluster.rank] as RowRange;
  const agreement = new Agreement(cluster, undefined);
  try {
    await agreement.together(() => work(own));
    for (const matrix of matrices) await fillRows(cluster, matrix, matrix.length / rows, ranges);
  } finally {
    agreement.release();
  }
}

/** Fills in the rows of the other ranks. */
async function fillRows(
  cluster: Cluster,
  matrix: Float64Array,
  width: number,
  ranges: readonly RowRange[],
): Promise<void> {
  // All ranks give as many numbers.
  const given = new Float64Array(Math.max(...ranges.map(({ first, end }) => end - first)) * width);
  const own = ranges[cluster.rank] as RowRange;
  given.set(matrix.subarray(own.first * width, own.end * width));
  for (const [rank, part] of (await cluster.gather(given)).entries()) {
    const { first, end } = ranges[rank] as RowRange;
    matrix.set(part.subarray(0, (end - first) * width), first * width);
  }
}

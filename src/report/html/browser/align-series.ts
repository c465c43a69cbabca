// Merges the points of several series into one grid of x, called by draw-chart.ts in the browser for each chart. page-program.ts embeds the
// function as text, so it refers to nothing but its parameters and the language.

/** Points of one series; gaps are null. */
export interface Points {
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
}

/** Series over one common grid. */
export interface Aligned {
  /** In order, with repetitions where a series has several points at one x. */
  readonly x: number[];
  /** undefined: the series has no point there, and its line goes on; null: a gap. */
  readonly y: (number | null | undefined)[][];
  /** For each series, the positions of its points in the grid. */
  readonly places: number[][];
}

/**
 * Series of different grids over one grid, as uPlot requires. uPlot.join does almost this, but keeps only one of several points
 * at one x: repeated measurements would be lost.
 */
export function alignSeries(series: readonly Points[]): Aligned {
  // A gap reaches to the series' own neighbors, not only to the next place of some other series.
  function widenGap(column: (number | null | undefined)[], at: number): void {
    for (let left = at - 1; left >= 0 && column[left] === undefined; left--) column[left] = null;
    for (let right = at + 1; right < column.length && column[right] === undefined; right++) column[right] = null;
  }

  const counts = new Map<number, number>();
  for (const { x } of series) {
    const own = new Map<number, number>();
    for (const at of x) {
      const count = (own.get(at) ?? 0) + 1;
      own.set(at, count);
      if (count > (counts.get(at) ?? 0)) counts.set(at, count);
    }
  }
  const grid: number[] = [];
  const starts = new Map<number, number>();
  for (const at of [...counts.keys()].sort((a, b) => a - b)) {
    starts.set(at, grid.length);
    for (let repeat = counts.get(at)!; repeat > 0; repeat--) grid.push(at);
  }
  const y: (number | null | undefined)[][] = [];
  const places: number[][] = [];
  for (const one of series) {
    const column: (number | null | undefined)[] = new Array(grid.length).fill(undefined);
    const used = new Map<number, number>();
    const place = one.x.map((at) => {
      const index = starts.get(at)! + (used.get(at) ?? 0);
      used.set(at, (used.get(at) ?? 0) + 1);
      return index;
    });
    for (const [index, at] of place.entries()) column[at] = one.y[index] ?? null;
    for (const at of place) if (column[at] === null) widenGap(column, at);
    y.push(column);
    places.push(place.sort((a, b) => a - b));
  }
  return { x: grid, y, places };
}

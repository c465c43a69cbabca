// Computes axis ticks and labels of the report's charts, for draw-chart.ts in the browser. page-program.ts embeds the functions as text, so
// they refer to nothing but their parameters and the language.
//
// A log axis is drawn as a linear axis of log10, and a linear one in units of a power of ten, so that all values in uPlot are of order one.
// uPlot's own log scale ignores a zoom to ranges narrower than 1e-16, which matter for losses.

/** How values of one axis become positions that uPlot draws, and back. */
export interface PlotAxis {
  readonly log: boolean;
  toPlot(value: number): number;
  fromPlot(position: number): number;
}

/** Where an axis is divided. */
export interface Ticks {
  /** All positions, small divisions too. */
  readonly all: number[];
  /** Those that bear a label and a line of the grid, with the label. */
  readonly labels: ReadonlyMap<number, string>;
}

/** What is to be known of axes; a function around functions, so that one text holds all of them. */
export function axisKit() {
  // The room of a label of many digits.
  const LABEL_PIXELS = 72;

  /** The axis of these values. */
  function plotAxis(log: boolean, values: Iterable<number | null>): PlotAxis {
    if (log) return { log, toPlot: Math.log10, fromPlot: (position) => 10 ** position };
    let size = 0;
    for (const value of values) if (value !== null) size = Math.max(size, Math.abs(value));
    const unit = size > 0 ? 10 ** Math.floor(Math.log10(size)) : 1;
    return { log, toPlot: (value) => value / unit, fromPlot: (position) => position * unit };
  }

  /** The range that shows positions from min to max with a margin; null where there is nothing to show. */
  function padded(min: number | null, max: number | null): [number, number] {
    if (min === null || max === null) return [0, 1];
    // Values that differ by rounding alone are one value: an axis of their noise would mislead.
    const span = max - min;
    if (span <= 1e-12 * Math.max(Math.abs(min), Math.abs(max))) return [min - 0.5, max + 0.5];
    return [min - 0.04 * span, max + 0.04 * span];
  }

  function multiples(min: number, max: number, step: number): number[] {
    const all: number[] = [];
    for (let k = Math.ceil(min / step - 1e-9); k <= Math.floor(max / step + 1e-9); k++) all.push(k * step);
    return all;
  }

  // 10 ** k as the nearest double: Math.pow is off by some units in the last place for large |k|.
  function powerOfTen(k: number): number {
    return Number(`1e${k}`);
  }

  // Positions of m * 10^k for the given m that lie between min and max.
  function mantissas(min: number, max: number, which: readonly number[]): number[] {
    const all: number[] = [];
    for (let k = Math.floor(min); k <= Math.floor(max); k++)
      for (const m of which) {
        const at = k + Math.log10(m);
        if (at >= min && at <= max) all.push(at);
      }
    return all;
  }

  // A log axis of less than a decade: values at equal distances, as on a linear axis.
  function equalValues(min: number, max: number, count: number): number[] {
    const low = 10 ** min;
    const high = 10 ** max;
    const rough = (high - low) / Math.max(1, count);
    const power = powerOfTen(Math.floor(Math.log10(rough)));
    const step = [1, 2, 5, 10].map((m) => m * power).find((one) => one >= rough) ?? 10 * power;
    return multiples(low, high, step).map(Math.log10);
  }

  function logTicks(min: number, max: number, step: number, space: number): { majors: number[]; minors: number[] } {
    const decade = space / step;
    const small = [2, 3, 4, 5, 6, 7, 8, 9];
    if (step >= 1) {
      const finer = step > 1 ? multiples(min, max, 1) : decade >= 44 ? mantissas(min, max, small) : [];
      return { majors: multiples(min, max, step), minors: decade >= 6 ? finer : [] };
    }
    const majors = mantissas(min, max, step <= 0.31 ? [1, 2, 5] : [1]);
    if (majors.length >= 2) return { majors, minors: mantissas(min, max, small) };
    return { majors: equalValues(min, max, Math.floor(((max - min) * decade) / LABEL_PIXELS)), minors: [] };
  }

  /** Divisions from min to max; `step` and `space`: uPlot's proposal, in positions and in pixels. */
  function ticks(axis: PlotAxis, min: number, max: number, step: number, space: number): Ticks {
    const { majors, minors } = axis.log
      ? logTicks(min, max, step, space)
      : { majors: multiples(min, max, step), minors: [] };
    const values = majors.map((at) =>
      axis.log && Number.isInteger(at) ? powerOfTen(at) : Number(axis.fromPlot(at).toPrecision(8)),
    );
    const texts = tickTexts(values);
    const labels = new Map(majors.map((at, index) => [at, texts[index]!]));
    return { all: [...new Set([...majors, ...minors])].sort((a, b) => a - b), labels };
  }

  // Plain digits where all labels are short in them, 1e-8 elsewhere: one manner an axis.
  function tickTexts(values: readonly number[]): string[] {
    const plain = values.every((value) => {
      const size = Math.abs(value);
      return size === 0 || (size >= 1e-4 && size < 1e6);
    });
    return values.map((value) => {
      if (value === 0) return "0";
      return plain || value === 1 ? String(value) : value.toExponential().replace("e+", "e");
    });
  }

  /** The index of the entry of a sorted list that is nearest to a value; -1 in an empty list. */
  function nearest(sorted: ArrayLike<number>, value: number): number {
    let low = 0;
    let high = sorted.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < value) low = middle;
      else high = middle;
    }
    if (low === high || high < 0) return high;
    return value - sorted[low]! <= sorted[high]! - value ? low : high;
  }

  // What uPlot may propose as the step of a log axis: whole decades, or parts of one down to a zoom that resolves 1e-7.
  const logSteps = [1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 3, 4, 5, 10, 20, 50, 100, 200];

  return { plotAxis, padded, ticks, nearest, logSteps };
}

export type AxisKit = ReturnType<typeof axisKit>;

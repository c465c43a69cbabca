// Converts a chart to the data of the page's script, for html-report.ts: finite numbers only, gaps as null, and each grid of x that several
// series share once.
import type { Chart, ChartSeries } from "../../document.js";
import { HUES } from "./palette.js";

/** One series of the page's data. */
export interface SeriesData {
  readonly label: string;
  readonly style: "line" | "dashed" | "points";
  /** Index of a color of the palette. */
  readonly hue: number;
  /** Which of the chart's grids holds x. */
  readonly grid: number;
  readonly y: readonly (number | null)[];
}

/** One chart of the page's data. */
export interface ChartData {
  /** The figure's id in the document. */
  readonly id: string;
  readonly x: Chart["x"];
  readonly y: Chart["y"];
  readonly grids: readonly (readonly number[])[];
  readonly series: readonly SeriesData[];
  /** Places of the two series on both sides of each filled area. */
  readonly bands: NonNullable<Chart["bands"]>;
}

// Ten digits are far below what a screen resolves at any zoom of use, and make the file a third smaller than all seventeen.
const DIGITS = 10;

// Whether a value has a place on an axis.
function drawable(value: number | null | undefined, scale: "linear" | "log"): value is number {
  return typeof value === "number" && Number.isFinite(value) && (scale === "linear" || value > 0);
}

/** The data of one chart; `id` is the figure's in the document. */
export function chartData(chart: Chart, id: string): ChartData {
  const grids: number[][] = [];
  const places = new Map<string, number>();
  const series = chart.series.map((one, position): SeriesData => {
    const { x, y } = finitePoints(one, chart);
    const key = x.join(" ");
    let grid = places.get(key);
    if (grid === undefined) {
      grid = grids.push(x) - 1;
      places.set(key, grid);
    }
    return { label: one.label, style: one.style ?? "line", hue: hueOf(one.hue ?? position), grid, y };
  });
  return { id, x: chart.x, y: chart.y, grids, series, bands: chart.bands ?? [] };
}

// Points without an x that can be drawn are dropped; where only y has no place a gap stays.
function finitePoints(series: ChartSeries, chart: Chart): { x: number[]; y: (number | null)[] } {
  const x: number[] = [];
  const y: (number | null)[] = [];
  for (const [index, at] of series.x.entries()) {
    if (!drawable(at, chart.x.scale)) continue;
    const value = series.y[index];
    x.push(rounded(at));
    y.push(drawable(value, chart.y.scale) ? rounded(value) : null);
  }
  return { x, y };
}

function rounded(value: number): number {
  const short = Number(value.toPrecision(DIGITS));
  // The largest doubles round to infinity.
  return Number.isFinite(short) ? short : value;
}

function hueOf(hue: number): number {
  const whole = Math.trunc(hue);
  return Number.isFinite(whole) ? ((whole % HUES) + HUES) % HUES : 0;
}

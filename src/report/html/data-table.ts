// Makes HTML tables of the numbers behind a chart, thinned: one table for all series that share a grid of x. Called by figure.ts.
import { counted } from "../numbers.js";
import type { ChartData, SeriesData } from "./chart-data.js";
import { escapeHtml } from "./escape.js";
import { numberText } from "./number-text.js";

const MOST_ROWS = 60;
const LEAST_ROWS = 12;
// A chart of many series gets fewer rows for each: nobody reads thousands, and the file would be made of them.
const MOST_ROWS_IN_ALL = 1200;
const DIGITS = 6;

/** The tables of a chart, as markup. */
export function dataTables(chart: ChartData): string {
  const most = Math.min(MOST_ROWS, Math.max(LEAST_ROWS, Math.floor(MOST_ROWS_IN_ALL / chart.grids.length)));
  return chart.grids
    .map((grid, index) => {
      const series = chart.series.filter((one) => one.grid === index);
      return dataTable(chart.x.label, grid, series, thinned(grid.length, most));
    })
    .join("\n");
}

function dataTable(
  xLabel: string,
  grid: readonly number[],
  series: readonly SeriesData[],
  rows: readonly number[],
): string {
  const shown =
    rows.length === grid.length ? counted(grid.length, "row") : `${rows.length} of ${counted(grid.length, "row")}`;
  const name = series.length === 1 ? series[0]!.label : `${series.length} series`;
  const head = [xLabel, ...series.map((one) => one.label)].map((text) => `<th scope="col">${escapeHtml(text)}</th>`);
  const body = rows.map((row) => {
    const cells = series.map((one) => `<td>${numberText(one.y[row], DIGITS)}</td>`).join("");
    return `<tr><th scope="row">${numberText(grid[row], DIGITS)}</th>${cells}</tr>`;
  });
  return `<div class="wide" role="region" tabindex="0" aria-label="Data of ${escapeHtml(name)}"><table class="numbers">
<caption>${escapeHtml(name)}: ${shown}</caption>
<thead><tr>${head.join("")}</tr></thead>
<tbody>${body.join("")}</tbody></table></div>`;
}

/** At most `most` of the indices 0, ..., length - 1, evenly spread, the first and the last among them. */
export function thinned(length: number, most: number): number[] {
  if (length <= most) return Array.from({ length }, (_, index) => index);
  return Array.from({ length: most }, (_, k) => Math.round((k * (length - 1)) / (most - 1)));
}

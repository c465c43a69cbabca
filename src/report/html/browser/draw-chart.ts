/// <reference lib="dom" />
// Draws one chart of the report with uPlot in the browser, called by start-page.ts for every chart. page-program.ts embeds the function as
// text, so it refers to nothing but its parameters and the browser.
import type uPlot from "uplot";
import type { ChartData, SeriesData } from "../chart-data.js";
import type { Aligned, Points } from "./align-series.js";
import type { AxisKit, PlotAxis, Ticks } from "./axis-kit.js";

/** What drawChart is made of, handed over because nothing can be imported there. */
export interface Kit {
  readonly uPlot: typeof uPlot;
  readonly axes: AxisKit;
  readonly alignSeries: (series: readonly Points[]) => Aligned;
  readonly formatNumber: (value: number | null, digits?: number) => string;
}

/** The values under the cursor, one text a series in the order of the data; null when the cursor is elsewhere. */
export type Readings = { readonly x: string; readonly series: readonly string[] } | null;

/** A chart on the page. */
export interface DrawnChart {
  /** Takes the width of its place, or the one given. */
  fit(width?: number): void;
  /** Draws again, in the present colors. */
  redraw(): void;
  show(series: number, visible: boolean): void;
  /** Highlights one series; null: none. */
  point(series: number | null): void;
  resetZoom(): void;
}

/** The calls by which a chart notifies its figure. */
export interface ChartListener {
  readings(readings: Readings): void;
  zoomed(yes: boolean): void;
}

/** Draws the chart into `place`. */
export function drawChart(kit: Kit, place: HTMLElement, chart: ChartData, listener: ChartListener): DrawnChart {
  const CROWD = 8;
  const MARKED_POINTS = 40;
  const SIGHT = 24;
  const crowded = chart.series.filter((one) => one.style !== "dashed").length > CROWD;
  const styles = getComputedStyle(document.documentElement);
  const color = (name: string): string => styles.getPropertyValue(`--${name}`).trim();

  // Promises are drawn over measured lines and points over both, whatever the order of the data.
  const rank = { line: 0, dashed: 1, points: 2 };
  const order = chart.series.map((_, index) => index);
  order.sort((a, b) => rank[chart.series[a]!.style] - rank[chart.series[b]!.style] || a - b);
  const drawn = order.map((index) => chart.series[index]!);

  const xAxis = kit.axes.plotAxis(chart.x.scale === "log", chart.grids.flat());
  const yAxis = kit.axes.plotAxis(
    chart.y.scale === "log",
    chart.series.flatMap((one) => one.y),
  );
  const points = drawn.map((one) => ({
    x: chart.grids[one.grid]!.map(xAxis.toPlot),
    y: one.y.map((value) => (value === null ? null : yAxis.toPlot(value))),
  }));
  const { x: grid, y: columns, places } = kit.alignSeries(points);
  const ends: [number, number] = [grid[0] ?? 0, grid.at(-1) ?? 1];
  const placeValues = places.map((own) => own.map((index) => grid[index]!));
  const measuredGrid = placeValues
    .filter((_, position) => drawn[position]!.style !== "dashed")
    .flat()
    .sort((a, b) => a - b);

  // The height of a drawn line: null beside its ends and in its gaps.
  function lineAt({ x, y }: Points, at: number): number | null {
    const right = x.findIndex((value) => value >= at);
    if (right < 0) return null;
    const to = y[right] ?? null;
    if (x[right] === at) return to;
    const from = y[right - 1] ?? null;
    return from === null || to === null
      ? null
      : from + ((to - from) * (at - x[right - 1]!)) / (x[right]! - x[right - 1]!);
  }

  // Whether the cursor is among the measured points of a sorted list, or just beside its ends.
  function inSight(self: uPlot, values: readonly number[], at: number): boolean {
    if (values.length === 0) return false;
    const end = Math.min(Math.max(at, values[0]!), values.at(-1)!);
    return Math.abs(self.valToPos(end, "x") - self.valToPos(at, "x")) <= SIGHT;
  }

  // The x that everything is read at, so that values can be compared: the measured one nearest to the cursor, the cursor's own far from all of them.
  function readAt(self: uPlot): number {
    const at = self.posToVal(self.cursor.left!, "x");
    return inSight(self, measuredGrid, at) ? measuredGrid[kit.axes.nearest(measuredGrid, at)]! : at;
  }

  // The grid's index of the point of a series that is read: the one nearest in x, of several at one x the one nearest in y.
  // None for promises, and none where the series does not reach.
  function pointRead(self: uPlot, series: number, closest: number): number | null {
    if (series === 0) return closest;
    const at = readAt(self);
    const values = placeValues[series - 1]!;
    if (drawn[series - 1]!.style === "dashed" || !inSight(self, values, at)) return null;
    const x = values[kit.axes.nearest(values, at)]!;
    const y = self.posToVal(self.cursor.top!, "y");
    const distance = (index: number): number => Math.abs((columns[series - 1]![index] ?? Number.POSITIVE_INFINITY) - y);
    const candidates = places[series - 1]!.slice(values.indexOf(x), values.lastIndexOf(x) + 1);
    return candidates.reduce((best, index) => (distance(index) < distance(best) ? index : best));
  }

  // Twelve digits hide that the value went to a position and back; whole numbers stay whole.
  function text(axis: PlotAxis, position: number | null): string {
    const value = position === null ? null : Number(axis.fromPlot(position).toPrecision(12));
    return Number.isSafeInteger(value) ? String(value) : kit.formatNumber(value);
  }

  function read(self: uPlot): void {
    const { left = -1, idxs = [] } = self.cursor;
    if (left < 0) {
      listener.readings(null);
      return;
    }
    const at = readAt(self);
    const texts = new Array<string>(drawn.length);
    for (const [position, index] of order.entries()) {
      const place = idxs[position + 1] ?? null;
      const measured = place === null ? null : (columns[position]![place] ?? null);
      const line = drawn[position]!.style === "points" ? null : lineAt(points[position]!, at);
      texts[index] = text(yAxis, line ?? measured);
    }
    listener.readings({ x: text(xAxis, at), series: texts });
  }

  // What is in sight, in the units of the data, for those who look on from outside.
  function tellRange(self: uPlot, scale: string): void {
    const { min = 0, max = 1 } = self.scales[scale]!;
    const axis = scale === "x" ? xAxis : yAxis;
    place.setAttribute(`data-${scale}`, `${axis.fromPlot(min)} ${axis.fromPlot(max)}`);
  }

  function seriesOptions(one: SeriesData): uPlot.Series {
    const stroke = (): string => color(`${one.style === "dashed" ? "promise" : "hue"}-${one.hue}`);
    const marked = one.style === "line" && !crowded && one.y.length <= MARKED_POINTS;
    const size = one.style === "points" ? 7 : 5.5;
    const width = one.style === "dashed" ? 2 : crowded ? 1.25 : 2.5;
    return {
      label: one.label,
      scale: "y",
      stroke,
      width,
      // Between pixels: rounded to whole ones, smooth curves have steps.
      pxAlign: 0,
      points: { show: marked || one.style === "points", size, width: 1, stroke, fill: stroke },
      ...(one.style === "dashed" ? { dash: [7, 5] } : {}),
      ...(one.style === "points" ? { paths: () => null } : {}),
    };
  }

  function axisOptions(axis: PlotAxis, label: string, scale: "x" | "y"): uPlot.Axis {
    const font = "12px system-ui, sans-serif";
    const grid = (): string => color("grid");
    const rule = (): string => color("rule");
    let current: Ticks = { all: [], labels: new Map() };
    const labeled = (_self: uPlot, splits: number[]): (number | null)[] =>
      splits.map((at) => (current.labels.has(at) ? at : null));
    return {
      scale,
      label,
      font,
      labelFont: "13px system-ui, sans-serif",
      labelSize: 20,
      labelGap: 2,
      gap: 4,
      stroke: () => color("ink"),
      space: scale === "x" ? 64 : 34,
      ...(axis.log ? { incrs: kit.axes.logSteps } : {}),
      splits: (_self, _index, min, max, step, space) => {
        current = kit.axes.ticks(axis, min, max, step, space);
        return current.all;
      },
      filter: labeled,
      values: (_self, splits) => splits.map((at) => (at === null ? null : (current.labels.get(at) ?? null))),
      size: scale === "x" ? 30 : (_self, values) => 14 + 7 * Math.max(3, ...(values ?? []).map((v) => v?.length ?? 0)),
      grid: { stroke: grid, width: 1, filter: labeled },
      ticks: { stroke: rule, width: 1, size: 6 },
      border: { show: true, stroke: rule, width: 1 },
    };
  }

  // uPlot fills from the upper series down to the lower one, in a color of 1/8 opacity.
  const bands = chart.bands.map(([lower, upper]): uPlot.Band => {
    const hue = chart.series[upper]!.hue;
    return {
      series: [order.indexOf(upper) + 1, order.indexOf(lower) + 1],
      fill: () => `${color(`hue-${hue}`)}20`,
    };
  });

  const height = (width: number): number => Math.round(Math.min(400, Math.max(260, 0.46 * width)));
  const full = place.clientWidth;
  const plot = new kit.uPlot(
    {
      width: full,
      height: height(full),
      padding: [10, 14, 0, 0],
      legend: { show: false },
      focus: { alpha: 0.2 },
      cursor: {
        dataIdx: pointRead,
        drag: { x: true, y: true, uni: 40, dist: 6 },
        points: { size: 9, one: crowded },
        focus: { prox: crowded ? 24 : -1 },
      },
      scales: {
        x: {
          time: false,
          // Called for every zoom too: the margin belongs to the whole only.
          range: (_self, min, max) =>
            min === null || (min === ends[0] && max === ends[1]) ? kit.axes.padded(min, max) : [min, max],
        },
        y: { range: (_self, min, max) => kit.axes.padded(min, max) },
      },
      series: [{}, ...drawn.map(seriesOptions)],
      bands,
      axes: [axisOptions(xAxis, chart.x.label, "x"), axisOptions(yAxis, chart.y.label, "y")],
      hooks: {
        setCursor: [read],
        setSelect: [() => listener.zoomed(true)],
        setScale: [tellRange],
      },
    },
    [grid, ...columns],
    place,
  );
  plot.over.addEventListener("dblclick", () => listener.zoomed(false));

  return {
    fit: (width = place.clientWidth) => {
      if (width !== plot.width) plot.setSize({ width, height: height(width) });
    },
    redraw: () => plot.redraw(),
    show: (series, visible) => plot.setSeries(order.indexOf(series) + 1, { show: visible }),
    point: (series) => plot.setSeries(series === null ? null : order.indexOf(series) + 1, { focus: true }),
    resetZoom: () => {
      plot.setScale("x", { min: ends[0], max: ends[1] });
      listener.zoomed(false);
    },
  };
}

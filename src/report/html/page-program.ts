// The page's script: functions of ./browser and of numbers.ts as text, put together by hand. They are written, typed and checked
// like all others; what makes them fit for travel is that they refer to nothing outside of themselves.
import { formatNumber } from "../numbers.js";
import { alignSeries } from "./browser/align-series.js";
import { axisKit } from "./browser/axis-kit.js";
import { drawChart } from "./browser/draw-chart.js";
import { startPage } from "./browser/start-page.js";
import { wireFigure } from "./browser/wire-figure.js";

/** The script that draws the charts of the document; uPlot must have been read before. */
export function pageProgram(): string {
  return `(() => {
"use strict";
const kit = { uPlot, axes: (${String(axisKit)})(), alignSeries: ${String(alignSeries)}, formatNumber: ${String(formatNumber)} };
(${String(startPage)})(kit, ${String(drawChart)}, ${String(wireFigure)});
})();`;
}

// Assembles the script of the report's page, for html-report.ts, from the text of the functions in ./browser and in numbers.ts. They are
// typed and checked like all others; they can be embedded because they refer to nothing outside themselves.
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

// Makes one HTML file of the outcomes of experiments; gaussflow experiment calls it at its end. The file needs nothing else: no network, no
// fonts, no other files. Its content security policy allows exactly the script and the style sheet written here, by their hashes.
import { createHash } from "node:crypto";
import type { ExperimentOutcome } from "../document.js";
import { argumentError } from "../errors.js";
import { type ChartData, chartData } from "./html/chart-data.js";
import { escapeHtml, scriptJson, slug } from "./html/escape.js";
import { experimentSection } from "./html/experiment-section.js";
import { type Entry, header, navigation, type ReportMeta, reportTitle, summary } from "./html/heading.js";
import { pageProgram } from "./html/page-program.js";
import { styleSheet } from "./html/style-sheet.js";
import { uplotFiles } from "./html/uplot-files.js";

export type { ReportMeta } from "./html/heading.js";

/**
 * The report as the text of an HTML file.
 *
 * @throws GaussflowError GAUSSFLOW_ARGUMENT when two experiments, or two charts of one, bear the same name.
 */
export function htmlReport(outcomes: readonly ExperimentOutcome[], meta: ReportMeta): string {
  const ids = new Set(["main", "summary", "report-data"]);
  const entries = outcomes.map((outcome): Entry => ({ outcome, id: claimed(ids, slug(outcome.name)) }));
  const charts = entries.map(({ outcome, id }) =>
    outcome.charts.map((chart) => chartData(chart, claimed(ids, `${id}-${slug(chart.id)}`))),
  );
  const uplot = uplotFiles();
  const style = `${uplot.style}\n${styleSheet()}`;
  const script = `/*\nuPlot ${uplot.version}\n${uplot.license}\n*/\n${uplot.script}\n${pageProgram()}`;
  const title = reportTitle(outcomes);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(script, style)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="${ICON}">
<style>${style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
${header(title, meta)}
${navigation(entries)}
<main id="main" tabindex="-1">
${summary(entries)}
${sections(entries, charts)}
</main>
<footer><p>Made by gaussflow ${escapeHtml(meta.version)}; charts drawn by uPlot ${escapeHtml(uplot.version)} (MIT license).</p></footer>
<script type="application/json" id="report-data">${scriptJson(charts.flat())}</script>
<script>${script}</script>
</body>
</html>
`;
}

function sections(entries: readonly Entry[], charts: readonly (readonly ChartData[])[]): string {
  return entries.map(({ outcome, id }, index) => experimentSection(outcome, id, charts[index]!)).join("\n");
}

// Two figures of one id would be drawn into one place, and written to one file.
function claimed(ids: Set<string>, id: string): string {
  if (ids.has(id)) throw argumentError("outcomes", "must have names and chart ids of their own", id);
  ids.add(id);
  return id;
}

function policy(script: string, style: string): string {
  const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  return [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

// A falling curve, 16 x 16.
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M2 2c2 9 5 11 12 12' fill='none' stroke='%232fadfc' stroke-width='3' stroke-linecap='round'/%3E%3C/svg%3E";

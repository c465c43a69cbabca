// Makes the HTML file around the content of a report, for html-report.ts and fit-report.ts. The file needs nothing else: no network, no fonts, no
// other files. Its content security policy allows exactly the script and the style sheet written here, by their hashes.
import { createHash } from "node:crypto";
import { argumentError } from "../../errors.js";
import type { ChartData } from "./chart-data.js";
import { escapeHtml, scriptJson } from "./escape.js";
import { pageProgram } from "./page-program.js";
import { styleSheet } from "./style-sheet.js";
import { uplotFiles } from "./uplot-files.js";

/** The parts of a report. */
export interface ReportParts {
  /** Of the page, as text. */
  readonly title: string;
  /** Markup. */
  readonly header: string;
  /** Markup. */
  readonly navigation: string;
  /** Markup of the main part. */
  readonly content: string;
  /** Data of all figures. */
  readonly charts: readonly ChartData[];
  /** Of gaussflow. */
  readonly version: string;
}

/** The text of the file. */
export function htmlDocument({ title, header, navigation, content, charts, version }: ReportParts): string {
  const uplot = uplotFiles();
  const style = `${uplot.style}\n${styleSheet()}`;
  const script = `/*\nuPlot ${uplot.version}\n${uplot.license}\n*/\n${uplot.script}\n${pageProgram()}`;
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
${header}
${navigation}
<main id="main" tabindex="-1">
${content}
</main>
<footer><p>Made by gaussflow ${escapeHtml(version)}; charts drawn by uPlot ${escapeHtml(uplot.version)} (MIT license).</p></footer>
<script type="application/json" id="report-data">${scriptJson(charts)}</script>
<script>${script}</script>
</body>
</html>
`;
}

/**
 * Takes an id of the document. Two figures of one id would be drawn into one place, and written to one file.
 *
 * @throws GaussflowError GAUSSFLOW_ARGUMENT where the id is taken.
 */
export function claimed(ids: Set<string>, id: string): string {
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

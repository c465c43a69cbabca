// Makes a chart as a figure of the report, for experiment-section.ts: title, a canvas with a description for those who do not see it, a
// legend of buttons, and the data in a fold. The part that runs in the browser is ./browser/wire-figure.ts.
import type { Chart } from "../../document.js";
import type { ChartData, SeriesData } from "./chart-data.js";
import { dataTables } from "./data-table.js";
import { escapeHtml } from "./escape.js";

// From this many series on: a narrower legend, and buttons for all at once.
const MANY = 8;

/** The figure of one chart. */
export function figure(chart: Chart, data: ChartData): string {
  const { id, series } = data;
  const empty = series.every((one) => one.y.every((value) => value === null));
  const many = series.length > MANY;
  return `<figure role="group" id="${id}" aria-labelledby="${id}:title">
<figcaption><h3 id="${id}:title">${escapeHtml(chart.title)}</h3></figcaption>
<div class="picture" role="img" aria-label="${escapeHtml(chart.alt)}"><div class="canvas" aria-hidden="true"></div></div>
${empty ? '<p class="note">There are no finite values to draw.</p>\n' : ""}<div class="legend${many ? " many" : ""}">
<div class="at-x"><span class="reading" hidden>${escapeHtml(chart.x.label)}: <span class="value"></span></span><span class="tools">${RESET}${many ? ALL_OR_NONE : ""}</span></div>
<ul aria-label="Series; press one to hide or show it">${series.map(legendEntry).join("")}</ul>
</div>
<details><summary>Description and data</summary>
<p>${escapeHtml(chart.alt)}</p>
${dataTables(data)}
</details>
</figure>`;
}

const ALL_OR_NONE =
  '<button type="button" data-show="all">Show all</button><button type="button" data-show="none">Hide all</button>';
const RESET = '<button type="button" class="reset" disabled>Reset zoom</button>';

// Marks of the three styles, 26 x 10.
const MARKS: Readonly<Record<SeriesData["style"], string>> = {
  line: '<path d="M1 5H25"/>',
  dashed: '<path d="M1 5H25"/>',
  points: '<circle cx="13" cy="5" r="4"/>',
};

function legendEntry(one: SeriesData): string {
  const mark = `<svg class="mark ${one.style} hue-${one.hue}" viewBox="0 0 26 10" aria-hidden="true">${MARKS[one.style]}</svg>`;
  return `<li><button type="button" aria-pressed="true">${mark}<span class="name">${escapeHtml(one.label)}</span></button><span class="value"></span></li>`;
}

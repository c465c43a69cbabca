// Makes one HTML file of a fit: parameters, data and curve, residuals, correlation, profiles. gaussflow fit --report writes it.
import type { Chart, Table } from "../document.js";
import type { ParameterProfile } from "../fit/profile.js";
import {
  curveChart,
  type FittedCurve,
  type FittedRows,
  profileChart,
  quantileChart,
  residualChart,
} from "./fit-charts.js";
import { columnsOf, parameterRows, type SummarizedFit, summaryLines } from "./fit-summary.js";
import { chartData } from "./html/chart-data.js";
import { claimed, htmlDocument } from "./html/document-frame.js";
import { escapeHtml, slug } from "./html/escape.js";
import { dataTable } from "./html/experiment-section.js";
import { figure } from "./html/figure.js";
import { header, type ReportMeta } from "./html/heading.js";
import { formatNumber } from "./numbers.js";

/** What the report shows. */
export interface ReportedFit extends SummarizedFit {
  /** The model, such as "y = b1 * exp(-b2 * x)". */
  readonly formula: string;
  /** True where the fit ended at a minimum. */
  readonly converged: boolean;
  readonly rows: FittedRows;
  /** Null where the model has several variables. */
  readonly curve: FittedCurve | null;
  readonly profiles: readonly ParameterProfile[];
}

/** The report as the text of an HTML file. */
export function fitReport(fit: ReportedFit, meta: ReportMeta): string {
  const { statistics, rows, profiles, names } = fit;
  const charts = [
    curveChart(rows, fit.curve, statistics.level),
    residualChart(rows),
    quantileChart(rows),
    ...profiles.map((profile) => profileChart(profile, names.indexOf(profile.parameter), fit)),
  ];
  const ids = new Set(["main", "summary", "curve", "residuals", "correlation", "profiles", "report-data"]);
  const data = charts.map((chart) => chartData(chart, claimed(ids, `chart-${slug(chart.id)}`)));
  const drawn = (from: number, to: number): string =>
    charts
      .slice(from, to)
      .map((chart: Chart, k) => figure(chart, data[from + k]!))
      .join("\n");
  const sections = [
    {
      id: "summary",
      title: "Parameters",
      content: `${verdict(fit)}\n${dataTable(parameterTable(fit))}\n${CHART_HELP}`,
    },
    { id: "curve", title: "Data and fit", content: drawn(0, 1) },
    { id: "residuals", title: "Residuals", content: drawn(1, 3) },
    { id: "correlation", title: "Correlation", content: `${CORRELATION_HELP}\n${dataTable(correlationTable(fit))}` },
    ...(profiles.length === 0
      ? []
      : [{ id: "profiles", title: "Profiles", content: `${PROFILE_HELP}\n${drawn(3, charts.length)}` }]),
  ];
  const title = `${fit.formula}: gaussflow fit`;
  return htmlDocument({
    title,
    header: header(title, meta),
    navigation: `<nav aria-label="Sections"><ul>${sections.map(({ id, title: name }) => `<li><a href="#${id}">${escapeHtml(name)}</a></li>`).join("")}</ul></nav>`,
    content: sections
      .map(
        ({ id, title: name, content }) =>
          `<section id="${id}" aria-labelledby="${id}:title">\n<h2 id="${id}:title">${escapeHtml(name)}</h2>\n${content}\n</section>`,
      )
      .join("\n"),
    charts: data,
    version: meta.version,
  });
}

const CHART_HELP = `<p class="note">Drag over a chart to zoom, double-click it to see all again; press an entry of a legend to hide or show its series.</p>
<noscript><p class="note">The charts are drawn by a script, which this browser does not run; their numbers stand under “Description
and data”.</p></noscript>`;
const CORRELATION_HELP = `<p class="purpose">Correlation of the estimates by the linearized model. Near 1 or -1 the data tell two parameters hardly apart: only a
combination of them is well known.</p>`;
const PROFILE_HELP = `<p class="purpose">Each parameter was held at values beside its estimate and the others were fitted again. The interval ends where the solid
line crosses the levels. Where it is straight, the linearized interval is as good; where it is curved, the profile is right.</p>`;

function verdict(fit: ReportedFit): string {
  const lines = summaryLines(fit);
  const [first = "", ...others] = lines;
  const tone = fit.converged && fit.statistics.warnings.length === 0 ? "good" : "bad";
  return `<div class="verdict ${tone}"><p><strong>${escapeHtml(first)}</strong></p>\n${others.map((line) => `<p>${escapeHtml(line)}</p>`).join("\n")}</div>`;
}

function parameterTable(fit: ReportedFit): Table {
  return {
    title: "Estimates",
    columns: columnsOf(fit.statistics).map(({ heading }) => heading),
    rows: parameterRows(fit),
  };
}

function correlationTable({ names, statistics: { correlation } }: ReportedFit): Table {
  const p = names.length;
  const cells = (i: number): string[] => names.slice(0, i + 1).map((_, j) => formatNumber(correlation[i * p + j], 3));
  return { title: "Correlation matrix", columns: ["", ...names], rows: names.map((name, i) => [name, ...cells(i)]) };
}

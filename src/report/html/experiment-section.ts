// Makes the section of one experiment in the HTML report: purpose, settings, claims, charts, tables. Called by html-report.ts.
import type { Claim, ExperimentOutcome, Table } from "../../document.js";
import { counted, formatSeconds } from "../numbers.js";
import type { ChartData } from "./chart-data.js";
import { escapeHtml } from "./escape.js";
import { figure } from "./figure.js";
import { heatMapFigure } from "./heat-map.js";
import { numberText } from "./number-text.js";

/** The section; `charts` holds the data of the outcome's charts in their order, `maps` the ids of its heat maps. */
export function experimentSection(
  outcome: ExperimentOutcome,
  id: string,
  charts: readonly ChartData[],
  maps: readonly string[],
): string {
  const parts = [
    `<h2 id="${id}:title">${escapeHtml(outcome.title)}</h2>`,
    `<p class="purpose">${escapeHtml(outcome.purpose)}</p>`,
    facts([
      ...Object.entries(outcome.settings).map(([name, value]) => [name, String(value)] as const),
      ["engine", outcome.engine],
      ["time", formatSeconds(outcome.seconds)],
      ["runs", String(outcome.runs.length)],
    ]),
    outcome.claims.length > 0 ? claims(outcome.claims) : "",
    ...outcome.charts.map((chart, index) => figure(chart, charts[index]!)),
    ...(outcome.maps ?? []).map((map, index) => heatMapFigure(map, maps[index]!)),
    ...outcome.tables.map(dataTable),
  ];
  return `<section id="${id}" aria-labelledby="${id}:title">\n${parts.filter((part) => part !== "").join("\n")}\n</section>`;
}

/** Names and values in one run of text. */
export function facts(pairs: readonly (readonly [string, string])[]): string {
  const items = pairs.map(([name, value]) => `<div><dt>${escapeHtml(name)}</dt> <dd>${escapeHtml(value)}</dd></div>`);
  return `<dl class="facts">${items.join("")}</dl>`;
}

/** How many claims hold, in words. */
export function tally(claims: readonly Claim[]): string {
  const holding = claims.filter((claim) => claim.holds).length;
  return `${holding} of ${counted(claims.length, "claim")} ${claims.length === 1 ? "holds" : "hold"}`;
}

function claims(all: readonly Claim[]): string {
  const rows = all.map(
    ({ claim, promised, measured, holds }) =>
      `<tr><th scope="row">${escapeHtml(claim)}</th><td data-label="Promised">${escapeHtml(promised)}</td><td data-label="Measured">${escapeHtml(measured)}</td><td data-label="Verdict">${verdict(holds)}</td></tr>`,
  );
  return `<h3>Claims</h3>
<table class="claims"><caption>${tally(all)}</caption>
<thead><tr><th scope="col">Claim</th><th scope="col">Promised</th><th scope="col">Measured</th><th scope="col">Verdict</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table>`;
}

function verdict(holds: boolean): string {
  return holds
    ? '<span class="good"><span aria-hidden="true">✓ </span>holds</span>'
    : '<span class="bad"><span aria-hidden="true">✗ </span>does not hold</span>';
}

/** A table with its heading; columns of numbers are aligned at the right. */
export function dataTable(one: Table): string {
  const numeric = one.columns.map((_, column) => one.rows.every((row) => looksNumeric(row[column])));
  const kind = (column: number): string => (numeric[column] ? ' class="number"' : "");
  const head = one.columns.map((name, column) => `<th scope="col"${kind(column)}>${escapeHtml(name)}</th>`);
  const rows = one.rows.map((row) => {
    const cells = one.columns.map((_, column) => `<td${kind(column)}>${escapeHtml(cellText(row[column]))}</td>`);
    return `<tr>${cells.join("")}</tr>`;
  });
  const name = escapeHtml(one.title);
  return `<h3>${name}</h3>
<div class="wide" role="region" tabindex="0" aria-label="${name}"><table><caption class="unseen">${name}</caption>
<thead><tr>${head.join("")}</tr></thead>
<tbody>${rows.join("\n")}</tbody></table></div>`;
}

// Numbers are aligned at their last digit, also those given as text, and so is the dash for a missing one.
function looksNumeric(value: string | number | undefined): boolean {
  return typeof value !== "string" || /^([-+\u2212]?\d[\d.,]*(e[-+]?\d+)?( ?%)?|-?inf|[-\u2013\u2014]?)$/i.test(value);
}

function cellText(value: string | number | undefined): string {
  return typeof value === "string" ? value : numberText(value);
}

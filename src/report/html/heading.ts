// Makes the top of the report, for html-report.ts: what was run, how many claims hold and which do not, and the links to each experiment.
import type { ExperimentOutcome } from "../../document.js";
import { formatSeconds } from "../numbers.js";
import { escapeHtml } from "./escape.js";
import { facts, tally } from "./experiment-section.js";

/** What the report says of its making. */
export interface ReportMeta {
  /** The command line that made it. */
  readonly command: string;
  /** Of gaussflow. */
  readonly version: string;
  readonly engine: string;
  /** Processor, cores, system. */
  readonly machine: string;
  readonly date: string;
}

/** An outcome and the id of its section. */
export interface Entry {
  readonly outcome: ExperimentOutcome;
  readonly id: string;
}

/** The name of the report: the experiment's where there is one only. */
export function reportTitle(outcomes: readonly ExperimentOutcome[]): string {
  return outcomes.length === 1 ? `${outcomes[0]!.title}: gaussflow report` : "gaussflow: report of experiments";
}

/** The header, with the command and its surroundings. */
export function header(title: string, meta: ReportMeta): string {
  // A word of the command at a time: browsers break lines after hyphens, which tears options apart.
  const words = meta.command.split(" ").map((word) => `<span>${escapeHtml(word)}</span>`);
  return `<header>
<h1>${escapeHtml(title)}</h1>
<pre class="command"><code>${words.join(" ")}</code></pre>
${facts([
  ["gaussflow", meta.version],
  ["engine", meta.engine],
  ["machine", meta.machine],
  ["date", meta.date],
])}
</header>`;
}

/** The list of the experiments, each with its way. */
export function navigation(entries: readonly Entry[]): string {
  const items = entries.map(({ outcome, id }) => {
    const failed = outcome.claims.filter((claim) => !claim.holds).length;
    const mark = failed > 0 ? ` <span class="bad">${failed} not held</span>` : "";
    return `<li><a href="#${id}">${escapeHtml(outcome.title)}</a>${mark}</li>`;
  });
  return `<nav aria-label="Experiments"><ul><li><a href="#summary">Summary</a></li>${items.join("")}</ul></nav>`;
}

/** How many claims hold in all, which do not, and a line for each experiment. */
export function summary(entries: readonly Entry[]): string {
  const claims = entries.flatMap(({ outcome }) => outcome.claims);
  const failed = entries.flatMap(({ outcome, id }) =>
    outcome.claims
      .filter((claim) => !claim.holds)
      .map((claim) => `<li><a href="#${id}">${escapeHtml(outcome.title)}</a>: ${escapeHtml(claim.claim)}</li>`),
  );
  const tone = failed.length > 0 ? "bad" : "good";
  const list = failed.length > 0 ? `\n<p>These do not:</p>\n<ul>${failed.join("\n")}</ul>` : "";
  const rows = entries.map(
    ({ outcome, id }) =>
      `<tr><th scope="row"><a href="#${id}">${escapeHtml(outcome.title)}</a></th><td>${outcome.claims.length > 0 ? tally(outcome.claims) : "no claims"}</td><td class="number">${formatSeconds(outcome.seconds)}</td></tr>`,
  );
  return `<section id="summary" aria-labelledby="summary:title">
<h2 id="summary:title">Summary</h2>
<div class="verdict ${tone}"><p><strong>${tally(claims)}.</strong></p>${list}</div>
<table><caption class="unseen">Experiments</caption>
<thead><tr><th scope="col">Experiment</th><th scope="col">Claims</th><th scope="col" class="number">Time</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table>
<p class="note">In the charts, solid lines and dots were measured, dashed lines were promised; a measurement and its promise share a
color. Drag over a chart to zoom, double-click it to see all again; press an entry of a legend to hide or show its series.</p>
<noscript><p class="note">The charts are drawn by a script, which this browser does not run; their numbers stand under “Description
and data”.</p></noscript>
</section>`;
}

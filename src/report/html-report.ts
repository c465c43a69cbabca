// Makes one HTML file of the outcomes of experiments; gaussflow experiment calls it at its end.
import type { ExperimentOutcome } from "../document.js";
import { type ChartData, chartData } from "./html/chart-data.js";
import { claimed, htmlDocument } from "./html/document-frame.js";
import { slug } from "./html/escape.js";
import { experimentSection } from "./html/experiment-section.js";
import { type Entry, header, navigation, type ReportMeta, reportTitle, summary } from "./html/heading.js";

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
  const maps = entries.map(({ outcome, id }) =>
    (outcome.maps ?? []).map((map) => claimed(ids, `${id}-${slug(map.id)}`)),
  );
  const title = reportTitle(outcomes);
  return htmlDocument({
    title,
    header: header(title, meta),
    navigation: navigation(entries),
    content: `${summary(entries)}\n${sections(entries, charts, maps)}`,
    charts: charts.flat(),
    version: meta.version,
  });
}

function sections(
  entries: readonly Entry[],
  charts: readonly (readonly ChartData[])[],
  maps: readonly (readonly string[])[],
): string {
  return entries
    .map(({ outcome, id }, index) => experimentSection(outcome, id, charts[index]!, maps[index]!))
    .join("\n");
}

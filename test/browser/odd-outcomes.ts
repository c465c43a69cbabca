// Outcomes that no experiment should make and a report must survive: hostile text in every field, charts without anything to
// draw, values at the ends of the range of doubles.
import type { Axis, Chart, ChartSeries, ExperimentOutcome } from "../../src/document.js";
import type { ReportMeta } from "../../src/report/html-report.js";

/** Ends a script, an attribute and a comment; runs `window.pwned = true` where any of that succeeds. */
export const HOSTILE =
  '</script><script>window.pwned=true</script><img src=x onerror="window.pwned=true">\'--><!--\u2028\u0000&amp;';

export const HOSTILE_META: ReportMeta = {
  command: HOSTILE,
  version: HOSTILE,
  engine: HOSTILE,
  machine: HOSTILE,
  date: HOSTILE,
};

/** Hostile text wherever text goes. */
export function hostileOutcome(): ExperimentOutcome {
  const axis: Axis = { label: HOSTILE, scale: "linear" };
  return {
    name: HOSTILE,
    title: HOSTILE,
    purpose: HOSTILE,
    settings: { [HOSTILE]: HOSTILE },
    claims: [
      { claim: HOSTILE, promised: HOSTILE, measured: HOSTILE, holds: false },
      { claim: HOSTILE, promised: HOSTILE, measured: HOSTILE, holds: true },
    ],
    charts: [
      {
        id: HOSTILE,
        title: HOSTILE,
        alt: HOSTILE,
        x: axis,
        y: axis,
        series: [{ label: HOSTILE, x: [0, 1], y: [1, 2] }],
      },
    ],
    tables: [{ title: HOSTILE, columns: [HOSTILE], rows: [[HOSTILE]] }],
    runs: [],
    engine: HOSTILE,
    seconds: Number.NaN,
  };
}

function chart(id: string, scale: "linear" | "log", ...series: Omit<ChartSeries, "label">[]): Chart {
  return {
    id,
    title: id,
    alt: `The chart ${id}.`,
    x: { label: "x", scale },
    y: { label: "y", scale },
    series: series.map((one, index) => ({ label: `series ${index}`, ...one })),
  };
}

/** Charts with nothing to draw, with one point, with one value, of the largest and smallest doubles. */
export function oddOutcome(): ExperimentOutcome {
  const { NaN: nan, POSITIVE_INFINITY: inf, MAX_VALUE, MIN_VALUE } = Number;
  return {
    name: "odd",
    title: "Odd charts",
    purpose: "None of these may stop the page.",
    settings: {},
    claims: [],
    charts: [
      chart("no-series", "linear"),
      chart("no-points", "log", { x: [], y: [] }),
      chart("not-finite", "linear", { x: [0, 1, nan, 3], y: [nan, inf, 1, null] }),
      chart("not-positive", "log", { x: [0, -1, 2], y: [1, 1, 0] }),
      chart("one-point", "linear", { x: [3], y: [4] }),
      chart("one-point-log", "log", { x: [3], y: [4] }),
      chart("one-value", "linear", { x: [0, 1, 2], y: [5, 5, 5] }, { x: [0, 2], y: [5, 5], style: "dashed" }),
      chart("one-x", "linear", { x: [2, 2, 2], y: [1, 2, 3], style: "points" }),
      chart("tiny", "linear", { x: [1e-30, 2e-30], y: [3e-200, 4e-200] }),
      chart("huge", "linear", { x: [0, 1e300], y: [-MAX_VALUE, MAX_VALUE] }),
      chart("whole-range", "log", { x: [MIN_VALUE, 1, MAX_VALUE], y: [MAX_VALUE, 1, MIN_VALUE] }),
      chart("narrow-log", "log", { x: [1, 1.01, 1.02], y: [3.001e-20, 3.002e-20, 3.003e-20], hue: -3 }),
      chart("rounding", "linear", { x: [0, 1], y: [1, 1 + 2 ** -50] }),
    ],
    tables: [{ title: "Empty", columns: ["a", "b"], rows: [] }],
    runs: [],
    engine: "reference",
    seconds: 0,
  };
}

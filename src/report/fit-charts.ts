// Makes the charts of a fit as plain data, for fit-report.ts: the curve with its intervals, residuals, and the profile of every parameter.
import type { Chart, ChartSeries } from "../document.js";
import type { ParameterProfile } from "../fit/profile.js";
import { normalQuantile } from "../normal-quantile.js";
import type { SummarizedFit } from "./fit-summary.js";
import { thinned } from "./html/data-table.js";
import { formatNumber, formatPercent } from "./numbers.js";

/** Most points of a chart: more are one area on a screen, and megabytes in the file. */
const MOST_POINTS = 5000;

/** A fitted curve over its one variable, on a grid in order. */
export interface FittedCurve {
  /** Name of the variable. */
  readonly variable: string;
  readonly x: Float64Array;
  readonly fitted: Float64Array;
  /** Interval of the curve itself. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** Interval of a new observation of weight 1; null where the noise is not known. */
  readonly observation: { readonly lower: Float64Array; readonly upper: Float64Array } | null;
}

/** Observations and what the model makes of them, row by row. */
export interface FittedRows {
  /** Name of what is observed. */
  readonly target: string;
  readonly observed: Float64Array;
  readonly fitted: Float64Array;
  /** Residuals over their standard deviation (observed - fitted); rows of weight 0 have NaN. */
  readonly standardized: Float64Array;
  /** The variable of the model, where it has one alone. */
  readonly x: { readonly name: string; readonly values: Float64Array } | null;
}

/** Places of the series whose area between them is filled. */
const CURVE_BAND: NonNullable<Chart["bands"]> = [[0, 1]];

/** Observations and the curve, or, of a model of several variables, observations against fitted values. */
export function curveChart(rows: FittedRows, curve: FittedCurve | null, level: number): Chart {
  const { target, observed, fitted } = rows;
  if (curve === null || rows.x === null) {
    const ends = [Math.min(...extent(fitted), ...extent(observed)), Math.max(...extent(fitted), ...extent(observed))];
    return {
      id: "curve",
      title: "Observed and fitted values",
      alt: `${observed.length} observations of ${target} against the values that the model gives them. On the dashed line both are equal.`,
      x: { label: `${target}, fitted`, scale: "linear" },
      y: { label: `${target}, observed`, scale: "linear" },
      series: [
        { label: "observations", ...points(fitted, observed), style: "points", hue: 0 },
        { label: "equal", x: ends, y: ends, style: "dashed", hue: 0 },
      ],
    };
  }
  const x = Array.from(curve.x);
  const line = (label: string, y: Float64Array, more: Partial<ChartSeries>): ChartSeries => ({
    label,
    x,
    y: Array.from(y),
    ...more,
  });
  const band = `${formatPercent(level)} interval`;
  const series = [
    line(`lower end, ${band} of the curve`, curve.lower, { style: "dashed", hue: 0 }),
    line(`upper end, ${band} of the curve`, curve.upper, { style: "dashed", hue: 0 }),
    line("fitted curve", curve.fitted, { hue: 0 }),
    { label: "observations", ...points(rows.x.values, observed), style: "points", hue: 1 } as const,
  ];
  const { observation } = curve;
  if (observation !== null)
    series.push(
      line(`lower end, ${band} of an observation`, observation.lower, { style: "dashed", hue: 2 }),
      line(`upper end, ${band} of an observation`, observation.upper, { style: "dashed", hue: 2 }),
    );
  return {
    id: "curve",
    title: "Data and fitted curve",
    alt: `${observed.length} observations of ${target} by ${curve.variable}, the fitted curve from ${formatNumber(curve.fitted[0])} at ${curve.variable} = ${formatNumber(x[0])} to ${formatNumber(curve.fitted.at(-1))} at ${formatNumber(x.at(-1))}, the ${band} of the curve${observation === null ? "" : " and that of a new observation"}.`,
    x: { label: curve.variable, scale: "linear" },
    y: { label: target, scale: "linear" },
    series,
    bands: observation === null ? CURVE_BAND : [...CURVE_BAND, [4, 5]],
  };
}

/** Residuals by the variable, or by the fitted values where there are several variables. */
export function residualChart(rows: FittedRows): Chart {
  const { x, fitted, standardized } = rows;
  const [name, at] = x === null ? [`${rows.target}, fitted`, fitted] : [x.name, x.values];
  const far = standardized.filter((value) => Math.abs(value) > 2).length;
  return {
    id: "residuals",
    title: "Residuals",
    alt: `${standardized.length} residuals over their standard deviation by ${name}; ${far} of them are beyond 2. A pattern means that the model lacks something.`,
    x: { label: name, scale: "linear" },
    y: { label: "residual / standard deviation", scale: "linear" },
    series: [
      { label: "residuals", ...points(at, standardized), style: "points", hue: 1 },
      { label: "0", x: extent(at), y: [0, 0], style: "dashed", hue: 5 },
    ],
  };
}

/** Residuals in order against the quantiles of a normal distribution: a line where the noise is normal. */
export function quantileChart({ standardized }: FittedRows): Chart {
  const sorted = standardized.filter((value) => !Number.isNaN(value)).sort();
  // Blom's positions (1958), as in R's qqnorm for small samples.
  const quantiles = sorted.map((_, i) => normalQuantile((i + 1 - 0.375) / (sorted.length + 0.25)));
  const ends = extent(quantiles);
  return {
    id: "quantiles",
    title: "Residuals against the normal distribution",
    alt: `${sorted.length} residuals in order, from ${formatNumber(sorted[0])} to ${formatNumber(sorted.at(-1))}, against normal quantiles. On the dashed line the noise is normal; outliers leave it at its ends.`,
    x: { label: "normal quantile", scale: "linear" },
    y: { label: "residual / standard deviation", scale: "linear" },
    series: [
      { label: "residuals", ...points(quantiles, sorted), style: "points", hue: 1 },
      { label: "normal", x: ends, y: ends, style: "dashed", hue: 5 },
    ],
  };
}

/** The signed root of a profile by the value of the parameter, beside the line of the linearized fit. */
export function profileChart(
  profile: ParameterProfile,
  place: number,
  { estimates, statistics }: SummarizedFit,
): Chart {
  const { parameter, level, lower, upper } = profile;
  const [estimate, standardError, quantile] = [estimates[place], statistics.standardErrors[place], statistics.quantile];
  const end = (value: number, side: string): string =>
    Number.isFinite(value) ? formatNumber(value, 6) : `no ${side} bound`;
  const linear = Number.isFinite(standardError) && standardError > 0;
  const reach = [-1.2 * quantile, 1.2 * quantile];
  // Steps far out show nothing but that the profile is flat there.
  const kept = Array.from(profile.values.keys()).filter((k) => Math.abs(profile.roots[k]) <= 1.5 * quantile);
  const ends = linear ? reach.map((root) => estimate + root * standardError) : [];
  const across = kept.map((k) => profile.values[k]);
  const wide = [Math.min(...across, ...ends), Math.max(...across, ...ends)];
  return {
    id: `profile-${place + 1}`,
    title: `Profile of ${parameter}`,
    alt: `Signed root of the rise of the sum of squares as ${parameter} is held at values beside its estimate ${formatNumber(estimate, 6)}. The ${formatPercent(level)} interval is from ${end(lower, "lower")} to ${end(upper, "upper")}. A straight line means that the linearized interval holds.`,
    x: { label: parameter, scale: "linear" },
    y: { label: "signed root, in standard deviations", scale: "linear" },
    series: [
      { label: "profile", x: across, y: kept.map((k) => profile.roots[k]), hue: 0 },
      ...(linear ? [{ label: "linearized", x: ends, y: reach, style: "dashed", hue: 0 } as const] : []),
      { label: `${formatPercent(level)}, lower`, x: wide, y: [-quantile, -quantile], style: "dashed", hue: 2 },
      { label: `${formatPercent(level)}, upper`, x: wide, y: [quantile, quantile], style: "dashed", hue: 2 },
    ],
  };
}

/** Points in order of x; of more than can be told apart a part, evenly spread over the order. */
function points(x: Float64Array, y: Float64Array): { x: number[]; y: number[] } {
  const all = Array.from(x.keys()).sort((a, b) => x[a] - x[b] || y[a] - y[b]);
  const order = thinned(all.length, MOST_POINTS).map((place) => all[place]);
  return { x: order.map((k) => x[k]), y: order.map((k) => y[k]) };
}

/** Least and largest value. */
function extent(values: Float64Array): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

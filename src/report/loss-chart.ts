// Draws the loss of a run with characters, for gaussflow train --plot and the demo: log10 of the training loss (a line) and of the
// validation loss (dots) over the iteration; the losses themselves where one is below 0. asciichart draws each curve on a common scale, and
// this file overlays them.
import asciichart from "asciichart";
import type { TrainRecord } from "../run/record.js";
import { type Painter, plain } from "./paint.js";

/** What the chart needs of a record. */
export type ChartRecord = Pick<TrainRecord, "iteration" | "accepted" | "loss" | "validationLoss">;

export interface ChartOptions {
  /** Columns in all, at least 30. */
  readonly width?: number;
  /** Rows of the plot, at least 3. */
  readonly height?: number;
  readonly paint?: Painter;
  /** The iteration whose network was kept; named in the legend. */
  readonly kept?: number | null;
}

interface Curve {
  readonly iterations: number[];
  /** Heights in the plot. */
  readonly heights: number[];
}

/** The scale of the losses: from a loss to its height, and back to the number of a label. */
interface Axis {
  readonly height: (loss: number) => number;
  readonly label: (height: number) => string;
}

/** A loss of exactly zero has no logarithm: it is drawn at 1e-30, below anything doubles leave of a sum of squares. */
const LOGARITHMIC: Axis = {
  height: (loss) => Math.log10(Math.max(loss, 1e-30)),
  label: (height) => (10 ** height).toExponential(1),
};
const LINEAR: Axis = { height: (loss) => loss, label: (height) => height.toPrecision(3) };

const LABEL_WIDTH = 8;
const LINE = ["┤", "┤", "╶", "╴", "─", "╰", "╭", "╮", "╯", "│"];
const DOTS = ["┤", "┤", "·", "·", "·", "·", "·", "·", "·", "·"];

/** The chart as text without a final newline, or "" when fewer than two finite points are there to draw. */
export function lossChart(records: readonly ChartRecord[], options: ChartOptions = {}): string {
  const paint = options.paint ?? plain;
  const height = Math.max(3, Math.floor(options.height ?? 10)) - 1;
  const axis = records.some(({ loss, validationLoss }) => loss < 0 || (validationLoss ?? 0) < 0) ? LINEAR : LOGARITHMIC;
  const training = curve(records, (record) => record.loss, axis);
  if (training.heights.length < 2) return "";
  const validation = curve(records, (record) => record.validationLoss, axis);
  const curves = validation.heights.length >= 2 ? [training, validation] : [training];
  const all = curves.flatMap((one) => one.heights);
  let min = Math.min(...all);
  let max = Math.max(...all);
  // A flat curve still gets an axis with distinct labels.
  if (max - min < 0.02) {
    min -= 0.05;
    max += 0.05;
  }
  const first = Math.min(...curves.map((one) => one.iterations[0]!));
  const last = Math.max(...curves.map((one) => one.iterations.at(-1)!));
  const offset = LABEL_WIDTH + 2;
  const columns = Math.max(20, Math.floor(options.width ?? 72) - offset - 1);
  const layers = curves.map((one, index) =>
    draw(one, { min, max, height, first, last, columns, symbols: index === 0 ? LINE : DOTS }),
  );
  const rows = overlay(layers, { min, max, axis }, paint);
  const from = String(first);
  const to = String(last);
  const below = `${" ".repeat(offset)}${from}${"iteration".padStart(Math.floor((columns - from.length + 9) / 2)).padEnd(columns - from.length - to.length)}${to}`;
  const legend = [
    `${paint("first", "──")} training`,
    ...(curves.length > 1 ? [`${paint("second", "··")} validation`] : []),
    ...(options.kept === undefined || options.kept === null ? [] : [`kept: iteration ${options.kept}`]),
  ].join("   ");
  return [...rows, paint("muted", below), `${" ".repeat(offset)}loss  ${legend}`].join("\n");
}

function curve(
  records: readonly ChartRecord[],
  value: (record: ChartRecord) => number | null,
  { height }: Axis,
): Curve {
  const iterations: number[] = [];
  const heights: number[] = [];
  for (const record of records) {
    const loss = value(record);
    if (!record.accepted || loss === null || !Number.isFinite(loss)) continue;
    iterations.push(record.iteration);
    heights.push(height(loss));
  }
  return { iterations, heights };
}

interface Frame {
  readonly min: number;
  readonly max: number;
  readonly height: number;
  readonly first: number;
  readonly last: number;
  readonly columns: number;
  readonly symbols: readonly string[];
}

// One curve as rows of characters: the axis, then the plot. This file writes the labels: asciichart puts a label into a single cell, which
// shifts the row by the label's length.
function draw(one: Curve, frame: Frame): string[][] {
  const { min, max, height, symbols } = frame;
  const text = asciichart.plot(resample(one, frame), { min, max, height, symbols, offset: 1, format: () => " " });
  return text.split("\n").map((line) => [...line]);
}

// Heights at equally spaced positions from `first` to `last`, linear between the points.
function resample(one: Curve, frame: Frame): number[] {
  const values: number[] = [];
  let index = 0;
  for (let column = 0; column <= frame.columns; column++) {
    const at = frame.first + ((frame.last - frame.first) * column) / frame.columns;
    while (index < one.iterations.length - 2 && one.iterations[index + 1]! < at) index++;
    const left = one.iterations[index]!;
    const right = one.iterations[index + 1]!;
    const share = right > left ? Math.min(1, Math.max(0, (at - left) / (right - left))) : 1;
    values.push(one.heights[index]! * (1 - share) + one.heights[index + 1]! * share);
  }
  return values;
}

function overlay(
  layers: readonly string[][][],
  labels: { readonly min: number; readonly max: number; readonly axis: Axis },
  paint: Painter,
): string[] {
  const base = layers[0]!;
  const gap = (labels.max - labels.min) / Math.max(1, base.length - 1);
  return base.map((line, row) => {
    const label = labels.axis.label(labels.max - row * gap).padStart(LABEL_WIDTH);
    let text = paint("muted", `${label} ┤`);
    for (let cell = 1; cell < line.length; cell++) {
      const over = line[cell]!;
      const under = layers[1]?.[row]?.[cell] ?? " ";
      if (over !== " ") text += paint("first", over);
      else text += under !== " " ? paint("second", under) : " ";
    }
    return text.trimEnd();
  });
}

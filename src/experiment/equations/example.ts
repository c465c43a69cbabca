// Defines an example of the experiment "equations", and what its examples share: training, errors and charts. The files of this folder hold one
// example each; equations.ts puts them together.
import type { Chart, Claim, HeatMap } from "../../document.js";
import type { EquationProblem } from "../../equations/equation-problem.js";
import type { Field } from "../../equations/field.js";
import { network } from "../../network/network.js";
import type { EquationsResult } from "../../train/equations-result.js";
import { train } from "../../train/train.js";
import { type ExperimentContext, show } from "../experiment.js";

/** The result of one run of an example. */
export interface ExampleRun {
  /** Figures by name, for the table and the lines of JSON. */
  readonly figures: Readonly<Record<string, number>>;
  /** The picture. */
  readonly chart: Chart;
  /** The field over the whole plane of its two coordinates, and where it is off. */
  readonly maps?: readonly HeatMap[];
  /** What was trained. */
  readonly result: EquationsResult<unknown>;
}

/** One equation with a known answer. */
export interface Example {
  readonly name: string;
  /** The equation as text. */
  readonly equation: string;
  run(context: ExperimentContext, seed: number): Promise<ExampleRun>;
  /** What all runs together show. */
  claim(runs: readonly ExampleRun[]): Claim;
}

/** Trains a fresh tanh network on equations. */
export async function solved<Solution>(
  { backend, threads, signal }: ExperimentContext,
  problem: EquationProblem<Solution>,
  layers: readonly number[],
  seed: number,
  iterations: number,
): Promise<EquationsResult<Solution>> {
  const start = network({ layers: [...layers], activation: "tanh", seed });
  const result = await train(start, problem, { stop: { iterations }, backend, threads, signal });
  signal?.throwIfAborted();
  return result;
}

/** |u - truth| / |truth| at points that were not trained on. */
export function relativeError(
  field: Field,
  points: Readonly<Record<string, Float64Array>>,
  truth: Float64Array,
): number {
  const { u } = field.predict(points);
  const difference = u.map((value, i) => value - truth[i]);
  return Math.hypot(...difference) / Math.hypot(...truth);
}

/** `count` numbers from `low` to `high`. */
export const evenly = (low: number, high: number, count: number) =>
  Float64Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));

/** Figures of that name of all runs. */
export const figuresOf = (runs: readonly ExampleRun[], name: string) => runs.map(({ figures }) => figures[name]);

/** What `fieldMaps` draws. */
interface MappedField {
  readonly id: string;
  readonly title: string;
  readonly field: Field;
  /** Names and ranges of the two coordinates, the one across first. */
  readonly axes: readonly [HeatMap["x"], HeatMap["y"]];
  readonly exact: (across: number, up: number) => number;
}

const [COLUMNS, ROWS] = [96, 64];

/** The field by both coordinates, and the size of its error. */
export function fieldMaps({ id, title, field, axes: [x, y], exact }: MappedField): HeatMap[] {
  const at = (axis: HeatMap["x"], cell: number, cells: number) =>
    axis.from + ((axis.to - axis.from) * (cell + 0.5)) / cells;
  const across = Float64Array.from({ length: ROWS * COLUMNS }, (_, i) => at(x, i % COLUMNS, COLUMNS));
  const up = Float64Array.from({ length: ROWS * COLUMNS }, (_, i) => at(y, Math.floor(i / COLUMNS), ROWS));
  const { u } = field.predict({ [x.label]: across, [y.label]: up });
  const errors = Array.from(u, (value, i) => Math.abs(value - exact(across[i], up[i])));
  const [least, most] = [u.reduce((a, b) => Math.min(a, b)), u.reduce((a, b) => Math.max(a, b))];
  const worst = errors.indexOf(Math.max(...errors));
  const shape = { x, y, columns: COLUMNS, rows: ROWS };
  const where = `${x.label} = ${show(across[worst], 3)}, ${y.label} = ${show(up[worst], 3)}`;
  return [
    {
      ...shape,
      id: `${id}-field`,
      title: `${title}: the field`,
      alt: `u by ${x.label} and ${y.label}: from ${show(least, 3)} to ${show(most, 3)}.`,
      value: { label: "u", scale: "linear" },
      values: [...u],
    },
    {
      ...shape,
      id: `${id}-error`,
      title: `${title}: the size of the error`,
      alt: `The size of the network's error by ${x.label} and ${y.label}: at most ${show(errors[worst], 3)}, at ${where}.`,
      value: { label: "error", scale: "log" },
      values: errors,
    },
  ];
}

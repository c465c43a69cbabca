// Defines an example of the experiment "equations", and what its examples share: training, errors and charts. The files of this folder hold one
// example each; equations.ts puts them together.
import type { Chart, Claim } from "../../document.js";
import type { EquationProblem } from "../../equations/equation-problem.js";
import type { Field } from "../../equations/field.js";
import { network } from "../../network/network.js";
import type { EquationsResult } from "../../train/equations-result.js";
import { train } from "../../train/train.js";
import type { ExperimentContext } from "../experiment.js";

/** What one run of an example comes to. */
export interface ExampleRun {
  /** Figures by name, for the table and the lines of JSON. */
  readonly figures: Readonly<Record<string, number>>;
  /** The picture. */
  readonly chart: Chart;
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

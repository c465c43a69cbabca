// Computes what a term needs at its points: jets of the network's inputs and auxiliary numbers. equations.ts calls it for the points of training
// and their renewals, field.ts for the derivatives of a field.
import { argumentError } from "../errors.js";
import { column } from "../expression/columns.js";
import { TapeEvaluator } from "../expression/evaluate.js";
import type { TermPlan } from "./compile-term.js";
import type { TermPoints } from "./equation-problem.js";
import { channelCount } from "./jet-problem.js";

/**
 * The arrays of a term.
 *
 * @param table coordinates and further numbers by name, one array each
 * @throws GAUSSFLOW_ARGUMENT where a feature or one of its derivatives is not finite
 */
export function termPoints(
  plan: TermPlan,
  coordinates: readonly string[],
  table: ReadonlyMap<string, Float64Array>,
  argument: string,
): TermPoints {
  const points = table.get(coordinates[0])!.length;
  const width = plan.inputs.outputs.length;
  const inputs = new Float64Array(points * width);
  const columns = coordinates.map((x) => column(table.get(x)!));
  new TapeEvaluator(plan.inputs).values(columns, points, inputs);
  const wrong = inputs.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    const feature = (wrong % width) % (width / channelCount(plan.channels));
    const point = Math.floor(wrong / width);
    const place = coordinates.map((x) => `${x} = ${table.get(x)![point]}`).join(", ");
    throw argumentError(
      argument,
      `must have finite features with finite derivatives; feature ${feature} (from 0) has not at ${place}`,
      inputs[wrong],
    );
  }
  const a = plan.auxiliary.length;
  const auxiliary = new Float64Array(points * a);
  for (const [k, called] of plan.auxiliary.entries()) {
    const values = table.get(called)!;
    for (let i = 0; i < points; i++) auxiliary[i * a + k] = values[i];
  }
  return { points, inputs, auxiliary };
}

// Equation problems of the terms of jet-problems.ts, for tests of trainings on equations.
import type { EquationProblem, Renewal } from "../../src/equations/equation-problem.js";
import type { JetTerm } from "../../src/equations/jet-problem.js";
import type { Network } from "../../src/network/network.js";

/** What a trained network is here: itself, and the unknowns. */
export interface PlainField {
  readonly net: Network;
  readonly unknowns: Float64Array;
}

export function equationProblem(
  terms: readonly JetTerm[],
  unknowns: Readonly<Record<string, number>> = {},
  renewals: readonly Renewal[] = [],
): EquationProblem<PlainField> {
  const list = Object.entries(unknowns).map(([name, start]) => ({ name, start }));
  return {
    jets: { terms, unknownCount: list.length },
    unknowns: list,
    renewals,
    description: "a test",
    checkNetwork: () => {},
    field: (net, values) => ({ net, unknowns: values }),
  };
}

/** Relative l2 distance of predictions from the truth. */
export function relativeError(predicted: Float64Array, truth: Float64Array): number {
  let [difference, size] = [0, 0];
  truth.forEach((value, i) => {
    difference += (predicted[i] - value) ** 2;
    size += value * value;
  });
  return Math.sqrt(difference / size);
}

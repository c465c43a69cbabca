// Defines EquationProblem, what a training needs of equations: the residuals at their first points, where the unknowns start, how points are
// renewed, and what the trained network is called with. equations.ts makes it; src/train trains it.

import type { Architecture } from "../network/architecture.js";
import type { Network } from "../network/network.js";
import { isObject } from "../options.js";
import type { JetProblem, JetTerm } from "./jet-problem.js";

/** A parameter of the equations that is trained along. */
export interface Unknown {
  /** Its name in the equations. */
  readonly name: string;
  /** Value to start from. */
  readonly start: number;
}

/** The arrays of points of a term; `inputs` and `auxiliary` as in `JetTerm`, for any number of points. */
export type TermPoints = Pick<JetTerm, "points" | "inputs" | "auxiliary">;

/** New points for a term every few iterations. All of it follows from the round alone, so that a resumed run renews the same. */
export interface Renewal {
  /** Place of the term among those of the problem. */
  readonly term: number;
  /** Iterations between two renewals, at least 1: round r begins after iteration r * every, and round 0 has the points of the problem. */
  readonly every: number;
  /** The points of a round from 1 on: as many as the term has, or with `choose` at least as many. */
  points(round: number): TermPoints;
  /**
   * Which of these points to take: as many places in ascending order as the term has points. `sizes` are the sums of the squares of the residuals, factors
   * in, of each point at the parameters where the round begins. null: all of them.
   */
  readonly choose: ((round: number, sizes: Float64Array) => Uint32Array) | null;
}

/** All residuals of a problem, factors in, at the parameters of a network and the unknowns behind them. An engine computes them. */
export type ResidualsOf = (
  architecture: Architecture,
  problem: JetProblem,
  parameters: Float64Array,
) => Promise<Float64Array>;

/** Equations that a network can be trained on. `Field` is what predicts in their terms once it is trained. */
export interface EquationProblem<Field = unknown> {
  /** The residuals. The network has as many inputs as these jets have coordinates (features count), and an output for each unknown function. */
  readonly jets: JetProblem;
  /** The k unknowns, in the order of `jets`. */
  readonly unknowns: readonly Unknown[];
  /** At most one a term. */
  readonly renewals: readonly Renewal[];
  /** All that it was made from, as text: a checkpoint belongs to the same. */
  readonly description: string;
  /** @throws GAUSSFLOW_ARGUMENT where the network has other inputs or outputs than the equations need */
  checkNetwork(network: Network): void;
  /** The trained network in the terms of the equations. `unknowns`: k values; `residuals` evaluates its derivatives. */
  field(network: Network, unknowns: Float64Array, residuals: ResidualsOf): Field;
}

/** True for equations, where a data set could be given as well. */
export function isEquationProblem(value: unknown): value is EquationProblem {
  return isObject(value) && isObject(value.jets) && typeof value.checkNetwork === "function";
}

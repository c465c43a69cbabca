// Defines JetProblem: residuals that contain derivatives of a network by its coordinates, as both engines of src/backend compute them.
// equations.ts compiles it from the text of equations; derivative data (values and slopes of a table) are the same with other residuals.
//
// A jet of a quantity at a point holds Q channels: its value, its first derivatives along some coordinates, and second-order channels,
// each a sum over (i, j) of coefficient * d2/dx_i dx_j: u_xx is one channel, and so is a whole Laplacian.
import type { Tape } from "../expression/tape.js";

/** One product of first-derivative channels: coefficient * d2 / dx_i dx_j, where i and j count the first-derivative channels from 0. */
export type SecondDerivative = readonly [i: number, j: number, coefficient: number];

/** What a jet holds besides the value. */
export interface JetChannels {
  /** Number of first derivatives. */
  readonly firsts: number;
  /** The second-order channels, each a sum. A list may be empty of none: every channel names at least one product. */
  readonly seconds: readonly (readonly SecondDerivative[])[];
}

/** Channels of a jet: 1 + firsts + seconds. */
export function channelCount({ firsts, seconds }: JetChannels): number {
  return 1 + firsts + seconds.length;
}

/** Points with the same residuals. */
export interface JetTerm {
  /** Name of the term in records and errors. */
  readonly name: string;
  /** What the jets hold; Q = channelCount(channels). */
  readonly channels: JetChannels;
  /** Number of points, m. */
  readonly points: number;
  /** Jets of the network's inputs: m x Q x d, row-major. The channels of a coordinate itself are its value, 1 or 0, and 0. */
  readonly inputs: Float64Array;
  /** Numbers of each point that the residuals read besides (coordinates, targets): m x a, row-major. */
  readonly auxiliary: Float64Array;
  /** a. */
  readonly auxiliaryCount: number;
  /**
   * The residuals of a point. Its arguments: the jets of the network's outputs (output o, channel q at o Q + q; c Q of them, with output
   * activation and output scale in them), the a auxiliary numbers, and the k unknowns.
   */
  readonly residual: Tape;
  /** Factor of each residual, the root of its weight: `residual.outputs.length` numbers, at least 0. */
  readonly factors: readonly number[];
}

/**
 * Minimizes g = 1/2 sum over terms, points and residuals of (factor * residual)^2 over the network's parameters and k unknowns, which stand
 * behind them in the array of all parameters. Rows of J stand in the order term, point, residual.
 */
export interface JetProblem {
  /** The terms, at least one. */
  readonly terms: readonly JetTerm[];
  /** Number of unknowns, k. */
  readonly unknownCount: number;
}

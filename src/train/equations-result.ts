// Defines the type of the result of `train` on equations, which equations-train.ts makes.
import type { Reason } from "../method/reason.js";
import type { EquationPlan } from "../plan/equations-plan.js";
import type { TrainRecord } from "../run/record.js";
import type { UnknownEstimate } from "./equations-unknowns.js";

/** The residuals of a term at the end of a training. */
export interface TermResiduals {
  /** Name of the term. */
  readonly name: string;
  /** Number of points. */
  readonly points: number;
  /** Root of the mean square of its residuals, weights out: in the units of the equation. */
  readonly rootMeanSquare: number;
  /** The largest of them in absolute value. */
  readonly largest: number;
}

/** What `train` on equations resolves with. */
export interface EquationsResult<Field = unknown> {
  /** The trained network in the terms of the equations: best by the loss at the last points. */
  readonly network: Field;
  /** The last accepted point. */
  readonly last: Field;
  /** The unknowns by name. Standard errors are those of the linearized problem, with a noise of its own for each term. */
  readonly unknowns: Readonly<Record<string, UnknownEstimate>>;
  /** The residuals of each term at `network` and the last points; empty where they are not finite. */
  readonly terms: readonly TermResiduals[];
  /** Why the training ended. */
  readonly reason: Reason;
  /** One entry a trial, the start first. Where points are renewed the losses of one round cannot be compared with those of another. */
  readonly records: readonly TrainRecord[];
  /** Accepted iterations. */
  readonly iterations: number;
  /** Iteration of `network`. */
  readonly bestIteration: number;
  /** Mean of the squares of all residuals, weights in, of `network`: as in the records. */
  readonly loss: number;
  /** Seconds of the whole training. */
  readonly seconds: number;
  /** What it was predicted to need. */
  readonly plan: EquationPlan;
  /** "native", or "reference": the one in TypeScript. */
  readonly engine: string;
  /** Threads that were used. */
  readonly threads: number;
  /** What was wrong without ending the run: checkpoints that could not be written. */
  readonly warnings: readonly string[];
  /** One plain line: the network, and the equations it was trained on. */
  readonly chosen: string;
}

// Decides how the next point of a training is linearized: precision, samples, and the tolerance of its damped systems. The training loop asks it
// before every linearization. The answers follow from sizes, the method's choices and the records, so a resumed run continues bit for bit.

import type { Precision } from "../backend/curvature.js";
import { type Failure, failed } from "../backend/engine.js";
import { singleTolerance } from "../backend/single.js";
import type { Point, Problem } from "../linearize/problem.js";
import { forcingTerm, gainTerm } from "./forcing.js";
import { nextPrecision, type PrecisionChoice, singlePays } from "./precision.js";
import { type CurvatureSamples, drawSubset, isScarce, nextSubset, type SubsetSizes } from "./subset.js";
import type { TrialHistory } from "./trial-history.js";

/** What a linearization is made of. */
export interface Effort {
  readonly precision: Precision;
  readonly subset: Uint32Array | null;
}

/** What the method leaves open. */
export interface Choices {
  readonly precision?: PrecisionChoice | undefined;
  readonly curvatureSamples?: CurvatureSamples | undefined;
}

export class StepPolicy {
  readonly #problem: Problem;
  readonly #sizes: SubsetSizes;
  readonly #single: boolean;
  readonly #subset: boolean;

  /** `evenness` of the sample weights. */
  constructor(problem: Problem, { precision, curvatureSamples }: Choices, evenness = 1) {
    this.#problem = problem;
    const { sampleCount, outputSize, parameterCount } = problem.engine;
    this.#sizes = { sampleCount, outputSize, parameterCount, evenness };
    this.#single = singlePays(problem, precision);
    this.#subset = curvatureSamples === "auto" && (this.#single || problem.route === "matrix-free");
  }

  /** For the next point, `iteration` steps from the start, whose first step will have this damping. */
  next(damping: number, iteration: number, records: readonly TrialHistory[], wantsDouble = false): Effort {
    const { engine, route } = this.#problem;
    const precision = this.#single && !wantsDouble ? nextPrecision(damping, records) : "double";
    if (!this.#subset || route === "dual" || (route === "primal" && precision === "double"))
      return { precision, subset: null };
    const count = nextSubset(this.#sizes, route, records);
    return { precision, subset: count === null ? null : drawSubset(count, engine.sampleCount, iteration) };
  }

  /** After a step that this point's curvature was not good enough for: all samples first, then double precision; null = no more. */
  static more({ precision, subset }: Point): Effort | null {
    if (subset !== null) return { precision, subset: null };
    return precision === "single" ? { precision: "double", subset: null } : null;
  }

  /** Where the model itself is that of a few samples, it ends no run: all of them are asked first. null = they were. */
  beforeEnd(point: Point): Effort | null {
    return this.#problem.route === "matrix-free" ? StepPolicy.more(point) : null;
  }

  /** Does a step that was accepted here, and promised this reduction, end no run because the next has more samples behind its model? */
  endsNothing(point: Point, predicted: number): boolean {
    return this.beforeEnd(point) !== null && isScarce("matrix-free", predicted / point.objective);
  }

  /** The point just linearized, with how far down its systems are solved where they are not solved directly. */
  withTolerance(point: Point, records: readonly TrialHistory[]): Point {
    if (this.#problem.route === "matrix-free") return { ...point, tolerance: forcingTerm(records, point.gradientNorm) };
    return point.precision === "single" ? { ...point, tolerance: gainTerm(records) } : point;
  }

  /** What the record of a trial says of all this. */
  told(
    { precision: used, tolerance = singleTolerance, subset }: Point,
    proposal:
      | { readonly ok: true; readonly steps?: number | undefined; readonly secant?: number | undefined }
      | Failure,
    fallback: string | null,
  ): Pick<TrialHistory, "precision" | "subset"> & { readonly secant?: number } {
    const steps = failed(proposal) ? 0 : (proposal.steps ?? 0);
    const precision = { used, steps, tolerance: used === "single" ? tolerance : null, fallback };
    const secant = failed(proposal) || !proposal.secant ? {} : { secant: proposal.secant };
    return { ...(this.#single ? { precision } : {}), ...(this.#subset ? { subset } : {}), ...secant };
  }
}

// Defines how a method sets the weight decay of a run as it goes on (`RegularizationPolicy`), and what it then knows of the fit (`Evidence`).
// bayesian/ implements it; the training loop (train/minimize.ts, train/regularize.ts) follows it, and records and results hold the evidence.
//
// An update changes the objective, so that nothing compares across it: the loop forgets the best point, linearizes anew, and the tests of
// gradient, step and reduction end no run before the decay has settled.
import type { Failure } from "../backend/engine.js";
import type { Point, Problem } from "../linearize/problem.js";
import type { MethodState } from "./method-state.js";
import type { Reason } from "./reason.js";

/** What the data say of a fit with weight decay, by the approximation of Laplace around it. */
export interface Evidence {
  /** Weight decay in effect: what the objective has, of which the prior's precision is decay / noise^2. */
  readonly decay: number;
  /** Effective number of parameters gamma = tr G (G + decay I)^-1, 0 to p: those that the data determine and not the decay. */
  readonly effectiveParameters: number;
  /** Standard deviation of the noise in the units of training, the root of 2 g / (n c - gamma). */
  readonly noise: number;
  /**
   * Logarithm of the probability density of the targets, in the units of training, with the parameters integrated out. Networks that are
   * equal up to a permutation or the signs of their units count once. Compares fits of the same rows.
   */
  readonly logEvidence: number;
}

/** The fit that a run keeps in place of the one it stands at: the most probable so far. */
export interface KeptFit {
  /** Accepted steps of the run when it was found. */
  readonly iteration: number;
  /** p entries. */
  readonly parameters: Float64Array;
  /** Sum loss g there. */
  readonly loss: number;
  /** Its evidence, with its decay. */
  readonly evidence: Evidence;
}

/** The answer of an update. */
export interface Renewed {
  /** Tells it from a failure. */
  readonly ok: true;
  /** State of the method from now on, with the decay. */
  readonly state: MethodState;
  /** Parameters from which the run begins again; null where it goes on from the point. */
  readonly restart: Float64Array | null;
  /** Set where the decay has settled and the fit with it. */
  readonly end: Reason | null;
}

/** Decides the weight decay of a run, in place of the loss. Everything follows from the arguments alone, so that a resumed run decides the same. */
export interface RegularizationPolicy {
  /** Weight decay of the first linearization, above 0. */
  readonly first: number;
  /** Weight decay of a state, above 0. */
  decay(state: MethodState): number;
  /** The evidence as last estimated; null before the first update. */
  evidence(state: MethodState): Evidence | null;
  /** Whether the decay is to be estimated at the next point. */
  due(state: MethodState): boolean;
  /** Whether another estimate may change it: steps were accepted since the last, or it is not the last one. */
  stale(state: MethodState): boolean;
  /** Whether the decay is the last one, so that the run may end where it converges. */
  settled(state: MethodState): boolean;
  /** The fit that the run keeps where it ends before the decay is the last one; null: its last point, as in a run that ends after that. */
  kept(state: MethodState): KeptFit | null;
  /** The state whose next point is due, where the run could go no further with the present decay. */
  hastened(state: MethodState): MethodState;
  /** Estimates the decay from the curvature of the last linearization, which is in double precision and of all samples. */
  renew(problem: Problem, state: MethodState, point: Point, signal?: AbortSignal): Promise<Renewed | Failure>;
  /** The evidence at a point just linearized, with the decay of the problem. */
  assess(problem: Problem, point: Point, signal?: AbortSignal): Promise<Evidence | Failure>;
}

// Defines JetEngine, the interface of an engine whose residuals contain derivatives of a network by its inputs (src/equations/jet-problem.ts).
// Both engines implement it, and create.ts makes them. Training calls it by `Engine`; src/equations and src/uncertainty need the rest.
//
// An engine of N residuals has sampleCount = N and outputSize = 1: a row of J is a residual, in the order term, point, residual, factors in.
// Its p parameters are those of the network, then the k unknowns. It forms the Gram matrix in double precision alone ("none" and "primal"
// of the curvatures), with D from the running maximum as in every primal route.

import type { JetChannels, JetProblem } from "../equations/jet-problem.js";
import { argumentError, GaussflowError } from "../errors.js";
import type { Architecture } from "../network/architecture.js";
import type { Engine, Failure, LinearizeRequest, NonFinite } from "./engine.js";
import type { Eigen } from "./network-engine.js";

/** An engine for the residuals of a JetProblem. */
export interface JetEngine extends Engine {
  readonly exactOnly: true;
  /** The curvature inside: of the last linearize that succeeded, until `loadTerm` ends it. */
  readonly held: "none" | "primal";
  /** Factor times residual of every row at `parameters`, N numbers. Numbers that are not finite pass through. */
  residuals(parameters: Float64Array, signal?: AbortSignal): Promise<Float64Array>;
  /**
   * Rows [first, first + count) of J at `parameters`, count x p, row-major: for checks and for leverages, block by block, not for training.
   * Leaves curvature and factor intact. Numbers that are not finite pass through.
   */
  jacobian(parameters: Float64Array, first: number, count: number, signal?: AbortSignal): Promise<Float64Array>;
  /**
   * Jets of the network's outputs at any points, m x c x Q, output scale in. `inputs` are the jets of its inputs, m x Q x d, as in `JetTerm`;
   * `parameters` as in every call, p numbers. Numbers that are not finite pass through.
   */
  outputJets(
    parameters: Float64Array,
    channels: JetChannels,
    inputs: Float64Array,
    signal?: AbortSignal,
  ): Promise<Float64Array>;
  /**
   * Replaces the points of a term, at once and without memory of its own, and ends the linearization; the factor stays for `dampedInverse`.
   * @param inputs m x Q x d, as many as before
   * @param auxiliary m x a
   * @throws GAUSSFLOW_ARGUMENT where the arrays are not as long as those before, GAUSSFLOW_STATE after `dispose`, GAUSSFLOW_BUSY during a call
   */
  loadTerm(term: number, inputs: Float64Array, auxiliary: Float64Array): void;
  /**
   * A copy of G of the last linearize, p x p, whole and symmetric.
   * @throws GAUSSFLOW_STATE where none is held
   */
  curvature(into?: Float64Array): Promise<Float64Array>;
  /** All eigenvalues of G, and eigenvectors where asked. O(p^3). */
  eigen(vectors: boolean, signal?: AbortSignal): Promise<Eigen>;
  /** (G + shift I)^-1 v, refined once. The factor is kept until a call has another shift or damping. */
  curvatureInverse(vector: Float64Array, shift: number, signal?: AbortSignal): Promise<Float64Array | Failure>;
  dampedInverse(vector: Float64Array, signal?: AbortSignal): Promise<Float64Array | Failure>;
}

/** Both engines are made by a function of this form, which copies the points. */
export type JetEngineFactory = (
  architecture: Architecture,
  problem: JetProblem,
  options?: { readonly threads?: number | undefined },
) => JetEngine;

/** Rows of J, N. */
export function rowCount({ terms }: JetProblem): number {
  return terms.reduce((sum, { points, residual }) => sum + points * residual.outputs.length, 0);
}

/** Where row `row` of J comes from: the place of its term, its point and its residual, all from 0. */
export function placeOfRow({ terms }: JetProblem, row: number): { term: number; point: number; residual: number } {
  let from = row;
  for (const [term, { points, residual }] of terms.entries()) {
    const width = residual.outputs.length;
    if (from < points * width) return { term, point: Math.floor(from / width), residual: from % width };
    from -= points * width;
  }
  throw new GaussflowError("GAUSSFLOW_INTERNAL", `row ${row} is of no term`);
}

/**
 * The failure for a number that is not finite. `residuals`, at the parameters of the call, say whether it arose in a residual already; where
 * they are finite it is `what` that is not.
 */
export function nonFiniteResidual(
  problem: JetProblem,
  parameters: Float64Array,
  residuals: Float64Array,
  what: NonFinite["what"],
): Failure {
  const parameter = parameters.findIndex((value) => !Number.isFinite(value));
  if (parameter >= 0) {
    const message = `the parameter is not finite, first at parameter ${parameter}`;
    return { code: "non-finite", where: { what: "parameter", parameter }, message };
  }
  const row = residuals.findIndex((value) => !Number.isFinite(value));
  if (row < 0) return { code: "non-finite", where: { what }, message: `the ${what} is not finite` };
  const { term, point, residual } = placeOfRow(problem, row);
  const of = problem.terms[term]!.residual.outputs.length > 1 ? ` ${residual}` : "";
  const message = `residual${of} of "${problem.terms[term]!.name}" is not finite, first at point ${point}`;
  return { code: "non-finite", where: { what: "loss", sample: row }, message };
}

/** @throws GAUSSFLOW_ARGUMENT for what an engine of residuals does not form */
export function checkJetRequest(request: LinearizeRequest): void {
  const { curvature, precision = "double", subset = null, accumulate } = request;
  if (curvature !== "none" && curvature !== "primal")
    throw argumentError("curvature", 'must be "primal" or "none" for residuals with derivatives', curvature);
  if (precision !== "double")
    throw argumentError("precision", 'must be "double" for residuals with derivatives', precision);
  if (subset !== null) throw argumentError("subset", "must be absent for residuals with derivatives", subset);
  if (accumulate !== undefined)
    throw argumentError("accumulate", "must be absent for residuals with derivatives", accumulate);
}

// Solves damped systems with the primal or dual matrix that the reference engine holds; engine.ts calls it for each solve and each
// acceleration.

import type { Pace } from "../../event-loop-yield.js";
import type { Architecture } from "../../network/architecture.js";
import type { Failure, Solved, SolveRequest } from "../engine.js";
import { indefinite } from "../indefinite.js";
import { copyOf } from "../low-rank.js";
import { mostSingleSteps, mostSubsetSteps, singleTolerance } from "../single.js";
import { conditionEstimate, factorDamped, multiplySymmetric, solveDamped } from "./cholesky.js";
import type { Curved } from "./curved.js";
import { DualStep } from "./dual-step.js";
import type { Passes } from "./passes.js";
import { factorSingle, type SingleOperator, solveSingle } from "./single.js";

export interface Damped {
  readonly architecture: Architecture;
  readonly passes: Passes;
  readonly curved: Curved;
  /** Where the factor goes; order x order. */
  readonly factor: Float64Array;
}

/** The step (which may be non-finite) and what is known of it; the factor stays for accelerations. */
export async function solveHeld(
  held: Damped,
  request: SolveRequest,
  pace: Pace,
): Promise<Omit<Solved, "seconds"> | Failure> {
  const { curved, factor } = held;
  const { damping, decay, scaling, condition = false } = request;
  // An acceleration refines with it later: by then the caller may have other numbers in his arrays.
  const correction = request.correction ? copyOf(request.correction) : null;
  const { order, matrix } = curved;
  const primal = curved.kind === "primal";
  const shift = new Float64Array(order).fill(damping + decay);
  if (primal && scaling !== null) for (let i = 0; i < order; i++) shift[i] = decay + damping * scaling[i];
  const dual = new DualStep(held.architecture, held.passes, curved, request);
  const refusal = primal ? null : dual.refusal();
  if (refusal !== null) return refusal;
  const right = primal ? curved.gradient.map((value) => -value) : await dual.rightSide(pace);
  curved.factored = -1;
  curved.solved = null;
  if (primal && curved.precision === "single") {
    const pivot = await factorSingle(matrix, factor, order, shift, pace);
    if (pivot >= 0) return indefinite(pivot);
    const operator = operatorOf(held, shift, pace);
    const single = await solveSingle(operator, factor, right, request.tolerance ?? singleTolerance, pace);
    if ("code" in single) return single;
    curved.solved = { request: { ...request, correction }, shift };
    return { ok: true, step: single.x, residual: single.residual, steps: single.steps, condition: Number.NaN };
  }
  const pivot = await factorDamped(matrix, factor, order, shift, pace, correction);
  if (pivot >= 0) return indefinite(pivot);
  const { x, residual } = await solveDamped(matrix, factor, order, shift, right, pace, correction);
  const step = primal ? x : await dual.step(x, pace);
  const estimate = condition ? await conditionEstimate(matrix, factor, order, shift, pace) : Number.NaN;
  curved.solved = { request: { ...request, correction }, shift };
  return { ok: true, step, residual, condition: estimate };
}

/** What the conjugate gradients of single precision work on. */
function operatorOf({ curved, passes }: Damped, shift: Float64Array, pace: Pace): SingleOperator {
  const { matrix, order, parameters, sampled } = curved;
  if (!sampled)
    return { matrix, shift, most: mostSingleSteps, multiply: (v) => multiplySymmetric(matrix, order, shift, v) };
  const multiply = async (v: Float64Array) => {
    const image = await passes.gram(parameters, v, pace);
    return image.map((value, j) => value + shift[j] * v[j]);
  };
  return { matrix, shift, most: mostSubsetSteps, multiply };
}

/** -(G + decay I + mu D)^-1 J~^T (sqrt(s) R^T psi_vv) with the factor of the last solve; null where there is none. */
export async function accelerateHeld(
  held: Damped,
  velocity: Float64Array,
  scaling: Float64Array | null,
  pace: Pace,
): Promise<Float64Array | Failure | null> {
  const { curved, factor, passes } = held;
  if (curved.solved === null) return null;
  const { order, parameters, matrix } = curved;
  const { request, shift } = curved.solved;
  const { correction = null } = request;
  const dual = new DualStep(held.architecture, passes, curved, { ...request, scaling });
  const second = await passes.secondDerivative(parameters, velocity, pace);
  const solved = async (side: Float64Array) =>
    (await solveDamped(matrix, factor, order, shift, side, pace, correction)).x;
  if (curved.kind === "dual") return dual.back(await solved(second), pace);
  const right = await passes.seededTranspose(parameters, second, pace);
  for (let j = 0; j < right.length; j++) right[j] = -right[j];
  if (curved.precision === "double") return solved(right);
  const single = await solveSingle(
    operatorOf(held, shift, pace),
    factor,
    right,
    request.tolerance ?? singleTolerance,
    pace,
  );
  return "code" in single ? single : single.x;
}

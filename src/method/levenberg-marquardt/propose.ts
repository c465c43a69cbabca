// Computes the step that Levenberg-Marquardt tries, as the function `propose` of the method that the training loop calls for each trial:
// the damped step with its geodesic acceleration, or, in a run that stalls, with the secant correction and without acceleration.
import { type Failure, failed } from "../../backend/engine.js";
import type { Point, Problem } from "../../linearize/problem.js";
import { accelerated } from "../../step/acceleration.js";
import { dampedStep } from "../../step/damped-step.js";
import { type MethodState, numberOf, type Proposal } from "../method.js";
import type { LevenbergMarquardtSettings } from "./options.js";
import { correctionAt, isStalled } from "./residual-curvature.js";

/** The next step from `point`, or the failure that prevents it. */
export async function propose(
  { residualCurvature, acceleration }: LevenbergMarquardtSettings,
  problem: Problem,
  state: MethodState,
  point: Point,
  signal: AbortSignal | undefined,
): Promise<Proposal | Failure> {
  const able = residualCurvature === "auto" && problem.route === "primal" && !problem.condition;
  const stalled = able && isStalled(state);
  const correction = stalled ? await correctionAt(problem, state, point, signal) : null;
  const answer = await dampedStep(problem, point, numberOf(state, "damping"), signal, correction);
  if (failed(answer)) return answer;
  const pairs = (correction?.left.length ?? 0) / point.gradient.length;
  const velocity: Proposal = {
    ...answer,
    length: 1,
    direction: answer.step,
    acceleration: null,
    ...(able ? { secant: pairs } : {}),
  };
  return acceleration && !stalled ? accelerated(problem, point, velocity, signal) : velocity;
}

/** The velocity alone, after the accelerated trial was rejected. Its solve is part of that trial's record. */
export function withoutAcceleration({ steps: _, ...rejected }: Proposal): Proposal {
  return { ...rejected, step: rejected.direction, acceleration: null, seconds: 0 };
}

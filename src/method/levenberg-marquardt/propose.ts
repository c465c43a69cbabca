// Computes the step that Levenberg-Marquardt tries, as the function `propose` of the method that the training loop
// calls for each trial: the damped step with its geodesic acceleration, or, in a run that stalls, with the secant
// correction and without acceleration. With losses other than squared error it is the step on the exact Hessian
// (exact-hessian.ts).
import { type Failure, failed } from "../../backend/engine.js";
import { objectiveRounding, type Point, type Problem } from "../../linearize/problem.js";
import { accelerated } from "../../step/acceleration.js";
import { dampedStep } from "../../step/damped-step.js";
import { hessianStep } from "../../step/hessian-step.js";
import { type MethodState, numberOf, type Proposal } from "../method.js";
import { holdsTheDamping, usesHessian } from "./exact-hessian.js";
import type { LevenbergMarquardtSettings } from "./options.js";
import { correctionAt, isStalled } from "./residual-curvature.js";

/** The next step from `point`, or the failure that prevents it. */
export async function propose(
  { residualCurvature, acceleration, hessian }: LevenbergMarquardtSettings,
  problem: Problem,
  state: MethodState,
  point: Point,
  signal: AbortSignal | undefined,
): Promise<Proposal | Failure> {
  if (usesHessian(hessian, problem, point)) return onHessian(problem, state, point, signal);
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
    ...(point.rounding === undefined ? {} : { rounding: roundingAt(problem, point) }),
  };
  return acceleration && !stalled ? accelerated(problem, point, velocity, signal) : velocity;
}

async function onHessian(
  problem: Problem,
  state: MethodState,
  point: Point,
  signal: AbortSignal | undefined,
): Promise<Proposal | Failure> {
  const answer = await hessianStep(problem, point, numberOf(state, "damping"), signal);
  if (failed(answer)) return answer;
  const rounding = roundingAt(problem, point);
  const holdsDamping = holdsTheDamping(problem, answer);
  return { ...answer, length: 1, direction: answer.step, acceleration: null, rounding, holdsDamping };
}

function roundingAt({ engine }: Problem, point: Point): number {
  return objectiveRounding(point, engine.sampleCount * engine.outputSize);
}

/** The velocity alone, after the accelerated trial was rejected. Its solve is part of that trial's record. */
export function withoutAcceleration({ steps: _, ...rejected }: Proposal): Proposal {
  return { ...rejected, step: rejected.direction, acceleration: null, seconds: 0 };
}

// The loop run to its end, and resumed from one of its steps.
import { integrateSteps } from "../../src/ode/drive.js";
import type { Integrator } from "../../src/ode/integrator.js";
import type { AcceptedStep, IntegrateOptions, OdeEnd, OdeProblem, RightHandSide } from "../../src/ode/types.js";

export function problemOf(
  ode: { readonly rightHandSide: RightHandSide; readonly initial: readonly number[] },
  until: number,
): OdeProblem {
  return { rightHandSide: ode.rightHandSide, from: 0, until, initial: Float64Array.from(ode.initial) };
}

export interface Whole {
  readonly steps: readonly AcceptedStep[];
  readonly end: OdeEnd;
}

export async function allSteps(
  problem: OdeProblem,
  integrator: Integrator,
  options: IntegrateOptions = {},
): Promise<Whole> {
  const steps: AcceptedStep[] = [];
  const generator = integrateSteps(problem, integrator, options);
  for (;;) {
    const next = await generator.next();
    if (next.done) return { steps, end: next.value };
    steps.push(next.value);
  }
}

/** Goes on from the last of the steps seen with what a checkpoint would hold. */
export function resumeAfter(
  seen: readonly AcceptedStep[],
  problem: OdeProblem,
  integrator: Integrator,
  options: IntegrateOptions = {},
): Promise<Whole> {
  const { time, state, derivative, memory, index, evaluations } = seen[seen.length - 1];
  const rejected = seen.reduce((sum, one) => sum + one.rejections, 0);
  // Through text, as a checkpoint would.
  const saved = JSON.parse(JSON.stringify(memory)) as typeof memory;
  const resume = { memory: saved, index, evaluations, rejected };
  return allSteps({ ...problem, from: time, initial: state }, integrator, { ...options, derivative, resume });
}

// The loop of time integration: tries steps until one is accepted, yields the accepted step, and continues. `integrate` (integrate.ts) and
// flows (flow/flow-run.ts) call it. It knows tableaux and right-hand sides, and no networks.
//
// An aborted signal rejects with the signal's reason. Any numerical trouble is an end with a code and the last accepted state, which is
// always finite.

import { Integration } from "./integration.js";
import type { Integrator } from "./integrator.js";
import type { AcceptedStep, IntegrateOptions, OdeEnd, OdeProblem } from "./types.js";

/** Yields every accepted step and returns how the integration ended. */
export async function* integrateSteps(
  problem: OdeProblem,
  integrator: Integrator,
  options: IntegrateOptions = {},
): AsyncGenerator<AcceptedStep, OdeEnd> {
  const run = new Integration(problem, integrator, options);
  let failure = await run.begin();
  while (failure === null && run.time < problem.until) {
    const within = await run.attempt();
    if ("code" in within) return within;
    const { step, stop } = await run.accept(within);
    yield step;
    if (stop !== null) return run.end("event", `event "${stop.name}" at t = ${stop.time}`);
    failure = await run.refresh();
  }
  if (failure !== null) return run.end(failure.failure, failure.message, failure);
  return run.end("until", `t = ${problem.until} is reached`);
}

// Creates jet engines, behind the same choice of backend and threads as create.ts: training on equations calls it.
import type { ResidualsOf } from "../equations/equation-problem.js";
import type { JetProblem } from "../equations/jet-problem.js";
import type { Architecture } from "../network/architecture.js";
import { checkOptionNames } from "../options.js";
import { type BackendOptions, chooseBackend, chooseThreads } from "./create.js";
import type { JetEngine } from "./jet-engine.js";
import { createNativeJetEngine } from "./native/jet-engine.js";
import { createReferenceJetEngine } from "./reference/jets/engine.js";

/**
 * The engine for one architecture on one problem, whose points it copies.
 * @throws GAUSSFLOW_ARGUMENT as `checkJetProblem`, GAUSSFLOW_NO_NATIVE
 */
export function createJetEngine(
  architecture: Architecture,
  problem: JetProblem,
  options: BackendOptions = {},
): JetEngine {
  checkOptionNames("options", options, ["backend", "threads"]);
  const threads = chooseThreads(options.threads);
  const create = chooseBackend(options.backend) === "native" ? createNativeJetEngine : createReferenceJetEngine;
  return create(architecture, problem, { threads });
}

/** The residuals of a problem by an engine made for this one call: for derivatives of a trained network at any points. */
export const jetResiduals: ResidualsOf = async (architecture, problem, parameters) => {
  const engine = createJetEngine(architecture, problem);
  try {
    return await engine.residuals(parameters);
  } finally {
    engine.dispose();
  }
};

// Makes the engine of the training rows again from a posterior in the space of samples, whose vectors reach parameter space and new rows
// through the rows of J~. prediction-variance.ts and covariance.ts call it.
import { type BackendOptions, createEngine } from "../backend/create.js";
import type { NetworkEngine } from "../backend/network-engine.js";
import type { Network } from "../network/network.js";
import type { Posterior } from "../network/posterior.js";
import { type CurvatureFactor, curvatureFactor } from "./curvature-factor.js";

/** The training rows, and sqrt(s) R of each. */
export interface TrainingKernel {
  readonly engine: NetworkEngine;
  readonly factor: CurvatureFactor;
}

/** The caller disposes of the engine. @throws the signal's reason once it has been aborted */
export async function trainingKernel(
  { architecture, parameters, link }: Network,
  { inputs, roots, samples: sampleCount }: Posterior,
  backend: BackendOptions,
  signal: AbortSignal | undefined,
): Promise<TrainingKernel> {
  const { outputSize: c } = architecture;
  const data = { sampleCount, inputs: inputs as Float64Array, targets: new Float64Array(sampleCount * c) };
  const engine = createEngine(architecture, data, backend);
  const psi = link === "identity" ? data.targets : await engine.forward(parameters, signal);
  return { engine, factor: curvatureFactor(link, psi, roots, c) };
}

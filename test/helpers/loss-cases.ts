// Data whose targets suit a loss, on a random network, for tests that run over losses.
import type { EngineData } from "../../src/backend/engine.js";
import { network, Random } from "../../src/index.js";
import { type Loss, lossRule } from "../../src/loss/rules.js";
import { outputCount } from "../../src/loss/target-rules.js";
import type { ActivationName, Architecture } from "../../src/network/architecture.js";

export interface LossCase {
  readonly architecture: Architecture;
  readonly parameters: Float64Array;
  readonly data: EngineData;
}

/**
 * Away from the start of the network, so that no derivative is 0 by symmetry.
 * @param layers the last of them as many as targets
 */
export function lossCase(
  loss: Loss,
  layers: readonly number[],
  sampleCount: number,
  { weighted = false, seed = 1, activation = "tanh" as ActivationName, bias = true } = {},
): LossCase {
  const c = layers[layers.length - 1];
  const net = network({
    layers: [...layers.slice(0, -1), outputCount(loss, c)],
    activation,
    outputScale: 1.5,
    seed,
    bias,
  });
  const random = new Random(seed, 7);
  const { targets: kind } = lossRule(loss);
  const inputs = Float64Array.from({ length: sampleCount * net.inputSize }, () => random.normal());
  const targets = Float64Array.from({ length: sampleCount * c }, () =>
    kind === "real" ? 1.5 * random.normal() : random.uniform(),
  );
  if (kind === "distribution")
    for (let i = 0; i < sampleCount; i++) {
      const row = targets.subarray(i * c, (i + 1) * c);
      const sum = row.reduce((total, value) => total + value, 0);
      for (let a = 0; a < c; a++) row[a] /= sum;
    }
  const weights = weighted ? Float64Array.from({ length: sampleCount }, () => 0.2 + random.uniform()) : undefined;
  const parameters = net.parameters.map((value) => value + 0.3 * random.normal());
  return { architecture: net.architecture, parameters, data: { sampleCount, inputs, targets, weights, loss } };
}

// Runs the loop over batches on a network and its rows, without train(): to compare its points with those of a definition.
import { createEngine } from "../../src/backend/create.js";
import type { EngineData } from "../../src/backend/engine.js";
import type { BatchMethod } from "../../src/method/batch-method.js";
import type { Architecture } from "../../src/network/architecture.js";
import { makeBatches } from "../../src/train/batch-engines.js";
import { type DescendOptions, descend } from "../../src/train/descend.js";
import type { MinimizeResult } from "../../src/train/minimize-options.js";
import { type StopOptions, stopRules } from "../../src/train/stop.js";

/** A network, its parameters and all rows. */
export interface BatchProblem {
  readonly architecture: Architecture;
  readonly parameters: Float64Array;
  readonly data: EngineData;
}

export async function descendNetwork(
  { architecture, parameters, data }: BatchProblem,
  method: BatchMethod,
  stop: StopOptions,
  {
    backend = "typescript",
    threads = 1,
    ...options
  }: { readonly backend?: "typescript" | "native"; readonly threads?: number } & Partial<DescendOptions> = {},
): Promise<MinimizeResult> {
  const { sampleCount: rows, loss = { kind: "squared-error", decay: 0 } } = data;
  const sizes = { rows, outputSize: architecture.outputSize, parameterCount: architecture.parameterCount, loss };
  const needs = method.needs(sizes);
  const seed = 7;
  const engine = createEngine(architecture, data, { backend, threads });
  const batches = await makeBatches(architecture, data, engine, needs, seed, { backend, threads }, undefined);
  const steps = descend(engine, parameters, {
    method,
    sizes,
    needs,
    engines: batches.engines,
    rows: batches.rows,
    seed,
    decay: loss.decay,
    stop: stopRules(stop, "stop", true, method),
    ...options,
  });
  try {
    for (;;) {
      const next = await steps.next();
      if (next.done) return next.value;
    }
  } finally {
    batches.dispose();
    engine.dispose();
  }
}

// Creates a small second engine on a sample of the data, for measurements that would cost too much on all of it. `train` and `flow` offer
// it to their observer, and the monitor makes it create the engine at its first use.

import { type BackendOptions, createEngine } from "../backend/create.js";
import type { EngineData } from "../backend/engine.js";
import type { NetworkEngine } from "../backend/network-engine.js";
import { pickRows } from "../data/rows.js";
import type { Architecture } from "../network/architecture.js";
import { sampleEquations } from "../plan/observation.js";

export class SampleEngine {
  readonly #make: () => NetworkEngine;
  #engine: NetworkEngine | null = null;

  constructor(architecture: Architecture, data: EngineData, options: BackendOptions) {
    this.#make = () =>
      createEngine(architecture, sampled(data, architecture.outputSize, sampleEquations), {
        backend: options.backend,
        threads: options.threads,
      });
  }

  readonly get = (): NetworkEngine => {
    this.#engine ??= this.#make();
    return this.#engine;
  };

  dispose(): void {
    this.#engine?.dispose();
    this.#engine = null;
  }
}

/**
 * Evenly spaced samples with at most `equations` equations, or all data if they are few enough. They have squared error, whose kernel is
 * that of the network alone: the drift measures how the network moves, not how the curvature of a loss does, and reads no targets. The data
 * are in memory: only the monitor uses a sample, and it does not run with data from a file.
 */
function sampled(data: EngineData, outputSize: number, equations: number): EngineData {
  const count = Math.min(data.sampleCount, Math.max(1, Math.floor(equations / outputSize)));
  const targets = new Float64Array(count * outputSize);
  if (data.sampleCount === count) return { ...data, targets, loss: undefined };
  const rows = Array.from({ length: count }, (_, k) => Math.floor(((k + 0.5) * data.sampleCount) / count));
  const pick = (from: Float64Array) => pickRows(from, rows, from.length / data.sampleCount);
  return {
    sampleCount: count,
    inputs: pick(data.inputs),
    targets,
    weights: data.weights && pick(data.weights),
  };
}

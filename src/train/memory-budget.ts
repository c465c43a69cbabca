// Jobs that run at the same time share one memory limit: a job waits until what is left can hold it. One that is alone always runs;
// whether it fits at all is the planner's question.
import { memoryCeiling } from "../backend/memory.js";
import { asDataset } from "../data/dataset.js";
import { planRoute } from "../linearise/plan.js";
import type { TrainJob } from "./jobs.js";

/** Half of what the process may have: physical memory or its control group's limit. */
export function defaultMemoryLimit(): number {
  return memoryCeiling() / 2;
}

/** Bytes a job is planned to take: matrix and factor, the scaled data and the engine's copy, values and slopes of every unit. */
export function jobBytes({ network, data, options }: TrainJob): number {
  const { sampleCount: n, inputSize, outputSize } = asDataset(data);
  const { layers } = network.architecture;
  const matrix = planRoute(network.parameterCount, n * outputSize, options?.route ?? "auto").bytes;
  const units = layers.reduce((sum, layer) => sum + layer.outputSize, 0);
  return matrix + Float64Array.BYTES_PER_ELEMENT * n * (2 * (inputSize + outputSize) + units * (1 + outputSize));
}

export class MemoryBudget {
  readonly #limit: number;
  #used = 0;
  readonly #waiting: { readonly bytes: number; readonly go: () => void }[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Resolves once `bytes` are free; in the order of the calls. */
  async take(bytes: number): Promise<void> {
    await new Promise<void>((go) => {
      this.#waiting.push({ bytes, go });
      this.#admit();
    });
  }

  give(bytes: number): void {
    this.#used -= bytes;
    this.#admit();
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#used > 0 && this.#used + next.bytes > this.#limit) return;
      this.#waiting.shift();
      this.#used += next.bytes;
      next.go();
    }
  }
}

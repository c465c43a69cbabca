// Measures the relative change of the tangent kernel since the start of a run, |K - K_0|_F / |K_0|_F: for each point that the monitor
// measures, and for the flow event `driftAbove`. In the lazy regime the drift stays near 0. It is computed on an engine of at most
// `sampleEquations` equations: O(n^2 sum of widths) flops a value, and 2 MB of memory.
import { failed } from "../backend/engine.js";
import type { NetworkEngine } from "../backend/network-engine.js";

export class KernelDrift {
  readonly #engine: NetworkEngine;
  #start: Float64Array | null = null;

  /** @param engine on few equations, for this alone */
  constructor(engine: NetworkEngine) {
    this.#engine = engine;
  }

  /** Drift of K at `parameters` from the first call's, which is 0; infinite where K is not finite or cannot be formed. */
  async at(parameters: Float64Array, signal?: AbortSignal): Promise<number> {
    const request = { curvature: "dual", decay: 0, scaling: null } as const;
    if (failed(await this.#engine.linearize(parameters, request, signal))) return Number.POSITIVE_INFINITY;
    const kernel = await this.#engine.curvature();
    this.#start ??= kernel;
    let moved = 0;
    let size = 0;
    for (let k = 0; k < kernel.length; k++) {
      moved += (kernel[k] - this.#start[k]) ** 2;
      size += this.#start[k] ** 2;
    }
    return moved === 0 ? 0 : Math.sqrt(moved / size);
  }
}

// Makes the layer-wise Kronecker preconditioner of the matrix-free route, for `make-preconditioner.ts` once a linearization: G_l ~ B_l (x)
// A_l for every layer l, damped in factored form (backend/layer-inverse.ts). It costs two Cholesky factorizations a layer for each damping,
// and two solves an application. Source: Martens and Grosse, ICML 2015.

import { layerInverse } from "../backend/layer-inverse.js";
import { argumentError } from "../errors.js";
import { Pace } from "../event-loop-yield.js";
import type { Problem } from "../linearize/problem.js";
import type { Preconditioner } from "./preconditioner.js";

export async function kronecker(
  { engine, decay }: Problem,
  root: Float64Array | null,
  signal: AbortSignal | undefined,
): Promise<Preconditioner> {
  if (engine.layerFactors === undefined)
    throw argumentError(
      "options.matrixFree.preconditioner",
      "must be none, diagonal or nystrom for an engine that has no layers",
      "kronecker",
    );
  const layers = await engine.layerFactors(signal);
  const up = root?.map((value) => 1 / value) ?? null;
  return {
    at: async (damping) => {
      const inverses: ((r: Float64Array, out: Float64Array) => void)[] = [];
      for (const layer of layers)
        inverses.push(await layerInverse(layer, up, damping, decay, new Pace(signal, () => {})));
      return (r) => {
        const scaled = up === null ? r : r.map((value, j) => value * up[j]);
        const out = new Float64Array(r.length);
        for (const invert of inverses) invert(scaled, out);
        if (up !== null) for (let j = 0; j < out.length; j++) out[j] *= up[j];
        return out;
      };
    },
  };
}

// Finds the first number that is not finite after a failure: parameters first, then the samples in order, layer by layer, unit by unit.
// backend/locate.ts calls it for both engines. It runs in pieces of a block of samples, because a walk over a million samples takes
// seconds.
import type { Steps } from "../event-loop-yield.js";
import type { Architecture } from "./architecture.js";
import { forwardBlock, PASS_BLOCK, passWeights, workspace } from "./forward.js";

/**
 * The place, with indices from 0. `loss` where every prediction is finite and only their combination is not: with squared error at the
 * first prediction whose square overflows, else with no place.
 */
export interface FirstNonFinite {
  readonly what: "parameter" | "activation" | "prediction" | "loss";
  readonly layer?: number;
  readonly sample?: number;
  readonly parameter?: number;
  readonly unit?: number;
}

function firstBad(values: Float64Array, count: number): number {
  for (let k = 0; k < count; k++) if (!Number.isFinite(values[k])) return k;
  return -1;
}

/**
 * @param parameters p entries
 * @param inputs gives rows [first, first + count), row-major
 * @param squares whether the loss is a sum of squares
 */
export function* diagnoseSteps(
  architecture: Architecture,
  parameters: Float64Array,
  inputs: (first: number, count: number) => Float64Array,
  sampleCount: number,
  squares: boolean,
): Steps<FirstNonFinite> {
  const { layers, inputSize, outputScale } = architecture;
  const bad = firstBad(parameters, parameters.length);
  if (bad >= 0) {
    const layer = layers.findLastIndex(({ weightOffset }) => weightOffset <= bad);
    return { what: "parameter", layer, parameter: bad };
  }
  const count = Math.min(sampleCount, PASS_BLOCK);
  const space = workspace(architecture, count, 0);
  const weights = passWeights(architecture, parameters);
  let overflow: FirstNonFinite = { what: "loss" };
  for (let first = 0; first < sampleCount; first += PASS_BLOCK) {
    const size = Math.min(PASS_BLOCK, sampleCount - first);
    forwardBlock(space, weights, inputs(first, size), 0, size);
    for (let i = 0; i < size; i++) {
      for (let l = 0; l <= layers.length; l++) {
        const width = l === 0 ? inputSize : layers[l - 1].outputSize;
        const unit = firstBad(space.layerInputs[l].subarray(i * width, (i + 1) * width), width);
        // Entry l holds the inputs of layer l, which are the outputs of layer l - 1, counted from 0; the inputs of the network are checked before.
        if (unit >= 0 && l > 0) return { what: "activation", layer: l - 1, sample: first + i, unit };
      }
      const f = space.layerInputs[layers.length];
      const c = architecture.outputSize;
      for (let a = 0; a < c; a++) {
        const psi = outputScale * f[i * c + a];
        const place = { layer: layers.length - 1, sample: first + i, unit: a };
        if (!Number.isFinite(psi)) return { what: "prediction", ...place };
        if (squares && overflow.sample === undefined && !Number.isFinite(psi * psi))
          overflow = { what: "loss", ...place };
      }
    }
    yield;
  }
  return overflow;
}

// Makes the passes of the reference engine over a subset of the samples, each with the weight of the samples that it represents. engine.ts
// calls it for a linearization with a subset.
import { PASS_BLOCK } from "../../network/forward.js";
import { gather } from "../samples.js";
import type { Blocks } from "./blocks.js";
import { Passes } from "./passes.js";

export function sampled(blocks: Blocks, subset: Uint32Array): Passes {
  const { architecture, samples, rootWeights } = blocks;
  const share = Math.sqrt(samples.sampleCount / subset.length);
  const roots = Float64Array.from(subset, (index) => share * (rootWeights === null ? 1 : rootWeights[index]!));
  return new Passes({ ...blocks, samples: gather(architecture, samples, subset, PASS_BLOCK), rootWeights: roots });
}

// Passes of the reference engine over a subset of the samples, each with the weight of the samples that it represents.
import type { Architecture } from "../../network/architecture.js";
import { PASS_BLOCK, type Workspace } from "../../network/forward.js";
import { gather, type Samples } from "../samples.js";
import { Passes } from "./passes.js";
import type { BlockSeeds } from "./seeds.js";

export function sampled(
  architecture: Architecture,
  samples: Samples,
  rootWeights: Float64Array | null,
  subset: Uint32Array,
  space: Workspace,
  seeds: BlockSeeds,
): Passes {
  const share = Math.sqrt(samples.sampleCount / subset.length);
  const roots = Float64Array.from(subset, (index) => share * (rootWeights === null ? 1 : rootWeights[index]!));
  return new Passes(architecture, gather(architecture, samples, subset, PASS_BLOCK), roots, space, seeds);
}

// The samples of a subset, each with the weight of those it stands for, and passes over them.
import type { Architecture } from "../../network/architecture.js";
import { PASS_BLOCK, type Workspace } from "../../network/forward.js";
import { gather, type Samples } from "../samples.js";
import { Passes } from "./passes.js";

/** Passes over all samples or over a subset of them. */
export interface Sampled {
  readonly passes: Passes;
  readonly rootWeights: Float64Array | null;
}

export function sampled(
  architecture: Architecture,
  samples: Samples,
  rootWeights: Float64Array | null,
  subset: Uint32Array,
  space: Workspace,
): Sampled {
  const share = Math.sqrt(samples.sampleCount / subset.length);
  return {
    passes: new Passes(architecture, gather(architecture, samples, subset, PASS_BLOCK), subset.length, space),
    rootWeights: Float64Array.from(subset, (index) => share * (rootWeights === null ? 1 : rootWeights[index]!)),
  };
}

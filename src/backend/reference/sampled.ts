// Forms what a linearization of the reference engine takes from a subset of the samples, each with the weight of the samples that it
// represents. The curvatures that take one (curvature/single-gram.ts, operator.ts) call it once the pass over all samples is over.
import type { Pace } from "../../event-loop-yield.js";
import { PASS_BLOCK } from "../../network/forward.js";
import { gather } from "../samples.js";
import { raise } from "./accumulate.js";
import type { Blocks } from "./blocks.js";
import { Passes } from "./passes.js";

/** Where a subset goes. */
export interface SampledSums {
  /** That of all samples, which that of the subset replaces. */
  readonly diagonal: Float64Array;
  readonly scaling: Float64Array | null;
  /** Zeros, p x p, and scratch for a block of rows of J~; null without a matrix. */
  readonly arrays: { readonly matrix: Float64Array; readonly scratch: Float64Array } | null;
}

/** Diagonal and matrix of the subset at `parameters`, and the passes over it. */
export async function formSampled(
  blocks: Blocks,
  subset: Uint32Array,
  parameters: Float64Array,
  { diagonal, scaling, arrays }: SampledSums,
  pace: Pace,
): Promise<Passes> {
  const passes = sampled(blocks, subset);
  // As in the core: a column that a subset does not see would be 1 for good.
  if (scaling?.includes(0)) raise(scaling, diagonal);
  await passes.addCurvature(parameters, diagonal.fill(0), arrays?.scratch ?? null, arrays?.matrix ?? null, pace);
  return passes;
}

function sampled(blocks: Blocks, subset: Uint32Array): Passes {
  const { architecture, samples, rootWeights } = blocks;
  const share = Math.sqrt(samples.sampleCount / subset.length);
  const roots = Float64Array.from(subset, (index) => share * (rootWeights === null ? 1 : rootWeights[index]!));
  return new Passes({ ...blocks, samples: gather(architecture, samples, subset, PASS_BLOCK), rootWeights: roots });
}

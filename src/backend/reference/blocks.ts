// Sums a linearization of the reference engine over all samples, block by block and slot by slot: loss, gradient and diagonal of the
// curvature. It gives each block to the curvature, which sums itself. engine.ts calls sumBlocks once a linearization.
import type { Pace } from "../../event-loop-yield.js";
import type { Architecture } from "../../network/architecture.js";
import {
  addGradient,
  backwardBlock,
  forwardBlock,
  PASS_BLOCK,
  passWeights,
  seedCombination,
  type Workspace,
} from "../../network/forward.js";
import type { Samples } from "../samples.js";
import { addProducts } from "./accumulate.js";
import type { BlockSeeds } from "./seeds.js";
import { eachBlock, type SlotEnd, SlotSum } from "./slot-sums.js";

/** What the passes of an engine run on. */
export interface Blocks {
  readonly architecture: Architecture;
  readonly samples: Samples;
  /** Roots of the sample weights; null = all 1. */
  readonly rootWeights: Float64Array | null;
  /** Panels of one block, one backward row an output. */
  readonly space: Workspace;
  /** The loss of one block. */
  readonly seeds: BlockSeeds;
  /** Slots that the sums are joined from. */
  readonly slots: number;
}

/** Sums over all samples. */
export interface BlockSums {
  readonly loss: number;
  /** J~^T z~, p entries. */
  readonly gradient: Float64Array;
  /** diag J~^T J~, p entries. */
  readonly diagonal: Float64Array;
  /** z~, n c entries; null where one of them is not finite. */
  readonly residual: Float64Array | null;
  /** |z~|^2. */
  readonly residualSquare: number;
  readonly curvatureSeconds: number;
}

/** Samples [first, first + count) of one slot. */
export interface BlockRows {
  /** Layer inputs, and the deltas of the rows of J~, one an output. */
  readonly space: Workspace;
  readonly first: number;
  readonly count: number;
  /** z~ of the block, count c entries or more; zeros where one of them is not finite. */
  readonly z: Float64Array;
}

/** A curvature that is summed with the blocks. */
export interface BlockReceiver extends SlotEnd {
  /** n c numbers that stand for the gradient of the loss by the predictions; null = the loss's own. */
  readonly gradientSeeds: Float64Array | null;
  addBlock(rows: BlockRows, pace: Pace): Promise<void>;
}

export async function sumBlocks(
  { architecture, samples, rootWeights: roots, space, seeds, slots }: Blocks,
  parameters: Float64Array,
  curvature: BlockReceiver,
  pace: Pace,
): Promise<BlockSums> {
  const { outputSize: c, parameterCount: p } = architecture;
  const n = samples.sampleCount;
  const weights = passWeights(architecture, parameters);
  const [gradient, diagonal] = [new Float64Array(p), new Float64Array(p)];
  const residual = new Float64Array(n * c);
  const unused = new Float64Array(PASS_BLOCK * c);
  // The loss and |z~|^2.
  const totals = new Float64Array(2);
  let [whole, curvatureSeconds] = [true, 0];
  const sums = [totals, gradient, diagonal].map((sum) => new SlotSum(sum, slots));
  await eachBlock(n, slots, [...sums, curvature], pace, async (first, count) => {
    forwardBlock(space, weights, samples.inputs(first, count), 0, count);
    totals[0] += seeds.compute(space, { targets: samples.targets(first, count), roots, first, count });
    const z = seeds.seeds.z.subarray(0, count * c);
    residual.set(z, first * c);
    for (const value of z) totals[1] += value * value;
    const { gradientSeeds: given } = curvature;
    const known = given === null && seeds.hasResidual(count);
    if (!known) {
      // Without z~ the gradient has a backward row of its own.
      whole = false;
      seedCombination(space, given ?? seeds.seeds.gradient, given === null ? 0 : first, count);
      backwardBlock(space, weights, count, 1);
      addGradient(space, count, gradient);
    }
    seeds.seedRows(space, count);
    backwardBlock(space, weights, count, c);
    addProducts(space, count, known ? z : unused, gradient, diagonal);
    const before = performance.now();
    await curvature.addBlock({ space, first, count, z: known ? z : unused }, pace);
    curvatureSeconds += (performance.now() - before) / 1000;
    await pace.turn();
  });
  const [loss, residualSquare] = totals;
  return { loss, gradient, diagonal, residual: whole ? residual : null, residualSquare, curvatureSeconds };
}

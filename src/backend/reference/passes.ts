// Runs the passes of network/forward.ts over all samples, block by block, at any parameters, for the calls of the reference engine and its
// curvatures (engine.ts, curvature/): predictions, the loss, J v, J^T u, G v, F'' v and rows of J; and products with J~ = sqrt(s) R^T J, with the
// curvature factor R of the loss at those parameters.

import type { Pace } from "../../event-loop-yield.js";
import type { Architecture } from "../../network/architecture.js";
import {
  addGradient,
  backwardBlock,
  forwardBlock,
  outputsOf,
  PASS_BLOCK,
  type PassWeights,
  passWeights,
  seedCombination,
  seedOutputs,
  tangentBlock,
  type Workspace,
  workspace,
} from "../../network/forward.js";
import { addHessianProduct, lossDerivatives } from "../../network/hessian.js";
import { secondDerivativeBlock } from "../../network/second-derivative.js";
import type { Samples } from "../samples.js";
import { addProducts } from "./accumulate.js";
import type { Blocks } from "./blocks.js";
import { checkArray, checkRows } from "./checks.js";
import { addRankUpdate, jacobianTransposed } from "./matrices.js";
import type { BlockSamples, BlockSeeds } from "./seeds.js";
import { eachBlock, SlotSum } from "./slot-sums.js";

export class Passes {
  readonly #architecture: Architecture;
  readonly #samples: Samples;
  readonly #sampleCount: number;
  readonly #rootWeights: Float64Array | null;
  readonly #space: Workspace;
  readonly #seeds: BlockSeeds;
  readonly #slots: number;

  /** Panels and seeds are shared with the owner. */
  constructor({ architecture, samples, rootWeights, space, seeds, slots }: Blocks) {
    this.#architecture = architecture;
    this.#samples = samples;
    this.#sampleCount = samples.sampleCount;
    this.#rootWeights = rootWeights;
    this.#space = space;
    this.#seeds = seeds;
    this.#slots = slots;
  }

  async forward(parameters: Float64Array, pace: Pace): Promise<Float64Array> {
    const { outputSize: c, outputScale } = this.#architecture;
    const psi = new Float64Array(this.#sampleCount * c);
    await this.#blocks(parameters, pace, [], (_, first, count) => {
      const f = outputsOf(this.#space);
      for (let k = 0; k < count * c; k++) psi[first * c + k] = outputScale * f[k];
    });
    return psi;
  }

  /** The sum loss. In panels without rows for a backward pass: a curvature may stand in the shared ones. */
  async loss(parameters: Float64Array, pace: Pace): Promise<number> {
    const weights = passWeights(this.#architecture, parameters);
    const space = workspace(this.#architecture, this.#space.capacity, 0);
    const loss = new Float64Array(1);
    await eachBlock(this.#sampleCount, this.#slots, [new SlotSum(loss, this.#slots)], pace, async (first, count) => {
      forwardBlock(space, weights, this.#samples.inputs(first, count), 0, count);
      loss[0] += this.#seeds.value(space, this.samples(first, count));
      await pace.turn();
    });
    return loss[0];
  }

  /** J v: rows of p entries to rows of n c. */
  async product(parameters: Float64Array, vectors: Float64Array, pace: Pace): Promise<Float64Array> {
    const { outputSize: c, parameterCount: p } = this.#architecture;
    const number = checkRows("vectors", vectors, p);
    const directions = this.#directions(vectors);
    const rows = this.#sampleCount * c;
    const out = new Float64Array(number * rows);
    await this.#blocks(parameters, pace, [], (weights, first, count) => {
      directions.forEach((direction, v) => {
        tangentBlock(this.#space, weights, direction, count, out, v * rows + first * c);
      });
    });
    return out;
  }

  /** J~ v for one v of p entries: n c. */
  async seededProduct(parameters: Float64Array, vector: Float64Array, pace: Pace): Promise<Float64Array> {
    const { outputSize: c } = this.#architecture;
    const direction = passWeights(this.#architecture, vector);
    const out = new Float64Array(this.#sampleCount * c);
    await this.#seededBlocks(parameters, pace, [], (weights, first, count) => {
      tangentBlock(this.#space, weights, direction, count, out, first * c);
      this.#seeds.applyTransposed(out, first, count);
    });
    return out;
  }

  /** sqrt(s) R^T psi_vv, psi_vv the second derivative of the predictions along a direction of p entries: n c entries. */
  async secondDerivative(parameters: Float64Array, vector: Float64Array, pace: Pace): Promise<Float64Array> {
    const { outputSize: c, parameterCount } = this.#architecture;
    checkArray("velocity", vector, parameterCount);
    const direction = passWeights(this.#architecture, vector);
    const out = new Float64Array(this.#sampleCount * c);
    await this.#seededBlocks(parameters, pace, [], (weights, first, count) => {
      secondDerivativeBlock(this.#space, weights, direction, count, out, first * c);
      this.#seeds.applyTransposed(out, first, count);
    });
    return out;
  }

  /** J^T u: rows of n c entries to rows of p. */
  async transpose(parameters: Float64Array, vectors: Float64Array, pace: Pace): Promise<Float64Array> {
    const { outputSize: c, parameterCount: p } = this.#architecture;
    const rows = this.#sampleCount * c;
    const number = checkRows("vectors", vectors, rows);
    const seeds = vectors.slice();
    const out = new Float64Array(number * p);
    await this.#blocks(parameters, pace, [out], (weights, first, count) => {
      for (let v = 0; v < number; v++)
        this.#addTranspose(weights, seeds.subarray(v * rows, (v + 1) * rows), first, count, out.subarray(v * p));
    });
    return out;
  }

  /** J~^T u for one u of n c entries: p. */
  async seededTranspose(parameters: Float64Array, u: Float64Array, pace: Pace): Promise<Float64Array> {
    const seeds = u.slice();
    const out = new Float64Array(this.#architecture.parameterCount);
    await this.#seededBlocks(parameters, pace, [out], (weights, first, count) => {
      this.#seeds.apply(seeds, first, count);
      this.#addTranspose(weights, seeds, first, count, out);
    });
    return out;
  }

  /** G v = J~^T J~ v: rows of p entries to rows of p, the passes of a block done once. */
  async gram(parameters: Float64Array, vectors: Float64Array, pace: Pace): Promise<Float64Array> {
    const { outputSize: c, parameterCount: p } = this.#architecture;
    const number = checkRows("vectors", vectors, p);
    const directions = this.#directions(vectors);
    const image = new Float64Array(this.#space.capacity * c);
    const out = new Float64Array(number * p);
    await this.#seededBlocks(parameters, pace, [out], (weights, _, count) => {
      directions.forEach((direction, v) => {
        tangentBlock(this.#space, weights, direction, count, image, 0);
        this.#seeds.applyCurvature(image, 0, count);
        this.#addTranspose(weights, image, 0, count, out.subarray(v * p));
      });
    });
    return out;
  }

  /** F'' v of the sum loss, by exact second derivatives: rows of p entries to rows of p, the passes of a block done once. */
  async hessian(parameters: Float64Array, vectors: Float64Array, pace: Pace): Promise<Float64Array> {
    const { parameterCount: p } = this.#architecture;
    const number = checkRows("vectors", vectors, p);
    const directions = this.#directions(vectors);
    const [space, seeds] = [this.#space, this.#seeds];
    const out = new Float64Array(number * p);
    await this.#seededBlocks(parameters, pace, [out], (weights, first, count) => {
      const derivatives = lossDerivatives(space, weights, seeds.seeds.gradient, count);
      const applyLoss = (images: Float64Array) => seeds.applyHessian(images, space, this.samples(first, count));
      directions.forEach((direction, v) => {
        addHessianProduct(space, weights, derivatives, direction, count, applyLoss, out.subarray(v * p, (v + 1) * p));
      });
    });
    return out;
  }

  /**
   * diagonal (p) += diag J~^T J~, and matrix (p x p, lower triangle, or null) += J~^T J~; `transposed` is scratch for a block of rows
   * of J~, null without a matrix. For a subset, which has one slot.
   */
  async addCurvature(
    parameters: Float64Array,
    diagonal: Float64Array,
    transposed: Float64Array | null,
    matrix: Float64Array | null,
    pace: Pace,
  ): Promise<void> {
    const { outputSize: c, parameterCount: p } = this.#architecture;
    const unused = new Float64Array(p);
    await this.#seededBlocks(parameters, pace, [], (weights, _, count) => {
      this.#seeds.seedRows(this.#space, count);
      backwardBlock(this.#space, weights, count, c);
      addProducts(this.#space, count, new Float64Array(count * c), unused, diagonal);
      if (transposed === null || matrix === null) return;
      jacobianTransposed(this.#space, count, transposed);
      return addRankUpdate(matrix, p, transposed, count * c, pace);
    });
  }

  #directions(vectors: Float64Array): PassWeights[] {
    const p = this.#architecture.parameterCount;
    return Array.from({ length: vectors.length / p }, (_, v) =>
      passWeights(this.#architecture, vectors.subarray(v * p, (v + 1) * p)),
    );
  }

  /** Rows of J for samples [first, first + count): count c x p. */
  async jacobian(parameters: Float64Array, first: number, count: number, pace: Pace): Promise<Float64Array> {
    const { outputSize: c, parameterCount: p } = this.#architecture;
    const out = new Float64Array(count * c * p);
    const weights = passWeights(this.#architecture, parameters);
    const transposed = new Float64Array(p * PASS_BLOCK * c);
    for (let done = 0; done < count; done += PASS_BLOCK) {
      const size = Math.min(PASS_BLOCK, count - done, this.#space.capacity);
      forwardBlock(this.#space, weights, this.#samples.inputs(first + done, size), 0, size);
      seedOutputs(this.#space, size);
      backwardBlock(this.#space, weights, size, c);
      jacobianTransposed(this.#space, size, transposed);
      for (let row = 0; row < size * c; row++)
        for (let j = 0; j < p; j++) out[(done * c + row) * p + j] = transposed[j * size * c + row];
      await pace.turn();
    }
    return out;
  }

  /** What the loss reads of samples [first, first + count). */
  samples(first: number, count: number): BlockSamples {
    return { targets: this.#samples.targets(first, count), roots: this.#rootWeights, first, count };
  }

  /** out += J^T u of the block, whose entries of `u` begin at sample `first`. */
  #addTranspose(weights: PassWeights, u: Float64Array, first: number, count: number, out: Float64Array): void {
    seedCombination(this.#space, u, first, count);
    backwardBlock(this.#space, weights, count, 1);
    addGradient(this.#space, count, out);
  }

  /** body(weights, first, count) after the forward pass of each block. It adds to `sums`, which are joined slot by slot. */
  async #blocks(
    parameters: Float64Array,
    pace: Pace,
    sums: readonly Float64Array[],
    body: (weights: PassWeights, first: number, count: number) => void | Promise<void>,
  ): Promise<void> {
    const weights = passWeights(this.#architecture, parameters);
    const joined = sums.map((sum) => new SlotSum(sum, this.#slots));
    await eachBlock(this.#sampleCount, this.#slots, joined, pace, async (first, count) => {
      forwardBlock(this.#space, weights, this.#samples.inputs(first, count), 0, count);
      await body(weights, first, count);
      await pace.turn();
    });
  }

  /** The same with the seeds of each block. */
  #seededBlocks(
    parameters: Float64Array,
    pace: Pace,
    sums: readonly Float64Array[],
    body: (weights: PassWeights, first: number, count: number) => void | Promise<void>,
  ): Promise<void> {
    return this.#blocks(parameters, pace, sums, (weights, first, count) => {
      this.#seeds.compute(this.#space, this.samples(first, count));
      return body(weights, first, count);
    });
  }
}

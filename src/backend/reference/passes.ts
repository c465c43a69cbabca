// Block after block of samples through the passes of network/forward.ts: predictions, J v, J^T u, G v and rows of J at any parameters.

import type { Pace } from "../../event-loop-yield.js";
import { squaredErrorValue } from "../../loss/squared-error.js";
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
import { secondDerivativeBlock } from "../../network/second-derivative.js";
import type { Samples } from "../samples.js";
import { addProducts, seedWeighted, weightedResidual } from "./accumulate.js";
import { checkArray, checkRows } from "./checks.js";
import { addRankUpdate, jacobianTransposed } from "./gram.js";

export class Passes {
  readonly #architecture: Architecture;
  readonly #samples: Samples;
  readonly #sampleCount: number;
  readonly #space: Workspace;

  /** @param space one backward row an output, shared with the owner */
  constructor(architecture: Architecture, samples: Samples, sampleCount: number, space: Workspace) {
    this.#architecture = architecture;
    this.#samples = samples;
    this.#sampleCount = sampleCount;
    this.#space = space;
  }

  async forward(parameters: Float64Array, pace: Pace): Promise<Float64Array> {
    const { outputSize: c, outputScale } = this.#architecture;
    const psi = new Float64Array(this.#sampleCount * c);
    await this.#blocks(parameters, pace, (_, first, count) => {
      const f = outputsOf(this.#space);
      for (let k = 0; k < count * c; k++) psi[first * c + k] = outputScale * f[k];
    });
    return psi;
  }

  /** The sum loss. In panels without rows for a backward pass: a curvature may stand in the shared ones. */
  async loss(parameters: Float64Array, rootWeights: Float64Array | null, pace: Pace): Promise<number> {
    const weights = passWeights(this.#architecture, parameters);
    const space = workspace(this.#architecture, this.#space.capacity, 0);
    let loss = 0;
    for (let first = 0; first < this.#sampleCount; first += PASS_BLOCK) {
      const count = Math.min(PASS_BLOCK, this.#sampleCount - first);
      forwardBlock(space, weights, this.#samples.inputs(first, count), 0, count);
      loss += squaredErrorValue(
        weightedResidual(space, this.#samples.targets(first, count), rootWeights, first, count),
      );
      await pace.turn();
    }
    return loss;
  }

  /** J v: rows of p entries to rows of n c. */
  async product(parameters: Float64Array, vectors: Float64Array, pace: Pace): Promise<Float64Array> {
    const { outputSize: c, parameterCount: p } = this.#architecture;
    const number = checkRows("vectors", vectors, p);
    const directions = this.#directions(vectors);
    const rows = this.#sampleCount * c;
    const out = new Float64Array(number * rows);
    await this.#blocks(parameters, pace, (weights, first, count) => {
      directions.forEach((direction, v) => {
        tangentBlock(this.#space, weights, direction, count, out, v * rows + first * c);
      });
    });
    return out;
  }

  /** Second derivative of the predictions along a direction of p entries: n c entries. */
  async secondDerivative(parameters: Float64Array, vector: Float64Array, pace: Pace): Promise<Float64Array> {
    const { outputSize: c, parameterCount } = this.#architecture;
    checkArray("velocity", vector, parameterCount);
    const direction = passWeights(this.#architecture, vector);
    const out = new Float64Array(this.#sampleCount * c);
    await this.#blocks(parameters, pace, (weights, first, count) =>
      secondDerivativeBlock(this.#space, weights, direction, count, out, first * c),
    );
    return out;
  }

  /** J^T u: rows of n c entries to rows of p. */
  async transpose(parameters: Float64Array, vectors: Float64Array, pace: Pace): Promise<Float64Array> {
    const { outputSize: c, parameterCount: p } = this.#architecture;
    const rows = this.#sampleCount * c;
    const number = checkRows("vectors", vectors, rows);
    const seeds = vectors.slice();
    const out = new Float64Array(number * p);
    await this.#blocks(parameters, pace, (weights, first, count) => {
      for (let v = 0; v < number; v++) {
        seedCombination(this.#space, seeds.subarray(v * rows, (v + 1) * rows), first, count);
        backwardBlock(this.#space, weights, count, 1);
        addGradient(this.#space, count, out.subarray(v * p, (v + 1) * p));
      }
    });
    return out;
  }

  /** G v = J~^T J~ v, samples weighted: rows of p entries to rows of p, the passes of a block done once. */
  async gram(
    parameters: Float64Array,
    vectors: Float64Array,
    rootWeights: Float64Array | null,
    pace: Pace,
  ): Promise<Float64Array> {
    const { outputSize: c, parameterCount: p } = this.#architecture;
    const number = checkRows("vectors", vectors, p);
    const directions = this.#directions(vectors);
    const image = new Float64Array(this.#space.capacity * c);
    const out = new Float64Array(number * p);
    await this.#blocks(parameters, pace, (weights, first, count) => {
      directions.forEach((direction, v) => {
        tangentBlock(this.#space, weights, direction, count, image, 0);
        if (rootWeights !== null)
          for (let k = 0; k < count * c; k++) image[k] *= rootWeights[first + Math.floor(k / c)] ** 2;
        seedCombination(this.#space, image, 0, count);
        backwardBlock(this.#space, weights, count, 1);
        addGradient(this.#space, count, out.subarray(v * p, (v + 1) * p));
      });
    });
    return out;
  }

  /**
   * diagonal (p) += diag J~^T J~, and matrix (p x p, lower triangle, or null) += J~^T J~; `transposed` is scratch for a block of rows
   * of J~, null without a matrix.
   */
  async addCurvature(
    parameters: Float64Array,
    rootWeights: Float64Array | null,
    diagonal: Float64Array,
    transposed: Float64Array | null,
    matrix: Float64Array | null,
    pace: Pace,
  ): Promise<void> {
    const { outputSize: c, parameterCount: p } = this.#architecture;
    const unused = new Float64Array(p);
    await this.#blocks(parameters, pace, (weights, first, count) => {
      seedWeighted(this.#space, rootWeights, first, count);
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

  async #blocks(
    parameters: Float64Array,
    pace: Pace,
    body: (weights: PassWeights, first: number, count: number) => void | Promise<void>,
  ): Promise<void> {
    const weights = passWeights(this.#architecture, parameters);
    for (let first = 0; first < this.#sampleCount; first += PASS_BLOCK) {
      const count = Math.min(PASS_BLOCK, this.#sampleCount - first);
      forwardBlock(this.#space, weights, this.#samples.inputs(first, count), 0, count);
      await body(weights, first, count);
      await pace.turn();
    }
  }
}

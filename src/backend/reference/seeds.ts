// Computes the loss of a block of samples in the form of the reference engine's passes (blocks.ts, passes.ts): its value, the seeds of the
// backward rows of J~, and products with the factor sqrt(s) R of its curvature.
import type { LossBlock, LossRule, LossSeeds } from "../../loss/loss.js";
import type { Architecture } from "../../network/architecture.js";
import { outputsOf, type Workspace } from "../../network/forward.js";

/** Lengths of the factor, and of each of the other arrays. */
function seedLengths(rule: LossRule, outputSize: number, capacity: number) {
  const rows = capacity * outputSize;
  return { factor: rule.factor === "full" ? rows * outputSize : rows, rows };
}

/** Arrays that every block overwrites. */
export class BlockSeeds {
  readonly rule: LossRule;
  /** sqrt(s) R, sqrt(s) z and s r of the last block. */
  readonly seeds: LossSeeds;
  readonly #predictions: Float64Array;
  readonly #outputSize: number;

  constructor(rule: LossRule, { outputSize: c }: Architecture, capacity: number) {
    const array = (size: number) => new Float64Array(size);
    const { factor, rows } = seedLengths(rule, c, capacity);
    this.rule = rule;
    this.seeds = { factor: array(factor), z: array(rows), gradient: array(rows) };
    this.#predictions = array(rows);
    this.#outputSize = c;
  }

  /** Doubles of one for blocks of `capacity` samples, which is not made. */
  static doubles(rule: LossRule, { outputSize }: Architecture, capacity: number): number {
    const { factor, rows } = seedLengths(rule, outputSize, capacity);
    return factor + 3 * rows;
  }

  get bytes(): number {
    const { factor, z, gradient } = this.seeds;
    return factor.byteLength + z.byteLength + gradient.byteLength + this.#predictions.byteLength;
  }

  /** Sum of s l over the block whose outputs stand in `space`. */
  value(space: Workspace, samples: BlockSamples): number {
    return this.rule.apply(this.#block(space, samples), null);
  }

  /** The same, and the seeds. */
  compute(space: Workspace, samples: BlockSamples): number {
    return this.rule.apply(this.#block(space, samples), this.seeds);
  }

  #block(space: Workspace, { targets, roots, first, count }: BlockSamples): LossBlock {
    const { outputSize, outputScale } = space.architecture;
    const f = outputsOf(space);
    const predictions = this.#predictions;
    for (let k = 0; k < count * outputSize; k++) predictions[k] = outputScale * f[k];
    return { count, outputSize, predictions, targets, roots, first };
  }

  /** The deltas of the last layer for the rows of J~, c backward rows a sample: column b of R seeds row b. */
  seedRows(space: Workspace, count: number): void {
    const { outputSize: c, outputScale } = space.architecture;
    const last = space.deltas.length - 1;
    const delta = space.deltas[last];
    const slope = space.slopes[last];
    const { factor } = this.seeds;
    if (this.rule.factor === "full") {
      for (let row = 0, at = 0; row < count * c; row++) {
        const i = Math.floor(row / c);
        for (let a = 0; a < c; a++, at++) delta[at] = outputScale * slope[i * c + a] * factor[at];
      }
      return;
    }
    delta.fill(0, 0, count * c * c);
    for (let k = 0; k < count * c; k++) delta[k * c + (k % c)] = outputScale * slope[k] * factor[k];
  }

  /** Whether every z of the last block is finite: then its share of the gradient is J~^T z. */
  hasResidual(count: number): boolean {
    return this.seeds.z.subarray(0, count * this.#outputSize).every(Number.isFinite);
  }

  /** In place: the block's entries of a vector v of n c numbers become those of sqrt(s) R^T v. */
  applyTransposed(v: Float64Array, first: number, count: number): void {
    this.#apply(v, first, count, (factor, row, c, sample) => {
      let sum = 0;
      for (let a = 0; a < c; a++) sum += factor[row * c + a] * sample[a];
      return sum;
    });
  }

  /** In place: those of u become those of sqrt(s) R u. */
  apply(u: Float64Array, first: number, count: number): void {
    this.#apply(u, first, count, (factor, row, c, sample) => {
      const start = row - (row % c);
      let sum = 0;
      for (let b = 0; b < c; b++) sum += factor[(start + b) * c + (row % c)] * sample[b];
      return sum;
    });
  }

  #apply(
    values: Float64Array,
    first: number,
    count: number,
    full: (factor: Float64Array, row: number, c: number, sample: Float64Array) => number,
  ): void {
    const c = this.#outputSize;
    const { factor } = this.seeds;
    if (this.rule.factor === "diagonal") {
      for (let k = 0; k < count * c; k++) values[first * c + k] *= factor[k];
      return;
    }
    for (let i = 0; i < count; i++) {
      const at = (first + i) * c;
      const sample = values.slice(at, at + c);
      for (let a = 0; a < c; a++) values[at + a] = full(factor, i * c + a, c, sample);
    }
  }

  /** In place: those of v become those of s Q v. */
  applyCurvature(v: Float64Array, first: number, count: number): void {
    if (this.rule.factor === "diagonal") {
      const c = this.#outputSize;
      for (let k = 0; k < count * c; k++) v[first * c + k] *= this.seeds.factor[k] ** 2;
      return;
    }
    this.applyTransposed(v, first, count);
    this.apply(v, first, count);
  }

  /** In place: v, count x c, becomes s l'' v, l'' the exact second derivative of the loss by psi at the block whose outputs stand in `space`. */
  applyHessian(v: Float64Array, space: Workspace, samples: BlockSamples): void {
    const { roots, first, count } = samples;
    this.rule.applyHessian(this.#block(space, samples), v);
    if (roots === null) return;
    const c = this.#outputSize;
    for (let k = 0; k < count * c; k++) v[k] *= roots[first + Math.floor(k / c)] ** 2;
  }
}

/** Samples [first, first + count) of the data. */
export interface BlockSamples {
  /** Theirs alone, count x c. */
  readonly targets: Float64Array;
  /** Of all samples, or null. */
  readonly roots: Float64Array | null;
  readonly first: number;
  readonly count: number;
}

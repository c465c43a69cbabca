// Keeps the large arrays of the curvatures of the reference engine that are a matrix: the matrix, its factor, and what it is summed in.
// store.ts owns one a engine. Gram matrices and kernels (matrix.ts) take turns in it, and keep it from one linearization to the next of their
// kind. The moving average of Gram matrices (gram.ts) stands beside them until the engine is disposed of.

/** What a curvature needs of it. */
export interface SystemLengths {
  readonly order: number;
  /** Partial sums of a matrix that is joined from slots; the first is kept in the factor. */
  readonly pending: number;
  /** Doubles of a block of rows of J~; 0 = none. */
  readonly scratch: number;
}

/** Lower triangles, row-major: order x order. */
export interface SystemArrays {
  /** Zeros. */
  readonly matrix: Float64Array;
  readonly factor: Float64Array;
  /** The first is the factor, which a linearization ends. */
  readonly pending: readonly Float64Array[];
  readonly scratch: Float64Array;
}

const NONE = new Float64Array(0);

export class DampedSystem {
  #matrix = NONE;
  #factor = NONE;
  #scratch = NONE;
  /** Partial sums beside the factor. */
  #pending: Float64Array[] = [];
  #average: Float64Array | null = null;
  /** The curvature whose damped matrix the factor is of; null = of none, or of another shift. */
  factorOf: object | null = null;

  /** Bytes that `reserve` takes, from sizes alone. */
  static bytes({ order, pending, scratch }: SystemLengths) {
    const DOUBLE = Float64Array.BYTES_PER_ELEMENT;
    const matrix = DOUBLE * order * order;
    return { curvature: matrix, factor: matrix, workspaces: DOUBLE * scratch + Math.max(0, pending - 1) * matrix };
  }

  /**
   * Arrays of these lengths. What has another length is freed before the new one is taken.
   * @param keepsFactor without pending sums, which begin in its place: a factor of the same order stays
   * @throws RangeError where an array cannot be had
   */
  reserve({ order, pending, scratch }: SystemLengths, keepsFactor = false): SystemArrays {
    if (!keepsFactor) this.factorOf = null;
    if (this.#matrix.length !== order * order) {
      this.release();
      this.#matrix = new Float64Array(order * order);
      this.#factor = new Float64Array(order * order);
    }
    if (this.#scratch.length !== scratch) {
      this.#scratch = NONE;
      this.#scratch = new Float64Array(scratch);
    }
    const beside = Math.max(0, pending - 1);
    this.#pending = this.#pending.slice(0, beside);
    while (this.#pending.length < beside) this.#pending.push(new Float64Array(order * order));
    return {
      matrix: this.#matrix.fill(0),
      factor: this.#factor,
      pending: [this.#factor, ...this.#pending].slice(0, pending),
      scratch: this.#scratch,
    };
  }

  /** M of the moving average, zeros at first: order x order, of which the lower triangle counts. @throws RangeError */
  average(order: number): Float64Array {
    this.#average ??= new Float64Array(order * order);
    return this.#average;
  }

  get bytes(): number {
    const arrays = [this.#matrix, this.#factor, this.#scratch, this.#average ?? NONE, ...this.#pending];
    return arrays.reduce((sum, array) => sum + array.byteLength, 0);
  }

  /** All but the average. */
  release(): void {
    this.factorOf = null;
    this.#matrix = NONE;
    this.#factor = NONE;
    this.#scratch = NONE;
    this.#pending = [];
  }

  dispose(): void {
    this.release();
    this.#average = null;
  }
}

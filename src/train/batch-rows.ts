// Gives the loop over batches (descend.ts) the rows of each batch. The order of the rows is a function of seed and
// epoch alone, and the batches of an epoch are its consecutive parts, so that a resumed run sees the rows that the
// uninterrupted one would have seen.
//
// Rows in memory are shuffled as a whole. Of a data file the blocks are read in shuffled order, some of them at a time
// form a pool, and the rows of a pool are shuffled: every batch holds rows from many places of the file, and memory is
// bounded by the pool.
import type { Engine, EngineData } from "../backend/engine.js";
import type { EngineRows } from "../backend/rows.js";
import { blockRows, RowReader } from "../data/row-reader.js";
import type { ColumnScaling } from "../data/scaling.js";
import { finishInTurns, Pace, STEP } from "../event-loop-yield.js";
import { permutationSteps, Random } from "../random.js";

/** First random stream of the order of rows, one an epoch. Splits, starts and others use small numbers. */
const ORDER_STREAM = 2 ** 33;
/** First random stream of the order within a pool, one for each epoch and pool. */
const POOL_STREAM = 2 ** 34;
/** Largest number of pools of an epoch that have random streams of their own. */
const MOST_POOLS = 2 ** 18;

/** Blocks of about 1 MB that form a pool. */
export const POOL_BLOCKS = 32;

/** An engine whose rows can be replaced by as many others. */
export type LoadableEngine = Engine & Required<Pick<Engine, "load">>;

/** The rows of a run, batch by batch. */
export interface BatchRows {
  /** Puts batch `position` of an epoch (both from 0) into the engines; each gets the first rows of the batch. */
  load(epoch: number, position: number, engines: readonly LoadableEngine[]): Promise<void>;
  /** The rows of the last `load`. */
  readonly batch: EngineRows;
  /** Data of an engine for the first `rows` rows: arrays that the engine copies. */
  first(rows: number): EngineData;
  /** Closes files. */
  close(): void;
}

/** The arrays of one batch, and their parts for engines that hold fewer rows. */
class Batch {
  readonly inputs: Float64Array;
  readonly targets: Float64Array;
  readonly weights: Float64Array | undefined;

  constructor(
    readonly rows: number,
    readonly inputSize: number,
    readonly targetSize: number,
    weighted: boolean,
  ) {
    this.inputs = new Float64Array(rows * inputSize);
    this.targets = new Float64Array(rows * targetSize);
    this.weights = weighted ? new Float64Array(rows) : undefined;
  }

  /** The first `rows` rows. */
  part(rows: number): Pick<EngineData, "inputs" | "targets" | "weights"> {
    const { inputs, targets, weights, inputSize, targetSize } = this;
    if (rows === this.rows) return { inputs, targets, weights };
    return {
      inputs: inputs.subarray(0, rows * inputSize),
      targets: targets.subarray(0, rows * targetSize),
      weights: weights?.subarray(0, rows),
    };
  }

  into(engines: readonly LoadableEngine[]): void {
    for (const engine of engines) engine.load(this.part(engine.sampleCount));
  }
}

/** Numbers of a row from which on `set` copies it. Below that number the call costs more than the copy. */
const WIDE = 32;

/** Copies `count` numbers of one array to another. */
function copyNumbers(from: Float64Array, first: number, count: number, into: Float64Array, to: number): void {
  if (count >= WIDE) into.set(from.subarray(first, first + count), to);
  else for (let j = 0; j < count; j++) into[to + j] = from[first + j]!;
}

/** Copies row `row` of the data to row `to` of a batch. */
function copyRow(from: Pick<EngineData, "inputs" | "targets" | "weights">, row: number, into: Batch, to: number): void {
  const { inputSize: d, targetSize: k } = into;
  copyNumbers(from.inputs, row * d, d, into.inputs, to * d);
  copyNumbers(from.targets, row * k, k, into.targets, to * k);
  if (into.weights !== undefined) into.weights[to] = from.weights?.[row] ?? 1;
}

/** Rows in memory, in the units of training. */
export class MemoryRows implements BatchRows {
  readonly #data: EngineData;
  readonly #batch: Batch;
  readonly #seed: number;
  readonly #pace = new Pace(undefined);
  #epoch = -1;
  #order: Uint32Array = new Uint32Array(0);

  /** @param data of all rows, which are not copied */
  constructor(data: EngineData, rows: number, seed: number) {
    const { sampleCount: n, inputs, targets, weights } = data;
    this.#data = data;
    this.#batch = new Batch(rows, inputs.length / n, targets.length / n, weights !== undefined);
    this.#seed = seed;
  }

  get batch(): EngineRows {
    return this.#batch.part(this.#batch.rows);
  }

  async load(epoch: number, position: number, engines: readonly LoadableEngine[]): Promise<void> {
    if (epoch !== this.#epoch) {
      const random = new Random(this.#seed, ORDER_STREAM + epoch);
      this.#order = await finishInTurns(permutationSteps(random, this.#data.sampleCount), this.#pace);
      this.#epoch = epoch;
    }
    const { rows, inputSize, targetSize } = this.#batch;
    const piece = Math.max(1, Math.floor(STEP / (inputSize + targetSize)));
    for (let i = 0, at = position * rows; i < rows; i++, at++) {
      if (i > 0 && i % piece === 0) await this.#pace.turn();
      copyRow(this.#data, this.#order[at]!, this.#batch, i);
    }
    this.#batch.into(engines);
  }

  first(rows: number): EngineData {
    const { inputs, targets, weights, loss } = this.#data;
    const { inputSize, targetSize } = this.#batch;
    return {
      sampleCount: rows,
      inputs: inputs.subarray(0, rows * inputSize),
      targets: targets.subarray(0, rows * targetSize),
      weights: weights?.subarray(0, rows),
      loss,
    };
  }

  close(): void {}
}

/** What `FileRows` needs of a data set in a file. */
export type FileRowsData = EngineData & { readonly file: NonNullable<EngineData["file"]> };

/** Some blocks of the file, whose rows are shuffled. */
interface Pool {
  /** Number of the pool in its epoch. */
  readonly index: number;
  /** Place in the epoch of its first row. */
  readonly from: number;
  /** Its rows in the order of the epoch, as places among the rows that were read. */
  readonly order: Uint32Array;
}

/** Rows of a data file. Weights are in memory. */
export class FileRows implements BatchRows {
  readonly #data: FileRowsData;
  readonly #batch: Batch;
  readonly #seed: number;
  readonly #pace = new Pace(undefined);
  readonly #reader: RowReader;
  /** Rows of a block. */
  readonly #block: number;
  /** Blocks of the file, and of a pool. */
  readonly #blocks: number;
  readonly #pooled: number;
  readonly #read: Batch;
  #epoch = -1;
  /** Blocks in the order of the epoch. */
  #order: Uint32Array = new Uint32Array(0);
  #pool: Pool | null = null;

  /**
   * @param poolBlocks blocks of a pool; for tests
   * @param block rows of a block; for tests
   */
  constructor(
    data: FileRowsData,
    rows: number,
    seed: number,
    poolBlocks = POOL_BLOCKS,
    block = blockRows(data.file.layout),
  ) {
    const { sampleCount: n, file, weights } = data;
    const [d, k] = [file.inputs.scale.length, file.targets.scale.length];
    this.#data = data;
    this.#seed = seed;
    this.#reader = new RowReader(file.layout);
    this.#batch = new Batch(rows, d, k, weights !== undefined);
    this.#block = Math.min(n, block);
    this.#blocks = Math.ceil(n / this.#block);
    this.#pooled = Math.min(this.#blocks, poolBlocks);
    this.#read = new Batch(Math.min(n, this.#block * this.#pooled), d, k, weights !== undefined);
  }

  get batch(): EngineRows {
    return this.#batch.part(this.#batch.rows);
  }

  async load(epoch: number, position: number, engines: readonly LoadableEngine[]): Promise<void> {
    if (epoch !== this.#epoch) {
      const random = new Random(this.#seed, ORDER_STREAM + epoch);
      this.#order = await finishInTurns(permutationSteps(random, this.#blocks), this.#pace);
      [this.#epoch, this.#pool] = [epoch, null];
    }
    const { rows } = this.#batch;
    for (let i = 0, at = position * rows; i < rows; i++, at++) {
      let pool = this.#pool;
      if (pool === null || at < pool.from || at >= pool.from + pool.order.length) pool = await this.#poolAt(at);
      copyRow(this.#read, pool.order[at - pool.from]!, this.#batch, i);
    }
    this.#batch.into(engines);
  }

  first(rows: number): EngineData {
    const { inputSize, targetSize, weights } = this.#batch;
    const head = new Batch(rows, inputSize, targetSize, weights !== undefined);
    for (let row = 0; row < rows; row += this.#block) this.#take(row, Math.min(this.#block, rows - row), head, row);
    return { sampleCount: rows, ...head.part(rows), loss: this.#data.loss };
  }

  close(): void {
    this.#reader.close();
  }

  /** Reads the pool that holds place `at` of the epoch. A resumed run skips the pools before it. */
  async #poolAt(at: number): Promise<Pool> {
    const before = this.#pool !== null && at >= this.#pool.from ? this.#pool : null;
    let index = before === null ? 0 : before.index + 1;
    let from = before === null ? 0 : before.from + before.order.length;
    for (let rows = this.#rowsOf(index); at >= from + rows; rows = this.#rowsOf(index)) {
      from += rows;
      index++;
    }
    // There is no pool until it has been read as a whole, so that an abort leaves no half of one.
    this.#pool = null;
    let filled = 0;
    for (const block of this.#blocksOf(index)) {
      await this.#pace.turn();
      const count = this.#rowsIn(block);
      this.#take(block * this.#block, count, this.#read, filled);
      filled += count;
    }
    const random = new Random(this.#seed, POOL_STREAM + this.#epoch * MOST_POOLS + index);
    this.#pool = { index, from, order: await finishInTurns(permutationSteps(random, filled), this.#pace) };
    return this.#pool;
  }

  #blocksOf(pool: number): Uint32Array {
    return this.#order.subarray(pool * this.#pooled, (pool + 1) * this.#pooled);
  }

  #rowsIn(block: number): number {
    return Math.min(this.#block, this.#data.sampleCount - block * this.#block);
  }

  #rowsOf(pool: number): number {
    return this.#blocksOf(pool).reduce((sum, block) => sum + this.#rowsIn(block), 0);
  }

  /** Reads rows of the file to place `to` of `into`, in the units of training. */
  #take(first: number, count: number, into: Batch, to: number): void {
    const { file, weights } = this.#data;
    const { width } = file.layout;
    const values = this.#reader.read(first, count);
    const { inputSize: d, targetSize: k } = into;
    for (let i = 0; i < count; i++) {
      scaleRow(values, i * width, file.inputs, into.inputs, (to + i) * d);
      scaleRow(values, i * width + d, file.targets, into.targets, (to + i) * k);
      if (into.weights !== undefined) into.weights[to + i] = weights?.[first + i] ?? 1;
    }
  }
}

/** z = (x - offset) / scale of one row, with the arithmetic of data in memory (data/scaling.ts). */
function scaleRow(
  from: Float64Array,
  at: number,
  { offset, scale }: ColumnScaling,
  into: Float64Array,
  to: number,
): void {
  for (let j = 0; j < scale.length; j++) into[to + j] = (from[at + j]! - offset[j]!) / scale[j]!;
}

/** Bytes of the arrays of a batch, and of the pool of a data file. */
export function rowBytes(sizes: {
  readonly rows: number;
  readonly batchRows: number;
  readonly inputSize: number;
  readonly targetSize: number;
  readonly weighted: boolean;
  /** Doubles of a row of the file; 0 = in memory. */
  readonly fileWidth: number;
}): number {
  const { rows, batchRows, inputSize, targetSize, weighted, fileWidth } = sizes;
  const row = 8 * (inputSize + targetSize + (weighted ? 1 : 0));
  // The order of an epoch, and that of the next while it is drawn.
  const order = (count: number) => 2 * Uint32Array.BYTES_PER_ELEMENT * count;
  if (fileWidth === 0) return batchRows * row + order(rows);
  const pool = Math.min(rows, POOL_BLOCKS * blockRows({ width: fileWidth }));
  return (batchRows + pool) * row + order(pool) + 8 * fileWidth * blockRows({ width: fileWidth });
}

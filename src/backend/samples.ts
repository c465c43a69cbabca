// Delivers the samples of the TypeScript engine, block after block: views of arrays in memory, or blocks of a file, scaled as they are
// read. The passes in reference/ read every block through it.
import { changedError, type RowLayout, RowReader } from "../data/row-reader.js";
import { copySteps, type Steps } from "../event-loop-yield.js";
import { targetCount } from "../loss/target-rules.js";
import type { Architecture } from "../network/architecture.js";
import type { EngineData, FileSamples } from "./engine.js";

export interface Samples {
  readonly sampleCount: number;
  readonly bytes: number;
  /** Targets of a sample, k. */
  readonly targetSize: number;
  /** Rows [first, first + count): count x d and count x k. Valid until the next call; not to be written to. */
  readonly inputs: (first: number, count: number) => Float64Array;
  readonly targets: (first: number, count: number) => Float64Array;
  /** Copies others of the same sizes over all samples in memory; null of those of a file. */
  readonly replace: ((inputs: Float64Array, targets: Float64Array) => void) | null;
  close(): void;
}

/** Arrays are copied: their owner may write to them. */
export function* samplesOf({ inputSize, outputSize }: Architecture, data: EngineData): Steps<Samples> {
  const targetSize = targetCount(data.loss, outputSize);
  if (data.file !== undefined) return new FileBlocks(data.file, data.sampleCount, inputSize, targetSize);
  const inputs = yield* copySteps(data.inputs);
  const targets = yield* copySteps(data.targets);
  return arrays(inputs, targets, data.sampleCount, inputSize, targetSize);
}

/** Copies of the samples at ascending `indices`, read in blocks of at most `block`. */
export function gather({ inputSize: d }: Architecture, samples: Samples, indices: Uint32Array, block: number): Samples {
  const count = indices.length;
  const { targetSize: c } = samples;
  const inputs = new Float64Array(count * d);
  const targets = new Float64Array(count * c);
  for (let k = 0; k < count; ) {
    const first = indices[k]!;
    let end = k;
    while (end < count && indices[end]! < first + block) end++;
    const size = indices[end - 1]! - first + 1;
    const [x, y] = [samples.inputs(first, size), samples.targets(first, size)];
    for (; k < end; k++) {
      const at = indices[k]! - first;
      inputs.set(x.subarray(at * d, (at + 1) * d), k * d);
      targets.set(y.subarray(at * c, (at + 1) * c), k * c);
    }
  }
  return arrays(inputs, targets, count, d, c);
}

function arrays(inputs: Float64Array, targets: Float64Array, sampleCount: number, d: number, c: number): Samples {
  return {
    sampleCount,
    bytes: inputs.byteLength + targets.byteLength,
    targetSize: c,
    inputs: (first, count) => inputs.subarray(first * d, (first + count) * d),
    targets: (first, count) => targets.subarray(first * c, (first + count) * c),
    replace: (otherInputs, otherTargets) => {
      inputs.set(otherInputs);
      targets.set(otherTargets);
    },
    close: () => {},
  };
}

/** Whoever opened the file has found it finite; two changes within one tick of the file system's clock have the same time. */
function refuseNotFinite(rows: Float64Array, { path, width }: RowLayout, first: number): void {
  for (let k = 0; k < rows.length; k++)
    if (!Number.isFinite(rows[k])) throw changedError(path, first + Math.floor(k / width));
}

class FileBlocks implements Samples {
  readonly #file: FileSamples;
  readonly #reader: RowReader;
  readonly #inputSize: number;
  #closed = false;
  #held: { readonly first: number; readonly inputs: Float64Array; readonly targets: Float64Array } | null = null;

  readonly sampleCount: number;
  readonly targetSize: number;
  readonly replace = null;

  constructor(file: FileSamples, sampleCount: number, inputSize: number, targetSize: number) {
    this.sampleCount = sampleCount;
    this.targetSize = targetSize;
    this.#file = file;
    this.#reader = new RowReader(file.layout);
    this.#inputSize = inputSize;
  }

  get bytes(): number {
    return this.#held === null ? 0 : this.#held.inputs.byteLength + this.#held.targets.byteLength;
  }

  readonly inputs = (first: number, count: number) => this.#load(first, count).inputs;
  readonly targets = (first: number, count: number) => this.#load(first, count).targets;

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reader.close();
  }

  #load(first: number, count: number) {
    const [d, c] = [this.#inputSize, this.targetSize];
    if (this.#held?.first === first && this.#held.inputs.length === count * d) return this.#held;
    const { layout, inputs: x, targets: y } = this.#file;
    const rows = this.#reader.read(first, count);
    refuseNotFinite(rows, layout, first);
    const held = this.#held?.inputs.length === count * d ? this.#held : null;
    const inputs = held?.inputs ?? new Float64Array(count * d);
    const targets = held?.targets ?? new Float64Array(count * c);
    for (let i = 0; i < count; i++) {
      const at = i * layout.width;
      for (let k = 0; k < d; k++) inputs[i * d + k] = (rows[at + k] - x.offset[k]) / x.scale[k];
      for (let a = 0; a < c; a++) targets[i * c + a] = (rows[at + d + a] - y.offset[a]) / y.scale[a];
    }
    this.#held = { first, inputs, targets };
    return this.#held;
  }
}

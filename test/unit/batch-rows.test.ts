// The order in which rows reach batches: from memory and from a data file, whose blocks are pooled. And one and two threads on such batches.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import type { EngineData } from "../../src/backend/engine.js";
import { loadNative } from "../../src/backend/native/load.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import type { EngineRows } from "../../src/backend/rows.js";
import { Pace } from "../../src/event-loop-yield.js";
import {
  exactGaussNewton,
  network,
  openDataFile,
  Random,
  softmaxCrossEntropy,
  writeDataFile,
} from "../../src/index.js";
import { type BatchRows, FileRows, type FileRowsData, MemoryRows } from "../../src/train/batch-rows.js";
import { descendNetwork } from "../helpers/descend-network.js";

const [ROWS, BATCH, BLOCK, POOLED] = [103, 5, 7, 3];
const PER_EPOCH = Math.floor(ROWS / BATCH);
const architecture = network({ layers: [2, 1], seed: 1 }).architecture;
const path = join(mkdtempSync(join(tmpdir(), "gaussflow-rows-")), "rows.gfd");
const scaling = {
  inputs: { offset: Float64Array.of(3, 0), scale: Float64Array.of(2, 1) },
  targets: { offset: Float64Array.of(1), scale: Float64Array.of(4) },
};

/** Row i holds (i, -i), target 2 i, weight i + 1. */
await writeDataFile(
  path,
  { featureNames: ["a", "b"], targetNames: ["y"], weighted: true },
  Array.from({ length: ROWS }, (_, i) => [i, -i, 2 * i, i + 1]),
);
const file = openDataFile(path);
const none = new Float64Array(0);
const inFile: FileRowsData = {
  sampleCount: ROWS,
  inputs: none,
  targets: none,
  weights: file.weights!,
  file: { layout: file.layout, ...scaling },
};
const inMemory: EngineData = {
  sampleCount: ROWS,
  inputs: Float64Array.from({ length: 2 * ROWS }, (_, k) => (k % 2 === 0 ? (k / 2 - 3) / 2 : -(k - 1) / 2)),
  targets: Float64Array.from({ length: ROWS }, (_, i) => (2 * i - 1) / 4),
  weights: file.weights!,
};

/** The row numbers of a batch, each checked in all its numbers. */
async function rowsOf(rows: BatchRows, epoch: number, position: number): Promise<number[]> {
  let loaded: EngineRows | null = null;
  const first = rows.first(BATCH);
  const engine = createReferenceEngine(architecture, first);
  engine.load = (given) => {
    loaded = given;
  };
  await rows.load(epoch, position, [engine]);
  engine.dispose();
  const { inputs, targets, weights } = loaded as unknown as Required<EngineRows>;
  return Array.from({ length: BATCH }, (_, i) => {
    const row = weights![i] - 1;
    expect(inputs[2 * i]).toBe((row - 3) / 2);
    expect(inputs[2 * i + 1] + row).toBe(0);
    expect(targets[i]).toBe((2 * row - 1) / 4);
    return row;
  });
}

const makers: readonly (readonly [string, () => BatchRows])[] = [
  ["memory", () => new MemoryRows(inMemory, BATCH, 9)],
  ["a data file in pools", () => new FileRows(inFile, BATCH, 9, POOLED, BLOCK)],
  ["a data file in one pool", () => new FileRows(inFile, BATCH, 9)],
];

it.each(makers)("from %s every row comes at most once an epoch, in an order of seed and epoch", async (_, make) => {
  const rows = make();
  const epochs: number[][] = [];
  for (let epoch = 0; epoch < 2; epoch++) {
    const order: number[] = [];
    for (let position = 0; position < PER_EPOCH; position++) order.push(...(await rowsOf(rows, epoch, position)));
    expect(new Set(order).size).toBe(PER_EPOCH * BATCH);
    epochs.push(order);
  }
  expect(epochs[1]).not.toEqual(epochs[0]);
  rows.close();
  // A run that is resumed begins anywhere.
  for (const [epoch, position] of [
    [1, 13],
    [0, 4],
    [0, 5],
    [1, 19],
  ] as const) {
    const resumed = make();
    expect(await rowsOf(resumed, epoch, position)).toEqual(
      epochs[epoch].slice(position * BATCH, (position + 1) * BATCH),
    );
    resumed.close();
  }
});

it("a pool of a data file has the rows of so many blocks, and no others", async () => {
  const rows = new FileRows(inFile, BATCH, 9, POOLED, BLOCK);
  const order: number[] = [];
  for (let position = 0; position < PER_EPOCH; position++) order.push(...(await rowsOf(rows, 0, position)));
  rows.close();
  // The order of the blocks is that of this stream of the seed; the last block of the file has 5 rows.
  const blocks = new Random(9, 2 ** 33).permutation(Math.ceil(ROWS / BLOCK));
  let from = 0;
  for (let pool = 0; pool < blocks.length; pool += POOLED) {
    const expected = [...blocks.subarray(pool, pool + POOLED)].flatMap((block) =>
      Array.from({ length: Math.min(BLOCK, ROWS - block * BLOCK) }, (_, i) => block * BLOCK + i),
    );
    const found = order.slice(from, from + expected.length);
    from += expected.length;
    const whole = found.length === expected.length;
    if (whole) expect(found.toSorted((a, b) => a - b)).toEqual(expected.toSorted((a, b) => a - b));
    else expect(found.every((row) => expected.includes(row))).toBe(true);
    expect(found).not.toEqual(expected.slice(0, found.length));
  }
  expect(from).toBe(ROWS);
});

it.skipIf(!loadNative().ok)("one and two threads take exact Gauss-Newton to the same bits", async () => {
  const draw = new Random(2, 1);
  const n = 1024;
  for (const outputs of [1, 4]) {
    const net = network({ layers: [8, 32, 32, outputs], seed: 1 });
    const targets = new Float64Array(n * outputs);
    for (let i = 0; i < n; i++)
      if (outputs > 1) targets[i * outputs + draw.below(outputs)] = 1;
      else targets[i] = draw.normal();
    const data = {
      sampleCount: n,
      inputs: Float64Array.from({ length: 8 * n }, () => draw.normal()),
      targets,
      ...(outputs > 1 ? { loss: softmaxCrossEntropy({ decay: 1 }) } : {}),
    };
    const problem = { architecture: net.architecture, parameters: net.parameters, data };
    const lastOf = async (threads: number) => {
      const method = exactGaussNewton({ batch: 256 });
      const options = { backend: "native", threads } as const;
      return (await descendNetwork(problem, method, { iterations: 9 }, options)).last.parameters;
    };
    expect(await lastOf(2)).toEqual(await lastOf(1));
  }
});

it("a huge batch from memory is copied in pieces, with turns of the event loop between them", async () => {
  const [rows, columns] = [2000, 200];
  const inputs = Float64Array.from({ length: rows * columns }, (_, k) => k);
  const targets = Float64Array.from({ length: rows }, (_, i) => i);
  const source = new MemoryRows({ sampleCount: rows, inputs, targets }, rows, 1);
  const turn = vi.spyOn(Pace.prototype, "turn");
  await source.load(0, 0, []);
  const large = turn.mock.calls.length;
  turn.mockClear();
  await new MemoryRows({ sampleCount: rows, inputs, targets }, 10, 1).load(0, 0, []);
  // Pieces of 2^16 numbers at most; a small batch is copied at once.
  expect(large - turn.mock.calls.length).toBe(Math.ceil((rows * (columns + 1)) / 2 ** 16) - 1);
  turn.mockRestore();
  const copied = source.batch;
  for (let i = 0; i < rows; i++) expect(copied.inputs[i * columns]).toBe(copied.targets[i] * columns);
});

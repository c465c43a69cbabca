// Makes what the loop over batches works with: the rows of the run, batch by batch, and the engines that hold them.
// begin.ts calls it for methods on batches.
import { type BackendOptions, createEngineInTurns } from "../backend/create.js";
import type { EngineData } from "../backend/engine.js";
import type { EngineRows } from "../backend/rows.js";
import { reserve } from "../bytes.js";
import type { BatchNeeds } from "../method/batch-method.js";
import type { Architecture } from "../network/architecture.js";
import {
  type BatchRows,
  FileRows,
  type FileRowsData,
  type LoadableEngine,
  MemoryRows,
  rowBytes,
} from "./batch-rows.js";

export interface Batches {
  /** Those of `needs.engines`, in that order. */
  readonly engines: readonly LoadableEngine[];
  /** null where every step sees all rows. */
  readonly rows: BatchRows | null;
  /** All rows, where every step sees them and they are in memory. */
  readonly whole: EngineRows | null;
  /** Frees all but the engine of the run. */
  dispose(): void;
}

/**
 * @param engine of all rows: the first engine of a method whose steps see them all
 * @throws the signal's reason once it has been aborted; GAUSSFLOW_MEMORY
 */
export async function makeBatches(
  architecture: Architecture,
  data: EngineData,
  engine: LoadableEngine,
  needs: BatchNeeds,
  seed: number,
  backend: BackendOptions,
  signal: AbortSignal | undefined,
): Promise<Batches> {
  const whole = needs.rows === data.sampleCount;
  // Where every step sees all rows there are no batches to hold, and engines beside the first keep the rows that they
  // are made with.
  const rows = whole && needs.engines.length === 1 ? null : makeRows(data, whole ? 1 : needs.rows, seed);
  const engines: LoadableEngine[] = [];
  const dispose = () => {
    rows?.close();
    for (const one of engines) if (one !== engine) one.dispose();
  };
  try {
    for (const [k, { rows: count }] of needs.engines.entries())
      engines.push(
        k === 0 && whole ? engine : await createEngineInTurns(architecture, rows!.first(count), backend, signal),
      );
  } catch (error) {
    dispose();
    throw error;
  }
  const { inputs, targets, weights } = data;
  const all = whole && !inFile(data) ? { inputs, targets, ...(weights === undefined ? {} : { weights }) } : null;
  return { engines, rows: whole ? null : rows, whole: all, dispose };
}

/** @throws GAUSSFLOW_MEMORY */
function makeRows(data: EngineData, batchRows: number, seed: number): BatchRows {
  const { sampleCount: rows, inputs, targets, weights, file } = data;
  const bytes = rowBytes({
    rows,
    batchRows,
    inputSize: file === undefined ? inputs.length / rows : file.inputs.scale.length,
    targetSize: file === undefined ? targets.length / rows : file.targets.scale.length,
    weighted: weights !== undefined,
    fileWidth: file?.layout.width ?? 0,
  });
  return reserve(bytes, `the memory for batches of ${batchRows} rows`, () =>
    inFile(data) ? new FileRows(data, batchRows, seed) : new MemoryRows(data, batchRows, seed),
  );
}

function inFile(data: EngineData): data is FileRowsData {
  return data.file !== undefined;
}

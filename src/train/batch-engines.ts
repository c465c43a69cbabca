// Makes what the loop over batches works with: the rows of the run, batch by batch, and the engines that hold them. begin.ts calls it for
// methods on batches.
import { type BackendOptions, createEngine } from "../backend/create.js";
import type { Engine, EngineData } from "../backend/engine.js";
import type { BatchNeeds } from "../method/batch-method.js";
import type { Architecture } from "../network/architecture.js";
import { type BatchRows, FileRows, type FileRowsData, type LoadableEngine, MemoryRows } from "./batch-rows.js";

export interface Batches {
  /** Those of `needs.engines`, in that order. */
  readonly engines: readonly Engine[];
  /** null where every step sees all rows. */
  readonly rows: BatchRows | null;
  /** Frees all but the engine of the run. */
  dispose(): void;
}

/**
 * @param engine of all rows: the first engine of a method whose steps see them all
 * @throws the signal's reason once it has been aborted
 */
export async function makeBatches(
  architecture: Architecture,
  data: EngineData,
  engine: Engine,
  needs: BatchNeeds,
  seed: number,
  backend: BackendOptions,
  _signal: AbortSignal | undefined,
): Promise<Batches> {
  const whole = needs.rows === data.sampleCount;
  const rows = inFile(data) ? new FileRows(data, needs.rows, seed) : new MemoryRows(data, needs.rows, seed);
  const engines: Engine[] = [];
  const dispose = () => {
    rows.close();
    for (const one of engines) if (one !== engine) one.dispose();
  };
  try {
    for (const [k, { rows: count }] of needs.engines.entries())
      engines.push(k === 0 && whole ? engine : reloaded(architecture, rows.first(count), backend));
  } catch (error) {
    dispose();
    throw error;
  }
  return { engines, rows: whole ? null : rows, dispose };
}

/** Until engines can load rows: a new engine for each batch. */
function reloaded(architecture: Architecture, first: EngineData, backend: BackendOptions): LoadableEngine {
  let inner = createEngine(architecture, first, backend);
  const load: LoadableEngine["load"] = (rows) => {
    inner.dispose();
    inner = createEngine(architecture, { sampleCount: first.sampleCount, loss: first.loss, ...rows }, backend);
  };
  return new Proxy({} as LoadableEngine, {
    get: (_, name) => {
      const member: unknown = name === "load" ? load : Reflect.get(inner, name, inner);
      return typeof member === "function" ? member.bind(inner) : member;
    },
  });
}

function inFile(data: EngineData): data is FileRowsData {
  return data.file !== undefined;
}

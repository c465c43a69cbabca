// Plans a run of a method on batches: the bytes of its engines (all rows, validation, batches) and the flops and seconds of a step on one
// batch. train/plan.ts calls it where plan.ts plans the other methods. Such a run has no other route to turn to.
import { estimateBytes } from "../backend/estimate.js";
import { showBytes } from "../bytes.js";
import { GaussflowError } from "../errors.js";
import { targetCount } from "../loss/target-rules.js";
import { costsOf, secondsOf, stepSeconds } from "./cost-model.js";
import { engineSizes, type MemoryEstimate, type Sizes, sumOf, validationBytes, waiting } from "./memory-model.js";
import type { BatchUse, Plan } from "./plan.js";
import type { BatchRoute } from "./route.js";
import { batchWork, type FormedOnBatch } from "./workload.js";

/** The input of `planBatches`. */
export interface BatchPlanRequest extends Sizes {
  readonly route: BatchRoute;
  readonly because: string;
  readonly batch: BatchUse;
  /** Engines that hold batches: their rows, and what is formed of them. The first may be the engine of all rows. */
  readonly engines: readonly FormedOnBatch[];
  /** Vectors of p entries that method and loop hold. */
  readonly vectors: number;
  /** Losses of a batch that are evaluated in a step. */
  readonly evaluations: number;
  /** Bytes of the rows of a batch, and of the pool of a data file, in JavaScript. */
  readonly rowBytes: number;
  /** Bytes. */
  readonly memoryLimit: number;
}

const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

/**
 * What V8's young generation grows by in a run of some hundred steps, whose objects are small and many: from the size that the process of a
 * few iterations has (`EngineCosts.processBytes`) to its largest, by default 16 MiB a space; measured with and without
 * --max-semi-space-size=4.
 */
const YOUNG_GENERATION = 13e6;

export function planBatches(request: BatchPlanRequest): Plan<BatchRoute> {
  const { architecture: net, sampleCount: n, engine, memoryLimit, route, batch, engines } = request;
  const bytes = batchMemory(request);
  const rows = batch.rows;
  const work = batchWork(net, engines, request.evaluations, engine);
  const row = net.inputSize + targetCount(net.loss, net.outputSize);
  const held = rows === n ? 0 : engines.reduce((sum, one) => sum + one.rows, 0);
  const beyond = stepSeconds(engine, net.parameterCount, held * row);
  const seconds = (threads: number) => secondsOf(work, engine, threads, beyond);
  const useful = engine === "native" && seconds(request.threads) < seconds(1) ? request.threads : 1;
  const chosen = {
    route,
    bytes,
    flops: work.reduce((sum, { flops, share = 1 }) => sum + share * flops, 0),
    seconds: seconds(useful),
    blockSamples: rows,
    fits: bytes.most <= memoryLimit,
  };
  return {
    route,
    parameterCount: net.parameterCount,
    sampleCount: n,
    equationCount: n * net.outputSize,
    bytes: bytes.peak,
    memoryLimit,
    threads: useful,
    slots: 1,
    ranks: 1,
    rankRows: n,
    because: request.because,
    chosen,
    alternatives: [],
    batch,
  };
}

/** The engines hold their bytes at once. */
function batchMemory(request: BatchPlanRequest): MemoryEstimate {
  const { architecture: net, engine, copies, engines, sampleCount: n } = request;
  const problem = engineSizes(request);
  const [first] = engines;
  const shared = first?.rows === n;
  // The gradient at the start is that of all rows (train/symmetric-start.ts).
  const all = estimateBytes(engine, problem, [
    { curvature: "none" },
    ...(shared ? [{ curvature: first.curvature, average: first.average }] : []),
  ]);
  const own = engines
    .slice(shared ? 1 : 0)
    .map(({ rows, curvature, average }) =>
      estimateBytes(engine, { ...problem, sampleCount: rows, fileWidth: 0 }, [{ curvature, average }]),
    );
  const validation = validationBytes(request);
  const data = all.data + validation.data + own.reduce((sum, one) => sum + one.data, 0);
  const curvature = [all, ...own].reduce((sum, one) => sum + one.curvature, 0);
  const factor = [all, ...own].reduce((sum, one) => sum + one.factor, 0);
  const workspaces = [all, ...own].reduce((sum, one) => sum + one.workspaces, validation.workspaces);
  const garbage = engine === "native" ? 0 : waiting(net, n);
  const vectors = DOUBLE * (net.parameterCount * request.vectors + garbage);
  const packing = Math.max(...[all, ...own].map((one) => one.packing));
  const process = costsOf(engine).processBytes + packing + YOUNG_GENERATION;
  const held = sumOf({ ...all, data, curvature, factor, workspaces });
  const peak = held + copies + request.rowBytes + vectors + process;
  return {
    data,
    curvature,
    factor,
    workspaces,
    copies: copies + request.rowBytes,
    vectors,
    monitor: 0,
    process,
    peak,
    most: peak,
  };
}

/**
 * Throws if the plan does not fit the memory limit. Nothing is allocated before.
 * @param option what the rows of a batch are given by
 * @throws GAUSSFLOW_MEMORY
 */
export function refuseBatches(
  { chosen, memoryLimit, route, batch }: Plan<BatchRoute>,
  fileWidth: number,
  option: "options.method.batch" | "options.batchStart.batch",
): void {
  if (chosen.fits) return;
  const { bytes } = chosen;
  const ways = [
    ...(batch !== undefined && batch.rows > 1 ? [`a smaller ${option} takes less`] : []),
    ...(fileWidth > 0 ? [] : ["data read from a file take no memory (convertCsv and openDataFile)"]),
    `options.memoryLimit of ${Math.ceil(bytes.most)} bytes would let it run`,
  ];
  throw new GaussflowError(
    "GAUSSFLOW_MEMORY",
    `${batch?.described ?? route} need ${showBytes(bytes.most)} at the peak (${showBytes(bytes.data + bytes.copies)} data and their copies, ${showBytes(bytes.curvature + bytes.factor)} matrix and factor, ${showBytes(bytes.workspaces + bytes.vectors)} workspaces and vectors, ${showBytes(bytes.process)} the process itself), and the memory limit is ${showBytes(memoryLimit)}: ${ways.join("; ")}`,
    { bytes: bytes.most, memoryLimit, route, estimate: bytes },
  );
}

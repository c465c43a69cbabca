// Predicts the bytes of a run from sizes alone, split by purpose, for the planner (`plan.ts`). The engines say what they hold
// (`backend/estimate.ts`); this file knows which curvatures a run forms in turn, and what it holds besides: data and vectors in JavaScript,
// the monitor, the process.
import { LARGE_VECTOR } from "../algebra/vectors.js";
import { type EngineBytes, type EngineSizes, estimateBytes, type Formed } from "../backend/estimate.js";
import { pendingSums } from "../backend/slots.js";
import { squaredError } from "../loss/squared-error.js";
import type { Architecture } from "../network/architecture.js";
import { workspaceDoubles } from "../network/forward.js";
import { costsOf } from "./cost-model.js";
import type { EngineName } from "./costs.js";
import { lanczosSteps, measuredCurvature, type ObserverNeeds, sampleEquations } from "./observation.js";
import { largestPart } from "./ranks.js";
import type { Route } from "./route.js";
import type { PlannedNetwork, StepKind } from "./workload.js";

const DOUBLE = Float64Array.BYTES_PER_ELEMENT;
/** MPI in a process: its libraries and the memory that the ranks of a machine share. Open MPI 4.1.4 took 15 MB. */
const MPI_BYTES = 16e6;

/** The sizes of a run. */
export interface Sizes extends StepKind {
  readonly architecture: PlannedNetwork;
  readonly sampleCount: number;
  /** Samples of the validation engine; 0 = none. */
  readonly validationCount: number;
  readonly weighted: boolean;
  /** Doubles of a row of the file that has the samples, of which the engine then holds one block; 0, the default = they are in memory. */
  readonly fileWidth?: number;
  readonly engine: EngineName;
  readonly threads: number;
  /** Slots that sums over the samples are joined from. Default 1. */
  readonly slots?: number | undefined;
  /** Processes that share the samples; the bytes are those of the one with the most of them. Default 1. */
  readonly ranks?: number | undefined;
  /** Ranks that hold the Gram matrix of the primal route together, each its blocks. Default 0: each has all of it. */
  readonly holders?: number | undefined;
  /** Bytes of the data that JavaScript holds: the caller's data set and its parts. Their scaled copies are garbage once the engine has them. */
  readonly copies: number;
  /** What an observer computes during the run. Default nothing. */
  readonly observed?: ObserverNeeds | undefined;
  /** True if the run may switch to the orthogonal route; it then keeps the matrix of the first route. Default false. */
  readonly turns?: boolean;
  /** The part of `copies` that is garbage before the engine forms anything. Default 0. */
  readonly passing?: number;
}

/** Predicted resident bytes at the peak. */
export interface MemoryEstimate {
  /** The engines' own data, validation included. */
  readonly data: number;
  /** The matrix (or triangle) of the route, and the factor of the damped one. */
  readonly curvature: number;
  /** The factor of the curvature. */
  readonly factor: number;
  /** Panels of a block of samples and scratch of the threads. */
  readonly workspaces: number;
  /** The data in JavaScript. */
  readonly copies: number;
  /** Vectors of p entries: points, gradients, steps, and those that wait for the garbage collector. */
  readonly vectors: number;
  /** What the monitor forms during the run: a curvature, its spectrum, the kernel of a sample. */
  readonly monitor: number;
  /** Node and the library, with the buffers in which the threads pack the operands of large products. */
  readonly process: number;
  /** The sum: the peak resident size (VmHWM) of a process that does nothing else, while the curvature uses single precision and subsets as planned. */
  readonly peak: number;
  /** The same with double precision and the largest subset, and at least that of `batchStart`: the amount that is compared with the memory limit. */
  readonly most: number;
}

/** The problem as its engine is told of it. */
export function engineSizes({
  architecture,
  sampleCount,
  weighted,
  fileWidth = 0,
  threads,
  slots = 1,
  ranks = 1,
  holders = 0,
}: Sizes): EngineSizes {
  const { loss = squaredError() } = architecture;
  // With one slot there is nothing to share.
  const share = ranks === 1 || slots === 1 ? undefined : largestPart(slots, ranks);
  return {
    architecture,
    loss,
    sampleCount,
    weighted,
    fileWidth,
    threads,
    slots,
    ranks: share && { slots, first: share.first, count: share.count },
    holders,
  };
}

/** The curvatures that every run of this route forms, and those that it may come to form; in turn. */
function turnsOf(route: Route, { architecture: net, sampleCount: n, single, subset, turns = false, hessian }: Sizes) {
  const planned = subset?.[route];
  // Steps on the exact Hessian follow where the curvature is that of all samples.
  const exact: Formed = { curvature: route, hessian };
  const few = (count: number) => ({ subset: count, hessian: false });
  // The triangle stays beside the matrix of the first route, when a flow switches or looks for the rank of J.
  const triangle = turns && route !== "orthogonal" && net.parameterCount <= n * net.outputSize;
  const beside: Formed[] = triangle ? [{ curvature: "orthogonal" }] : [];
  // A subset that defines the model grows in every run that converges; that of a preconditioner rarely does.
  if (route === "matrix-free" && planned)
    return { usual: [{ ...exact, ...few(planned.most) }, exact], further: beside };
  if (route !== "primal" || single !== true) return { usual: [exact], further: beside };
  const float: Formed = { ...exact, precision: "single" };
  if (!planned) return { usual: [float], further: [exact, ...beside] };
  const usual = [{ ...float, ...few(planned.first) }];
  return { usual, further: [{ ...float, ...few(planned.most) }, float, exact, ...beside] };
}

/** All bytes that an engine holds. */
export const sumOf = ({ data, curvature, factor, workspaces }: EngineBytes) => data + curvature + factor + workspaces;

/** Samples that pass through the engine at a time on this route. */
export function blockSamples(route: Route, sizes: Sizes): number {
  return estimateBytes(sizes.engine, engineSizes(sizes), [{ curvature: route }]).blockSamples;
}

export function memoryOf(route: Route, sizes: Sizes): MemoryEstimate {
  const { architecture: net, sampleCount: n, engine, copies } = sizes;
  const problem = engineSizes(sizes);
  const { usual, further } = turnsOf(route, sizes);
  // The monitor's curvature is formed at every observation, between two of the run's own.
  const measured: Formed = { curvature: measuredCurvature(net.parameterCount, n * net.outputSize) };
  const watched = sizes.observed?.curvature === true;
  const observed = (turns: readonly Formed[]) => (watched ? turns.flatMap((turn) => [turn, measured, turn]) : turns);
  const held = estimateBytes(engine, problem, usual);
  const most = (turns: readonly Formed[]) => sumOf(estimateBytes(engine, problem, observed(turns))) - sumOf(held);
  const validation = validationBytes(sizes);
  const data = held.data + validation.data;
  const workspaces = held.workspaces + validation.workspaces;
  const passing = engine === "native" ? 0 : waiting(net, n) + slotVectors(sizes);
  const vectors = DOUBLE * (vectorsOf(net.parameterCount) + passing);
  const process = costsOf(engine).processBytes + held.packing + ((sizes.ranks ?? 1) > 1 ? MPI_BYTES : 0);
  const more = most(usual);
  const monitor = more + monitorBytes(sizes);
  // The garbage of that time makes room for what the engine forms.
  const formed = held.curvature + held.factor + workspaces + vectors + monitor;
  const peak = (given: number) => data + copies + process + Math.max(formed + given, sizes.passing ?? 0);
  return {
    data,
    curvature: held.curvature,
    factor: held.factor,
    workspaces,
    copies,
    vectors,
    monitor,
    process,
    peak: peak(0),
    most: peak(Math.max(0, most([...usual, ...further]) - more)),
  };
}

/** Bytes that the engine itself reports once it has linearized, solved and (primal, dual) accelerated by this route as planned. */
export function engineBytes(route: Route, sizes: Sizes): number {
  return sumOf(estimateBytes(sizes.engine, engineSizes(sizes), turnsOf(route, sizes).usual));
}

/** The engine of the validation part evaluates alone; its samples are in memory. */
export function validationBytes(sizes: Sizes): Pick<EngineBytes, "data" | "workspaces"> {
  const sampleCount = Math.ceil(sizes.validationCount);
  if (sampleCount === 0) return { data: 0, workspaces: 0 };
  return estimateBytes(
    sizes.engine,
    { ...engineSizes({ ...sizes, ranks: 1 }), sampleCount, fileWidth: 0, slots: 1 },
    [],
  );
}

/** Vectors of n c and of p entries that an observation works in. */
const OBSERVED_PREDICTIONS = 6;
const OBSERVED_VECTORS = 6;

/** What `src/monitor/measure.ts` and `KernelDrift` hold at once besides the curvature of an observation. */
function monitorBytes(sizes: Sizes): number {
  const { architecture: net, sampleCount: n, engine, observed } = sizes;
  if (observed === undefined) return 0;
  const [p, c] = [net.parameterCount, net.outputSize];
  const equations = n * c;
  const curvature = measuredCurvature(p, equations);
  let bytes = DOUBLE * (OBSERVED_PREDICTIONS * equations + OBSERVED_VECTORS * p);
  if (observed.spectrum) {
    const order = curvature === "dual" ? equations : p;
    bytes += DOUBLE * (order ** 2 + (curvature === "orthogonal" ? 0 : Math.min(order, lanczosSteps) * order));
  }
  if (observed.sample) {
    const sampleCount = Math.max(1, Math.min(n, Math.floor(sampleEquations / c)));
    const sample = { ...engineSizes({ ...sizes, ranks: 1 }), sampleCount, fileWidth: 0, slots: 1 };
    // The engine's own, and in JavaScript the kernel at the start and the present one.
    bytes += sumOf(estimateBytes(engine, sample, [{ curvature: "dual" }])) + DOUBLE * 2 * (sampleCount * c) ** 2;
  }
  return bytes;
}

/** Vectors of p entries alive at once in a training, in addition to those of the engine; measured (bench/plan.mjs), not counted. */
const VECTORS = 13;
/** The same for a run that reuses its vectors (`spare-vectors.ts`): counted, and measured by `bench/large.mjs`. */
const REUSED_VECTORS = 8;

function vectorsOf(p: number): number {
  return p * (p >= LARGE_VECTOR ? REUSED_VECTORS : VECTORS);
}

/** Sums of slots that wait for their partners, of gradient and diagonal: the reference engine allocates them at each call. */
function slotVectors({ architecture, slots = 1 }: Sizes): number {
  return 2 * architecture.parameterCount * pendingSums(slots);
}

/** Arrays of blocks that wait for the garbage collector, which comes after so many bytes; measured (bench/plan.mjs), not counted. */
export function waiting(net: Architecture, n: number): number {
  return Math.min(8e6 / DOUBLE, 16 * workspaceDoubles(net, n, net.outputSize));
}

// Predicts the bytes of a run from sizes alone, split by purpose, for the planner (`plan.ts`). The formulas repeat the reservations of
// native/core and backend/reference: data + workspaces + curvature + factor is what `Engine.bytes()` returns.
import { LARGE_VECTOR } from "../algebra/vectors.js";
import { pendingSums } from "../backend/slots.js";
import type { Architecture } from "../network/architecture.js";
import { PASS_BLOCK } from "../network/forward.js";
import { costsOf } from "./cost-model.js";
import type { EngineName } from "./costs.js";
import { lanczosSteps, measuredCurvature, type ObserverNeeds, sampleEquations } from "./observation.js";
import type { Route } from "./route.js";
import { layerPairs, type PlannedNetwork, type StepKind, standsInRows } from "./workload.js";

const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

/** The sizes of a run. */
export interface Sizes extends StepKind {
  readonly architecture: PlannedNetwork;
  readonly sampleCount: number;
  /** Samples of the validation engine; 0 = none. */
  readonly validationCount: number;
  readonly weighted: boolean;
  /** True if the samples are in a file: the engine then holds one block of them. */
  readonly fromFile?: boolean;
  readonly engine: EngineName;
  readonly threads: number;
  /** Slots that sums over the samples are joined from. Default 1. */
  readonly slots?: number | undefined;
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
  /** The same with double precision and the largest subset: the amount that is compared with the memory limit. */
  readonly most: number;
}

/** Samples that pass through the engine at a time: Tangents::BlockSize of native/core. */
export function blockSamples(net: PlannedNetwork, n: number, route: Route, engine: EngineName): number {
  if (route === "dual") return n;
  if (engine === "typescript") return Math.min(n, PASS_BLOCK);
  const tile = 256;
  const whole = Math.max(1, Math.floor(Math.floor((3 << 20) / doublesPerSample(net)) / tile)) * tile;
  if (route !== "orthogonal") return Math.min(n, whole);
  return Math.min(
    n,
    whole,
    Math.max(1, Math.floor(Math.max(256, Math.floor(net.parameterCount / 2)) / net.outputSize)),
  );
}

export function memoryOf(route: Route, sizes: Sizes): MemoryEstimate {
  const { architecture: net, sampleCount: n, validationCount, weighted, engine, copies } = sizes;
  const held = sizes.fromFile ? blockSamples(net, n, route, engine) : n;
  const columns = net.inputSize + net.outputSize;
  const data = DOUBLE * ((held + validationCount) * columns + (weighted ? n + validationCount : 0));
  const { curvature, factor, doubled } = matrices(route, sizes);
  const { first, most } = sizes.subset?.[route] ?? { first: 0, most: 0 };
  // A subset that defines the model grows in every run that converges; the subset of a preconditioner rarely does.
  const drawn = engine === "native" ? nativeSubset(route, route === "primal" ? first : most, sizes) : 0;
  const grown = engine === "native" ? nativeSubset(route, most, sizes) : 0;
  const pending = pendingDoubles(route, sizes);
  const workspaces =
    DOUBLE *
    (pending.held + (engine === "native" ? nativeWorkspace(route, sizes) + drawn : referenceWorkspace(route, sizes)));
  const vectors =
    DOUBLE * (pending.passing + vectorsOf(net.parameterCount) + (engine === "native" ? 0 : waiting(net, n)));
  const process = costsOf(engine).processBytes + (engine === "native" ? sizes.threads * PACKED_BYTES : 0);
  // The monitor's curvature is in double precision: a run in single precision frees its own at every observation.
  const observed = sizes.observed?.curvature === true && sharesMatrix(route, sizes) ? doubled : 0;
  const monitor = monitorBytes(route, sizes) + observed;
  // The garbage of that time makes room for what the engine forms.
  const formed = curvature + factor + workspaces + vectors + monitor;
  const given = DOUBLE * (grown - drawn) + doubled - observed + turnBytes(route, sizes);
  const peak = (more: number) => data + copies + process + Math.max(formed + more, sizes.passing ?? 0);
  return {
    data,
    curvature,
    factor,
    workspaces,
    copies,
    vectors,
    monitor,
    process,
    peak: peak(0),
    most: peak(given),
  };
}

/**
 * Bytes that the engine itself reports once it has linearized, solved and (primal, dual) accelerated by this route, without a
 * validation engine.
 */
export function engineBytes(route: Route, sizes: Sizes): number {
  const { data, curvature, factor, workspaces } = memoryOf(route, { ...sizes, validationCount: 0 });
  return data + curvature + factor + workspaces;
}

/** The same network and data by another route, in double precision on all samples. */
function formedBytes(route: Route, sizes: Sizes): number {
  const exact = { ...sizes, single: false, subset: {} };
  const { curvature, factor } = matrices(route, exact);
  const doubles = sizes.engine === "native" ? nativeWorkspace(route, exact) : referenceWorkspace(route, exact);
  return curvature + factor + DOUBLE * doubles;
}

/** The triangle of the orthogonal route, held in addition to the matrix of the first route, when a flow switches or looks for the rank of J. */
function turnBytes(route: Route, sizes: Sizes): number {
  const { architecture: net, sampleCount: n, turns = false } = sizes;
  if (!turns || route === "orthogonal" || net.parameterCount > n * net.outputSize) return 0;
  return formedBytes("orthogonal", sizes);
}

/** The native engine has one buffer for Gram matrix and kernel; in the reference engine the old one waits for the garbage collector. */
function sharesMatrix(route: Route, { architecture: net, sampleCount: n, engine }: Sizes): boolean {
  const measured = measuredCurvature(net.parameterCount, n * net.outputSize);
  return engine === "native" && measured !== "orthogonal" && (route === "primal" || route === "dual");
}

/** Vectors of n c and of p entries that an observation works in. */
const OBSERVED_PREDICTIONS = 6;
const OBSERVED_VECTORS = 6;

/** What `src/monitor/measure.ts` and `KernelDrift` hold at once, in addition to the buffers of the run. */
function monitorBytes(route: Route, sizes: Sizes): number {
  const { architecture: net, sampleCount: n, observed } = sizes;
  if (observed === undefined) return 0;
  const [p, c] = [net.parameterCount, net.outputSize];
  const equations = n * c;
  const curvature = measuredCurvature(p, equations);
  let bytes = DOUBLE * (OBSERVED_PREDICTIONS * equations + OBSERVED_VECTORS * p);
  if (observed.curvature) {
    const formed = formedBytes(curvature, sizes);
    if (sharesMatrix(route, sizes)) bytes += Math.max(0, formed - formedBytes(route, sizes));
    else if (curvature !== route) bytes += formed;
  }
  if (observed.spectrum) {
    const order = curvature === "dual" ? equations : p;
    bytes += DOUBLE * (order ** 2 + (curvature === "orthogonal" ? 0 : Math.min(order, lanczosSteps) * order));
  }
  if (observed.sample) {
    const count = Math.max(1, Math.min(n, Math.floor(sampleEquations / c)));
    const sample = { ...sizes, sampleCount: count, validationCount: 0, fromFile: false };
    // The engine's own, and in JavaScript the kernel at the start and the present one.
    bytes += formedBytes("dual", sample) + DOUBLE * (count * (net.inputSize + c) + 2 * (count * c) ** 2);
  }
  return bytes;
}

/** The buffer in which a thread packs the operands of a large product (gemm.cc); the process keeps it. */
const PACKED_BYTES = DOUBLE * (264 + 256) * 256;

/** Vectors of p entries alive at once in a training, in addition to those of the engine; measured (bench/plan.mjs), not counted. */
const VECTORS = 16;
/** The same for a run that reuses its vectors (`spare-vectors.ts`): counted, and measured by `bench/large.mjs`. */
const REUSED_VECTORS = 8;

function vectorsOf(p: number): number {
  return p * (p >= LARGE_VECTOR ? REUSED_VECTORS : VECTORS);
}

/** Bytes of the matrix and of its factor, and of both in double beyond those in single precision. */
function matrices(route: Route, { architecture: net, sampleCount: n, engine, single, subset }: Sizes) {
  const p = net.parameterCount;
  if (route === "matrix-free") return { curvature: 0, factor: 0, doubled: 0 };
  if (route === "orthogonal") return { curvature: DOUBLE * (p + 1) ** 2, factor: DOUBLE * (p + 1) ** 2, doubled: 0 };
  const order = route === "primal" ? p : n * net.outputSize;
  // The native engine holds both in one array of n (n + 1); the reference engine rounds in arrays of doubles.
  const one = engine === "native" ? (order * (order + 1)) / 2 : order ** 2;
  const half = route === "primal" && single === true && engine === "native";
  const few = subset?.primal?.first ?? n;
  if (half && few < n && standsInRows(net, few)) {
    const rows = few * net.outputSize;
    const held = { curvature: (DOUBLE / 2) * 2 * rows * p, factor: (DOUBLE / 2) * rows ** 2 };
    return { ...held, doubled: Math.max(0, 2 * DOUBLE * one - held.curvature - held.factor) };
  }
  const bytes = (half ? DOUBLE / 2 : DOUBLE) * one;
  return { curvature: bytes, factor: bytes, doubled: half ? 2 * bytes : 0 };
}

/**
 * Vectors of p entries that the native engine sums over samples at the same time: the gradient, whose pending sums serve all later sums too, and the
 * diagonal of the matrix-free route.
 */
const SUMMED = { primal: 1, dual: 1, orthogonal: 0, "matrix-free": 2 } as const;

/**
 * Sums of slots that wait for their partners (`backend/slots.ts`): the Gram matrices beside the one that the memory of the idle factor holds,
 * and vectors, which the reference engine allocates at each call.
 */
function pendingDoubles(route: Route, { architecture: net, engine, slots = 1 }: Sizes) {
  const p = net.parameterCount;
  const pending = pendingSums(slots);
  const matrices = route === "primal" ? Math.max(0, pending - 1) : 0;
  if (engine === "typescript") return { held: matrices * p ** 2, passing: 2 * p * pending };
  return { held: (matrices * p * (p + 1)) / 2 + SUMMED[route] * p * pending, passing: 0 };
}

/** Doubles of one sample's panels: Tangents::DoublesPerSample. */
function doublesPerSample(net: PlannedNetwork): number {
  const { layers, outputSize: c } = net;
  return layers.slice(0, -1).reduce((sum, { outputSize }) => sum + outputSize * (1 + c), 2 * c + factorRows(net));
}

/** Rows of the curvature factor of the loss: Loss::factor_rows. */
const factorRows = ({ outputSize: c, lossFactor }: PlannedNetwork) => (lossFactor === "full" ? c * c : c);

/** Doubles of a tile in which that factor is formed apart from the panels, with `more` rows; squared error needs none. */
const factorTile = (net: PlannedNetwork, more: number) =>
  net.lossFactor === undefined ? 0 : 256 * (factorRows(net) + more * net.outputSize);

function nativeWorkspace(
  route: Route,
  { architecture: net, sampleCount: n, threads, single, slots = 1 }: Sizes,
): number {
  const { layers, parameterCount: p, outputSize: c } = net;
  const widest = widestLayer(net);
  const slopes = layers.reduce((sum, { outputSize }) => sum + outputSize, 0);
  const block = blockSamples(net, n, route, "native");
  const forward = 2 * widest * 256 * threads;
  const diagonal = (Math.max(net.inputSize, widest) + 128) * Math.min(256, block); // Tangents::AddDiagonal
  const acceleration = 5 * widest * 256 + 512 + factorTile(net, 1); // Tangents::SecondDerivative
  const further = {
    primal: single === true ? Math.max(acceleration, diagonal) : acceleration,
    dual: Math.max(acceleration, diagonal),
    orthogonal: 0,
    "matrix-free": diagonal,
  };
  const passes = Math.max(slopes * 256, 128 * 512, further[route]) * threads;
  // Parameters of the call and of the linearization, and the gradient; an answer; a velocity.
  const vectors = { primal: 5, dual: 5, orthogonal: 4, "matrix-free": 3 };
  const shared = block * doublesPerSample(net) + forward + passes + vectors[route] * p;
  if (route === "primal") {
    const products = single === true ? productDoubles(net, n, threads) : 0;
    // A block is within one slot.
    const rows = Math.min(block, Math.ceil(n / slots));
    return shared + rows * rowDoubles(net) + gramScratch(net) * threads + products + systemVectors(p) * p;
  }
  if (route === "dual") return shared + kernelDoubles(net, n, threads) + systemVectors(n * c) * n * c;
  if (route === "orthogonal") return shared + Math.max(block * c, p) * (p + 1);
  return shared + productDoubles(net, n, threads);
}

/** One layer's inputs and deltas in panels of 24 samples, and each thread's products of a tile: KernelBuilder. */
function kernelDoubles({ layers, outputSize: c, lossFactor }: PlannedNetwork, n: number, threads: number): number {
  const panels = Math.ceil(n / 24);
  const tile = 24 * Math.ceil(panels / Math.ceil(panels / 8));
  const depths = layers.map(
    ({ inputSize, outputSize }, l) =>
      inputSize + 1 + c * (l + 1 === layers.length && lossFactor !== "full" ? 2 : outputSize + 1),
  );
  return 24 * panels * Math.max(...depths) + (c > 1 ? 3 : 2) * tile ** 2 * threads;
}

/** The samples of a subset, and what is formed of them: native/core/curvature/subset.h. */
function nativeSubset(route: Route, count: number, { architecture: net, threads }: Sizes): number {
  if (count === 0) return 0;
  const panels = blockSamples(net, count, route, "native") * doublesPerSample(net);
  const formed = count * (net.inputSize + net.outputSize + 1) + panels;
  if (route !== "matrix-free") return formed;
  // Its products in float: inputs and panels of all its samples beside what those in double hold of a block.
  const width = net.layers.reduce((sum, { outputSize }) => sum + outputSize, 0);
  return formed + (count * (net.inputSize + 2 * width) + productDoubles(net, 1, threads)) / 2;
}

/** Vectors beside a matrix of this order and its factor: DampedSystem. */
const systemVectors = (order: number) => (order < 768 ? 4 : 20);

/** Panels and deltas of the products G v with one vector: Products::Run. */
function productDoubles(net: PlannedNetwork, n: number, threads: number): number {
  const width = net.layers.reduce((sum, { outputSize }) => sum + outputSize, 0);
  const block = Math.min(n, Math.max(1, Math.floor((6 << 20) / (net.inputSize + 3 * width) / 256)) * 256);
  const kept = 2 * width <= net.inputSize || 2 * width * n <= 8 << 20;
  return (
    2 * width * (kept ? n : block) +
    width * block +
    (2 * widestLayer(net) * 256 + factorTile(net, 3)) * threads +
    2 * net.parameterCount
  );
}

/** Units of the widest layer, the inputs not among them. */
function widestLayer({ layers }: Architecture): number {
  return Math.max(...layers.map(({ outputSize }) => outputSize));
}

const roundUp = (count: number, unit: number) => Math.ceil(count / unit) * unit;

/** A sample's inputs and deltas as rows: TangentRows. */
function rowDoubles({ layers, outputSize: c, lossFactor }: PlannedNetwork): number {
  return layers.reduce(
    (sum, { inputSize, outputSize, bias }, l) =>
      sum + inputSize + (bias ? 1 : 0) + (l + 1 === layers.length && lossFactor !== "full" ? c : c * outputSize),
    0,
  );
}

/** A thread's pair panels and its tile of G: GramBuilder. */
function gramScratch(net: PlannedNetwork): number {
  const part = (count: number, most: number) => roundUp(Math.ceil(count / Math.ceil(count / most)), 8);
  const parts = layerPairs(net).map(({ left, right }) => ({ left: part(left, 256), right: part(right, 384) }));
  const most = (size: (entry: (typeof parts)[number]) => number) => Math.max(...parts.map(size));
  return (
    8 * 392 + 64 * (most(({ left }) => left) + most(({ right }) => right)) + most((pair) => pair.left * pair.right)
  );
}

/** A sample's layer inputs, slopes and deltas in the reference engine. */
function referencePanels({ layers, outputSize: c }: Architecture): number {
  return layers.reduce((sum, { inputSize, outputSize }) => sum + inputSize + outputSize * (1 + c), c);
}

/** Arrays of blocks that wait for the garbage collector, which comes after so many bytes; measured (bench/plan.mjs), not counted. */
function waiting(net: Architecture, n: number): number {
  return Math.min(8e6 / DOUBLE, 16 * n * referencePanels(net));
}

function referenceWorkspace(route: Route, { architecture: net, sampleCount: n }: Sizes): number {
  const { parameterCount: p, outputSize: c } = net;
  const perSample = referencePanels(net);
  // Beside the panels, what the loss makes of a block: predictions, factor, residual and gradient by the outputs.
  const shared = Math.min(n, PASS_BLOCK) * (perSample + 3 * c + factorRows(net));
  if (route === "primal") return shared + p * PASS_BLOCK * c;
  if (route === "dual") return shared + n * perSample;
  if (route === "orthogonal") return shared + (p + 1) * PASS_BLOCK * c;
  return shared;
}

// Says what an engine will hold and which of its calls it hands to another thread, from sizes alone, for the planner (src/plan). The numbers
// of the native engine are those of the addon, which reserves and decides by the same functions; the bytes of the TypeScript engine are counted
// by its own classes.
import type { RankSlots } from "../cluster/cluster.js";
import type { JetProblem } from "../equations/jet-problem.js";
import { GaussflowError } from "../errors.js";
import { type Loss, lossRule, withScale } from "../loss/rules.js";
import { squaredError } from "../loss/squared-error.js";
import { targetCount } from "../loss/target-rules.js";
import type { Architecture } from "../network/architecture.js";
import { PASS_BLOCK, workspaceDoubles } from "../network/forward.js";
import type { Curvature, Precision } from "./curvature.js";
import type { BindingModule, EngineBytes, NativeNetwork } from "./native/binding.js";
import { withCode } from "./native/coded-error.js";
import { CURVATURE_CODES, nativeJetTerm, nativeNetwork } from "./native/description.js";
import { loadNative } from "./native/load.js";
import { CurvatureStore } from "./reference/curvature/store.js";
import { BlockSeeds } from "./reference/seeds.js";

export type { EngineBytes };

/** The problem that an engine is made for. */
export interface EngineSizes {
  readonly architecture: Architecture;
  readonly loss: Loss;
  readonly sampleCount: number;
  readonly weighted: boolean;
  /** Doubles of a row of the file that has the samples; 0 = they are in memory. */
  readonly fileWidth: number;
  readonly threads: number;
  readonly slots: number;
  /** The slots of one process where others share the samples: the bytes are its own. Absent: it has all. */
  readonly ranks?: Pick<RankSlots, "slots" | "first" | "count"> | undefined;
  /** Ranks that hold the Gram matrix of the primal route together, each its blocks. Default 0: this process has all of it. */
  readonly holders?: number | undefined;
}

/** The curvature of a linearization. */
export interface Formed {
  readonly curvature: Curvature;
  readonly precision?: Precision;
  /** Samples that stand for all; absent = all. */
  readonly subset?: number | undefined;
  /** Whether it is a moving average. Default false. */
  readonly average?: boolean | undefined;
  /** Whether products of the exact Hessian, with one vector at a time, follow. Default false. */
  readonly hessian?: boolean | undefined;
}

/** The most that an engine holds on the way through these curvatures, each solved and, where that can be, accelerated with. */
export function estimateBytes(
  engine: "native" | "typescript",
  sizes: EngineSizes,
  formed: readonly Formed[],
): EngineBytes {
  return engine === "native" ? nativeBytes(sizes, formed) : referenceBytes(sizes, formed);
}

/** The most that the native jet engine holds, but for `outputJets` and `eigen`. The terms need no points. */
export function jetEngineBytes(architecture: Architecture, problem: JetProblem, threads: number): EngineBytes {
  const net = nativeNetwork(architecture, squaredError(), 1);
  return addon().estimateJetBytes(net, problem.terms.map(nativeJetTerm), problem.unknownCount, threads);
}

function nativeBytes(sizes: EngineSizes, formed: readonly Formed[]): EngineBytes {
  const { architecture, loss, sampleCount, weighted, fileWidth, threads, slots, ranks, holders = 0 } = sizes;
  const turns = formed.flatMap(({ curvature, precision, subset = 0, average = false, hessian = false }) => [
    CURVATURE_CODES[curvature],
    precision === "single" ? 1 : 0,
    subset,
    Number(hessian),
    Number(average),
  ]);
  // No size depends on a scale, which `train` may have to find first.
  const sized = withScale(loss, 1);
  const net = nativeNetwork(architecture, sized, slots);
  const share = ranks === undefined ? null : { first: ranks.first, count: ranks.count };
  const question = [...describe(net), sampleCount, Number(weighted), fileWidth, threads];
  return remembered(["bytes", ...question, share?.first ?? -1, share?.count ?? 0, holders, ...turns], () =>
    addon().estimateBytes(net, sampleCount, weighted, fileWidth, threads, Float64Array.from(turns), share, holders),
  );
}

/** Arrays of an earlier curvature wait for the garbage collector beside those of the last. */
function referenceBytes(sizes: EngineSizes, formed: readonly Formed[]): EngineBytes {
  const { architecture, loss, sampleCount: n, weighted, fileWidth, slots } = sizes;
  const { inputSize: d, outputSize: c } = architecture;
  const DOUBLE = Float64Array.BYTES_PER_ELEMENT;
  const block = Math.min(n, PASS_BLOCK);
  const passes = workspaceDoubles(architecture, block, c) + BlockSeeds.doubles(lossRule(loss), architecture, block);
  const sum = {
    data: DOUBLE * ((fileWidth > 0 ? block : n) * (d + targetCount(loss, c)) + (weighted ? n : 0)),
    curvature: 0,
    factor: 0,
    workspaces: DOUBLE * passes,
    packing: 0,
    blockSamples: formed.at(-1)?.curvature === "dual" ? n : block,
  };
  const all = { architecture, sampleCount: n, slots, average: formed.some(({ average }) => average === true) };
  for (const kind of new Set(formed.map(({ curvature }) => curvature))) {
    const { curvature, factor, workspaces } = CurvatureStore.estimate(kind, all);
    sum.curvature += curvature;
    sum.factor += factor;
    sum.workspaces += workspaces;
  }
  return sum;
}

/**
 * How a call runs (Run of native/binding/engine_object.cc): "alone" on the calling thread; "together" with the other threads, while the
 * calling thread waits; "elsewhere", handed to another thread.
 */
export type CallRun = "alone" | "together" | "elsewhere";

/** How an engine runs its calls. */
export interface EngineCalls {
  /** Predictions, or the loss. */
  readonly forward: CallRun;
  /** The linearization with its curvature. */
  readonly linearize: CallRun;
  /** A factorization of the curvature and the solves with it; matrix-free: a product. */
  readonly solve: CallRun;
  /** The acceleration after that solve. */
  readonly accelerate: CallRun;
  /** A product of the exact G with one vector. */
  readonly product: CallRun;
  /** Not a call: whether the subset of the curvature is held as rows of J, not as a Gram matrix. */
  readonly holdsRows: boolean;
}

/** How the native engine runs a call of so many flops, as native/core/cost.h estimates them. */
export function runOf(flops: number): CallRun {
  const { aloneFlops, synchronousFlops } = addon();
  if (flops <= aloneFlops) return "alone";
  return flops <= synchronousFlops ? "together" : "elsewhere";
}

/** The TypeScript engine has no threads, and no rows of J. */
const SYNCHRONOUS: EngineCalls = {
  forward: "alone",
  linearize: "alone",
  solve: "alone",
  accelerate: "alone",
  product: "alone",
  holdsRows: false,
};

/** How an engine of n samples runs its calls with one curvature. The loss does not matter to it. */
export function estimateCalls(
  engine: "native" | "typescript",
  architecture: Architecture,
  n: number,
  { curvature, precision = "double", subset = 0 }: Formed,
): EngineCalls {
  if (engine === "typescript") return SYNCHRONOUS;
  const net = nativeNetwork(architecture, squaredError(), 1);
  const formed = [n, CURVATURE_CODES[curvature], precision === "single" ? 1 : 0, subset] as const;
  return remembered(["calls", ...describe(net), ...formed], () => {
    const flops = addon().estimateCalls(net, ...formed);
    return {
      forward: runOf(flops.forward),
      linearize: runOf(flops.linearize),
      solve: runOf(flops.solve),
      accelerate: runOf(flops.solve + 2 * flops.passes),
      product: runOf(flops.passes),
      holdsRows: flops.holdsRows,
    };
  });
}

/** Answers of the addon by its arguments. A plan asks for a dozen, 20 us each, and a sweep plans the same network again and again. */
const answers = new Map<string, object>();
const MOST_ANSWERS = 256;

function remembered<T extends object>(question: readonly (string | number)[], ask: () => T): T {
  const key = question.join();
  const known = answers.get(key);
  if (known !== undefined) return known as T;
  const answer = Object.freeze(withCode(ask));
  if (answers.size >= MOST_ANSWERS) answers.clear();
  answers.set(key, answer);
  return answer;
}

/** What of a network a size may depend on. */
function describe({ layers, loss, slots }: NativeNetwork): number[] {
  return [...layers, loss, slots];
}

function addon(): BindingModule {
  const native = loadNative();
  if (!native.ok)
    throw new GaussflowError("GAUSSFLOW_NO_NATIVE", `the native engine is not available: ${native.reason}`);
  return native.binding;
}

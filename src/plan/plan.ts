// The planner: predicts memory and time of each route before a run starts, chooses the route, and refuses a run that does not fit the
// memory limit. `train`, `flow` and the public `plan` (train/plan.ts) call it once, before they make an engine.
//
//   primal       matrix p x p: for p <= n c, where G is regular        dual         matrix n c x n c: for p > n c, where K is
//   orthogonal   triangle p x p, squares no condition number           matrix-free  products with G only
//
// Route "auto" is the exact route whose matrix is regular, or the matrix-free route if the exact one takes too long (see `BEYOND_REASON`)
// or exceeds the memory limit.
import { showBytes } from "../bytes.js";
import { GaussflowError } from "../errors.js";
import { lossRule } from "../loss/rules.js";
import type { Architecture } from "../network/architecture.js";
import { secondsOf } from "./cost-model.js";
import { COST_TABLE } from "./cost-table.js";
import { distributedWork, factorSeconds, withHolders } from "./distributed.js";
import { blockSamples, type MemoryEstimate, memoryOf, type Sizes } from "./memory-model.js";
import { largestRows, sumSeconds } from "./ranks.js";
import type { Route, StepRoute } from "./route.js";
import { iterationWork } from "./workload.js";

/** Predicted cost of one route. */
export interface RouteEstimate {
  /** Name of the route. */
  readonly route: StepRoute;
  /** Bytes at the peak, by what they are for. */
  readonly bytes: MemoryEstimate;
  /**
   * Flops of one iteration: a linearization, one solve and its acceleration, the loss at the new point, and the vectors of the loop. With a
   * batch method those of a step on one batch; the losses at the end of an epoch are not part of it.
   */
  readonly flops: number;
  /** Predicted seconds of one iteration. */
  readonly seconds: number;
  /** Samples that pass through the engine at a time. */
  readonly blockSamples: number;
  /** True if `bytes.most` is within the memory limit. */
  readonly fits: boolean;
  /** True where the ranks hold the matrix together, each its blocks (`distributed` in the options of `train`). Absent where each has all of it. */
  readonly distributed?: true | undefined;
}

/** The predicted cost of a training or a flow, and the route that it takes. */
export interface Plan<Kind extends StepRoute = StepRoute> {
  /** The route that was chosen. */
  readonly route: Kind;
  /** Number of parameters, p. */
  readonly parameterCount: number;
  /** Number of samples, n. */
  readonly sampleCount: number;
  /** n c. */
  readonly equationCount: number;
  /** Predicted peak of the process on the chosen route, bytes; `chosen.bytes.most` is the largest amount that it can need. */
  readonly bytes: number;
  /** Bytes that the process may use. */
  readonly memoryLimit: number;
  /** Threads that the run uses: the requested number, or 1 if more are predicted to be no faster. */
  readonly threads: number;
  /** Slots that sums over the samples are joined from (`slots` in the options). */
  readonly slots: number;
  /** Processes that share the samples (`cluster` in the options). Bytes, flops and seconds are those of the one with the most of them. */
  readonly ranks: number;
  /** Fitted samples of that process: all of them where there is one. */
  readonly rankRows: number;
  /** The reason for the route, as one sentence. */
  readonly because: string;
  /** Predicted cost of the chosen route. */
  readonly chosen: RouteEstimate;
  /** The other routes that the caller could request. */
  readonly alternatives: readonly RouteEstimate[];
  /** With a batch method: its batches. Absent with other methods. */
  readonly batch?: BatchUse | undefined;
}

/** The batches of a run. */
export interface BatchUse {
  /** Rows of a batch. */
  readonly rows: number;
  /** Steps of an epoch. */
  readonly stepsPerEpoch: number;
  /** How the learning rate falls: "constant", "cosine" or "step". */
  readonly schedule: string;
  /** Batches, damping and learning rate as a phrase. */
  readonly described: string;
}

/** The input of `planRoute`. */
export interface PlanRequest<Kind extends Route = Route> extends Sizes {
  readonly asked: "auto" | Kind;
  /** The routes that this kind of run can take. */
  readonly routes: readonly Kind[];
  /** Bytes. */
  readonly memoryLimit: number;
  /** Whether the ranks hold the Gram matrix together; "auto": where one of them has no room for all of it. Default false. */
  readonly distributed?: "auto" | boolean | undefined;
}

/**
 * Ratio of the predicted time of an exact step (all samples, double precision) to that of a matrix-free step, above which the planner
 * takes the matrix-free route. Measured by bench/routes.mjs: with few inputs exact steps end far lower up to a ratio of 20; with many
 * inputs (60 to 256) products are slightly better from a ratio of 4 on. The limit keeps the larger gain, that of the exact route.
 */
const BEYOND_REASON = 20;

/** Plans a run: the cost of each route, and the route to take. `refuse` is a separate step. */
export function planRoute<Kind extends Route>(request: PlanRequest<Kind>): Plan<Kind> {
  const { architecture: net, sampleCount, memoryLimit, asked, engine, slots = 1, ranks = 1 } = request;
  const [parameterCount, equationCount] = [net.parameterCount, sampleCount * net.outputSize];
  const estimates = request.routes.map((route) => estimate(route, request));
  const { route, because } = choose(estimates, request);
  const chosen = estimates.find((entry) => entry.route === route) ?? estimate(route, request);
  const together = chosen.distributed ? "; the ranks hold its matrix together" : "";
  const threads = engine === "typescript" ? 1 : fewestUseful(route, request);
  return {
    route: route as Kind, // one of request.routes
    parameterCount,
    sampleCount,
    equationCount,
    bytes: chosen.bytes.peak,
    memoryLimit,
    threads,
    slots,
    ranks,
    rankRows: largestRows(slots, ranks, sampleCount),
    because: `${asked === "auto" ? because : `the caller asked for the ${route} route`}${together}`,
    chosen,
    alternatives: estimates.filter((entry) => entry !== chosen),
  };
}

function estimate(route: Route, asked: PlanRequest): RouteEstimate {
  const request = withHolders(route, asked);
  const { holders = 0 } = request;
  const { architecture: net, sampleCount, engine, threads, memoryLimit, slots = 1, ranks = 1 } = request;
  const rows = largestRows(slots, ranks, sampleCount);
  const work = distributedWork(iterationWork(route, net, rows, request), net, holders);
  const bytes = memoryOf(route, request);
  return {
    route,
    bytes,
    flops: work.reduce((sum, { flops }) => sum + flops, 0),
    seconds:
      secondsOf(work, engine, engine === "typescript" ? 1 : threads) +
      sumSeconds(route, net, slots, ranks) +
      factorSeconds(net, holders),
    blockSamples: blockSamples(route, request),
    fits: bytes.most <= memoryLimit,
    ...(holders > 0 ? { distributed: true } : {}),
  };
}

/** The choice depends on the sizes and the cost table; the memory limit can only turn it to matrix-free. */
function choose(estimates: readonly RouteEstimate[], request: PlanRequest): { route: Route; because: string } {
  const { architecture: net, sampleCount: n, asked, engine, memoryLimit } = request;
  if (asked !== "auto") return { route: asked, because: "" };
  if (request.distributed === true && request.ranks !== 1)
    return { route: "primal", because: "the ranks are to hold the Gram matrix together" };
  const [p, equations] = [net.parameterCount, n * net.outputSize];
  const exact = p <= equations ? "primal" : "dual";
  const because = `${p} parameters are ${p <= equations ? "at most" : "more than"} ${equations} equations`;
  const free = estimates.find(({ route }) => route === "matrix-free");
  if (free === undefined) return { route: exact, because };
  const nominal = (route: Route) => secondsOf(iterationWork(route, net, n, { engine }), engine, COST_TABLE.threads);
  const ratio = nominal(exact) / nominal("matrix-free");
  if (ratio > BEYOND_REASON)
    return {
      route: "matrix-free",
      because: `an exact step by the ${exact} route would take ${ratio.toFixed(0)} times as long`,
    };
  const { bytes, fits } = estimates.find(({ route }) => route === exact)!;
  if (fits || !free.fits) return { route: exact, because };
  return {
    route: "matrix-free",
    because: `the ${exact} route needs ${showBytes(bytes.most)}, and the memory limit is ${showBytes(memoryLimit)}`,
  };
}

/** 1 if all threads are predicted to be no faster than one. */
function fewestUseful(route: Route, { architecture, sampleCount, threads, slots = 1, ranks = 1 }: PlanRequest): number {
  const work = iterationWork(route, architecture, largestRows(slots, ranks, sampleCount));
  return secondsOf(work, "native", threads) < secondsOf(work, "native", 1) ? threads : 1;
}

/**
 * Throws if the plan does not fit the memory limit. The message has the numbers and all alternatives. Nothing is allocated before.
 * @throws GAUSSFLOW_MEMORY
 */
export function refuse(plan: Plan<Route>, asked: PlanRequest): void {
  const { chosen, memoryLimit, route } = plan;
  const request = withHolders(route, asked);
  if (chosen.fits) return;
  const { bytes } = chosen;
  const parts = (
    [
      [bytes.curvature + bytes.factor, "matrix and factor"],
      [
        bytes.most - bytes.peak,
        request.turns
          ? "more where the flow turns to the orthogonal route, or looks for the rank of J"
          : "more once the curvature is that of all samples in double precision",
      ],
      [bytes.monitor, "what the monitor measures"],
      [bytes.data + bytes.copies, "data and their copies"],
      [bytes.workspaces + bytes.vectors, "workspaces and vectors"],
      [bytes.process, "the process itself"],
    ] as const
  )
    .filter(([size]) => size > 0)
    .map(([size, what]) => `${showBytes(size)} ${what}`);
  // Ranks do not sum over pairs of rows.
  const able = ({ route: other }: RouteEstimate) => plan.ranks === 1 || other === "primal" || other === "matrix-free";
  const fitting = plan.alternatives.filter((entry) => entry.fits && able(entry));
  const ways: string[] = fitting.map((entry) => `options.route "${entry.route}" fits (${showBytes(entry.bytes.most)})`);
  const together = withHolders(route, { ...asked, distributed: true });
  if (!chosen.distributed && (together.holders ?? 0) > 0 && memoryOf(route, together).most <= memoryLimit)
    ways.push("options.distributed true fits: the ranks hold the matrix together, by ScaLAPACK");
  const samples = mostSamples(route, request);
  if (samples > 0) ways.push(`at most ${samples} samples fit this network`);
  const parameters = mostParameters(route, request);
  if (parameters > 0) ways.push(`about ${parameters} parameters fit these samples`);
  const classes = mostClasses(route, request);
  if (classes > 0) ways.push(`about ${classes} classes fit, with rare ones joined to one`);
  if (!request.fileWidth && bytes.copies + bytes.data > memoryLimit / 4)
    ways.push("data read from a file take no memory (convertCsv and openDataFile)");
  if (bytes.monitor > 0 && bytes.most - bytes.monitor <= memoryLimit) ways.push("it fits without the monitor");
  ways.push(`options.memoryLimit of ${Math.ceil(bytes.most)} bytes would let it run`);
  throw new GaussflowError(
    "GAUSSFLOW_MEMORY",
    `the ${route} route needs ${showBytes(bytes.most)} at its peak (${parts.join(", ")}; ${plan.because}), and the memory limit is ${showBytes(memoryLimit)}: ${ways.join("; ")}`,
    {
      bytes: bytes.most,
      memoryLimit,
      route,
      estimate: bytes,
      fitting: fitting.map((entry) => entry.route),
      mostSamples: samples,
      mostParameters: parameters,
    },
  );
}

/** Largest number of samples that fit on this route with this network; validation and copies shrink in proportion. 0 = none. */
function mostSamples(route: Route, request: PlanRequest): number {
  const { sampleCount, validationCount, copies, memoryLimit, slots = 1 } = request;
  const peak = (n: number) => {
    const share = n / sampleCount;
    const smaller = { ...request, sampleCount: n, validationCount: validationCount * share, copies: copies * share };
    return memoryOf(route, smaller).most;
  };
  // A slot has a sample at least.
  let [low, high] = [slots - 1, sampleCount];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (peak(middle) <= memoryLimit) low = middle;
    else high = middle;
  }
  return low < slots ? 0 : low;
}

/** About the largest number of parameters that fit on this route, with every width scaled by the same factor; 0 = none. */
function mostParameters(route: Route, request: PlanRequest): number {
  const peak = (net: Architecture) => memoryOf(route, { ...request, architecture: net }).most;
  let best = 0;
  for (let share = 0.98; share > 0.001; share *= 0.98) {
    const net = narrowed(request.architecture, share);
    if (peak(net) > request.memoryLimit) continue;
    best = net.parameterCount;
    break;
  }
  return best;
}

/**
 * About the largest number of classes that fit on this route, where a softmax takes panels of c x c numbers a sample; 0 = none, or another loss.
 */
function mostClasses(route: Route, request: PlanRequest): number {
  const { architecture: net, memoryLimit, sampleCount, copies } = request;
  if (net.loss === undefined || lossRule(net.loss).factor !== "full") return 0;
  const peak = (classes: number) => {
    const joined = withOutputs(net, classes);
    const saved = 8 * sampleCount * (net.outputSize - classes);
    return memoryOf(route, { ...request, architecture: joined, copies: Math.max(0, copies - saved) }).most;
  };
  for (let classes = Math.floor(0.98 * net.outputSize); classes >= 2; classes = Math.floor(0.98 * classes))
    if (peak(classes) <= memoryLimit) return classes;
  return 0;
}

/** The sizes of the network with so many outputs. */
function withOutputs<Sized extends Architecture>(net: Sized, outputSize: number): Sized {
  const last = net.layers.length - 1;
  const layers = net.layers.map((layer, l) => (l === last ? { ...layer, outputSize } : layer));
  const { inputSize, bias } = layers[last]!;
  const fewer = (net.outputSize - outputSize) * (inputSize + (bias ? 1 : 0));
  return { ...net, layers, outputSize, parameterCount: net.parameterCount - fewer };
}

/** The sizes of the network with the width of its hidden layers multiplied by `share`. */
function narrowed(net: Architecture, share: number): Architecture {
  const width = (size: number) => Math.max(1, Math.floor(size * share));
  const layers = net.layers.map((layer, l) => ({
    ...layer,
    inputSize: l === 0 ? layer.inputSize : width(layer.inputSize),
    outputSize: l + 1 === net.layers.length ? layer.outputSize : width(layer.outputSize),
  }));
  const parameterCount = layers.reduce(
    (sum, { inputSize, outputSize, bias }) => sum + outputSize * (inputSize + (bias ? 1 : 0)),
    0,
  );
  return { ...net, layers, parameterCount };
}

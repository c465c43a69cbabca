// The planner: which route solves the steps, what it takes in memory and time, and what is refused, before anything runs.
//
//   primal       matrix p x p: for p <= n c, where G is regular        dual         matrix n c x n c: for p > n c, where K is
//   orthogonal   triangle p x p, squares no condition number           matrix-free  products with G only
//
// Route "auto" takes the exact route whose matrix is regular, unless it is beyond reason in time (see `BEYOND_REASON`) or beyond the memory limit.
import { showBytes } from "../bytes.js";
import { GaussflowError } from "../errors.js";
import type { Architecture } from "../network/architecture.js";
import { secondsOf } from "./cost-model.js";
import { COST_TABLE } from "./cost-table.js";
import { blockSamples, type MemoryEstimate, memoryOf, type Sizes } from "./memory-model.js";
import type { Route } from "./route.js";
import { iterationWork } from "./workload.js";

/** What one route would take. */
export interface RouteEstimate {
  /** Name of the route. */
  readonly route: Route;
  /** Bytes at the peak, by what they are for. */
  readonly bytes: MemoryEstimate;
  /** Flops of one iteration: a linearization, one solve and its acceleration, the loss at the new point, and the vectors of the loop. */
  readonly flops: number;
  /** Predicted seconds of it. */
  readonly seconds: number;
  /** Samples that pass through at a time. */
  readonly blockSamples: number;
  /** The most that it may take is within the memory limit. */
  readonly fits: boolean;
}

/** What a training or a flow would take. */
export interface Plan<Kind extends Route = Route> {
  /** The route that was chosen. */
  readonly route: Kind;
  /** Number of parameters, p. */
  readonly parameterCount: number;
  /** Number of samples, n. */
  readonly sampleCount: number;
  /** n c. */
  readonly equationCount: number;
  /** Predicted peak of the process on the chosen route, bytes; `chosen.bytes.most` is what it may come to. */
  readonly bytes: number;
  /** Bytes that the process may use. */
  readonly memoryLimit: number;
  /** Threads that the run uses: those asked for, or 1 where more are predicted to be no faster. */
  readonly threads: number;
  /** One sentence that says why. */
  readonly because: string;
  /** What the chosen route takes. */
  readonly chosen: RouteEstimate;
  /** The other routes that could be asked for. */
  readonly alternatives: readonly RouteEstimate[];
}

/** What is to be planned. */
export interface PlanRequest<Kind extends Route = Route> extends Sizes {
  readonly asked: "auto" | Kind;
  /** The routes that this kind of run can take. */
  readonly routes: readonly Kind[];
  /** Bytes. */
  readonly memoryLimit: number;
}

/**
 * An exact step (all samples, double precision) that is predicted to take this many times as long as a matrix-free one is not worth its
 * exactness. The ratio alone does not tell (bench/routes.mjs): with few inputs exact steps end far lower up to 20, with many (60 to 256)
 * products are ahead from 4 on, by a little. So the limit is where the exact route still gains most.
 */
const BEYOND_REASON = 20;

/** Plans a run: the routes with their costs, and the one to take. Nothing is refused here, see `refuse`. */
export function planRoute<Kind extends Route>(request: PlanRequest<Kind>): Plan<Kind> {
  const { architecture: net, sampleCount, memoryLimit, asked, engine } = request;
  const [parameterCount, equationCount] = [net.parameterCount, sampleCount * net.outputSize];
  const estimates = request.routes.map((route) => estimate(route, request));
  const { route, because } = choose(estimates, request);
  const chosen = estimates.find((entry) => entry.route === route) ?? estimate(route, request);
  const threads = engine === "typescript" ? 1 : fewestUseful(route, request);
  return {
    route: route as Kind, // one of request.routes
    parameterCount,
    sampleCount,
    equationCount,
    bytes: chosen.bytes.peak,
    memoryLimit,
    threads,
    because: asked === "auto" ? because : `the caller asked for the ${route} route`,
    chosen,
    alternatives: estimates.filter((entry) => entry !== chosen),
  };
}

function estimate(route: Route, request: PlanRequest): RouteEstimate {
  const { architecture: net, sampleCount: n, engine, threads, memoryLimit } = request;
  const work = iterationWork(route, net, n, request);
  const bytes = memoryOf(route, request);
  return {
    route,
    bytes,
    flops: work.reduce((sum, { flops }) => sum + flops, 0),
    seconds: secondsOf(work, engine, engine === "typescript" ? 1 : threads),
    blockSamples: blockSamples(net, n, route, engine),
    fits: bytes.most <= memoryLimit,
  };
}

/** The choice depends on the sizes and the cost table; the memory limit can only turn it to matrix-free. */
function choose(estimates: readonly RouteEstimate[], request: PlanRequest): { route: Route; because: string } {
  const { architecture: net, sampleCount: n, asked, engine, memoryLimit } = request;
  if (asked !== "auto") return { route: asked, because: "" };
  const [p, equations] = [net.parameterCount, n * net.outputSize];
  const exact = p <= equations ? "primal" : "dual";
  const because = `${p} parameters are ${p <= equations ? "at most" : "more than"} ${equations} equations`;
  const free = estimates.find(({ route }) => route === "matrix-free");
  if (free === undefined) return { route: exact, because };
  const nominal = (route: Route) => secondsOf(iterationWork(route, net, n), engine, COST_TABLE.threads);
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

/** One thread where all of them would not be predicted to be faster. */
function fewestUseful(route: Route, { architecture, sampleCount, threads }: PlanRequest): number {
  const work = iterationWork(route, architecture, sampleCount);
  return secondsOf(work, "native", threads) < secondsOf(work, "native", 1) ? threads : 1;
}

/**
 * Throws where the plan does not fit the memory limit, before anything is allocated: the numbers, and every way out.
 * @throws GAUSSFLOW_MEMORY
 */
export function refuse(plan: Plan, request: PlanRequest): void {
  const { chosen, memoryLimit } = plan;
  if (chosen.fits) return;
  const { bytes, route } = chosen;
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
  const ways: string[] = plan.alternatives
    .filter(({ fits }) => fits)
    .map((entry) => `options.route "${entry.route}" fits (${showBytes(entry.bytes.most)})`);
  const samples = mostSamples(route, request);
  if (samples > 0) ways.push(`at most ${samples} samples fit this network`);
  const parameters = mostParameters(route, request);
  if (parameters > 0) ways.push(`about ${parameters} parameters fit these samples`);
  if (!request.fromFile && bytes.copies + bytes.data > memoryLimit / 4)
    ways.push("data read from a file take no memory (openDataFile)");
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
      fitting: plan.alternatives.filter(({ fits }) => fits).map((entry) => entry.route),
      mostSamples: samples,
      mostParameters: parameters,
    },
  );
}

/** Most samples of this network that fit by this route, validation and copies shrinking with them; 0 = none. */
function mostSamples(route: Route, request: PlanRequest): number {
  const { sampleCount, validationCount, copies, memoryLimit } = request;
  const peak = (n: number) => {
    const share = n / sampleCount;
    const smaller = { ...request, sampleCount: n, validationCount: validationCount * share, copies: copies * share };
    return memoryOf(route, smaller).most;
  };
  let [low, high] = [0, sampleCount];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (peak(middle) <= memoryLimit) low = middle;
    else high = middle;
  }
  return low;
}

/** About the most parameters that fit by this route: every width scaled by the same factor; 0 = none. */
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

/** The network with its hidden layers `share` as wide: sizes only. */
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

// Lists the operations of one iteration with their flops, by route and from sizes alone. plan.ts calls it for each route and converts the
// work to seconds by `cost-model.ts`; bench/costs.mjs measures the rates of the same operations. A flop count is the nominal one of the
// formula. The engines say which calls run on another thread (`backend/estimate.ts`).

import { LARGE_VECTOR } from "../algebra/vectors.js";
import { type EngineCalls, estimateCalls, runOf } from "../backend/estimate.js";
import { type Loss, lossRule } from "../loss/rules.js";
import type { Architecture } from "../network/architecture.js";
import type { EngineName, Work } from "./costs.js";
import type { Route } from "./route.js";

/** Assumed number of products G v of one matrix-free step, before the spectrum is known: an estimate, not a bound. */
export const PLANNED_PRODUCTS = 60;

const VECTOR_OPERATIONS = 20;

/** Multiplications of weights by inputs in one forward pass of one sample. */
function weightCount({ layers }: Architecture): number {
  return layers.reduce((sum, { inputSize, outputSize }) => sum + inputSize * outputSize, 0);
}

/** Forward pass of n samples. */
function forwardWork(net: Architecture, n: number, { forward }: EngineCalls): Work {
  const flops = 2 * n * weightCount(net);
  return { operation: "forward", flops, size: fanIn(net), calls: 1, run: forward };
}

/**
 * About twenty passes over vectors of p entries: points, gradients and steps of the loop. The engine does the passes over large vectors on its
 * threads, and their rate covers its own passes over the parameters.
 */
function vectorWork({ parameterCount: p }: Architecture): Work {
  const large = p >= LARGE_VECTOR;
  return { operation: "vectors", flops: VECTOR_OPERATIONS * p, size: p, calls: 0, run: large ? "elsewhere" : "alone" };
}

/** Most outputs whose c x c deltas of a tile of samples (256) stay in the cache. */
const CACHED_OUTPUTS = 32;
/** Flops in whose time a delta beyond the cache is written, and read for the gradient and for diag G: 2.5 ns, measured from 100 to 300 outputs. */
const UNCACHED_DELTA = 32;

/** Loss and gradient, with one backward row an output. */
function passWork(net: PlannedNetwork, n: number, { linearize }: EngineCalls): Work {
  const { outputSize: c } = net;
  const back = weightCount(net) - net.layers[0]!.inputSize * net.layers[0]!.outputSize;
  const deltas = full(net) && c > CACHED_OUTPUTS ? UNCACHED_DELTA * c ** 2 : 0;
  const flops = n * (4 * weightCount(net) + 2 * c * back + deltas);
  return { operation: "passes", flops, size: fanIn(net), calls: 1, run: linearize };
}

/** G from the pairs of units and inputs of every two layers (native/core/curvature/gram_builder.h). */
function gramWork(net: Architecture, n: number, { linearize }: EngineCalls): Work {
  let products = 0;
  for (const { left, right } of layerPairs(net)) products += left * right;
  const size = net.parameterCount;
  return { operation: "gram", flops: 2 * n * products, size, calls: 0, run: linearize };
}

/** A network, and what the planner knows of the loss it is trained with. */
export interface PlannedNetwork extends Architecture {
  /** Default squared error. */
  readonly loss?: Loss | undefined;
}

/** Whether the curvature factor of the loss is c x c, with c rows of deltas in the last layer. */
const full = ({ loss }: PlannedNetwork) => loss !== undefined && lossRule(loss).factor === "full";

/** Numbers of left (unit) and right (input) pairs for every two layers l <= l'. */
function layerPairs(net: PlannedNetwork): { readonly left: number; readonly right: number }[] {
  const { layers } = net;
  const rights = layers.map(({ inputSize, bias }) => inputSize + (bias ? 1 : 0));
  const triangle = (k: number) => (k * (k + 1)) / 2;
  return layers.flatMap((layer, l) =>
    layers.slice(l).map((other, m) => {
      if (m > 0) return { left: layer.outputSize * other.outputSize, right: rights[l]! * rights[l + m]! };
      const last = l + 1 === layers.length && !full(net);
      return { left: last ? layer.outputSize : triangle(layer.outputSize), right: triangle(rights[l]!) };
    }),
  );
}

/** K from two small products a layer, its upper triangle. */
function kernelWork(net: PlannedNetwork, n: number, { linearize }: EngineCalls): Work {
  const c = net.outputSize;
  const inner = net.layers.reduce(
    (sum, { inputSize, outputSize }, l) =>
      sum + inputSize + (l + 1 === net.layers.length && !full(net) ? c : c ** 2 * outputSize) + c ** 2,
    0,
  );
  return { operation: "kernel", flops: n ** 2 * inner, size: fanIn(net), calls: 0, run: linearize };
}

/** B B^T of one row a sample, from two small products a layer. */
function sampledKernelWork(net: PlannedNetwork, n: number, { linearize }: EngineCalls): Work {
  const inner = net.layers.reduce((sum, { inputSize, outputSize }) => sum + inputSize + outputSize, 0);
  return { operation: "kernel", flops: n ** 2 * inner, size: fanIn(net), calls: 0, run: linearize };
}

/** Cholesky factorization of a curvature of this order, and the solves with it. */
function factorWork(order: number, { solve }: EngineCalls): Work {
  const flops = order ** 3 / 3 + 8 * order ** 2;
  return { operation: "cholesky", flops, size: order, calls: 1, run: solve };
}

/** R of J, and the damping folded into a copy of it. */
function triangleWork(net: Architecture, n: number, { linearize, solve }: EngineCalls): Work[] {
  const p = net.parameterCount;
  return [
    { operation: "triangle", flops: 2 * n * net.outputSize * p ** 2, size: p, calls: 0, run: linearize },
    { operation: "fold", flops: (2 / 3) * p ** 3, size: p, calls: 1, run: solve },
  ];
}

/**
 * Products G v with one vector each, within one solve: a tangent pass forward (twice the flops of a plain one), a pass back, an outer
 * product.
 */
export function productWork(net: Architecture, n: number, products: number, { product }: EngineCalls): Work {
  const flops = products * 8 * n * weightCount(net);
  return { operation: "product", flops, size: fanIn(net), calls: 1, run: product };
}

/** How the steps of a run are computed: precision and samples (`step/fidelity.ts`), and acceleration. */
export interface StepKind {
  /** Primal route: the curvature is in single precision until that is not enough. The native engine holds one precision at a time. */
  readonly single?: boolean;
  /** By route, the number of samples of the subset: at first and at most (`step/subset.ts`). */
  readonly subset?: { readonly [Kind in Route]?: { readonly first: number; readonly most: number } | null };
  /** Geodesic acceleration, but with a subset or matrix-free: `step/acceleration.ts`. Default false. */
  readonly acceleration?: boolean;
  /**
   * Steps on the exact Hessian, which are not accelerated: losses other than squared error (`step/hessian-step.ts`), but with a subset. Default
   * false.
   */
  readonly hessian?: boolean;
  /** The engine. Only the native one gains from float32, from rows of J and from threads. Default native. */
  readonly engine?: EngineName;
}

/** Float32 has twice the flops a second: half of them at the double rate of the cost table. */
const SINGLE = 0.5;
/** Conjugate-gradient products of a step in single precision, with the factor of all samples or of a subset. */
const SINGLE_PRODUCTS = { all: 2, few: 4 };

/** Assumed number of conjugate-gradient iterations of a step on the exact Hessian; measured 6 to 12, the most on digits 64-16-10. */
const HESSIAN_PRODUCTS = 10;

/** Hessian products, of twice the flops of a product with G, and as many solves with the factor (of products alone: none). */
function hessianWork(net: Architecture, n: number, order: number, calls: EngineCalls): Work[] {
  const products = productWork(net, n, 2 * HESSIAN_PRODUCTS, calls);
  const solves = { operation: "cholesky", flops: HESSIAN_PRODUCTS * 2 * order ** 2, size: order, calls: 0 } as const;
  return [
    { ...products, calls: HESSIAN_PRODUCTS },
    { ...solves, run: calls.solve },
  ];
}

/** The products of those rows with each other, and the factor of that. */
function sampleWork({ outputSize, parameterCount: p }: Architecture, count: number, { solve }: EngineCalls): Work {
  const rows = count * outputSize;
  return { operation: "cholesky", flops: rows ** 2 * p + rows ** 3 / 3, size: rows, calls: 1, run: solve };
}

function scaled(work: Work, factor: number): Work {
  return { ...work, flops: factor * work.flops };
}

/** Second derivative along a step, its transpose product, and a second solve with the factor. */
function accelerationWork(net: Architecture, n: number, order: number, { accelerate }: EngineCalls): Work[] {
  const [all, first] = [weightCount(net), net.layers[0]!.inputSize * net.layers[0]!.outputSize];
  // Two products with the inputs of the first layer, five above (native/core/directional_derivatives.cc), one back.
  const flops = 2 * n * (5 * all - 3 * first + all);
  return [
    { operation: "passes", flops, size: fanIn(net), calls: 1, run: accelerate },
    { operation: "cholesky", flops: 8 * order ** 2, size: order, calls: 0, run: accelerate },
  ];
}

/**
 * One iteration, far from the minimum: linearization, one solve, its acceleration if requested, the loss at the new point.
 * @throws GAUSSFLOW_NO_NATIVE for the native engine where there is none
 */
export function iterationWork(
  route: Route,
  net: Architecture,
  n: number,
  { single = false, subset = {}, acceleration = false, hessian = false, engine = "native" }: StepKind = {},
): Work[] {
  const order = route === "dual" ? n * net.outputSize : net.parameterCount;
  const count = subset[route]?.first ?? n;
  const accelerated = acceleration && !hessian && (route === "dual" || (route === "primal" && count === n));
  const calls = estimateCalls(engine, net, n, { curvature: route });
  const ofSubset = () =>
    count < n ? estimateCalls(engine, net, count, { curvature: route, precision: "single", subset: count }) : calls;
  const ends = [
    vectorWork(net),
    passWork(net, n, calls),
    forwardWork(net, n, calls),
    ...(accelerated ? accelerationWork(net, n, order, calls) : []),
    ...(hessian && (route === "primal" || route === "dual") ? hessianWork(net, n, order, calls) : []),
  ];
  if (route === "primal" && single) {
    const share = engine === "native" ? SINGLE : 1;
    const few = ofSubset();
    const preconditioner = few.holdsRows
      ? [sampleWork(net, count, few)]
      : [gramWork(net, count, few), factorWork(order, few)];
    return [
      ...ends,
      ...preconditioner.map((work) => scaled(work, share)),
      productWork(net, n, count < n ? SINGLE_PRODUCTS.few : SINGLE_PRODUCTS.all * (accelerated ? 2 : 1), calls),
    ];
  }
  if (route === "primal") return [...ends, gramWork(net, n, calls), factorWork(order, calls)];
  if (route === "dual") return [...ends, kernelWork(net, n, calls), factorWork(order, calls)];
  if (route === "orthogonal") return [...ends, ...triangleWork(net, n, calls)];
  const products = productWork(net, count, (hessian && count === n ? 2 : 1) * PLANNED_PRODUCTS, ofSubset());
  return [...ends, scaled(products, count < n && engine === "native" ? SINGLE : 1)];
}

/** Loss and gradient of a sampled curvature: two backward rows a sample, whatever the number of outputs. */
function sampledPassWork(net: Architecture, n: number, { linearize }: EngineCalls): Work {
  const back = weightCount(net) - net.layers[0]!.inputSize * net.layers[0]!.outputSize;
  const flops = n * (4 * weightCount(net) + 4 * back);
  return { operation: "passes", flops, size: fanIn(net), calls: 1, run: linearize };
}

/** Products of v with the rows of the curvature and of its inverse with their transpose, around a solve in the space of the rows. */
function rowSpaceWork(net: Architecture, n: number, { solve }: EngineCalls): Work {
  return { operation: "forward", flops: 4 * n * weightCount(net), size: fanIn(net), calls: 0, run: solve };
}

/**
 * Flops of a factorization in whose time a solve with a standing factor reads an entry of it, forward and back. A solve waits for the memory:
 * 10 at order 433, 27 at 1,377 and 48 at 2,833, on one core of an AMD EPYC (Zen 5); beyond the caches no more.
 */
function substituted(order: number): number {
  return Math.min(50, order / 55);
}

/** Estimated flops of solves with a factor by the square of its order: Solves of native/core/cost.cc. */
const SOLVES = 20;

/** A solve with a standing factor of this order. */
function substitutionWork(order: number, engine: EngineName): Work {
  const flops = (substituted(order) * order ** 2) / 2;
  const elsewhere = engine === "native" && runOf(SOLVES * order ** 2) === "elsewhere";
  return { operation: "cholesky", flops, size: order, calls: 1, run: elsewhere ? "elsewhere" : "alone" };
}

/** What a batch method forms with an engine (`BatchEngine` of method/batch-method.ts). */
export interface FormedOnBatch {
  readonly rows: number;
  readonly curvature: "none" | "primal" | "dual" | "sampled";
  readonly average?: boolean | undefined;
  readonly every?: number | undefined;
}

/**
 * The engine calls of one step on a batch: what each engine forms, and the losses at trial points.
 * @throws GAUSSFLOW_NO_NATIVE for the native engine where there is none
 */
export function batchWork(
  net: Architecture,
  engines: readonly FormedOnBatch[],
  evaluations: number,
  engine: EngineName,
): Work[] {
  const formed = engines.flatMap(({ rows, curvature, average = false, every = 1 }, k) => {
    const calls = estimateCalls(engine, net, rows, { curvature });
    const own = { share: 1 / every };
    // The first engine gives the gradient of every step.
    const passes = { ...passWork(net, rows, calls), ...(k === 0 ? {} : own) };
    if (curvature === "none") return [passes];
    if (curvature === "sampled")
      return [
        sampledPassWork(net, rows, calls),
        sampledKernelWork(net, rows, calls),
        factorWork(rows, calls),
        rowSpaceWork(net, rows, calls),
      ];
    if (curvature === "dual")
      return [
        passes,
        kernelWork(net, rows, calls),
        factorWork(rows * net.outputSize, calls),
        rowSpaceWork(net, rows, calls),
      ];
    const p = net.parameterCount;
    return [
      passes,
      { ...gramWork(net, rows, calls), ...own },
      { ...factorWork(p, calls), ...own },
      ...(average ? [substitutionWork(p, engine)] : []),
    ];
  });
  const [first] = engines;
  const calls = first && estimateCalls(engine, net, first.rows, { curvature: first.curvature });
  const trials = calls && evaluations > 0 ? [scaled(forwardWork(net, first.rows, calls), evaluations)] : [];
  return [...formed, ...trials];
}

function fanIn(net: Architecture): number {
  return weightCount(net) / net.layers.reduce((sum, { outputSize }) => sum + outputSize, 0);
}

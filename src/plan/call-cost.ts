// Estimates the flops of one call of the native engine, from sizes alone. `workload.ts` predicts by them which calls run synchronously on
// the calling thread and which run on another thread. The formulas are those of native/core/cost.cc, by which the engine itself decides.
import type { Architecture } from "../network/architecture.js";
import type { Route } from "./route.js";

/** Estimated flops up to which a call runs synchronously on the calling thread: kSynchronousFlops of native/core/cost.h. */
export const SYNCHRONOUS_FLOPS = 6e5;

/** Predictions, or the loss, of n samples. */
export function forwardCost({ layers, parameterCount }: Architecture, n: number): number {
  const units = layers.reduce((sum, { outputSize }) => sum + outputSize, 0);
  return n * (2 * parameterCount + 16 * units) + 500 * layers.length;
}

/** Forward and backward passes of n samples, and one product with J or its transpose. */
export function passesCost(net: Architecture, n: number): number {
  return forwardCost(net, n) * (1 + 2 * net.outputSize);
}

export function linearizeCost(net: Architecture, n: number, route: Route): number {
  const { layers, parameterCount: p, outputSize: c } = net;
  const rows = n * c;
  const passes = passesCost(net, n);
  if (route === "primal") return passes + 0.5 * rows * p ** 2;
  if (route === "orthogonal") return passes + 4 * (rows + p) * p ** 2;
  if (route === "matrix-free") return passes;
  return passes + rows ** 2 * layers.reduce((sum, { inputSize, outputSize }) => sum + inputSize + outputSize, 0);
}

/** One factorization of a curvature of this order, and the solves with it. */
export function solveCost(net: Architecture, n: number, route: Route, order: number): number {
  if (route === "matrix-free") return passesCost(net, n);
  if (route === "orthogonal") return 40 * order ** 3;
  return order ** 3 / 3 + 20 * order ** 2 + (route === "dual" ? 2 * passesCost(net, n) : 0);
}

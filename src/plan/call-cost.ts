// What the native engine estimates a call at before it begins, to decide whether it is done where it stands: native/core/cost.cc, in
// TypeScript, so that a plan knows which calls take a hop to another thread and run on several.
import type { Architecture } from "../network/architecture.js";
import type { Route } from "./route.js";

/** Estimated flops up to which a call is done where it stands: kSynchronousFlops of native/core/cost.h. */
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

/** A factorization of the curvature, of this order, and solves with it. */
export function solveCost(net: Architecture, n: number, route: Route, order: number): number {
  if (route === "matrix-free") return passesCost(net, n);
  if (route === "orthogonal") return 40 * order ** 3;
  return order ** 3 / 3 + 20 * order ** 2 + (route === "dual" ? 2 * passesCost(net, n) : 0);
}

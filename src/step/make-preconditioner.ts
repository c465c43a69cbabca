// Makes the preconditioner of the matrix-free route in the units of D. `matrix-free.ts` calls it once a linearization; its method `at`
// adapts the preconditioner to each damping.
//
//   diagonal    diag(A) + mu
//   kronecker   one Kronecker product a layer        kronecker.ts
//   nystrom     low rank from a random sketch        nystrom.ts

import type { MatrixFreeSettings, Point, Problem } from "../linearize/problem.js";
import { kronecker } from "./kronecker.js";
import { nystrom } from "./nystrom.js";
import type { Preconditioner } from "./preconditioner.js";

/** @param root D^(-1/2), or null for D = I */
export async function makePreconditioner(
  problem: Problem,
  settings: MatrixFreeSettings,
  point: Point,
  root: Float64Array | null,
  signal: AbortSignal | undefined,
): Promise<Preconditioner> {
  switch (settings.preconditioner) {
    case "none":
      return { at: async () => (r) => r.slice() };
    case "diagonal":
      return diagonal(problem, point, root);
    case "kronecker":
      return kronecker(problem, root, signal);
    case "nystrom":
      return nystrom(problem, settings.rank, root, signal);
    default:
      settings.preconditioner satisfies never;
      throw new Error("unreachable");
  }
}

function diagonal({ decay }: Problem, point: Point, root: Float64Array | null): Preconditioner {
  const squares = point.diagonal as Float64Array;
  const entries = squares.map((value, j) => (value + decay) * (root === null ? 1 : root[j] ** 2));
  return {
    at: async (damping) => {
      // A zero column of J has no curvature to divide by.
      const inverse = entries.map((value) => (value + damping > 0 ? 1 / (value + damping) : 1));
      return (r) => r.map((value, j) => value * inverse[j]);
    },
  };
}

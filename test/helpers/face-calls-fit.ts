// Right arguments for the functions of src/fit and what belongs to them: a part of face-calls.ts.
import { curveFit, squaredError } from "../../src/index.js";

const fitOptions = () => ({
  stop: { iterations: 20 },
  onRecord: () => {},
  signal: AbortSignal.timeout(300),
  starts: 2,
  seed: 1,
  level: 0.9,
});

const fitted = await curveFit("a*x", [1, 2, 3], [2, 4.1, 5.9], { start: { a: 1 } });

/** By the name of the export. */
export const FIT_CALLS: Readonly<Record<string, { readonly args: () => unknown[] }>> = {
  leastSquares: {
    args: () => [
      {
        count: 3,
        residuals: (b: Float64Array, out: Float64Array) => out.set([b[0]! - 1, b[1]! - 2, b[0]! + b[1]! - 4]),
        jacobian: (_: Float64Array, out: Float64Array) => out.set([1, 0, 0, 1, 1, 1]),
        start: [1, 1],
        bounds: [[0, null], null],
        fixed: [1],
        scale: [1, 1],
        loss: squaredError(),
        weights: [1, 1, 2],
        linear: [0],
      },
      fitOptions(),
    ],
  },
  curveFit: {
    args: () => [
      "a*exp(-k*x)",
      [0, 1, 2, 3],
      [4, 2.1, 0.9, 0.6],
      { start: { a: 3, k: 1 }, bounds: { k: [0, 5] }, fixed: [], sigma: 0.1, variables: ["x"], ...fitOptions() },
    ],
  },
  fitSummary: { args: () => [fitted] },
  checkDerivatives: {
    args: () => [
      {
        count: 2,
        residuals: (b: Float64Array, out: Float64Array) => out.set([2 * b[0]!, b[0]! ** 2]),
        jacobian: (b: Float64Array, out: Float64Array) => out.set([2, 2 * b[0]!]),
      },
      [3],
      { names: ["slope"], scale: [1], tolerance: 1e-6 },
    ],
  },
};

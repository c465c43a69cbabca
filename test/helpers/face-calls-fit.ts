// Right arguments for the functions of src/fit and what belongs to them: a part of face-calls.ts.

/** By the name of the export. */
export const FIT_CALLS: Readonly<Record<string, { readonly args: () => unknown[] }>> = {
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

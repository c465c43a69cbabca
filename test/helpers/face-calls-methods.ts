// Right arguments for the functions that make training methods: a part of face-calls.ts.
const rates = () => ({ rate: 0.1, schedule: "step", rateFactor: 0.5, rateEpochs: 2 });

/** By the name of the export. */
export const METHOD_CALLS: Readonly<Record<string, { readonly args: () => unknown[] }>> = {
  adam: {
    args: () => [{ batch: 4, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, decoupledDecay: 0, ...rates() }],
  },
  exactGaussNewton: {
    args: () => [
      { curvature: "exact", batch: 4, damping: 0.1, momentum: 0, adaptation: "bounded", lineSearch: true, ...rates() },
    ],
  },
  minmaxGaussNewton: {
    args: () => [{ step: "published", damping: 0.5, normalize: true, guard: true, ...rates() }],
  },
  cumulativeGaussNewton: {
    args: () => [
      {
        form: "moving-average",
        keep: 0.9,
        damping: 0.1,
        batch: 4,
        curvatureRows: 2,
        factorEvery: 2,
        warmUp: 1,
        largestRise: 0.05,
        ...rates(),
      },
    ],
  },
  ggnScore: {
    args: () => [
      {
        tau: 1e-3,
        mu: 1e-2,
        regularizer: "log-exp-box",
        lower: -1,
        upper: 1,
        step: "majorizing",
        continuation: 10,
        firstMu: 1,
        batch: 4,
        proximal: true,
        damping: 1e-4,
        system: "rows",
        threshold: 1e-3,
      },
    ],
  },
  gradientDescent: { args: () => [{ batch: "all", momentum: 0.5, nesterov: true, ...rates() }] },
  lbfgs: { args: () => [{ memory: 3 }] },
  bayesianRegularization: { args: () => [{ firstDecay: 0.1, every: 3, scaling: "identity" }] },
  gaussNewton: { args: () => [{ lineSearch: true, step: 1 }] },
  levenbergMarquardt: {
    args: () => [
      {
        scaling: "root",
        damping: "nielsen",
        initialDamping: 1,
        acceleration: true,
        precision: "auto",
        curvatureSamples: "auto",
        residualCurvature: "auto",
      },
    ],
  },
};

// Right arguments for estimates of uncertainty: a part of face-calls.ts.
import * as face from "../../src/index.js";

const inputs = Array.from({ length: 12 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const targets = inputs.map(([a = 0, b = 0], i) => a * b + 0.1 * Math.sin(7 * i));
const data = face.dataset({ inputs, targets });
const own = { backend: "typescript", threads: 1, signal: AbortSignal.timeout(1000) };
const loss = face.squaredError({ decay: 0.1 });
const { network } = await face.estimateUncertainty(face.network({ layers: [2, 2, 1], seed: 1 }), data, {
  backend: "typescript",
  loss,
});
const validated = await face.crossValidate(
  { network, data, options: { backend: "typescript", validation: false, stop: { iterations: 2 } } },
  { folds: 2, threads: 1 },
);

/** By the name of the export. */
export const UNCERTAINTY_CALLS: Readonly<
  Record<string, { readonly args: () => unknown[]; readonly of?: () => unknown }>
> = {
  estimateUncertainty: { args: () => [network, data, { loss, ...own }] },
  uncertaintyOf: { args: () => [network] },
  conformal: { args: () => [network, data, { ...own }] },
  learningCurve: {
    args: () => [
      { network, data },
      { sizes: [3, 4, 6], folds: 2, seed: 1, concurrency: 1, threads: 1, signal: own.signal },
    ],
  },
  crossConformal: { args: () => [validated, { ...own }] },
  "Network.withPosterior": { args: () => [{ ...network.posterior }], of: () => network },
};

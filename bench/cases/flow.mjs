// Times two cases of flows: the orthogonal linearization against a bare `dgeqrf` of the Jacobian that the engine never stores, and one
// Dormand-Prince step of the Gauss-Newton flow on the native engine against the TypeScript engine. bench/run.mjs runs them by name (`npm
// run bench`), and bench/compare.mjs runs them without the baseline.
import { dataset, dormandPrince, flow } from "../../dist/index.js";
import { interleave, timed } from "../lib/interleave.mjs";
import { engineFor, mustSucceed, problem } from "../lib/problem.mjs";

const layers = [8, 32, 32, 1];
const sampleCount = 5000;

const orthogonalCase = {
  name: "orthogonal-8-32-32-1",
  async run({ baseline, threads, runsAtLeast }) {
    const made = problem(layers, sampleCount);
    const p = made.architecture.parameterCount;
    const engine = await engineFor("native", made, threads);
    const request = { curvature: "orthogonal", decay: 0, scaling: null };
    const result = await interleave({
      ours: () => timed(() => engine.linearize(made.parameters, request), mustSucceed),
      baseline: async () => (await baseline.ask(`dgeqrf ${sampleCount} ${p} ${threads}`)).seconds,
      runs: runsAtLeast,
    });
    await baseline.ask("free");
    engine.dispose();
    return {
      ...result,
      baselineName: `OpenBLAS dgeqrf, ${threads} threads`,
      flops: 2 * sampleCount * p ** 2 - (2 * p ** 3) / 3,
      notes: [
        "ours = passes + QR of blocks of samples, no Jacobian stored; the baseline factors a Jacobian that is there",
      ],
    };
  },
};

const flowCase = {
  name: "flow-8-32-32-1",
  needsBaseline: false,
  async run({ threads, runsAtLeast, quick }) {
    // Centered and lazy, so that the undamped flow of a badly conditioned network takes its step: the orthogonal route.
    const made = problem(layers, quick ? 500 : sampleCount, { centered: true, outputScale: 1e4 });
    const data = dataset({ inputs: made.data.inputs, targets: made.data.targets, inputSize: 8, outputSize: 1 });
    const seen = {};
    const step = (backend) =>
      timed(
        () =>
          flow(made.network, data, {
            damping: 0,
            until: 0.05,
            integrator: dormandPrince({ step: 0.05 }),
            backend,
            threads,
          }),
        (result) => {
          seen[backend] = result;
        },
      );
    // A step of the reference engine takes minutes: three of them say enough.
    const result = await interleave({
      ours: () => step("native"),
      baseline: () => step("typescript"),
      runs: Math.min(3, runsAtLeast),
    });
    const { statistics, switched, records } = seen.native;
    const apart = Math.abs(records.at(-1).objective / seen.typescript.records.at(-1).objective - 1);
    return {
      ...result,
      baselineName: "the same flow() on the reference engine",
      notes: [
        `${(result.baseline / result.ours).toFixed(1)}x faster; ${statistics.evaluations} right-hand sides, ${switched ? "orthogonal" : "primal"} route, objectives apart by ${apart.toExponential(1)}`,
      ],
    };
  },
};

export const flowCases = [orthogonalCase, flowCase];

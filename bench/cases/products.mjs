// Cases that time J v and J^T u for blocks of vectors against as many flops at the rate of a bare `dgemm`. Each of the two counts as 4 n p
// flops a vector (one multiply-add a parameter for the tangent of the weights and one for the tangent that the layer propagates; the same
// backward), and the passes count as none. bench/run.mjs runs the cases by name (`npm run bench`), and bench/compare.mjs runs them without
// the baseline.
import { interleave, timed } from "../lib/interleave.mjs";
import { engineFor, problem, uniform } from "../lib/problem.mjs";

/** Order of the square product whose rate is the bar: large enough to be at its best. */
const ORDER = 2048;

function productsCase({ name, layers, sampleCount, vectors, runs }) {
  return {
    name,
    async run({ baseline, threads, runsAtLeast }) {
      const made = problem(layers, sampleCount);
      const engine = await engineFor("native", made, threads);
      const p = made.architecture.parameterCount;
      const rows = sampleCount * layers.at(-1);
      const v = uniform(vectors * p, 3);
      const u = uniform(vectors * rows, 4);
      const flops = 2 * 4 * sampleCount * p * vectors;
      const share = flops / (2 * ORDER ** 3);
      const measured = await interleave({
        ours: () =>
          timed(async () => {
            await engine.jacobianProduct(made.parameters, v);
            await engine.transposeProduct(made.parameters, u);
          }),
        baseline: async () => share * (await baseline.ask(`dgemm ${ORDER} ${ORDER} ${ORDER} ${threads}`)).seconds,
        runs: Math.max(runs, runsAtLeast),
      });
      engine.dispose();
      return {
        ...measured,
        flops,
        baselineName: `as many flops at the rate of dgemm of order ${ORDER}, ${threads} threads`,
        dgemmShare: measured.baseline / measured.ours,
        notes: [`${((100 * measured.baseline) / measured.ours).toFixed(0)}% of the dgemm rate`],
      };
    },
  };
}

export const cases = [
  productsCase({
    name: "products-64-512-512-8",
    layers: [64, 512, 512, 8],
    sampleCount: 4096,
    vectors: 16,
    runs: 7,
  }),
];

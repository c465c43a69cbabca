// J v and J^T u for blocks of vectors against the rate of a bare dgemm: how much of what the processor's matrix product can do
// is left once passes, tangents and sums over samples are done. Flops are counted as 4 n p a vector for each of the two (one
// multiply-add a parameter for the tangent's own weights and one for those it is carried through; the same backward), passes
// included for nothing.
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

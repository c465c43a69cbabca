// Cases that time J v and J^T u for blocks of vectors against as many flops at the rate of a bare `dgemm`. Each of the two counts as 4 n p
// flops a vector (one multiply-add a parameter for the tangent of the weights and one for the tangent that the layer propagates; the same
// backward), and the passes count as none. Further cases time products with the exact Hessian against products with G at the same point.
// bench/run.mjs runs the cases by name (`npm run bench`), and bench/compare.mjs runs them without the baseline.
import { softmaxCrossEntropy, squaredError } from "../../dist/index.js";
import { interleave, timed } from "../lib/interleave.mjs";
import { engineFor, mustSucceed, problem, uniform } from "../lib/problem.mjs";

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

/** `products` products with the Hessian, one vector at a time as conjugate gradients ask for them, against as many with G at the same point. */
function hessianCase({ name, layers, sampleCount, loss, products, runs }) {
  return {
    name,
    needsBaseline: false,
    async run({ threads, runsAtLeast }) {
      const made = problem(layers, sampleCount);
      const c = layers.at(-1);
      // One class a sample, in turn: targets that every loss takes.
      made.data.targets.forEach((_, k, targets) => {
        targets[k] = Math.floor(k / c) % c === k % c ? 1 : 0;
      });
      const engine = await engineFor("native", { ...made, data: { ...made.data, loss } }, threads);
      const v = uniform(made.architecture.parameterCount, 3);
      mustSucceed(await engine.linearize(made.parameters, { curvature: "matrix-free", decay: 0, scaling: null }));
      const repeated = (product) => () =>
        timed(async () => {
          for (let k = 0; k < products; k++) await product();
        });
      const measured = await interleave({
        ours: repeated(() => engine.hessianProduct(v)),
        baseline: repeated(() => engine.curvatureProduct(v)),
        runs: Math.max(runs, runsAtLeast),
      });
      engine.dispose();
      return { ...measured, baselineName: `${products} products with G at the same point, ${threads} threads` };
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
  hessianCase({
    name: "hessian-64-16-10-softmax",
    layers: [64, 16, 10],
    sampleCount: 1797,
    loss: softmaxCrossEntropy(),
    products: 50,
    runs: 15,
  }),
  hessianCase({
    name: "hessian-64-512-512-8",
    layers: [64, 512, 512, 8],
    sampleCount: 4096,
    loss: squaredError(),
    products: 4,
    runs: 7,
  }),
];

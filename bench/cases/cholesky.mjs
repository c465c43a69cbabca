// Cases that time engine.solve against a bare `dpotrf` of the same size. A solve copies the Gram matrix, adds the damping, factors the
// copy, solves two triangular systems and makes one refinement step; the time includes all of it, because the engine does not expose the
// factorization alone. bench/run.mjs runs the cases by name (`npm run bench`), and bench/compare.mjs runs them without the baseline.
import { interleave, timed } from "../lib/interleave.mjs";
import { engineFor, mustSucceed, problem } from "../lib/problem.mjs";

function choleskyCase({ name, layers, sampleCount, options, runs }) {
  return {
    name,
    async run({ baseline, threads, runsAtLeast }) {
      const made = problem(layers, sampleCount, options);
      const size = made.architecture.parameterCount;
      const engine = await engineFor("native", made, threads);
      mustSucceed(await engine.linearize(made.parameters, { curvature: "primal", decay: 0, scaling: null }));
      const request = { damping: 1, decay: 0, scaling: null };
      const result = await interleave({
        ours: () => timed(() => engine.solve(request), mustSucceed),
        baseline: async () => (await baseline.ask(`dpotrf ${size} ${threads}`)).seconds,
        runs: Math.max(runs ?? 0, runsAtLeast),
      });
      await baseline.ask("free");
      engine.dispose();
      return {
        ...result,
        baselineName: `OpenBLAS dpotrf, ${threads} threads`,
        flops: size ** 3 / 3,
        notes: ["ours = damped copy + factor + triangular solves + refinement; the baseline factors only"],
      };
    },
  };
}

export const choleskyCases = [
  choleskyCase({ name: "cholesky-1377", layers: [8, 32, 32, 1], sampleCount: 1400, runs: 15 }),
  // 8*300 + 300 + 300 = 3000 parameters: no bias at the output
  choleskyCase({ name: "cholesky-3000", layers: [8, 300, 1], sampleCount: 3000, options: { bias: [true, false] } }),
];

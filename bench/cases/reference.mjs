// Cases that time the native engine against the TypeScript engine: one Levenberg-Marquardt iteration (linearize, solve, evaluate the trial
// point), and a whole small training by the public `train`. bench/run.mjs runs them by name (`npm run bench`), and bench/compare.mjs runs
// them with the native engine alone.
import { dataset, train } from "../../dist/index.js";
import { interleave, timed } from "../lib/interleave.mjs";
import { engineFor, mustSucceed, problem } from "../lib/problem.mjs";
import { median } from "../lib/statistics.mjs";

const iterationCase = {
  name: "native-vs-reference-8-32-32-1",
  async run({ threads, runsAtLeast }) {
    const made = problem([8, 32, 32, 1], 5000);
    const p = made.architecture.parameterCount;
    const flops = made.data.sampleCount * p * (p + 1);
    const gramSeconds = { native: [], reference: [] };
    const engines = {
      native: await engineFor("native", made, threads),
      reference: await engineFor("reference", made, 1),
    };
    const iteration = async (kind) => {
      const engine = engines[kind];
      const linearized = await engine.linearize(made.parameters, { curvature: "primal", decay: 0, scaling: null });
      mustSucceed(linearized);
      gramSeconds[kind].push(linearized.seconds.curvature);
      const solved = await engine.solve({ damping: 1, decay: 0, scaling: null });
      mustSucceed(solved);
      const trial = made.parameters.map((value, index) => value + solved.step[index]);
      mustSucceed(await engine.evaluate(trial));
    };
    const result = await interleave({
      ours: () => timed(() => iteration("native")),
      baseline: () => timed(() => iteration("reference")),
      runs: runsAtLeast,
    });
    for (const engine of Object.values(engines)) engine.dispose();
    const rate = (kind) => flops / median(gramSeconds[kind]) / 1e9;
    return {
      ...result,
      baselineName: "reference engine (TypeScript, 1 thread)",
      flops,
      notes: [
        `native is ${(result.baseline / result.ours).toFixed(1)}x faster`,
        `Gram alone: reference ${rate("reference").toFixed(2)} GF/s, native ${rate("native").toFixed(1)} GF/s (n p (p+1) flops)`,
      ],
      referenceGramGflops: rate("reference"),
    };
  },
};

const trainingCase = {
  name: "native-vs-reference-training",
  async run({ threads, runsAtLeast }) {
    const layers = [8, 16, 16, 1];
    const made = problem(layers, 1000);
    const data = dataset({ inputs: made.data.inputs, targets: made.data.targets, inputSize: 8, outputSize: 1 });
    const losses = {};
    const iterations = {};
    const whole = (backend) =>
      timed(
        () => train(made.network, data, { backend, threads, validation: false, stop: { iterations: 20 }, seed: 1 }),
        (result) => {
          losses[backend] = result.records.at(-1).loss;
          iterations[backend] = result.iterations;
        },
      );
    const result = await interleave({
      ours: () => whole("native"),
      baseline: () => whole("typescript"),
      runs: runsAtLeast,
    });
    return {
      ...result,
      baselineName: "the same train() on the reference engine",
      notes: [
        `train(), 8-16-16-1, n = 1000, at most 20 iterations; ${(result.baseline / result.ours).toFixed(1)}x faster`,
        `native ${iterations.native} iterations to MSE ${losses.native.toExponential(3)}, ` +
          `reference ${iterations.typescript} to ${losses.typescript.toExponential(3)}`,
      ],
    };
  },
};

export const referenceCases = [iterationCase, trainingCase];

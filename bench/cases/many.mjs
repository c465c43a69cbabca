// Times the case train-many: 64 restarts of a small problem by trainMany on the given threads, against the same 64 trainings one after the
// other on one thread. bench/run.mjs runs it by name (`npm run bench`), and bench/compare.mjs runs it without the baseline.
import { dataset, restarts, train, trainMany } from "../../dist/index.js";
import { interleave, timed } from "../lib/interleave.mjs";
import { problem } from "../lib/problem.mjs";

const layers = [6, 16, 1];
const sampleCount = 300;
const count = 64;

const manyCase = {
  name: "train-many",
  needsBaseline: false,
  async run({ threads, runsAtLeast }) {
    const { network, data } = problem(layers, sampleCount);
    const table = dataset({ inputs: data.inputs, targets: data.targets, inputSize: 6 });
    // Default options: all stop rules, a validation part, patience.
    const jobs = restarts({ network, data: table }, count);
    const seen = { ours: [], baseline: [] };
    const result = await interleave({
      ours: () =>
        timed(
          () => trainMany(jobs, { threads }),
          ({ results }) => {
            for (const { error } of results) if (error !== null) throw error;
            seen.ours = results.map((entry) => entry.result);
          },
        ),
      baseline: () =>
        timed(async () => {
          seen.baseline = [];
          for (const job of jobs)
            seen.baseline.push(await train(job.network, job.data, { ...job.options, threads: 1 }));
        }),
      runs: runsAtLeast,
    });
    const iterations = seen.baseline.reduce((sum, one) => sum + one.iterations, 0);
    const same = seen.ours.every(({ network: { parameters } }, k) =>
      parameters.every((value, j) => Object.is(value, seen.baseline[k].network.parameters[j])),
    );
    return {
      ...result,
      throughput: result.baseline / result.ours,
      baselineName: `train() ${count} times, one after the other, one thread`,
      notes: [
        `${(result.baseline / result.ours).toFixed(2)}x the throughput; ${iterations} iterations in all, ${((1e6 * result.baseline) / iterations).toFixed(0)} us each on one thread; networks ${same ? "equal bit for bit" : "DIFFER"}`,
      ],
    };
  },
};

export const manyCases = [manyCase];

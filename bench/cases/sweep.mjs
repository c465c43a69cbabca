// The case native-vs-reference-sweep: times single calls and a whole `train` on the native and on the TypeScript engine, from the smallest
// problem up. The native engine makes small calls on the calling thread (native/core/cost.h), so that it is not slower at any size; the
// case also reports the longest such call. bench/run.mjs (`npm run bench`) and bench/compare.mjs run it by name.
import { dataset, train } from "../../dist/index.js";
import { engineFor, problem } from "../lib/problem.mjs";
import { median, scatter } from "../lib/statistics.mjs";

const sizes = [
  [[2, 3, 1], 20],
  [[2, 3, 1], 100],
  [[2, 3, 1], 1000],
  [[4, 8, 1], 50],
  [[4, 8, 1], 200],
  [[4, 8, 1], 500],
  [[3, 5, 2], 100],
  [[6, 16, 1], 60],
  [[6, 16, 1], 300],
  [[8, 16, 16, 1], 300],
  [[4, 64, 1], 30],
];
/** Least milliseconds of one sample, whose median call counts: another process that cuts in hits few of many short calls. */
const SAMPLE = 4;
/** The same for trainings: each is some milliseconds. */
const TRAINING_SAMPLE = 30;

const primal = { curvature: "primal", decay: 0, scaling: null };
const dual = { curvature: "dual", decay: 0, scaling: null };
const damped = { damping: 1, decay: 0, scaling: null };
const calls = {
  forward: (engine, made) => engine.forward(made.parameters),
  evaluate: (engine, made) => engine.evaluate(made.parameters),
  "linearize primal": (engine, made) => engine.linearize(made.parameters, primal),
  "linearize dual": (engine, made) => engine.linearize(made.parameters, dual),
  solve: (engine) => engine.solve(damped),
  "J v": (engine, made) => engine.jacobianProduct(made.parameters, made.parameters),
  "J^T u": (engine, made) => engine.transposeProduct(made.parameters, made.data.targets),
};

/** Milliseconds until the answer of a call, and until the call returned its promise: so long it held the event loop. */
async function sample(engine, made, call) {
  if (call === calls.solve) await engine.linearize(made.parameters, primal);
  const [each, held] = [[], []];
  const start = performance.now();
  do {
    const before = performance.now();
    const running = call(engine, made);
    held.push(performance.now() - before);
    await running;
    each.push(performance.now() - before);
  } while (performance.now() - start < SAMPLE);
  return { each: median(each), held: median(held) };
}

async function wholeTraining(made, layers, backend, threads) {
  const data = dataset({
    inputs: made.data.inputs,
    targets: made.data.targets,
    inputSize: layers[0],
    outputSize: layers.at(-1),
  });
  const options = { backend, threads, validation: false, stop: { iterations: 30 }, seed: 1 };
  const each = [];
  const start = performance.now();
  do {
    const before = performance.now();
    const { iterations } = await train(made.network, data, options);
    each.push((performance.now() - before) / iterations);
  } while (performance.now() - start < TRAINING_SAMPLE);
  return median(each);
}

/** Medians of alternating runs, in milliseconds. */
async function alternate(runs, native, reference) {
  const times = { native: [], reference: [] };
  for (let run = -1; run < runs; run++) {
    for (const kind of run % 2 === 0 ? ["native", "reference"] : ["reference", "native"]) {
      const value = await (kind === "native" ? native() : reference());
      if (run >= 0) times[kind].push(value);
    }
  }
  const [ours, baseline] = [median(times.native), median(times.reference)];
  return { ours, baseline, ratio: ours / baseline, scatter: Math.max(scatter(times.native), scatter(times.reference)) };
}

export const sweepCases = [
  {
    name: "native-vs-reference-sweep",
    needsBaseline: false,
    async run({ threads, runsAtLeast }) {
      const notes = [];
      const ratios = {};
      let worst = null;
      let longest = { held: 0 };
      for (const [layers, sampleCount] of sizes) {
        const made = problem(layers, sampleCount);
        const size = `${layers.join("-")}, n = ${sampleCount}`;
        const engines = {
          native: await engineFor("native", made, threads),
          reference: await engineFor("reference", made, 1),
        };
        const row = { train: null };
        for (const [name, call] of Object.entries(calls)) {
          const holds = [];
          const one = async (kind) => {
            const { each, held } = await sample(engines[kind], made, call);
            if (kind === "native") holds.push(held);
            return each;
          };
          row[name] = await alternate(
            runsAtLeast,
            () => one("native"),
            () => one("reference"),
          );
          if (median(holds) > longest.held) longest = { held: median(holds), what: `${name} at ${size}` };
        }
        row.train = await alternate(
          runsAtLeast,
          () => wholeTraining(made, layers, "native", threads),
          () => wholeTraining(made, layers, "typescript", threads),
        );
        for (const engine of Object.values(engines)) engine.dispose();
        ratios[size] = Object.fromEntries(Object.entries(row).map(([name, { ratio }]) => [name, ratio]));
        for (const [name, result] of Object.entries(row))
          if (worst === null || result.ratio > worst.ratio) worst = { ...result, what: `${name} at ${size}` };
        notes.push(
          `${size}: ${Object.entries(row)
            .map(([name, { ratio }]) => `${name} ${ratio.toFixed(2)}`)
            .join(", ")}`,
        );
      }
      return {
        ours: worst.ours / 1000,
        baseline: worst.baseline / 1000,
        scatter: worst.scatter,
        runs: runsAtLeast,
        baselineName: `the reference engine; the row shows the worst of the sweep, ${worst.what}`,
        notes: [
          ...notes,
          `longest hold of the event loop by a native call: ${longest.held.toFixed(3)} ms (median), ${longest.what}`,
        ],
        ratios,
        longestHoldMilliseconds: longest.held,
      };
    },
  },
];

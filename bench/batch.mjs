// Measures steps a second on batches of random data: the native engine's gradient, exact Gauss-Newton (dual route) and sampled curvature
// against Adam of PyTorch on batches of the same sizes, with as many threads. A developer runs it by hand after `npm run build`; it needs
// Debian's python3-torch.
//   node bench/batch.mjs [--runs 21] [--only TEXT]
//
// A step of ours is `load` of the next batch, `linearize`, `solve` and the new parameters, in double precision; one of PyTorch's is in float32, its
// own default. Both run in turn, each for about a tenth of a second, and the medians are compared; beside other work the shortest runs tell more.
import { fileURLToPath } from "node:url";
import { createEngine, network, Random, softmaxCrossEntropy, squaredError } from "../dist/index.js";
import { untunedEnvironment } from "./lib/baseline.mjs";
import { interleave } from "./lib/interleave.mjs";
import { LineProcess } from "./lib/line-process.mjs";
import { machineLine } from "./lib/machine.mjs";
import { defaultThreads, parseOptions, positive } from "./lib/options.mjs";
import { mustSucceed } from "./lib/problem.mjs";

const SMALL = [8, 32, 32, 1];
const CLASSES = [784, 128, 64, 10];
const CASES = [
  { name: "gradient", layers: SMALL, batch: 256 },
  { name: "exact", layers: SMALL, batch: 256 },
  { name: "sampled", layers: SMALL, batch: 256 },
  { name: "gradient", layers: CLASSES, batch: 128 },
  { name: "sampled", layers: CLASSES, batch: 128 },
];
const BATCHES = 16;
const SECONDS = 0.1;

const options = parseOptions("usage: node bench/batch.mjs [--runs N] [--only TEXT]", {
  runs: { type: "string" },
  only: { type: "string" },
});
const runs = positive(options.runs, "runs", 21);
const threads = defaultThreads();

function batchesOf(layers, batch) {
  const random = new Random(1, 9);
  const [d, c] = [layers[0], layers.at(-1)];
  return Array.from({ length: BATCHES }, () => {
    const inputs = Float64Array.from({ length: batch * d }, () => random.normal());
    const targets = new Float64Array(batch * c);
    for (let i = 0; i < batch; i++) {
      if (c === 1) targets[i] = random.normal();
      else targets[i * c + Math.floor(random.uniform() * c)] = 1;
    }
    const signs = Float64Array.from({ length: batch * c }, () => (random.uniform() < 0.5 ? -1 : 1));
    return { rows: { inputs, targets }, signs };
  });
}

/** Runs so many steps of one kind; the parameters hardly move, so that every step costs the same. */
function stepper({ name, layers, batch }) {
  const { architecture, parameters } = network({ layers, seed: 1 });
  const batches = batchesOf(layers, batch);
  const loss = layers.at(-1) > 1 ? softmaxCrossEntropy() : squaredError();
  const engine = createEngine(
    architecture,
    { sampleCount: batch, ...batches[0].rows, loss },
    { backend: "native", threads },
  );
  const w = parameters.slice();
  const [gradient, step] = [new Float64Array(w.length), new Float64Array(w.length)];
  const curvature = { gradient: "none", exact: "dual", sampled: "sampled" }[name];
  const rate = 1e-6;
  const one = async ({ rows, signs }) => {
    engine.load(rows);
    const sampled = curvature === "sampled" ? { signs } : undefined;
    mustSucceed(
      await engine.linearize(w, { curvature, decay: 0.01, scaling: null, gradient, sampled, exactMeasureBelow: 0 }),
    );
    if (curvature !== "none") mustSucceed(await engine.solve({ damping: 3, decay: 0.01, scaling: null, step }));
    const direction = curvature === "none" ? gradient : step;
    for (let j = 0; j < w.length; j++) w[j] += rate * direction[j];
  };
  return {
    dispose: () => engine.dispose(),
    seconds: async (count) => {
      const start = performance.now();
      for (let k = 0; k < count; k++) await one(batches[k % BATCHES]);
      return (performance.now() - start) / 1000;
    },
  };
}

/** Steps that take about SECONDS. */
async function stepsFor(seconds) {
  await seconds(20);
  return Math.max(20, Math.round((SECONDS * 50) / (await seconds(50))));
}

const program = fileURLToPath(new URL("peers/programs/torch_batch.py", import.meta.url));
const env = untunedEnvironment({ OPENBLAS_NUM_THREADS: String(threads), OMP_NUM_THREADS: String(threads) });
const torch = new LineProcess("/usr/bin/python3", [program, `threads=${threads}`], { name: "PyTorch", env });
console.log(machineLine(threads, null));
console.log(
  "case      network        batch   ours, ms   steps/s   Adam, ms   steps/s   ratio   scatter   of the shortest",
);
for (const made of CASES) {
  const named = made.layers.join("-");
  if (options.only && !`${made.name} ${named}`.includes(options.only)) continue;
  const ours = stepper(made);
  const adam = async (count) => (await torch.ask(`${named} ${made.batch} ${count}`)).seconds;
  const count = { ours: await stepsFor(ours.seconds), adam: await stepsFor(adam) };
  const shortest = { ours: Infinity, adam: Infinity };
  const noting = (name, one) => {
    shortest[name] = Math.min(shortest[name], one);
    return one;
  };
  const result = await interleave({
    ours: async () => noting("ours", (await ours.seconds(count.ours)) / count.ours),
    baseline: async () => noting("adam", (await adam(count.adam)) / count.adam),
    runs,
  });
  ours.dispose();
  const cells = [
    made.name.padEnd(9),
    named.padEnd(14),
    String(made.batch).padStart(5),
    ...[result.ours, result.baseline].flatMap((one) => [
      (1000 * one).toFixed(3).padStart(9),
      (1 / one).toFixed(0).padStart(9),
    ]),
    (result.ours / result.baseline).toFixed(2).padStart(8),
    `${(100 * result.scatter).toFixed(0)}%`.padStart(9),
    (shortest.ours / shortest.adam).toFixed(2).padStart(17),
  ];
  console.log(cells.join(" "));
}
torch.close();

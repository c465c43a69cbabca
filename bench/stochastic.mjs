// Compares exact Gauss-Newton on batches with PyTorch's Adam at equal seconds, on three problems: handwritten digits, Fashion-MNIST and a
// noise-free robot arm. A developer runs it by hand after `npm run build`, on an idle machine; it installs Debian's python3-torch,
// python3-sklearn and dataset-fashion-mnist where it may. Adam runs at five rates, and the rate counts whose validation loss is least. Both
// sides let their rate fall along a half cosine over the seconds given. The exit code is 1 where something is missing or a goal is not met:
//
//   digits    64-64-32-10: test accuracy at least 0.97 from five starts, within 5 s
//   fashion   784-128-64-10, 60 s: sampled curvature at least 0.885 and at most one point below Adam, exact curvature at least 0.86, both
//             with a test log-loss below Adam's
//   arm       8-32-32-1, 40,000 rows: test error at most 0.9 of Adam's at 2, 5 and 10 s, and at most Adam's at 20 s, from three starts each
//   average   8-16-16-1, the same rows, cumulative Gauss-Newton: test error at most 0.7 of Adam's at 6 s, median of five starts
//
//   node bench/stochastic.mjs [--only NAMES] [--seeds N] [--seconds N] [--no-install] [--json]
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import * as gaussflow from "../dist/index.js";
import { untunedEnvironment } from "./lib/baseline.mjs";
import { readScikit, scikitFolder, splitClasses } from "./lib/class-sets.mjs";
import { LineProcess } from "./lib/line-process.mjs";
import { defaultThreads, parseOptions } from "./lib/options.mjs";
import { drawArm } from "./lib/robot-arm.mjs";
import { mean, median } from "./lib/statistics.mjs";
import { PYTHON, prepare } from "./peers/lib/install.mjs";
import { programs } from "./peers/lib/places.mjs";

const RATES = [3e-4, 1e-3, 3e-3, 1e-2, 3e-2];
/** Share of the seconds that ours plans its steps for: a training ends by its number of steps, where its rate is 0. */
const SHARE = 0.94;
/** Shortest trial that tells the speed of a training, in seconds; of a longer training it is this share. */
const TRIAL = 1;
const TRIAL_SHARE = 0.1;
/** Seconds of a training on the digits: one less than the goal. */
const DIGITS_SECONDS = 4;

const usage = "usage: node bench/stochastic.mjs [--only NAMES] [--seeds N] [--seconds N] [--no-install] [--json]";
const given = parseOptions(usage, {
  only: { type: "string" },
  seeds: { type: "string" },
  seconds: { type: "string" },
  "no-install": { type: "boolean" },
  json: { type: "boolean" },
});
const wanted = (name) => given.only === undefined || given.only.split(",").includes(name);
const seedsUpTo = (count) => Array.from({ length: Number(given.seeds ?? count) }, (_, k) => k + 1);
const failures = [];

function fail(text) {
  failures.push(text);
  if (!given.json) console.log(`  FAILED  ${text}`);
}

function show(row) {
  const cell = ([name, value]) =>
    `${name} ${typeof value === "number" ? Number(value.toPrecision(4)) : Array.isArray(value) ? value.map((one) => Number(one.toPrecision(4))).join(" ") : value}`;
  console.log(given.json ? JSON.stringify(row) : Object.entries(row).map(cell).join(" | "));
}

const folder = mkdtempSync(join(tmpdir(), "gaussflow-stochastic-"));

/** Rows [first, end) of a part, as arrays of both programs. */
const cut = ({ inputs, targets }, [d, c], first, end) => ({
  inputs: inputs.subarray(first * d, end * d),
  targets: targets.subarray(first * c, end * c),
  rows: end - first,
});

/** What PyTorch is told of a problem: its parts are in files. */
function told({ name, layers, activation, kind, parts }) {
  const write = (part, what, values) => {
    const path = join(folder, `${name}-${part}-${what}`);
    writeFileSync(path, values);
    return path;
  };
  const places = Object.entries(parts).map(([part, { inputs, targets, labels, rows }]) => [
    part,
    { inputs: write(part, "inputs", inputs), targets: write(part, "targets", labels ?? targets), rows },
  ]);
  return JSON.stringify({ op: "problem", layers, activation, kind, parts: Object.fromEntries(places) });
}

/** Mean square, or mean log-loss and accuracy, of a network on a part. */
async function judge({ kind, layers }, net, { inputs, targets, labels, rows }) {
  const predicted = await gaussflow.predictAsync(net, inputs);
  const c = layers.at(-1);
  if (kind === "squares") return { loss: mean(Array.from(targets, (value, k) => (predicted[k] - value) ** 2)) };
  let [hits, loss] = [0, 0];
  for (let row = 0; row < rows; row++) {
    const chances = predicted.subarray(row * c, (row + 1) * c);
    loss -= Math.log(Math.max(chances[labels[row]], Number.MIN_VALUE));
    if (chances.indexOf(Math.max(...chances)) === labels[row]) hits++;
  }
  return { loss: loss / rows, accuracy: hits / rows };
}

/** Steps of a training of so many seconds in all, by the pace of the second half of a trial. */
function stepsWithin(seconds, { result, seconds: taken }) {
  const { records } = result;
  const last = records.at(-1);
  const half = records.findLast(({ elapsed }) => elapsed <= last.elapsed / 2) ?? records[0];
  const pace = (last.elapsed - half.elapsed) / (last.iteration - half.iteration);
  // What comes before and after the steps, and the start, which is slower.
  const fixed = taken - pace * last.iteration;
  return Math.floor((seconds - fixed) / pace);
}

/** A training of ours that takes about so many seconds, data handed over and all. */
async function trainOurs(problem, method, seconds, seed) {
  const { layers, activation, kind, parts } = problem;
  const net = gaussflow.network({ layers, activation, seed });
  const { inputs, targets } = parts.fit;
  const data = gaussflow.dataset({ inputs, targets, inputSize: layers[0], outputSize: layers.at(-1) });
  const options = {
    method,
    seed,
    validation: false,
    standardize: false,
    ...(kind === "softmax" ? { loss: gaussflow.softmaxCrossEntropy({ decay: problem.decay ?? 0 }) } : {}),
  };
  const run = async (stop) => {
    const start = performance.now();
    const result = await gaussflow.train(net, data, { ...options, stop: { ...stop, patience: 1e9 } });
    return { result, seconds: (performance.now() - start) / 1000 };
  };
  // The first trial is slower than the training will be: its code is compiled meanwhile.
  await run({ iterations: 1e9, seconds: TRIAL });
  const trial = await run({ iterations: 1e9, seconds: Math.max(TRIAL, TRIAL_SHARE * seconds) });
  const iterations = Math.max(1, stepsWithin(SHARE * seconds, trial));
  const whole = await run({ iterations, seconds });
  return { ...whole, test: await judge(problem, whole.result.last, parts.test), steps: whole.result.iterations };
}

/** Adam at every rate; the one with the least validation loss counts. */
async function trainAdam(peer, { batch }, seconds, seed, threads) {
  const runs = [];
  for (const rate of RATES)
    runs.push({ rate, ...(await peer.ask(JSON.stringify({ op: "adam", rate, batch, seconds, seed, threads }))) });
  return runs.reduce((best, run) => (run.validation.loss < best.validation.loss ? run : best));
}

/** The number of threads with which PyTorch's steps are faster: small networks are slower on two. */
async function fastestThreads(peer, { batch }) {
  const times = [];
  for (let threads = 1; threads <= defaultThreads(); threads++)
    times.push((await peer.ask(JSON.stringify({ op: "steps", batch, count: 100, threads }))).seconds);
  return 1 + times.indexOf(Math.min(...times));
}

async function withPeer(problem, body) {
  const peer = new LineProcess(PYTHON, [`${programs}/batch_adam.py`], {
    name: "batch_adam.py",
    env: untunedEnvironment(),
  });
  try {
    await peer.ask(told(problem));
    await body(peer, await fastestThreads(peer, problem));
  } finally {
    peer.close();
  }
}

function oneHot(labels, classes) {
  const targets = new Float64Array(labels.length * classes);
  labels.forEach((label, row) => {
    targets[row * classes + label] = 1;
  });
  return targets;
}

const classPart = (inputs, labels, classes) => ({
  inputs,
  labels: Float64Array.from(labels),
  targets: oneHot(labels, classes),
  rows: labels.length,
});

async function digits() {
  const set = readScikit(scikitFolder(PYTHON), "digits");
  const { fit, test } = splitClasses(set, 0.2, 1);
  const part = ({ inputs, labels }) => classPart(Float64Array.from(inputs.flat()), labels, set.classes);
  const problem = {
    layers: [64, 64, 32, 10],
    activation: "tanh",
    kind: "softmax",
    decay: 1,
    parts: { fit: part(fit), test: part(test) },
  };
  const method = gaussflow.exactGaussNewton({ curvature: "exact", batch: 32, damping: 1, rate: 1 });
  const runs = [];
  for (const seed of seedsUpTo(5)) runs.push(await trainOurs(problem, method, DIGITS_SECONDS, seed));
  const accuracies = runs.map(({ test: { accuracy } }) => accuracy);
  show({
    problem: "digits",
    accuracies,
    seconds: runs.map(({ seconds }) => seconds),
    steps: runs.map(({ steps }) => steps),
  });
  if (Math.min(...accuracies) < 0.97) fail(`digits: the least test accuracy is ${Math.min(...accuracies).toFixed(4)}`);
  const longest = Math.max(...runs.map(({ seconds }) => seconds));
  if (longest > 5) fail(`digits: a training takes ${longest.toFixed(1)} s`);
}

/** Images of Debian's dataset-fashion-mnist as rows from 0 to 1, and labels. */
function fashionPart(name) {
  const { stdout } = spawnSync("dpkg", ["-L", "dataset-fashion-mnist"], { encoding: "utf8" });
  const read = (kind) => {
    const path = stdout.split("\n").find((line) => line.includes(`${name}-${kind}`));
    if (path === undefined) throw new Error("Debian's dataset-fashion-mnist is not installed");
    const bytes = readFileSync(path);
    return path.endsWith(".gz") ? gunzipSync(bytes) : bytes;
  };
  const [images, labels] = [read("images-idx3-ubyte").subarray(16), read("labels-idx1-ubyte").subarray(8)];
  return { inputs: Float64Array.from(images, (value) => value / 255), labels: Array.from(labels) };
}

async function fashion() {
  // Fewer seconds are a first look: the goals are those of 60.
  const seconds = Number(given.seconds ?? 60);
  const [train, test] = [fashionPart("train"), fashionPart("t10k")];
  const held = 5000;
  const fitted = train.labels.length - held;
  const problem = {
    name: "fashion",
    layers: [784, 128, 64, 10],
    activation: "relu",
    kind: "softmax",
    batch: 128,
    decay: 20,
    parts: {
      fit: classPart(train.inputs.subarray(0, fitted * 784), train.labels.slice(0, fitted), 10),
      validation: classPart(train.inputs.subarray(fitted * 784), train.labels.slice(fitted), 10),
      test: classPart(test.inputs, test.labels, 10),
    },
  };
  const ours = {
    sampled: gaussflow.exactGaussNewton({ curvature: "sampled", batch: 128, damping: 3 }),
    exact: gaussflow.exactGaussNewton({ curvature: "exact", batch: 32, damping: 3 }),
  };
  await withPeer(problem, async (peer, threads) => {
    const adam = await trainAdam(peer, problem, seconds, 1, threads);
    const line = ({ test: { accuracy, loss }, steps }) => ({ accuracy, loss, steps });
    show({ problem: "fashion", method: `Adam, rate ${adam.rate}`, ...line(adam), threads });
    for (const [curvature, method] of Object.entries(ours)) {
      const run = await trainOurs(problem, method, seconds, 1);
      show({ problem: "fashion", method: `EGN, ${curvature}`, ...line(run), seconds: run.seconds });
      const { accuracy, loss } = run.test;
      const least = curvature === "sampled" ? Math.max(0.885, adam.test.accuracy - 0.01) : 0.86;
      if (accuracy < least) fail(`fashion, ${curvature}: accuracy ${accuracy} is below ${least}`);
      if (loss > adam.test.loss) fail(`fashion, ${curvature}: log-loss ${loss} is above Adam's ${adam.test.loss}`);
    }
  });
}

/** Compares a method with Adam on the arm: [seconds, largest ratio of the test errors, as `judged` over the starts] in turn. */
async function armBy(name, layers, batch, method, limits, { judged, starts }) {
  const all = drawArm(40_000, 1);
  const part = (first, end) => cut(all, [8, 1], first, end);
  const parts = { fit: part(0, 32_000), validation: part(32_000, 36_000), test: part(36_000, 40_000) };
  const problem = { name, layers, activation: "tanh", kind: "squares", batch, parts };
  const seeds = seedsUpTo(starts);
  await withPeer(problem, async (peer, threads) => {
    for (const [seconds, most] of limits) {
      const runs = [];
      for (const seed of seeds) {
        const ours = await trainOurs(problem, method, seconds, seed);
        const adam = await trainAdam(peer, problem, seconds, seed, threads);
        runs.push({ ours, adam, ratio: ours.test.loss / adam.test.loss });
      }
      show({
        problem: `${name}, ${seconds} s`,
        ours: runs.map(({ ours }) => ours.test.loss),
        adam: runs.map(({ adam }) => adam.test.loss),
        rates: runs.map(({ adam }) => adam.rate),
        ratios: runs.map(({ ratio }) => ratio),
        seconds: runs.map(({ ours }) => ours.seconds),
        steps: [runs[0].ours.steps, runs[0].adam.steps],
        threads,
      });
      const ratio = judged(runs.map((run) => run.ratio));
      if (!(ratio <= most)) fail(`${name}, ${seconds} s: ours / Adam's is ${ratio.toFixed(2)}, above ${most}`);
    }
  });
}

const arm = () => {
  const limits = [
    [2, 0.9],
    [5, 0.9],
    [10, 0.9],
    [20, 1],
  ];
  const worst = (ratios) => Math.max(...ratios);
  return armBy("arm", [8, 32, 32, 1], 256, gaussflow.exactGaussNewton(), limits, { judged: worst, starts: 3 });
};

// A small network ends in one of several minima: a single start says little.
const average = () =>
  armBy("average", [8, 16, 16, 1], 256, gaussflow.cumulativeGaussNewton(), [[6, 0.7]], { judged: median, starts: 5 });

const debian = (id, modules, apt) => ({ id, title: id, python: "batch_adam.py", modules, apt });
const { missing } = prepare(
  [
    debian("PyTorch", ["torch", "numpy"], ["python3-torch"]),
    debian("scikit-learn", ["sklearn"], ["python3-sklearn"]),
    {
      id: "Fashion-MNIST",
      title: "Fashion-MNIST",
      data: "dataset-fashion-mnist",
      apt: ["dataset-fashion-mnist"],
    },
  ],
  !given["no-install"],
);
for (const { id, why } of missing) fail(`${id} is missing: ${why}`);
for (const [name, compare] of Object.entries({ digits, fashion, arm, average })) {
  if (!wanted(name)) continue;
  try {
    await compare();
  } catch (error) {
    fail(`${name}: ${error.message}`);
  }
}
rmSync(folder, { recursive: true, force: true });
console.log(failures.length === 0 ? "all hold" : `${failures.length} do not hold`);
process.exitCode = failures.length > 0 ? 1 : 0;

// Measures how long computations block the event loop: a timer of 10 ms runs during each computation, and the program prints the three
// longest gaps between its ticks, as work of the main thread (caused by the computation) and as wall time (which a busy machine lengthens).
// Every case runs in a process of its own. A developer runs it by hand after `npm run build`:
//   node bench/event-loop.mjs [--only NAME --rows N --threads N --list]
import { fork } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { dataset, network, openDataFileAsync, predictAsync, train, writeDataFile } from "../dist/index.js";
import { watched } from "./lib/event-loop.mjs";
import { defaultThreads, parseOptions, positive } from "./lib/options.mjs";
import { uniform } from "./lib/problem.mjs";

const usage = `usage: node bench/event-loop.mjs [options]
  --only NAME   run one case
  --rows N      samples of the cases in memory (default 1,000,000; the data file has 36 columns and 300 MB)
  --threads N   threads of the native engine (default GAUSSFLOW_THREADS, else 2)
  --list        names only`;

const INPUTS = 5;

/** Rows of `width` numbers, the last a function of the first two. */
function values(rows, width) {
  const noise = uniform(65_536);
  const out = new Float64Array(rows * width);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k + 1 < width; k++) out[i * width + k] = noise[(i * 7 + k * 4099 + (i >> 12)) & 65_535];
    out[(i + 1) * width - 1] = Math.sin(out[i * width] + out[i * width + 1]);
  }
  return out;
}

function inMemory(rows, target) {
  const inputs = values(rows, INPUTS);
  const targets = Float64Array.from({ length: rows }, (_, i) => target(inputs[i * INPUTS], inputs[i * INPUTS + 1]));
  return { inputs, targets, inputSize: INPUTS, outputSize: 1 };
}

const smooth = (a, b) => Math.sin(a + b);
const net = (options) => network({ layers: [INPUTS, 16, 16, 1], seed: 1, ...options });

async function dataFile(threads) {
  const folder = mkdtempSync(join(tmpdir(), "gaussflow-"));
  const path = join(folder, "rows.gfd");
  const width = 36;
  const names = Array.from({ length: width - 1 }, (_, k) => `x${k}`);
  const block = values(4096, width);
  function* rows() {
    for (let i = 0; i < 1_050_000; i++) yield block.subarray((i & 4095) * width, ((i & 4095) + 1) * width);
  }
  try {
    await writeDataFile(path, { featureNames: names, targetNames: ["y"] }, rows());
    const size = `${(statSync(path).size / 1e6).toFixed(0)} MB`;
    return await watched(async () => {
      const data = await openDataFileAsync(path);
      const result = await train(network({ layers: [width - 1, 4, 1], seed: 1 }), data, {
        threads,
        route: "matrix-free",
        stop: { iterations: 2 },
      });
      return `${size}, ${result.reason.code}`;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const CASES = {
  "data-file": (_, threads) => dataFile(threads),
  "non-finite": (rows, threads) => {
    const data = dataset(inMemory(rows, () => 1e160));
    const options = { standardize: false, validation: false, stop: { iterations: 3 }, threads };
    return watched(async () => (await train(net(), data, options)).reason.message);
  },
  predict: (rows, threads) => {
    const { inputs } = inMemory(rows, smooth);
    return watched(async () => `${(await predictAsync(net(), inputs, { threads })).length} predictions`);
  },
  "predict-typescript": (rows) => {
    const { inputs } = inMemory(rows, smooth);
    return watched(async () => `${(await predictAsync(net(), inputs, { backend: "typescript" })).length} predictions`);
  },
  "train-in-memory": (rows, threads) => {
    const data = inMemory(rows, smooth);
    return watched(async () => (await train(net(), data, { stop: { iterations: 2 }, threads })).reason.code);
  },
  "train-centered": (rows, threads) => {
    const data = inMemory(rows, smooth);
    const centered = net({ centered: true });
    return watched(async () => (await train(centered, data, { stop: { iterations: 2 }, threads })).reason.code);
  },
  checkpoint: async (rows, threads) => {
    const folder = mkdtempSync(join(tmpdir(), "gaussflow-"));
    const data = inMemory(rows, smooth);
    const checkpoint = { path: join(folder, "run.ckpt"), every: 1 };
    try {
      return await watched(
        async () => (await train(net(), data, { stop: { iterations: 2 }, checkpoint, threads })).reason.code,
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function runApart(name, rows, threads) {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [], {
      env: { ...process.env, GAUSSFLOW_BENCH_CASE: JSON.stringify({ name, rows, threads }) },
    });
    let answer = null;
    child.on("message", (message) => {
      answer = message;
    });
    child.on("error", reject);
    child.on("exit", (code, signal) =>
      answer === null ? reject(new Error(`${name} ended with ${signal ?? code}`)) : resolve(answer),
    );
  });
}

async function main() {
  const options = parseOptions(usage, {
    only: { type: "string" },
    rows: { type: "string" },
    threads: { type: "string" },
    list: { type: "boolean" },
  });
  const names = Object.keys(CASES).filter((name) => options.only === undefined || name === options.only);
  if (options.list) return console.log(names.join("\n"));
  const rows = positive(options.rows, "rows", 1_000_000);
  const threads = positive(options.threads, "threads", defaultThreads());
  const show = (list) => list.map((gap) => gap.toFixed(0).padStart(5)).join(" ");
  console.log("case                  main thread, ms    wall, ms           ticks  seconds");
  for (const name of names) {
    const { wall, work, ticks, milliseconds, answer } = await runApart(name, rows, threads);
    const seconds = (milliseconds / 1e3).toFixed(1);
    console.log(
      `${name.padEnd(20)} ${show(work)}  ${show(wall)}  ${String(ticks).padStart(6)}  ${seconds.padStart(7)}  ${answer}`,
    );
  }
}

const job = process.env.GAUSSFLOW_BENCH_CASE;
if (job === undefined) await main();
else {
  const { name, rows, threads } = JSON.parse(job);
  // The addon is loaded once a process: that is no part of the computation.
  await predictAsync(net(), new Float64Array(INPUTS));
  process.send(await CASES[name](rows, threads), () => process.exit(0));
}

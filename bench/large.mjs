// Trains problems that are too large for other Levenberg-Marquardt trainers, each in a process of its own. Prints seconds an iteration,
// loss and peak memory (VmHWM of the whole process) against the limits, and for the matrix-free problem the loss of torch's L-BFGS after
// the same seconds if torch is installed; a missed limit does not fail the program. A developer runs it by hand after `npm run build`:
//   node bench/large.mjs [--only NAME --seconds N --threads N --standardize --json]
import { fork, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { machineLine } from "./lib/machine.mjs";
import { peakMegabytes } from "./lib/memory.mjs";
import { defaultThreads, parseOptions, positive } from "./lib/options.mjs";
import { median } from "./lib/statistics.mjs";

const cases = {
  "primal-256-25-2": {
    layers: [256, 25, 2],
    samples: 10_000,
    options: { route: "primal", stop: { iterations: 4 } },
    limits: { iteration: 6, megabytes: 1300 },
  },
  "dual-5000-100-1": {
    layers: [5000, 100, 1],
    samples: 400,
    options: { route: "dual", stop: { iterations: 10 } },
    limits: { iteration: 0.2, megabytes: 300 },
  },
  // Many parameters, few rows: an iteration is passes over the parameters.
  "wide-45120-300-3": {
    layers: [45120, 300, 3],
    samples: 38,
    options: { route: "dual", stop: { iterations: 10, step: 0, reduction: 0 } },
    limits: { iteration: 0.8, megabytes: 1700 },
  },
  "matrix-free-784-30-10": {
    layers: [784, 30, 10],
    samples: 60_000,
    // In the units of the data, from the same weights as torch.
    options: { route: "matrix-free", standardize: false },
    limits: { megabytes: 2000, cut: 20 },
    peer: true,
  },
};

/** In the child: trains, and tells what it took. */
async function run(name, { threads, seconds, standardize }) {
  const { train } = await import("../dist/index.js");
  const { teacherArrays } = await import("./lib/teacher.mjs");
  const { layers, samples, options, peer } = cases[name];
  const { net, inputs, targets } = teacherArrays(layers, samples);
  const before = peakMegabytes();
  const spent = process.cpuUsage();
  const result = await train(
    net,
    { inputs, targets, inputSize: layers[0], outputSize: layers.at(-1) },
    {
      validation: false,
      threads,
      ...options,
      ...(standardize ? { standardize: true } : {}),
      stop: { gradient: 0, ...options.stop, ...(peer ? { seconds, iterations: 10_000 } : {}) },
    },
  );
  const { user, system } = process.cpuUsage(spent);
  const accepted = result.records.filter((record) => record.accepted);
  // The first step carries the start of the threads and the first touch of the memory; the median of the others is an iteration.
  const gaps = accepted.slice(2).map((record, k) => record.elapsed - accepted[k + 1].elapsed);
  // Those of the iterations that `gaps` are of; the rest is what the loop does itself.
  const phases = Object.fromEntries(
    ["passes", "curvature", "solve", "evaluate"].map((phase) => [
      phase,
      median(accepted.slice(2).map((record) => record.seconds[phase])),
    ]),
  );
  const inner = result.records.reduce((sum, record) => sum + (record.inner?.iterations ?? 0), 0);
  return {
    name,
    p: net.parameterCount,
    equations: samples * layers.at(-1),
    chosen: result.details,
    iterations: result.iterations,
    trials: result.records.length - 1,
    products: inner,
    secondsAnIteration: gaps.length > 0 ? median(gaps) : result.seconds,
    phases,
    plannedSeconds: result.plan.chosen.seconds,
    plannedMegabytes: result.plan.bytes / 1e6,
    seconds: result.seconds,
    processorSecondsAnIteration: (user + system) / 1e6 / Math.max(1, result.iterations),
    loss: [result.records[0].loss, result.loss],
    megabytes: peakMegabytes(),
    megabytesOfData: before,
    curve: accepted.map((record) => [record.elapsed, record.loss]),
  };
}

function apart(name, settings) {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [], {
      env: { ...process.env, GAUSSFLOW_LARGE: JSON.stringify({ name, settings }) },
    });
    let answer = null;
    child.on("message", (message) => {
      answer = message;
    });
    child.on("error", reject);
    child.on("exit", (code, signal) =>
      answer?.result
        ? resolve(answer.result)
        : reject(new Error(answer?.error ?? `the process ended (${signal ?? code})`)),
    );
  });
}

/** torch's L-BFGS on the same files for as many seconds: [seconds, loss] pairs, or null where torch is missing. */
async function torch(name, { threads, seconds }) {
  const { writeProblem } = await import("./peers/lib/problem-folder.mjs");
  const { teacherArrays } = await import("./lib/teacher.mjs");
  const { layers, samples } = cases[name];
  const folder = mkdtempSync(join(tmpdir(), "gaussflow-large-"));
  try {
    const { net, inputs, targets } = teacherArrays(layers, samples);
    writeProblem(folder, { layers, inputs, targets, parameters: net.parameters });
    const program = fileURLToPath(new URL("./peers/programs/torch_train.py", import.meta.url));
    const child = spawn("/usr/bin/python3", [program, folder, String(seconds), "0", "lbfgs", `threads=${threads}`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const curve = [];
    child.on("error", () => {});
    for await (const line of createInterface({ input: child.stdout })) {
      const [word, at, , loss] = line.split(" ");
      if (word === "loss") curve.push([Number(at), Number(loss)]);
    }
    return curve.length > 0 ? curve : null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const lowest = (curve, seconds) => Math.min(...curve.filter(([at]) => at <= seconds).map(([, loss]) => loss));
const against = (value, limit) =>
  limit === undefined ? "" : ` (limit ${limit}, ${value <= limit ? "kept" : "missed"})`;

function show(name, result, peer, seconds) {
  const { limits } = cases[name];
  const [from, to] = result.loss;
  console.log(`\n${name}: p = ${result.p}, n c = ${result.equations}`);
  console.log(`  ${result.chosen}`);
  const products = result.products > 0 ? `, ${result.products} products` : "";
  console.log(
    `  ${result.iterations} iterations, ${result.trials} trials${products} in ${result.seconds.toFixed(1)} s; ${result.secondsAnIteration.toFixed(3)} s an iteration${against(result.secondsAnIteration, limits.iteration)}`,
  );
  const phases = Object.entries(result.phases).map(([phase, value]) => `${phase} ${value.toFixed(3)}`);
  const inPhases = Object.values(result.phases).reduce((sum, value) => sum + value, 0);
  console.log(`  of it ${phases.join(", ")}, between them ${(result.secondsAnIteration - inPhases).toFixed(3)} s`);
  console.log(
    `  planned ${result.plannedSeconds.toFixed(3)} s (planned / measured ${(result.plannedSeconds / result.secondsAnIteration).toFixed(2)}) and ${result.plannedMegabytes.toFixed(0)} MB (${(result.plannedMegabytes / result.megabytes).toFixed(2)})`,
  );
  // On a busy machine the clock counts what others do as well; this is ours alone, over all threads, the start of the run included.
  console.log(`  ${result.processorSecondsAnIteration.toFixed(3)} processor seconds an iteration`);
  console.log(
    `  peak ${result.megabytes.toFixed(0)} MB${against(result.megabytes, limits.megabytes)}, of which ${result.megabytesOfData.toFixed(0)} MB before train()`,
  );
  const cut = from / to;
  const kept = limits.cut === undefined ? "" : ` (at least ${limits.cut}, ${cut >= limits.cut ? "kept" : "missed"})`;
  console.log(`  mean loss ${from.toExponential(3)} -> ${to.toExponential(3)}, cut ${cut.toFixed(1)}x${kept}`);
  if (peer === undefined) return;
  if (peer === null) return console.log("  torch is not installed: no comparison");
  for (const share of [0.1, 0.25, 0.5, 1]) {
    const at = share * seconds;
    console.log(
      `  at ${at.toFixed(0)} s: ours ${lowest(result.curve, at).toExponential(3)}, torch L-BFGS ${lowest(peer, at).toExponential(3)}`,
    );
  }
}

async function main() {
  const options = parseOptions(
    "usage: node bench/large.mjs [--only NAME] [--seconds N] [--threads N] [--standardize] [--json]",
    {
      only: { type: "string" },
      seconds: { type: "string" },
      threads: { type: "string" },
      standardize: { type: "boolean" },
      json: { type: "boolean" },
    },
  );
  const threads = positive(options.threads, "threads", defaultThreads());
  const seconds = positive(options.seconds, "seconds", 60);
  const settings = { threads, seconds, standardize: options.standardize === true };
  (options.json ? console.error : console.log)(machineLine(threads, null));
  for (const name of Object.keys(cases).filter((name) => name.startsWith(options.only ?? ""))) {
    const result = await apart(name, settings);
    const peer = cases[name].peer ? await torch(name, settings) : undefined;
    if (options.json) console.log(JSON.stringify({ ...result, limits: cases[name].limits, torch: peer }));
    else show(name, result, peer, seconds);
  }
}

if (process.env.GAUSSFLOW_LARGE && process.send) {
  const { name, settings } = JSON.parse(process.env.GAUSSFLOW_LARGE);
  const message = await run(name, settings).then(
    (result) => ({ result }),
    (error) => ({ error: error.stack ?? String(error) }),
  );
  process.send(message, () => process.exit(message.error ? 1 : 0));
} else {
  await main();
}

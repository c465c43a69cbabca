// A child process of bench/plan.mjs and bench/costs.mjs for one case: trains one problem for a few iterations and sends its predicted and
// measured peak memory and seconds.
//   argument: JSON { layers, sampleCount, backend, threads, slots, route, kind: "train" | "batch" | "flow", iterations, until, method, options, file }
// A batch method is given by the name of its function and its options; with `file` the rows are in a data file.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  adam,
  cumulativeGaussNewton,
  exactGaussNewton,
  flow,
  network,
  openDataFile,
  plan,
  train,
  writeDataFile,
} from "../../dist/index.js";
import { secondsOf } from "../../dist/plan/cost-model.js";
import { iterationWork } from "../../dist/plan/workload.js";
import { peakMegabytes } from "./memory.mjs";
import { problem } from "./problem.mjs";
import { median } from "./statistics.mjs";

/** Batch methods by name. */
const METHODS = { adam, cumulativeGaussNewton, exactGaussNewton };
const given = JSON.parse(process.argv[2]);
const { layers, sampleCount, backend, threads, slots = 1, route = "auto", kind = "train", iterations = 4 } = given;
const { until = 0.02 } = given;

const net = network({ layers, activation: "tanh", seed: 1 });
const common = { backend, threads, slots, route, memoryLimit: 2 ** 40 };

/** Rows of a problem whose rows a data file repeats. */
const DRAWN = 1000;

function inMemory(rows) {
  const { inputs, targets } = problem(layers, rows).data;
  return { inputs, targets, inputSize: layers[0], outputSize: layers.at(-1) };
}

/** As many rows in a data file, which is opened. */
async function inFile() {
  const { inputs, targets, inputSize: d, outputSize: c } = inMemory(DRAWN);
  const folder = mkdtempSync(join(tmpdir(), "gaussflow-"));
  process.once("exit", () => rmSync(folder, { recursive: true }));
  const path = join(folder, "rows.gfd");
  const names = (count, stem) => Array.from({ length: count }, (_, k) => `${stem}${k}`);
  const part = (values, width, row) => values.subarray((row % DRAWN) * width, ((row % DRAWN) + 1) * width);
  function* rows() {
    for (let row = 0; row < sampleCount; row++)
      yield Float64Array.of(...part(inputs, d, row), ...part(targets, c, row));
  }
  await writeDataFile(path, { featureNames: names(d, "x"), targetNames: names(c, "y") }, rows());
  return openDataFile(path);
}
const data = given.file ? await inFile() : inMemory(sampleCount);

/** Processor seconds so far, all threads. */
const processor = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Seconds (of `clock`, one reading a record) of the iterations that took one trial, the first left out. */
function perIteration(records, clock) {
  const single = records.filter(
    (record, i) => i > 1 && record.trial === 1 && record.accepted && records[i - 1].iteration === record.iteration - 1,
  );
  return single.map((record) => clock[records.indexOf(record)] - clock[records.indexOf(record) - 1]);
}

let planned;
let alone; // on one thread
let seconds;
let cpuSeconds;
let leastCpuSeconds = null;
const typical = (times) => (times.length > 0 ? median(times) : null);
if (kind === "flow") {
  const before = processor();
  const result = await flow(net, data, { ...common, stop: {}, until });
  planned = result.plan;
  alone = secondsOf(iterationWork(planned.route, net.architecture, sampleCount, { engine: backend }), backend, 1);
  seconds = result.seconds / result.statistics.evaluations;
  cpuSeconds = (processor() - before) / result.statistics.evaluations;
} else if (kind === "batch") {
  const options = { ...common, route: "auto", validation: false, method: METHODS[given.method](given.options) };
  planned = plan(net, data, options);
  alone = plan(net, data, { ...options, threads: 1 }).chosen.seconds;
  // Records in which the loss of all rows is not evaluated, each of as many steps.
  const validateEvery = Math.max(1, Math.min(Math.ceil(iterations / 20), Math.floor(planned.batch.stepsPerEpoch / 4)));
  const cpu = [];
  const onRecord = () => {
    cpu.push(processor());
  };
  const { records } = await train(net, data, { ...options, stop: { iterations, validateEvery }, onRecord });
  const within = (k) => records[k].epoch % 1 !== 0 && records[k - 1].epoch % 1 !== 0;
  // The first half is left out: the code is not compiled yet.
  const later = records.map((_, k) => k).filter((k) => k > records.length / 2 && within(k));
  const steps = (clock) =>
    later.map((k) => (clock[k] - clock[k - 1]) / (records[k].iteration - records[k - 1].iteration));
  seconds = typical(steps(records.map(({ elapsed }) => elapsed)));
  cpuSeconds = typical(steps(cpu));
} else {
  planned = plan(net, data, { ...common, validation: false });
  alone = plan(net, data, { ...common, threads: 1, validation: false }).chosen.seconds;
  const cpu = [];
  const onRecord = () => {
    cpu.push(processor());
  };
  const { records } = await train(net, data, { ...common, validation: false, stop: { iterations }, onRecord });
  seconds = typical(
    perIteration(
      records,
      records.map(({ elapsed }) => elapsed),
    ),
  );
  const times = perIteration(records, cpu);
  cpuSeconds = typical(times);
  leastCpuSeconds = times.length > 0 ? Math.min(...times) : null;
}
const answer = {
  route: planned.route,
  parameters: planned.parameterCount,
  predictedBytes: planned.bytes,
  problemBytes: planned.bytes - planned.chosen.bytes.process,
  peak: peakMegabytes() * 1e6,
  predictedSeconds: planned.chosen.seconds,
  seconds,
  cpuSeconds,
  leastCpuSeconds,
  predictedCpuSeconds: alone,
};
process.send?.(answer, () => process.exit(0));
if (!process.send) console.log(answer);

// A child process of bench/plan.mjs and bench/costs.mjs for one case: trains one problem for a few iterations and sends its predicted and
// measured peak memory and seconds.
//   argument: JSON { layers, sampleCount, backend, threads, slots, route, kind: "train" | "flow", iterations, until }
import { flow, network, plan, train } from "../../dist/index.js";
import { secondsOf } from "../../dist/plan/cost-model.js";
import { iterationWork } from "../../dist/plan/workload.js";
import { peakMegabytes } from "./memory.mjs";
import { problem } from "./problem.mjs";
import { median } from "./statistics.mjs";

const given = JSON.parse(process.argv[2]);
const { layers, sampleCount, backend, threads, slots = 1, route = "auto", kind = "train", iterations = 4 } = given;
const { until = 0.02 } = given;

const net = network({ layers, activation: "tanh", seed: 1 });
const { inputs, targets } = problem(layers, sampleCount).data;
const data = { inputs, targets, inputSize: layers[0], outputSize: layers.at(-1) };
const common = { backend, threads, slots, route, memoryLimit: 2 ** 40 };

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

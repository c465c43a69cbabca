// Compares what the planner predicts with what a run takes, for every route and engine, each case in a process of its own
// (lib/plan-process.mjs). A developer runs it by hand after `npm run build`: node bench/plan.mjs [--json --only TEXT]. Memory is VmHWM of
// that process (Node, library, data and all) against Plan.bytes; "problem" is the part of it beyond a process that trains nothing. Seconds
// are those of an iteration of one trial (a right-hand side of a flow), the median of the run (of small problems over 60 iterations: the
// code of the first few is not compiled yet), and those of a step on a batch; "cpu ratio" is that of the processor's seconds, which other programs on the machine hardly
// change.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { COST_TABLE } from "../dist/plan/cost-table.js";
import { defaultThreads, parseOptions } from "./lib/options.mjs";

const usage = `usage: node bench/plan.mjs [options]
  --only TEXT   cases whose name has TEXT in it
  --json        one JSON object a line`;

const train = (layers, sampleCount, route = "auto", extra = {}) => ({ layers, sampleCount, route, ...extra });
const flow = (layers, sampleCount, route, extra = {}) => ({ layers, sampleCount, route, kind: "flow", ...extra });
const batch = (method, options, layers, sampleCount, extra = {}) => ({
  ...{ kind: "batch", method, options, layers, sampleCount, iterations: 400 },
  route: `${method}${options.curvature ? ` ${options.curvature}` : ""}`,
  ...extra,
});
const cases = [
  train([2, 3, 1], 20, "auto", { iterations: 60 }),
  train([6, 16, 1], 300, "auto", { iterations: 60 }),
  train([8, 16, 16, 1], 1000, "auto", { iterations: 60 }),
  train([8, 32, 32, 1], 5000),
  train([12, 64, 64, 2], 2000),
  train([8, 48, 48, 1], 100_000),
  train([256, 25, 2], 10_000, "auto", { iterations: 2 }),
  train([64, 20, 1], 400_000),
  train([8, 64, 64, 1], 300, "auto", { iterations: 60 }),
  train([8, 256, 256, 1], 2000),
  train([8, 1024, 1024, 1], 1000),
  train([5000, 100, 1], 400),
  train([45120, 300, 3], 38),
  flow([8, 16, 16, 1], 1000, "orthogonal"),
  flow([8, 32, 32, 1], 3000, "orthogonal"),
  flow([8, 16, 16, 1], 5000, "primal"),
  train([8, 16, 16, 1], 500, "auto", { backend: "typescript" }),
  train([8, 24, 24, 1], 1500, "auto", { backend: "typescript" }),
  train([8, 64, 64, 1], 300, "auto", { backend: "typescript" }),
  train([8, 64, 64, 1], 6000, "primal", { slots: 8, iterations: 2 }),
  train([8, 32, 32, 1], 2500, "auto", { backend: "typescript", slots: 8, iterations: 2 }),
  flow([8, 8, 8, 1], 300, "orthogonal", { until: 0.5 }),
  batch("exactGaussNewton", { curvature: "exact" }, [8, 32, 32, 1], 40_000, { iterations: 2000 }),
  batch("exactGaussNewton", { curvature: "exact", batch: 32 }, [64, 64, 32, 10], 20_000),
  batch("exactGaussNewton", { curvature: "sampled" }, [784, 128, 64, 10], 60_000),
  batch("exactGaussNewton", { curvature: "exact" }, [64, 32, 32, 1], 200_000, { file: true }),
  batch("cumulativeGaussNewton", {}, [8, 16, 16, 1], 40_000, { iterations: 2000 }),
  batch("cumulativeGaussNewton", {}, [8, 32, 32, 1], 40_000),
  batch("cumulativeGaussNewton", {}, [8, 48, 48, 1], 40_000),
  batch("cumulativeGaussNewton", { form: "forgetting" }, [8, 16, 16, 1], 40_000),
  batch("adam", {}, [8, 32, 32, 1], 40_000, { iterations: 4000 }),
  batch("adam", { batch: 128 }, [784, 128, 64, 10], 20_000),
  batch("exactGaussNewton", { curvature: "exact" }, [8, 16, 16, 1], 4000, { backend: "typescript" }),
  batch("adam", {}, [8, 16, 16, 1], 4000, { backend: "typescript", iterations: 1000 }),
].map((entry) => ({ backend: "native", iterations: 6, ...entry }));

const nameOf = ({ layers, sampleCount, backend, slots = 1, file = false }) =>
  `${layers.join("-")} n=${sampleCount}${file ? " file" : ""}${backend === "native" ? "" : " ts"}${slots === 1 ? "" : ` S=${slots}`}`;

function run(given) {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("lib/plan-process.mjs", import.meta.url)), [JSON.stringify(given)]);
    let answer = null;
    child.on("message", (message) => {
      answer = message;
    });
    child.on("error", reject);
    child.on("exit", (code) => (answer ? resolve(answer) : reject(new Error(`the process ended with ${code}`))));
  });
}

const options = parseOptions(usage, { json: { type: "boolean" }, only: { type: "string" } });
const show = (cells) =>
  console.log(cells.map((cell, i) => (i < 2 ? cell.padEnd([30, 12][i]) : cell.padStart(11))).join(" "));
const mega = (bytes) => (bytes / 1e6).toFixed(0);
const millis = (value) => (value === null ? "-" : `${(value * 1e3).toFixed(value < 0.01 ? 2 : 0)} ms`);
if (!options.json) {
  console.log(`threads ${defaultThreads()} | cost table: ${COST_TABLE.machine} | MB = 10^6 bytes`);
  show(["case", "route", "planned MB", "peak MB", "ratio", "problem", "planned", "measured", "ratio", "cpu ratio"]);
}
for (const given of cases) {
  if (options.only && !`${nameOf(given)} ${given.route}`.includes(options.only)) continue;
  try {
    const { route, predictedBytes, problemBytes, peak, predictedSeconds, seconds, ...cpu } = await run({
      threads: defaultThreads(),
      ...given,
    });
    const process = predictedBytes - problemBytes;
    const memory = predictedBytes / peak;
    const problem = peak - process > 2e7 ? problemBytes / (peak - process) : null;
    const time = seconds === null ? null : predictedSeconds / seconds;
    const work = cpu.cpuSeconds === null ? null : cpu.predictedCpuSeconds / cpu.cpuSeconds;
    if (options.json)
      console.log(
        JSON.stringify({
          name: nameOf(given),
          route,
          predictedBytes,
          peak,
          memory,
          problem,
          predictedSeconds,
          seconds,
          time,
          ...cpu,
          work,
        }),
      );
    else
      show([
        nameOf(given),
        route,
        mega(predictedBytes),
        mega(peak),
        memory.toFixed(2),
        problem?.toFixed(2) ?? "-",
        millis(predictedSeconds),
        millis(seconds),
        time?.toFixed(2) ?? "-",
        work?.toFixed(2) ?? "-",
      ]);
  } catch (error) {
    console.error(`${nameOf(given)}: ${error.message}`);
    process.exitCode = 1;
  }
}

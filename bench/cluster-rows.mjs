// Measures what ranks gain for the rows of one training: 8-32-32-1 on 200,000 rows in double precision, all samples behind the curvature. Two ranks of
// one thread are compared with one process of two threads and with one of one thread, in turns, each time in new processes. An iteration is timed
// from barrier to barrier; its phases are those of the records, the sums between the ranks included. "processor" is the processor time of an iteration, of
// the rank with the most of it, which other work on the machine hardly changes.
// A developer runs it by hand after `npm run build` and `npx gaussflow build --mpi`:
//   node bench/cluster-rows.mjs [--rows N --iterations N --rounds N]
import { createHash } from "node:crypto";
import { levenbergMarquardt, mpi, train } from "../dist/index.js";
import { machineLine } from "./lib/machine.mjs";
import { parseOptions, positive } from "./lib/options.mjs";
import { problem } from "./lib/problem.mjs";
import { answerOfRanks } from "./lib/ranks.mjs";
import { median } from "./lib/statistics.mjs";

const usage = `usage: node bench/cluster-rows.mjs [options]
  --rows N        rows of the table (default 200000)
  --iterations N  iterations of a process, of which the first is not counted (default 3)
  --rounds N      rounds; medians are printed (default 5)`;
const string = { type: "string" };
const options = { rows: string, iterations: string, rounds: string, threads: string };
const given = parseOptions(usage, { ...options, process: { type: "boolean" } });
const [rows, iterations, rounds] = [
  positive(given.rows, "rows", 200_000),
  positive(given.iterations, "iterations", 3),
  positive(given.rounds, "rounds", 5),
];
const PHASES = ["passes", "curvature", "solve", "evaluate"];
const LAYERS = [8, 32, 32, 1];

/** What each rank runs: the median seconds of an iteration and of its phases. */
async function measured() {
  const cluster = await mpi();
  const { network, data } = problem(LAYERS, rows);
  const { inputs, targets } = data;
  const times = [];
  const phases = [];
  const { last, threads } = await train(
    network,
    { inputs, targets, inputSize: LAYERS[0], outputSize: 1 },
    {
      method: levenbergMarquardt({ precision: "double", curvatureSamples: "all" }),
      validation: false,
      stop: { iterations, gradient: 0, step: 0, reduction: 0 },
      route: "primal",
      slots: 2,
      threads: positive(given.threads, "threads", 1),
      backend: "native",
      cluster,
      onRecord: async ({ seconds, trial }) => {
        await cluster.barrier();
        const { user, system } = process.cpuUsage();
        times.push({ at: performance.now(), trial, processor: user + system });
        phases.push(seconds);
      },
    },
  );
  const order = network.parameterCount;
  const sum = await cluster.timeSum((order * (order + 1)) / 2, 3);
  const spent = times.slice(2).map(({ processor }, k) => (processor - times[k + 1].processor) / 1e6);
  const all = await cluster.gather(Float64Array.of(median(spent)));
  if (cluster.rank > 0) return;
  // The start has no step, and the first iteration warms up. A rejected trial belongs to no iteration that is compared.
  const counted = times.slice(2).flatMap(({ at, trial }, k) => (trial === 1 ? [(at - times[k + 1].at) / 1000] : []));
  const phase = (name) => median(phases.slice(2).map((seconds) => seconds[name]));
  const bits = createHash("sha256").update(last.parameters).digest("hex");
  const parts = Object.fromEntries(PHASES.map((name) => [name, phase(name)]));
  console.log(
    JSON.stringify({
      iteration: median(counted),
      ...parts,
      sum,
      processor: Math.max(...all.map(([one]) => one)),
      threads,
      bits,
    }),
  );
}

function round({ ranks, threads }) {
  const size = ["--rows", String(rows), "--iterations", String(iterations)];
  return answerOfRanks(ranks, import.meta.url, ["--process", "--threads", String(threads), ...size]);
}

if (given.process) await measured();
else {
  console.log(machineLine(2, null));
  const kinds = [
    { name: "2 ranks of 1 thread", ranks: 2, threads: 1, runs: [] },
    { name: "1 process of 2 threads", ranks: null, threads: 2, runs: [] },
    { name: "1 process of 1 thread", ranks: null, threads: 1, runs: [] },
  ];
  for (let k = 0; k < rounds; k++) for (const kind of kinds) kind.runs.push(round(kind));
  const of = ({ runs }, name) => median(runs.map((run) => run[name]));
  const columns = ["iteration", ...PHASES, "sum", "processor"];
  console.log(
    `${`seconds, ${rows} rows, medians of ${rounds}`.padEnd(40)}${columns.map((one) => one.padStart(11)).join("")}`,
  );
  for (const kind of kinds)
    console.log(`${kind.name.padEnd(40)}${columns.map((one) => of(kind, one).toFixed(4).padStart(11)).join("")}`);
  const [ranked, threaded, alone] = kinds.map((kind) => of(kind, "iteration"));
  console.log(`2 ranks take ${(ranked / threaded).toFixed(3)} times as long as 2 threads (aim: at most 1.15)`);
  console.log(`2 ranks are ${(alone / ranked).toFixed(2)} times as fast as 1 thread (aim: at least 1.8)`);
  const same = new Set(kinds.flatMap(({ runs }) => runs.map(({ bits }) => bits))).size === 1;
  console.log(`bits: ${same ? "the same" : "DIFFERENT"}`);
  if (!same) process.exitCode = 1;
}

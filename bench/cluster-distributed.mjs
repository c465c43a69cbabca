// Compares a training whose Gram matrix the ranks hold together (options.distributed) with the primal route of one process, in double precision:
// the losses of the first iterations, the peak memory of a rank and of the process, and seconds by phase. Network 9-99-109-1 has 12,000 parameters.
// A developer runs it by hand after `npm run build` and `npx gaussflow build --mpi` with ScaLAPACK; the defaults take some minutes on two cores.
//   node bench/cluster-distributed.mjs [--rows N --ranks N --iterations N --hidden A,B]
import { levenbergMarquardt, mpi, train } from "../dist/index.js";
import { machineLine } from "./lib/machine.mjs";
import { peakMegabytes } from "./lib/memory.mjs";
import { parseOptions, positive } from "./lib/options.mjs";
import { problem } from "./lib/problem.mjs";
import { answerOfRanks } from "./lib/ranks.mjs";

const usage = `usage: node bench/cluster-distributed.mjs [options]
  --rows N        rows of the table (default 12500)
  --ranks N       ranks of one thread each; the one process has as many threads (default 2)
  --iterations N  iterations (default 5)
  --hidden A,B    units of the hidden layers (default 99,109)`;
const string = { type: "string" };
const options = { rows: string, ranks: string, iterations: string, hidden: string, threads: string };
const given = parseOptions(usage, { ...options, process: { type: "boolean" } });
const [rows, ranks, iterations] = [
  positive(given.rows, "rows", 12_500),
  positive(given.ranks, "ranks", 2),
  positive(given.iterations, "iterations", 5),
];
const hidden = (given.hidden ?? "99,109").split(",").map(Number);
const LAYERS = [9, ...hidden, 1];
const PHASES = ["passes", "curvature", "solve", "evaluate"];
/** Largest relative difference of the losses, and largest share of the memory of one process. */
const [ALIKE, SHARE] = [1e-10, 0.6];

/** What each rank runs. */
async function measured() {
  const cluster = await mpi();
  const { network, data } = problem(LAYERS, rows);
  const { inputs, targets } = data;
  const result = await train(
    network,
    { inputs, targets, inputSize: LAYERS[0], outputSize: 1 },
    {
      method: levenbergMarquardt({ precision: "double", curvatureSamples: "all" }),
      validation: false,
      stop: { iterations, gradient: 0, step: 0, reduction: 0 },
      route: "primal",
      slots: 2 ** Math.ceil(Math.log2(ranks)),
      distributed: true,
      threads: positive(given.threads, "threads", 1),
      memoryLimit: 2 ** 36,
      backend: "native",
      cluster,
    },
  );
  const peaks = (await cluster.gather(Float64Array.of(peakMegabytes() ?? 0))).map(([one]) => one);
  if (cluster.rank > 0) return;
  const { records, plan } = result;
  console.log(
    JSON.stringify({
      together: plan.chosen.distributed === true,
      parameters: network.parameterCount,
      losses: records.filter(({ accepted }) => accepted).map(({ loss }) => loss),
      phases: PHASES.map((name) => records.reduce((sum, { seconds }) => sum + seconds[name], 0) / (records.length - 1)),
      peak: Math.max(...peaks),
      planned: plan.bytes / 1e6,
    }),
  );
}

function run(size, threads) {
  const sizes = ["--rows", String(rows), "--ranks", String(ranks), "--iterations", String(iterations)];
  const words = [...sizes, "--hidden", hidden.join(","), "--threads", String(threads)];
  return answerOfRanks(size, import.meta.url, ["--process", ...words]);
}

if (given.process) await measured();
else {
  console.log(machineLine(ranks, null));
  const together = run(ranks, 1);
  const alone = run(null, ranks);
  if (!together.together) throw new Error("the ranks did not hold the matrix together");
  console.log(`${together.parameters} parameters, ${rows} rows, double precision`);
  console.log(`${"iteration".padEnd(10)}${`${ranks} ranks`.padStart(24)}${"one process".padStart(24)}   difference`);
  const differences = together.losses.map((loss, k) => Math.abs(loss / alone.losses[k] - 1));
  for (const [k, loss] of together.losses.entries())
    console.log(
      `${String(k).padEnd(10)}${String(loss).padStart(24)}${String(alone.losses[k]).padStart(24)}   ${differences[k].toExponential(1)}`,
    );
  const columns = [...PHASES.map((name) => name.padStart(11)), "peak MB".padStart(11), "planned".padStart(11)];
  console.log(`${"seconds a trial".padEnd(24)}${columns.join("")}`);
  for (const [name, { phases, peak, planned }] of [
    [`${ranks} ranks of 1 thread`, together],
    [`1 process, ${ranks} threads`, alone],
  ])
    console.log(
      `${name.padEnd(24)}${[...phases, peak, planned].map((value, k) => value.toFixed(k < 4 ? 2 : 0).padStart(11)).join("")}`,
    );
  const [difference, share] = [Math.max(...differences), together.peak / alone.peak];
  console.log(`largest difference of a loss: ${difference.toExponential(1)} (aim: at most ${ALIKE})`);
  console.log(`peak of a rank: ${(100 * share).toFixed(1)}% of that of one process (aim: at most ${100 * SHARE}%)`);
  if (!(difference <= ALIKE && together.losses.length === alone.losses.length)) process.exitCode = 1;
  if (ranks === 2 && together.parameters >= 12_000 && share > SHARE) process.exitCode = 1;
}

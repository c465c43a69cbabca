// Compares settings of levenbergMarquardt(), from which its defaults were chosen: prints iterations and seconds to a loss level, on the
// common case with ten starts, a second draw of it, the UCI sets (all rows, 16-16) and the demo's table. A developer runs it by hand after
// `npm run build`.
//   GAUSSFLOW_DATA=... node bench/defaults.mjs [--starts 10] [--only friedman|draw|NAME]
//
// Levels: Friedman 1e-3, 4.1e-4, 3.3e-4 as in the comparison with other programs; elsewhere 1.05 times the median over the
// settings of the lowest loss that each reached in 400 iterations from the same start. Cells: median iterations and seconds over
// the starts; "reached/starts" where a setting missed the level from some of them.
import { fileURLToPath } from "node:url";
import { dataset, levenbergMarquardt, network, readCsv, train } from "../dist/index.js";
import { drawFriedman, friedman, SIZES } from "./lib/friedman.mjs";
import { machineLine } from "./lib/machine.mjs";
import { defaultThreads, parseOptions, positive } from "./lib/options.mjs";
import { median } from "./lib/statistics.mjs";
import { readUci, UCI_SETS } from "./lib/uci.mjs";

const settings = [
  {},
  { initialDamping: 0.01 },
  { initialDamping: 0.03 },
  { initialDamping: 0.1 },
  { initialDamping: 1 },
  { residualCurvature: "none" },
  { acceleration: false },
  { damping: "hybrid" },
  { scaling: "identity" },
  { scaling: "marquardt" },
];
const options = parseOptions("usage: node bench/defaults.mjs [--starts N] [--only NAME]", {
  starts: { type: "string" },
  only: { type: "string" },
});
const starts = positive(options.starts, "starts", 10);

async function problems() {
  const common = friedman();
  const nets = [common.net, ...Array.from({ length: starts - 1 }, (_, k) => network({ layers: SIZES, seed: k + 1 }))];
  const levels = [1e-3, 4.1e-4, 3.3e-4];
  const list = [
    { name: "friedman", data: { inputs: common.inputs, targets: common.targets }, nets, levels, iterations: 80 },
    { name: "draw", data: drawFriedman(2), nets: nets.slice(0, Math.ceil(starts / 2)), levels, iterations: 80 },
  ];
  const table = (name, data) => {
    const net = (seed) => network({ layers: [data.inputSize, 16, 16, 1], seed });
    const some = Array.from({ length: Math.ceil(starts / 2) }, (_, seed) => net(seed));
    list.push({ name, data, nets: some, levels: null, iterations: 400 });
  };
  for (const name of UCI_SETS) {
    const rows = readUci(name);
    table(name, dataset({ inputs: rows.map((row) => row.slice(0, -1)), targets: rows.map((row) => row.at(-1)) }));
  }
  const file = fileURLToPath(new URL("../examples/data/auto-mpg.csv", import.meta.url));
  table("auto-mpg", await readCsv(file, { target: "mpg", ignore: "name", missing: "mean" }));
  return list.filter(({ name }) => options.only === undefined || name === options.only);
}

/** [loss, iteration, seconds] of every accepted step. */
async function path(net, { data, levels, iterations }, setting) {
  const steps = [];
  const start = performance.now();
  await train(net, data, {
    validation: false,
    standardize: levels === null,
    method: levenbergMarquardt(setting),
    stop: { iterations, ...(levels === null ? {} : { loss: levels.at(-1) }) },
    onRecord: ({ accepted, iteration, loss }) => {
      if (accepted) steps.push([loss, iteration, (performance.now() - start) / 1000]);
    },
  });
  return steps;
}

const label = (setting) =>
  Object.keys(setting).length === 0
    ? "the defaults"
    : Object.entries(setting)
        .map(([name, value]) => `${name} ${value}`)
        .join(", ");

console.log(machineLine(defaultThreads()));
console.log(`the defaults: ${levenbergMarquardt().label}`);
for (const problem of await problems()) {
  const paths = [];
  // Settings take turns start by start: what slows the machine for a while slows them all.
  for (const net of problem.nets) {
    const row = [];
    for (const setting of settings) row.push(await path(net, problem, setting));
    paths.push(row);
  }
  const levels = problem.levels?.map((level) => paths.map(() => level)) ?? [
    paths.map((row) => 1.05 * median(row.map((steps) => Math.min(...steps.map(([loss]) => loss))))),
  ];
  console.log(`\n${problem.name}, ${problem.nets.length} starts`);
  settings.forEach((setting, s) => {
    const cells = levels.map((level) => {
      const hits = paths.map((row, k) => row[s].find(([loss]) => loss <= level[k])).filter(Boolean);
      if (hits.length === 0) return `0/${paths.length}`.padStart(22);
      const [iterations, seconds] = [1, 2].map((at) => median(hits.map((hit) => hit[at])));
      const share = hits.length < paths.length ? `  ${hits.length}/${paths.length}` : "";
      return `${iterations} it ${seconds.toFixed(3)} s${share}`.padStart(22);
    });
    console.log(`  ${label(setting).padEnd(40)}${cells.join("")}`);
  });
}

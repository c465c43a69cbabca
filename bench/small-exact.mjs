// Trains on twenty small problems whose targets can be reached exactly (lib/small-exact.mjs), from thirty starts each, and prints how many
// starts end at rounding and how soon. A developer runs it by hand after `npm run build`.
//   node bench/small-exact.mjs [--starts 30] [--all]
//
// Everything but the number of iterations is the default. Cells: starts that reach 1e-20 within 200 iterations, the median loss, the median
// number of iterations and trials of the starts that reached it. `--all` adds the other settings of `bench/defaults.mjs`.
import { levenbergMarquardt, network, train } from "../dist/index.js";
import { parseOptions, positive } from "./lib/options.mjs";
import { smallExactProblems } from "./lib/small-exact.mjs";
import { median } from "./lib/statistics.mjs";

const REACHED = 1e-20;
const ITERATIONS = 200;
const options = parseOptions("usage: node bench/small-exact.mjs [--starts N] [--all]", {
  starts: { type: "string" },
  all: { type: "boolean" },
});
const starts = positive(options.starts, "starts", 30);
const others = [
  { initialDamping: 1e-6 },
  { initialDamping: 1e-3 },
  { initialDamping: 1 },
  { acceleration: false },
  { damping: "hybrid" },
  { scaling: "identity" },
  { scaling: "marquardt" },
];

async function outcomes({ layers, options: net, inputs, targets }, setting) {
  const results = [];
  for (let seed = 0; seed < starts; seed++)
    results.push(
      await train(
        network({ layers, seed, ...net }),
        { inputs, targets },
        {
          method: levenbergMarquardt(setting),
          stop: { iterations: ITERATIONS },
        },
      ),
    );
  return results;
}

function tally(results) {
  const counts = {};
  for (const { reason } of results) counts[reason.code] = (counts[reason.code] ?? 0) + 1;
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([code, count]) => `${code} ${count}`)
    .join(", ");
}

for (const setting of options.all ? [{}, ...others] : [{}]) {
  const named = Object.entries(setting).map(([name, value]) => `${name} ${value}`);
  console.log(`\n${levenbergMarquardt(setting).label}${named.length > 0 ? ` [${named.join(", ")}]` : ""}`);
  const medians = [];
  let reachedInAll = 0;
  for (const problem of smallExactProblems()) {
    const results = await outcomes(problem, setting);
    const reached = results.filter(({ loss }) => loss <= REACHED);
    const [records] = results.map((result) => result.records);
    medians.push(median(results.map(({ loss }) => loss)));
    reachedInAll += reached.length;
    const p = network({ layers: problem.layers }).parameters.length;
    const size = `${problem.layers.join("-")}, n ${problem.inputs.length}, p ${p}, ${records.at(-1).route}`;
    const spent = (of) => (reached.length > 0 ? median(reached.map(of)) : "-");
    console.log(
      [
        problem.name.padEnd(27),
        size.padEnd(33),
        `${reached.length}/${starts}`.padStart(6),
        medians.at(-1).toExponential(1).padStart(10),
        `${spent((r) => r.iterations)} it, ${spent((r) => r.records.length - 1)} trials`.padStart(26),
        `  ${tally(results)}`,
      ].join(""),
    );
  }
  console.log(
    `all: ${reachedInAll}/${starts * medians.length} starts reach ${REACHED}; median of the medians ${median(medians).toExponential(1)}`,
  );
}

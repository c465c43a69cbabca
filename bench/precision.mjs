// Compares trainings whose curvature is in float32 and from a subset of the samples with trainings in double precision on all samples: both
// from each start, alternating. Prints the loss after the same number of iterations, the seconds, and the switches of precision. A
// developer runs it by hand after `npm run build`.
//   GAUSSFLOW_DATA=... node bench/precision.mjs [--json] [--quick]
import { levenbergMarquardt, network, train } from "../dist/index.js";
import { drawFriedman, friedman, SIZES } from "./lib/friedman.mjs";
import { parseOptions } from "./lib/options.mjs";
import { median } from "./lib/statistics.mjs";
import { readUci } from "./lib/uci.mjs";

const { json, quick } = parseOptions("usage: GAUSSFLOW_DATA=... node bench/precision.mjs [--json] [--quick]", {
  json: { type: "boolean" },
  quick: { type: "boolean" },
});
const repeats = quick ? 1 : 3;

const common = friedman();
const flat = { inputs: Float64Array.from(common.inputs.flat()), targets: Float64Array.from(common.targets) };
const airfoil = readUci("airfoil");
const uci = {
  inputs: airfoil.map((row) => row.slice(0, -1)),
  targets: airfoil.map((row) => row.at(-1)),
};
const cases = [
  { name: "friedman, common W0", net: common.net, data: flat, iterations: 60 },
  ...[1, 2].map((seed) => ({
    name: `friedman, seed ${seed}`,
    net: network({ layers: SIZES, seed }),
    data: flat,
    iterations: 60,
  })),
  { name: "friedman, second draw", net: network({ layers: SIZES, seed: 3 }), data: drawFriedman(11), iterations: 60 },
  { name: "friedman, 8-24-16-1", net: network({ layers: [8, 24, 16, 1], seed: 4 }), data: flat, iterations: 60 },
  { name: "airfoil, 5-20-20-1", net: network({ layers: [5, 20, 20, 1], seed: 5 }), data: uci, iterations: 100 },
];

if (!json)
  console.log(
    "case                     precision  iterations         final loss   seconds   single  fallbacks  cg steps",
  );
for (const { name, net, data, iterations } of quick ? cases.slice(0, 1) : cases) {
  const runs = { double: [], auto: [] };
  for (let repeat = 0; repeat < repeats; repeat++)
    for (const precision of repeat % 2 === 0 ? ["double", "auto"] : ["auto", "double"]) {
      const method = levenbergMarquardt({ precision }); // double: all samples as well
      const shape = Array.isArray(data.inputs) ? data : columns(data, net.inputSize);
      runs[precision].push(await train(net, shape, { method, validation: false, stop: { iterations } }));
    }
  for (const [precision, results] of Object.entries(runs)) {
    const [{ records, iterations: done }] = results;
    const used = records.map((record) => record.precision).filter((use) => use !== undefined);
    const single = used.filter((use) => use.used === "single");
    const row = {
      name,
      precision,
      iterations: done,
      loss: records.at(-1).loss,
      seconds: median(results.map((result) => result.records.at(-1).elapsed)),
      single: single.length,
      fallbacks: used.filter((use) => use.fallback !== null).length,
      steps: single.length > 0 ? single.reduce((sum, use) => sum + use.steps, 0) / single.length : 0,
    };
    if (json) console.log(JSON.stringify(row));
    else
      console.log(
        `${name.padEnd(25)}${precision.padEnd(10)}${String(done).padStart(11)}${row.loss.toExponential(12).padStart(20)}${row.seconds.toFixed(2).padStart(9)}${String(row.single).padStart(9)}${String(row.fallbacks).padStart(11)}${row.steps.toFixed(1).padStart(10)}`,
      );
  }
}

function columns({ inputs, targets }, width) {
  return {
    inputs: Array.from({ length: targets.length }, (_, i) => inputs.subarray(i * width, (i + 1) * width)),
    targets: Array.from(targets),
  };
}

// Trains with the default options of train() on the UCI sets of GAUSSFLOW_DATA, ten folds by the published masks, and prints the test RMSE
// in raw units. A developer runs it by hand after `npm run build`.
//   GAUSSFLOW_DATA=... node bench/uci.mjs [--hidden 16-16] [--damping FIRST] [--json]
// The limits are those of 16-16 with the default first damping; results of other choices are printed next to them.
import { levenbergMarquardt, network, train } from "../dist/index.js";
import { parseOptions, positive } from "./lib/options.mjs";
import { mean } from "./lib/statistics.mjs";
import { readUci } from "./lib/uci.mjs";

const LIMITS = { energy: 0.6, concrete: 5.8, yacht: 0.22, wine: 0.55, airfoil: 2.5 };

const { json, ...given } = parseOptions(
  "usage: GAUSSFLOW_DATA=... node bench/uci.mjs [--hidden 16-16] [--damping FIRST] [--json]",
  { json: { type: "boolean" }, hidden: { type: "string" }, damping: { type: "string" } },
);
const hidden = (given.hidden ?? "16-16").split("-").map((units) => positive(units, "hidden", 16));
const initialDamping = given.damping === undefined ? "auto" : Number(given.damping);
if (!json) console.log("set        folds 1-5  folds 6-10       all     limit   seconds  iterations");
let missed = 0;
for (const [name, limit] of Object.entries(LIMITS)) {
  const rows = readUci(name);
  const masks = readUci(`${name}.test_mask`);
  const d = rows[0].length - 1;
  const errors = [];
  let iterations = 0;
  const start = performance.now();
  for (let fold = 0; fold < 10; fold++) {
    const part = (bit) => rows.filter((_, i) => masks[i][fold] === bit);
    const fit = part(0);
    const test = part(1);
    const data = { inputs: fit.map((row) => row.slice(0, d)), targets: fit.map((row) => row[d]) };
    const method = levenbergMarquardt({ initialDamping });
    const result = await train(network({ layers: [d, ...hidden, 1], seed: fold }), data, { method });
    const predicted = result.network.predict(test.map((row) => row.slice(0, d)));
    errors.push(Math.sqrt(mean(test.map((row, i) => (predicted[i] - row[d]) ** 2))));
    iterations += result.iterations;
  }
  const seconds = (performance.now() - start) / 1000;
  const [first, second, all] = [mean(errors.slice(0, 5)), mean(errors.slice(5)), mean(errors)];
  if (!(all < limit)) missed++;
  if (json) console.log(JSON.stringify({ name, first, second, all, limit, seconds, errors }));
  else {
    const cells = [first, second, all].map((value) => value.toFixed(4).padStart(10)).join("");
    console.log(
      `${name.padEnd(10)}${cells}${limit.toFixed(2).padStart(10)}${seconds.toFixed(1).padStart(10)}${(iterations / 10).toFixed(0).padStart(10)}${all < limit ? "" : "   MISSED"}`,
    );
  }
}
process.exitCode = missed > 0 ? 1 : 0;

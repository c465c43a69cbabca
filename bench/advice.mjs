// Measures whether the advice after a training is right: this program trains as a user would, follows the advice, and compares the errors
// of the two runs on a test part that neither run used. For each case it prints how often the advice was given, and the median ratio of the
// test RMSE after to before, over the splits with the advice and over those without it. A developer runs it by hand after `npm run build`;
// docs/advice.md quotes its figures.
//   GAUSSFLOW_DATA=... node bench/advice.mjs [--seeds 20]
import { network, Random, readCsv, squaredError, train } from "../dist/index.js";
import { parseOptions, positive } from "./lib/options.mjs";
import { median } from "./lib/statistics.mjs";
import { readUci } from "./lib/uci.mjs";

const given = parseOptions("usage: GAUSSFLOW_DATA=... node bench/advice.mjs [--seeds 20]", {
  seeds: { type: "string" },
});
const seeds = positive(given.seeds ?? "20", "seeds", 20);

const cars = await readCsv("examples/data/auto-mpg.csv", { target: "mpg", ignore: "name", missing: "mean" });
const carRows = Array.from(cars.targets, (y, i) => [
  ...cars.inputs.subarray(i * cars.inputSize, (i + 1) * cars.inputSize),
  y,
]);

/** A smooth function of three inputs without noise: a surrogate model's data. */
function surrogate() {
  const random = new Random(7);
  return Array.from({ length: 600 }, () => {
    const [a, b, c] = [0, 1, 2].map(() => 2 * random.uniform() - 1);
    return [a, b, c, Math.sin(2 * a) * b + Math.exp(-c * c) + a * c];
  });
}

const quartered = (setting) => ({ ...setting, hidden: [4] });
const single = (setting) => ({ ...setting, hidden: [1] });
const decayed = (setting) => ({ ...setting, decay: 1 });
const allRows = ({ fewer: _, ...setting }) => setting;

/** Four inputs and the noise of a sensor. */
function noisy() {
  const random = new Random(9);
  return Array.from({ length: 400 }, () => {
    const [a, b, c, d] = [0, 1, 2, 3].map(() => 2 * random.uniform() - 1);
    return [a, b, c, d, Math.sin(2 * a) + b * c + 0.3 * random.normal()];
  });
}

const CASES = [
  [
    "noisy 16-16, 280 rows",
    "overfitting",
    noisy(),
    { hidden: [16, 16] },
    { "one layer of 4 units": quartered, "decay 1": decayed },
  ],
  [
    "auto-mpg 16-16",
    "overfitting",
    carRows,
    { hidden: [16, 16] },
    { "one layer of 4 units": quartered, "decay 1": decayed },
  ],
  ["auto-mpg 4", "overfitting", carRows, { hidden: [4] }, { "one layer of 4 units": quartered, "decay 1": decayed }],
  [
    "yacht 16-16",
    "overfitting",
    readUci("yacht"),
    { hidden: [16, 16] },
    { "one layer of 4 units": quartered, "decay 1": decayed },
  ],
  [
    "concrete 16-16, 200 rows",
    "overfitting",
    readUci("concrete"),
    { hidden: [16, 16], fewer: 200 },
    { "one layer of 4 units": quartered, "decay 1": decayed, "all rows": allRows },
  ],
  [
    "wine 16-16, 300 rows",
    "overfitting",
    readUci("wine"),
    { hidden: [16, 16], fewer: 300 },
    { "one layer of 4 units": quartered, "decay 1": decayed, "all rows": allRows },
  ],
  [
    "energy 16-16",
    "overfitting",
    readUci("energy"),
    { hidden: [16, 16] },
    { "one layer of 4 units": quartered, "decay 1": decayed },
  ],
  [
    "concrete 4",
    "noise",
    readUci("concrete"),
    { hidden: [4], fewer: 400 },
    { "decay 1": decayed, "all rows": allRows },
  ],
  [
    "auto-mpg 8, 35 rows",
    "few-rows",
    carRows,
    { hidden: [8], fewer: 35 },
    { "one layer of 4 units": quartered, "one layer of 1 unit": single, "decay 1": decayed, "all rows": allRows },
  ],
  [
    "surrogate, decay 0.01",
    "decay",
    surrogate(),
    { hidden: [12], decay: 0.01 },
    { "decay 0.0001": (s) => ({ ...s, decay: 1e-4 }), "no decay": (s) => ({ ...s, decay: 0 }) },
  ],
  [
    "auto-mpg 16-16, decay 1",
    "decay",
    carRows,
    { hidden: [16, 16], decay: 1 },
    { "no decay": (s) => ({ ...s, decay: 0 }) },
  ],
  [
    "concrete 8, 5 iterations",
    "iterations",
    readUci("concrete"),
    { hidden: [8], iterations: 5 },
    { "100 iterations": (s) => ({ ...s, iterations: 100 }) },
  ],
  [
    "auto-mpg 4, 60 iterations",
    "iterations",
    carRows,
    { hidden: [4], iterations: 60 },
    { "200 iterations": (s) => ({ ...s, iterations: 200 }) },
  ],
];

/** Test RMSE of one training, and the codes of its advice. */
async function judged({ fit, test }, { hidden, decay = 0, iterations = 200, fewer = Number.POSITIVE_INFINITY }, seed) {
  const d = test[0].length - 1;
  const rows = fit.slice(0, fewer);
  const data = { inputs: rows.map((row) => row.slice(0, d)), targets: rows.map((row) => row[d]) };
  const net = network({ layers: [d, ...hidden, 1], seed });
  const result = await train(net, data, { loss: squaredError({ decay }), stop: { iterations } });
  const predicted = result.network.predict(test.map((row) => row.slice(0, d)));
  const squares = test.map((row, i) => (predicted[i] - row[d]) ** 2);
  return {
    rmse: Math.sqrt(squares.reduce((sum, one) => sum + one, 0) / test.length),
    codes: result.advice.map(({ code }) => code),
  };
}

/** A part of 30% for the test, another for each seed. */
function cut(rows, seed) {
  const order = new Random(seed + 100).permutation(rows.length);
  const first = Math.round(0.3 * rows.length);
  const part = (from, until) => Array.from(order.subarray(from, until), (row) => rows[row]);
  return { test: part(0, first), fit: part(first, rows.length) };
}

console.log(
  "case                        advice        given   followed by              after/before: given    not given",
);
for (const [name, code, rows, setting, followed] of CASES) {
  const runs = [];
  for (let seed = 0; seed < seeds; seed++) {
    const parts = cut(rows, seed);
    const before = await judged(parts, setting, seed);
    const ratios = {};
    for (const [how, change] of Object.entries(followed)) {
      ratios[how] = (await judged(parts, change(setting), seed)).rmse / before.rmse;
    }
    runs.push({ given: before.codes.includes(code), codes: before.codes, ratios });
  }
  const others = [...new Set(runs.flatMap(({ codes }) => codes))].filter((other) => other !== code);
  Object.keys(followed).forEach((how, k) => {
    const of = (was) => runs.filter((one) => one.given === was).map(({ ratios }) => ratios[how]);
    const show = (list) => (list.length === 0 ? "-" : median(list).toFixed(3)).padStart(10);
    const head =
      k === 0 ? `${name.padEnd(28)}${code.padEnd(14)}${`${of(true).length}/${seeds}`.padEnd(8)}` : "".padEnd(50);
    const also = k === 0 && others.length > 0 ? `   also: ${others.join(", ")}` : "";
    console.log(`${head}${how.padEnd(34)}${show(of(true))}${show(of(false)).padStart(13)}${also}`);
  });
}

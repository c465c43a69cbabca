// Measures whether the sizes and the weight decay that fitTable() chooses fit the table: the test RMSE of its network against that of the best
// network of its list, chosen by the test rows, and against 16-16 with early stopping, which was the default before. The tables are the five
// UCI sets (ten folds by the published masks) and three made ones with noise (ten draws each, lib/made-tables.mjs). Exits with 1 where the
// median ratio is above 1.05, a ratio above 1.15, or a table is above 16-16 by more than 1%. A developer runs it by hand after `npm run build`;
// it takes about 20 minutes on two cores.
//   GAUSSFLOW_DATA=... node bench/fit.mjs [--only NAME,NAME] [--folds 10] [--json]

import { DECAYS, layersText, sizeCandidates } from "../dist/fit/candidates.js";
import { dataset, fitTable, network, squaredError, trainMany } from "../dist/index.js";
import { machineLine } from "./lib/machine.mjs";
import { MADE_TABLES, madeTable } from "./lib/made-tables.mjs";
import { defaultThreads, parseOptions, positive } from "./lib/options.mjs";
import { mean, median } from "./lib/statistics.mjs";
import { readUci, UCI_SETS } from "./lib/uci.mjs";

const MOST = { median: 1.05, ratio: 1.15, before: 1.01 };
const BEFORE = { hidden: [16, 16], decay: 0 };

const options = parseOptions("usage: GAUSSFLOW_DATA=... node bench/fit.mjs [--only NAME,NAME] [--folds 10] [--json]", {
  only: { type: "string" },
  folds: { type: "string" },
  json: { type: "boolean" },
});
const folds = positive(options.folds, "folds", 10);
const threads = defaultThreads();
const names = [...UCI_SETS, ...Object.keys(MADE_TABLES)].filter(
  (name) => options.only === undefined || options.only.split(",").includes(name),
);

/** Rows to fit and rows to test by, the target last. */
function partsOf(name, fold) {
  if (name in MADE_TABLES) return madeTable(name, fold);
  const [rows, masks] = [readUci(name), readUci(`${name}.test_mask`)];
  const part = (bit) => rows.filter((_, i) => masks[i][fold] === bit);
  return { fit: part(0), test: part(1) };
}

const inputsOf = (rows) => rows.map((row) => row.slice(0, -1));
const rmse = (net, test) => {
  const predicted = net.predict(inputsOf(test));
  return Math.sqrt(mean(test.map((row, i) => (predicted[i] - row.at(-1)) ** 2)));
};
const nameOf = ({ hidden, decay }) => `${layersText(hidden)}, decay ${decay}`;

/** The test RMSE of every network of the list, and of 16-16, each trained as fitTable trains its choice. */
async function listErrors(data, test, seed) {
  const list = sizeCandidates({ rows: data.sampleCount, inputSize: data.inputSize, outputSize: 1 }).flatMap((hidden) =>
    DECAYS.map((decay) => ({ hidden, decay })),
  );
  if (!list.some((one) => nameOf(one) === nameOf(BEFORE))) list.push(BEFORE);
  const jobs = list.map(({ hidden, decay }) => ({
    network: network({ layers: [data.inputSize, ...hidden, 1], seed }),
    data,
    // The default draws a validation part.
    options: { loss: squaredError({ decay }), ...(decay === 0 ? {} : { validation: false }) },
  }));
  const { results } = await trainMany(jobs, { threads });
  return list.map((one, k) => ({ ...one, error: rmse(results[k].result.network, test) }));
}

async function measure(name) {
  const start = performance.now();
  const errors = [];
  const lists = new Map();
  const choices = [];
  let searching = 0;
  for (let fold = 0; fold < folds; fold++) {
    const { fit, test } = partsOf(name, fold);
    const data = dataset({ inputs: inputsOf(fit), targets: fit.map((row) => row.at(-1)) });
    const fitted = await fitTable(data, { seed: fold, threads });
    errors.push(rmse(fitted.network, test));
    choices.push(nameOf(fitted.search));
    searching += fitted.search.seconds;
    for (const one of await listErrors(data, test, fold)) {
      const key = nameOf(one);
      lists.set(key, [...(lists.get(key) ?? []), one.error]);
    }
  }
  // Sizes that the list has on some folds only are no choice for all of them.
  const complete = [...lists].filter(([, list]) => list.length === folds).map(([key, list]) => [key, mean(list)]);
  const [bestName, best] = complete.reduce((least, one) => (one[1] < least[1] ? one : least));
  const before = mean(lists.get(nameOf(BEFORE)));
  const auto = mean(errors);
  const seconds = (performance.now() - start) / 1000;
  return {
    name,
    auto,
    best,
    bestName,
    before,
    ratio: auto / best,
    overBefore: auto / before,
    choices,
    searching,
    seconds,
  };
}

const usual = (choices) => {
  const counts = choices.map((one) => choices.filter((other) => other === one).length);
  const most = Math.max(...counts);
  return `${choices[counts.indexOf(most)]} (${most} of ${choices.length})`;
};

if (!options.json) {
  console.log(machineLine(threads));
  console.log(
    "table        auto     best of the list, by the test rows     ratio     16-16   ratio    search  chosen most often",
  );
}
const results = [];
for (const name of names) {
  const one = await measure(name);
  results.push(one);
  if (options.json) console.log(JSON.stringify(one));
  else
    console.log(
      [
        name.padEnd(10),
        one.auto.toFixed(4).padStart(8),
        one.best.toFixed(4).padStart(9),
        `  ${one.bestName}`.padEnd(28),
        one.ratio.toFixed(3).padStart(8),
        one.before.toFixed(4).padStart(10),
        one.overBefore.toFixed(3).padStart(8),
        `${(one.searching / folds).toFixed(1)} s`.padStart(10),
        `  ${usual(one.choices)}`,
      ].join(""),
    );
}
const ratios = results.map(({ ratio }) => ratio);
const faults = [
  ...(median(ratios) > MOST.median ? [`the median ratio ${median(ratios).toFixed(3)} is above ${MOST.median}`] : []),
  ...results.flatMap(({ name, ratio, overBefore }) => [
    ...(ratio > MOST.ratio ? [`${name}: ${ratio.toFixed(3)} times the best of the list, above ${MOST.ratio}`] : []),
    ...(overBefore > MOST.before ? [`${name}: ${overBefore.toFixed(3)} times 16-16, above ${MOST.before}`] : []),
  ]),
];
const whole = names.length === UCI_SETS.length + Object.keys(MADE_TABLES).length && folds === 10;
if (!options.json) {
  console.log(`median ratio ${median(ratios).toFixed(3)}, largest ${Math.max(...ratios).toFixed(3)}`);
  for (const fault of faults) console.log(`MISSED: ${fault}`);
  if (!whole) console.log("not all tables and folds: no verdict on the whole list");
}
process.exitCode = faults.length > 0 ? 1 : 0;

// Predicts the seconds of an iteration on 1 and 2 ranks of one thread each from rates that the same run measures on an eighth of the rows,
// and prints them beside the measured ones. Exits with 1 where one is off by more than a fifth. Then it prints what the rates promise for up to
// 1,000 ranks: a model, in which a sum over R ranks takes log2 R times as long as one over 2. A developer runs it by hand after `npm run build`
// and `npx gaussflow build --mpi`; it takes some minutes.
//   node bench/scaling.mjs [--only NAME] [--iterations 5] [--rounds 3] [--json]
import { machineLine } from "./lib/machine.mjs";
import { parseOptions, positive } from "./lib/options.mjs";
import { answerOfRanks } from "./lib/ranks.mjs";
import { median } from "./lib/statistics.mjs";

const MOST_OFF = 0.2;
const PROBLEMS = {
  "20-16-1": { layers: [20, 16, 1], rows: 2_400_000 },
  "8-32-32-1": { layers: [8, 32, 32, 1], rows: 200_000 },
  "64-48-10": { layers: [64, 48, 10], rows: 24_000 },
};

const options = parseOptions("usage: node bench/scaling.mjs [--only NAME] [--iterations N] [--rounds N] [--json]", {
  only: { type: "string" },
  iterations: { type: "string" },
  rounds: { type: "string" },
  json: { type: "boolean" },
});
const iterations = positive(options.iterations, "iterations", 5);
const rounds = positive(options.rounds, "rounds", 3);

function run(name, ranks) {
  const settings = JSON.stringify({ ...PROBLEMS[name], iterations, rounds });
  return answerOfRanks(ranks === 1 ? null : ranks, new URL("./lib/scaling-process.mjs", import.meta.url), [settings]);
}

/** Seconds as a line through the two sizes that were measured: of one row, and of none. */
function line(name, { sizes: [few, many], small, large }) {
  const perRow = Math.max(0, (large[name] - small[name]) / (many - few));
  return { perRow, fixed: Math.max(0, small[name] - perRow * few) };
}

/** What an iteration of `trials` trials takes on each of `ranks` ranks. */
function predict(rates, rows, ranks, trials) {
  const share = rows / ranks;
  const [linearize, evaluate] = ["linearize", "evaluate"].map((name) => line(name, rates));
  const compute = linearize.fixed + linearize.perRow * share + trials * (evaluate.fixed + evaluate.perRow * share);
  const factor = trials * rates.large.solve;
  // Two small sums for loss and status a linearization, and two a trial.
  const sum = ranks === 1 ? 0 : Math.log2(ranks) * (rates.sum + (2 + 2 * trials) * rates.latency);
  return { compute, factor, sum, seconds: compute + factor + sum };
}

const ms = (seconds) => `${(1000 * seconds).toFixed(seconds < 0.1 ? 1 : 0)} ms`.padStart(10);

function model(rates, rows) {
  console.log(
    "  ranks   rows a rank    compute     factor        sum  efficiency (the same rows)  (as many rows a rank)",
  );
  const alone = predict(rates, rows, 1, 1).seconds;
  for (const ranks of [1, 2, 4, 10, 32, 100, 320, 1000]) {
    const strong = predict(rates, rows, ranks, 1);
    const weak = predict(rates, rows * ranks, ranks, 1);
    console.log(
      `${String(ranks).padStart(7)} ${String(Math.ceil(rows / ranks)).padStart(13)} ${ms(strong.compute)} ${ms(strong.factor)} ${ms(strong.sum)} ${((100 * alone) / ranks / strong.seconds).toFixed(0).padStart(10)} % ${((100 * alone) / weak.seconds).toFixed(0).padStart(25)} %`,
    );
  }
  const [linearize, evaluate] = ["linearize", "evaluate"].map((name) => line(name, rates).perRow);
  const { factor, sum } = predict(rates, rows, 1000, 1);
  const even = Math.ceil((factor + sum) / (linearize + evaluate));
  console.log(`  break-even at 1000 ranks: below ${even} rows a rank sums and factor take longer than the rows`);
}

let off = 0;
if (!options.json) console.log(machineLine(1, null));
for (const name of Object.keys(PROBLEMS).filter((one) => one.startsWith(options.only ?? ""))) {
  const { rows } = PROBLEMS[name];
  let last;
  for (const ranks of [1, 2]) {
    const rates = run(name, ranks);
    const measured = median(rates.measured.map(({ seconds }) => seconds));
    const predicted = median(rates.measured.map(({ trials }) => predict(rates, rows, ranks, trials).seconds));
    const parts = predict(rates, rows, ranks, median(rates.measured.map(({ trials }) => trials)));
    const ratio = predicted / measured;
    if (Math.abs(ratio - 1) > MOST_OFF) off++;
    if (options.json) console.log(JSON.stringify({ name, rows, ranks, ...parts, predicted, measured, ratio }));
    else
      console.log(
        `${name}, p = ${rates.parameters}, ${rows} rows, ${ranks} rank${ranks === 1 ? "" : "s"}: compute${ms(parts.compute)}, factor${ms(parts.factor)}, sum${ms(parts.sum)}; predicted ${predicted.toFixed(3)} s, measured ${measured.toFixed(3)} s an iteration, ratio ${ratio.toFixed(2)}`,
      );
    last = rates;
  }
  if (!options.json) model(last, rows);
}
if (off > 0) {
  console.error(`${off} predictions are off by more than ${100 * MOST_OFF}%`);
  process.exitCode = 1;
}

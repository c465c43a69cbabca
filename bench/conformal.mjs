// Coverage of conformal intervals at 0.9 over simulated sets, whatever the noise: split from held-out rows, and by CV+ from five folds. Sine
// with 1-8-1 tanh (p = 25). A developer runs it by hand after `npm run build`.
//   node bench/conformal.mjs [--sets 200] [--rows 200] [--json]
// A split trains on half of the rows and calibrates on the others; the folds use all of them. "gaussian" is a split of a network that predicts a
// deviation (gaussianNll), whose intervals follow the noise: "worst third" is the coverage in the third of the inputs where it is lowest.
// Limits: 0.88 to 0.92 on average over the sets.
import {
  conformal,
  crossConformal,
  crossValidate,
  gaussianNll,
  network,
  Random,
  squaredError,
  train,
} from "../dist/index.js";
import { sine } from "./lib/noisy-sine.mjs";
import { parseOptions, positive } from "./lib/options.mjs";
import { mean } from "./lib/statistics.mjs";

const LEVEL = 0.9;
const LIMITS = [0.88, 0.92];
const TEST_ROWS = 500;

/** Noises of mean 0: normal, Student's t with two degrees of freedom, an exponential less its mean, and one that grows with |x|. */
const NOISES = {
  normal: (r) => 0.3 * r.normal(),
  "heavy-tailed": (r) => (0.2 * r.normal()) / Math.sqrt((r.normal() ** 2 + r.normal() ** 2) / 2),
  skewed: (r) => 0.3 * (-Math.log(1 - r.uniform()) - 1),
  heteroscedastic: (r, x) => (0.05 + 0.2 * Math.abs(x)) * r.normal(),
};

const { json, ...given } = parseOptions("usage: node bench/conformal.mjs [--sets 200] [--rows 200] [--json]", {
  json: { type: "boolean" },
  sets: { type: "string" },
  rows: { type: "string" },
});
const sets = positive(given.sets ?? "200", "sets", 200);
const rows = positive(given.rows ?? "200", "rows", 200);

function draw(seed, count, noise) {
  const random = new Random(seed, 2);
  const inputs = Array.from({ length: count }, () => [-3 + 6 * random.uniform()]);
  return { inputs, targets: inputs.map(([x]) => sine(x) + noise(random, x)) };
}

const part = ({ inputs, targets }, from, to) => ({ inputs: inputs.slice(from, to), targets: targets.slice(from, to) });

/** Share inside, overall and by thirds of |x|, and the mean width. */
async function coverage(intervals, test) {
  const { lower, upper } = await intervals.predict(test.inputs, { intervals: LEVEL, threads: 1 });
  const inside = test.targets.map((y, i) => (y >= lower[i] && y <= upper[i] ? 1 : 0));
  const thirds = [0, 1, 2].map((k) =>
    mean(inside.filter((_, i) => Math.min(2, Math.floor(Math.abs(test.inputs[i][0]))) === k)),
  );
  return { share: mean(inside), thirds, width: mean(inside.map((_, i) => upper[i] - lower[i])) };
}

const decayed = { loss: squaredError({ decay: 0.01 }), validation: false, threads: 1, stop: { iterations: 60 } };

/** The three kinds of intervals of one set. */
async function intervalsOf(data, seed) {
  const net = network({ layers: [1, 8, 1], seed });
  const half = Math.floor(rows / 2);
  const [fit, held] = [part(data, 0, half), part(data, half, rows)];
  const { network: split } = await train(net, fit, decayed);
  const two = network({ layers: [1, 8, 2], seed });
  const { network: gaussian } = await train(two, fit, { ...decayed, loss: gaussianNll({ decay: 0.1 }) });
  const folds = await crossValidate({ network: net, data, options: decayed }, { folds: 5, seed });
  return {
    split: await conformal(split, held, { threads: 1 }),
    folds: await crossConformal(folds, { threads: 1 }),
    gaussian: await conformal(gaussian, held, { threads: 1 }),
  };
}

let missed = 0;
if (!json) console.log("noise            intervals  coverage   lowest set  worst third   width");
for (const [name, noise] of Object.entries(NOISES)) {
  const found = { split: [], folds: [], gaussian: [] };
  for (let seed = 1; seed <= sets; seed++) {
    const test = draw(100_000 + seed, TEST_ROWS, noise);
    for (const [kind, intervals] of Object.entries(await intervalsOf(draw(seed, rows, noise), seed)))
      found[kind].push(await coverage(intervals, test));
  }
  for (const [kind, list] of Object.entries(found)) {
    const share = mean(list.map((one) => one.share));
    const worst = Math.min(...[0, 1, 2].map((k) => mean(list.map(({ thirds }) => thirds[k]))));
    const lowest = Math.min(...list.map((one) => one.share));
    const width = mean(list.map((one) => one.width));
    const fails = !(share >= LIMITS[0] && share <= LIMITS[1]);
    if (fails) missed++;
    if (json) console.log(JSON.stringify({ noise: name, kind, share, lowest, worst, width, sets }));
    else
      console.log(
        `${name.padEnd(17)}${kind.padEnd(11)}${share.toFixed(4).padStart(8)}${lowest.toFixed(3).padStart(13)}${worst.toFixed(3).padStart(13)}${width.toFixed(2).padStart(8)}${fails ? "   MISSED" : ""}`,
      );
  }
}
process.exitCode = missed > 0 ? 1 : 0;

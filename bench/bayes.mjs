// Bayesian regularization against a decay chosen by 5-fold cross-validation, on noisy sines with 40 tanh units (p = 121): test RMSE over that
// of the other, of one start each. A developer runs it by hand after `npm run build`.
//   node bench/bayes.mjs [--sets 20] [--rows 60] [--noise 0.2] [--json]
// The test rows are new ones with noise; "function" is the same ratio against the sine itself, which no choice of a decay knows. The runs are
// repeated with a first decay of 1 and of 1e-6. Limits: median ratio 1.05, largest 1.3, below 20 effective parameters, none below 1.
import { bayesianRegularization, crossValidation, network, squaredError, train, trainMany } from "../dist/index.js";
import { noisySine, sine } from "./lib/noisy-sine.mjs";
import { parseOptions, positive } from "./lib/options.mjs";
import { mean } from "./lib/statistics.mjs";

const LIMITS = { median: 1.05, largest: 1.3, effective: 20 };
const FIRST_DECAYS = [1e-2, 1, 1e-6];
/** From nearly none to what flattens the sine, by half powers of ten. */
const DECAYS = Array.from({ length: 13 }, (_, k) => 10 ** (k / 2 - 5));

const { json, ...given } = parseOptions("usage: node bench/bayes.mjs [--sets 20] [--rows 60] [--noise 0.2] [--json]", {
  json: { type: "boolean" },
  sets: { type: "string" },
  rows: { type: "string" },
  noise: { type: "string" },
});
const sets = positive(given.sets ?? "20", "sets", 20);
const rows = positive(given.rows ?? "60", "rows", 60);
const noise = Number(given.noise ?? 0.2);

const rmse = (errors) => Math.sqrt(mean(errors.map((error) => error ** 2)));

/** Errors on new rows, and against the function on the same inputs. */
function errorsOf(net, test) {
  const predicted = net.predict(test.inputs);
  return {
    test: rmse(test.targets.map((y, i) => predicted[i] - y)),
    function: rmse(test.inputs.map(([x], i) => predicted[i] - sine(x))),
  };
}

const fixed = (decay) => ({ loss: squaredError({ decay }), validation: false });

/** The decay of the lowest mean squared error on rows that were held out. */
async function chosenDecay(net, data, seed) {
  const jobs = DECAYS.flatMap((decay) =>
    crossValidation({ network: net, data, options: fixed(decay) }, 5, seed).map((job) => ({
      ...job,
      label: `${decay}`,
    })),
  );
  const { results } = await trainMany(jobs);
  const errors = DECAYS.map((decay) => {
    const folds = results.filter(({ label }) => label === `${decay}`);
    const squares = folds.flatMap(({ job: { fold }, result }) => {
      const predicted = result.network.predict(fold.held.inputs);
      return [...fold.held.targets].map((y, i) => (predicted[i] - y) ** 2);
    });
    return mean(squares);
  });
  return DECAYS[errors.indexOf(Math.min(...errors))];
}

const quantile = (values, share) => values.toSorted((a, b) => a - b)[Math.round(share * (values.length - 1))];
const found = [];
for (let seed = 1; seed <= sets; seed++) {
  const data = noisySine(seed, rows, noise);
  const test = noisySine(1000 + seed, 1000, noise);
  const net = network({ layers: [1, 40, 1], seed });
  const decay = await chosenDecay(net, data, seed);
  const chosen = errorsOf((await train(net, data, fixed(decay))).network, test);
  for (const firstDecay of FIRST_DECAYS) {
    const {
      network: own,
      evidence,
      iterations,
    } = await train(net, data, {
      method: bayesianRegularization({ firstDecay }),
    });
    const errors = errorsOf(own, test);
    const { effectiveParameters, decay: settled } = evidence;
    const ratios = { test: errors.test / chosen.test, function: errors.function / chosen.function };
    const line = { seed, firstDecay, ...ratios, effectiveParameters, decay: settled, chosen: decay, iterations };
    found.push(line);
    if (json) console.log(JSON.stringify(line));
  }
}
let missed = 0;
if (!json) console.log("first decay    median   largest  function: median   largest   effective         iterations");
for (const firstDecay of FIRST_DECAYS) {
  const of = (name) => found.filter((line) => line.firstDecay === firstDecay).map((line) => line[name]);
  const [median, largest] = [quantile(of("test"), 0.5), Math.max(...of("test"))];
  const effective = of("effectiveParameters");
  const [fewest, most] = [Math.min(...effective), Math.max(...effective)];
  const fails = !(median <= LIMITS.median && largest <= LIMITS.largest && most < LIMITS.effective && fewest >= 1);
  if (fails) missed++;
  const cells = [median, largest, quantile(of("function"), 0.5), Math.max(...of("function"))].map((v) => v.toFixed(3));
  if (!json)
    console.log(
      `${`${firstDecay}`.padStart(11)}${cells[0].padStart(10)}${cells[1].padStart(10)}${cells[2].padStart(18)}${cells[3].padStart(10)}   ${fewest.toFixed(1)} to ${most.toFixed(1)}   ${Math.min(...of("iterations"))} to ${Math.max(...of("iterations"))}${fails ? "   MISSED" : ""}`,
    );
}
process.exitCode = missed > 0 ? 1 : 0;

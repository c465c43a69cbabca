// Measures whether intervals hold what they promise: `node bench/intervals.mjs [SETS]`, default 200 simulated sets for each size.
// Each set has 200 rows of two inputs with 10% noise around one of three functions in turn, and a network 2-h-1 of p = 4 h + 1 parameters, trained by
// bayesianRegularization, by no decay, or with the rows of a validation part held out. Printed: the share of new observations in their
// 90% intervals, the share of mean values in theirs, and the smallest share of a single set; then the correlation of
// leave-one-out residuals with those of refits that start at the network, and their difference on a linear model. The exit code is 1 where, with
// bayesianRegularization, the first is not 0.88 to 0.92 or the second not 0.85 to 0.93, a training without decay has no warning, a correlation is
// below 0.99, or the difference is above 1e-10.
import { bayesianRegularization, gaussNewton, network, Random, squaredError, train } from "../dist/index.js";

const sets = Number(process.argv[2] ?? 200);
const [rows, fresh, level, noise] = [200, 500, 0.9, 0.1];
const functions = [
  (a, b) => Math.tanh(2 * a + b) + 0.5 * Math.sin(2 * b),
  (a, b) => a * b,
  (a, b) => Math.sin(Math.PI * a) + Math.cos(2 * b),
];

function simulated(set) {
  const random = new Random(1000 + set);
  const truth = functions[set % functions.length];
  const draw = (count) => Array.from({ length: count }, () => [2 * random.uniform() - 1, 2 * random.uniform() - 1]);
  const inputs = draw(rows);
  const values = inputs.map(([a, b]) => truth(a, b));
  const mean = values.reduce((sum, one) => sum + one, 0) / rows;
  const sigma = noise * Math.sqrt(values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / rows);
  const points = draw(fresh);
  const means = points.map(([a, b]) => truth(a, b));
  return {
    data: { inputs, targets: values.map((one) => one + sigma * random.normal()) },
    points,
    means,
    observations: means.map((one) => one + sigma * random.normal()),
  };
}

async function coverage(hidden, options) {
  let [observed, held, least, warned, missing, gamma] = [0, 0, 1, 0, 0, 0];
  for (let set = 0; set < sets; set++) {
    const { data, points, means, observations } = simulated(set);
    const net = network({ layers: [2, hidden, 1], seed: set });
    const stop = { iterations: 500 };
    const { uncertainty } = await train(net, data, { uncertainty: true, threads: 1, stop, ...options });
    if (uncertainty === null) {
      missing++;
      continue;
    }
    gamma += uncertainty.effectiveParameters;
    if (uncertainty.warnings.length > 0) warned++;
    const { lower, upper, meanLower, meanUpper } = await uncertainty.predict(points, { intervals: level, threads: 1 });
    const inside = observations.filter((one, i) => one >= lower[i] && one <= upper[i]).length / fresh;
    observed += inside;
    least = Math.min(least, inside);
    held += means.filter((one, i) => one >= meanLower[i] && one <= meanUpper[i]).length / fresh;
  }
  const n = sets - missing;
  return { observed: observed / n, held: held / n, least, gamma: gamma / n, warned, missing };
}

const show = (value) => value.toFixed(3);
console.log(`${sets} sets of ${rows} rows, nominal ${level}`);
console.log("p   trained              new observations  mean function  least of a set  gamma  with warnings");
for (const hidden of [5, 10])
  for (const [name, options] of [
    ["bayesian", { validation: false, method: bayesianRegularization() }],
    ["no decay", { validation: false }],
    ["no decay, validated", {}],
  ]) {
    const { observed, held, least, gamma, warned, missing } = await coverage(hidden, options);
    const held90 = observed >= 0.88 && observed <= 0.92 && held >= 0.85 && held <= 0.93;
    if (name === "bayesian" ? !held90 || missing > 0 : missing === sets || warned < sets - missing)
      process.exitCode = 1;
    const lost = missing > 0 ? `, ${missing} not measured` : "";
    console.log(
      `${4 * hidden + 1}  ${name.padEnd(20)} ${show(observed).padStart(17)} ${show(held).padStart(14)} ${show(least).padStart(15)} ${gamma.toFixed(1).padStart(6)}  ${warned}${lost}`,
    );
  }

/** Correlation of two lists. */
function correlation(x, y) {
  const mean = (list) => list.reduce((sum, one) => sum + one, 0) / list.length;
  const [mx, my] = [mean(x), mean(y)];
  const sum = (f) => x.reduce((total, _, i) => total + f(x[i] - mx, y[i] - my), 0);
  return sum((a, b) => a * b) / Math.sqrt(sum((a) => a * a) * sum((_, b) => b * b));
}

/** Residuals of some rows by the formula and by training again from the network without the row, with the same decay and units. */
async function leftOut(hidden, count) {
  const { data } = simulated(0);
  const layers = hidden === 0 ? [2, 1] : [2, hidden, 1];
  const exact = { iterations: 500, step: 0, reduction: 0, gradient: 1e-14 };
  const linear = hidden === 0;
  const method = linear ? gaussNewton() : bayesianRegularization();
  const found = await train(network({ layers, seed: 1 }), data, {
    validation: false,
    threads: 1,
    method,
    stop: { iterations: 500 },
  });
  const refitted = linear ? { method: gaussNewton() } : {};
  const options = {
    ...refitted,
    validation: false,
    threads: 1,
    loss: squaredError({ decay: found.lossUsed.decay }),
    stop: exact,
  };
  const { network: net, uncertainty } = await train(found.network, data, { ...options, uncertainty: true });
  const [formula, refits] = [[], []];
  for (let row = 0; row < count; row++) {
    const others = (list) => list.filter((_, i) => i !== row);
    const part = { inputs: others(data.inputs), targets: others(data.targets) };
    const refit = await train(net, part, options);
    formula.push(uncertainty.rows.leaveOneOut[row]);
    refits.push(data.targets[row] - refit.network.predict([data.inputs[row]])[0]);
  }
  const largest = Math.max(...formula.map((one, i) => Math.abs(one - refits[i])));
  const plain = [...uncertainty.rows.residuals].slice(0, count);
  return { correlation: correlation(formula, refits), plain: correlation(plain, refits), largest };
}

for (const hidden of [0, 5, 10]) {
  const { correlation: found, plain, largest } = await leftOut(hidden, rows);
  if (!(found >= 0.99) || (hidden === 0 && !(largest <= 1e-10))) process.exitCode = 1;
  console.log(
    `leave-one-out residuals, ${hidden} hidden units: correlation with refits ${found.toFixed(6)} (plain residuals ${plain.toFixed(6)}), largest difference ${largest.toExponential(1)}`,
  );
}

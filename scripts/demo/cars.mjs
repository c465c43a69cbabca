// npm run demo (scripts/demo.mjs): trains a network to predict the fuel consumption of 398 cars, and prints its errors beside those of three
// baselines on the same held-out rows.
import { join } from "node:path";
import {
  createEngine,
  dataset,
  gaussNewton,
  network,
  outOfRange,
  readCsv,
  standardize,
  train,
} from "../../dist/index.js";
import { metrics } from "../../dist/loss/metrics.js";
import { lossChart } from "../../dist/report/loss-chart.js";
import { formatNumber, formatSeconds } from "../../dist/report/numbers.js";
import { painterFor } from "../../dist/report/paint.js";
import { Progress } from "../../dist/report/progress.js";
import { textTable } from "../../dist/report/text-table.js";
import { root } from "../native/paths.mjs";
import { adam } from "./adam.mjs";
import { saveAndLoad } from "./save-and-load.mjs";

const SEED = 1;
const paint = painterFor(process.stdout);
const title = (text) => console.log(`\n${paint("title", text)}`);

title("1  Read examples/data/auto-mpg.csv");
const table = await readCsv(join(root, "examples", "data", "auto-mpg.csv"), {
  target: "mpg",
  ignore: "name",
  missing: "mean",
});
for (const note of table.notes) console.log(`  ${note}`);
if (table.missingCount > 0) console.log(`  ${table.missingCount} missing inputs are filled with the training mean`);
const parts = table.split({ validation: 0.15, test: 0.2, seed: SEED });
const { train: fit, validation, test } = parts;
console.log(
  `  ${fit.sampleCount} cars to train on, ${validation.sampleCount} to decide when to stop, ${test.sampleCount} held out`,
);

title(`2  Train ${fit.inputSize}-16-16-1 by Levenberg-Marquardt`);
const net = network({ layers: [fit.inputSize, 16, 16, 1], activation: "tanh", seed: SEED });
const progress = new Progress(process.stdout);
const result = await train(net, fit, { validation, onRecord: (record) => progress.record(record) });
progress.done();
console.log(`  ${result.chosen}`);
console.log(`  stopped after ${formatSeconds(result.seconds)}: ${result.reason.message}`);
console.log(
  `\n${lossChart(result.records, { width: Math.min(90, process.stdout.columns ?? 80), paint, kept: result.bestIteration })}`,
);

title("3  Compare on the held-out cars (miles per gallon)");
const rows = [];
const score = (name, predictions, note) => {
  const [one] = metrics(predictions, test.targets, test.targetNames);
  rows.push({ name, rmse: one.rmse, cells: [name, one.rmse.toFixed(3), one.mae.toFixed(3), one.r2.toFixed(4), note] });
  return one.rmse;
};
const mean = fit.targets.reduce((sum, value) => sum + value, 0) / fit.sampleCount;
score("mean of the training cars", new Float64Array(test.sampleCount).fill(mean), "");

// Least squares is one Gauss-Newton step on a network without hidden layers. One-hot columns sum to 1 and the bias is a
// constant too: the last one is left out of the linear model.
const linearInputs = (part) => {
  const d = part.inputSize;
  return Float64Array.from(
    { length: part.sampleCount * (d - 1) },
    (_, k) => part.inputs[Math.floor(k / (d - 1)) * d + (k % (d - 1))],
  );
};
const linear = await train(
  network({ layers: [fit.inputSize - 1, 1] }),
  dataset({ inputs: linearInputs(fit), targets: fit.targets, inputSize: fit.inputSize - 1 }),
  { method: gaussNewton(), validation: false },
);
score("linear least squares", linear.network.predict(linearInputs(test)), "closed form");

const scaling = standardize(fit);
const standard = (part) => ({
  sampleCount: part.sampleCount,
  inputs: part.inputs.map(
    (x, k) => (x - scaling.inputs.offset[k % part.inputSize]) / scaling.inputs.scale[k % part.inputSize],
  ),
  targets: part.targets.map((y) => (y - scaling.targets.offset[0]) / scaling.targets.scale[0]),
});
const { seconds } = result; // each learning rate gets as long as ours took
let rival = null;
for (const learningRate of [1e-3, 3e-3, 1e-2]) {
  const engines = [fit, validation].map((part) => createEngine(net.architecture, standard(part)));
  const point = await adam(engines[0], engines[1], net.parameters, learningRate, seconds);
  for (const engine of engines) engine.dispose();
  if (rival === null || point.validationLoss < rival.validationLoss) rival = { ...point, learningRate };
}
const adamError = score(
  "same network, Adam",
  net.withScaling(scaling).withParameters(rival.parameters).predict(test.inputs),
  `best of 3 rates (${rival.learningRate}), ${formatSeconds(seconds)} each, best at step ${rival.steps}`,
);
const ours = score(
  "same network, gaussflow",
  result.network.predict(test.inputs),
  `${formatSeconds(result.seconds)}, best at iteration ${result.bestIteration}`,
);
console.log(
  textTable(
    [
      { heading: "", align: "left" },
      { heading: "RMSE", align: "right" },
      { heading: "MAE", align: "right" },
      { heading: "R²", align: "right" },
      { heading: "", align: "left" },
    ],
    rows.map(({ cells }) => cells),
    paint,
  ),
);
const beaten = rows.filter(({ rmse }) => rmse > ours).map(({ name }) => name);
console.log(`  beaten here: ${beaten.join(", ") || "none"}`);
if (adamError < ours)
  console.log(
    `  Adam wins here: RMSE ${formatNumber(adamError)} against ${formatNumber(ours)} on ${test.sampleCount} held-out cars, one split.`,
  );

// What the method is for: the minimum itself. The same start and the same seconds on the training cars, nothing held out.
const deep = await train(net, fit, { validation: false });
let closest = null;
for (const learningRate of [1e-3, 3e-3, 1e-2]) {
  const engines = [fit, fit].map((part) => createEngine(net.architecture, standard(part)));
  const point = await adam(engines[0], engines[1], net.parameters, learningRate, deep.seconds);
  for (const engine of engines) engine.dispose();
  if (closest === null || point.validationLoss < closest.validationLoss) closest = point;
}
const rmseOn = (part, predictions) => metrics(predictions, part.targets, part.targetNames)[0].rmse;
const adamDeep = net.withScaling(scaling).withParameters(closest.parameters);
const [bottom, adamBottom] = [deep.network, adamDeep].map((one) => rmseOn(fit, one.predict(fit.inputs)));
console.log(
  `  The training error itself, nothing held out, ${formatSeconds(deep.seconds)} each: RMSE ${formatNumber(bottom)} by gaussflow (${deep.iterations} iterations), ${formatNumber(adamBottom)} by Adam (best of 3 rates).`,
);
if (bottom < adamBottom && adamError < ours)
  console.log(
    "  Second-order steps are for problems that want that minimum (calibrations, surrogates, exact data); a small noisy table wants an early stop.",
  );

title("4  Save, load, and predict three of the held-out cars");
const { model, loaded } = await saveAndLoad("auto-mpg", result.network);
const three = test.select([0, 1, 2]);
const predicted = loaded.predict(three.inputs);
for (let i = 0; i < 3; i++)
  console.log(
    `  row ${String(three.rows[i]).padStart(3)}: predicted ${predicted[i].toFixed(1).padStart(5)} mpg, true ${three.targets[i]} mpg`,
  );
for (const { column } of outOfRange(three.inputs, loaded.encoding))
  console.log(`  (outside the training range: ${column})`);

title("Next");
console.log(`  npx gaussflow evaluate ${model} examples/data/auto-mpg.csv   # mostly rows it was trained on: the honest error is in the table above
  npx gaussflow train YOUR.csv --target COLUMN --out model.json --plot
  npx gaussflow experiment conditioning   # the theory: Gauss-Newton flow at its promised rate, with a report
  npx gaussflow train YOUR.csv --target COLUMN --monitor   # has it converged, how fast, what holds it back?
  npx gaussflow doctor`);

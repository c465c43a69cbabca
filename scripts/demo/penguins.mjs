// npm run demo -- penguins (scripts/demo.mjs): trains a network to name the species of 344 penguins, from a table with missing values and
// categories, and prints its confusion matrix and its scores beside those of three baselines on the same held-out rows.
import { join } from "node:path";
import {
  classMetrics,
  createEngine,
  network,
  readCsv,
  softmaxCrossEntropy,
  standardize,
  train,
} from "../../dist/index.js";
import { classTable } from "../../dist/report/class-table.js";
import { lossChart } from "../../dist/report/loss-chart.js";
import { formatSeconds } from "../../dist/report/numbers.js";
import { painterFor } from "../../dist/report/paint.js";
import { Progress } from "../../dist/report/progress.js";
import { textTable } from "../../dist/report/text-table.js";
import { root } from "../native/paths.mjs";
import { adam } from "./adam.mjs";
import { saveAndLoad } from "./save-and-load.mjs";

const SEED = 1;
const UNITS = 8;
const DECAY = 2;
const paint = painterFor(process.stdout);
const title = (text) => console.log(`\n${paint("title", text)}`);

title("1  Read examples/data/penguins.csv");
const table = await readCsv(join(root, "examples", "data", "penguins.csv"), { target: "species", missing: "mean" });
for (const note of table.notes) console.log(`  ${note}`);
const { classes } = table;
console.log(`  ${table.missingCount} missing inputs are filled with what the training rows say`);
const { train: fit, validation, test } = table.split({ validation: 0.15, test: 0.25, seed: SEED });
console.log(
  `  ${fit.sampleCount} penguins to train on, ${validation.sampleCount} to decide when to stop, ${test.sampleCount} held out, of each species the same share`,
);

title(`2  Train ${fit.inputSize}-${UNITS}-${classes.length} by Levenberg-Marquardt`);
const net = network({ layers: [fit.inputSize, UNITS, classes.length], seed: SEED });
const loss = softmaxCrossEntropy({ decay: DECAY });
const progress = new Progress(process.stdout);
const result = await train(net, fit, { validation, loss, onRecord: (record) => progress.record(record) });
progress.done();
console.log(`  ${result.chosen}`);
console.log(`  stopped after ${formatSeconds(result.seconds)}: ${result.reason.message}`);
console.log(
  `\n${lossChart(result.records, { width: Math.min(90, process.stdout.columns ?? 80), paint, kept: result.bestIteration })}`,
);

title("3  Compare on the held-out penguins");
const rows = [];
const score = (name, probabilities, note) => {
  const one = classMetrics(probabilities, test.targets, classes);
  const right = Math.round(one.accuracy * test.sampleCount);
  rows.push([name, `${right} of ${test.sampleCount}`, one.accuracy.toFixed(4), one.logLoss.toFixed(4), note]);
  return one;
};
const shares = classes.map((_, k) => fit.targets.filter((_, i) => i % classes.length === k).reduce((a, b) => a + b, 0));
score(
  "shares of the training rows",
  Float64Array.from({ length: test.targets.length }, (_, i) => shares[i % classes.length] / fit.sampleCount),
  "the most frequent species, always",
);

// A network without hidden layers is multinomial logistic regression; a decay of 1 on the sum loss is C = 1.
const linear = await train(network({ layers: [fit.inputSize, classes.length] }), fit, {
  loss: softmaxCrossEntropy({ decay: 1 }),
  validation: false,
});
score(
  "multinomial logistic regression",
  linear.network.predict(test.inputs),
  `C = 1, ${formatSeconds(linear.seconds)}`,
);

const { offset, scale } = standardize(fit).inputs;
const standard = ({ sampleCount, inputs, targets }) => ({
  sampleCount,
  inputs: inputs.map((x, k) => (x - offset[k % fit.inputSize]) / scale[k % fit.inputSize]),
  targets,
  loss,
});
let rival = null;
for (const learningRate of [1e-3, 3e-3, 1e-2]) {
  const engines = [fit, validation].map((part) => createEngine(net.architecture, standard(part)));
  const point = await adam(engines[0], engines[1], net.parameters, learningRate, result.seconds, DECAY);
  for (const engine of engines) engine.dispose();
  if (rival === null || point.validationLoss < rival.validationLoss) rival = { ...point, learningRate };
}
score(
  "same network, Adam",
  net.withParameters(rival.parameters).withLink("softmax").predict(standard(test).inputs),
  `best of 3 rates (${rival.learningRate}), ${formatSeconds(result.seconds)} each, best at step ${rival.steps}`,
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
      { heading: "right", align: "right" },
      { heading: "accuracy", align: "right" },
      { heading: "log-loss", align: "right" },
      { heading: "", align: "left" },
    ],
    rows,
    paint,
  ),
);
console.log(
  "  Three species that two lengths nearly tell apart: a linear model does it too. What the network is better or worse by is within the luck of the split.",
);
console.log(
  `\n${classTable([{ set: "held out", rows: test.sampleCount, targets: [], classification: [{ ...ours, target: "species" }] }], paint)}`,
);

title("4  Save, load, and predict a held-out penguin of each species");
const { model, loaded } = await saveAndLoad("penguins", result.network);
const c = classes.length;
const one = test.select(classes.map((_, k) => test.rows.findIndex((_row, i) => test.targets[i * c + k] === 1)));
const probabilities = loaded.predict(one.inputs);
for (const [i, likeliest] of loaded.predictClass(one.inputs).entries()) {
  const probability = probabilities[i * c + classes.indexOf(likeliest)].toFixed(3);
  console.log(
    `  row ${String(one.rows[i]).padStart(3)}: ${likeliest.padEnd(9)} with probability ${probability}, true ${classes[i]}`,
  );
}

title("Next");
console.log(`  npx gaussflow evaluate ${model} examples/data/penguins.csv   # mostly rows it was trained on
  npx gaussflow predict ${model} examples/data/penguins.csv   # the class and the probability of each
  npx gaussflow train YOUR.csv --target COLUMN --out model.json   # texts or true and false in the column: a classification`);

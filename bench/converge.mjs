// Shows that trainings with losses other than squared error converge: classes (iris, wine, breast cancer, penguins, digits), counts,
// outliers and quantiles, from five starts each. A developer runs it by hand after `npm run build`; it installs Debian's python3-sklearn and
// python3-torch where it may. The exit code is 1 if a set is missing or one of these does not hold:
//
//   gradient    its largest entry falls to 1e-8 of that at the start in at most 100 iterations, from every start, with decay 2
//   digits      at most 4 s; test accuracy at least 0.97 from every start, in the median at least that of multinomial logistic regression
//   others      test accuracy with size and decay by cross-validation at most one point below that of multinomial logistic regression, both
//               in the mean over ten splits: a split of wine tests 36 rows, so that one row alone is nearly three points
//   objective   sum loss + decay/2 |w|^2, against PyTorch's Adam from the same starts with ten times the wall time: median over the starts
//               not above but by rounding, best at most 1e-6 relative above
//
//   node bench/converge.mjs [--only NAMES] [--no-adam] [--no-install] [--json]
import * as gaussflow from "../dist/index.js";
import { untunedEnvironment } from "./lib/baseline.mjs";
import { oneHot, readPenguins, readScikit, scikitFolder, splitClasses } from "./lib/class-sets.mjs";
import { LineProcess } from "./lib/line-process.mjs";
import { drawMade } from "./lib/made-sets.mjs";
import { parseOptions } from "./lib/options.mjs";
import { mean, median } from "./lib/statistics.mjs";
import { PYTHON, prepare } from "./peers/lib/install.mjs";
import { programs } from "./peers/lib/places.mjs";

const SEEDS = [1, 2, 3, 4, 5];
const DECAY = 2;
const GRADIENT = 1e-8;
const ITERATIONS = 100;
/** Seconds that a training on the digits may take; Adam has ten times those that ours took, and at most ten times this. */
const SECONDS = 4;
const RATES = [1e-2, 1e-3];
const QUANTILE = { tau: 0.9, smoothing: 0.1 };
/** Share of the rows of a set with classes that is held out. */
const HELD = 0.2;
/** Splits over which the accuracy of networks whose size and decay are chosen is averaged; the first is that of the other rules. */
const SPLITS = 10;
/** Minutes after which the program gives up: what it has not done counts as failed. */
const MINUTES = 11.5;

const given = parseOptions("usage: node bench/converge.mjs [--only NAMES] [--no-adam] [--no-install] [--json]", {
  only: { type: "string" },
  "no-adam": { type: "boolean" },
  "no-install": { type: "boolean" },
  json: { type: "boolean" },
});
const chosen = given.only?.split(",").map((name) => name.trim());
const began = performance.now();
const failures = [];
const say = (text) => console.error(`converge: ${text}`);

function fail(name, text) {
  failures.push(`${name}: ${text}`);
  if (!given.json) console.log(`  FAILED  ${name}: ${text}`);
}

const { softmaxCrossEntropy, poisson, huber, quantile } = gaussflow;

/** A set with classes as a problem: rows, loss for both programs, and what is held out. */
function classProblem(set, units) {
  const { fit, test } = splitClasses(set, HELD, 1);
  return {
    name: set.name,
    layers: [set.inputs[0].length, units, set.classes],
    inputs: fit.inputs,
    targets: oneHot(fit.labels, set.classes),
    loss: softmaxCrossEntropy({ decay: DECAY }),
    theirs: { kind: "softmax" },
    classes: { set, fit, test },
  };
}

/** Name, and the problem where its data and its loss are there: a function that throws says what is missing. */
const PROBLEMS = {
  iris: () => classProblem(readScikit(scikitFolder(PYTHON), "iris"), 8),
  wine: () => classProblem(readScikit(scikitFolder(PYTHON), "wine"), 8),
  "breast cancer": () => classProblem(readScikit(scikitFolder(PYTHON), "breast cancer"), 8),
  penguins: () => classProblem(readPenguins(), 8),
  digits: () => classProblem(readScikit(scikitFolder(PYTHON), "digits"), 16),
  poisson: () => madeProblem("poisson", poisson({ decay: DECAY }), {}),
  huber: () => madeProblem("huber", huber({ delta: 0.2, decay: DECAY }), { delta: 0.2 }),
  quantile: () => madeProblem("quantile", quantile({ ...QUANTILE, decay: DECAY }), QUANTILE),
};

function madeProblem(kind, loss, parameters) {
  const { inputs, targets } = drawMade(kind);
  return { name: kind, layers: [inputs[0].length, 10, 1], inputs, targets, loss, theirs: { kind, ...parameters } };
}

const argmax = (row) => row.indexOf(Math.max(...row));

/** Share of the test rows whose most probable class is theirs. */
function accuracy(net, { test, set }) {
  const predicted = Array.from(net.predict(test.inputs));
  const classes = test.labels.map((_, i) => argmax(predicted.slice(i * set.classes, (i + 1) * set.classes)));
  return mean(classes.map((one, i) => Number(one === test.labels[i])));
}

async function trainOurs({ layers, inputs, targets, loss, classes }, seed) {
  const net = gaussflow.network({ layers, seed });
  const result = await gaussflow.train(
    net,
    { inputs, targets },
    {
      loss,
      standardize: false,
      validation: false,
      stop: { gradient: GRADIENT, iterations: ITERATIONS, seconds: 5 * SECONDS, reduction: 0, step: 0 },
    },
  );
  return {
    start: net.parameters,
    end: result.best.parameters,
    iterations: result.iterations,
    seconds: result.seconds,
    reason: result.reason.code,
    objective: result.records.findLast(({ accepted }) => accepted).objective,
    accuracy: classes ? accuracy(result.network, classes) : null,
  };
}

const ask = (peer, request) => peer.ask(JSON.stringify(request));

/** Adam from the same start, once for each rate, on one core each; the better end counts. */
async function trainAdam(peers, run) {
  const seconds = Math.max(1, 10 * Math.min(run.seconds, SECONDS));
  const parameters = Array.from(run.start);
  const ends = await Promise.all(
    peers.map((peer, k) => ask(peer, { op: "adam", parameters, seconds, rate: RATES[k] })),
  );
  return Math.min(...ends.map(({ objective }) => objective));
}

function judgeRuns({ name }, runs) {
  const missed = runs.filter(({ reason }) => reason !== "gradient");
  if (missed.length > 0)
    fail(
      name,
      `${missed.length} of ${runs.length} starts end without the gradient at ${GRADIENT} of its start (${missed.map(({ reason, iterations }) => `${reason} at iteration ${iterations}`).join(", ")})`,
    );
  if (name !== "digits") return;
  const slow = runs.filter(({ seconds }) => seconds > SECONDS);
  if (slow.length > 0)
    fail(
      name,
      `${slow.length} of ${runs.length} trainings take more than ${SECONDS} s (${Math.max(...slow.map(({ seconds }) => seconds)).toFixed(1)} s)`,
    );
}

/** The objective of our end by the other program: it must be the same function. */
async function checkSame(peer, name, run) {
  const { objective } = await ask(peer, { op: "evaluate", parameters: Array.from(run.end) });
  if (!(Math.abs(objective / run.objective - 1) <= 1e-9))
    fail(name, `PyTorch computes the objective ${objective} where gaussflow has ${run.objective}`);
}

function judgeObjective({ name, inputs }, runs) {
  const [ours, theirs] = [runs.map((run) => run.objective), runs.map(({ adam }) => adam)];
  // Where both are at the same minimum their objectives differ by the rounding of two sums over the rows in other orders, one unit a row at most.
  const rounding = inputs.length * Number.EPSILON;
  if (median(ours) > median(theirs) * (1 + rounding))
    fail(
      name,
      `the median objective ${median(ours)} is ${(median(ours) / median(theirs) - 1).toExponential(1)} above Adam's ${median(theirs)}`,
    );
  const [best, rival] = [Math.min(...ours), Math.min(...theirs)];
  if (best > rival * (1 + 1e-6))
    fail(
      name,
      `the best objective ${best.toPrecision(9)} is ${(best / rival - 1).toExponential(1)} above Adam's best ${rival.toPrecision(9)}`,
    );
}

/** Multinomial logistic regression on the same rows. */
async function regressionAccuracy(peer, { fit, test }) {
  const request = {
    op: "regression",
    columns: fit.inputs[0].length,
    inputs: fit.inputs.flat(),
    labels: fit.labels,
    test: test.inputs.flat(),
  };
  const { labels } = await ask(peer, request);
  return mean(labels.map((label, i) => Number(label === test.labels[i])));
}

function judgeDigits({ name }, runs, regression) {
  const accuracies = runs.map((run) => run.accuracy);
  if (Math.min(...accuracies) < 0.97)
    fail(name, `the least test accuracy is ${Math.min(...accuracies).toFixed(4)}, below 0.97`);
  if (median(accuracies) < regression)
    fail(
      name,
      `the median test accuracy ${median(accuracies).toFixed(4)} is below logistic regression's ${regression.toFixed(4)}`,
    );
}

/**
 * Mean accuracies over the splits of a set: of networks with size and decay by cross-validation, as a user gets them who says nothing, and of
 * logistic regression.
 */
async function chosenAccuracy({ name, classes: { set } }, peer) {
  const [ours, theirs] = [[], []];
  for (let seed = 1; seed <= SPLITS; seed++) {
    const classes = { set, ...splitClasses(set, HELD, seed) };
    const table = { inputs: classes.fit.inputs, targets: oneHot(classes.fit.labels, set.classes) };
    const { network, search } = await gaussflow.fitTable(table, { seed: 1, train: { loss: softmaxCrossEntropy() } });
    ours.push(accuracy(network, classes));
    theirs.push(await regressionAccuracy(peer, classes));
    say(
      `${name}, split ${seed}: hidden [${search.hidden}] and decay ${search.decay} by cross-validation: accuracy ${ours.at(-1).toFixed(4)}, logistic regression ${theirs.at(-1).toFixed(4)}`,
    );
  }
  return { chosen: mean(ours), regression: mean(theirs) };
}

function judgeChosen({ name }, { chosen, regression }) {
  if (chosen < regression - 0.01)
    fail(
      name,
      `the mean test accuracy with decay: "auto" over ${SPLITS} splits, ${chosen.toFixed(4)}, is more than a point below logistic regression's ${regression.toFixed(4)}`,
    );
}

/** What the program prints of a problem: a line of the table, or an object. */
function show({ name, layers }, runs, { chosen, regression }) {
  const row = {
    name,
    layers: layers.join("-"),
    iterations: runs.map(({ iterations }) => iterations),
    seconds: median(runs.map(({ seconds }) => seconds)),
    objective: median(runs.map(({ objective }) => objective)),
    adam: given["no-adam"] ? null : median(runs.map(({ adam }) => adam)),
    above: given["no-adam"]
      ? null
      : Math.min(...runs.map(({ objective }) => objective)) / Math.min(...runs.map(({ adam }) => adam)) - 1,
    accuracy: runs[0].accuracy === null ? null : median(runs.map((run) => run.accuracy)),
    chosen,
    regression,
  };
  if (given.json) return console.log(JSON.stringify(row));
  const digits = (value, count) => (value === null ? "-" : value.toFixed(count));
  const cells = [
    row.layers.padEnd(10),
    row.iterations.join(" ").padStart(20),
    row.seconds.toFixed(2).padStart(8),
    row.objective.toFixed(5).padStart(12),
    digits(row.adam, 5).padStart(12),
    (row.above === null ? "-" : row.above.toExponential(1)).padStart(9),
    digits(row.accuracy, 4).padStart(9),
    digits(row.chosen, 4).padStart(9),
    digits(row.regression, 4).padStart(11),
  ];
  console.log(`${name.padEnd(14)}${cells.join("")}`);
}

async function judge(problem, peers) {
  const { name, layers, inputs, targets, theirs, classes } = problem;
  const loss = JSON.stringify({
    op: "problem",
    layers,
    inputs: inputs.flat(),
    targets: targets.flat(),
    loss: theirs,
    decay: DECAY,
  });
  for (const peer of peers) await peer.ask(loss);
  const runs = [];
  for (const seed of SEEDS) {
    const run = await trainOurs(problem, seed);
    await checkSame(peers[0], `${name}, start ${seed}`, run);
    runs.push({ ...run, adam: given["no-adam"] ? null : await trainAdam(peers, run) });
    say(`${name}, start ${seed}: ${run.reason} at iteration ${run.iterations}, ${run.seconds.toFixed(2)} s`);
  }
  const compared = await comparedAccuracy(problem, peers[0]);
  show(problem, runs, compared);
  judgeRuns(problem, runs);
  if (!given["no-adam"]) judgeObjective(problem, runs);
  if (name === "digits") judgeDigits(problem, runs, compared.regression);
  else if (classes) judgeChosen(problem, compared);
}

/** What the accuracies are compared with: of the digits logistic regression on the same rows, of the other sets both means over the splits. */
async function comparedAccuracy(problem, peer) {
  if (problem.classes === undefined) return { chosen: null, regression: null };
  if (problem.name !== "digits") return chosenAccuracy(problem, peer);
  return { chosen: null, regression: await regressionAccuracy(peer, problem.classes) };
}

const peer = (id, modules, apt) => ({ id, title: id, python: "objective.py", modules, apt });
const { missing } = prepare(
  [peer("scikit-learn", ["sklearn"], ["python3-sklearn"]), peer("PyTorch", ["torch"], ["python3-torch"])],
  !given["no-install"],
);
for (const { id, why } of missing) fail(id, `missing: ${why}`);
const peers = RATES.map(
  () => new LineProcess(PYTHON, [`${programs}/objective.py`], { name: "objective.py", env: untunedEnvironment() }),
);
if (!given.json)
  console.log(
    `${"set".padEnd(14)}${"network".padEnd(10)}${"iterations".padStart(20)}${"seconds".padStart(8)}${"objective".padStart(12)}${"Adam's".padStart(12)}${"best".padStart(9)}${"accuracy".padStart(9)}${"chosen".padStart(9)}${"regression".padStart(11)}`,
  );
for (const [name, make] of Object.entries(PROBLEMS)) {
  if (chosen !== undefined && !chosen.includes(name)) continue;
  if (performance.now() - began > 60_000 * MINUTES) {
    fail(name, `not begun after ${MINUTES} minutes`);
    continue;
  }
  try {
    await judge(make(), peers);
  } catch (error) {
    fail(name, error.message);
  }
}
for (const one of peers) one.close();
const minutes = (performance.now() - began) / 60_000;
if (given.json) console.log(JSON.stringify({ failures, minutes }));
else
  console.log(
    `\n${failures.length === 0 ? "all hold" : `${failures.length} do not hold`}, ${minutes.toFixed(1)} minutes`,
  );
process.exitCode = failures.length > 0 ? 1 : 0;

// Where trainings with weight decay end from the network as it was drawn, and after eight iterations with a tenth of the decay, with which
// `train` begins them (src/train/light-start.ts). A developer runs it by hand after `npm run build`; the breast cancer needs Debian's
// python3-sklearn.
//
//   node bench/light-start.mjs [--starts 60] [--only TEXT]
//
// A line has the mean objective over the starts with its standard error, and the median of the iterations, the eight included.
import {
  huber,
  logCosh,
  logistic,
  network,
  networkOf,
  poisson,
  pseudoHuber,
  quantile,
  Random,
  softmaxCrossEntropy,
  train,
} from "../dist/index.js";
import { oneHot, readScikit, scikitFolder, splitClasses } from "./lib/class-sets.mjs";
import { machineLine } from "./lib/machine.mjs";
import { drawMade } from "./lib/made-sets.mjs";
import { defaultThreads, parseOptions, positive } from "./lib/options.mjs";
import { mean, median } from "./lib/statistics.mjs";
import { PYTHON } from "./peers/lib/install.mjs";

const BEFORE = 8;
const options = parseOptions("usage: node bench/light-start.mjs [--starts N] [--only TEXT]", {
  starts: { type: "string" },
  only: { type: "string" },
});
const starts = positive(options.starts, "starts", 60);

/** Whether a row of the set with outliers is high, with noise of its own. */
function binary() {
  const random = new Random(5, 5);
  const { inputs, targets } = drawMade("huber");
  return { inputs, targets: targets.map(([y]) => [Number(y + 0.3 * random.normal() > 0.3)]) };
}

function cells() {
  const set = readScikit(scikitFolder(PYTHON), "breast cancer");
  const { fit } = splitClasses(set, 0.2, 1);
  return { inputs: fit.inputs, targets: oneHot(fit.labels, set.classes) };
}

const made = (kind) => () => drawMade(kind);
/** Name, data, the loss of a decay, hidden layers. */
const CASES = [
  ["Huber", made("huber"), (decay) => huber({ delta: 0.2, decay }), [10], 2],
  ["pseudo-Huber", made("huber"), (decay) => pseudoHuber({ delta: 0.2, decay }), [10], 2],
  ["log-cosh", made("huber"), (decay) => logCosh({ decay }), [10], 2],
  ["quantile", made("quantile"), (decay) => quantile({ tau: 0.9, smoothing: 0.1, decay }), [10], 2],
  ["Poisson", made("poisson"), (decay) => poisson({ decay }), [10], 2],
  ["logistic", binary, (decay) => logistic({ decay }), [10], 2],
  ["softmax, breast cancer", cells, (decay) => softmaxCrossEntropy({ decay }), [8], 2],
  ["Huber", made("huber"), (decay) => huber({ delta: 0.2, decay }), [10], 0.2],
  ["pseudo-Huber", made("huber"), (decay) => pseudoHuber({ delta: 0.2, decay }), [10], 0.2],
  ["log-cosh", made("huber"), (decay) => logCosh({ decay }), [10], 0.2],
  ["quantile", made("quantile"), (decay) => quantile({ tau: 0.9, smoothing: 0.1, decay }), [10], 0.2],
  ["Poisson", made("poisson"), (decay) => poisson({ decay }), [10], 0.2],
  ["logistic", binary, (decay) => logistic({ decay }), [10], 0.2],
  ["Poisson", made("poisson"), (decay) => poisson({ decay }), [16, 16], 0.2],
];

const common = { standardize: false, validation: false };

/** The end of a training: objective and iterations. */
async function end(net, data, loss) {
  const stop = { gradient: 1e-8, iterations: 400, reduction: 0, step: 0 };
  const { records, iterations } = await train(net, data, { ...common, loss, stop });
  return { objective: records.findLast(({ accepted }) => accepted).objective, iterations };
}

/** The network with the output biases that a training of it starts from, but given and not drawn, so that nothing else moves it. */
async function unmoved(net, data, loss) {
  const { last } = await train(net, data, { ...common, loss, stop: { seconds: 1e-9 } });
  return networkOf({ layers: net.options.layers, activation: net.options.activation, parameters: last.parameters });
}

function shown(ends) {
  const values = ends.map(({ objective }) => objective);
  const middle = mean(values);
  const deviation = Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
  return `${middle.toFixed(2)} +- ${(deviation / Math.sqrt(values.length)).toFixed(2)}, ${median(ends.map(({ iterations }) => iterations))} it.`;
}

console.log(`${machineLine(defaultThreads())} | ${starts} starts`);
console.log(
  `${"loss".padEnd(24)}${"network".padEnd(14)}${"decay".padEnd(7)}${"from the draw".padEnd(28)}${"moved".padEnd(28)}lowest`,
);
for (const [name, draw, lossOf, hidden, decay] of CASES) {
  if (options.only !== undefined && !name.includes(options.only)) continue;
  const data = draw();
  const layers = [data.inputs[0].length, ...hidden, data.targets[0].length];
  const [without, moved] = [[], []];
  for (let seed = 1; seed <= starts; seed++) {
    const net = network({ layers, seed });
    without.push(await end(await unmoved(net, data, lossOf(0)), data, lossOf(decay)));
    const { objective, iterations } = await end(net, data, lossOf(decay));
    moved.push({ objective, iterations: iterations + BEFORE });
  }
  const lowest = Math.min(...[...without, ...moved].map(({ objective }) => objective));
  console.log(
    `${name.padEnd(24)}${layers.join("-").padEnd(14)}${String(decay).padEnd(7)}${shown(without).padEnd(28)}${shown(moved).padEnd(28)}${lowest.toFixed(2)}`,
  );
}

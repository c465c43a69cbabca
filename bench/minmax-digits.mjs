// Trains a generator of handwritten digits (8 x 8 pixels, Debian's python3-sklearn) against a discriminator, by Gauss-Newton a player and by Adam
// with two rates, and draws a grid of samples beside real digits. A developer runs it by hand after `npm run build`. A classifier that is
// trained on the real digits judges 1,000 samples: how many of the ten classes have at least a tenth of their share, and how sure it is of
// them. That is no measure of a good picture, only of one that looks like some digit to this classifier; it is printed beside the same
// figures of the real digits.
//
//   node bench/minmax-digits.mjs [--iterations N] [--seed N] [--out FOLDER]
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  adam,
  minmax,
  minmaxGaussNewton,
  mostProbableClasses,
  network,
  Random,
  softmaxCrossEntropy,
  train,
} from "../dist/index.js";
import { oneHot, readScikit, scikitFolder } from "./lib/class-sets.mjs";
import { writePictureGrid } from "./lib/gray-png.mjs";
import { parseOptions, positive } from "./lib/options.mjs";
import { PYTHON } from "./peers/lib/install.mjs";

const SIDE = 8;
const LATENT = 16;
const JUDGED = 1000;
const DRAWN = 100;
/** Largest value of a pixel in the file. */
const WHITE = 16;

const given = parseOptions("usage: node bench/minmax-digits.mjs [--iterations N] [--seed N] [--out FOLDER]", {
  iterations: { type: "string" },
  seed: { type: "string" },
  out: { type: "string" },
});
const iterations = positive(given.iterations, "iterations", 1000);
const seed = positive(given.seed, "seed", 1);
const folder = given.out ?? "gaussflow-experiments";

const digits = readScikit(scikitFolder(PYTHON), "digits");
/** Pixels from -1 to 1, the range of the generator's tanh. */
const rows = digits.inputs.map((row) => row.map((value) => (2 * value) / WHITE - 1));

/** A classifier of the real digits, trained on four of five. */
async function judgeOf() {
  const names = Array.from({ length: 10 }, (_, k) => String(k));
  const order = [...new Random(1, 7).permutation(rows.length)];
  const held = order.splice(0, Math.floor(rows.length / 5));
  const { network: net } = await train(
    network({ layers: [SIDE * SIDE, 32, 10], seed: 1 }),
    {
      inputs: order.map((i) => rows[i]),
      targets: oneHot(
        order.map((i) => digits.labels[i]),
        10,
      ),
    },
    { loss: softmaxCrossEntropy({ decay: 2 }), validation: false },
  );
  const named = mostProbableClasses(net.predict(held.map((i) => rows[i])), names);
  const right = held.filter((i, k) => named[k] === String(digits.labels[i])).length;
  console.log(
    `the classifier names ${((100 * right) / held.length).toFixed(1)}% of ${held.length} held-out digits right`,
  );
  return net;
}

/** Classes that have a tenth of their share of the pictures, and the mean of the largest probability. */
function verdict(net, pictures) {
  const probabilities = net.predict(pictures);
  const count = probabilities.length / 10;
  const found = new Float64Array(10);
  let sure = 0;
  for (let i = 0; i < count; i++) {
    const own = [...probabilities.subarray(10 * i, 10 * i + 10)];
    const most = Math.max(...own);
    found[own.indexOf(most)]++;
    sure += most / count;
  }
  return { classes: found.filter((one) => one >= count / 100).length, sure };
}

/** Pictures of values from 0 to 1. */
const pictures = (flat) =>
  Array.from({ length: DRAWN }, (_, i) =>
    flat.subarray(SIDE * SIDE * i, SIDE * SIDE * (i + 1)).map((value) => (value + 1) / 2),
  );

const net = await judgeOf();
mkdirSync(folder, { recursive: true });
const chosen = [...new Random(2, 7).permutation(rows.length)].slice(0, JUDGED).map((i) => rows[i]);
const games = {
  "gauss-newton": minmaxGaussNewton(),
  "adam-0.001": adam({ rate: 1e-3, beta1: 0.5 }),
  "adam-0.003": adam({ rate: 3e-3, beta1: 0.5 }),
};
const results = { real: { flat: Float64Array.from(chosen.flat()), seconds: 0 } };
for (const [name, method] of Object.entries(games)) {
  const game = await minmax(
    network({ layers: [LATENT, 64, 64, SIDE * SIDE], outputActivation: "tanh", seed }),
    network({ layers: [SIDE * SIDE, 64, 64, 1], seed: seed + 1000 }),
    rows,
    { method, iterations, seed },
  );
  const random = new Random(seed, 11);
  const noise = Float64Array.from({ length: JUDGED * LATENT }, () => random.normal());
  results[name] = { flat: game.generator.predict(noise), seconds: game.seconds };
  if (game.reason.code !== "iterations") console.log(`${name}: ${game.reason.message}`);
}
for (const [name, { flat, seconds }] of Object.entries(results)) {
  const { classes, sure } = verdict(net, flat);
  const path = join(folder, `minmax-digits-${name}.png`);
  writePictureGrid(path, pictures(flat), SIDE, 10, 4);
  console.log(
    `${name.padEnd(13)} ${classes} of 10 classes, mean largest probability ${sure.toFixed(3)}, ${seconds.toFixed(1)} s: ${path}`,
  );
}

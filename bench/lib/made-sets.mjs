// Draws the made data of bench/converge.mjs: counts, targets with outliers, and noise whose deviation depends on the inputs, for the losses
// poisson, huber and quantile.
import { Random } from "../../dist/index.js";

const ROWS = 600;
const INPUTS = 4;

const smooth = ([a, b, c, d]) => Math.sin(2 * a) + b * b - 0.5 * c * d;

/** A count with that mean (Knuth's product of uniforms). */
function count(random, mean) {
  const bound = Math.exp(-mean);
  let [product, k] = [random.uniform(), 0];
  while (product > bound) {
    product *= random.uniform();
    k++;
  }
  return k;
}

const TARGETS = {
  poisson: (random, row) => count(random, Math.exp(0.5 + smooth(row))),
  huber: (random, row, i) => smooth(row) + 0.1 * random.normal() + (i % 10 === 0 ? 3 * Math.sign(random.normal()) : 0),
  quantile: (random, row) => smooth(row) + 0.2 * (2 + row[0]) * random.normal(),
};

/** Rows of inputs from -1 to 1 and of one target. */
export function drawMade(kind) {
  const random = new Random(17, Object.keys(TARGETS).indexOf(kind));
  const inputs = Array.from({ length: ROWS }, () => Array.from({ length: INPUTS }, () => 2 * random.uniform() - 1));
  return { inputs, targets: inputs.map((row, i) => [TARGETS[kind](random, row, i)]) };
}

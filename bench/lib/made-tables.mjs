// Draws the three small tables with noise on which bench/fit.mjs measures the choice of sizes and decay: 15 rows of a bent line, 120 rows of
// three inputs, 280 rows of a sine and a product with two inputs that do not matter.
import { Random } from "../../dist/index.js";

/** Rows, inputs, the noise's deviation, and the function of the inputs (uniform in [-1, 1]) of each table. */
export const MADE_TABLES = {
  "made-15": { rows: 15, inputs: 1, noise: 0.3, value: ([a]) => a + 0.5 * a * a },
  "made-120": { rows: 120, inputs: 3, noise: 0.3, value: ([a, b, c]) => Math.sin(3 * a) + b * b - 0.5 * c },
  "made-280": { rows: 280, inputs: 4, noise: 0.3, value: ([a, b, c]) => Math.sin(2 * a) + b * c },
};

/** Rows of a draw that no training sees: so many that the error on them has itself little error. */
const TEST_ROWS = 1000;

/** One draw: rows of numbers, the target last, with the same noise in both parts. Draws of different numbers are independent. */
export function madeTable(name, draw) {
  const { rows, inputs, noise, value } = MADE_TABLES[name];
  const random = new Random(draw, 40);
  const one = () => {
    const x = Array.from({ length: inputs }, () => 2 * random.uniform() - 1);
    return [...x, value(x) + noise * random.normal()];
  };
  return { fit: Array.from({ length: rows }, one), test: Array.from({ length: TEST_ROWS }, one) };
}

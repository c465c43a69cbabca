// Makes the noise-free regression of the comparisons of mini-batch methods (bench/stochastic.mjs and its neighbors): the distance of the end
// of an arm with eight joints from a fixed point, by the joints' angles, as the kin data sets of Delve have it. A network can follow it ever
// more closely, so that every digit of the test error is due to the method.
import { Random } from "../../dist/index.js";

const JOINTS = 8;
/** Where the distance is measured from. */
const POINT = [0.4, 0.3, 0.2];
/** Angles are uniform between minus and plus this. */
const SWING = Math.PI / 2;

/** Distance of the end of the arm from the point: links of equal length, of length 1 together, that turn about z and y by turns. */
function reach(angles) {
  // Columns of the frame of the last joint.
  let [x, y, z] = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ];
  const end = [0, 0, 0];
  const turned = (one, other, angle) => one.map((value, k) => Math.cos(angle) * value + Math.sin(angle) * other[k]);
  angles.forEach((angle, joint) => {
    if (joint % 2 === 0) [x, y] = [turned(x, y, angle), turned(y, x, -angle)];
    else [x, z] = [turned(x, z, -angle), turned(z, x, angle)];
    for (let k = 0; k < 3; k++) end[k] += x[k] / JOINTS;
  });
  return Math.hypot(...end.map((value, k) => value - POINT[k]));
}

/**
 * Rows of the arm, inputs of mean 0 and variance 1 by their law, targets by their own mean and variance over all rows: errors are shares of
 * the targets' variance.
 * @returns {{ inputs: Float64Array, targets: Float64Array }} rows x 8, and rows
 */
export function drawArm(rows, seed) {
  const random = new Random(seed, 23);
  const inputs = new Float64Array(rows * JOINTS);
  const targets = new Float64Array(rows);
  const scale = Math.sqrt(3) / SWING;
  for (let row = 0; row < rows; row++) {
    const angles = Array.from({ length: JOINTS }, () => SWING * (2 * random.uniform() - 1));
    angles.forEach((angle, k) => {
      inputs[row * JOINTS + k] = angle * scale;
    });
    targets[row] = reach(angles);
  }
  const mean = targets.reduce((sum, value) => sum + value, 0) / rows;
  const deviation = Math.sqrt(targets.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows);
  return { inputs, targets: targets.map((value) => (value - mean) / deviation) };
}

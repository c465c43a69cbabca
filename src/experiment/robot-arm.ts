// Makes the regression without noise of the experiments on methods (egn.ts): the distance of the end of an arm with eight joints from a fixed
// point, by the angles of the joints, as the kin data sets of Delve have it. A network can follow it ever more closely, so that every digit
// of the error is due to the method. bench/lib/robot-arm.mjs standardizes it for the
// comparisons with other programs.
import type { Dataset } from "../data/dataset.js";
import { dataset } from "../data/dataset-input.js";
import { Random } from "../random.js";

/** Joints, and so inputs. */
export const JOINTS = 8;
/** Where the distance is measured from. */
const POINT = [0.4, 0.3, 0.2];
/** Angles are uniform between minus and plus this. */
const SWING = Math.PI / 2;
const ARM_STREAM = 23;

/** Distance of the end from the point: links of equal length, of length 1 together, that turn about z and y by turns. */
function reach(angles: readonly number[]): number {
  // Axes of the frame of the last joint.
  let [x, y, z] = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ];
  const end = [0, 0, 0];
  const turned = (one: number[], other: number[], angle: number) =>
    one.map((value, k) => Math.cos(angle) * value + Math.sin(angle) * other[k]);
  for (const [joint, angle] of angles.entries()) {
    if (joint % 2 === 0) [x, y] = [turned(x, y, angle), turned(y, x, -angle)];
    else [x, z] = [turned(x, z, -angle), turned(z, x, angle)];
    for (let k = 0; k < 3; k++) end[k] += x[k] / JOINTS;
  }
  return Math.hypot(...end.map((value, k) => value - POINT[k]));
}

/** Rows of the arm, in raw units. */
export function robotArm(rows: number, seed: number): Dataset {
  const random = new Random(seed, ARM_STREAM);
  const inputs = new Float64Array(rows * JOINTS);
  const targets = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const angles = Array.from({ length: JOINTS }, () => SWING * (2 * random.uniform() - 1));
    inputs.set(angles, row * JOINTS);
    targets[row] = reach(angles);
  }
  return dataset({ inputs, targets, inputSize: JOINTS });
}

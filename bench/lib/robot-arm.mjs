// Draws the robot arm of the experiments (src/experiment/robot-arm.ts) in standardized units, for the comparisons of mini-batch methods with
// other programs (bench/stochastic.mjs): errors are shares of the targets' variance.
import { robotArm } from "../../dist/experiment/robot-arm.js";
import { mean } from "./statistics.mjs";

/** Angles are uniform between minus and plus a quarter turn: their deviation. */
const DEVIATION = Math.PI / 2 / Math.sqrt(3);

/**
 * Rows of the arm, inputs of mean 0 and variance 1 by their law, targets by their own mean and variance over all rows.
 * @returns {{ inputs: Float64Array, targets: Float64Array }} rows x 8, and rows
 */
export function drawArm(rows, seed) {
  const { inputs, targets } = robotArm(rows, seed);
  const center = mean(Array.from(targets));
  const deviation = Math.sqrt(mean(Array.from(targets, (value) => (value - center) ** 2)));
  return {
    inputs: inputs.map((angle) => angle / DEVIATION),
    targets: targets.map((value) => (value - center) / deviation),
  };
}

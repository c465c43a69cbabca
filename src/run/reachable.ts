// Refuses targets that no parameters reach; `train` and `flow` call it before the run. Behind a logistic output a training on targets from
// 2 to 10 would end at a constant 1 and look converged.
import { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import { argumentError } from "../errors.js";
import { activationRange } from "../network/activation-range.js";
import type { StartingPoint } from "./prepare.js";

/** Tolerance relative to the bound, for targets that the caller scaled with rounding. */
const ROUNDING = 16 * Number.EPSILON;

/**
 * Compares the targets, in the units of the run, with the range of the activation: alpha f(w) has to reach them, in a centered network after
 * alpha f(w_0) was added. Targets behind an output activation are not standardized, unless the network came with a scaling of its own.
 * @throws GAUSSFLOW_ARGUMENT naming the range and the values
 */
export function checkReachable({ start, data, scaling }: StartingPoint, fit: Dataset | FileDataset): void {
  const { layers, outputScale } = start.architecture;
  const { activation } = layers[layers.length - 1];
  const [low, high] = activationRange(activation).map((bound) => bound * outputScale) as [number, number];
  if (low === Number.NEGATIVE_INFINITY && high === Number.POSITIVE_INFINITY) return;
  const slack = ROUNDING * outputScale;
  const c = start.outputSize;
  for (let j = 0; j < c; j++) {
    const [least, most] = fit instanceof FileDataset ? fileExtremes(fit, j, scaling) : extremes(data.targets, j, c);
    if (least >= low - slack && most <= high + slack) continue;
    const show = (value: number) => Number(value.toPrecision(6));
    const units = scaling === null ? "" : " in the units of the run";
    throw argumentError(
      "data.targets",
      `must be from ${show(low)} to ${show(high)}${units}, which is all that outputScale ${outputScale} times the output activation "${activation}" can reach: use outputActivation "identity", or bring the targets into that range`,
      `${fit.targetNames[j]} from ${show(least)} to ${show(most)}`,
    );
  }
}

function extremes(targets: Float64Array, column: number, columns: number): readonly [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let k = column; k < targets.length; k += columns) {
    if (targets[k] < least) least = targets[k];
    if (targets[k] > most) most = targets[k];
  }
  return [least, most];
}

/** Computed when the file was opened. */
function fileExtremes({ summary, inputSize }: FileDataset, column: number, scaling: StartingPoint["scaling"]) {
  const { offset, scale } = scaling?.targets ?? { offset: [0], scale: [1] };
  const scaled = (values: Float64Array) => (values[inputSize + column] - (offset[column] ?? 0)) / (scale[column] ?? 1);
  return [scaled(summary.min), scaled(summary.max)] as const;
}

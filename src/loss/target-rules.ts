// Says how many targets of a sample a loss takes, and checks them row by row: counts, probabilities, or distributions over classes. Runs check them
// on all data (run/loss-targets.ts), engines on the targets that they are made with (backend/check-engine.ts). The native engine smooths labels
// by `labelScaling`.
import type { ColumnScaling } from "../data/column-moments.js";
import { outputsPerTarget } from "../network/link.js";
import { type Loss, lossRule } from "./rules.js";
import { smoothedColumns } from "./softmax-cross-entropy.js";

/** How far the sum of a row of probabilities may be from 1: that of numbers written with seven digits. */
const SUM_ROUNDING = 1e-6;

/** Outputs that a network needs for `targets` targets of a sample; an absent loss is squared error. */
export function outputCount(loss: Loss | undefined, targets: number): number {
  return loss === undefined ? targets : targets * outputsPerTarget(lossRule(loss).link);
}

/** Targets of a sample with the loss, for a network of `outputs` outputs: no whole number where they do not fit. */
export function targetCount(loss: Loss | undefined, outputs: number): number {
  return outputs / outputCount(loss, 1);
}

/** The scaling of `classCount` target columns that smooths labels as the loss asks; null where it does not. */
export function labelScaling(loss: Loss | undefined, classCount: number): ColumnScaling | null {
  if (loss?.kind !== "softmax-cross-entropy" || loss.smoothing === 0) return null;
  return smoothedColumns(loss.smoothing, classCount);
}

/** A row of targets that breaks a rule. */
export interface TargetFault {
  /** The rule, as errors state it: "must be ...". */
  readonly rule: string;
  /** Column of the value that breaks it; null where the sum of the row does. */
  readonly column: number | null;
  /** That value, or that sum. */
  readonly value: number;
}

/** The check of the row of `targetSize` targets that begins at `at`; null for a loss that takes any finite numbers. */
export function targetCheck(
  loss: Loss,
  targetSize: number,
): ((targets: Float64Array, at: number) => TargetFault | null) | null {
  const { targets: kind } = lossRule(loss);
  if (kind === "real") return null;
  return (targets, at) => {
    const most = kind === "count" ? Number.POSITIVE_INFINITY : 1;
    let sum = 0;
    for (let column = 0; column < targetSize; column++) {
      const value = targets[at + column]!;
      sum += value;
      if (!(value >= 0 && value <= most))
        return { rule: `must be ${most === 1 ? "from 0 to 1" : "at least 0"} with ${loss.kind}`, column, value };
    }
    if (kind !== "distribution" || Math.abs(sum - 1) <= SUM_ROUNDING) return null;
    const rule = `must sum to 1 in every row with ${loss.kind}: one column a class, a 1 at the class or probabilities`;
    return { rule, column: null, value: sum };
  };
}

// Adds the flag --threshold-cost to the commands train, evaluate and predict, which decide between two classes by the costs of errors, and checks that
// the model has two classes.
import type { Command } from "commander";
import type { ClassTarget } from "../loss/class-metrics.js";
import { UsageError } from "./exit.js";
import { positive } from "./parse.js";

export interface CostFlags {
  readonly thresholdCost?: number;
}

export function addThresholdCost(command: Command): Command {
  return command.option(
    "--threshold-cost <ratio>",
    "cost of a missed row of the second of two classes (of a 1, of yes), in false alarms: decides at 1 / (1 + ratio) in place of 0.5",
    positive,
  );
}

/** @throws UsageError where the flag is given for other than two classes */
export function checkThresholdCost({ thresholdCost }: CostFlags, targets: readonly ClassTarget[]): void {
  if (thresholdCost === undefined) return;
  const [first] = targets;
  if (first === undefined)
    throw new UsageError("--threshold-cost is about two classes, and these targets are numbers: leave it out");
  if (first.classes.length !== 2)
    throw new UsageError(
      `--threshold-cost is about two classes, and this target has ${first.classes.length}: leave it out (in code, classMetrics takes a table of costs)`,
    );
}

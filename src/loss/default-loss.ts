// The loss of a run whose caller names none, and the refusal of a loss that is not one of classes for targets that are. run-options.ts and
// flow-options.ts call it, rank.ts for the losses of jobs, and the command line for its messages.
import { argumentError } from "../errors.js";
import { listed } from "../suggest.js";
import { type Loss, lossRule } from "./rules.js";
import { softmaxCrossEntropy } from "./softmax-cross-entropy.js";
import { squaredError } from "./squared-error.js";

/**
 * Weight decay of a classification where nothing is said, in units of the sum loss. Without one, classes that can be separated have no
 * minimum; from 1 to 3 is near the best on small and medium tables.
 */
export const DEFAULT_CLASS_DECAY = 2;

/** Squared error for numbers; softmax cross-entropy with a decay for classes. */
export function defaultLoss(classified: boolean): Loss {
  return classified ? softmaxCrossEntropy({ decay: DEFAULT_CLASS_DECAY }) : squaredError();
}

/** @throws GAUSSFLOW_ARGUMENT where the targets are classes, and the loss is another than that of one class among several */
export function checkClassLoss(name: string, loss: Loss, classes: readonly string[] | null): void {
  if (classes === null || lossRule(loss).targets === "distribution") return;
  throw argumentError(
    name,
    `must be softmaxCrossEntropy() for targets that are classes (${listed(classes, 6)}): leave it out, or make a data set without classes of the columns (dataset({ inputs: data.inputs, targets: data.targets, inputSize: data.inputSize, outputSize: data.outputSize }))`,
    loss.kind,
  );
}

// Moves the start of a training that has weight decay, by a few iterations with a tenth of it: begin.ts calls it. With all of the decay from
// the beginning the weights shrink before the units have found what to fit, and a training can end in a minimum where some of them do the
// same: with Huber's loss and decay 2, 76 of 100 starts did, and none after this one (docs/benchmarks.md).
//
// The rule: another loss than squared error and `gaussianNll`, which has a start of its own (mean-fit.ts), a method that sees all rows at each
// step, and a network as it was drawn. A network that was trained before, or whose parameters were given, starts as it is, and so does one
// whose start `batchStart` moves.
import { type Loss, lossRule } from "../loss/rules.js";
import { isBatchMethod } from "../method/batch-method.js";
import { isAsDrawn, type Network } from "../network/network.js";
import { SHARE_OF_SECONDS, type ShortFit, shortFit } from "./short-fit.js";
import type { CompletedTrainOptions } from "./train-options.js";

/** Share of the weight decay, and the iterations with it: as many whatever `stop.iterations` is, so that a run in two parts has one start. */
const SHARE = 0.1;
const ITERATIONS = 8;

/**
 * Whether a training begins like this.
 * @param drawn the network before anything has moved its start
 */
export function startsLight(drawn: Network, { loss, method, batchStart }: CompletedTrainOptions): boolean {
  if (loss.decay === 0 || lossRule(loss).sumOfSquares || loss.kind === "gaussian-nll") return false;
  return !isBatchMethod(method) && batchStart === null && isAsDrawn(drawn);
}

/**
 * Parameters to start from, p numbers.
 * @param loss with its scale and all of its decay
 * @param spent seconds of the fits before this one
 * @throws the signal's reason once it has been aborted
 */
export function lightStart(run: ShortFit, loss: Loss, spent: number): Promise<Float64Array> {
  const light = { ...loss, decay: SHARE * loss.decay };
  return shortFit(run, light, ITERATIONS, SHARE_OF_SECONDS * run.completed.stop.seconds - spent);
}

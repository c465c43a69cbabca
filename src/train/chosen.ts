// Describes in words what `train` chose: one plain line, and the details in the terms of the field. train.ts calls it at the end, for the
// result.
import type { Engine } from "../backend/engine.js";
import { showBytes } from "../bytes.js";
import type { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import { scalingInEffect } from "../linearize/problem.js";
import { type Loss, lossRule } from "../loss/rules.js";
import { isBatchMethod } from "../method/batch-method.js";
import { hasHessian } from "../method/levenberg-marquardt/exact-hessian.js";
import type { Method } from "../method/method.js";
import type { Network } from "../network/network.js";
import type { Plan } from "../plan/plan.js";
import type { BatchRoute, TrainRoute } from "../plan/route.js";
import type { CompletedTrainOptions } from "./train-options.js";

/** The engine, or what is known of it before it is made. */
export type DescribedEngine = Pick<Engine, "kind" | "threads" | "hessianProduct" | "dampedInverse">;

export interface Choice {
  readonly start: Network;
  readonly fit: Dataset | FileDataset;
  readonly validation: Dataset | null;
  readonly completed: CompletedTrainOptions;
  readonly plan: Plan<TrainRoute | BatchRoute>;
  readonly engine: DescribedEngine;
  /** Whether the run began with little weight decay (light-start.ts). */
  readonly light: boolean;
}

export function describeChoice(choice: Choice): { readonly chosen: string; readonly details: string } {
  return { chosen: plainLine(choice), details: detailLine(choice) };
}

/**
 * "Network 7-16-16-1 (401 parameters), trained on 280 rows; 59 more were held out to decide when to stop." Of classes also: "It tells 3 classes
 * apart (softmax cross-entropy, weight decay 2)."
 */
function plainLine({ start, fit, validation, completed: { loss } }: Choice): string {
  const sizes = [start.inputSize, ...start.architecture.layers.map(({ outputSize }) => outputSize)].join("-");
  const held =
    validation === null
      ? "no rows were held out to decide when to stop"
      : `${validation.sampleCount} more were held out to decide when to stop`;
  const { classes } = fit;
  const task =
    classes === null
      ? ""
      : ` It tells ${classes.length} classes apart (${lossRule(loss).label}, ${loss.decay === 0 ? "no weight decay" : `weight decay ${loss.decay}`}).`;
  return `Network ${sizes} (${start.parameterCount} parameters), trained on ${fit.sampleCount} rows; ${held}.${task}`;
}

/** How a method that sees all rows takes its steps here. */
function wholeLine(method: Method, loss: Loss, route: TrainRoute, engine: DescribedEngine): string {
  const effect = scalingInEffect(method.scaling, route, loss.decay);
  const layered = route === "dual" && effect === "marquardt";
  const scaled = layered
    ? ", one factor a layer"
    : effect === method.scaling
      ? ""
      : `, identity in effect: ${method.scaling === "root" ? "the dual route" : "decay in the dual route"}`;
  const newton = !lossRule(loss).sumOfSquares && method.settings.hessian === "auto" && hasHessian(engine, route);
  const unaccelerated = (newton || route === "matrix-free") && method.settings.acceleration === true;
  return `${scaled}${newton ? ", on the exact Hessian" : ""}${unaccelerated ? ", not accelerated here" : ""}`;
}

/** What the ranks mean for the bits. */
function ranksPhrase({ chosen }: Plan<TrainRoute | BatchRoute>, { slots, ranks }: CompletedTrainOptions): string {
  if (ranks === 1) return "";
  return chosen.distributed
    ? ` on ${ranks} ranks, which hold the Gram matrix together: ScaLAPACK's last bits depend on their number`
    : ` on ${ranks} ranks: options.slots ${slots} has the same bits on any number of ranks`;
}

function detailLine({ start, fit, validation, completed, plan, engine, light }: Choice): string {
  const { method, loss, slots } = completed;
  const rule = lossRule(loss);
  const how = isBatchMethod(method)
    ? `, ${plan.batch?.described}`
    : wholeLine(method, loss, plan.route as TrainRoute, engine);
  const held = validation === null ? "no validation part" : `${validation.sampleCount} held out for validation`;
  const threads = engine.threads === 1 ? "1 thread" : `${engine.threads} threads`;
  const { peak, most } = plan.chosen.bytes;
  const bytes = `peak ${showBytes(peak)}${most > peak ? `, at most ${showBytes(most)}` : ""}`;
  const units = start.scaling === null ? "raw units" : "standardized units";
  const named = rule.sumOfSquares ? "" : `, ${rule.label}`;
  const begun = light ? ", begun with a tenth of the weight decay" : "";
  return `${method.label}${how}${named}${begun} on ${fit.sampleCount} samples (${held}), ${units}, ${plan.route} route (${plan.because}; ${showBytes(plan.chosen.bytes.curvature + plan.chosen.bytes.factor)} for matrix and factor, ${bytes}), ${engine.kind} engine, ${threads}${slots === 1 ? "" : `, ${slots} slots`}${ranksPhrase(plan, completed)}`;
}

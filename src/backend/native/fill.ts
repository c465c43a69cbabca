// Gives the addon the samples of a new native engine, in pieces between which the event loop can turn; engine.ts calls it once an engine.
// Labels are smoothed on the way where the loss asks for it. Under ranks they are those of its slots.
import { scaleColumns } from "../../data/scaling.js";
import { STEP, type Steps } from "../../event-loop-yield.js";
import { labelScaling, targetCount } from "../../loss/target-rules.js";
import type { Architecture } from "../../network/architecture.js";
import type { EngineData } from "../engine.js";
import { rowsHere } from "../ranks.js";
import type { NativeEngineObject, NativeFailure } from "./binding.js";
import { withCode } from "./coded-error.js";

/** @param refuse throws the error of a failure */
export function* fillSteps(
  object: NativeEngineObject,
  { inputSize, outputSize }: Architecture,
  { sampleCount, inputs, targets, weights, loss, file, ranks }: EngineData,
  refuse: (failure: NativeFailure) => never,
): Steps<void> {
  if (file !== undefined && weights === undefined) return;
  const [d, c] = [inputSize, targetCount(loss, outputSize)];
  const labels = labelScaling(loss, c);
  while (withCode(() => object.touchPages())) yield;
  const rows = Math.max(1, Math.floor(STEP / (d + c)));
  const here = rowsHere(ranks, sampleCount);
  for (let first = here.first; first < here.first + here.count; first += rows) {
    const end = Math.min(here.first + here.count, first + rows);
    const part = (values: Float64Array, width: number) => values.subarray(first * width, end * width);
    const given = file === undefined ? part(targets, c) : null;
    const failure = withCode(() =>
      object.fill(
        end - first,
        file === undefined ? part(inputs, d) : null,
        given && labels ? scaleColumns(given, labels) : given,
        weights === undefined ? null : part(weights, 1),
      ),
    );
    if (failure !== undefined) refuse(failure);
    yield;
  }
}

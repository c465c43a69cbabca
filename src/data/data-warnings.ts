// Warns about data that a training cannot use well: constant inputs, and classes without a row to train on. Runs give the sentences with
// their result, and gaussflow train prints them before it trains.
import { Pace, STEP } from "../event-loop-yield.js";
import { listed } from "../suggest.js";
import { FileDataset } from "./data-file.js";
import type { Dataset } from "./dataset.js";
import { constantWarnings } from "./scaling.js";

/** The sentences, none or some, about the rows that are fitted. Reads as far as it must, in turns with the event loop. */
export async function dataWarnings(data: Dataset | FileDataset, signal?: AbortSignal): Promise<string[]> {
  const constant = await constantWarnings(data, signal);
  const absent = await absentClasses(data, signal);
  if (absent.length === 0) return constant;
  const names = `${absent.length === 1 ? "class" : "classes"} ${listed(absent)}`;
  return [...constant, `without a row to train on, so predicted with a probability near 0: ${names}`];
}

/** Names of the classes that no row of non-zero weight is of. */
async function absentClasses(data: Dataset | FileDataset, signal: AbortSignal | undefined): Promise<string[]> {
  const { classes } = data;
  if (classes === null) return [];
  const c = classes.length;
  if (data instanceof FileDataset) return classes.filter((_, k) => data.summary.max[data.inputSize + k] === 0);
  const pace = new Pace(signal);
  const seen = new Uint8Array(c);
  const piece = Math.max(1, Math.floor(STEP / c));
  for (let i = 0; i < data.sampleCount; i++) {
    if (data.weights?.[i] === 0) continue;
    for (let k = 0; k < c; k++) if (data.targets[i * c + k] !== 0) seen[k] = 1;
    if (i % piece === piece - 1) await pace.turn();
  }
  return classes.filter((_, k) => seen[k] === 0);
}

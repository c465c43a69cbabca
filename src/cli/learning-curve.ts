// The part of gaussflow train with --learning-curve, called by train.ts after the training: trains the same network on growing parts of the rows,
// and shows how the errors on held-out rows fall and whether more rows would help.
import type { Dataset } from "../data/dataset.js";
import { learningCurve } from "../jobs/learning-curve.js";
import { jsonLine } from "../report/json-lines.js";
import { learningRows, learningTable } from "../report/learning-table.js";
import { ManyProgress } from "../report/many-progress.js";
import { stratifyOf } from "./read-parts.js";
import type { Terminal } from "./terminal.js";
import type { TrainFlags, TrainSetup } from "./train-setup.js";

/** Data files are refused with the flag (read-parts.ts). */
export async function showLearningCurve(
  { network, pool, options, foldValidation }: TrainSetup,
  flags: TrainFlags,
  signal: AbortSignal,
  { out, err, paintOut }: Terminal,
): Promise<void> {
  const { json = false, quiet = false } = flags;
  const progress = json || quiet ? null : new ManyProgress(err);
  // Every part draws its own rows for validation.
  const job = { network, data: pool as Dataset, options: { ...options, validation: foldValidation } };
  try {
    const curve = await learningCurve(job, {
      folds: flags.learningCurve,
      seed: flags.seed,
      stratify: stratifyOf(flags),
      threads: flags.threads,
      signal,
      onProgress: progress === null ? undefined : (entry) => progress.tell(entry),
    });
    progress?.done();
    if (json) for (const row of learningRows(curve)) out.write(jsonLine("learning-curve", row));
    else
      out.write(`\nErrors on held-out rows by the number of rows trained on:\n\n${learningTable(curve, paintOut)}\n`);
  } finally {
    progress?.done();
  }
}

// All experiments by name, and how one is run.
import { chooseBackend } from "../backend/create.js";
import { refuseOrder } from "../backend/memory.js";
import { argumentError, GaussflowError } from "../errors.js";
import { checkCount } from "../method/options.js";
import { conditioning } from "./conditioning.js";
import { damping } from "./damping.js";
import { discrete } from "./discrete.js";
import type { Experiment, ExperimentContext, ExperimentSettings } from "./experiment.js";
import type { ExperimentOutcome } from "./outcome.js";
import { teacherParameters } from "./problems.js";
import { real } from "./real.js";
import { scaling } from "./scaling.js";
import { stiffness } from "./stiffness.js";

export const EXPERIMENTS: readonly Experiment[] = [conditioning, damping, scaling, discrete, stiffness, real];

/** What an experiment takes: at the upper ends a single right-hand side takes seconds, and there are thousands. */
const RANGES = { seeds: [1, 10_000], samples: [2, 1_000_000], width: [1, 100_000] } as const;

/**
 * Runs one experiment.
 * @param settings what differs from the experiment's defaults
 * @throws GAUSSFLOW_ARGUMENT for settings out of range; the signal's reason where it is aborted
 */
export async function runExperiment(
  experiment: Experiment,
  settings: Partial<ExperimentSettings>,
  context: Omit<ExperimentContext, "settings">,
): Promise<ExperimentOutcome> {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  const whole: ExperimentSettings = { ...experiment.defaults, ...Object.fromEntries(given) };
  checkCount("seed", whole.seed, 0);
  for (const name of ["seeds", "samples", "width"] as const) {
    const [least, most] = RANGES[name];
    if (!Number.isSafeInteger(whole[name]) || whole[name] < least || whole[name] > most)
      throw argumentError(name, `must be an integer from ${least} to ${most}`, whole[name]);
  }
  if (!Number.isSafeInteger(whole.seed + whole.seeds - 1))
    throw argumentError("seed", `must leave room for ${whole.seeds} seeds below 2^53`, whole.seed);
  const parameters = teacherParameters(whole.width);
  if (experiment.regime === "under" && parameters > whole.samples)
    throw argumentError(
      "width",
      `must give at most ${whole.samples} parameters, one a sample, in this experiment`,
      whole.width,
    );
  if (experiment.regime === "over" && parameters <= whole.samples)
    throw argumentError(
      "width",
      `must give more than ${whole.samples} parameters, one a sample, in this experiment`,
      whole.width,
    );
  const refused = refuseOrder(Math.min(parameters, whole.samples), 1, "the curvature matrix");
  if (refused?.code === "memory")
    throw new GaussflowError("GAUSSFLOW_MEMORY", refused.message, { bytes: refused.bytes });
  const start = performance.now();
  const progress = (text: string) => {
    context.signal?.throwIfAborted();
    context.progress(text);
  };
  const findings = await experiment.run({ ...context, progress, settings: whole });
  // Flows that are aborted end with a reason, and half an experiment has no outcome.
  context.signal?.throwIfAborted();
  return {
    name: experiment.name,
    title: experiment.title,
    settings: { ...whole },
    ...findings,
    engine: chooseBackend(context.backend),
    seconds: (performance.now() - start) / 1000,
  };
}

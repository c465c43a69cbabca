// Lists all experiments by name, checks the settings of one and runs it; the command gaussflow experiment (cli/experiment.ts) calls it.
import { chooseBackend } from "../backend/create.js";
import { refuseOrder } from "../backend/memory.js";
import type { ExperimentOutcome } from "../document.js";
import { argumentError, GaussflowError } from "../errors.js";
import { checkCount } from "../options.js";
import { conditioning } from "./conditioning.js";
import { cumulative } from "./cumulative.js";
import { damping } from "./damping.js";
import { discrete } from "./discrete.js";
import { egn } from "./egn.js";
import { equationExamples } from "./equations/equations.js";
import type { Experiment, ExperimentContext, ExperimentSettings } from "./experiment.js";
import { lossRates } from "./loss-rates.js";
import { minmax } from "./minmax.js";
import { teacherParameters } from "./problems.js";
import { real } from "./real.js";
import { scaling } from "./scaling.js";
import { score } from "./score.js";
import { stiffness } from "./stiffness.js";

export const EXPERIMENTS: readonly Experiment[] = [
  conditioning,
  damping,
  scaling,
  discrete,
  stiffness,
  real,
  lossRates,
  egn,
  score,
  cumulative,
  minmax,
  equationExamples,
];

/** What an experiment takes: at the upper ends a single right-hand side takes seconds, and there are thousands. */
const RANGES = { seeds: [1, 10_000], samples: [2, 1_000_000], width: [1, 100_000] } as const;

/**
 * The settings of a run, complete and checked: sizes that an experiment cannot have are refused before any runs.
 * @param settings what differs from the experiment's defaults
 * @throws GAUSSFLOW_ARGUMENT naming the experiment, and sizes that it can have; GAUSSFLOW_MEMORY
 */
export function completeSettings(experiment: Experiment, settings: Partial<ExperimentSettings>): ExperimentSettings {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  const whole: ExperimentSettings = { ...experiment.defaults, ...Object.fromEntries(given) };
  checkCount("seed", whole.seed, 0);
  for (const size of ["seeds", "samples", "width"] as const) {
    const [from, to] = RANGES[size];
    if (!Number.isSafeInteger(whole[size]) || whole[size] < from || whole[size] > to)
      throw argumentError(size, `must be an integer from ${from} to ${to}`, whole[size]);
  }
  if (!Number.isSafeInteger(whole.seed + whole.seeds - 1))
    throw argumentError("seed", `must leave room for ${whole.seeds} seeds below 2^53`, whole.seed);
  const {
    name,
    regime,
    parameters: parametersOf = teacherParameters,
    mostSamples = Number.POSITIVE_INFINITY,
  } = experiment;
  if (regime === "any") return whole;
  const { width } = whole;
  const samples = Math.min(whole.samples, mostSamples);
  const parameters = parametersOf(width);
  const fits = regime === "under" ? parameters <= samples : parameters > samples;
  if (fits) {
    const refused = refuseOrder(Math.min(parameters, samples), 1, "the curvature matrix");
    if (refused?.code === "memory")
      throw new GaussflowError("GAUSSFLOW_MEMORY", refused.message, { bytes: refused.bytes });
    return whole;
  }
  // Parameters are linear in the width.
  const slope = parametersOf(2) - parametersOf(1);
  const share = (samples - parametersOf(0)) / slope;
  const [most, least] = [Math.floor(share), Math.floor(share) + 1];
  const [rule, ways] =
    regime === "under"
      ? [
          "at least as many samples as the",
          [
            ...(parameters <= mostSamples ? [`--samples ${parameters} or more`] : []),
            ...(most >= 1 ? [`--width ${most} or less`] : []),
          ],
        ]
      : [
          "fewer samples than the",
          [...(parameters > 2 ? [`--samples ${parameters - 1} or less`] : []), `--width ${least} or more`],
        ];
  throw argumentError(
    `experiment ${name}`,
    `needs ${rule} ${parameters} parameters of ${width} hidden units: use ${ways.join(" or ")}`,
    `${samples} samples`,
  );
}

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
  const whole = completeSettings(experiment, settings);
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

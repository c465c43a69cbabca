// Defines the learning rate as a function of the step: constant, falling along half a cosine, or falling by a factor
// every few epochs. The methods on batches take its options, and the loop over batches (train/descend.ts) asks for the
// rate of each step.
//
//   constant   rate
//   cosine     final + (rate - final) (1 + cos(pi k/K)) / 2,  k = 0 ... K-1 the step, K all steps of the run (Loshchilov and Hutter 2017)
//   step       rate * factor^floor(epoch / every)
import { argumentError } from "../errors.js";
import { checkCount, checkNonNegative, checkPositive } from "../options.js";

/** Names of the schedules. */
export type RateScheduleName = "constant" | "cosine" | "step";
/** All names. */
export const RATE_SCHEDULES: readonly RateScheduleName[] = ["constant", "cosine", "step"];

/** The options of a learning rate, which every method on batches has. */
export interface RateOptions {
  /**
   * Learning rate at the start: the factor of the direction in a step. Gradients are of the sum loss divided by the
   * rows of the batch, whatever the sample weights: give weights whose mean is 1, or a rate divided by their mean.
   */
  readonly rate?: number | "auto" | undefined;
  /**
   * How it falls. "cosine" reaches `finalRate` at the end of the run, so that the number of steps is part of the run:
   * `stop.epochs` and `stop.iterations` must be the same where it is resumed.
   */
  readonly schedule?: RateScheduleName | undefined;
  /** With "cosine" alone: the rate at the end. Default 0. */
  readonly finalRate?: number | undefined;
  /** With "step" alone: the factor. Default 0.1. */
  readonly rateFactor?: number | undefined;
  /** With "step" alone: epochs from one fall to the next. Default 10. */
  readonly rateEpochs?: number | undefined;
}

/** The schedule that an option is about. */
const SCHEDULE_OF = { finalRate: "cosine", rateFactor: "step", rateEpochs: "step" } as const;

/** Names of these options. */
export const RATE_OPTION_NAMES = ["rate", "schedule", "finalRate", "rateFactor", "rateEpochs"] as const;

/** A learning rate with all its settings. */
export interface RateSchedule {
  /** How it falls. */
  readonly schedule: RateScheduleName;
  /** At the start. */
  readonly rate: number;
  /** At the end of a cosine. */
  readonly finalRate: number;
  /** Factor of a fall of "step". */
  readonly rateFactor: number;
  /** Epochs between two of them. */
  readonly rateEpochs: number;
}

/** The options with their defaults; `rate` as it was given. */
export type RateSettings = Omit<RateSchedule, "rate"> & { readonly rate: number | "auto" };

/** @throws GAUSSFLOW_ARGUMENT naming the option, the rule and the value */
export function rateSettings(options: RateOptions, schedule: RateScheduleName): RateSettings {
  const { rate = "auto", schedule: chosen = schedule, finalRate = 0, rateFactor = 0.1, rateEpochs = 10 } = options;
  if (rate !== "auto") checkPositive("options.rate", rate);
  if (!RATE_SCHEDULES.includes(chosen))
    throw argumentError("options.schedule", `must be one of ${RATE_SCHEDULES.join(", ")}`, chosen);
  checkNonNegative("options.finalRate", finalRate);
  checkPositive("options.rateFactor", rateFactor);
  checkCount("options.rateEpochs", rateEpochs, 1);
  for (const name of ["finalRate", "rateFactor", "rateEpochs"] as const)
    if (options[name] !== undefined && SCHEDULE_OF[name] !== chosen)
      throw argumentError(
        `options.${name}`,
        `must be left out unless options.schedule is "${SCHEDULE_OF[name]}", and here it is "${chosen}"`,
        options[name],
      );
  return { rate, schedule: chosen, finalRate, rateFactor, rateEpochs };
}

/** The options that are in use, as plain data. */
export function plainRate<T extends RateSettings>({ finalRate, rateFactor, rateEpochs, ...others }: T) {
  return {
    ...others,
    ...(others.schedule === "cosine" ? { finalRate } : {}),
    ...(others.schedule === "step" ? { rateFactor, rateEpochs } : {}),
  };
}

/** A schedule with the rate that "auto" stands for. */
export function withRate({ rate, ...others }: RateSettings, automatic: number): RateSchedule {
  return { ...others, rate: rate === "auto" ? automatic : rate };
}

/** Where a step is in its run. */
export interface RunPlace {
  /** Steps before it, k. */
  readonly step: number;
  /** Steps of an epoch. */
  readonly stepsPerEpoch: number;
  /** Steps of the run, K; Infinity where nothing limits them. */
  readonly steps: number;
}

/** Learning rate of a step. */
export function rateAt(
  { schedule, rate, finalRate, rateFactor, rateEpochs }: RateSchedule,
  { step, stepsPerEpoch, steps }: RunPlace,
): number {
  switch (schedule) {
    case "constant":
      return rate;
    case "cosine":
      return finalRate + (rate - finalRate) * 0.5 * (1 + Math.cos((Math.PI * Math.min(step, steps)) / steps));
    case "step":
      return rate * rateFactor ** Math.floor(Math.floor(step / stepsPerEpoch) / rateEpochs);
    default:
      schedule satisfies never;
      throw new Error("unreachable");
  }
}

/** The schedule as a phrase: "rate 0.3 falling to 0 along a cosine". */
export function describeRate({ schedule, rate, finalRate, rateFactor, rateEpochs }: RateSchedule): string {
  if (schedule === "constant") return `rate ${rate}`;
  if (schedule === "cosine") return `rate ${rate} falling to ${finalRate} along a cosine`;
  return `rate ${rate} times ${rateFactor} every ${rateEpochs} epochs`;
}

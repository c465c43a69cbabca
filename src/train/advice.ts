// Makes the advice after a training: what is likely to lower the errors on new rows. It is a pure function of the measured facts, and gives
// no advice if the numbers give no reason. The rules were chosen by measuring the effect of the advice (bench/advice.mjs, docs/advice.md).
// train.ts calls it once at the end; the command line and the JSON lines show the advice.
import type { ReasonCode } from "../method/reason.js";
import type { FloorCount } from "./floor-count.js";

/** The subject of a piece of advice. */
export type AdviceCode =
  | "floor"
  | "few-rows"
  | "overfitting"
  | "rows"
  | "decay"
  | "iterations"
  | "underfitting"
  | "imbalance";

/** A piece of advice: what was measured and what to try. */
export interface Advice {
  /** The advice, for programs. */
  readonly code: AdviceCode;
  /** The advice, as a sentence with the numbers. */
  readonly message: string;
}

/** One accepted iteration; of a method on batches one record, at the end of an epoch or at a validation. */
export interface AdvicePoint {
  /** Epochs done, of a method on batches; absent with others. */
  readonly epoch?: number | undefined;
  readonly loss: number;
  readonly validationLoss: number | null;
}

/** The classes of a target. */
export interface ClassShares {
  readonly names: readonly string[];
  /** One a class, 1 in sum. */
  readonly shares: readonly number[];
}

/** The measurements of a run. Losses are means in the units of training. */
export interface AdviceFacts {
  readonly parameters: number;
  /** True if the rows are in a data file, of which none can be held out. */
  readonly inFile: boolean;
  /** Rows of the training part, and outputs of each that are free: of c classes c - 1, since their probabilities sum to 1. */
  readonly rows: number;
  readonly outputs: number;
  /** Terms of the mean loss that a row has: its outputs, or 1 where one loss is that of the whole row. */
  readonly terms: number;
  /** Of a classification the classes and their shares of the weights of the training rows; else null. */
  readonly classes: ClassShares | null;
  readonly validationRows: number;
  readonly decay: number;
  /** Name of the losses below: "mean squared error", "log-loss" or "mean loss". */
  readonly lossName: string;
  readonly reason: ReasonCode;
  /** Accepted iterations in order, the starting point first. */
  readonly points: readonly AdvicePoint[];
  /** The position in `points` of the network that was kept. */
  readonly kept: number;
  /** Training and validation loss of that network. */
  readonly loss: number;
  readonly validationLoss: number | null;
  /** Share of the weight decay in the objective at that network, 0 to 1. */
  readonly decayShare: number;
  /** Training targets whose predicted deviation is at its floor; null without predicted deviations. */
  readonly floor: FloorCount | null;
}

/** The numbers behind the advice after a training. */
export const ADVICE_THRESHOLDS = Object.freeze({
  /** Relative standard deviation of the squares of normal errors. */
  squareDeviation: Math.SQRT2,
  /** That of the terms of a log-loss, about. */
  classDeviation: 2,
  /** Share of the log-loss of the class shares from which on the inputs have told the network next to nothing about the class. */
  uninformed: 0.95,
  /** Share of the largest class from which on classes are imbalanced. */
  largestClass: 0.8,
  /** Share of the smallest class, relative to an even one, up to which they are. */
  smallestClass: 0.1,
  /** Standard errors of the validation loss by which it has to exceed the training loss, and the least ratio. */
  standardErrors: 2,
  /** Least ratio of the validation loss to the training loss that counts as overfitting. */
  leastRatio: 1.3,
  /** Parameters an equation from which on fewer hidden units do as well. */
  crowded: 0.25,
  /** Parameters an equation from which on, without validation rows, training errors say nothing about new rows. */
  unchecked: 0.3,
  /** Share of the decay in the objective from which on, without overfitting, the decay is too large. */
  decayShare: 0.5,
  /** Share of the iterations, counted from the end, over which `stillFalling` is measured. */
  lastIterations: 0.2,
  /** Relative decrease of the loss over these iterations from which on a run that was cut off still made progress. */
  stillFalling: 0.02,
  /** Share of the loss at the start below which a validation loss is small enough. */
  smallError: 1e-4,
  /** Share of it from which on a validation loss counts as noise, against which a weight decay helps. */
  noisy: 0.03,
});

/** At most two pieces of advice, the most useful first. */
export function adviceAfter(facts: AdviceFacts): readonly Advice[] {
  // A run that ended before its first linearization, or with numbers that are not finite, has no measurements.
  if (!Number.isFinite(facts.loss)) return [];
  const found = [
    atFloor(facts),
    decayTooLarge(facts),
    moreIterations(facts),
    overfitting(facts),
    fewRows(facts),
    underfitting(facts),
    imbalance(facts),
  ];
  return found.filter((one) => one !== null).slice(0, 2);
}

// Two digits; from 99.5 on they would have an exponent.
const percent = (share: number) => `${share < 0.995 ? (100 * share).toPrecision(2) : Math.round(100 * share)}%`;
/** With the digits that tell a share of nearly all from all: "99.914%". */
function percentBelow(share: number): string {
  const rest = 100 - 100 * share;
  return rest > 0 && rest < 1 ? `${(100 * share).toFixed(1 - Math.floor(Math.log10(rest)))}%` : percent(share);
}
const number = (value: number) => String(Number(value.toPrecision(2)));

/** How far the validation loss lies above the training loss, as a ratio; null where that may be chance. */
function excess({ loss, validationLoss, validationRows, terms, classes }: AdviceFacts): number | null {
  if (validationLoss === null || validationRows === 0 || !(loss > 0)) return null;
  const ratio = validationLoss / loss;
  // Relative standard error of a mean of m terms: their relative standard deviation over sqrt(m).
  const { squareDeviation, classDeviation, standardErrors } = ADVICE_THRESHOLDS;
  const deviation = classes === null ? squareDeviation : classDeviation;
  const chance = 1 + (standardErrors * deviation) / Math.sqrt(validationRows * terms);
  return ratio > Math.max(chance, ADVICE_THRESHOLDS.leastRatio) ? ratio : null;
}

function atFloor({ floor }: AdviceFacts): Advice | null {
  if (floor === null || floor.atFloor === 0) return null;
  return {
    code: "floor",
    message: `The predicted deviation is at its floor for ${floor.atFloor} of ${floor.targets} training targets (${floor.least} in the units of training): either the noise is as small as that, or the network passes through these points, where the likelihood has no other bound, so that such deviations do not hold for new rows. Against the latter, more rows, fewer hidden units or a weight decay (such as 1) keep them above it.`,
  };
}

function overfitting(facts: AdviceFacts): Advice | null {
  const ratio = excess(facts);
  const { parameters, rows, outputs, validationLoss, points, decay, lossName } = facts;
  if (ratio === null || validationLoss === null) return null;
  const size = validationLoss / (points[0]?.loss ?? 0);
  if (size < ADVICE_THRESHOLDS.smallError) return null;
  const seen = `On the validation rows the ${lossName} is ${number(ratio)} times that on the training rows`;
  if (size < ADVICE_THRESHOLDS.noisy) return { code: "rows", message: `${seen}: more training rows would lower it.` };
  const stronger = decay > 0 ? `one larger than ${decay}` : "such as 1";
  const crowded =
    parameters < ADVICE_THRESHOLDS.crowded * rows * outputs
      ? ""
      : ` With ${parameters} parameters for ${rows} rows, fewer hidden units are likely to do as well.`;
  return {
    code: "overfitting",
    message: `${seen}: more training rows would help most, and a weight decay (${stronger}) often does on noisy data.${crowded}`,
  };
}

function fewRows({ parameters, rows, outputs, validationRows, inFile }: AdviceFacts): Advice | null {
  if (validationRows > 0 || parameters < ADVICE_THRESHOLDS.unchecked * rows * outputs) return null;
  const check = inFile ? "Rows kept out of the data file say more" : "A cross-validation says more";
  return {
    code: "few-rows",
    message: `${parameters} parameters were fitted to ${rows} rows and none were held out: these errors say nothing about new rows. ${check}. More rows help most; a weight decay (such as 1) or far fewer hidden units often do where the data are noisy.`,
  };
}

function decayTooLarge(facts: AdviceFacts): Advice | null {
  const { decay, decayShare } = facts;
  if (!(decay > 0) || decayShare < ADVICE_THRESHOLDS.decayShare || excess(facts) !== null) return null;
  return {
    code: "decay",
    message: `The weight decay of ${decay} is ${percent(decayShare)} of what was minimized, and no overfitting is seen: a smaller one, such as ${number(decay / 100)}, or none would give lower errors.`,
  };
}

function moreIterations({ reason, points, kept, validationLoss }: AdviceFacts): Advice | null {
  if (reason !== "iterations" && reason !== "seconds") return null;
  const last = points.length - 1;
  const back = Math.max(1, Math.ceil(ADVICE_THRESHOLDS.lastIterations * last));
  // The best validation loss lies further back: more iterations would overfit.
  if (last < 1 || kept < last - back) return null;
  const of = ({ loss, validationLoss: held }: AdvicePoint) => (validationLoss === null ? loss : (held ?? Number.NaN));
  const before = of(points[last - back] as AdvicePoint);
  // Some losses are below 0, where a share of the loss says nothing.
  if (!(before > 0)) return null;
  const fell = 1 - of(points[kept] as AdvicePoint) / before;
  if (!(fell >= ADVICE_THRESHOLDS.stillFalling)) return null;
  const epoch = points[last]?.epoch;
  const [unit, count] =
    epoch === undefined ? ["iteration", back] : ["epoch", epoch - (points[last - back]?.epoch ?? 0)];
  const limit = reason === "iterations" ? `${unit}s` : "time";
  return {
    code: "iterations",
    message: `The run was cut off while the error still fell (by ${percent(fell)} in the last ${count === 1 ? unit : `${number(count)} ${unit}s`}): allow more ${limit}.`,
  };
}

function underfitting({ classes, loss, reason, decay, decayShare }: AdviceFacts): Advice | null {
  if (classes === null || reason === "iterations" || reason === "seconds" || reason === "aborted") return null;
  const uninformed = classes.shares.reduce((sum, share) => sum - (share > 0 ? share * Math.log(share) : 0), 0);
  if (!(uninformed > 0) || loss < ADVICE_THRESHOLDS.uninformed * uninformed) return null;
  // `decayTooLarge` says the same of a decay that is most of the objective.
  if (decay > 0 && decayShare >= ADVICE_THRESHOLDS.decayShare) return null;
  const smaller = decay > 0 ? `, a decay smaller than ${decay}` : "";
  return {
    code: "underfitting",
    message: `The log-loss on the training rows is ${percent(loss / uninformed)} of that of the class shares alone: the inputs say little about the class, or the network is too small for what they say. Other inputs help most; more hidden units${smaller} may help.`,
  };
}

function imbalance({ classes }: AdviceFacts): Advice | null {
  if (classes === null || classes.names.length < 2) return null;
  const { names, shares } = classes;
  // A class without rows is a warning of the data: weights cannot help it.
  const there = shares.filter((share) => share > 0);
  if (there.length < 2) return null;
  const [least, most] = [Math.min(...there), Math.max(...there)];
  const { largestClass, smallestClass } = ADVICE_THRESHOLDS;
  if (most < largestClass && least * there.length > smallestClass) return null;
  const [rare, common] = [least, most].map((share) => JSON.stringify(names[shares.indexOf(share)]));
  return {
    code: "imbalance",
    message: `The class ${rare} has ${percent(least)} of the training rows, and an answer that is always ${common} is right for ${percentBelow(most)} of them: judge the model by balanced accuracy, F1 or AUC, and weigh the classes evenly where the rare one matters most.`,
  };
}

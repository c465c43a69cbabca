// Replaces the names of library options in messages by the flags of the command line, because an error should name what was typed. The
// flags of table options are in table-options.ts. exit.ts applies it to every error of a command, and train-many.ts to the errors of single
// runs.
import { GaussflowError } from "../errors.js";

/** Flag of each option of the library that the command line can set. */
export const FLAG_OF_OPTION: Readonly<Record<string, string>> = {
  "options.activation": "--activation",
  "options.adaptation": "--adaptation",
  "options.backend": "--backend",
  "options.batch": "--batch",
  "options.batchStart": "--batch-start",
  "options.batchStart.batch": "--batch-start",
  "options.batchStart.epochs": "--batch-start",
  "options.bounds": "--bounds",
  "options.budget": "--budget",
  "options.checkpoint": "--checkpoint",
  "options.checkpoint.path": "--checkpoint",
  "options.classWeights": "--class-weights",
  "options.curvature": "--curvature",
  "options.curvatureRows": "--curvature-rows",
  "options.damping": "--damping",
  "options.decay": "--decay",
  "options.decoupledDecay": "--decoupled-decay",
  "options.finalRate": "--final-rate",
  "options.fixed": "--fixed",
  "options.form": "--form",
  "options.groups": "--groups",
  "options.hidden": "--hidden",
  "options.initialization": "--initialization",
  "options.intervals": "--intervals",
  "options.keep": "--keep",
  "options.largestRise": "--largest-rise",
  "options.layers": "--hidden",
  "options.lineSearch": "--line-search",
  "options.level": "--level",
  "options.loss": "--loss",
  "options.loss.decay": "--decay",
  "options.loss.delta": "--loss",
  "options.loss.kind": "--loss",
  "options.lower": "--lower",
  "options.memory": "--memory",
  "options.memoryLimit": "--memory-limit",
  "options.method": "--method",
  "options.momentum": "--momentum",
  "options.monitor": "--monitor",
  "options.mu": "--mu",
  "options.nesterov": "--nesterov",
  "options.network.activation": "--activation",
  "options.network.initialization": "--initialization",
  "options.distributed": "--distributed",
  "options.radius": "--radius",
  "options.ranks": "--ranks",
  "options.rate": "--rate",
  "options.rateEpochs": "--rate-epochs",
  "options.rateFactor": "--rate-factor",
  "options.regularizer": "--regularizer",
  "options.proximal": "--proximal",
  "options.resume": "--resume",
  "options.route": "--route",
  "options.scaling": "--scaling",
  "options.schedule": "--schedule",
  "options.seed": "--seed",
  "options.sigma": "--sigma",
  "options.slots": "--slots",
  "options.start": "--start",
  "options.starts": "--starts",
  "options.step": "--step",
  "options.stop.epochs": "--epochs",
  "options.stop.iterations": "--iterations",
  "options.stop.loss": "--stop-loss",
  "options.stop.patience": "--patience",
  "options.stop.seconds": "--seconds",
  "options.stop.validateEvery": "--validate-every",
  "options.tau": "--tau",
  "options.test": "--test",
  "options.threads": "--threads",
  "options.uncertainty": "--uncertainty",
  "options.upper": "--upper",
  "options.validation": "--validation",
  "options.warmUp": "--warm-up",
};

/** Flag of each plain argument of a function that commands call. Such a name is a common word, so it is replaced only at the beginning of a message. */
export const FLAG_OF_ARGUMENT: Readonly<Record<string, string>> = {
  "data.targets": "--target",
  "table.targets": "--target",
  "options.validation.targets": "--target",
  count: "--restarts",
  initialization: "--initialization",
  model: "--model",
  samples: "--samples",
  seed: "--seed",
  "seed + count": "--seed and --restarts together",
  seeds: "--seeds",
  start: "--start",
  width: "--width",
};

/** What a message of the library suggests in code, and how the command line says it. */
const COMMAND_OF_CALLS: Readonly<Record<string, string>> = {
  "convertCsv and openDataFile": "gaussflow convert",
  "huber({ delta })": "huber:DELTA",
  "pseudoHuber({ delta })": "pseudo-huber:DELTA",
  "poisson()": "--loss poisson",
  "logistic()": "--loss logistic",
};

/** What an error says, in the words of the command line. */
export function messageOf(error: unknown): string {
  if (!(error instanceof GaussflowError)) return error instanceof Error ? error.message : String(error);
  const { argument } = error.details;
  const flag =
    typeof argument === "string" && Object.hasOwn(FLAG_OF_ARGUMENT, argument) ? FLAG_OF_ARGUMENT[argument] : undefined;
  return inFlags(flag === undefined ? error.message : error.message.replace(argument as string, flag));
}

/** A text of the library with every option of it that has a flag named by the flag, and calls by the command that makes them. */
export function inFlags(text: string): string {
  const inCommands = Object.entries(COMMAND_OF_CALLS).reduce((now, [calls, by]) => now.replaceAll(calls, by), text);
  return inCommands.replace(/\boptions(?:\.[A-Za-z]+)+/g, (name) => {
    // A message about a setting of a method names the flag by which the setting was given.
    const own = Object.hasOwn(FLAG_OF_OPTION, name) ? name : name.replace("options.method.", "options.");
    return Object.hasOwn(FLAG_OF_OPTION, own) ? (FLAG_OF_OPTION[own] ?? name) : name;
  });
}

// Defines the options and records of `minmax`, and checks and completes the options for minmax.ts.
import type { BackendOptions } from "../backend/create.js";
import { argumentError } from "../errors.js";
import { defaultMemoryLimit } from "../memory-limit.js";
import { type BatchMethod, isBatchMethod } from "../method/batch-method.js";
import { type JointMethod, minmaxGaussNewton } from "../method/minmax/minmax-gauss-newton.js";
import {
  checkCount,
  checkFunction,
  checkMemoryLimit,
  checkNonNegative,
  checkOptionNames,
  checkPath,
  checkSignal,
  isObject,
} from "../options.js";
import { type CheckpointFile, type CompletedRunOptions, completeCheckpoint } from "../run/run-options.js";
import { GAME_LOSSES, type GameLoss, PENALTIES, type PenaltyName } from "./objective.js";

/** How each player moves. */
export interface PlayerMethods {
  /** Of the generator: `minmaxGaussNewton()`, `exactGaussNewton()`, `adam()` or `gradientDescent()`. */
  readonly generator: BatchMethod;
  /** Of the discriminator. */
  readonly discriminator: BatchMethod;
}

/** Options of `minmax`. */
export interface MinmaxOptions extends BackendOptions {
  /**
   * "logistic": the non-saturating loss of Goodfellow et al. 2014. "wasserstein": the difference of the discriminator's means. Default
   * "logistic".
   */
  readonly loss?: GameLoss | undefined;
  /**
   * Penalty on the discriminator's gradients by its inputs: "r1", weight/2 mean |dD/dx|^2 at the real rows; "gradient", weight mean (|dD/dx| -
   * 1)^2 between real rows and samples. Default "r1" with the logistic loss, "gradient" with "wasserstein".
   */
  readonly penalty?: PenaltyName | undefined;
  /** Its weight, at least 0. Default 1. */
  readonly penaltyWeight?: number | undefined;
  /**
   * How the players move: one method for both, one each, or the joint `minmaxGaussNewton({ step: "published" })`. Default
   * `minmaxGaussNewton()`, which needs the logistic loss.
   */
  readonly method?: JointMethod | BatchMethod | PlayerMethods | undefined;
  /** Real rows and samples of a step, b; at most the rows of the data. Default 128, or all rows where they are fewer. */
  readonly batch?: number | undefined;
  /** Steps of the generator. Default 2000. */
  readonly iterations?: number | undefined;
  /** Steps of the discriminator before each of the generator, on other rows each. Default 1. A joint method takes 1. */
  readonly discriminatorSteps?: number | undefined;
  /** Seed of latent inputs and of the order of the rows. Default 0. */
  readonly seed?: number | undefined;
  /**
   * Bytes that the process may use. A game that is predicted to need more is refused before it allocates anything (`planMinmax`). Default:
   * half of the physical memory or of the control group's limit.
   */
  readonly memoryLimit?: number | undefined;
  /**
   * Writes the state of the game every `every` iterations, and at the end of any game that has taken a step. A game that ends with
   * "non-finite" leaves the file as it is.
   */
  readonly checkpoint?: CheckpointFile | undefined;
  /**
   * Path of a checkpoint of the same game, from which this one continues: bit for bit with the kind of engine that wrote it, to rounding with
   * the other kind. `iterations` may differ, unless a rate falls along a cosine over all of them, and so may the number of threads.
   */
  readonly resume?: string | undefined;
  /** Ends the game within its present step, with the reason "aborted" and the networks so far. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each iteration. An exception ends the game. */
  readonly onRecord?: ((record: MinmaxRecord) => void | Promise<void>) | undefined;
}

/** One iteration: the step of the generator, and the last one of the discriminator. Losses and gradients are those before the step. */
export interface MinmaxRecord {
  /** Number of the iteration, from 1. */
  readonly iteration: number;
  /** Mean loss of the generator on the batch. */
  readonly generatorLoss: number;
  /** Mean loss of the discriminator on the batch, with the penalty. */
  readonly discriminatorLoss: number;
  /** The penalty in it. */
  readonly penalty: number;
  /** Norm of the gradient of the generator's mean loss. */
  readonly generatorGradient: number;
  /** Norm of the gradient of the discriminator's mean loss. */
  readonly discriminatorGradient: number;
  /** Norm of the change of the generator's parameters. */
  readonly generatorStep: number;
  /** Norm of the change of the discriminator's parameters. */
  readonly discriminatorStep: number;
  /** With the published step its scalar: the step is -rate * scalar * gradient. Null with other methods. */
  readonly scalar: number | null;
  /** With the published step: whether the guard replaced a negative scalar. */
  readonly guarded: boolean;
  /** Seconds since the start, those before a checkpoint that was resumed among them. */
  readonly elapsed: number;
}

/** The options of a game, complete. */
export interface CompletedMinmaxOptions {
  readonly loss: GameLoss;
  readonly penalty: PenaltyName;
  readonly penaltyWeight: number;
  readonly method: JointMethod | PlayerMethods;
  readonly batch: number;
  readonly iterations: number;
  readonly discriminatorSteps: number;
  readonly seed: number;
  readonly memoryLimit: number;
  readonly checkpoint: CompletedRunOptions["checkpoint"];
  readonly resume: string | null;
}

const NAMES = [
  "loss",
  "penalty",
  "penaltyWeight",
  "method",
  "batch",
  "iterations",
  "discriminatorSteps",
  "seed",
  "memoryLimit",
  "checkpoint",
  "resume",
  "signal",
  "onRecord",
  "backend",
  "threads",
];
const BATCH = 128;
const ITERATIONS = 2000;
/** An iteration takes milliseconds, and so does a write. */
const ITERATIONS_BETWEEN_CHECKPOINTS = 500;

/**
 * @param rows of the data
 * @throws GAUSSFLOW_ARGUMENT naming the option, the rule and the value
 */
export function completeMinmaxOptions(options: MinmaxOptions, rows: number): CompletedMinmaxOptions {
  checkOptionNames("options", options, NAMES);
  const { loss = "logistic", penaltyWeight = 1, batch = Math.min(BATCH, rows), iterations = ITERATIONS } = options;
  const { penalty = loss === "wasserstein" ? "gradient" : "r1", discriminatorSteps = 1, seed = 0 } = options;
  const { memoryLimit = defaultMemoryLimit(), resume, signal, onRecord } = options;
  checkOneOf("options.loss", loss, GAME_LOSSES);
  checkOneOf("options.penalty", penalty, PENALTIES);
  checkNonNegative("options.penaltyWeight", penaltyWeight);
  checkCount("options.batch", batch, 1);
  if (batch > rows) throw argumentError("options.batch", `must be at most ${rows}, the rows of the data`, batch);
  checkCount("options.iterations", iterations, 1);
  checkCount("options.discriminatorSteps", discriminatorSteps, 1);
  checkCount("options.seed", seed, 0);
  checkMemoryLimit("options.memoryLimit", memoryLimit);
  if (resume !== undefined) checkPath("options.resume", resume);
  checkSignal("options.signal", signal);
  if (onRecord !== undefined) checkFunction("options.onRecord", onRecord);
  const method = checkMinmaxMethod(options.method ?? minmaxGaussNewton());
  if (isJoint(method) && discriminatorSteps !== 1)
    throw argumentError(
      "options.discriminatorSteps",
      "must be 1 with a joint step of both players",
      discriminatorSteps,
    );
  const checkpoint = completeCheckpoint(options.checkpoint, ITERATIONS_BETWEEN_CHECKPOINTS);
  const game = { loss, penalty, penaltyWeight, method, batch, iterations, discriminatorSteps, seed };
  return { ...game, memoryLimit, checkpoint, resume: resume ?? null };
}

function checkOneOf(name: string, value: unknown, names: readonly string[]): void {
  if (!(names as readonly unknown[]).includes(value))
    throw argumentError(name, `must be one of ${names.join(", ")}`, value);
}

/** True for a method that moves both players at once. */
export function isJoint(method: unknown): method is JointMethod {
  return isObject(method) && method.kind === "joint";
}

function checkMinmaxMethod(method: unknown): JointMethod | PlayerMethods {
  if (isJoint(method)) return method;
  if (isBatchMethod(method)) return { generator: method, discriminator: method };
  // A method that sees all rows has a name.
  if (!isObject(method) || "name" in method)
    throw argumentError(
      "options.method",
      "must be made by minmaxGaussNewton(), exactGaussNewton(), adam() or gradientDescent(), or be an object with one of them for generator and one for discriminator",
      isObject(method) ? method.name : method,
    );
  checkOptionNames("options.method", method, ["generator", "discriminator"]);
  const { generator, discriminator } = method;
  for (const [name, one] of Object.entries({ generator, discriminator }))
    if (!isBatchMethod(one))
      throw argumentError(
        `options.method.${name}`,
        "must be made by minmaxGaussNewton(), exactGaussNewton(), adam() or gradientDescent()",
        one,
      );
  return { generator: generator as BatchMethod, discriminator: discriminator as BatchMethod };
}

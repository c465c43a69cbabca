// The public `minmax`: trains a generator and a discriminator against each other. Users and the experiment minmax call it.
//
//   each iteration   discriminatorSteps times: real rows and samples G(z) -> the discriminator's step
//                    other z -> the generator's step against the new discriminator
//   joint methods    real rows and samples -> gradients of both players at the same point -> one step of both
//
// The networks after an iteration are a function of networks, data and options, the seed among them. Every end of the game (an abort, a number that
// is not finite) returns both networks with a reason; only misuse, checkpoints that do not fit and errors of the caller's functions throw.
import { checkWritable } from "../atomic-file.js";
import { type MatrixLike, matrixRows, matrixSteps } from "../data/matrix.js";
import { finishInTurns, Pace } from "../event-loop-yield.js";
import type { Reason } from "../method/reason.js";
import type { Network } from "../network/network.js";
import { abortReason, endedBy } from "../run/interrupt.js";
import { checkPlayers } from "./check-players.js";
import { Game } from "./game.js";
import {
  type GameIdentity,
  type GameSnapshot,
  identityOf,
  readGameCheckpoint,
  writeGameCheckpoint,
} from "./game-checkpoint.js";
import { planGame, refuseGame } from "./game-plan.js";
import { type CompletedMinmaxOptions, completeMinmaxOptions, type MinmaxOptions } from "./minmax-options.js";
import type { MinmaxResult } from "./minmax-result.js";
import { GameLoop } from "./play.js";
import { stepsPerIteration } from "./rounds.js";

/**
 * Trains `generator` to make samples like the rows of `data`, against a `discriminator` that learns to tell both apart.
 *
 * The networks are used as they are, in the units of the data: without scaling, centering or link. The discriminator's output D(x) is a
 * logit: sigma(D) is the probability that x is real.
 * @param generator a network whose inputs are standard normal noise
 * @param discriminator a network with the generator's outputs as inputs, and one output
 * @param data n real rows of as many numbers as the discriminator has inputs, or the same flat
 * @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_MEMORY (the plan does not fit the limit), GAUSSFLOW_FILE (a checkpoint that cannot be read or is of another
 * game, or whose place cannot be written to at the start), GAUSSFLOW_NO_NATIVE, and what onRecord throws
 * @example const { generator } = await minmax(network({ layers: [4, 32, 2] }), network({ layers: [2, 32, 1] }), rows);
 */
export async function minmax(
  generator: Network,
  discriminator: Network,
  data: MatrixLike,
  options: MinmaxOptions = {},
): Promise<MinmaxResult> {
  checkPlayers(generator, discriminator);
  const { signal } = options;
  const completed = completeMinmaxOptions(options, matrixRows(data, discriminator.inputSize, "data"));
  const players = { generator, discriminator };
  const plan = planGame(players, data, completed, options);
  refuseGame(plan);
  const rows = await finishInTurns(matrixSteps(data, discriminator.inputSize, "data"), new Pace(undefined));
  const since = performance.now();
  let begun: BegunGame;
  try {
    begun = await begin(players, rows, completed, signal);
  } catch (error) {
    if (!endedBy(signal, error)) throw error;
    const seconds = (performance.now() - since) / 1000;
    const ended = { reason: abortReason(signal), records: [], iterations: 0, seconds, warnings: [] };
    return { ...players, ...ended, plan, engine: plan.engine === "native" ? "native" : "reference" };
  }
  const { resume, identity } = begun;
  const weights = {
    generator: resume?.generator ?? generator.parameters.slice(),
    discriminator: resume?.discriminator ?? discriminator.parameters.slice(),
  };
  const backend = { backend: options.backend, threads: options.threads };
  const game = new Game(generator.architecture, discriminator.architecture, weights, rows, completed, backend);
  try {
    const { checkpoint } = completed;
    const loop = new GameLoop(game, completed, {
      ...options,
      pace: new Pace(signal),
      checkpoint: checkpoint && {
        every: checkpoint.every * stepsPerIteration(completed),
        write: (snapshot) => writeGameCheckpoint(checkpoint.path, snapshot, identity),
      },
      resume,
    });
    const reason: Reason = await loop.run();
    return {
      generator: generator.withParameters(game.weights.generator),
      discriminator: discriminator.withParameters(game.weights.discriminator),
      records: loop.records,
      reason,
      iterations: loop.records.length,
      seconds: loop.elapsed,
      plan,
      warnings: loop.warnings,
      engine: game.generator.kind,
    };
  } finally {
    game.dispose();
  }
}

interface BegunGame {
  /** What the game depends on; empty where there is no checkpoint to write or read. */
  readonly identity: GameIdentity;
  readonly resume: GameSnapshot | null;
}

/**
 * What a game goes on from. One that is resumed is not cut short there: an aborted game returns the networks of its checkpoint.
 * @throws GAUSSFLOW_FILE, and the signal's reason once it has been aborted
 */
async function begin(
  players: { readonly generator: Network; readonly discriminator: Network },
  rows: Float64Array,
  options: CompletedMinmaxOptions,
  signal: AbortSignal | undefined,
): Promise<BegunGame> {
  const { checkpoint, resume } = options;
  if (checkpoint !== null) await checkWritable(checkpoint.path);
  if (checkpoint === null && resume === null) return { identity: [], resume: null };
  const identity = await identityOf(players, rows, options, resume === null ? signal : undefined);
  if (resume === null) return { identity, resume };
  const { generator, discriminator } = players;
  const counts = { generator: generator.parameterCount, discriminator: discriminator.parameterCount };
  return { identity, resume: await readGameCheckpoint(resume, { identity, options, counts }) };
}

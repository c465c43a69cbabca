// The public `minmax`: trains a generator and a discriminator against each other. Users and the experiment minmax call it.
//
//   each iteration   discriminatorSteps times: real rows and samples G(z) -> the discriminator's step
//                    other z -> the generator's step against the new discriminator
//   joint methods    real rows and samples -> gradients of both players at the same point -> one step of both
//
// The networks after an iteration are a function of networks, data and options, the seed among them. Every end of the game (an abort, a number that
// is not finite) returns both networks with a reason; only misuse and errors of the caller's functions throw.
import { norm } from "../algebra/vectors.js";
import type { BackendOptions } from "../backend/create.js";
import { type Failure, failed } from "../backend/engine.js";
import { type MatrixLike, matrixSteps } from "../data/matrix.js";
import { argumentError } from "../errors.js";
import { finishInTurns, Pace } from "../event-loop-yield.js";
import type { JointMethod } from "../method/minmax/minmax-gauss-newton.js";
import { rateAt } from "../method/rate-schedule.js";
import type { Reason } from "../method/reason.js";
import { checkNetwork, type Network } from "../network/network.js";
import { failureReason, memoryReason } from "../run/failure-reason.js";
import { abortReason, endedBy } from "../run/interrupt.js";
import { Game } from "./game.js";
import {
  type CompletedMinmaxOptions,
  completeMinmaxOptions,
  isJoint,
  type MinmaxOptions,
  type MinmaxRecord,
  type MinmaxResult,
  type PlayerMethods,
} from "./minmax-options.js";
import { type Moved, Mover } from "./mover.js";

/**
 * Trains `generator` to make samples like the rows of `data`, against a `discriminator` that learns to tell both apart.
 *
 * The networks are used as they are, in the units of the data: without scaling, centering or link. The discriminator's output D(x) is a
 * logit: sigma(D) is the probability that x is real.
 * @param generator a network whose inputs are standard normal noise
 * @param discriminator a network with the generator's outputs as inputs, and one output
 * @param data n real rows of as many numbers as the discriminator has inputs, or the same flat
 * @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_MEMORY, GAUSSFLOW_NO_NATIVE, and what onRecord throws
 * @example const { generator } = await minmax(network({ layers: [4, 32, 2] }), network({ layers: [2, 32, 1] }), rows);
 */
export async function minmax(
  generator: Network,
  discriminator: Network,
  data: MatrixLike,
  options: MinmaxOptions = {},
): Promise<MinmaxResult> {
  checkPlayers(generator, discriminator);
  const rows = await finishInTurns(matrixSteps(data, discriminator.inputSize, "data"), new Pace(undefined));
  const completed = completeMinmaxOptions(options, rows.length / discriminator.inputSize);
  const weights = { generator: generator.parameters.slice(), discriminator: discriminator.parameters.slice() };
  const backend: BackendOptions = { backend: options.backend, threads: options.threads };
  const game = new Game(generator.architecture, discriminator.architecture, weights, rows, completed, backend);
  const start = performance.now();
  const records: MinmaxRecord[] = [];
  const elapsed = () => (performance.now() - start) / 1000;
  try {
    const reason = await play(game, completed, options.signal, async (record) => {
      records.push({ ...record, elapsed: elapsed() });
      await options.onRecord?.(records.at(-1) as MinmaxRecord);
    });
    return {
      generator: generator.withParameters(game.weights.generator),
      discriminator: discriminator.withParameters(game.weights.discriminator),
      records,
      reason,
      iterations: records.length,
      seconds: elapsed(),
      engine: game.generator.kind,
    };
  } finally {
    game.dispose();
  }
}

type Keep = (record: Omit<MinmaxRecord, "elapsed">) => Promise<void>;
/** One iteration; a reason ends the game. */
type Round = (iteration: number, signal: AbortSignal) => Promise<Omit<MinmaxRecord, "elapsed"> | Reason>;

async function play(
  game: Game,
  options: CompletedMinmaxOptions,
  user: AbortSignal | undefined,
  keep: Keep,
): Promise<Reason> {
  const { method, iterations } = options;
  const signal = user ?? new AbortController().signal;
  const pace = new Pace(user);
  const round = isJoint(method) ? jointRound(game, method, options, pace) : turns(game, method, options, pace);
  for (let iteration = 1; iteration <= iterations; iteration++) {
    let made: Awaited<ReturnType<Round>>;
    try {
      await pace.turn();
      signal.throwIfAborted();
      made = await round(iteration, signal);
    } catch (error) {
      if (endedBy(user, error)) return abortReason(user);
      const refused = memoryReason(error);
      if (refused === null) throw error;
      return refused;
    }
    if ("code" in made) return made;
    await keep(made);
  }
  return { code: "iterations", message: `${iterations} iterations are done` };
}

/** Rounds in which the players move in turn. */
function turns(game: Game, methods: PlayerMethods, options: CompletedMinmaxOptions, pace: Pace): Round {
  const { weights, rows } = game;
  const { discriminatorSteps, iterations, seed, loss } = options;
  const mover = (name: "generator" | "discriminator", stepsOfIteration: number) =>
    new Mover(methods[name], game[name], weights[name], {
      name,
      totalRows: rows.count,
      steps: iterations * stepsOfIteration,
      stepsPerEpoch: rows.perEpoch,
      seed,
      curved: loss === "logistic",
    });
  const movers = { discriminator: mover("discriminator", discriminatorSteps), generator: mover("generator", 1) };
  const move = async (name: "generator" | "discriminator", iteration: number, signal: AbortSignal) => {
    const answer = await movers[name].step(signal);
    if (failed(answer)) return playerReason(answer, name, iteration, methods[name].remedy);
    weights[name] = movers[name].parameters;
    return answer.end ?? answer;
  };
  return async (iteration, signal) => {
    const first = (iteration - 1) * (discriminatorSteps + 1);
    let moved: Moved | Reason | null = null;
    for (let k = 0; k < discriminatorSteps; k++) {
      game.loadLatent(first + k);
      await game.loadPoints((iteration - 1) * discriminatorSteps + k, pace, signal);
      moved = await move("discriminator", iteration, signal);
      if ("code" in moved) return moved;
    }
    const discriminator = moved as Moved;
    game.loadLatent(first + discriminatorSteps);
    const generator = await move("generator", iteration, signal);
    if ("code" in generator) return generator;
    return {
      iteration,
      generatorLoss: generator.loss,
      discriminatorLoss: discriminator.loss,
      penalty: discriminator.penalty,
      generatorGradient: generator.gradientNorm,
      discriminatorGradient: discriminator.gradientNorm,
      generatorStep: generator.stepNorm,
      discriminatorStep: discriminator.stepNorm,
      scalar: null,
      guarded: false,
    };
  };
}

/** Rounds in which both players take one step from the same point. */
function jointRound(game: Game, method: JointMethod, options: CompletedMinmaxOptions, pace: Pace): Round {
  const { weights, rows } = game;
  const { batch, iterations } = options;
  const first = weights.discriminator.length;
  const gradient = new Float64Array(first + weights.generator.length);
  let state = method.start(gradient.length);
  return async (iteration, signal) => {
    game.loadLatent(iteration - 1);
    await game.loadPoints(iteration - 1, pace, signal);
    const request = { curvature: "none", decay: 0, scaling: null } as const;
    const discriminator = await game.discriminator.linearize(weights.discriminator, request, signal);
    if (failed(discriminator)) return playerReason(discriminator, "discriminator", iteration, method.remedy);
    const generator = await game.generator.linearize(weights.generator, request, signal);
    if (failed(generator)) return playerReason(generator, "generator", iteration, method.remedy);
    gradient.set(discriminator.gradient);
    gradient.set(generator.gradient, first);
    for (let j = 0; j < gradient.length; j++) gradient[j] /= batch;
    const place = { step: iteration - 1, stepsPerEpoch: rows.perEpoch, steps: iterations };
    const answer = method.step({ gradient, rate: rateAt(method.rate, place) }, state);
    const next = {
      discriminator: weights.discriminator.map((value, j) => value + answer.step[j]!),
      generator: weights.generator.map((value, j) => value + answer.step[first + j]!),
    };
    const steps = {
      discriminator: norm(answer.step.subarray(0, first)),
      generator: norm(answer.step.subarray(first)),
    };
    if (!Number.isFinite(steps.discriminator + steps.generator))
      return playerReason(
        { code: "non-finite", message: "the joint step is not finite", where: { what: "step" } },
        null,
        iteration,
        method.remedy,
      );
    state = answer.state;
    Object.assign(weights, next);
    return {
      iteration,
      generatorLoss: generator.loss / batch,
      discriminatorLoss: discriminator.loss / batch,
      penalty: game.discriminator.penalty / batch,
      generatorGradient: norm(generator.gradient) / batch,
      discriminatorGradient: norm(discriminator.gradient) / batch,
      generatorStep: steps.generator,
      discriminatorStep: steps.discriminator,
      scalar: answer.scalar,
      guarded: answer.guarded,
    };
  };
}

/** The reason of a game that a failure ends. */
function playerReason(failure: Failure, player: string | null, iteration: number, remedy: string): Reason {
  const reason = failureReason(failure);
  const who = player === null ? "" : ` of the ${player}`;
  const cure = reason.code === "memory" ? "" : `; try ${remedy}`;
  return { ...reason, message: `iteration ${iteration}${who}: ${reason.message}${cure}` };
}

/** @throws GAUSSFLOW_ARGUMENT for networks that do not fit each other, or that predict in other units than they compute in */
function checkPlayers(generator: Network, discriminator: Network): void {
  for (const [name, one] of Object.entries({ generator, discriminator })) {
    checkNetwork(name, one);
    if (one.scaling !== null || one.center !== null || one.link !== "identity")
      throw argumentError(
        name,
        'must have no scaling, no centering and the link "identity": make it by network({ layers, activation, seed })',
        one.link !== "identity" ? `the link ${one.link}` : one.center !== null ? "a centered network" : "a scaling",
      );
  }
  const { outputSize } = generator;
  if (discriminator.outputSize !== 1)
    throw argumentError("discriminator", "must have one output", `${discriminator.outputSize} outputs`);
  if (discriminator.inputSize !== outputSize)
    throw argumentError(
      "discriminator",
      `must have ${outputSize} inputs, as many as the generator has outputs`,
      `${discriminator.inputSize} inputs`,
    );
}

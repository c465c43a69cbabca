// Makes the steps of a min-max game, one after the other, for play.ts: in turn, each player by its own method (mover.ts), or both at once by a
// joint method. Which rows and latent inputs a step sees follows from its place alone.
//
//   in turn    position 0 to s - 1: the discriminator on real rows and samples G(z);     position s: the generator on other z
//   jointly    position 0: gradients of both at the same point -> one step of both
import { norm } from "../algebra/vectors.js";
import { type Failure, failed } from "../backend/engine.js";
import type { Pace } from "../event-loop-yield.js";
import type { MethodState } from "../method/method.js";
import type { JointMethod } from "../method/minmax/minmax-gauss-newton.js";
import { rateAt } from "../method/rate-schedule.js";
import type { Reason } from "../method/reason.js";
import { failureReason } from "../run/failure-reason.js";
import type { Game } from "./game.js";
import { type CompletedMinmaxOptions, isJoint, type PlayerMethods } from "./minmax-options.js";
import { Mover, type PlayerName, type PlayerStep } from "./mover.js";

/** Where a step is in its game. */
export interface StepPlace {
  /** Iterations before it. */
  readonly iteration: number;
  /** Steps of the iteration before it. */
  readonly position: number;
}

/** What a step did. */
export interface GameStep {
  readonly ok: true;
  /** The discriminator's step, where this was one. */
  readonly discriminator: PlayerStep | null;
  /** The generator's step, which is the last of the iteration. */
  readonly generator: PlayerStep | null;
  readonly scalar: number | null;
  readonly guarded: boolean;
}

/** The states of the methods: of each player, or one of a joint method. */
export type GameStates = Readonly<Partial<Record<PlayerName | "both", MethodState>>>;

/** The steps of a game. */
export interface Rounds {
  /** Steps of an iteration. */
  readonly length: number;
  /** States of the methods, whose arrays may change with the next step. */
  states(): GameStates;
  /**
   * The step at a place. A reason ends the game, whose parameters are then those before the step. So are the states, unless the step is not
   * finite: methods change their arrays in place.
   */
  step(place: StepPlace, signal: AbortSignal): Promise<GameStep | Reason>;
}

/** Steps of an iteration. */
export const stepsPerIteration = ({
  method,
  discriminatorSteps,
}: Pick<CompletedMinmaxOptions, "method" | "discriminatorSteps">): number =>
  isJoint(method) ? 1 : discriminatorSteps + 1;

/** @param resume states of the methods, and the place of the next step; null: a game that begins */
export function makeRounds(
  game: Game,
  options: CompletedMinmaxOptions,
  pace: Pace,
  resume: (StepPlace & { readonly states: GameStates }) | null,
): Rounds {
  const { method } = options;
  return isJoint(method)
    ? new JointRounds(game, method, options, pace, resume?.states.both ?? null)
    : new Turns(game, method, options, pace, resume);
}

/** The players in turn. */
class Turns implements Rounds {
  readonly length: number;
  readonly #game: Game;
  readonly #methods: PlayerMethods;
  readonly #pace: Pace;
  readonly #movers: Readonly<Record<PlayerName, Mover>>;

  constructor(
    game: Game,
    methods: PlayerMethods,
    options: CompletedMinmaxOptions,
    pace: Pace,
    resume: (StepPlace & { readonly states: GameStates }) | null,
  ) {
    const { discriminatorSteps, iterations, seed, loss } = options;
    const { rows, weights } = game;
    this.length = stepsPerIteration(options);
    this.#game = game;
    this.#methods = methods;
    this.#pace = pace;
    const mover = (name: PlayerName, ofIteration: number, done: number) => {
      const { sampleCount, parameterCount } = game[name];
      const run = {
        name,
        rows: sampleCount,
        parameterCount,
        curved: loss === "logistic",
        totalRows: rows.count,
        steps: iterations * ofIteration,
        stepsPerEpoch: rows.perEpoch,
        seed,
      };
      const state = resume?.states[name];
      return new Mover(
        methods[name],
        game[name],
        weights[name],
        run,
        state === undefined ? null : { state, steps: done },
      );
    };
    const { iteration, position } = resume ?? { iteration: 0, position: 0 };
    this.#movers = {
      discriminator: mover("discriminator", discriminatorSteps, iteration * discriminatorSteps + position),
      generator: mover("generator", 1, iteration),
    };
  }

  states(): GameStates {
    const { discriminator, generator } = this.#movers;
    return { discriminator: discriminator.state, generator: generator.state };
  }

  async step({ iteration, position }: StepPlace, signal: AbortSignal): Promise<GameStep | Reason> {
    const before = this.length - 1;
    const name = position < before ? "discriminator" : "generator";
    await this.#game.loadLatent(iteration * this.length + position, this.#pace);
    if (name === "discriminator") await this.#game.loadPoints(iteration * before + position, this.#pace, signal);
    const mover = this.#movers[name];
    const answer = await mover.step(signal);
    if (failed(answer)) return playerReason(answer, name, iteration, this.#methods[name].remedy);
    this.#game.weights[name] = mover.parameters;
    const { ok: _, ...moved } = answer;
    const [discriminator, generator] = name === "discriminator" ? [moved, null] : [null, moved];
    return { ok: true, discriminator, generator, scalar: null, guarded: false };
  }
}

/** One step of both players from the same point. */
class JointRounds implements Rounds {
  readonly length = 1;
  readonly #game: Game;
  readonly #method: JointMethod;
  readonly #options: CompletedMinmaxOptions;
  readonly #pace: Pace;
  /** Of the discriminator's parameters, then the generator's. */
  readonly #gradient: Float64Array;
  #state: MethodState;

  constructor(game: Game, method: JointMethod, options: CompletedMinmaxOptions, pace: Pace, state: MethodState | null) {
    const { discriminator, generator } = game.weights;
    this.#game = game;
    this.#method = method;
    this.#options = options;
    this.#pace = pace;
    this.#gradient = new Float64Array(discriminator.length + generator.length);
    this.#state = state ?? method.start(this.#gradient.length);
  }

  states(): GameStates {
    return { both: this.#state };
  }

  async step({ iteration }: StepPlace, signal: AbortSignal): Promise<GameStep | Reason> {
    const [game, method, gradient] = [this.#game, this.#method, this.#gradient];
    const { batch, iterations } = this.#options;
    const { weights, rows } = game;
    const first = weights.discriminator.length;
    await game.loadLatent(iteration, this.#pace);
    await game.loadPoints(iteration, this.#pace, signal);
    const request = { curvature: "none", decay: 0, scaling: null } as const;
    const discriminator = await game.discriminator.linearize(weights.discriminator, request, signal);
    if (failed(discriminator)) return playerReason(discriminator, "discriminator", iteration, method.remedy);
    const generator = await game.generator.linearize(weights.generator, request, signal);
    if (failed(generator)) return playerReason(generator, "generator", iteration, method.remedy);
    gradient.set(discriminator.gradient);
    gradient.set(generator.gradient, first);
    for (let j = 0; j < gradient.length; j++) gradient[j] /= batch;
    const place = { step: iteration, stepsPerEpoch: rows.perEpoch, steps: iterations };
    const answer = method.step({ gradient, rate: rateAt(method.rate, place) }, this.#state);
    const { step, scalar, guarded, state } = answer;
    const norms = { discriminator: norm(step.subarray(0, first)), generator: norm(step.subarray(first)) };
    if (!Number.isFinite(norms.discriminator + norms.generator)) {
      const failure = { code: "non-finite", message: "the joint step is not finite", where: { what: "step" } } as const;
      return playerReason(failure, null, iteration, method.remedy);
    }
    this.#state = state;
    weights.discriminator = weights.discriminator.map((value, j) => value + step[j]!);
    weights.generator = weights.generator.map((value, j) => value + step[first + j]!);
    const moved = (loss: number, penalty: number, slopes: Float64Array, stepNorm: number): PlayerStep => ({
      loss: loss / batch,
      penalty: penalty / batch,
      gradientNorm: norm(slopes) / batch,
      stepNorm,
    });
    return {
      ok: true,
      discriminator: moved(discriminator.loss, game.discriminator.penalty, discriminator.gradient, norms.discriminator),
      generator: moved(generator.loss, 0, generator.gradient, norms.generator),
      scalar,
      guarded,
    };
  }
}

/** The reason of a game that a failure ends. */
function playerReason(failure: Failure, player: string | null, iteration: number, remedy: string): Reason {
  const reason = failureReason(failure);
  const who = player === null ? "" : ` of the ${player}`;
  const cure = reason.code === "memory" ? "" : `; try ${remedy}`;
  return { ...reason, message: `iteration ${iteration + 1}${who}: ${reason.message}${cure}` };
}

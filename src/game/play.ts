// Runs the loop of a min-max game for minmax.ts: step after step (rounds.ts), a record at the end of each iteration, checkpoints, and the reason of the
// end. The state after every step is plain data, so that a game that goes on from a checkpoint, in the middle of an epoch or of an iteration,
// repeats the uninterrupted one bit for bit.
import type { Pace } from "../event-loop-yield.js";
import type { Reason } from "../method/reason.js";
import { CheckpointKeeper, type CheckpointOptions } from "../run/checkpoint-keeper.js";
import { memoryReason } from "../run/failure-reason.js";
import { abortReason, endedBy } from "../run/interrupt.js";
import type { Game } from "./game.js";
import type { GameSnapshot } from "./game-checkpoint.js";
import type { CompletedMinmaxOptions, MinmaxOptions, MinmaxRecord } from "./minmax-options.js";
import type { PlayerStep } from "./mover.js";
import { type GameStep, makeRounds, type Rounds } from "./rounds.js";

export interface PlayOptions extends Pick<MinmaxOptions, "signal" | "onRecord"> {
  readonly pace: Pace;
  /** `every` counts steps of the players. */
  readonly checkpoint: CheckpointOptions<GameSnapshot> | null;
  /** The state to go on from. The game has its parameters already. */
  readonly resume: GameSnapshot | null;
}

export class GameLoop {
  readonly records: MinmaxRecord[];
  readonly #game: Game;
  readonly #options: CompletedMinmaxOptions;
  readonly #play: Pick<PlayOptions, "pace" | "signal" | "onRecord">;
  readonly #rounds: Rounds;
  readonly #checkpoints: CheckpointKeeper<GameSnapshot>;
  readonly #start = performance.now();
  /** Seconds of the games that this one resumed. */
  readonly #before: number;
  #iteration: number;
  #position: number;
  /** The discriminator's last step in an iteration that is not finished. */
  #pending: PlayerStep | null;

  constructor(game: Game, options: CompletedMinmaxOptions, play: PlayOptions) {
    const { pace, checkpoint, resume } = play;
    this.#game = game;
    this.#options = options;
    this.#play = { pace, signal: play.signal, onRecord: play.onRecord };
    this.#before = resume?.elapsed ?? 0;
    this.#rounds = makeRounds(game, options, pace, resume);
    this.#checkpoints = new CheckpointKeeper(checkpoint, "step");
    this.#iteration = resume?.iteration ?? 0;
    this.#position = resume?.position ?? 0;
    this.#pending = resume?.pending ?? null;
    this.records = [...(resume?.records ?? [])];
    if (resume !== null) this.#note();
  }

  /** Seconds of this game and of those that it resumed. */
  get elapsed(): number {
    return this.#before + (performance.now() - this.#start) / 1000;
  }

  get warnings(): readonly string[] {
    return this.#checkpoints.warnings;
  }

  /** Plays to the end, of which it says why. @throws what onRecord throws */
  async run(): Promise<Reason> {
    try {
      return await this.#run();
    } finally {
      await this.#checkpoints.close();
    }
  }

  async #run(): Promise<Reason> {
    const { iterations } = this.#options;
    while (this.#iteration < iterations) {
      const made = await this.#step();
      if ("code" in made) {
        if (made.code === "non-finite") this.#checkpoints.forget();
        return made;
      }
      const finished = this.#count(made);
      this.#note();
      if (finished) await this.#play.onRecord?.(this.records.at(-1)!);
      await this.#checkpoints.keep(this.#steps, () => this.#snapshot());
    }
    return { code: "iterations", message: `${iterations} iterations are done` };
  }

  async #step(): Promise<GameStep | Reason> {
    const { pace, signal: user } = this.#play;
    const signal = user ?? new AbortController().signal;
    const place = { iteration: this.#iteration, position: this.#position };
    try {
      await pace.turn();
      signal.throwIfAborted();
      return await this.#rounds.step(place, signal);
    } catch (error) {
      if (endedBy(user, error)) return abortReason(user);
      const refused = memoryReason(error);
      if (refused === null) throw error;
      return refused;
    }
  }

  /** Counts a step; the last of an iteration makes its record. @returns whether it was that */
  #count({ discriminator, generator, scalar, guarded }: GameStep): boolean {
    this.#pending = discriminator ?? this.#pending;
    this.#position++;
    if (generator === null) return false;
    const other = this.#pending!;
    this.#iteration++;
    this.#position = 0;
    this.#pending = null;
    this.records.push({
      iteration: this.#iteration,
      generatorLoss: generator.loss,
      discriminatorLoss: other.loss,
      penalty: other.penalty,
      generatorGradient: generator.gradientNorm,
      discriminatorGradient: other.gradientNorm,
      generatorStep: generator.stepNorm,
      discriminatorStep: other.stepNorm,
      scalar,
      guarded,
      elapsed: this.elapsed,
    });
    return true;
  }

  /** Steps of the players so far. */
  get #steps(): number {
    return this.#iteration * this.#rounds.length + this.#position;
  }

  #note(): void {
    this.#checkpoints.note(this.#steps, () => this.#snapshot());
  }

  /** The state after the last step. Its arrays are those of the game: a write takes place before the next step. */
  #snapshot(): GameSnapshot {
    const { generator, discriminator } = this.#game.weights;
    return {
      iteration: this.#iteration,
      position: this.#position,
      pending: this.#pending,
      generator,
      discriminator,
      states: this.#rounds.states(),
      records: this.records,
      elapsed: this.elapsed,
    };
  }
}

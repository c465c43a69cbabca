// Moves one player of a min-max game by its method on batches: it makes the context of each step, keeps the state, and says what the step was.
// rounds.ts makes one for the generator and one for the discriminator.
import { norm, plainVectors } from "../algebra/vectors.js";
import { type Failure, failed } from "../backend/engine.js";
import { argumentError } from "../errors.js";
import { logistic } from "../loss/logistic.js";
import type { BatchContext, BatchMethod, BatchNeeds, BatchSizes } from "../method/batch-method.js";
import type { MethodState } from "../method/method.js";
import { type RateSchedule, rateAt } from "../method/rate-schedule.js";
import { Random } from "../random.js";
import type { PlayerEngine } from "./player-engine.js";

/** Streams of random numbers that a method may draw: one a step and player. */
const METHOD_STREAM = 2 ** 37;

/** What methods take as the loss of a player: it decides their defaults, which are those of probabilities. */
const LOSS = logistic();
/** Names of the methods that need nothing but gradients, or the kernel of one row a sample, which is what the engine of a player has. */
const PLAYER_METHODS = ["adam", "gradient-descent", "exact-gauss-newton"];

/** The players. */
export type PlayerName = "generator" | "discriminator";

/** A player as its method sees it. */
export interface PlayerSizes {
  readonly name: PlayerName;
  /** Rows of a batch. */
  readonly rows: number;
  readonly parameterCount: number;
  /** Whether the loss has a curvature in the discriminator's outputs. */
  readonly curved: boolean;
}

/** The steps of a player in a game. */
export interface MoverRun extends PlayerSizes {
  /** Rows of the data. */
  readonly totalRows: number;
  /** Steps of the player in the whole game. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  readonly seed: number;
}

/** A step that a player took. All are of the mean loss. */
export interface PlayerStep {
  /** Loss before the step, with the penalty. */
  readonly loss: number;
  readonly penalty: number;
  readonly gradientNorm: number;
  readonly stepNorm: number;
}

/** The same, as a mover answers. */
export interface Moved extends PlayerStep {
  readonly ok: true;
}

/** The sizes of a player's problem, in the words of methods on batches. */
export const batchSizes = ({ rows, parameterCount }: Pick<PlayerSizes, "rows" | "parameterCount">): BatchSizes => ({
  rows,
  outputSize: 1,
  parameterCount,
  loss: LOSS,
});

/** What a method needs to move a player. @throws GAUSSFLOW_ARGUMENT for a method that a player has no engine for */
export function playerNeeds(method: BatchMethod, { name, rows, parameterCount, curved }: PlayerSizes): BatchNeeds {
  if (!PLAYER_METHODS.includes(method.name))
    throw argumentError(
      `options.method.${name}`,
      "must be made by minmaxGaussNewton(), exactGaussNewton(), adam() or gradientDescent()",
      method.name,
    );
  const needs = method.needs(batchSizes({ rows, parameterCount }));
  const [{ curvature } = { curvature: "none" }] = needs.engines;
  if (curvature === "sampled")
    throw argumentError(
      `options.method.${name}.curvature`,
      'must be "exact" or "auto": a player has one row of curvature a sample, from which there is nothing to draw',
      "sampled",
    );
  const { batch = rows } = method.settings;
  if (typeof batch === "number" && batch !== rows)
    throw argumentError(
      `options.method.${name}`,
      `must leave out its own batch, or give that of the game (options.batch), ${rows} rows`,
      `batches of ${batch} rows`,
    );
  if (curvature === "dual" && !curved)
    throw argumentError(
      `options.method.${name}`,
      'must use gradients alone with the loss "wasserstein", which is linear in the outputs and has no curvature: use adam(), minmaxGaussNewton({ step: "published" }), or the loss "logistic"',
      method.name,
    );
  return needs;
}

export class Mover {
  parameters: Float64Array;
  readonly #method: BatchMethod;
  readonly #engine: PlayerEngine;
  readonly #run: MoverRun;
  readonly #rate: RateSchedule;
  readonly #scratch = new Map<string, Float64Array>();
  #next: Float64Array;
  #state: MethodState;
  #steps: number;

  /**
   * @param resume the state of the method after some steps of the player; null: before the first
   * @throws GAUSSFLOW_ARGUMENT for a method that a player has no engine for
   */
  constructor(
    method: BatchMethod,
    engine: PlayerEngine,
    parameters: Float64Array,
    run: MoverRun,
    resume: { readonly steps: number; readonly state: MethodState } | null,
  ) {
    this.#rate = playerNeeds(method, run).rate;
    this.parameters = parameters.slice();
    this.#next = new Float64Array(parameters.length);
    this.#method = method;
    this.#engine = engine;
    this.#run = run;
    this.#state = resume?.state ?? method.start(batchSizes(run));
    this.#steps = resume?.steps ?? 0;
  }

  /** State of the method. Its arrays change with the next step. */
  get state(): MethodState {
    return this.#state;
  }

  /** A step on the rows that the engine holds. A failure leaves the parameters as they are. */
  async step(signal: AbortSignal): Promise<Moved | Failure> {
    const { rows, totalRows, seed, steps, stepsPerEpoch, name } = this.#run;
    const number = this.#steps;
    const context: BatchContext = {
      parameters: this.parameters,
      next: this.#next,
      engines: [this.#engine],
      batch: null,
      loss: LOSS,
      rows,
      totalRows,
      decay: 0,
      rate: rateAt(this.#rate, { step: number, stepsPerEpoch, steps }),
      iteration: number + 1,
      stepsPerEpoch,
      vectors: plainVectors,
      scratch: (key, length) => this.#scratchOf(key, length),
      random: () => new Random(seed, METHOD_STREAM + 2 * number + (name === "generator" ? 0 : 1)),
      signal,
    };
    const answer = await this.#method.step(context, this.#state);
    if (failed(answer)) return answer;
    const { loss, gradient, stepNorm, accepted, state } = answer;
    if (!Number.isFinite(stepNorm))
      return { code: "non-finite", message: "the step is not finite", where: { what: "step" } };
    this.#state = state;
    this.#steps++;
    if (accepted) [this.parameters, this.#next] = [this.#next, this.parameters];
    const penalty = this.#engine.penalty / rows;
    return { ok: true, loss: loss / rows, penalty, gradientNorm: norm(gradient) / rows, stepNorm };
  }

  #scratchOf(name: string, length = this.parameters.length): Float64Array {
    let array = this.#scratch.get(name);
    if (array === undefined) {
      array = new Float64Array(length);
      this.#scratch.set(name, array);
    }
    return array;
  }
}

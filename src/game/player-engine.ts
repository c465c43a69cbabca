// Makes the engine of one player of a min-max game: what a method on batches (method/batch-method.ts) sees of the player's sum loss over the
// batch, the other player held fixed. game.ts makes one for the generator and one for the discriminator.
//
// The arithmetic on the player's own network is that of its engine (backend): outputs f, products J^T u, and the kernel of one row a sample
//
//   B_i = root_i^T J_i,     H = B^T B,     step = -(H + decay I + mu I)^-1 (J^T slopes + penalty)
//
// The rest, slopes and roots by the outputs and the penalty, comes from a function of parameters and outputs.
import { dot } from "../algebra/vectors.js";
import {
  type Engine,
  type Evaluation,
  type Failure,
  failed,
  type Linearized,
  type LinearizeRequest,
  type Solved,
  type SolveRequest,
} from "../backend/engine.js";
import type { NetworkEngine } from "../backend/network-engine.js";
import { GaussflowError } from "../errors.js";
import { finishInTurns, Pace, type Steps } from "../event-loop-yield.js";

/** A player's sum loss by the outputs of its own network. */
export interface PlayerTerms {
  /** Sum loss of the batch, without the penalty. */
  readonly loss: number;
  /** Its derivative by the outputs: rows x c. */
  readonly slopes: Float64Array;
  /** Seeds of the rows B_i: rows x c. */
  readonly roots: Float64Array;
}

/** What a player minimizes, computed in pieces, between which the engine lets the event loop turn. */
export interface PlayerObjective {
  terms(outputs: Float64Array): Steps<PlayerTerms>;
  /** The value of the penalty; its gradient is added to `into`, p entries, unless that is null. null: no penalty. */
  readonly penalty: ((parameters: Float64Array, into: Float64Array | null) => Steps<number>) | null;
}

/** The engine of a player. */
export class PlayerEngine implements Engine {
  readonly kind: string;
  /** One row of curvature a sample, whatever the outputs of the player's own network. */
  readonly outputSize = 1;
  readonly parameterCount: number;
  readonly layerCount: number;
  readonly threads: number;
  /** Value of the penalty at the last linearization, as a sum over the batch. */
  penalty = 0;
  readonly #inner: NetworkEngine;
  readonly #objective: PlayerObjective;
  readonly #penaltyGradient: Float64Array;
  #curved = false;

  /**
   * @param inner engine of the player's network, with the rows of the batch
   * @param sampleCount rows of the batch, b, as a method counts them
   */
  constructor(
    inner: NetworkEngine,
    readonly sampleCount: number,
    objective: PlayerObjective,
  ) {
    const { kind, parameterCount, layerCount, threads } = inner;
    this.kind = kind;
    this.parameterCount = parameterCount;
    this.layerCount = layerCount;
    this.threads = threads;
    this.#inner = inner;
    this.#objective = objective;
    this.#penaltyGradient = new Float64Array(parameterCount);
  }

  async evaluate(parameters: Float64Array, signal?: AbortSignal): Promise<Evaluation | Failure> {
    const pace = new Pace(signal);
    const outputs = await this.#inner.forward(parameters, signal);
    const { loss } = await finishInTurns(this.#objective.terms(outputs), pace);
    const penalty = await this.#penaltyOf(parameters, null, pace);
    return Number.isFinite(loss + penalty) ? { ok: true, loss: loss + penalty } : notFinite("loss");
  }

  async linearize(
    parameters: Float64Array,
    { curvature, decay, scaling, gradient: into }: LinearizeRequest,
    signal?: AbortSignal,
  ): Promise<Linearized | Failure> {
    if ((curvature !== "none" && curvature !== "dual") || scaling !== null)
      throw stateError('has the curvatures "none" and "dual", with identity scaling');
    this.#curved = false;
    const start = performance.now();
    const pace = new Pace(signal);
    const outputs = await this.#inner.forward(parameters, signal);
    const terms = await finishInTurns(this.#objective.terms(outputs), pace);
    if (!Number.isFinite(terms.loss)) return notFinite("loss");
    const gradient = into ?? new Float64Array(this.parameterCount);
    let seconds = { passes: 0, curvature: 0 };
    if (curvature === "dual") {
      const sampled = { rows: terms.roots, gradient: terms.slopes };
      const point = await this.#inner.linearize(
        parameters,
        { curvature: "sampled", sampled, decay, scaling: null, gradient },
        signal,
      );
      if (failed(point)) return point;
      ({ seconds } = point);
      // An engine may answer with an array of its own, which its solve needs as it is.
      if (point.gradient !== gradient) gradient.set(point.gradient);
      this.#curved = true;
    } else {
      gradient.set(await this.#inner.transposeProduct(parameters, terms.slopes, signal));
      for (let j = 0; j < gradient.length; j++) gradient[j] += decay * parameters[j]!;
    }
    this.#penaltyGradient.fill(0);
    this.penalty = await this.#penaltyOf(parameters, this.#penaltyGradient, pace);
    for (let j = 0; j < gradient.length; j++) gradient[j] += this.#penaltyGradient[j]!;
    if (!Number.isFinite(dot(gradient, gradient))) return notFinite("gradient");
    const passes = (performance.now() - start) / 1000 - seconds.curvature;
    const loss = terms.loss + this.penalty;
    // A weight of 0 times a penalty beyond the range of numbers: its gradient is 0.
    if (!Number.isFinite(loss)) return notFinite("loss");
    return { ok: true, loss, gradient, gradientCosine: Number.NaN, seconds: { ...seconds, passes } };
  }

  /** The step of the inner engine has the gradient without the penalty: the factor solves for the penalty as well. */
  async solve(request: SolveRequest, signal?: AbortSignal): Promise<Solved | Failure> {
    if (!this.#curved) throw stateError("has no curvature: linearize with dual first");
    const solved = await this.#inner.solve(request, signal);
    if (failed(solved) || this.#objective.penalty === null) return solved;
    const start = performance.now();
    const pull = await this.#inner.dampedInverse(this.#penaltyGradient, signal);
    if (!(pull instanceof Float64Array)) return pull;
    for (let j = 0; j < pull.length; j++) solved.step[j] -= pull[j]!;
    return { ...solved, seconds: solved.seconds + (performance.now() - start) / 1000 };
  }

  async #penaltyOf(parameters: Float64Array, into: Float64Array | null, pace: Pace): Promise<number> {
    const { penalty } = this.#objective;
    return penalty === null ? 0 : await finishInTurns(penalty(parameters, into), pace);
  }

  accelerate(): never {
    throw stateError("has no geodesic acceleration");
  }

  curvatureProduct(): never {
    throw stateError("has no products with its curvature");
  }

  bytes(): number {
    return this.#inner.bytes() + this.#penaltyGradient.byteLength;
  }

  dispose(): void {
    this.#inner.dispose();
  }
}

function stateError(rule: string): GaussflowError {
  return new GaussflowError("GAUSSFLOW_STATE", `the engine of a player ${rule}`);
}

function notFinite(what: "loss" | "gradient"): Failure {
  return { code: "non-finite", message: `the ${what} of the batch is not finite`, where: { what } };
}

// Holds the two players of a min-max game with the rows of their present batches, for rounds.ts: the engine of each network, the real rows and
// latent inputs that are loaded, and what each player minimizes on them.
//
//   discriminator   2b rows, b real ones and b samples G(z):   slopes and roots of its loss by its outputs; the penalty
//   generator       b rows z:   slope_i dD/dx_i and root_i dD/dx_i at x_i = G(z_i), by the outputs of the generator
import { type BackendOptions, createEngine } from "../backend/create.js";
import type { NetworkEngine } from "../backend/network-engine.js";
import { finishInTurns, type Pace, STEP, type Steps } from "../event-loop-yield.js";
import type { Architecture } from "../network/architecture.js";
import { PASS_BLOCK } from "../network/forward.js";
import { inputGradientSteps } from "../network/input-gradient.js";
import { betweenSteps, latentInputSteps, RealRows } from "./batches.js";
import type { CompletedMinmaxOptions } from "./minmax-options.js";
import { outputTermSteps, penaltySteps } from "./objective.js";
import { PlayerEngine, type PlayerTerms } from "./player-engine.js";

/** Parameters of both players. */
export interface Weights {
  generator: Float64Array;
  discriminator: Float64Array;
}

export class Game {
  readonly generator: PlayerEngine;
  readonly discriminator: PlayerEngine;
  readonly rows: RealRows;
  /** The present parameters, which each player's objective holds fixed for the other. */
  readonly weights: Weights;
  readonly #options: CompletedMinmaxOptions;
  readonly #discriminator: Architecture;
  /** Latent inputs of the generator, b x its inputs. */
  readonly #latent: Float64Array;
  readonly #ones = new Float64Array(PASS_BLOCK).fill(1);
  /** Engines of the players are loaded with targets, of which no loss of theirs is computed. */
  readonly #noTargets: Readonly<Record<"generator" | "discriminator", Float64Array>>;
  readonly #generatorRows: NetworkEngine;
  readonly #discriminatorRows: NetworkEngine;
  /** Rows of the discriminator, 2b x d: real rows, then samples. */
  readonly points: Float64Array;
  readonly #penaltyPoints: Float64Array;

  /** @param data n x d */
  constructor(
    generator: Architecture,
    discriminator: Architecture,
    weights: Weights,
    data: Float64Array,
    options: CompletedMinmaxOptions,
    backend: BackendOptions,
  ) {
    const { batch: b, seed, penalty } = options;
    const d = discriminator.inputSize;
    this.weights = weights;
    this.#options = options;
    this.#discriminator = discriminator;
    this.#latent = new Float64Array(b * generator.inputSize);
    this.#noTargets = { generator: new Float64Array(b * d), discriminator: new Float64Array(2 * b) };
    this.rows = new RealRows(data, d, b, seed);
    this.points = new Float64Array(2 * b * d);
    this.#penaltyPoints = penalty === "gradient" ? new Float64Array(b * d) : this.points.subarray(0, b * d);
    this.#generatorRows = emptyEngine(generator, b, backend);
    try {
      this.#discriminatorRows = emptyEngine(discriminator, 2 * b, backend);
    } catch (error) {
      this.#generatorRows.dispose();
      throw error;
    }
    this.generator = new PlayerEngine(this.#generatorRows, b, {
      terms: (samples) => this.#generatorTerms(samples),
      penalty: null,
    });
    this.discriminator = new PlayerEngine(this.#discriminatorRows, b, {
      terms: (outputs) => outputTermSteps(options.loss, outputs, (row) => (row < b ? 1 : -1)),
      penalty:
        penalty === "none"
          ? null
          : (parameters, into) =>
              penaltySteps(penalty, options.penaltyWeight, discriminator, parameters, this.#penaltyPoints, into),
    });
  }

  /** Latent inputs of batch `number` for the generator. */
  async loadLatent(number: number, pace: Pace): Promise<void> {
    await finishInTurns(latentInputSteps(this.#options.seed, number * this.#latent.length, this.#latent), pace);
    this.#generatorRows.load({ inputs: this.#latent, targets: this.#noTargets.generator });
  }

  /** Real rows of batch `number`, and samples from the generator's latent inputs, for the discriminator. */
  async loadPoints(number: number, pace: Pace, signal: AbortSignal | undefined): Promise<void> {
    const { batch, seed, penalty } = this.#options;
    const d = this.#discriminator.inputSize;
    const [real, samples] = [this.points.subarray(0, batch * d), this.points.subarray(batch * d)];
    await this.rows.read(number, real, pace);
    samples.set(await this.#generatorRows.forward(this.weights.generator, signal));
    if (penalty === "gradient")
      await finishInTurns(betweenSteps(real, samples, d, seed, number, this.#penaltyPoints), pace);
    this.#discriminatorRows.load({ inputs: this.points, targets: this.#noTargets.discriminator });
  }

  dispose(): void {
    this.generator.dispose();
    this.discriminator.dispose();
  }

  *#generatorTerms(samples: Float64Array): Steps<PlayerTerms> {
    const d = this.#discriminator.inputSize;
    const { outputs, gradients } = yield* inputGradientSteps(
      this.#discriminator,
      this.weights.discriminator,
      samples,
      (block) => this.#ones.subarray(0, block.length),
    );
    const { loss, slopes, roots } = yield* outputTermSteps(this.#options.loss, outputs, () => 1);
    // The roots take the place of the gradients.
    const along = new Float64Array(gradients.length);
    const piece = Math.max(1, Math.floor(STEP / d));
    for (let i = 0; i < outputs.length; i++) {
      for (let k = i * d; k < (i + 1) * d; k++) {
        along[k] = slopes[i]! * gradients[k]!;
        gradients[k] *= roots[i]!;
      }
      if (i % piece === piece - 1) yield;
    }
    return { loss, slopes: along, roots: gradients };
  }
}

/** An engine for `rows` rows that are loaded later. */
function emptyEngine(architecture: Architecture, rows: number, backend: BackendOptions): NetworkEngine {
  const { inputSize, outputSize } = architecture;
  const data = {
    sampleCount: rows,
    inputs: new Float64Array(rows * inputSize),
    targets: new Float64Array(rows * outputSize),
  };
  return createEngine(architecture, data, backend);
}

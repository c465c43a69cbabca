// Computes the covariance of the outputs at new rows, over the noise: J A^-1 J^T with A = G + d I, from what a posterior keeps. Uncertainty
// (uncertainty.ts) calls it for batches of rows.
//   space "parameters"   sum_k (J v_k)(J v_k)^T / (value_k + d)
//   space "samples"      d > 0: (J J^T - sum_k t_k t_k^T / (value_k + d)) / d,   d = 0: sum_k t_k t_k^T / value_k^2,   t_k = u_k^T J~ J^T
// where J~ are the rows of the training, and J those of the new rows, of which a few at a time exist.
import { dotAt } from "../algebra/vectors.js";
import { type BackendOptions, createEngine } from "../backend/create.js";
import type { NetworkEngine } from "../backend/network-engine.js";
import { Pace } from "../event-loop-yield.js";
import type { Network } from "../network/network.js";
import type { Posterior } from "../network/posterior.js";
import { applyFactor } from "./curvature-factor.js";
import { addSquares, outputCovariance } from "./output-covariance.js";
import { type TrainingKernel, trainingKernel } from "./training-kernel.js";

/** Numbers that the rows of J of a block, or their columns of the cross kernel, may have. */
const BLOCK = 1 << 20;

/** Outputs at new rows, and their covariance over the noise. */
export interface OutputDistribution {
  /** psi, count x c, in the units of training. */
  readonly psi: Float64Array;
  /** count x c x c where `full`, else variances alone, count x c. */
  readonly covariance: Float64Array;
}

/** Predicts outputs with their covariance, for any number of batches; `dispose` frees what it holds between them. */
export class OutputPredictor {
  readonly #network: Network;
  readonly #posterior: Posterior;
  readonly #full: boolean;
  readonly #backend: BackendOptions;
  /** Engine of the training rows, for the space of samples. */
  #kernel: TrainingKernel | null = null;

  constructor(network: Network, posterior: Posterior, full: boolean, backend: BackendOptions) {
    this.#network = network;
    this.#posterior = posterior;
    this.#full = full;
    this.#backend = backend;
  }

  /**
   * @param inputs count x d, in the units of training
   * @throws the signal's reason once it has been aborted
   */
  async predict(inputs: Float64Array, signal: AbortSignal | undefined): Promise<OutputDistribution> {
    const { architecture, parameters, center } = this.#network;
    const count = inputs.length / architecture.inputSize;
    const targets = new Float64Array(count * architecture.outputSize);
    const engine = createEngine(architecture, { sampleCount: count, inputs, targets }, this.#backend);
    try {
      const psi = await engine.forward(parameters, signal);
      if (center !== null) {
        const start = await engine.forward(center, signal);
        for (let k = 0; k < psi.length; k++) psi[k]! -= start[k]!;
      }
      const covariance =
        this.#posterior.space === "parameters"
          ? await this.#byParameters(engine, signal)
          : await this.#bySamples(engine, signal);
      return { psi, covariance };
    } finally {
      engine.dispose();
    }
  }

  dispose(): void {
    this.#kernel?.engine.dispose();
    this.#kernel = null;
  }

  #byParameters(engine: NetworkEngine, signal: AbortSignal | undefined): Promise<Float64Array> {
    const { values, vectors, decay } = this.#posterior;
    const weights = values.map((value) => 1 / (value + decay));
    const form = { factor: null, full: this.#full };
    return outputCovariance(engine, this.#network.parameters, { vectors, weights }, form, signal);
  }

  async #bySamples(engine: NetworkEngine, signal: AbortSignal | undefined): Promise<Float64Array> {
    const { parameters, parameterCount: p } = this.#network;
    const { outputSize: c, sampleCount: count } = engine;
    this.#kernel ??= await trainingKernel(this.#network, this.#posterior, this.#backend, signal);
    const { engine: training, factor } = this.#kernel;
    const size = this.#full ? c : 1;
    const covariance = new Float64Array(count * c * size);
    const pace = new Pace(signal);
    const order = this.#posterior.samples * c;
    const most = Math.max(1, Math.floor(BLOCK / (c * Math.max(p, order))));
    for (let first = 0; first < count; first += most) {
      const end = Math.min(count, first + most);
      const rows = await engine.jacobian(parameters, first, end - first, signal);
      // A row of n c entries for each output of a new row: its column of the cross kernel.
      const cross = await training.jacobianProduct(parameters, rows, signal);
      applyFactor(factor, cross, c);
      for (let i = first; i < end; i++) {
        const row = (i - first) * c;
        const own = covariance.subarray(i * c * size, (i + 1) * c * size);
        await this.#addSample(
          own,
          { rows: rows.subarray(row * p, (row + c) * p), cross, at: row * order, order },
          pace,
        );
      }
    }
    return covariance;
  }

  /** Fills the covariance of the outputs of one sample, `own`. */
  async #addSample(
    own: Float64Array,
    {
      rows,
      cross,
      at,
      order,
    }: { readonly rows: Float64Array; readonly cross: Float64Array; readonly at: number; readonly order: number },
    pace: Pace,
  ): Promise<void> {
    const { values, vectors, decay } = this.#posterior;
    const c = this.#network.outputSize;
    const p = this.#network.parameterCount;
    const size = this.#full ? c : 1;
    if (decay > 0)
      for (let a = 0; a < c; a++)
        for (let b = 0; b < size; b++)
          own[a * size + b] = dotAt(rows, a * p, rows, (size === 1 ? a : b) * p, p) / decay;
    const t = new Float64Array(c);
    for (let k = 0; k < values.length; k++) {
      for (let a = 0; a < c; a++) t[a] = dotAt(vectors, k * order, cross, at + a * order, order);
      addSquares(own, t, decay > 0 ? -1 / (decay * (values[k]! + decay)) : 1 / values[k]! ** 2, size);
      if (k % 64 === 63) await pace.turn();
    }
    // A variance far below that of the prior is a difference, which rounding can take below 0.
    for (let a = 0; a < c; a++)
      own[a * size + (size === 1 ? 0 : a)] = Math.max(0, own[a * size + (size === 1 ? 0 : a)]!);
  }
}

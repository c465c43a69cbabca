// Defines the public class Uncertainty: how sure a trained network is of its predictions, by the linearized model at its minimum (Laplace's
// approximation). `train` makes one, and `uncertaintyOf` takes it from a network that carries a posterior, as saved models do.
//   mean of the observations  f(x) +- t s,  s^2 = sigma^2 g^T (G + d I)^-1 g,  g the gradient of the prediction by the parameters
//   new observation           f(x) +- t sqrt(sigma^2 + s^2),   t the quantile of Student's distribution with n - gamma degrees of freedom
// Sources: Seber and Wild, Nonlinear Regression (1989) 5.1; MacKay, Neural Computation 4 (1992) 448-472; De Veaux, Schumi, Schweinsberg and
// Ungar, Technometrics 40 (1998) 273-282 for networks with weight decay.

import { type BackendOptions, chooseBackend, chooseThreads } from "../backend/create.js";
import { reserve } from "../bytes.js";
import { type MatrixLike, matrixRows, rowsOf, toMatrix } from "../data/matrix.js";
import { scaleColumns } from "../data/scaling.js";
import { argumentError } from "../errors.js";
import { Pace } from "../event-loop-yield.js";
import { checkNetwork, type Network } from "../network/network.js";
import type { Posterior } from "../network/posterior.js";
import { checkCount, checkOptionNames, checkSignal } from "../options.js";
import { studentQuantile } from "../student-quantile.js";
import { type AveragedProbabilities, averageProbabilities, normalDraws } from "./class-probabilities.js";
import { parameterCovariance, parameterVariances } from "./covariance.js";
import type { RowDiagnostics } from "./measure.js";
import { type OutputDistribution, OutputPredictor } from "./prediction-variance.js";
import { type SpectrumReport, spectrumReport } from "./spectrum-report.js";

/** Options of `Uncertainty.predict`. */
export interface IntervalOptions extends ParameterOptions {
  /** Share of new observations that the intervals are to hold, between 0 and 1. Default 0.9. */
  readonly intervals?: number | undefined;
}

/** Options of `Uncertainty.parameterErrors` and `parameterCovariance`. */
export interface ParameterOptions extends BackendOptions {
  /** Stops the computation; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `Uncertainty.probabilities`. */
export interface ProbabilityOptions extends ParameterOptions {
  /** Of the draws that average over more than two classes. Default 0. */
  readonly seed?: number | undefined;
}

/** Predictions with intervals: n x k each, row-major, in raw units. */
export interface IntervalPrediction {
  /** The predictions, as `network.predict` gives them. */
  readonly mean: Float64Array;
  /** Standard error of the mean: how far the prediction may be from what infinitely many such rows would teach. */
  readonly standardError: Float64Array;
  /** Lower end of the interval of the mean. */
  readonly meanLower: Float64Array;
  /** Upper end of the interval of the mean. */
  readonly meanUpper: Float64Array;
  /** Lower end of the interval of a new observation of weight 1, with its noise. */
  readonly lower: Float64Array;
  /** Upper end of the interval of a new observation of weight 1. */
  readonly upper: Float64Array;
}

/** Doubles of inputs and outputs in a batch of rows. */
const BATCH = 1 << 15;

/** How sure a network is, made by `train` with `uncertainty: true`, `estimateUncertainty` and `uncertaintyOf`. */
export class Uncertainty {
  /** The network that it is about. */
  readonly network: Network;
  /** Rows that were fitted, n: those of the training part with a weight. Rows for validation and tests do not count. */
  readonly samples: number;
  /** Weight decay of the training. */
  readonly decay: number;
  /** Effective number of parameters, gamma = trace of G (G + decay I)^-1: at most p and at most n c. */
  readonly effectiveParameters: number;
  /** Standard deviation of an observation of weight 1 around its mean, one a target, in raw units; null for classes. */
  readonly noise: Float64Array | null;
  /** Degrees of freedom behind the noise of each target, n less its share of gamma; null for classes. */
  readonly degreesOfFreedom: Float64Array | null;
  /** Which directions in parameter space the data determine. */
  readonly spectrum: SpectrumReport;
  /** Leverages and residuals of the training rows; null where the network was loaded, because model files do not keep them. */
  readonly rows: RowDiagnostics | null;
  /** Why the intervals may not hold, a sentence each. */
  readonly warnings: readonly string[];
  readonly #posterior: Posterior;

  /** @internal */
  constructor(network: Network, rows: RowDiagnostics | null, warnings: readonly string[]) {
    const { posterior, scaling } = network;
    if (posterior === null)
      throw argumentError(
        "network",
        "must carry its uncertainty: train it with uncertainty: true, or use estimateUncertainty(network, data)",
        "one without it",
      );
    this.network = network;
    this.samples = posterior.samples;
    this.decay = posterior.decay;
    this.effectiveParameters = posterior.gamma;
    this.noise = posterior.noise?.map((one, a) => one * (scaling?.targets.scale[a] ?? 1)) ?? null;
    this.degreesOfFreedom = posterior.degrees?.slice() ?? null;
    this.spectrum = spectrumReport(posterior, network.parameterCount);
    this.rows = rows;
    this.warnings = warnings;
    this.#posterior = posterior;
    Object.freeze(this);
  }

  /**
   * Predictions with standard errors and intervals, in raw units. They are those of a model that is linear around the network's
   * parameters, with the same noise everywhere (docs/uncertainty.md says when not to trust them).
   * @param inputs n rows of d numbers in raw units, or the same flat; they must not change while the promise is pending
   * @throws GAUSSFLOW_ARGUMENT for a network of classes, whose `probabilities` say the same, and where the inputs cannot be used;
   * GAUSSFLOW_NO_NATIVE, GAUSSFLOW_MEMORY, and the signal's reason once it has been aborted
   * @example const { mean, lower, upper } = await result.uncertainty.predict(rows, { intervals: 0.95 });
   */
  async predict(inputs: MatrixLike, options: IntervalOptions = {}): Promise<IntervalPrediction> {
    const { intervals = 0.9, signal, ...backend } = options;
    checkOptionNames("options", options, ["intervals", "signal", "backend", "threads"]);
    if (!(typeof intervals === "number" && intervals > 0 && intervals < 1))
      throw argumentError("options.intervals", "must be a share between 0 and 1, such as 0.9", intervals);
    checkSignal("options.signal", signal);
    const { noise, degrees } = this.#posterior;
    if (noise === null || degrees === null)
      throw argumentError(
        "network",
        "must predict numbers: a new observation of classes has no interval; use uncertainty.probabilities(inputs)",
        `one with the link "${this.network.link}"`,
      );
    const { targetSize: k } = this.network;
    const quantiles = degrees.map((count) => studentQuantile((1 + intervals) / 2, count));
    const out = intervalArrays(matrixRows(inputs, this.network.inputSize, "inputs") * k);
    await this.#eachBatch(inputs, false, backend, signal, ({ psi, covariance }, first) => {
      fillIntervals(out, first * k, this.network, { psi, variance: covariance, noise, quantiles });
    });
    return out;
  }

  /**
   * Probabilities averaged over the posterior: less sure than those of `network.predict` where the outputs are uncertain.
   * @param inputs n rows of d numbers in raw units, or the same flat; they must not change while the promise is pending
   * @throws GAUSSFLOW_ARGUMENT for a network of numbers, which has `predict`, and where the inputs cannot be used;
   * GAUSSFLOW_NO_NATIVE, GAUSSFLOW_MEMORY, and the signal's reason once it has been aborted
   * @example const { probabilities, deviation } = await result.uncertainty.probabilities(rows);
   */
  async probabilities(inputs: MatrixLike, options: ProbabilityOptions = {}): Promise<AveragedProbabilities> {
    checkOptionNames("options", options, ["seed", "signal", "backend", "threads"]);
    const { seed = 0, signal, ...backend } = options;
    checkCount("options.seed", seed, 0);
    checkSignal("options.signal", signal);
    const { link, outputSize: c } = this.network;
    if (link === "identity")
      throw argumentError(
        "network",
        "must predict probabilities: numbers have intervals; use uncertainty.predict(inputs)",
        "one of numbers",
      );
    const length = matrixRows(inputs, this.network.inputSize, "inputs") * c;
    const array = () => reserve(8 * length, "an array of predictions", () => new Float64Array(length));
    const out = { probabilities: array(), deviation: array() };
    const draws = link === "softmax" ? normalDraws(c, seed) : new Float64Array(0);
    await this.#eachBatch(inputs, link === "softmax", backend, signal, (outputs, first) => {
      averageProbabilities(link, outputs, c, draws, out, first);
    });
    return out;
  }

  /**
   * Standard errors of the parameters, p entries in the order of `network.parameters`, in the units of training. Directions that the data do not determine
   * add what the weight decay leaves of them, and without a decay nothing.
   * @throws GAUSSFLOW_NO_NATIVE, GAUSSFLOW_MEMORY, and the signal's reason once it has been aborted
   */
  async parameterErrors(options: ParameterOptions = {}): Promise<Float64Array> {
    const { signal, ...backend } = checkedOptions(options);
    return (await parameterVariances(this.network, this.#posterior, backend, signal)).map(Math.sqrt);
  }

  /**
   * Covariance of the parameters, sigma^2 (G + decay I)^-1, p x p row-major, in the units of training; without a decay on the directions that the
   * data determine. Of several targets sigma^2 is the noise variance of all together, and for classes 1.
   * @throws as `parameterErrors`
   */
  async parameterCovariance(options: ParameterOptions = {}): Promise<Float64Array> {
    const { signal, ...backend } = checkedOptions(options);
    return parameterCovariance(this.network, this.#posterior, backend, signal);
  }

  /** Calls `take` with the outputs and their covariance over the noise, batch after batch. */
  async #eachBatch(
    inputs: MatrixLike,
    full: boolean,
    { backend, threads }: BackendOptions,
    signal: AbortSignal | undefined,
    take: (outputs: OutputDistribution, first: number) => void,
  ): Promise<void> {
    const { inputSize: d, outputSize: c, scaling } = this.network;
    const rows = matrixRows(inputs, d, "inputs");
    const batch = Math.max(1, Math.floor(BATCH / (d + c * (full ? c : 1))));
    const chosen = { backend: chooseBackend(backend), threads: chooseThreads(threads) };
    const predictor = new OutputPredictor(this.network, this.#posterior, full, chosen);
    const pace = new Pace(signal);
    try {
      for (let first = 0; first < rows; first += batch) {
        signal?.throwIfAborted();
        const raw = toMatrix(rowsOf(inputs, first, Math.min(batch, rows - first), d), d, "inputs", first);
        take(await predictor.predict(scaling === null ? raw : scaleColumns(raw, scaling.inputs), signal), first);
        await pace.turn();
      }
    } finally {
      predictor.dispose();
    }
  }
}

/**
 * The uncertainty that a network carries since its training, as one from a model file does.
 * @throws GAUSSFLOW_ARGUMENT for a network that carries none
 * @example const { lower, upper } = await uncertaintyOf(await loadModel("model.json")).predict(rows);
 */
export function uncertaintyOf(network: Network): Uncertainty {
  checkNetwork("network", network);
  return new Uncertainty(network, null, []);
}

/** @throws GAUSSFLOW_ARGUMENT naming the option */
function checkedOptions(options: ParameterOptions): ParameterOptions {
  checkOptionNames("options", options, ["signal", "backend", "threads"]);
  checkSignal("options.signal", options.signal);
  return options;
}

function intervalArrays(length: number): IntervalPrediction {
  const array = () => reserve(8 * length, "an array of predictions", () => new Float64Array(length));
  return {
    mean: array(),
    standardError: array(),
    meanLower: array(),
    meanUpper: array(),
    lower: array(),
    upper: array(),
  };
}

/** Writes a batch of predictions from index `at` on. */
function fillIntervals(
  out: IntervalPrediction,
  at: number,
  { scaling }: Network,
  {
    psi,
    variance,
    noise,
    quantiles,
  }: {
    readonly psi: Float64Array;
    readonly variance: Float64Array;
    readonly noise: Float64Array;
    readonly quantiles: Float64Array;
  },
): void {
  const k = noise.length;
  for (let j = 0; j < psi.length; j++) {
    const a = j % k;
    const scale = scaling?.targets.scale[a] ?? 1;
    const mean = (scaling?.targets.offset[a] ?? 0) + scale * psi[j]!;
    const error = scale * noise[a]! * Math.sqrt(variance[j]!);
    const half = quantiles[a]! * Math.hypot(scale * noise[a]!, error);
    out.mean[at + j] = mean;
    out.standardError[at + j] = error;
    out.meanLower[at + j] = mean - quantiles[a]! * error;
    out.meanUpper[at + j] = mean + quantiles[a]! * error;
    out.lower[at + j] = mean - half;
    out.upper[at + j] = mean + half;
  }
}

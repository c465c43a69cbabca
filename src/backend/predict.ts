// The public `predictAsync` and `predictDistributionAsync`: predict on an engine with all threads, in batches that bound the memory, in
// turns with the event loop. Users and the commands train, predict and evaluate call them. They are functions and not methods of `Network`,
// because `src/network` does not import engines.
import { reserve } from "../bytes.js";
import type { MatrixLike } from "../data/matrix.js";
import { matrixRows, rowsOf, toMatrix } from "../data/matrix.js";
import { scaleColumns, unscaleColumns } from "../data/scaling.js";
import { Pace } from "../event-loop-yield.js";
import type { Architecture } from "../network/architecture.js";
import { checkDistribution, type DistributionPrediction, distributionOf } from "../network/distribution.js";
import { Ensemble, EnsembleMoments, type EnsemblePrediction, MixtureMoments } from "../network/ensemble.js";
import { applyLink } from "../network/link.js";
import { checkNetwork, Network } from "../network/network.js";
import { checkOptionNames, checkSignal } from "../options.js";
import { type BackendOptions, chooseBackend, chooseThreads, createEngine } from "./create.js";

/** Options of `predictAsync`. */
export interface PredictOptions extends BackendOptions {
  /** Stops the computation; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Doubles of inputs and predictions in a batch: to check, copy and scale them takes a few milliseconds. */
const BATCH = 1 << 17;
/** A batch of fewer flops is not worth a second thread. */
const SHARED_FLOPS = 1e7;

/**
 * What `network.predict(inputs)` returns, computed by the engine on all threads: n x k predictions in raw units, row-major. The event loop
 * goes on meanwhile, and memory beside inputs and predictions stays below some ten MB. Sums run in another order than in `predict`: the
 * two agree to within 1e-12 of the largest term of the last layer's sums.
 * @param inputs n rows of d numbers in raw units, or the same flat; they are read while the promise is pending and must not change
 * @throws GAUSSFLOW_ARGUMENT with row and column where the inputs cannot be used, GAUSSFLOW_NO_NATIVE where `backend` is "native" and
 * cannot be had, GAUSSFLOW_MEMORY, and the signal's reason once it has been aborted
 * @example const y = await predictAsync(net, rows, { signal: AbortSignal.timeout(5000) });
 */
export async function predictAsync(
  network: Network,
  inputs: MatrixLike,
  options?: PredictOptions,
): Promise<Float64Array>;
/** Mean and spread of the members' predictions, as `ensemble.predict(inputs)`. */
export async function predictAsync(
  ensemble: Ensemble,
  inputs: MatrixLike,
  options?: PredictOptions,
): Promise<EnsemblePrediction>;
export async function predictAsync(
  model: Network | Ensemble,
  inputs: MatrixLike,
  options: PredictOptions = {},
): Promise<Float64Array | EnsemblePrediction> {
  if (!(model instanceof Ensemble)) checkNetwork("network", model);
  const { engine, signal } = checkOptions(options);
  if (model instanceof Network) return predictNetwork(model, inputs, engine, signal);
  const moments = new EnsembleMoments();
  for (const member of model.networks) moments.add(await predictNetwork(member, inputs, engine, signal));
  return moments.prediction();
}

/**
 * What `model.predictDistribution(inputs)` returns, mean and standard deviation of each target in raw units, computed as `predictAsync`
 * computes its predictions.
 * @param model a network that was trained with `gaussianNll`, or an ensemble of them
 * @param inputs n rows of d numbers in raw units, or the same flat; they are read while the promise is pending and must not change
 * @throws as `predictAsync`, and GAUSSFLOW_ARGUMENT for a network that was trained with another loss
 * @example const { mean, deviation } = await predictDistributionAsync(net, rows);
 */
export async function predictDistributionAsync(
  model: Network | Ensemble,
  inputs: MatrixLike,
  options: PredictOptions = {},
): Promise<DistributionPrediction> {
  if (!(model instanceof Ensemble)) checkNetwork("network", model);
  const { engine, signal } = checkOptions(options);
  if (model instanceof Network) return networkDistribution(model, inputs, engine, signal);
  checkDistribution(model.networks[0] as Network);
  const moments = new MixtureMoments();
  for (const member of model.networks) moments.add(await networkDistribution(member, inputs, engine, signal));
  return moments.prediction();
}

async function networkDistribution(
  network: Network,
  inputs: MatrixLike,
  engine: BackendOptions,
  signal: AbortSignal | undefined,
): Promise<DistributionPrediction> {
  checkDistribution(network);
  const { targetSize: k } = network;
  const array = (n: number) => reserve(8 * n * k, "an array of predictions", () => new Float64Array(n * k));
  const n = matrixRows(inputs, network.inputSize, "inputs");
  const [mean, deviation] = [array(n), array(n)];
  for await (const { psi, first } of outputBatches(network, inputs, engine, signal)) {
    const batch = distributionOf(network, psi);
    mean.set(batch.mean, first * k);
    deviation.set(batch.deviation, first * k);
  }
  return { mean, deviation };
}

/** @throws GAUSSFLOW_ARGUMENT naming the option */
function checkOptions(options: PredictOptions): {
  readonly engine: BackendOptions;
  readonly signal: AbortSignal | undefined;
} {
  checkOptionNames("options", options, ["backend", "threads", "signal"]);
  checkSignal("options.signal", options.signal);
  const { backend, threads, signal } = options;
  return { engine: { backend: chooseBackend(backend), threads: chooseThreads(threads) }, signal };
}

async function predictNetwork(
  network: Network,
  inputs: MatrixLike,
  engine: BackendOptions,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  signal?.throwIfAborted();
  const { link, outputSize, targetSize: k, scaling } = network;
  const n = matrixRows(inputs, network.inputSize, "inputs");
  const predictions = reserve(8 * n * k, "an array of predictions", () => new Float64Array(n * k));
  for await (const { psi, first } of outputBatches(network, inputs, engine, signal)) {
    const batch = applyLink(link, psi, outputSize);
    predictions.set(scaling === null ? batch : unscaleColumns(batch, scaling.targets), first * k);
  }
  return predictions;
}

/** Outputs psi of some rows, count x c. */
interface OutputBatch {
  readonly psi: Float64Array;
  /** Number of the first row. */
  readonly first: number;
}

/** The outputs of all rows, batch after batch. @throws GAUSSFLOW_ARGUMENT for inputs that cannot be used, and the signal's reason */
async function* outputBatches(
  network: Network,
  inputs: MatrixLike,
  engine: BackendOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<OutputBatch, void> {
  signal?.throwIfAborted();
  const { inputSize: d, outputSize: c } = network;
  const n = matrixRows(inputs, d, "inputs");
  const rows = Math.max(1, Math.floor(BATCH / (d + c)));
  const pace = new Pace(signal);
  for (let first = 0; first < n; first += rows) {
    const count = Math.min(rows, n - first);
    const batch = toMatrix(rowsOf(inputs, first, count, d), d, "inputs", first);
    yield { psi: await outputsOf(network, batch, count, engine, signal), first };
    if (first + rows < n) await pace.rest();
  }
}

/** psi of `count` raw rows. */
async function outputsOf(
  { architecture, scaling, parameters, center }: Network,
  raw: Float64Array,
  count: number,
  { backend, threads }: BackendOptions,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const data = {
    sampleCount: count,
    inputs: scaling === null ? raw : scaleColumns(raw, scaling.inputs),
    targets: new Float64Array(count * architecture.outputSize),
  };
  const few = count * flops(architecture) < SHARED_FLOPS;
  const engine = createEngine(architecture, data, { backend, threads: few ? 1 : threads });
  try {
    const psi = await engine.forward(parameters, signal);
    if (center !== null) {
      const start = await engine.forward(center, signal);
      for (let k = 0; k < psi.length; k++) psi[k]! -= start[k]!;
    }
    return psi;
  } finally {
    engine.dispose();
  }
}

/** Of one sample's forward pass. */
function flops({ layers }: Architecture): number {
  return layers.reduce((sum, { inputSize, outputSize }) => sum + 2 * outputSize * (inputSize + 1), 0);
}

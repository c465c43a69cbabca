// The public `predictAsync` and `predictDistributionAsync`: predict on an engine with all threads, in batches that bound the memory, in
// turns with the event loop. Users and the commands train, predict and evaluate call them. They are functions and not methods of `Network`,
// because `src/network` does not import engines.
import { reserve } from "../bytes.js";
import { type Cluster, completeCluster } from "../cluster/cluster.js";
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
import { onSharedRows } from "./shared-rows.js";

/** Options of `predictAsync`. */
export interface PredictOptions extends BackendOptions {
  /** Stops the computation; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The ranks of `mpi()`: each predicts a part of the rows, and all get all predictions, with the bits of one process. Every rank makes the same call with
   * all inputs.
   */
  readonly cluster?: Cluster | undefined;
}

/** What computes: the options, checked. */
interface Run {
  readonly engine: BackendOptions;
  readonly signal: AbortSignal | undefined;
  readonly cluster: Cluster | null;
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
  const run = checkOptions(options);
  if (model instanceof Network) return predictNetwork(model, inputs, run);
  const moments = new EnsembleMoments();
  for (const member of model.networks) moments.add(await predictNetwork(member, inputs, run));
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
  const run = checkOptions(options);
  if (model instanceof Network) return networkDistribution(model, inputs, run);
  checkDistribution(model.networks[0] as Network);
  const moments = new MixtureMoments();
  for (const member of model.networks) moments.add(await networkDistribution(member, inputs, run));
  return moments.prediction();
}

async function networkDistribution(network: Network, inputs: MatrixLike, run: Run): Promise<DistributionPrediction> {
  checkDistribution(network);
  const { targetSize: k } = network;
  const array = (n: number) => reserve(8 * n * k, "an array of predictions", () => new Float64Array(n * k));
  const n = matrixRows(inputs, network.inputSize, "inputs");
  const [mean, deviation] = [array(n), array(n)];
  await eachBatch(network, inputs, run, [mean, deviation], ({ psi, first }) => {
    const batch = distributionOf(network, psi);
    mean.set(batch.mean, first * k);
    deviation.set(batch.deviation, first * k);
  });
  return { mean, deviation };
}

/** @throws GAUSSFLOW_ARGUMENT naming the option */
function checkOptions(options: PredictOptions): Run {
  checkOptionNames("options", options, ["backend", "threads", "signal", "cluster"]);
  checkSignal("options.signal", options.signal);
  const { backend, threads, signal } = options;
  const cluster = completeCluster(options.cluster);
  return { engine: { backend: chooseBackend(backend), threads: chooseThreads(threads) }, signal, cluster };
}

async function predictNetwork(network: Network, inputs: MatrixLike, run: Run): Promise<Float64Array> {
  const { link, outputSize, targetSize: k, scaling } = network;
  const n = matrixRows(inputs, network.inputSize, "inputs");
  const predictions = reserve(8 * n * k, "an array of predictions", () => new Float64Array(n * k));
  await eachBatch(network, inputs, run, [predictions], ({ psi, first }) => {
    const batch = applyLink(link, psi, outputSize);
    predictions.set(scaling === null ? batch : unscaleColumns(batch, scaling.targets), first * k);
  });
  return predictions;
}

/** Outputs psi of some rows, count x c. */
interface OutputBatch {
  readonly psi: Float64Array;
  /** Number of the first row. */
  readonly first: number;
}

/**
 * Calls `take` with the outputs of the rows, batch after batch, and on several ranks completes the matrices that it fills.
 * @throws GAUSSFLOW_ARGUMENT for inputs that cannot be used, and the signal's reason
 */
async function eachBatch(
  network: Network,
  inputs: MatrixLike,
  { engine, signal, cluster }: Run,
  matrices: readonly Float64Array[],
  take: (batch: OutputBatch) => void,
): Promise<void> {
  const { inputSize: d, outputSize: c } = network;
  const rows = matrixRows(inputs, d, "inputs");
  const batch = Math.max(1, Math.floor(BATCH / (d + c)));
  await onSharedRows(cluster, { rows, batch }, matrices, async (range) => {
    signal?.throwIfAborted();
    const pace = new Pace(signal);
    for (let first = range.first; first < range.end; first += batch) {
      const count = Math.min(batch, range.end - first);
      const raw = toMatrix(rowsOf(inputs, first, count, d), d, "inputs", first);
      take({ psi: await outputsOf(network, raw, count, engine, signal), first });
      if (first + batch < range.end) await pace.rest();
    }
  });
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

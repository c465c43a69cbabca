// The public `predictAsync`: predicts on an engine with all threads, in batches that bound the memory, in turns with the event loop. Users
// and the commands train, predict and evaluate call it. It is a function and not a method of `Network`, because `src/network` does not
// import engines.
import { reserve } from "../bytes.js";
import type { MatrixLike } from "../data/matrix.js";
import { matrixRows, rowsOf, toMatrix } from "../data/matrix.js";
import { scaleColumns, unscaleColumns } from "../data/scaling.js";
import { Pace } from "../event-loop-yield.js";
import type { Architecture } from "../network/architecture.js";
import { Ensemble, EnsembleMoments, type EnsemblePrediction } from "../network/ensemble.js";
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
 * What `network.predict(inputs)` returns, computed by the engine on all threads: n x c predictions in raw units, row-major. The event loop
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
  checkOptionNames("options", options, ["backend", "threads", "signal"]);
  checkSignal("options.signal", options.signal);
  const { backend, threads, signal } = options;
  const engine = { backend: chooseBackend(backend), threads: chooseThreads(threads) };
  if (model instanceof Network) return predictNetwork(model, inputs, engine, signal);
  const moments = new EnsembleMoments();
  for (const member of model.networks) moments.add(await predictNetwork(member, inputs, engine, signal));
  return moments.prediction();
}

async function predictNetwork(
  network: Network,
  inputs: MatrixLike,
  engine: BackendOptions,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  signal?.throwIfAborted();
  const { inputSize: d, outputSize: c } = network;
  const n = matrixRows(inputs, d, "inputs");
  const predictions = reserve(8 * n * c, "an array of predictions", () => new Float64Array(n * c));
  const rows = Math.max(1, Math.floor(BATCH / (d + c)));
  const pace = new Pace(signal);
  for (let first = 0; first < n; first += rows) {
    const count = Math.min(rows, n - first);
    const batch = toMatrix(rowsOf(inputs, first, count, d), d, "inputs", first);
    predictions.set(await predictBatch(network, batch, count, engine, signal), first * c);
    if (first + rows < n) await pace.rest();
  }
  return predictions;
}

async function predictBatch(
  network: Network,
  raw: Float64Array,
  count: number,
  { backend, threads }: BackendOptions,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const { architecture, scaling, parameters, center } = network;
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
    applyLink(network.link, psi, network.outputSize);
    return scaling === null ? psi : unscaleColumns(psi, scaling.targets);
  } finally {
    engine.dispose();
  }
}

/** Of one sample's forward pass. */
function flops({ layers }: Architecture): number {
  return layers.reduce((sum, { inputSize, outputSize }) => sum + 2 * outputSize * (inputSize + 1), 0);
}

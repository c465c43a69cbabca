// Packs a job, its result and its error as plain data for another thread, and unpacks them there: classes become their fields, a method its
// settings. Arrays of a data set are copied into shared memory once, for any number of jobs and threads. train-many.ts packs jobs,
// worker.ts unpacks them and packs results, and thread.ts unpacks the results.
import { Deserializer, Serializer } from "node:v8";
import { chooseBackend } from "../backend/create.js";
import { Dataset, type DatasetFields } from "../data/dataset.js";
import { asDataset } from "../data/dataset-input.js";
import { type ErrorCode, GaussflowError } from "../errors.js";
import { type MethodSettings, methodAgain, settingsOf } from "../method/rebuild-method.js";
import { Network } from "../network/network.js";
import type { NetworkState } from "../network/network-state.js";
import { sampleSizes } from "../run/prepare.js";
import type { TrainOptions } from "../train/train-options.js";
import type { TrainResult } from "../train/train-result.js";
import { Uncertainty } from "../uncertainty/uncertainty.js";
import type { TrainJob } from "./job.js";

export interface JobMessage {
  readonly network: NetworkState;
  readonly data: DatasetFields;
  readonly method: MethodSettings | null;
  readonly validation: DatasetFields | null;
  /** The train options that are plain data. */
  readonly options: TrainOptions;
}

/** Networks in the order of NETWORKS, each once; the rest of the result is plain data. */
export interface ResultMessage {
  readonly networks: readonly (NetworkState | null)[];
  readonly rest: Omit<TrainResult, (typeof NETWORKS)[number] | "uncertainty">;
  /** What the uncertainty has beside its network. */
  readonly uncertainty: Pick<Uncertainty, "rows" | "warnings"> | null;
}

export interface ErrorMessage {
  readonly code: ErrorCode | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly error: unknown;
}

const NETWORKS = ["network", "last", "best", "bestValidation"] as const;

/** Fields in shared memory, by data set. */
const shared = new WeakMap<Dataset, DatasetFields>();

/**
 * The job as plain data, or null if its options hold something that cannot be sent to another thread: `onRecord`, `monitor`, a method of the caller. Such a job runs in the thread of the caller.
 */
export function packJob(job: TrainJob, threads: number): JobMessage | null {
  const { signal: _signal, method, validation, onRecord, monitor, ...plain } = job.options ?? {};
  if (onRecord !== undefined || monitor !== undefined) return null;
  const given = method === "auto" ? undefined : method;
  const settings = given === undefined ? null : settingsOf(given);
  if (given !== undefined && settings === null) return null;
  const sizes = sampleSizes(job.network, job.options);
  const set =
    typeof validation === "object" && validation !== null
      ? shareDataset(asDataset(validation, "options.validation", sizes))
      : null;
  return {
    network: job.network.state(),
    data: shareDataset(asDataset(job.data, "data", sizes)),
    method: settings,
    validation: set,
    options: {
      ...plain,
      threads,
      // The backend is chosen here, so that a fallback is reported once.
      backend: chooseBackend(plain.backend),
      ...(set === null && validation !== undefined ? { validation } : {}),
      ...(method === "auto" ? { method } : {}),
    },
  };
}

export function unpackJob(message: JobMessage): Required<Pick<TrainJob, "network" | "data" | "options">> {
  const { method, validation, options } = message;
  return {
    network: new Network(message.network),
    data: new Dataset(message.data),
    options: {
      ...options,
      ...(method === null ? {} : { method: methodAgain(method) }),
      ...(validation === null ? {} : { validation: new Dataset(validation) }),
    },
  };
}

export function packResult(result: TrainResult): ResultMessage {
  const { network, last, best, bestValidation, uncertainty, ...rest } = result;
  return {
    networks: [network, last, best, bestValidation].map((one) => one?.state() ?? null),
    rest,
    uncertainty: uncertainty && { rows: uncertainty.rows, warnings: uncertainty.warnings },
  };
}

export function unpackResult({ networks, rest, uncertainty: kept }: ResultMessage): TrainResult {
  const [network, last, best, bestValidation] = networks.map((state) => state && new Network(state));
  const uncertainty = kept && new Uncertainty(network!, kept.rows, kept.warnings);
  return { ...rest, network, last, best, bestValidation, uncertainty } as TrainResult;
}

/** An error as plain data, because its clone would keep neither class nor code. */
export function packError(error: unknown): ErrorMessage {
  if (!(error instanceof GaussflowError)) return { code: null, details: {}, error };
  return { code: error.code, details: error.details, error: new Error(error.message) };
}

export function unpackError({ code, details, error }: ErrorMessage): unknown {
  return code === null ? error : new GaussflowError(code, (error as Error).message, details);
}

function shareDataset(data: Dataset): DatasetFields {
  const known = shared.get(data);
  if (known !== undefined) return known;
  const { inputs, targets, weights, ...rest } = data.fields();
  const share = (values: Float64Array) => {
    const copy = new Float64Array(new SharedArrayBuffer(values.byteLength));
    copy.set(values);
    return copy;
  };
  const fields = { ...rest, inputs: share(inputs), targets: share(targets), weights: weights && share(weights) };
  shared.set(data, fields);
  return fields;
}

/**
 * Plain data as bytes for another process. Arrays arrive with buffers of their own, as in a message between threads: those of v8.deserialize
 * would be parts of the whole letter.
 * @throws what cannot be sent (a function)
 */
export function encode(value: unknown): Uint8Array {
  const serializer = new Serializer();
  serializer.writeHeader();
  serializer.writeValue(value);
  return serializer.releaseBuffer();
}

/** What `encode` was given. */
export function decode(bytes: Uint8Array): unknown {
  const deserializer = new Deserializer(bytes);
  deserializer.readHeader();
  return deserializer.readValue();
}

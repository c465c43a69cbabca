// Checkpoints: a snapshot of the loop in a sealed file, with a fingerprint of everything the run depends on (data, network, method,
// options). A resumed run goes on bit for bit; a torn, edited or foreign file, or one of another problem, is refused.
import { createHash } from "node:crypto";
import { writeFileAtomic } from "../atomic-file.js";
import { fileError } from "../errors.js";
import type { TrainRecord } from "../linearise/record.js";
import type { MethodState } from "../method/method.js";
import { Pace } from "../pace.js";
import {
  checkNumbers,
  checkRecords,
  countOf,
  decodeFloats,
  encodeFloats,
  fields,
  readText,
  seal,
  unseal,
} from "../sealed-json.js";
import type { Best, Snapshot } from "./snapshot.js";

const FORMAT = "gaussflow-checkpoint";
const VERSION = 1;

/** What a record has to have for a run to go on from it. */
const RECORD_NUMBERS = ["iteration", "trial", "loss", "objective", "damping", "stepNorm", "elapsed"];

/** Bytes that are digested at a time: about two milliseconds. */
const DIGESTED = 1 << 20;

/**
 * A digest of plain values and arrays: equal only for the same problem. Takes turns with the event loop.
 * @throws the signal's reason once it has been aborted
 */
export async function fingerprint(
  parts: readonly (string | Float64Array | null)[],
  signal: AbortSignal | undefined,
): Promise<string> {
  const hash = createHash("sha256");
  const pace = new Pace(signal);
  for (const part of parts) {
    if (part === null) hash.update("null;");
    else if (typeof part === "string") hash.update(`text ${part.length};`).update(part);
    else {
      hash.update(`floats ${part.length};`);
      const bytes = new Uint8Array(part.buffer as ArrayBuffer, part.byteOffset, part.byteLength);
      for (let first = 0; first < bytes.length; first += DIGESTED) {
        hash.update(bytes.subarray(first, first + DIGESTED));
        await pace.turn();
      }
    }
  }
  return hash.digest("hex");
}

/** Writes the snapshot, whole or not at all. */
export async function writeCheckpoint(path: string, snapshot: Snapshot, print: string): Promise<void> {
  const best = (one: Best | null) => one && { ...one, parameters: encodeFloats(one.parameters), ...numbers(one) };
  const state = Object.entries(snapshot.methodState).map(([name, value]) =>
    typeof value === "number"
      ? [name, encodeFloats(Float64Array.of(value)), "number"]
      : [name, encodeFloats(value), "array"],
  );
  const body = {
    fingerprint: print,
    iteration: snapshot.iteration,
    parameters: encodeFloats(snapshot.parameters),
    methodState: state,
    scaling: snapshot.scaling && encodeFloats(snapshot.scaling),
    best: best(snapshot.best),
    bestValidation: best(snapshot.bestValidation),
    stale: snapshot.stale,
    records: snapshot.records,
    elapsed: snapshot.elapsed,
  };
  await writeFileAtomic(path, seal(FORMAT, VERSION, body));
}

/** Value and loss as bits: a validation loss may be infinite, which JSON does not know. */
function numbers(best: Best) {
  return { value: encodeFloats(Float64Array.of(best.value)), loss: encodeFloats(Float64Array.of(best.loss)) };
}

/**
 * @param form a state of the run's method, whose names and kinds the stored one must have
 * @throws GAUSSFLOW_FILE
 */
export async function readCheckpoint(
  path: string,
  print: string,
  parameterCount: number,
  form: MethodState,
): Promise<Snapshot> {
  const body = fields(unseal(await readText(path), FORMAT, VERSION, path), path, "body");
  if (body.fingerprint !== print)
    throw fileError(
      path,
      "belongs to another run: data, network, method or options differ from those it was made with",
    );
  const count = (name: string) => countOf(body[name], path, name);
  // A validation loss, and what a method carries, may be infinite; nothing is NaN.
  const floats = (value: unknown, length: number | null, what: string, infinite = false) =>
    checkNumbers(decodeFloats(value, length, path, what), path, what, infinite);
  const best = (value: unknown, what: string): Best => {
    const one = fields(value, path, what);
    return {
      iteration: countOf(one.iteration, path, `${what}.iteration`),
      parameters: floats(one.parameters, parameterCount, `${what}.parameters`),
      value: floats(one.value, 1, `${what}.value`, true)[0],
      loss: floats(one.loss, 1, `${what}.loss`)[0],
    };
  };
  if (!Array.isArray(body.methodState)) throw fileError(path, "methodState must be a list");
  const methodState: Record<string, number | Float64Array> = {};
  for (const entry of body.methodState as unknown[]) {
    if (!Array.isArray(entry) || typeof entry[0] !== "string") throw fileError(path, "methodState has a bad entry");
    const values = floats(entry[1], entry[2] === "number" ? 1 : null, `methodState.${entry[0]}`, true);
    if (entry[2] !== "number" && values.length % parameterCount !== 0)
      throw fileError(
        path,
        `methodState.${entry[0]} must have a multiple of ${parameterCount} numbers; received ${values.length}`,
      );
    methodState[entry[0]] = entry[2] === "number" ? values[0] : values;
  }
  for (const name of new Set([...Object.keys(form), ...Object.keys(methodState)]))
    if (typeof form[name] !== typeof methodState[name])
      throw fileError(path, `methodState.${name} does not belong to the method or is missing`);
  if (!Number.isFinite(body.elapsed)) throw fileError(path, "elapsed must be a finite number");
  return {
    iteration: count("iteration"),
    parameters: floats(body.parameters, parameterCount, "parameters"),
    methodState: methodState as MethodState,
    scaling: body.scaling === null ? null : floats(body.scaling, null, "scaling"),
    best: best(body.best, "best"),
    bestValidation: body.bestValidation === null ? null : best(body.bestValidation, "bestValidation"),
    stale: count("stale"),
    records: checkRecords(body.records, RECORD_NUMBERS, path) as readonly TrainRecord[],
    elapsed: body.elapsed as number,
  };
}

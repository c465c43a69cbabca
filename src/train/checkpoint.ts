// Writes and reads the checkpoints of trainings, for train.ts: a snapshot of the loop in a sealed file, with a fingerprint of everything
// that the run depends on (data, network, method, options). A resumed run continues bit for bit. A torn, edited or foreign file, or one of
// another problem, is refused.
import type { Agreement } from "../cluster/agreement.js";
import { describe, fileError } from "../errors.js";
import { PRECONDITIONERS } from "../linearize/problem.js";
import type { BatchEnd } from "../method/batch-method.js";
import { REASON_CODES } from "../method/reason.js";
import { packRecords, readRecords } from "../packed-records.js";
import { BATCH_ROUTES, TRAIN_ROUTES } from "../plan/route.js";
import { checkHeldSlots, type ResumedFile, slotsIn, writtenSlots } from "../run/held-slots.js";
import { readState, type StateForm, writtenState } from "../run/held-state.js";
import type { TrainRecord } from "../run/record.js";
import { sharedText } from "../run/shared-file.js";
import {
  checkFields,
  checkNumbers,
  countOf,
  decodeFloats,
  type Fields,
  fields,
  unseal,
  writeSealed,
} from "../sealed-json.js";
import { INNER_ENDS } from "../step/inner-solve.js";
import { differenceOf, type RunIdentity } from "./run-identity.js";
import type { BatchTotals, Best, Snapshot } from "./snapshot.js";

const FORMAT = "gaussflow-checkpoint";
/** Version 1 had every record as JSON and every array in full; it is still read. */
const VERSION = 2;

/** Checks the form of the records: the resumed run relies on the last ones, and its result holds all of them. */
const RECORD: Fields = {
  required: {
    iteration: "count",
    trial: "count",
    accepted: "boolean",
    rejection: "text or null",
    loss: "number",
    objective: "number",
    gradientNorm: "number or null",
    gradientCosine: "number or null",
    damping: "number",
    gainRatio: "number or null",
    stepNorm: "number",
    acceleration: "number or null",
    route: [...new Set([...TRAIN_ROUTES, ...BATCH_ROUTES])],
    condition: "number or null",
    validationLoss: "number or null",
    elapsed: "number",
    seconds: {
      required: { passes: "number", curvature: "number", solve: "number", evaluate: "number", validation: "number" },
    },
  },
  optional: {
    precision: {
      required: { used: ["single", "double"], steps: "count", tolerance: "number or null", fallback: "text or null" },
    },
    subset: "count or null",
    inner: {
      required: {
        iterations: "count",
        preconditioner: PRECONDITIONERS,
        residual: "number or null",
        tolerance: "number or null",
        end: INNER_ENDS,
      },
    },
    hessian: {
      required: { iterations: "count", residual: "number or null", tolerance: "number", end: INNER_ENDS },
    },
    distributed: "boolean",
    secant: "count",
    delta: "number",
    smoothing: "number",
    decay: "number",
    evidence: {
      required: { decay: "number", effectiveParameters: "number", noise: "number", logEvidence: "number" },
    },
    epoch: "number",
    batchLoss: "number or null",
    smallParameters: "number",
    holdingParameters: "number",
    rate: "number",
    rejected: "count",
  },
};

/** The sums of a run on batches since its last record. */
const BATCHES: Fields = {
  required: {
    steps: "count",
    loss: "number",
    rejected: "count",
    gradientNorm: "number",
    gradientLargest: "number",
    stepNorm: "number",
    damping: "number",
    rate: "number",
  },
};

/** Why the last step ended a run on batches. */
const END: Fields = { required: { code: REASON_CODES, message: "text" } };

/** What a checkpoint holds of a run beside its snapshot. */
export interface KeptSettings {
  /** The scale that the run has found for a loss without one; else null. In the file it is `delta`, of whatever loss. */
  readonly scale: number | null;
  /** Parameters that a fit before the run has found to start from; null where it starts as the network was drawn or given. */
  readonly start: Float64Array | null;
  readonly slots: number;
}

/** Writes the snapshot completely or not at all. Equal arrays are written once, because the best point is often the last. */
export async function writeCheckpoint(
  path: string,
  snapshot: Snapshot,
  print: RunIdentity,
  { scale, start, slots }: KeptSettings,
): Promise<void> {
  const { parameters, best, bestValidation } = snapshot;
  const point = (one: Best, places: Readonly<Record<string, Float64Array>>) => {
    const place = Object.keys(places).find((name) => equal(places[name], one.parameters));
    return {
      iteration: one.iteration,
      parameters: place ?? one.parameters,
      // As bits, because a validation loss may be infinite, which JSON cannot hold.
      value: Float64Array.of(one.value),
      loss: Float64Array.of(one.loss),
    };
  };
  const body = {
    fingerprint: print.digest,
    run: print.named,
    ...writtenSlots(slots),
    iteration: snapshot.iteration,
    parameters,
    methodState: writtenState(snapshot.methodState),
    scaling: snapshot.scaling,
    best: point(best, { parameters }),
    bestValidation: bestValidation && point(bestValidation, { parameters, best: best.parameters }),
    stale: snapshot.stale,
    // Left out with squared error, whose measure of the gradient needs no start.
    ...(snapshot.gradientStart === null ? {} : { gradientStart: Float64Array.of(snapshot.gradientStart) }),
    ...(snapshot.renewal === undefined ? {} : { renewal: snapshot.renewal }),
    ...(scale === null ? {} : { delta: Float64Array.of(scale) }),
    ...(start === null ? {} : { start }),
    ...(snapshot.batches === undefined ? {} : { batches: snapshot.batches }),
    ...(snapshot.end === undefined ? {} : { end: snapshot.end }),
    ...packRecords(snapshot.records),
    elapsed: snapshot.elapsed,
  };
  await writeSealed(path, FORMAT, VERSION, body);
}

/** The same numbers, bit for bit. */
function equal(one: Float64Array, other: Float64Array): boolean {
  const bytes = (values: Float64Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return one === other || bytes(one).equals(bytes(other));
}

/** The form that a run expects of its checkpoint, besides the fingerprint. */
export interface CheckpointForm extends StateForm {
  /** Entries of the running maximum; null for identity scaling. */
  readonly scalingLength: number | null;
  readonly validated: boolean;
  /** Whether the method is one on batches. */
  readonly batches: boolean;
  /** Numbers of `DataRenewal.held`; null, the default, where no data are replaced. */
  readonly renewalLength?: number | null | undefined;
  /** Whether the measure of the gradient is relative to the start: with losses other than squared error, and with batches. */
  readonly relativeGradient: boolean;
}

/** The slots of the checkpoint at `path`. */
export const heldSlots = (path: string, agreement: Agreement | null): Promise<number> =>
  slotsIn(path, FORMAT, VERSION, agreement);

/** The fields of a checkpoint of the run with this fingerprint and these slots. @throws GAUSSFLOW_FILE */
async function readBody({ path, agreement, print, slots }: ResumedFile<RunIdentity>): Promise<Record<string, unknown>> {
  const body = fields(unseal(await sharedText(path, agreement), FORMAT, VERSION, path), path, "body");
  checkHeldSlots(body.slots, slots, path);
  if (body.fingerprint !== print.digest)
    throw fileError(
      path,
      `belongs to another run: ${differenceOf(body.run, print)}. Resume it with the data, network, method and options of its run, or leave options.resume out`,
    );
  return body;
}

/** The scale that the run has found. @throws GAUSSFLOW_FILE */
export async function readScale(file: ResumedFile<RunIdentity>): Promise<number> {
  const { path } = file;
  const body = await readBody(file);
  const [scale] = checkNumbers(decodeFloats(body.delta, 1, path, "delta"), path, "delta");
  if (!(scale > 0)) throw fileError(path, `delta must be above 0; it is ${scale}`);
  return scale;
}

/** The `start` of its settings, p numbers or null. @throws GAUSSFLOW_FILE */
export async function readStart(file: ResumedFile<RunIdentity>, p: number): Promise<Float64Array | null> {
  const { path } = file;
  const { start } = await readBody(file);
  return start === undefined ? null : checkNumbers(decodeFloats(start, p, path, "start"), path, "start");
}

/** @throws GAUSSFLOW_FILE */
export async function readCheckpoint(file: ResumedFile<RunIdentity>, form: CheckpointForm): Promise<Snapshot> {
  const { path } = file;
  const body = await readBody(file);
  const { parameterCount, renewalLength = null } = form;
  const floats = (value: unknown, length: number | null, what: string, infinite = false) =>
    checkNumbers(decodeFloats(value, length, path, what), path, what, infinite);
  const iteration = countOf(body.iteration, path, "iteration");
  const records = form.batches ? readSteps(body, iteration, path) : readIterations(body, iteration, path);
  const atMost = (value: unknown, what: string) => {
    const count = countOf(value, path, what);
    if (count > iteration) throw fileError(path, `${what} must be at most the iteration ${iteration}; it is ${count}`);
    return count;
  };
  const parameters = floats(body.parameters, parameterCount, "parameters");
  const point = (value: unknown, what: string, places: Readonly<Record<string, Float64Array>>): Best => {
    const one = fields(value, path, what);
    const place = typeof one.parameters === "string" && Object.hasOwn(places, one.parameters);
    return {
      iteration: atMost(one.iteration, `${what}.iteration`),
      parameters: place
        ? places[one.parameters as string]
        : floats(one.parameters, parameterCount, `${what}.parameters`),
      // A validation loss may be infinite.
      value: floats(one.value, 1, `${what}.value`, true)[0],
      loss: floats(one.loss, 1, `${what}.loss`)[0],
    };
  };
  const best = point(body.best, "best", { parameters });
  if (form.validated !== (body.bestValidation !== null))
    throw fileError(path, "bestValidation must be there exactly where the run has a validation part");
  if (typeof body.elapsed !== "number" || !(body.elapsed >= 0 && body.elapsed < Infinity))
    throw fileError(path, `elapsed must be a finite number of at least 0; received ${describe(body.elapsed)}`);
  return {
    iteration,
    parameters,
    methodState: readState(body.methodState, form, path, "methodState"),
    scaling: readScaling(body.scaling, form.scalingLength, path),
    best,
    bestValidation:
      body.bestValidation === null
        ? null
        : point(body.bestValidation, "bestValidation", { parameters, best: best.parameters }),
    stale: atMost(body.stale, "stale"),
    ...(form.batches ? { batches: checkFields(body.batches, BATCHES, path, "batches") as BatchTotals } : {}),
    ...(body.end === undefined ? {} : { end: checkFields(body.end, END, path, "end") as BatchEnd }),
    ...(renewalLength === null ? {} : { renewal: floats(body.renewal, renewalLength, "renewal") }),
    gradientStart: form.relativeGradient ? floats(body.gradientStart, 1, "gradientStart")[0] : null,
    records,
    elapsed: body.elapsed,
  };
}

/** Checks that the records go from iteration 0 to the present one without a gap. */
function readIterations(body: Record<string, unknown>, iteration: number, path: string): readonly TrainRecord[] {
  const records = readRecords<TrainRecord>(body, RECORD, path, (record, k, before) => {
    const expected = before === undefined ? 0 : before.iteration + (before.accepted ? 1 : 0);
    if (record.iteration !== expected)
      throw fileError(path, `records[${k}].iteration must be ${expected}; it is ${record.iteration}`);
  });
  const last = records[records.length - 1];
  if (last.iteration !== iteration || !last.accepted)
    throw fileError(
      path,
      `iteration must be that of the last record, which is accepted: ${last.iteration}; it is ${iteration}`,
    );
  return records;
}

/** Checks that the records of a run on batches go forward from the start, and that the steps since the last one reach the present. */
function readSteps(body: Record<string, unknown>, iteration: number, path: string): readonly TrainRecord[] {
  const records = readRecords<TrainRecord>(body, RECORD, path, (record, k, before) => {
    const follows = before === undefined ? record.iteration === 0 : record.iteration > before.iteration;
    if (!follows)
      throw fileError(
        path,
        `records[${k}].iteration must be above that of the record before; it is ${record.iteration}`,
      );
  });
  const { steps } = checkFields(body.batches, BATCHES, path, "batches") as BatchTotals;
  const last = records[records.length - 1];
  if (last.iteration + steps !== iteration)
    throw fileError(
      path,
      `iteration must be that of the last record and batches.steps: ${last.iteration + steps}; it is ${iteration}`,
    );
  return records;
}

function readScaling(value: unknown, length: number | null, path: string): Float64Array | null {
  if ((value === null) !== (length === null))
    throw fileError(path, `scaling must ${length === null ? "not " : ""}be there for this run`);
  if (value === null) return null;
  const scaling = checkNumbers(decodeFloats(value, length, path, "scaling"), path, "scaling");
  // A running maximum of squares: 0 only for a parameter without any effect so far.
  if (scaling.some((one) => one < 0) || scaling.every((one) => one === 0))
    throw fileError(path, "scaling must be numbers of at least 0, one of them above");
  return scaling;
}

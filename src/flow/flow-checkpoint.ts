// Writes and reads the checkpoints of flows, for flow.ts: the state that the integration carries from one accepted step to the next, in a
// sealed file with a fingerprint of its inputs. A resumed flow continues bit for bit, also to another `until`: a step that only the end
// time or a terminal event shortened is not in the file, and is taken again.
import type { Agreement } from "../cluster/agreement.js";
import { describe, fileError } from "../errors.js";
import type { EventSample, Sample, StepMemory } from "../ode/types.js";
import { packRecords, readRecords } from "../packed-records.js";
import { FLOW_ROUTES } from "../plan/route.js";
import { checkHeldSlots, type ResumedFile, slotsIn, writtenSlots } from "../run/held-slots.js";
import type { FlowRecord } from "../run/record.js";
import { sharedText } from "../run/shared-file.js";
import {
  checkNumbers,
  countOf,
  decodeFloats,
  encodeFloats,
  type Fields,
  fields,
  unseal,
  writeSealed,
} from "../sealed-json.js";

const FORMAT = "gaussflow-flow-checkpoint";
/** Version 1 had every record as JSON; it is still read. */
const VERSION = 2;

export interface FlowSnapshot {
  readonly time: number;
  /** [w; dissipated], p + 1 entries. */
  readonly state: Float64Array;
  readonly memory: StepMemory;
  readonly accepted: number;
  readonly rejected: number;
  readonly evaluations: number;
  readonly linearizations: number;
  /** Sum loss and objective at the start: the scales of error norm and schedules. */
  readonly initialLoss: number;
  readonly initialObjective: number;
  readonly best: { readonly objective: number; readonly parameters: Float64Array };
  readonly switched: { readonly time: number; readonly message: string } | null;
  readonly stiffness: string | null;
  readonly outputs: readonly Sample[];
  readonly events: readonly EventSample[];
  readonly records: readonly FlowRecord[];
  readonly elapsed: number;
}

/** The memory of an integration before its first step. */
export const unbegun: StepMemory = { nextStep: 0, errors: [], stiffCount: 0, calmCount: 0 };

/** Numbers that must be restored to the bit, in the order of the file. */
const NUMBERS = [
  "time",
  "accepted",
  "rejected",
  "evaluations",
  "linearizations",
  "initialLoss",
  "initialObjective",
  "elapsed",
] as const;

/** Checks the form of the records: the resumed flow relies on the last one, and its result holds all of them. */
const RECORD: Fields = {
  required: {
    step: "count",
    time: "number",
    stepSize: "number",
    rejections: "count",
    evaluations: "count",
    error: "number or null",
    loss: "number",
    objective: "number",
    gradientNorm: "number or null",
    gradientCosine: "number or null",
    dissipation: "number",
    dissipated: "number",
    damping: "number",
    smallestEigenvalue: "number or null",
    eigenvaluesBelowFloor: "count or null",
    distance: "number",
    route: FLOW_ROUTES,
    rank: "count or null",
    smallestSingularValue: "number or null",
    condition: "number or null",
    velocityNoise: "number or null",
    rounding: "text or null",
    warning: "text or null",
    elapsed: "number",
  },
};

/** Writes the snapshot completely or not at all. */
export async function writeFlowCheckpoint(
  path: string,
  snapshot: FlowSnapshot,
  print: string,
  slots: number,
): Promise<void> {
  const { memory, best } = snapshot;
  const sample = (one: Sample) => ({ time: encodeFloats(Float64Array.of(one.time)), state: encodeFloats(one.state) });
  const body = {
    fingerprint: print,
    ...writtenSlots(slots),
    numbers: encodeFloats(Float64Array.from(NUMBERS, (name) => snapshot[name])),
    state: encodeFloats(snapshot.state),
    memory: encodeFloats(Float64Array.of(memory.nextStep, memory.stiffCount, memory.calmCount, ...memory.errors)),
    best: { objective: encodeFloats(Float64Array.of(best.objective)), parameters: encodeFloats(best.parameters) },
    switched: snapshot.switched,
    stiffness: snapshot.stiffness,
    outputs: snapshot.outputs.map(sample),
    events: snapshot.events.map((event) => ({ name: event.name, ...sample(event) })),
    ...packRecords(snapshot.records),
  };
  await writeSealed(path, FORMAT, VERSION, body);
}

/** The slots of the checkpoint at `path`. */
export const heldSlots = (path: string, agreement: Agreement | null): Promise<number> =>
  slotsIn(path, FORMAT, VERSION, agreement);

/** @throws GAUSSFLOW_FILE for a torn, edited or foreign file, or one of another flow */
export async function readFlowCheckpoint(
  { path, agreement, print, slots }: ResumedFile<string>,
  parameterCount: number,
): Promise<FlowSnapshot> {
  const body = fields(unseal(await sharedText(path, agreement), FORMAT, VERSION, path), path, "body");
  checkHeldSlots(body.slots, slots, path);
  if (body.fingerprint !== print)
    throw fileError(path, "belongs to another flow: data, network, damping, integrator or options differ");
  const size = parameterCount + 1;
  const finite = (value: unknown, length: number | null, what: string) =>
    checkNumbers(decodeFloats(value, length, path, what), path, what);
  const list = (name: string) => {
    const value = body[name];
    if (!Array.isArray(value)) throw fileError(path, `${name} must be a list`);
    return value as unknown[];
  };
  const sample = (value: unknown, what: string): Sample => {
    const one = fields(value, path, what);
    const [time] = finite(one.time, 1, `${what}.time`);
    return { time, state: finite(one.state, size, `${what}.state`) };
  };
  const numbers = finite(body.numbers, NUMBERS.length, "numbers");
  const named = Object.fromEntries(NUMBERS.map((name, k) => [name, numbers[k]])) as Record<
    (typeof NUMBERS)[number],
    number
  >;
  for (const name of ["accepted", "rejected", "evaluations", "linearizations"] as const)
    countOf(named[name], path, name);
  if (named.elapsed < 0) throw fileError(path, `elapsed must be at least 0; it is ${named.elapsed}`);
  const records = readSteps(body, named.accepted, named.time, path);
  const [nextStep, stiffCount, calmCount, ...errors] = finite(body.memory, null, "memory");
  if (!(named.accepted === 0 ? nextStep >= 0 : nextStep > 0))
    throw fileError(path, `memory must begin with a positive step; it is ${nextStep}`);
  countOf(stiffCount, path, "memory.stiffCount");
  countOf(calmCount, path, "memory.calmCount");
  const best = fields(body.best, path, "best");
  const name = (value: unknown, what: string) => {
    if (typeof value !== "string") throw fileError(path, `${what} must be a text; received ${describe(value)}`);
    return value;
  };
  const switched = body.switched === null ? null : fields(body.switched, path, "switched");
  if (switched !== null && !Number.isFinite(switched.time)) throw fileError(path, "switched.time must be a time");
  return {
    ...named,
    state: finite(body.state, size, "state"),
    memory: { nextStep, stiffCount, calmCount, errors },
    best: {
      objective: finite(best.objective, 1, "best.objective")[0],
      parameters: finite(best.parameters, parameterCount, "best.parameters"),
    },
    switched: switched && { time: switched.time as number, message: name(switched.message, "switched.message") },
    stiffness: body.stiffness === null ? null : name(body.stiffness, "stiffness"),
    outputs: list("outputs").map((value, k) => sample(value, `outputs[${k}]`)),
    events: list("events").map((value, k) => ({
      name: name(fields(value, path, `events[${k}]`).name, `events[${k}].name`),
      ...sample(value, `events[${k}]`),
    })),
    records,
  };
}

/** The records of a flow go from step 0 to the last accepted one, and its time is theirs. */
function readSteps(body: Record<string, unknown>, accepted: number, time: number, path: string): readonly FlowRecord[] {
  const records = readRecords<FlowRecord>(body, RECORD, path, (record, k, before) => {
    if (record.step !== k) throw fileError(path, `records[${k}].step must be ${k}; it is ${record.step}`);
    if (before !== undefined && record.time <= before.time)
      throw fileError(path, `records[${k}].time must be after ${before.time}; it is ${record.time}`);
  });
  if (records.length !== accepted + 1)
    throw fileError(
      path,
      `records must be ${accepted + 1}, one for each accepted step and the start; there are ${records.length}`,
    );
  if (records[accepted].time !== time)
    throw fileError(path, `time must be that of the last record, ${records[accepted].time}; it is ${time}`);
  return records;
}

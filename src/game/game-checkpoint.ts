// Writes and reads the checkpoints of min-max games, for minmax.ts: both networks, the states of the methods and the records in a sealed file, with
// everything that the game depends on, by name, so that a game that differs is refused with what differs. A torn, edited or foreign file is
// refused too. A resumed game continues bit for bit.
import { describe, fileError } from "../errors.js";
import type { BatchMethod } from "../method/batch-method.js";
import type { MethodState } from "../method/method.js";
import type { JointMethod } from "../method/minmax/minmax-gauss-newton.js";
import type { Network } from "../network/network.js";
import { optionsText } from "../network/network-options.js";
import { packRecords, readRecords } from "../packed-records.js";
import { fingerprint } from "../run/fingerprint.js";
import { readState, type StateForm, writtenState } from "../run/held-state.js";
import {
  checkNumbers,
  countOf,
  decodeFloats,
  type Fields,
  fields,
  readText,
  unseal,
  writeSealed,
} from "../sealed-json.js";
import { type CompletedMinmaxOptions, isJoint, type MinmaxRecord } from "./minmax-options.js";
import { batchSizes, type PlayerName, type PlayerStep } from "./mover.js";
import { type GameStates, type StepPlace, stepsPerIteration } from "./rounds.js";

const FORMAT = "gaussflow-game-checkpoint";
const VERSION = 1;

/** The state of a game after a step. */
export interface GameSnapshot extends StepPlace {
  /** The discriminator's last step in an iteration that is not finished; null at the end of one. */
  readonly pending: PlayerStep | null;
  /** Parameters of the generator. */
  readonly generator: Float64Array;
  /** Parameters of the discriminator. */
  readonly discriminator: Float64Array;
  readonly states: GameStates;
  readonly records: readonly MinmaxRecord[];
  readonly elapsed: number;
}

/** Checks the form of the records, which are part of the result of the resumed game. */
const RECORD: Fields = {
  required: {
    iteration: "count",
    generatorLoss: "number",
    discriminatorLoss: "number",
    penalty: "number",
    generatorGradient: "number",
    discriminatorGradient: "number",
    generatorStep: "number",
    discriminatorStep: "number",
    scalar: "number or null",
    guarded: "boolean",
    elapsed: "number",
  },
};

/** Numbers of a step, in the order of the file. */
const STEP_NUMBERS = ["loss", "penalty", "gradientNorm", "stepNorm"] as const;

/** What a game depends on, by name: an option and its value, or the digest of numbers. */
export type GameIdentity = readonly (readonly [string, string | number | boolean])[];

/** What only a digest of is held, in words where it differs. */
const DIGESTS: Readonly<Record<string, string>> = {
  generator: "another generator",
  discriminator: "another discriminator",
  data: "other rows of data",
};

/**
 * What the steps of a game depend on. The number of iterations is part of it where a rate falls along a cosine over all of them.
 * @throws the signal's reason once it has been aborted
 */
export async function identityOf(
  players: Readonly<Record<PlayerName, Network>>,
  data: Float64Array,
  options: CompletedMinmaxOptions,
  signal: AbortSignal | undefined,
): Promise<GameIdentity> {
  const { loss, penalty, penaltyWeight, batch, discriminatorSteps, seed, iterations, method } = options;
  const networkPrint = (one: Network) => fingerprint([optionsText(one.options), one.parameters], signal);
  const prints = [
    await networkPrint(players.generator),
    await networkPrint(players.discriminator),
    await fingerprint([data], signal),
  ];
  const named = (name: string, one: JointMethod | BatchMethod) => [
    [name, one.name] as const,
    ...Object.entries(one.settings).map(([key, value]) => [`${name}.${key}`, value] as const),
  ];
  const methods = isJoint(method)
    ? named("options.method", method)
    : [
        ...named("options.method.generator", method.generator),
        ...named("options.method.discriminator", method.discriminator),
      ];
  const scheduled = (one: BatchMethod, { parameterCount }: Network) =>
    one.needs(batchSizes({ rows: batch, parameterCount })).rate.schedule;
  const schedules = isJoint(method)
    ? [method.rate.schedule]
    : [scheduled(method.generator, players.generator), scheduled(method.discriminator, players.discriminator)];
  const chosen = { loss, penalty, penaltyWeight, batch, discriminatorSteps, seed };
  return [
    ...Object.keys(DIGESTS).map((name, k) => [name, prints[k]!] as const),
    ...Object.entries(chosen).map(([name, value]) => [`options.${name}`, value] as const),
    ...methods,
    ...(schedules.includes("cosine") ? [["options.iterations", iterations] as const] : []),
  ];
}

/** Writes the snapshot completely or not at all. */
export async function writeGameCheckpoint(path: string, snapshot: GameSnapshot, identity: GameIdentity): Promise<void> {
  const { iteration, position, pending, generator, discriminator, states, records, elapsed } = snapshot;
  const body = {
    game: identity,
    iteration,
    position,
    pending: pending && Float64Array.from(STEP_NUMBERS, (name) => pending[name]),
    generator,
    discriminator,
    states: Object.entries(states).map(([name, state]) => [name, writtenState(state)]),
    ...(records.length === 0 ? { records: [] } : packRecords(records)),
    elapsed,
  };
  await writeSealed(path, FORMAT, VERSION, body);
}

/** The form that a game expects of its checkpoint, besides what it depends on. */
export interface GameForm {
  readonly identity: GameIdentity;
  readonly options: CompletedMinmaxOptions;
  /** Parameters of each player. */
  readonly counts: Readonly<Record<PlayerName, number>>;
}

/** @throws GAUSSFLOW_FILE for a torn, edited or foreign file, or one of another game, saying what differs */
export async function readGameCheckpoint(path: string, { identity, options, counts }: GameForm): Promise<GameSnapshot> {
  const body = fields(unseal(await readText(path), FORMAT, VERSION, path), path, "body");
  checkIdentity(body.game, identity, path);
  const floats = (value: unknown, length: number, what: string) =>
    checkNumbers(decodeFloats(value, length, path, what), path, what);
  const iteration = countOf(body.iteration, path, "iteration");
  const position = countOf(body.position, path, "position");
  const length = stepsPerIteration(options);
  if (position >= length)
    throw fileError(path, `position must be below ${length}, the steps of an iteration; it is ${position}`);
  if ((position === 0) !== (body.pending === null))
    throw fileError(path, "pending must be there exactly within an iteration");
  const numbers = body.pending === null ? null : floats(body.pending, STEP_NUMBERS.length, "pending");
  if (typeof body.elapsed !== "number" || !(body.elapsed >= 0 && body.elapsed < Infinity))
    throw fileError(path, `elapsed must be a finite number of at least 0; received ${describe(body.elapsed)}`);
  return {
    iteration,
    position,
    pending:
      numbers && (Object.fromEntries(STEP_NUMBERS.map((name, k) => [name, numbers[k]!])) as unknown as PlayerStep),
    generator: floats(body.generator, counts.generator, "generator"),
    discriminator: floats(body.discriminator, counts.discriminator, "discriminator"),
    states: readStates(body.states, stateForms(options, counts), path),
    records: readIterations(body, iteration, path),
    elapsed: body.elapsed,
  };
}

/** @throws GAUSSFLOW_FILE naming the first of what differs */
function checkIdentity(value: unknown, identity: GameIdentity, path: string): void {
  if (!Array.isArray(value) || !value.every((entry) => Array.isArray(entry) && typeof entry[0] === "string"))
    throw fileError(path, "game must be a list of names and values");
  const held = new Map(value as [string, unknown][]);
  const own = new Map<string, unknown>(identity);
  for (const name of new Set([...own.keys(), ...held.keys()])) {
    const [then, now] = [held.get(name), own.get(name)];
    if (then === now) continue;
    const show = (one: unknown) => (one === undefined ? "absent" : describe(one));
    const other = DIGESTS[name];
    const how = other === undefined ? `${name} was ${show(then)} and is ${show(now)}` : `it was written with ${other}`;
    throw fileError(
      path,
      `belongs to another game: ${how}. Resume it with the networks, rows and options of its game, or leave options.resume out`,
    );
  }
}

/** What the stored states must be. */
function stateForms(
  { method, batch }: CompletedMinmaxOptions,
  counts: GameForm["counts"],
): Readonly<Record<string, StateForm>> {
  if (isJoint(method)) {
    const parameterCount = counts.generator + counts.discriminator;
    return { both: { parameterCount, state: method.start(parameterCount), checkState: method.checkState } };
  }
  const form = (name: PlayerName): StateForm => {
    const parameterCount = counts[name];
    const sizes = batchSizes({ rows: batch, parameterCount });
    const checkState = (state: MethodState) => method[name].checkState?.(state, sizes) ?? null;
    return { parameterCount, state: method[name].start(sizes), checkState };
  };
  return { discriminator: form("discriminator"), generator: form("generator") };
}

function readStates(value: unknown, forms: Readonly<Record<string, StateForm>>, path: string): GameStates {
  const wrong = () => fileError(path, `states must be those of ${Object.keys(forms).join(" and ")}`);
  if (!Array.isArray(value) || !value.every(Array.isArray)) throw wrong();
  const held = new Map(value as [unknown, unknown][]);
  if (held.size !== Object.keys(forms).length) throw wrong();
  return Object.fromEntries(
    Object.entries(forms).map(([name, form]) => {
      if (!held.has(name)) throw wrong();
      return [name, readState(held.get(name), form, path, `states.${name}`)];
    }),
  );
}

/** Checks that there is one record of each iteration. */
function readIterations(
  body: Readonly<Record<string, unknown>>,
  iteration: number,
  path: string,
): readonly MinmaxRecord[] {
  const empty = Array.isArray(body.records) && body.records.length === 0;
  const records = empty
    ? []
    : readRecords<MinmaxRecord>(body, RECORD, path, (record, k) => {
        if (record.iteration !== k + 1)
          throw fileError(path, `records[${k}].iteration must be ${k + 1}; it is ${record.iteration}`);
      });
  if (records.length !== iteration)
    throw fileError(path, `iteration must be the number of records, ${records.length}; it is ${iteration}`);
  return records;
}

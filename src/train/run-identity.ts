// Identifies a run for its checkpoints: a digest of everything that it depends on (data, network, method, options), and beside it the options by
// name, so that a checkpoint of another run is refused with what differs. begin.ts makes the identity, and checkpoint.ts writes and compares it.
import type { EngineData, FileSamples } from "../backend/engine.js";
import type { Compared } from "../cluster/agreement.js";
import type { Dataset } from "../data/dataset.js";
import { headerOf } from "../data/row-reader.js";
import { describe } from "../errors.js";
import { lossRule } from "../loss/rules.js";
import type { BatchNeeds } from "../method/batch-method.js";
import type { Network } from "../network/network.js";
import { optionsText } from "../network/network-options.js";
import { fingerprint } from "../run/fingerprint.js";
import { stepsOfRun, stepsPerEpoch } from "./descend.js";
import type { CompletedTrainOptions } from "./train-options.js";

type Scalar = string | number | boolean;

/** What a run depends on. */
export interface RunIdentity {
  /** Of everything. */
  readonly digest: string;
  /** Options and sizes with their values, and digests of what is too long for a value. */
  readonly named: readonly (readonly [string, Scalar])[];
}

/** Of a run without a checkpoint to write or read. */
export const NO_IDENTITY: RunIdentity = { digest: "", named: [] };

/** Names whose values are digests, and what their difference means. */
const DIGESTS: Readonly<Record<string, string>> = {
  network: "it was written with another network",
  start: "its network started from other parameters",
  equations: "its equations, their points or their unknowns were others",
};

/** What a run follows from. */
export interface RunParts {
  readonly network: Network;
  readonly data: EngineData;
  readonly validation: Dataset | null;
  readonly completed: CompletedTrainOptions;
  /** Of a method on batches; else null. */
  readonly needs: BatchNeeds | null;
}

/** @throws the signal's reason once it has been aborted */
export async function identityOf(
  { network, data, validation, completed, needs }: RunParts,
  signal: AbortSignal | undefined,
): Promise<RunIdentity> {
  const { method, loss, standardize: scaled, seed, route, matrixFree, slots, stop, batchStart } = completed;
  const inner = route === "matrix-free" ? { matrixFree } : {};
  // Left out where it is 1, as releases without slots digested it.
  const slotted = slots === 1 ? {} : { slots };
  // With squared error a method takes no steps on the Hessian: `hessian` is left out, as releases without it digested the settings.
  const { hessian: _, ...others } = method.settings;
  const chosen = lossRule(loss).sumOfSquares ? others : method.settings;
  // A rate that falls along a cosine depends on the steps of the whole run.
  const perEpoch = needs === null ? 1 : stepsPerEpoch({ rows: data.sampleCount }, needs);
  const horizon = needs?.rate.schedule === "cosine" ? { steps: stepsOfRun(stop, perEpoch) } : {};
  const started = batchStart === null ? {} : { batchStart };
  const settings = {
    method: method.name,
    settings: chosen,
    loss,
    scaled,
    seed,
    route,
    ...inner,
    ...slotted,
    ...horizon,
    ...started,
  };
  const parts = [
    JSON.stringify(settings),
    optionsText(network.options),
    network.parameters,
    data.inputs,
    data.targets,
    data.file === undefined ? null : JSON.stringify([data.file.layout.size, data.file.layout.changed]),
    data.weights ?? null,
    validation?.inputs ?? null,
    validation?.targets ?? null,
    validation?.weights ?? null,
  ];
  const named = [
    ...scalars("options.method", method.name),
    ...scalars("options.method", chosen),
    ...scalars("options.loss", loss),
    ...scalars("options", { standardize: scaled, seed, route, ...inner, ...started }),
    ["network", await fingerprint([optionsText(network.options)], signal)] as const,
    ["start", await fingerprint([network.parameters], signal)] as const,
    ["the number of rows that are fitted", data.sampleCount] as const,
    ["the number of rows that are held out", validation?.sampleCount ?? 0] as const,
    ...scalars(
      "the number of steps over which the rate falls (options.stop.epochs, options.stop.iterations)",
      horizon.steps,
    ),
  ];
  return { digest: await fingerprint(parts, signal), named };
}

/** Digits of a digest that messages show. */
const SHOWN = 16;

/**
 * What the ranks of a run must have alike: what identifies it, but for the time of change of a data file, which each machine has its own of, and in
 * its place header, size and units; and the options that do not identify it.
 */
export async function comparedOf(
  own: RunIdentity,
  parts: RunParts,
  signal: AbortSignal | undefined,
): Promise<Compared> {
  const { data, completed } = parts;
  const { file } = data;
  const { stop, condition, checkpoint, distributed } = completed;
  const changed = file === undefined ? "" : await headerDigest(file, signal);
  const alike = file && { ...data, file: { ...file, layout: { ...file.layout, changed } } };
  const shared = alike === undefined ? own : await identityOf({ ...parts, data: alike }, signal);
  return [
    ...shared.named,
    ...scalars("options.stop", stop),
    ...scalars("options", { condition, distributed }),
    ...scalars("options.checkpoint.every", checkpoint?.every),
    ["the size of the data file", file?.layout.size ?? 0],
    ["the digest of the data file's header and units", changed],
    ["the digest of data, network and options", shared.digest.slice(0, SHOWN)],
  ];
}

/** Of header and units of a data file: a rank whose rows differ has other means. */
async function headerDigest(
  { layout, inputs, targets }: FileSamples,
  signal: AbortSignal | undefined,
): Promise<string> {
  const header = headerOf(layout);
  return (await fingerprint([header, inputs.offset, inputs.scale, targets.offset, targets.scale], signal)).slice(
    0,
    SHOWN,
  );
}

/** The texts, numbers and booleans of a value, by their names in it. */
function scalars(name: string, value: unknown): readonly (readonly [string, Scalar])[] {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return [[name, value]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => scalars(`${name}.${key}`, one));
}

/**
 * What differs from the run that a file was written by, as a clause.
 * @param held `named` of that run as the file has it; undefined in files of earlier releases
 */
export function differenceOf(held: unknown, { named }: RunIdentity): string {
  if (!Array.isArray(held) || !held.every((entry) => Array.isArray(entry) && typeof entry[0] === "string"))
    return "data, network, method or options differ from those it was made with";
  const then = new Map(held as [string, unknown][]);
  const now = new Map<string, unknown>(named);
  for (const name of new Set([...then.keys(), ...now.keys()])) {
    const [old, own] = [then.get(name), now.get(name)];
    if (old === own) continue;
    const show = (one: unknown) => (one === undefined ? "absent" : describe(one));
    return DIGESTS[name] ?? `${name} was ${show(old)} and is ${show(own)}`;
  }
  return "the rows that are fitted or held out have other values";
}

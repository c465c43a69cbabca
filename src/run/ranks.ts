// Begins a run on several ranks, for `train` and `flow`: makes the agreement by which they decide alike, compares what must be the same before
// anything of it decides how often they meet, and refuses what is not summed over ranks.
import { arithmetic } from "../backend/arithmetic.js";
import type { BackendOptions } from "../backend/create.js";
import { firstOfSlot } from "../backend/slots.js";
import { Agreement, type Compared } from "../cluster/agreement.js";
import { type Cluster, completeCluster, type RankSlots } from "../cluster/cluster.js";
import { ranksHere } from "../cluster/launch.js";
import { argumentError } from "../errors.js";
import { defaultMemoryLimit, memoryCeiling } from "../memory-limit.js";
import { checkSignal } from "../options.js";
import type { StepRoute } from "../plan/route.js";

/** The options that the beginning reads. */
interface JoinedOptions extends BackendOptions {
  readonly cluster?: Cluster | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly memoryLimit?: number | undefined;
  readonly checkpoint?: unknown;
  readonly resume?: unknown;
}

const SAME_CALLS = "give every rank the same version, options and data";

/**
 * The steps of a run, which has the ranks of its option `cluster` to itself until they end.
 * @param call "train" or "flow"
 * @param steps get the options with the signal of the agreement and the memory limit of the rank that has the least, and the agreement, which
 *   is null where this process is alone
 * @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_BUSY, GAUSSFLOW_RANKS
 */
export async function* stepsOnRanks<Options extends JoinedOptions, Entry, Result>(
  call: string,
  options: Options,
  steps: (options: Options, agreement: Agreement | null) => AsyncGenerator<Entry, Result>,
): AsyncGenerator<Entry, Result> {
  const cluster = completeCluster((options as Options | null | undefined)?.cluster);
  if (cluster === null) return yield* steps(options, null);
  const agreement = new Agreement(cluster, options.signal);
  try {
    return yield* steps(await shared(call, options, agreement), agreement);
  } finally {
    agreement.release();
  }
}

/** The options, once the ranks have compared what decides how often they meet. */
async function shared<Options extends JoinedOptions>(
  call: string,
  options: Options,
  agreement: Agreement,
): Promise<Options> {
  // Ranks of one machine share its memory.
  const { signal, checkpoint, resume, memoryLimit = defaultMemoryLimit() / ranksHere(process.env) } = options;
  const facts = await agreement.together(() => {
    checkSignal("options.signal", signal);
    return arithmetic(options.backend);
  });
  const named: Compared = [
    ...facts,
    ["the call", call],
    ["whether the addon of MPI has ScaLAPACK", agreement.cluster.scalapack],
    ["whether there is options.checkpoint", checkpoint !== undefined],
    ["whether there is options.resume", resume !== undefined],
  ];
  await agreement.compare(named, SAME_CALLS);
  // A limit that breaks its rule is refused with the other options.
  const least = await agreement.least(Math.min(memoryLimit, memoryCeiling()));
  return { ...options, signal: agreement.signal, ...(least > 0 ? { memoryLimit: least } : {}) };
}

/** Compares what a run depends on. @param named options, sizes and digests */
export async function compareRuns(agreement: Agreement | null, named: Compared): Promise<void> {
  // JSON knows neither infinity nor NaN.
  const texts = named.map(([name, value]) => [name, typeof value === "number" ? String(value) : value] as const);
  await agreement?.compare(texts, SAME_CALLS);
}

/** Whether this process writes the files of the run. */
export function writesFiles(agreement: Agreement | null): boolean {
  return agreement === null || agreement.cluster.rank === 0;
}

/**
 * `EngineData.ranks` of the fitted rows. A run of one slot, resumed on several ranks, has nothing to share: every rank sums all of it, as one process
 * does.
 * @param distributed whether the ranks hold the Gram matrix together
 */
export function slotsOfRank(agreement: Agreement | null, slots: number, distributed = false): RankSlots | undefined {
  const part = slots === 1 ? undefined : (agreement?.cluster.slots(slots) ?? undefined);
  return part !== undefined && distributed ? { ...part, distributed } : part;
}

/** Rows of the fitted ones that this process sums. */
export function rowsOfRank(agreement: Agreement | null, slots: number, sampleCount: number): number {
  const part = slotsOfRank(agreement, slots);
  if (part === undefined) return sampleCount;
  return firstOfSlot(part.first + part.count, slots, sampleCount) - firstOfSlot(part.first, slots, sampleCount);
}

/**
 * What is not summed over ranks.
 * @param route that the run takes
 * @throws GAUSSFLOW_ARGUMENT naming what must be otherwise
 */
export function checkRanks(
  ranks: number,
  { engine, route, monitor }: { readonly engine: string; readonly route: StepRoute; readonly monitor: unknown },
): void {
  if (ranks === 1) return;
  const because = `on ${ranks} ranks`;
  if (engine !== "native")
    throw argumentError("options.backend", `must be "native" ${because}: only that engine sums over them`, engine);
  if (monitor !== undefined)
    throw argumentError(
      "options.monitor",
      `must be left out ${because}, because it measures the curvature of all rows: monitor a run of one process`,
      monitor,
    );
  if (route === "dual")
    throw argumentError(
      "options.route",
      `must be "primal" or "matrix-free" ${because}, because the matrix of the dual route pairs rows of different ranks: choose "matrix-free", or one process`,
      route,
    );
}

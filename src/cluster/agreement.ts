// Makes the ranks of a run decide alike: `train` and `flow` take up an abort or a deadline, end for an error, and compare what they compute at the
// same places of every rank. A rank that decided by itself would leave the others waiting in a sum for ever. The command line uses it too.
import { createHash } from "node:crypto";
import { type ErrorCode, GaussflowError } from "../errors.js";
import type { Cluster, RankWaits } from "./cluster.js";
import { gatherTexts } from "./texts.js";

/** What a run compares over its ranks at its start: names and values, in one order. */
export type Compared = readonly (readonly [name: string, value: unknown])[];

/** What a rank says of its last step. */
export interface Turn {
  /** Number of the iteration or step, for the message. */
  readonly index: number;
  readonly loss: number;
  /** What the rank has computed alone and others must have to the bit, such as its step. */
  readonly computed: readonly (Float64Array | string)[];
  /** Seconds of the run, and whether they are more than it may take. The clock of rank 0 decides. */
  readonly elapsed: number;
  readonly over: boolean;
}

/** Places at which ranks meet. Every meeting has as many numbers, so that ranks that have come apart see it. */
const PLACE = { together: 1, turn: 2 } as const;

const agreed = new WeakSet<Error>();
/** Clusters on which a run is under way: the exchanges of two runs would mix. */
const busy = new WeakSet<Cluster>();

/** Whether all ranks throw this error or its like: rank 0 shows it, and no rank needs to be ended by force. */
export function isAgreed(error: unknown): boolean {
  return error instanceof Error && agreed.has(error);
}

function agree(error: Error): Error {
  agreed.add(error);
  return error;
}

/** An error about the ranks themselves, which all of them throw. */
function ranksError(message: string, details: Record<string, unknown>): Error {
  return agree(new GaussflowError("GAUSSFLOW_RANKS", message, details));
}

export class Agreement {
  readonly cluster: Cluster;
  readonly #own: AbortSignal | undefined;
  readonly #controller = new AbortController();
  readonly #before: RankWaits;
  #listening = false;

  /**
   * @param own what may abort this rank
   * @throws GAUSSFLOW_BUSY while another run of the cluster is under way
   */
  constructor(cluster: Cluster, own: AbortSignal | undefined) {
    if (busy.has(cluster))
      throw new GaussflowError(
        "GAUSSFLOW_BUSY",
        "options.cluster has a run under way, with whose exchanges those of another would mix: await it first",
      );
    busy.add(cluster);
    this.cluster = cluster;
    this.#own = own;
    this.#before = cluster.waits();
  }

  /** The run is over. */
  release(): void {
    busy.delete(this.cluster);
  }

  /** The exchanges of engines since this was made. */
  get waits(): RankWaits {
    const { count, seconds } = this.cluster.waits();
    return { count: count - this.#before.count, seconds: seconds - this.#before.seconds };
  }

  /** From now on `together` takes up aborts, as `turn` always does. */
  listen(): void {
    this.#listening = true;
  }

  /** The caller's signal of this rank alone: not for what the ranks do together. */
  get own(): AbortSignal | undefined {
    return this.#own;
  }

  /** What replaces the caller's signal: it is aborted at meetings of the ranks only, and then on all of them. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * Work that every rank does without the others. An error on one is one on all, with the number of the rank.
   * @throws the error, and after `listen` the signal's reason once a rank has been aborted
   */
  async together<T>(work: () => T | Promise<T>): Promise<T> {
    let answer: { readonly value: T } | null = null;
    let failure: unknown;
    try {
      answer = { value: await work() };
    } catch (error) {
      failure = error;
    }
    const met = await this.#meet(PLACE.together, [answer === null ? 1 : 0, 0, 0]);
    const failed = met.findIndex(([, , status]) => status === 1);
    if (failed >= 0) throw await this.#shared(failure, failed);
    if (this.#listening) {
      await this.#hear(met);
      this.signal.throwIfAborted();
    }
    return (answer as { readonly value: T }).value;
  }

  /** The same for work that only rank 0 does: what it returns is a text, which all ranks get. */
  async byFirst(work: () => Promise<string>): Promise<string> {
    const { rank } = this.cluster;
    const text = await this.together(async () => (rank === 0 ? await work() : ""));
    return new TextDecoder().decode(await this.cluster.broadcast(new TextEncoder().encode(text)));
  }

  /** The least number of the ranks'. */
  async least(value: number): Promise<number> {
    const all = await this.cluster.gather(Float64Array.of(value));
    return Math.min(...all.map(([one]) => one as number));
  }

  /**
   * Compares names and values over the ranks.
   * @param remedy as a clause
   * @throws GAUSSFLOW_RANKS on every rank, with the first rank that differs from rank 0 and what differs
   */
  async compare(own: Compared, remedy: string): Promise<void> {
    const texts = await gatherTexts(this.cluster, JSON.stringify(own));
    const rank = texts.findIndex((text) => text !== texts[0]);
    if (rank < 0) return;
    const [first, other] = [texts[0] as string, texts[rank] as string].map(
      (text) => new Map(JSON.parse(text) as [string, unknown][]),
    ) as [Map<string, unknown>, Map<string, unknown>];
    const name = [...first.keys(), ...other.keys()].find((key) => show(first, key) !== show(other, key)) ?? "the order";
    throw ranksError(
      `rank ${rank} differs from rank 0: ${name} is ${show(other, name)} there, and ${show(first, name)} on rank 0; ${remedy}`,
      { rank, name, values: [first.get(name), other.get(name)] },
    );
  }

  /**
   * The meeting of an iteration. Aborts `signal` on all ranks where one of them was aborted.
   * @returns seconds of rank 0 where they are over, else null
   * @throws GAUSSFLOW_RANKS where the ranks have computed other numbers, with both
   */
  async turn({ index, loss, computed, elapsed, over }: Turn): Promise<number | null> {
    const met = await this.#meet(PLACE.turn, [over ? elapsed : -1, loss, digest(computed)]);
    const [first] = met;
    const rank = met.findIndex((own) => bits(own[3]) !== bits(first?.[3]) || bits(own[4]) !== bits(first?.[4]));
    if (rank >= 0) throw apart(index, rank, [first, met[rank]] as [Float64Array, Float64Array]);
    await this.#hear(met);
    const seconds = first?.[2] as number;
    return seconds < 0 ? null : seconds;
  }

  async #meet(place: number, values: readonly number[]): Promise<readonly Float64Array[]> {
    const met = await this.cluster.gather(Float64Array.of(place, this.#own?.aborted ? 1 : 0, ...values));
    const rank = met.findIndex(([own]) => own !== met[0]?.[0]);
    if (rank >= 0)
      throw ranksError(`rank ${rank} is at another place of the run than rank 0: please report it`, { rank });
    return met;
  }

  /** Aborts `signal` if a rank was aborted. */
  async #hear(met: readonly Float64Array[]): Promise<void> {
    const rank = met.findIndex(([, aborted]) => aborted === 1);
    if (rank < 0 || this.signal.aborted) return;
    const own: unknown = this.#own?.reason;
    const said = own instanceof Error && own.name !== "AbortError" ? `: ${own.message}` : "";
    const texts = await gatherTexts(this.cluster, said);
    this.#controller.abort(new Error(`on rank ${rank}${texts[rank]}`));
  }

  /** The error of rank `failed` on this rank. */
  async #shared(failure: unknown, failed: number): Promise<unknown> {
    const own = failure instanceof GaussflowError ? failure.code : "GAUSSFLOW_RANKS";
    const message = failure instanceof Error ? failure.message : String(failure);
    const texts = await gatherTexts(this.cluster, JSON.stringify([own, message]));
    if (failed === this.cluster.rank) return failure instanceof Error ? agree(failure) : failure;
    const [code, said] = JSON.parse(texts[failed] as string) as [ErrorCode, string];
    // Of a mistake that all have made rank 0 has the error itself.
    return agree(new GaussflowError(code, `rank ${failed}: ${said}`, { rank: failed }));
  }
}

/** Without other ranks the work alone. */
export async function together<T>(agreement: Agreement | null, work: () => T | Promise<T>): Promise<T> {
  return agreement === null ? work() : agreement.together(work);
}

function show(values: ReadonlyMap<string, unknown>, name: string): string {
  return values.has(name) ? JSON.stringify(values.get(name)) : "absent";
}

/** 48 bits of a digest: a whole number that every double holds. */
function digest(computed: Turn["computed"]): number {
  const hash = createHash("sha1");
  for (const one of computed)
    hash.update(typeof one === "string" ? one : new Uint8Array(one.buffer, one.byteOffset, one.byteLength));
  return hash.digest().readUIntBE(0, 6);
}

function bits(value: number | undefined): bigint {
  return new BigUint64Array(Float64Array.of(value as number).buffer)[0] as bigint;
}

function apart(index: number, rank: number, [first, other]: readonly [Float64Array, Float64Array]): Error {
  const [[, , , one, step], [, , , two, otherStep]] = [first, other];
  const what =
    bits(one) === bits(two)
      ? `the step to iteration ${index} has other numbers on rank ${rank} than on rank 0`
      : `the loss before iteration ${index} is ${one} on rank 0 and ${two} on rank ${rank}`;
  return ranksError(
    `the ranks have come apart: ${what}; ranks on processors of other kinds can do so (set OPENBLAS_CORETYPE=Haswell for all of them), and so does memory that fails. The last checkpoint is sound`,
    { rank, losses: [one, two], steps: [step, otherStep] },
  );
}

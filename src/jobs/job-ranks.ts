// The jobs of `trainMany` on the ranks of a cluster: rank 0 deals them, trains some itself, and receives the progress and the results of all
// others; every other rank asks for its next job. Ranks send one another letters, because jobs end at any time; only the beginning and the end are
// exchanges in which all take part. train-many.ts makes a JobRanks where there are several ranks.
import type { Cluster } from "../cluster/cluster.js";
import { argumentError, GaussflowError } from "../errors.js";
import { JobDeal } from "./job-deal.js";
import { decode, type ErrorMessage, encode, packError, type ResultMessage } from "./message.js";

/** How a job ended, as plain data. */
export type Outcome =
  | { readonly state: "trained"; readonly result: ResultMessage }
  | { readonly state: "failed"; readonly error: ErrorMessage };

/** The reason of an abort: its clone would keep neither class nor name. */
interface AbortReason {
  readonly name: string;
  readonly message: string;
}

/**
 * To rank 0. `idle`: a lane waits for the job; else it is for the end of the one that it has. `outcome`: an encoded Outcome, which rank 0 passes on as
 * it is. `left`: no job is at work on the rank any more. `closed`: the rank sends nothing more.
 */
type Report =
  | { readonly kind: "ask"; readonly idle: boolean }
  | { readonly kind: "progress"; readonly job: number; readonly values: Float64Array }
  | { readonly kind: "ended"; readonly job: number; readonly outcome: Uint8Array }
  | { readonly kind: "abort"; readonly reason: AbortReason }
  | { readonly kind: "left" }
  | { readonly kind: "closed" };

/** A job; null where none is left; "later" where so few are left that they are for lanes without one. */
type Answer = number | null | "later";

/** From rank 0. `over`: all ranks have left. */
type Order =
  | { readonly kind: "job"; readonly job: Answer }
  | { readonly kind: "abort"; readonly reason: AbortReason }
  | { readonly kind: "over" };

/** What the letters lead to. */
export interface JobRanksHooks {
  /** Rank 0: another rank's job has made progress, packed by ProgressBatch. */
  readonly onProgress: (job: number, values: Float64Array) => void;
  /** Rank 0: another rank's job has ended. */
  readonly onEnded: (job: number, outcome: Uint8Array) => void;
  /** Another rank was aborted. */
  readonly onAbort: (reason: Error) => void;
}

/** Clusters whose ranks train jobs: letters of two runs at once would mix. */
const busy = new WeakSet<Cluster>();

export class JobRanks {
  readonly cluster: Cluster;
  /** Jobs that run at the same time on all ranks. */
  readonly concurrency: number;
  /** Whether rank 0 wants the progress. */
  readonly watched: boolean;
  readonly #deal: JobDeal;
  readonly #hooks: JobRanksHooks;
  /** Questions of this rank that rank 0 has not answered, in order. */
  readonly #asking: { readonly resolve: (job: Answer) => void; readonly reject: (error: unknown) => void }[] = [];
  /** Answers for lanes that are still at work: rank 0 may be in the middle of a job of its own, and answers when it turns to its letters. */
  readonly #ahead: Promise<Answer>[] = [];
  readonly #letters: Promise<void>;
  #stopped = false;
  /** Rank 0: ranks with jobs at work, itself included. */
  #present: number;

  /**
   * All ranks call it.
   * @param lanes jobs that run at the same time on this rank
   * @param watched whether this rank wants the progress; that of rank 0 counts
   * @throws GAUSSFLOW_ARGUMENT, on all ranks, where they have other numbers of jobs
   */
  static async join(
    cluster: Cluster,
    jobs: number,
    lanes: number,
    watched: boolean,
    hooks: JobRanksHooks,
  ): Promise<JobRanks> {
    if (busy.has(cluster))
      throw new GaussflowError(
        "GAUSSFLOW_BUSY",
        "the ranks of options.cluster are training other jobs: await the call before",
      );
    busy.add(cluster);
    const facts = await cluster.gather(Float64Array.of(jobs, lanes, Number(watched)));
    const other = facts.findIndex(([count]) => count !== facts[0]?.[0]);
    if (other > 0) {
      busy.delete(cluster);
      throw argumentError(
        "jobs",
        `must be the same on all ranks; rank 0 has ${facts[0]?.[0]} of them and rank ${other} ${facts[other]?.[0]}`,
        `${jobs} jobs`,
      );
    }
    const concurrency = facts.reduce((sum, [, count]) => sum + (count ?? 0), 0);
    return new JobRanks(cluster, jobs, concurrency, facts[0]?.[2] === 1, hooks);
  }

  private constructor(cluster: Cluster, jobs: number, concurrency: number, watched: boolean, hooks: JobRanksHooks) {
    this.cluster = cluster;
    this.concurrency = concurrency;
    this.watched = watched;
    this.#deal = new JobDeal(jobs, cluster.size);
    this.#hooks = hooks;
    this.#present = cluster.size;
    this.#letters = cluster.rank === 0 ? this.#serve() : this.#obey();
    this.#letters.catch((error: unknown) => {
      // A lane that waits for a letter would wait for ever.
      for (const { reject } of this.#asking.splice(0)) reject(error);
    });
  }

  /** The next job of this rank; null where none is left. */
  async take(): Promise<number | null> {
    if (this.#stopped) return null;
    if (this.cluster.rank === 0) return this.#deal.take(0);
    const ahead = this.#ahead.shift();
    const early = ahead === undefined ? "later" : await ahead;
    const job = early === "later" ? await this.#ask(true) : early;
    // Rank 0 defers no lane that has no job.
    if (job === null || job === "later") return null;
    if (!this.#stopped) {
      const next = this.#ask(false);
      // A failure is thrown to the lane that takes it.
      next.catch(() => {});
      this.#ahead.push(next);
    }
    return job;
  }

  async #ask(idle: boolean): Promise<Answer> {
    const answer = new Promise<Answer>((resolve, reject) => this.#asking.push({ resolve, reject }));
    await this.#report({ kind: "ask", idle });
    return answer;
  }

  /** Of a job of another rank than 0. */
  progress(job: number, values: Float64Array): void {
    // Failures of an exchange are those of #letters.
    this.#report({ kind: "progress", job, values }).catch(() => {});
  }

  /** The end of a job of another rank than 0. */
  ended(job: number, outcome: Uint8Array): Promise<void> {
    return this.#report({ kind: "ended", job, outcome });
  }

  /** This rank was aborted: all others are. */
  abort(reason: unknown): void {
    if (this.#stopped) return;
    this.#stop(plainReason(reason), this.cluster.rank);
  }

  /** No lane of this rank is at work any more. Resolves once that is so on all ranks. */
  async leave(): Promise<void> {
    if (this.cluster.rank === 0) await this.#left();
    else await this.#report({ kind: "left" });
    await this.#letters;
    busy.delete(this.cluster);
  }

  /** Rank 0's value on every rank. */
  async share<T>(value: T): Promise<T> {
    const { cluster } = this;
    const bytes = await cluster.broadcast(cluster.rank === 0 ? encode(value) : new Uint8Array(0));
    return cluster.rank === 0 ? value : (decode(bytes) as T);
  }

  #answer(rank: number, idle: boolean): Answer {
    if (this.#stopped) return null;
    return idle || this.#deal.left > this.concurrency ? this.#deal.take(rank) : "later";
  }

  async #left(): Promise<void> {
    this.#present--;
    if (this.#present === 0) await this.#orderAll({ kind: "over" });
  }

  /** Rank 0: answers the others until they send nothing more. */
  async #serve(): Promise<void> {
    for (let open = this.cluster.size - 1; open > 0; ) {
      const { rank, bytes } = await this.cluster.receive();
      const report = decode(bytes) as Report;
      switch (report.kind) {
        case "ask":
          await this.#order(rank, { kind: "job", job: this.#answer(rank, report.idle) });
          break;
        case "progress":
          this.#hooks.onProgress(report.job, report.values);
          break;
        case "ended":
          this.#hooks.onEnded(report.job, report.outcome);
          break;
        case "abort":
          this.#stop(report.reason, rank);
          break;
        case "left":
          await this.#left();
          break;
        case "closed":
          open--;
          break;
        default:
          report satisfies never;
      }
    }
  }

  /** Other ranks: does what rank 0 says until all have left. */
  async #obey(): Promise<void> {
    for (;;) {
      const { bytes } = await this.cluster.receive();
      const order = decode(bytes) as Order;
      switch (order.kind) {
        case "job":
          this.#asking.shift()?.resolve(order.job);
          break;
        case "abort":
          this.#stop(order.reason, 0);
          break;
        case "over":
          this.#stopped = true;
          return this.#report({ kind: "closed" });
        default:
          order satisfies never;
      }
    }
  }

  /** @param from the rank that was aborted */
  #stop(reason: AbortReason, from: number): void {
    if (this.#stopped) return;
    this.#stopped = true;
    const { rank } = this.cluster;
    if (from !== rank) this.#hooks.onAbort(Object.assign(new Error(reason.message), { name: reason.name }));
    if (rank === 0) this.#orderAll({ kind: "abort", reason }).catch(() => {});
    else if (from === rank) this.#report({ kind: "abort", reason }).catch(() => {});
  }

  #report(report: Report): Promise<void> {
    return this.cluster.send(0, encode(report));
  }

  #order(rank: number, order: Order): Promise<void> {
    return this.cluster.send(rank, encode(order));
  }

  async #orderAll(order: Order): Promise<void> {
    const others = Array.from({ length: this.cluster.size - 1 }, (_, k) => k + 1);
    await Promise.all(others.map((rank) => this.#order(rank, order)));
  }
}

/** An outcome as bytes; where it holds what cannot be sent, as a monitor of the caller may report, that failure. */
export function encodeOutcome(outcome: Outcome): Uint8Array {
  try {
    return encode(outcome);
  } catch (error) {
    const cause = new Error(`the result cannot be sent between ranks: ${String(error)}`);
    return encode({ state: "failed", error: packError(cause) } satisfies Outcome);
  }
}

function plainReason(reason: unknown): AbortReason {
  return reason instanceof Error
    ? { name: reason.name, message: reason.message }
    : { name: "AbortError", message: String(reason) };
}

// Deals the jobs of `trainMany` to the ranks of a cluster; rank 0 holds the deal (job-ranks.ts). Job i belongs to rank i mod size to begin with.
// A rank that has none left takes the last one of the rank that has most left, so that no rank is idle while another has a list. Who trains a job
// changes nothing of its result.

export class JobDeal {
  /** Jobs that have not been taken, by the rank that they belong to. */
  readonly #left: number[][];

  constructor(jobs: number, size: number) {
    this.#left = Array.from({ length: size }, (_, rank) =>
      Array.from({ length: Math.max(0, Math.ceil((jobs - rank) / size)) }, (_, k) => rank + k * size),
    );
  }

  /** Number of jobs that have not been taken. */
  get left(): number {
    return this.#left.reduce((sum, { length }) => sum + length, 0);
  }

  /** The next job of a rank; null where none is left. */
  take(rank: number): number | null {
    const own = this.#left[rank]?.shift();
    if (own !== undefined) return own;
    const longest = this.#left.reduce((most, one) => (one.length > most.length ? one : most), []);
    return longest.pop() ?? null;
  }
}

// Writes the checkpoints of a training, a flow or a game at the right iterations; the loops (train/minimize.ts, train/descend.ts,
// flow/flow-run.ts, game/play.ts) call it after each step. A checkpoint that cannot be written (missing folder, full disk, no memory) is a warning: the run continues, so that hours of
// training are not lost, and the next one is tried.

/** Type and code of the process warning. */
const WARNING = { type: "GaussflowWarning", code: "GAUSSFLOW_CHECKPOINT" } as const;

export interface CheckpointOptions<State> {
  /** Number of boundaries (iterations or time steps) from one write to the next. */
  readonly every: number;
  /** Once it is aborted the noted boundary is written at once: a run on several ranks may be killed before it ends. Default none. */
  readonly urgent?: AbortSignal | undefined;
  write(state: State): Promise<void>;
}

export class CheckpointKeeper<State> {
  /** The failures, one sentence each; a repeated failure is listed once. */
  readonly warnings: string[] = [];
  readonly #options: CheckpointOptions<State> | null;
  readonly #unit: string;
  #boundary: { readonly index: number; readonly state: () => State } | null = null;
  /** Position of the boundary that the file holds; null before the first write. */
  #written: number | null = null;
  #failed: number | null = null;
  #told = "";
  /** The write that is under way. */
  #writing: Promise<void> | null = null;
  readonly #onUrgent = () => void this.#write();

  /** @param unit what the boundaries count, for the warnings: "iteration" */
  constructor(options: CheckpointOptions<State> | null, unit: string) {
    this.#options = options;
    this.#unit = unit;
    options?.urgent?.addEventListener("abort", this.#onUrgent, { once: true });
  }

  /**
   * A boundary from which a run can resume.
   * @param state makes the state; called only for a write
   */
  note(index: number, state: () => State): void {
    this.#boundary = { index, state };
  }

  /**
   * Lets the noted boundary go, and the file as it is: for a run whose numbers have left the range of doubles. The step may have changed arrays
   * of the boundary's state in place, and a run that went on from there would end there again.
   */
  forget(): void {
    this.#boundary = null;
  }

  /** Notes a boundary, and writes it if it is due. The arrays of the one before may change afterwards: a write of it comes first to its end. */
  async keep(index: number, state: () => State): Promise<void> {
    await this.#writing;
    this.note(index, state);
    if (this.#options !== null && index % this.#options.every === 0) await this.#write();
  }

  /**
   * Called at the end of the run: writes the last boundary. A failure becomes a warning that states what the file holds. It never throws,
   * because that would hide the error that ended the run.
   */
  async close(): Promise<void> {
    this.#options?.urgent?.removeEventListener("abort", this.#onUrgent);
    await this.#write();
    if (this.#failed === null || this.#failed !== this.#boundary?.index) return;
    const held =
      this.#written === null
        ? "no checkpoint of this run was written"
        : `the checkpoint holds ${this.#unit} ${this.#written}`;
    this.#emit(`${held}; the run ended at ${this.#unit} ${this.#failed}`);
  }

  /** Writes the boundary unless the file holds it already. One write at a time. */
  async #write(): Promise<void> {
    const writing = this.#writing === null ? this.#writeNow() : this.#writing.then(() => this.#writeNow());
    this.#writing = writing;
    await writing;
    if (this.#writing === writing) this.#writing = null;
  }

  async #writeNow(): Promise<void> {
    const boundary = this.#boundary;
    if (this.#options === null || boundary === null || this.#written === boundary.index) return;
    try {
      await this.#options.write(boundary.state());
      this.#written = boundary.index;
      this.#told = "";
    } catch (error) {
      this.#failed = boundary.index;
      this.#warn(error instanceof Error ? error.message : String(error), boundary.index);
    }
  }

  #warn(reason: string, index: number): void {
    if (reason === this.#told) return;
    this.#told = reason;
    this.#emit(
      `the checkpoint of ${this.#unit} ${index} could not be written (${reason}): the run goes on, and the next checkpoint is tried`,
    );
  }

  #emit(message: string): void {
    this.warnings.push(message);
    process.emitWarning(message, WARNING);
  }
}

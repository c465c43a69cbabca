// When a run writes its checkpoints, and what becomes of it where one cannot be written: the folder is gone, the disk is full, memory is
// short. Hours of training must not be lost for want of a safety copy: it is a warning, the run goes on, and the next boundary is tried.

/** Type and code of the process warning. */
const WARNING = { type: "GaussflowWarning", code: "GAUSSFLOW_CHECKPOINT" } as const;

export interface CheckpointOptions<State> {
  /** Boundaries from one write to the next. */
  readonly every: number;
  write(state: State): Promise<void>;
}

export class CheckpointKeeper<State> {
  /** What went wrong, a sentence each; not repeated while it stays the same. */
  readonly warnings: string[] = [];
  readonly #options: CheckpointOptions<State> | null;
  readonly #unit: string;
  #boundary: { readonly index: number; readonly state: () => State } | null = null;
  /** Of the boundary in the file; null before the first write. */
  #written: number | null = null;
  #failed: number | null = null;
  #told = "";

  /** @param unit what the boundaries count, for the warnings: "iteration" */
  constructor(options: CheckpointOptions<State> | null, unit: string) {
    this.#options = options;
    this.#unit = unit;
  }

  /**
   * A boundary that the run can go on from.
   * @param state made only where it is written
   */
  note(index: number, state: () => State): void {
    this.#boundary = { index, state };
  }

  /** Notes a boundary, and writes it where its turn has come. */
  async keep(index: number, state: () => State): Promise<void> {
    this.note(index, state);
    if (this.#options !== null && index % this.#options.every === 0) await this.#write();
  }

  /**
   * The end of the run: writes the last boundary, and says what the file holds where that fails. Never throws: the error that ended
   * the run would be hidden.
   */
  async close(): Promise<void> {
    await this.#write();
    if (this.#failed === null || this.#failed !== this.#boundary?.index) return;
    const held =
      this.#written === null
        ? "no checkpoint of this run was written"
        : `the checkpoint holds ${this.#unit} ${this.#written}`;
    this.#emit(`${held}; the run ended at ${this.#unit} ${this.#failed}`);
  }

  /** Writes the boundary unless it stands in the file already. */
  async #write(): Promise<void> {
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

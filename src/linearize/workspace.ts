// Keeps values of a point that are computed once and used by all trials from that point: a preconditioner (step/matrix-free.ts,
// step/nystrom.ts) or the correction of a stalled run (residual-curvature.ts). linearizeAt makes one Workspace for each point. It is
// dropped with the point and is in no checkpoint, so its values must follow from the method's state and the point.

/** The key of one value of a workspace, with its type. Created once, at the top of a file. */
export class Slot<T> {
  /** Never set: carries the type alone. */
  declare readonly holds: T;
  constructor(readonly name: string) {}
}

export class Workspace {
  readonly #held = new Map<unknown, unknown>();

  get<T>(slot: Slot<T>): T | undefined {
    return this.#held.get(slot) as T | undefined;
  }

  set<T>(slot: Slot<T>, value: T): void {
    this.#held.set(slot, value);
  }

  delete(slot: Slot<unknown>): void {
    this.#held.delete(slot);
  }

  /** Everything it holds. */
  values(): IterableIterator<unknown> {
    return this.#held.values();
  }
}

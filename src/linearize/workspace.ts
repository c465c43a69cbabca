// What is worked out once at a point, for all trials from there: a preconditioner, the correction of a stalled run. A point carries its
// workspace and takes it along when it goes; no checkpoint holds one, so that all of it must follow from the state and the point.

/** Names what a workspace holds, and its type. Made once, at the top of a file. */
export class Slot<T> {
  /** Never set: the type alone. */
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

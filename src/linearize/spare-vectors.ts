// Keeps a pool of large arrays for gradients, steps and trial points: train/minimize.ts makes one for problems with many parameters, and
// linearizeAt and the steps take arrays from it. A fresh array of 100 MB takes a third of a second, because the system provides its pages
// one by one, and the garbage collector returns them after every iteration.
import { LARGE_VECTOR } from "../algebra/vectors.js";
import { Workspace } from "./workspace.js";

/**
 * The arrays of p entries of one run: gradients, steps and trial points. The run borrows an array, and what it no longer refers to
 * returns at `reclaim`.
 */
export class SpareVectors {
  readonly #borrowed = new Set<Float64Array>();
  readonly #spare: Float64Array[] = [];

  /** null for vectors so small that fresh arrays cost little. */
  static for(parameterCount: number): SpareVectors | null {
    return parameterCount >= LARGE_VECTOR ? new SpareVectors() : null;
  }

  /** An array to write to; undefined = there is none, make one and `borrow` it. Its entries are those of its last use. */
  take(): Float64Array | undefined {
    const vector = this.#spare.pop();
    if (vector !== undefined) this.#borrowed.add(vector);
    return vector;
  }

  /** Counts an array, made for this run, among those that return. */
  borrow(vector: Float64Array): void {
    this.#borrowed.add(vector);
  }

  /** Takes every array back that none of `live` refers to, directly or through objects, lists, workspaces and views. */
  reclaim(live: readonly unknown[]): void {
    const kept = new Set<unknown>();
    for (const value of live) collect(value, kept);
    for (const vector of this.#borrowed) {
      if (kept.has(vector.buffer)) continue;
      this.#borrowed.delete(vector);
      this.#spare.push(vector);
    }
  }
}

/** Adds `value` and what it refers to; of an array its buffer, which several views may share. */
function collect(value: unknown, found: Set<unknown>): void {
  if (typeof value !== "object" || value === null || found.has(value)) return;
  found.add(value);
  if (ArrayBuffer.isView(value)) found.add(value.buffer);
  else for (const member of value instanceof Workspace ? value.values() : Object.values(value)) collect(member, found);
}

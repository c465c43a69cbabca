// Sums over the samples in the TypeScript passes (blocks.ts, passes.ts, layer-factors.ts, curvature/gram.ts): block by block inside a
// slot, and the slots joined by the tree of `../slots.ts`.
import type { Pace } from "../../event-loop-yield.js";
import { PASS_BLOCK } from "../../network/forward.js";
import { firstOfSlot, pendingSums } from "../slots.js";

/** What has a share in the end of a slot. */
export interface SlotEnd {
  /** Joins the sum of slot number `slot`, which is whole, to those before. */
  endSlot(slot: number, pace: Pace): void | Promise<void>;
}

/** An array that the blocks of a slot are added to, and that holds the sum over all samples once the last slot has ended. */
export class SlotSum implements SlotEnd {
  readonly #sum: Float64Array;
  /** #pending[level]: the sum of 2^level slots that waits for the 2^level slots after it. */
  readonly #pending: readonly Float64Array[];

  /** @param sum zeros at first   @param pending scratch of the same size, `pendingSums(slots)` of them; without it allocated */
  constructor(sum: Float64Array, slots: number, pending?: readonly Float64Array[]) {
    this.#sum = sum;
    this.#pending = pending ?? Array.from({ length: pendingSums(slots) }, () => new Float64Array(sum.length));
  }

  /** Joins the sum of slot k, the slots 0 to k - 1 having ended before: the carries of a binary counter. */
  endSlot(slot: number): void {
    let level = 0;
    for (; ((slot >> level) & 1) === 1; level++) {
      const earlier = this.#pending[level];
      for (let j = 0; j < this.#sum.length; j++) this.#sum[j] += earlier[j];
    }
    if (level === this.#pending.length) return;
    this.#pending[level].set(this.#sum);
    this.#sum.fill(0);
  }
}

/** Calls body(first, count) for all blocks of samples in order, and ends the sums after the last block of each slot. */
export async function eachBlock(
  sampleCount: number,
  slots: number,
  sums: readonly SlotEnd[],
  pace: Pace,
  body: (first: number, count: number) => Promise<void>,
): Promise<void> {
  for (let slot = 0; slot < slots; slot++) {
    const end = firstOfSlot(slot + 1, slots, sampleCount);
    for (let first = firstOfSlot(slot, slots, sampleCount); first < end; first += PASS_BLOCK)
      await body(first, Math.min(PASS_BLOCK, end - first));
    for (const sum of sums) await sum.endSlot(slot, pace);
  }
}

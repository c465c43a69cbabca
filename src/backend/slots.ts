// Defines the slots of a sum over samples and checks their number: when options and engine data are checked (run-options.ts,
// check-engine.ts), and for the sums of the reference engine (reference/slot-sums.ts). The samples are cut into S contiguous slots
// whose sizes differ by one sample at most, S a power of two; inside a slot blocks are added in order, and the S slot sums are joined by one fixed binary tree, ((s0 + s1) + (s2 +
// s3)) + ... . The bits of a sum therefore depend on S and never on who adds which slot. S = 1 is the plain sum.
import { argumentError } from "../errors.js";
import type { LinearizeRequest } from "./engine.js";

/** The largest number of slots. */
export const MOST_SLOTS = 1024;

/** True for 1, 2, 4, ..., MOST_SLOTS. */
export function isSlotNumber(value: unknown): value is number {
  return (
    typeof value === "number" &&
    value >= 1 &&
    value <= MOST_SLOTS &&
    Number.isInteger(value) &&
    (value & (value - 1)) === 0
  );
}

/** @throws GAUSSFLOW_ARGUMENT unless `value` is a power of two, at most MOST_SLOTS and at most the samples */
export function checkSlots(name: string, value: unknown, sampleCount = MOST_SLOTS): asserts value is number {
  if (!isSlotNumber(value))
    throw argumentError(name, `must be a power of two from 1 to ${MOST_SLOTS} (1, 2, 4, ...)`, value);
  if (value > sampleCount)
    throw argumentError(name, `must be at most the number of samples that are fitted, ${sampleCount}`, value);
}

/** Partial sums that wait for their partners while S slots are joined one after the other: log2 S. */
export function pendingSums(slots: number): number {
  return Math.log2(slots);
}

/** The first sample of slot k: floor(k n / S), exact in doubles; of slot S, n. */
export function firstOfSlot(slot: number, slots: number, sampleCount: number): number {
  return Math.floor((slot * sampleCount) / slots);
}

/**
 * What an engine does not sum by slots.
 * @throws GAUSSFLOW_ARGUMENT naming what must be otherwise
 */
export function checkSlotted(
  slots: number,
  { curvature, subset = null }: Pick<LinearizeRequest, "curvature" | "subset">,
): void {
  if (slots === 1) return;
  const because = `with data.slots = ${slots}, which sums over all samples alone`;
  if (curvature === "sampled") {
    const rule = `must be "primal", "dual", "orthogonal", "matrix-free" or "none" ${because}`;
    throw argumentError("curvature", rule, curvature);
  }
  if (subset !== null) throw argumentError("subset", `must be null ${because}`, subset);
}

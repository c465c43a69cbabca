// Finds the events of a step: zero crossings of the caller's functions along the step's interpolant, located by the ITP method (Oliveira
// and Takahashi 2020), which keeps the bracket of bisection and has the speed of the secant method. `integration.ts` calls it after each
// accepted step.
import { argumentError } from "../errors.js";
import { asThrown } from "./thrown.js";
import type { EventSample, OdeEvent } from "./types.js";

/**
 * The value of an event function, checked.
 * @throws GAUSSFLOW_ARGUMENT naming the event; the reason of `signal` if the function threw that
 */
export async function eventValue(
  event: OdeEvent,
  time: number,
  state: Float64Array,
  signal?: AbortSignal,
): Promise<number> {
  let value: number;
  try {
    value = await event.value(time, state);
  } catch (cause) {
    const name = `event "${event.name}"`;
    throw asThrown(name, name, time, cause, signal);
  }
  if (typeof value !== "number" || Number.isNaN(value))
    throw argumentError(
      `event "${event.name}" at time ${time}`,
      "must return a number (events of `integrate` are asked with time and state, those of `flow` with a view)",
      value,
    );
  return value;
}

/** True if the sign change counts. A value of exactly 0 at the start of a step is no crossing. */
export function crosses(event: OdeEvent, before: number, after: number): boolean {
  const rising = before < 0 && after >= 0;
  const falling = before > 0 && after <= 0;
  const { direction = "either" } = event;
  return (rising && direction !== "falling") || (falling && direction !== "rising");
}

/** Root of `value` in (a, b], to 1e-12 of the step or 4 eps of the time, whichever is larger. */
export async function findRoot(
  value: (time: number) => Promise<number>,
  a: number,
  b: number,
  fa: number,
  fb: number,
): Promise<number> {
  if (fb === 0) return b;
  const tolerance = Math.max(1e-12 * (b - a), 4 * Number.EPSILON * Math.max(Math.abs(a), Math.abs(b)));
  const sign = Math.sign(fb);
  const most = Math.ceil(Math.log2((b - a) / tolerance)) + 1;
  const k1 = 0.2 / (b - a);
  for (let j = 0; b - a > tolerance && j < 2 * most + 10; j++) {
    const middle = (a + b) / 2;
    const radius = Math.max(0, (tolerance / 2) * 2 ** (most - j) - (b - a) / 2);
    // An infinite value (a loss that overflowed) has no secant.
    const secant = Number.isFinite(fa) && Number.isFinite(fb) ? (fb * a - fa * b) / (fb - fa) : middle;
    const toward = Math.sign(middle - secant);
    const truncation = Math.min(k1 * (b - a) ** 2, Math.abs(middle - secant));
    const truncated = secant + toward * truncation;
    const x = Math.abs(truncated - middle) <= radius ? truncated : middle - toward * radius;
    const guarded = x > a && x < b ? x : middle;
    const fx = await value(guarded);
    if (fx === 0) return guarded;
    if (Math.sign(fx) === sign) {
      b = guarded;
      fb = fx;
    } else {
      a = guarded;
      fa = fx;
    }
  }
  // The end of the bracket after the crossing, where the event has happened.
  return b;
}

/** A step as its events need it: their values at both ends and the interpolant between. */
export interface EventWindow {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly from: number;
  readonly to: number;
  readonly stateAt: (time: number) => Float64Array;
}

/** The events of one step in order of time; `end` is the first terminal one, and events after it do not count. */
export async function eventsOfStep(
  events: readonly OdeEvent[],
  { before, after, from, to, stateAt }: EventWindow,
  signal?: AbortSignal,
): Promise<{ readonly found: readonly EventSample[]; readonly end: EventSample | null }> {
  const all: { readonly sample: EventSample; readonly terminal: boolean }[] = [];
  for (const [i, event] of events.entries()) {
    if (!crosses(event, before[i], after[i])) continue;
    const value = (t: number) => eventValue(event, t, stateAt(t), signal);
    const time = await findRoot(value, from, to, before[i], after[i]);
    all.push({ sample: { name: event.name, time, state: stateAt(time) }, terminal: event.terminal === true });
  }
  all.sort((one, other) => one.sample.time - other.sample.time);
  const end = all.find((one) => one.terminal)?.sample ?? null;
  const found = all.map((one) => one.sample).filter((sample) => end === null || sample.time <= end.time);
  return { found, end };
}

// A caller's buffers are its own: whatever it returns twice or writes to what it is shown, the result is that of fresh arrays.
import { describe, expect, it } from "vitest";
import { integrate, type OdeFunction } from "../../src/ode/integrate.js";
import type { OdeEvent } from "../../src/ode/types.js";

const options = { until: 3, initial: [1, 0], outputs: [1, 2.5] };
const crossing: OdeEvent = { name: "zero", value: (_, [x]) => x };
const plain: OdeFunction = (_, [x, v]) => [v, -x];
const expected = await integrate(plain, { ...options, events: [crossing] });

describe("integrate gives the same bits", () => {
  const buffers = [new Float64Array(2), new Float64Array(2)];
  let calls = 0;
  it.each<[string, OdeFunction]>([
    [
      "where the right-hand side answers in one buffer",
      (_, [x, v]) => {
        buffers[0].set([v, -x]);
        return buffers[0];
      },
    ],
    [
      "where it takes two in turn",
      (_, [x, v]) => {
        const buffer = buffers[calls++ % 2];
        buffer.set([v, -x]);
        return buffer;
      },
    ],
    [
      "where it takes a buffer later, off the event loop's turn",
      async (_, [x, v]) => {
        await null;
        buffers[0].set([v, -x]);
        return buffers[0];
      },
    ],
    [
      "where it answers in the state it was given",
      (_, state) => {
        state.set([state[1], -state[0]]);
        return state;
      },
    ],
    [
      "where it overwrites its state",
      (_, state) => {
        const answer = [state[1], -state[0]];
        state.fill(1e3);
        return answer;
      },
    ],
  ])("%s", async (_, rightHandSide) => {
    expect(await integrate(rightHandSide, { ...options, events: [crossing] })).toEqual(expected);
  });

  it("where an event overwrites its state", async () => {
    const vandal: OdeEvent = {
      name: "zero",
      value: (_, state) => {
        const [x] = state;
        state.fill(Number.NaN);
        return x;
      },
    };
    expect(await integrate(plain, { ...options, events: [vandal] })).toEqual(expected);
  });
});

// Events: where they are found, which of them count, and what breaks their contract.
import { describe, expect, it } from "vitest";
import { GaussflowError } from "../../src/errors.js";
import { integrateSteps } from "../../src/ode/drive.js";
import { findRoot } from "../../src/ode/events.js";
import { integrate } from "../../src/ode/integrate.js";
import { dormandPrince, euler, rungeKutta4, tsitouras } from "../../src/ode/integrator.js";
import type { OdeEvent } from "../../src/ode/types.js";
import { decay, kepler, oscillator } from "../helpers/ode-problems.js";

const eps = Number.EPSILON;
const both = (tolerance: number) => ({ relativeTolerance: tolerance, absoluteTolerance: tolerance });
/** y' = 1 from `start` in one step a unit of time: y = start + t to rounding. */
const clock = (events: readonly OdeEvent[], start = 0, until = 4, outputs: readonly number[] = []) =>
  integrate(() => Float64Array.of(1), { until, initial: [start], integrator: euler({ step: 1 }), events, outputs });
const at = (level: number, more: Partial<OdeEvent> = {}): OdeEvent => ({
  name: `at ${level}`,
  value: (_, [y]) => y - level,
  ...more,
});

describe("a root", () => {
  it.each([dormandPrince(both(1e-4)), tsitouras(both(1e-7)), rungeKutta4({ step: 0.1 }), euler({ step: 0.005 })])(
    "is that of the interpolant, to 1e-10 of the step: $label",
    async (integrator) => {
      const value = (_: number, [x, y]: Float64Array) => x - 0.3 * y;
      const events = [{ name: "line", value }];
      const initial = Float64Array.from(kepler.initial);
      const problem = { rightHandSide: kepler.rightHandSide, from: 0, until: 20, initial };
      let count = 0;
      for await (const step of integrateSteps(problem, integrator, { events })) {
        for (const { time, state } of step.events) {
          expect(state).toEqual(step.interpolate(time));
          // Where the event has happened: a run that goes on from there does not find it again.
          const [start, found] = [step.interpolate(step.from), state].map((one) => value(0, one));
          expect(found * start).toBeLessThanOrEqual(0);
          // Plain bisection on what the step itself says.
          let [a, b] = [step.from, step.time];
          const sign = Math.sign(value(a, step.interpolate(a)));
          for (let k = 0; k < 60; k++) {
            const middle = (a + b) / 2;
            if (Math.sign(value(middle, step.interpolate(middle))) === sign) a = middle;
            else b = middle;
          }
          expect(Math.abs(time - b)).toBeLessThan(1e-10 * step.stepSize);
          count++;
        }
      }
      expect(count).toBeGreaterThan(1);
    },
  );

  it.each([1e-5, 1e-7, 1e-9])(
    "of the oscillator is pi/2 + k pi within 10 times the tolerance %d",
    async (tolerance) => {
      for (const make of [dormandPrince, tsitouras]) {
        const events = [{ name: "zero", value: (_: number, [x]: Float64Array) => x }];
        const { initial, rightHandSide } = oscillator;
        const found = await integrate(rightHandSide, { until: 10, initial, integrator: make(both(tolerance)), events });
        expect(found.events.length).toBe(3);
        for (const [k, { time }] of found.events.entries())
          expect(Math.abs(time / ((k + 0.5) * Math.PI) - 1)).toBeLessThan(10 * tolerance);
      }
    },
  );

  it("of a decay to a level is -log(level) within 10 times the relative tolerance", async () => {
    for (const tolerance of [1e-5, 1e-8]) {
      const integrator = dormandPrince({ relativeTolerance: tolerance, absoluteTolerance: 1e-14 });
      const events = [0.5, 0.1, 1e-3].map((level) => at(level));
      const found = await integrate(decay.rightHandSide, { until: 10, initial: [1], integrator, events });
      expect(found.events.map((event) => event.name)).toEqual(["at 0.5", "at 0.1", "at 0.001"]);
      for (const [i, level] of [0.5, 0.1, 1e-3].entries())
        expect(Math.abs(found.events[i].time / -Math.log(level) - 1)).toBeLessThan(10 * tolerance);
    }
  });

  it("is found in fewer looks than bisection takes where the function is smooth, never in more than 42", async () => {
    const looks = async (f: (t: number) => number, a: number, b: number) => {
      let count = 0;
      const value = async (t: number) => {
        count++;
        return f(t);
      };
      const root = await findRoot(value, a, b, f(a), f(b));
      return { count, root };
    };
    const smooth = await looks((t) => Math.exp(t) - 2, 0, 1);
    expect(Math.abs(smooth.root - Math.LN2)).toBeLessThanOrEqual(1e-12);
    expect(smooth.count).toBeLessThan(15);
    // log2(1e12) = 39.9 halvings, one more that the method may waste, one for rounding up.
    for (const f of [
      (t: number) => (t < 0.7 ? -1 : 1e9),
      (t: number) => (t - 0.3) ** 9,
      (t: number) => Math.tanh(1e8 * (t - 0.9)),
    ]) {
      const { count, root } = await looks(f, 0, 1);
      expect(count).toBeLessThanOrEqual(42);
      expect(Math.min(...[0.7, 0.3, 0.9].map((exact) => Math.abs(root - exact)))).toBeLessThan(2e-12);
    }
    // Beside a large time the limit is the spacing of numbers there.
    const late = await looks((t) => t - (1e9 + 1 / 3), 1e9, 1e9 + 1);
    expect(Math.abs(late.root - (1e9 + 1 / 3))).toBeLessThanOrEqual(4 * eps * 1e9);
  });
});

describe("which crossings count", () => {
  const { initial, rightHandSide } = oscillator;
  const zero = (direction?: OdeEvent["direction"]) => [
    { name: "zero", value: (_: number, [x]: Float64Array) => x, direction },
  ];
  it.each([
    { direction: "rising", halves: [3, 7] },
    { direction: "falling", halves: [1, 5, 9] },
    { direction: "either", halves: [1, 3, 5, 7, 9] },
    { direction: undefined, halves: [1, 3, 5, 7, 9] },
  ] as const)("direction $direction", async ({ direction, halves }) => {
    const { events } = await integrate(rightHandSide, { until: 15, initial, events: zero(direction) });
    expect(events.map(({ time }) => Math.round(time / (Math.PI / 2)))).toEqual(halves);
  });
  it("a value of exactly 0 at the start of a step does not, at its end it does, once", async () => {
    expect((await clock([at(0)])).events).toEqual([]);
    const { events } = await clock([at(2)]);
    expect(events.map((event) => event.time)).toEqual([2]);
    // Touching zero and turning back is a crossing where it touches, and none on the way back.
    for (const sign of [1, -1]) {
      const touch = await clock([{ name: "touch", value: (t) => sign * Math.abs(t - 2) }]);
      expect(touch.events.map((event) => event.time)).toEqual([2]);
    }
  });
  it("several in one step come in order of time, each with its state", async () => {
    const { events } = await clock([at(0.7), at(0.1), at(0.4), at(1.5)]);
    expect(events.map((event) => event.name)).toEqual(["at 0.1", "at 0.4", "at 0.7", "at 1.5"]);
    for (const { name, time, state } of events) {
      const level = Number(name.slice(3));
      // 1e-12 of a step of 1, and rounding.
      expect(Math.abs(time - level)).toBeLessThan(2e-12);
      expect(Math.abs(state[0] - time)).toBeLessThan(4 * eps);
    }
  });
});

describe("a terminal event", () => {
  it("ends there: later events and outputs are not delivered, earlier ones are", async () => {
    const terminal = at(2.5, { terminal: true });
    const outputs = [0.5, 2.2, 2.75, 3.5];
    const result = await clock([at(2.9), terminal, at(2.25), at(1.5), at(3.5)], 0, 4, outputs);
    const { end, events, times, states } = result;
    expect(events.map((event) => event.name)).toEqual(["at 1.5", "at 2.25", "at 2.5"]);
    expect(result.outputs.map((output) => output.time)).toEqual([0.5, 2.2]);
    const [last] = events.slice(-1);
    expect(end).toMatchObject({ code: "event", time: last.time, message: `event "at 2.5" at t = ${last.time}` });
    expect(end.state).toEqual(last.state);
    expect(times).toEqual([0, 1, 2, last.time]);
    expect(states.at(-1)).toEqual(last.state);
  });
  it("is the first of two; others at the very same time count, whatever their place in the list", async () => {
    const list = [
      at(1.25),
      at(1.5, { terminal: true }),
      at(1.25, { terminal: true, name: "stop" }),
      at(1.25, { name: "too" }),
    ];
    for (const events of [list, list.toReversed()]) {
      const { end, events: found } = await clock(events);
      expect(end.message).toMatch(/^event "stop" at t = 1.25/);
      expect(new Set(found.map((event) => event.name))).toEqual(new Set(["at 1.25", "stop", "too"]));
    }
  });
  it("leaves the derivative at the root, which costs one right-hand side", async () => {
    const events = [{ name: "zero", value: (_: number, [x]: Float64Array) => x, terminal: true }];
    const problem = { ...oscillator, from: 0, until: 9, initial: Float64Array.from(oscillator.initial) };
    let steps = 0;
    for await (const step of integrateSteps(problem, rungeKutta4({ step: 2 }), { events })) {
      expect(step.derivative).toEqual(oscillator.rightHandSide(step.time, step.state));
      expect(step.evaluations).toBe(1 + 4 + 1);
      expect(step.time).toBeLessThan(2);
      expect(() => step.interpolate(2)).toThrow(/within the step/);
      steps++;
    }
    expect(steps).toBe(1);
  });
  it("leaves the interpolant's slope where the right-hand side fails at the root", async () => {
    // Defined at whole times only: stages of Euler's method see no other.
    const rightHandSide = (t: number, [y]: Float64Array) =>
      Number.isInteger(t) ? Float64Array.of(2 * y) : { failure: "undefined", message: "between whole times" };
    const problem = { rightHandSide, from: 0, until: 4, initial: Float64Array.of(1) };
    const events = [at(2, { terminal: true })];
    let steps = 0;
    for await (const step of integrateSteps(problem, euler({ step: 1 }), { events })) {
      // The cubic from 1 with slope 2 to 3 with slope 6.
      const s = step.time;
      expect(Math.abs(1 + 2 * s - 4 * s ** 2 + 4 * s ** 3 - 2)).toBeLessThan(1e-11);
      expect(Math.abs(step.derivative[0] - (2 - 8 * s + 12 * s ** 2))).toBeLessThan(40 * eps);
      steps++;
    }
    expect(steps).toBe(1);
  });
  it("at the very end of time is an event", async () => {
    expect((await clock([at(4, { terminal: true })])).end).toMatchObject({ code: "event", time: 4 });
  });
});

describe("an event that breaks its contract", () => {
  const rejects = async (value: OdeEvent["value"], message: RegExp) => {
    const error = await clock([{ name: "mine", value }]).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(GaussflowError);
    expect((error as GaussflowError).code).toBe("GAUSSFLOW_ARGUMENT");
    expect((error as GaussflowError).message).toMatch(message);
    return error as GaussflowError;
  };
  it("by throwing, at once or later, is named with the time and the cause", async () => {
    const cause = new TypeError("oh");
    const throwing = (t: number) => {
      if (t >= 2) throw cause;
      return -1;
    };
    const error = await rejects(throwing, /^event "mine" threw at time 2: oh$/);
    expect(error.cause).toBe(cause);
    expect(error.details).toMatchObject({ argument: 'event "mine"', time: 2 });
    await rejects(async (t) => throwing(t), /^event "mine" threw at time 2: oh$/);
    await rejects(() => Promise.reject("just text"), /^event "mine" threw at time 0: just text$/);
  });
  it("by a value that is not a number is named with the time, at the ends and inside a step", async () => {
    await rejects(() => Number.NaN, /^event "mine" at time 0 must return a number .*; received NaN$/);
    await rejects((t) => (t === 3 ? Number.NaN : -1), /^event "mine" at time 3 must return a number .*; received NaN$/);
    const inside = (t: number) => (Number.isInteger(t) ? t - 1.5 : Number.NaN);
    await rejects(inside, /^event "mine" at time 1\.\d+ must return a number .*; received NaN$/);
    await rejects((() => "0") as never, /^event "mine" at time 0 must return a number .*; received "0"$/);
  });
  it("is not what an error of ours or the signal's reason means: they come out as they are", async () => {
    const ours = new GaussflowError("GAUSSFLOW_BUSY", "busy");
    await expect(clock([{ name: "mine", value: () => Promise.reject(ours) }])).rejects.toBe(ours);
    const controller = new AbortController();
    const value = () => {
      controller.abort("enough");
      throw controller.signal.reason;
    };
    const { signal } = controller;
    const run = integrate(() => Float64Array.of(1), {
      until: 1,
      initial: [0],
      events: [{ name: "mine", value }],
      signal,
    });
    await expect(run).rejects.toBe("enough");
  });
});

it("infinite values have a sign like all others", async () => {
  const infinite = Number.POSITIVE_INFINITY;
  const cases: ((t: number) => number)[] = [
    (t) => (t < 1.3 ? infinite : -infinite),
    (t) => (t < 1.3 ? -infinite : 1),
    (t) => (t < 1.3 ? -1 : infinite),
    // log of something that is 0 until then.
    (t) => Math.log(Math.max(0, t - 0.3)),
  ];
  for (const value of cases) {
    const { events } = await clock([{ name: "jump", value }]);
    expect(events.length).toBe(1);
    expect(Math.abs(events[0].time - 1.3)).toBeLessThan(2e-12);
  }
  expect((await clock([{ name: "never", value: () => infinite }])).events).toEqual([]);
});

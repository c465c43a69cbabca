// Right-hand sides that explode, fail or stop being numbers: an end with a code, a sentence and the last finite state, never an
// exception or a hang.
import { describe, expect, it } from "vitest";
import { integrate } from "../../src/ode/integrate.js";
import { dormandPrince, euler, type Integrator, rungeKutta4, tsitouras } from "../../src/ode/integrator.js";
import type { StageFailure } from "../../src/ode/types.js";
import { counted, decay } from "../helpers/ode-problems.js";

const controlled = [
  dormandPrince(),
  dormandPrince({ control: "integral", relativeTolerance: 1e-3 }),
  tsitouras({ control: "pid", relativeTolerance: 1e-10 }),
];
const fixed: Integrator[] = [euler({ step: 0.01 }), rungeKutta4({ step: 0.01 }), dormandPrince({ step: 0.01 })];

describe("y' = y^2 past its pole at 1", () => {
  it.each(controlled)("ends there with a reason and a finite state: $label", async (integrator) => {
    const run = integrate((_, [y]) => Float64Array.of(y * y), { until: 2, initial: [1], integrator });
    const { end, states, times } = await run;
    expect(["step-too-small", "non-finite"]).toContain(end.code);
    expect(end.message).toMatch(/the step fell to \d.*e-\d+ at t = /);
    expect(states.every(([y]) => Number.isFinite(y))).toBe(true);
    expect(end.state).toEqual(states.at(-1));
    expect(end.time).toBe(times.at(-1));
    // The pole of the computed solution lies where that of the true one does, to the tolerance; steps reach it to rounding.
    expect(Math.abs(end.time - 1)).toBeLessThan(10 * integrator.settings.relativeTolerance);
    expect(end.state[0]).toBeGreaterThan(1e10);
  });
  it.each(fixed)("runs a fixed step into overflow: $label", async (integrator) => {
    const { end, states } = await integrate((_, [y]) => Float64Array.of(y * y), { until: 2, initial: [1], integrator });
    expect(end.code).toBe("non-finite");
    expect(end.message).toMatch(
      /^a step of 0\.01 from t = 1\.\d+ failed: the (derivative|state) at t = 1\.\d+ is Infinity/,
    );
    expect(end.where).toEqual({ what: "step", parameter: 0 });
    expect(states.length).toBe(end.accepted + 1);
    expect(states.every(([y]) => Number.isFinite(y))).toBe(true);
  });
});

describe("a state that overflows under a finite right-hand side", () => {
  it.each([...controlled, euler({ step: 1 })])("is never accepted: $label", async (integrator) => {
    const rightHandSide = (_: number, [y]: Float64Array) => Float64Array.of(Number.isFinite(y) ? 1e306 : 0);
    const { end } = await integrate(rightHandSide, { until: 1e3, initial: [0], integrator });
    expect(end.code).toBe("non-finite");
    expect(end.message).toMatch(/the state at t = \S+ is Infinity in component 0/);
    expect(Number.isFinite(end.state[0])).toBe(true);
    expect(end.time).toBeLessThan(180);
    expect(end.time).toBeGreaterThan(170);
  });
});

describe("a derivative that is NaN from t = 1 on", () => {
  const rightHandSide = (t: number, [y]: Float64Array) => Float64Array.of(-y, t < 1 ? 1 : Number.NaN, 0);
  it.each(controlled)(
    "rejects steps until they are lost in rounding, and names the component: $label",
    async (integrator) => {
      const { end } = await integrate(rightHandSide, { until: 2, initial: [1, 0, 0], integrator });
      expect(end.code).toBe("non-finite");
      expect(end.message).toMatch(/without getting past: the derivative at t = 1\S* is NaN in component 1$/);
      expect(end.where).toEqual({ what: "step", parameter: 1 });
      expect(end.rejected).toBeGreaterThan(10);
      // The least step is 16 eps; a step of at most ten times that is refused once.
      expect(end.time).toBeLessThan(1);
      expect(1 - end.time).toBeLessThan(200 * Number.EPSILON);
      expect(Math.abs(end.state[0] - Math.exp(-1))).toBeLessThan(10 * integrator.settings.relativeTolerance);
    },
  );
  it.each(fixed)("ends a fixed step at once: $label", async (integrator) => {
    const { end } = await integrate(rightHandSide, { until: 2, initial: [1, 0, 0], integrator });
    expect(end.code).toBe("non-finite");
    expect(end.message).toMatch(
      /^a step of 0\.01 from t = 0\.9\S+ failed: the derivative at t = 1\S* is NaN in component 1$/,
    );
    expect(end.rejected).toBe(0);
    expect(end.accepted).toBe(99);
  });
});

describe("a failure that the right-hand side reports", () => {
  const failure: StageFailure = { failure: "lost", message: "no model here", where: { what: "gradient", layer: 2 } };

  it("at the start ends before anything else is tried", async () => {
    for (const answer of [failure, Promise.resolve(failure), Float64Array.of(Number.POSITIVE_INFINITY)]) {
      const rightHandSide = counted(() => answer);
      const { end, times, outputs } = await integrate(rightHandSide, { until: 1, initial: [5], outputs: [0, 1] });
      expect(end).toMatchObject({ time: 0, accepted: 0, rejected: 0, evaluations: 1 });
      expect(end.state).toEqual(Float64Array.of(5));
      expect(rightHandSide.calls).toBe(1);
      expect(times).toEqual([0]);
      expect(outputs).toEqual([{ time: 0, state: Float64Array.of(5) }]);
      if (answer instanceof Float64Array)
        expect(end.message).toBe("the derivative at t = 0 is Infinity in component 0");
      else expect(end).toMatchObject({ code: "lost", message: "no model here", where: failure.where });
    }
  });
  it("in a step that was too long is only a rejection", async () => {
    // Fails beyond the region that the solution stays in.
    const rightHandSide = (t: number, state: Float64Array) =>
      state[0] < 0 || state[0] > 1 ? failure : decay.rightHandSide(t, state);
    const integrator = dormandPrince({ firstStep: 10 });
    const { end } = await integrate(rightHandSide, { until: 3, initial: [1], integrator });
    expect(end.code).toBe("until");
    expect(end.rejected).toBeGreaterThan(0);
    expect(Math.abs(end.state[0] - Math.exp(-3))).toBeLessThan(1e-5);
  });
  it("that no step gets past is the code of the end", async () => {
    const rightHandSide = (t: number) => (t > 0.5 ? failure : Float64Array.of(1));
    const { end } = await integrate(rightHandSide, { until: 3, initial: [0] });
    expect(end).toMatchObject({ code: "lost", where: failure.where });
    expect(end.message).toMatch(/^the step fell to \S+ at t = \S+ without getting past: no model here$/);
    // Up to and including the last time at which it answers, to the least step of 16 eps.
    expect(end.time).toBeLessThanOrEqual(0.5);
    expect(0.5 - end.time).toBeLessThan(200 * Number.EPSILON);
  });
  it("at the start of the time axis is found in a few dozen trials", async () => {
    const rightHandSide = counted((t) => (t > 0 ? failure : Float64Array.of(1)));
    const { end } = await integrate(rightHandSide, { until: 1, initial: [0] });
    expect(end).toMatchObject({ code: "lost", time: 0, accepted: 0 });
    expect(rightHandSide.calls).toBeLessThan(60);
  });
  it.each([1, 2, 3, 5, 8, 9])("that is fatal ends everything at once, at call %d", async (call) => {
    for (const awaited of [false, true]) {
      const fatal = { ...failure, fatal: true };
      const rightHandSide = counted((t: number, y: Float64Array) => {
        const answer = rightHandSide.calls === call ? fatal : decay.rightHandSide(t, y);
        return awaited ? Promise.resolve(answer) : answer;
      }) as ReturnType<typeof counted>;
      const { end } = await integrate(rightHandSide, { until: 3, initial: [1] });
      expect(end).toMatchObject({ code: "lost", message: "no model here", where: failure.where, evaluations: call });
      expect(rightHandSide.calls).toBe(call);
      // One at the start, one to choose the first step, six a step.
      expect(end.accepted).toBe(call === 9 ? 1 : 0);
    }
  });
  it.each(fixed)("ends a fixed step with the last state: $label", async (integrator) => {
    const rightHandSide = (t: number) => (t > 0.455 ? failure : Float64Array.of(1));
    const { end } = await integrate(rightHandSide, { until: 1, initial: [0], integrator });
    expect(end).toMatchObject({ code: "lost", accepted: 45, rejected: 0, where: failure.where });
    expect(end.message).toMatch(/^a step of 0\.01 from t = 0\.45\d* failed: no model here$/);
    expect(Math.abs(end.state[0] - 0.45)).toBeLessThan(45 * Number.EPSILON);
  });
});

it("a fixed step below the rounding of time ends at once", async () => {
  const integrator = euler({ step: 1e-12 });
  const { end } = await integrate(() => Float64Array.of(1), { from: 1e6, until: 2e6, initial: [0], integrator });
  expect(end).toMatchObject({ code: "step-too-small", accepted: 0 });
  expect(end.message).toBe("a step of 1.00e-12 at t = 1000000 is less than rounding allows");
});

it("a largestStep below rounding is refused by name, and no step is longer than it", async () => {
  const still = () => Float64Array.of(0);
  const integrator = dormandPrince({ largestStep: 1e-30 });
  const { end } = await integrate(still, { until: 10, initial: [1], integrator });
  expect(end).toMatchObject({ code: "step-too-small", accepted: 0 });
  expect(end.message).toBe("a largestStep of 1.00e-30 at t = 0 is less than rounding allows");
});

it("an error that asks for ever smaller steps ends with step-too-small", async () => {
  // A jump of the derivative at every scale: no step is short enough.
  let sign = 1;
  const noise = () => {
    sign = -sign;
    return Float64Array.of(1e20 * sign);
  };
  const { end } = await integrate(noise, { from: 1, until: 2, initial: [0] });
  expect(end.code).toBe("step-too-small");
  expect(end.message).toMatch(/^the step fell to \S+ at t = \S+: the error asks for less than rounding allows$/);
});

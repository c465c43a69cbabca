// The loop: which steps are taken, what is delivered with them, and how they are left.
import { describe, expect, it } from "vitest";
import { integrateSteps } from "../../src/ode/drive.js";
import { integrate } from "../../src/ode/integrate.js";
import { dormandPrince, euler, rungeKutta4, tsitouras } from "../../src/ode/integrator.js";
import { stepFactor } from "../../src/ode/step-control.js";
import type { AcceptedStep, RightHandSide } from "../../src/ode/types.js";
import { counted, kepler, oscillator, vanDerPol } from "../helpers/ode-problems.js";
import { allSteps, problemOf, resumeAfter } from "../helpers/ode-run.js";

const constant = () => Float64Array.of(1);
describe("sizes of steps", () => {
  it("firstStep is the first one, and costs no look ahead", async () => {
    const rightHandSide = counted(oscillator.rightHandSide);
    const { steps } = await allSteps(
      problemOf({ ...oscillator, rightHandSide }, 1),
      dormandPrince({ firstStep: 1e-3 }),
    );
    expect(steps[0].stepSize).toBe(1e-3);
    // One at the start and six a step.
    expect(steps[0].evaluations).toBe(7);
  });
  it("largestStep bounds all of them, the first included", async () => {
    for (const options of [{}, { firstStep: 0.5 }]) {
      const { steps, end } = await allSteps(problemOf(oscillator, 1), dormandPrince({ largestStep: 0.01, ...options }));
      expect(end.code).toBe("until");
      expect(Math.max(...steps.map((step) => step.stepSize))).toBe(0.01);
      expect(steps[0].stepSize).toBeLessThanOrEqual(0.01);
    }
  });
  it("follow the rule from the last three errors, and do not grow right after a rejection", async () => {
    for (const control of ["integral", "pi", "pid"] as const) {
      const integrator = dormandPrince({ control, smallestFactor: 0.5, largestFactor: 3 });
      const { steps, end } = await allSteps(problemOf(vanDerPol, 40), integrator);
      expect(end.rejected).toBe(steps.reduce((sum, step) => sum + step.rejections, 0));
      expect(end.rejected).toBeGreaterThan(5);
      for (const [i, { memory, stepSize, rejections }] of steps.entries()) {
        const errors = [steps[i], steps[i - 1], steps[i - 2]].slice(0, i + 1).map((step) => step.error);
        const factor = stepFactor(errors, 4, integrator.settings);
        expect(memory).toMatchObject({ errors, nextStep: stepSize * (rejections > 0 ? Math.min(1, factor) : factor) });
      }
    }
  });
  it("are rejected where the norm of the error is not a number", async () => {
    const size = () => 1;
    const measure = (_: Float64Array, [before]: Float64Array, [after]: Float64Array) =>
      Math.abs(after - before) > 0.1 ? Number.NaN : 0.5;
    const norm = { measure, size, derivativeSize: size };
    const problem = { rightHandSide: constant, from: 0, until: 1, initial: Float64Array.of(0) };
    const { steps, end } = await allSteps(problem, dormandPrince(), { norm });
    expect(end.code).toBe("until");
    expect(end.rejected).toBeGreaterThan(0);
    for (const step of steps) expect(step.error).toBe(0.5);
  });
  it("are found anew where the rule of the starting step saw nothing", async () => {
    // At rest until t = 1: the step grows by the largest factor, and has to fall again.
    const rightHandSide = (t: number) => Float64Array.of(t < 1 ? 0 : Math.sin(20 * (t - 1)));
    const { end } = await allSteps({ rightHandSide, from: 0, until: 2, initial: Float64Array.of(0) }, dormandPrince());
    // The integral from 1 to 2, to a few tolerances of 1e-6.
    expect(Math.abs(end.state[0] - (1 - Math.cos(20)) / 20)).toBeLessThan(1e-5);
  });
});

describe("the end", () => {
  it.each([
    { from: 0, until: 0.1 + 0.2 },
    { from: -1 / 3, until: 1e-9 },
    { from: 1e6, until: 1e6 + 1 / 7 },
  ])("is met exactly, from $from to $until", async ({ from, until }) => {
    for (const integrator of [dormandPrince(), tsitouras(), rungeKutta4({ step: 0.013 }), euler({ step: 0.01 })]) {
      const initial = Float64Array.of(1, 0);
      const { end, times, states } = await integrate(oscillator.rightHandSide, { from, until, initial, integrator });
      expect(end).toMatchObject({ code: "until", time: until, message: `t = ${until} is reached` });
      expect([times[0], times.at(-1)]).toEqual([from, until]);
      expect(states.at(-1)).toEqual(end.state);
    }
  });
  it("is met exactly by a single step whose size is rounded", async () => {
    const integrator = euler({ step: 2 });
    for (let k = 1; k < 100; k++) {
      const { end } = await integrate(constant, { from: -1 / k, until: 1e-9, initial: [0], integrator });
      expect([end.time, end.accepted]).toEqual([1e-9, 1]);
    }
  });
  it("a fixed step divides the span where it can, whatever rounding has added up to", async () => {
    for (const step of [0.1, 1e-2, 1e-4, 1e-5]) {
      const { end } = await integrate(constant, { until: 1, initial: [0], integrator: euler({ step, steps: 1e6 }) });
      expect(end.accepted).toBe(Math.round(1 / step));
    }
  });
  it("and else takes a shorter last one", async () => {
    const { times } = await integrate(constant, { until: 1, initial: [0], integrator: euler({ step: 0.3 }) });
    expect(times.map((time) => Math.round(time * 10))).toEqual([0, 3, 6, 9, 10]);
  });
  it("comes after the most steps: trials count, accepted or not, before a checkpoint or after", async () => {
    const integrator = dormandPrince({ steps: 50 });
    const { steps, end } = await allSteps(problemOf(vanDerPol, 40), integrator);
    expect(end.code).toBe("steps");
    expect(end.message).toBe(`50 steps were tried and t = ${end.time} of 40 is reached`);
    expect(end.accepted + end.rejected).toBe(50);
    expect(end.rejected).toBeGreaterThan(0);
    const resumed = await resumeAfter(steps.slice(0, 10), problemOf(vanDerPol, 40), integrator);
    expect(resumed.end).toEqual(end);
  });
});

describe.each([
  { name: "Dormand-Prince", integrator: dormandPrince() },
  { name: "Tsitouras", integrator: tsitouras() },
  { name: "Runge-Kutta 4", integrator: rungeKutta4({ step: 0.1 }) },
  { name: "Euler", integrator: euler({ step: 0.1 }) },
])("$name", ({ integrator }) => {
  const times = [0, 0.05, 0.1, 1, 1.0000001, 3.7, 5];
  it("delivers every output once: the interpolant's value, and the states themselves at both ends", async () => {
    const { initial, rightHandSide } = oscillator;
    const { outputs, states, end } = await integrate(rightHandSide, { until: 5, initial, integrator, outputs: times });
    expect(outputs.map((output) => output.time)).toEqual(times);
    expect(outputs[0].state).toEqual(Float64Array.from(initial));
    expect(outputs[6].state).toEqual(end.state);
    const { steps } = await allSteps(problemOf(oscillator, 5), integrator, { outputs: times });
    expect(steps.map((step) => step.state)).toEqual(states.slice(1));
    for (const step of steps)
      for (const { time, state } of step.outputs) {
        expect(time > step.from && time <= step.time).toBe(true);
        expect(state).toEqual(step.interpolate(time));
      }
    expect(steps.flatMap((step) => step.outputs)).toEqual(outputs.slice(1));
  });
  it("takes the same steps without outputs, and its states and samples are nobody else's arrays", async () => {
    const { initial, rightHandSide } = oscillator;
    const plain = await integrate(rightHandSide, { until: 5, initial, integrator });
    const { states, outputs } = await integrate(rightHandSide, { until: 5, initial, integrator, outputs: times });
    expect(states).toEqual(plain.states);
    expect(new Set([...states, ...outputs.map((output) => output.state)].map((one) => one.buffer)).size).toBe(
      states.length + outputs.length,
    );
  });
  it("interpolates to both ends and refuses what lies outside the step", async () => {
    const { steps } = await allSteps(problemOf(oscillator, 5), integrator);
    const step = steps[3];
    expect(step.interpolate(step.time)).toEqual(step.state);
    expect(step.interpolate(step.from)).toEqual(steps[2].state);
    for (const time of [step.from - 1e-3, step.time + 1e-3, Number.NaN])
      expect(() => step.interpolate(time)).toThrow(
        `time must be within the step, from ${step.from} to ${step.time}; received ${time}`,
      );
  });
  it("counts its right-hand sides", async () => {
    const rightHandSide = counted(oscillator.rightHandSide);
    const { steps, end } = await allSteps(problemOf({ ...oscillator, rightHandSide }, 5), integrator);
    expect(end.evaluations).toBe(rightHandSide.calls);
    expect(steps.at(-1)?.evaluations).toBe(rightHandSide.calls);
    for (const { derivative, time, state } of steps) expect(derivative).toEqual(oscillator.rightHandSide(time, state));
  });
});

it("a start that its owner changes later is still the start", async () => {
  const initial = Float64Array.of(1, 0);
  const steps = integrateSteps({ ...oscillator, from: 0, until: 1, initial }, dormandPrince());
  const first = await steps.next();
  initial.fill(7);
  expect((first.value as AcceptedStep).interpolate(0)).toEqual(Float64Array.of(1, 0));
});

describe("leaving", () => {
  it("a loop that breaks ends the integration: no right-hand side is called any more", async () => {
    const rightHandSide = counted(oscillator.rightHandSide);
    const steps = integrateSteps(problemOf({ ...oscillator, rightHandSide }, 1e9), dormandPrince());
    let calls = 0;
    for await (const step of steps) {
      calls = rightHandSide.calls;
      if (step.index === 3) break;
    }
    expect(rightHandSide.calls).toBe(calls);
    expect(await steps.next()).toEqual({ done: true, value: undefined });
    await new Promise((resolve) => setImmediate(resolve));
    expect(rightHandSide.calls).toBe(calls);
  });
  it("an exception in the loop's body or in the right-hand side comes out as it is", async () => {
    const mine = new RangeError("mine");
    const body = async () => {
      for await (const _ of integrateSteps(problemOf(oscillator, 1), dormandPrince())) throw mine;
    };
    await expect(body()).rejects.toBe(mine);
    const rightHandSide = (t: number) => {
      if (t > 0.5) throw mine;
      return Float64Array.of(1);
    };
    await expect(integrate(rightHandSide, { until: 1, initial: [0] })).rejects.toBe(mine);
  });

  const endless = { until: 1e9, initial: [1, 0], integrator: dormandPrince({ steps: 1e9 }) };
  it("a signal that is aborted already rejects with its reason before anything is computed", async () => {
    const rightHandSide = counted(oscillator.rightHandSide);
    const reason = new Error("no longer wanted");
    const run = integrate(rightHandSide, { ...endless, signal: AbortSignal.abort(reason) });
    await expect(run).rejects.toBe(reason);
    expect(rightHandSide.calls).toBe(0);
  });
  it("a timer aborts a right-hand side that never waits, and at most one step is computed after that", async () => {
    const rightHandSide = counted(oscillator.rightHandSide);
    const controller = new AbortController();
    const reason = { custom: true };
    let calls = 0;
    setTimeout(() => {
      calls = rightHandSide.calls;
      controller.abort(reason);
    }, 30);
    await expect(integrate(rightHandSide, { ...endless, signal: controller.signal })).rejects.toBe(reason);
    expect(calls).toBeGreaterThan(0);
    expect(rightHandSide.calls - calls).toBeLessThanOrEqual(6);
  });
  it("so does an abort from within the right-hand side, at once or awaited", async () => {
    for (const awaited of [false, true]) {
      const controller = new AbortController();
      const rightHandSide = counted((time, state) => {
        if (rightHandSide.calls === 1000) controller.abort();
        const derivative = oscillator.rightHandSide(time, state);
        return awaited ? Promise.resolve(derivative) : derivative;
      }) as RightHandSide & { calls: number };
      const run = integrate(rightHandSide, { ...endless, signal: controller.signal });
      await expect(run).rejects.toSatisfy((error) => error === controller.signal.reason);
      expect(rightHandSide.calls).toBeLessThanOrEqual(1006);
    }
  });
});

it("the same steps follow from a right-hand side that answers at once and one that is awaited", async () => {
  const run = (rightHandSide: RightHandSide) => allSteps({ ...problemOf(kepler, 10), rightHandSide }, dormandPrince());
  const atOnce = await run(kepler.rightHandSide);
  const awaited = await run(async (time, state) => kepler.rightHandSide(time, state));
  expect(awaited.end).toEqual(atOnce.end);
});

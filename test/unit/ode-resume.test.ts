// Going on from a step: after a checkpoint, and with a right-hand side that is brought up to date between steps.
import { describe, expect, it } from "vitest";
import { dormandPrince, euler, rungeKutta4, tsitouras } from "../../src/ode/integrator.js";
import type { AcceptedStep } from "../../src/ode/types.js";
import { vanDerPol } from "../helpers/ode-problems.js";
import { allSteps, problemOf, resumeAfter } from "../helpers/ode-run.js";

/** A step without its function, which no two steps share. */
const plain = ({ interpolate: _, ...rest }: AcceptedStep) => rest;

describe("a run that is resumed from a step", () => {
  it.each([
    dormandPrince({ control: "integral" }),
    dormandPrince(),
    tsitouras({ control: "pid" }),
    rungeKutta4({ step: 0.03 }),
  ])("goes on bit for bit: $label", async (integrator) => {
    const problem = problemOf(vanDerPol, 40);
    const events = [{ name: "zero", value: (_: number, [x]: Float64Array) => x }];
    const outputs = [0, 1, 2.5, 11, 39.9, 40];
    const { steps, end } = await allSteps(problem, integrator, { events, outputs });
    expect(steps.flatMap((step) => step.events).length).toBeGreaterThan(1);
    for (const index of [0, 1, 7, Math.floor(steps.length / 2), steps.length - 2]) {
      const seen = steps.slice(0, index + 1);
      const resumed = await resumeAfter(seen, problem, integrator, { events, outputs });
      expect(resumed.steps.map(plain)).toEqual(steps.slice(index + 1).map(plain));
      // What was said before the step is the caller's to keep, as FlowRun does.
      expect({ ...resumed.end, stiffness: null }).toEqual({ ...end, stiffness: null });
    }
  });
});

it("a run that is resumed on its way into stiffness tells at the same step, and not twice", async () => {
  const integrator = dormandPrince({ absoluteTolerance: 1e-6 });
  const rightHandSide = (t: number, [y]: Float64Array) => Float64Array.of(-1000 * (y - Math.cos(t)));
  const problem = { rightHandSide, from: 0, until: 2, initial: Float64Array.of(1) };
  const { steps } = await allSteps(problem, integrator);
  const told = steps.findIndex((step) => step.stiffness !== null);
  expect(told).toBeGreaterThan(14);
  for (const index of [told - 3, told, told + 1]) {
    const resumed = await resumeAfter(steps.slice(0, index + 1), problem, integrator);
    expect(resumed.steps.map(plain)).toEqual(steps.slice(index + 1).map(plain));
  }
});

describe("a right-hand side that holds something through a step", () => {
  /** y' = held, which becomes y at every refresh. */
  function holding(refreshed: (state: Float64Array) => Float64Array | null = (state) => state.slice()) {
    const asked: number[] = [];
    let held = Float64Array.of(1);
    const rightHandSide = () => held.slice();
    const refresh = (time: number, state: Float64Array) => {
      asked.push(time);
      const fresh = refreshed(state);
      if (fresh !== null) held = fresh.slice();
      return fresh;
    };
    return { asked, problem: { rightHandSide, refresh, from: 0, until: 1, initial: Float64Array.of(1) } };
  }

  it("is asked after every step but the last, at its end, and starts the next step with the answer", async () => {
    const { asked, problem } = holding();
    const { steps, end } = await allSteps(problem, euler({ step: 0.25 }));
    expect(asked).toEqual([0.25, 0.5, 0.75]);
    // Euler's method for y' = y, although the right-hand side of every single step is constant.
    expect(end.state[0]).toBe(1.25 ** 4);
    // One at the start, one at the end of each step, and the three refreshed.
    expect(end.evaluations).toBe(1 + 4 + 3);
    expect(steps.map((step) => step.evaluations)).toEqual([2, 4, 6, 8]);
  });
  it("that has nothing to refresh costs nothing", async () => {
    const { problem } = holding(() => null);
    const { end } = await allSteps(problem, euler({ step: 0.25 }));
    expect([end.state[0], end.evaluations]).toEqual([2, 5]);
  });
  it("that fails to refresh ends the run with its failure at the last step", async () => {
    const { problem } = holding();
    const refresh = async (time: number) =>
      time < 0.5
        ? null
        : { failure: "lost", message: `lost at ${time}`, where: { what: "step" as const, parameter: 0 } };
    const { end } = await allSteps({ ...problem, refresh }, euler({ step: 0.25 }));
    expect(end).toMatchObject({ code: "lost", message: "lost at 0.5", time: 0.5, accepted: 2, evaluations: 4 });
    expect(end.where).toEqual({ what: "step", parameter: 0 });
  });
  it("is refreshed first of all when a run is resumed", async () => {
    const { problem } = holding();
    const integrator = dormandPrince({ firstStep: 0.1, largestStep: 0.2 });
    const { steps, end } = await allSteps(problem, integrator);
    const index = 2;
    const again = holding().problem;
    const resumed = await resumeAfter(steps.slice(0, index + 1), again, integrator);
    expect(resumed.steps.map(plain)).toEqual(steps.slice(index + 1).map(plain));
    expect(resumed.end).toEqual(end);
  });
});

// The order at which errors fall with a fixed step, at the grid points and between them.
//
// An interpolant that meets the order conditions up to q for every theta adds a local error O(h^(q+1)) to the O(h^p) of the points
// it stands on, and nothing carries it on: the uniform error is of order min(p, q+1). q = 4 for the free interpolants of
// Dormand-Prince and Tsitouras (5), q = 3 for the cubic of Runge-Kutta 4 (4); Euler's slopes are wrong by O(h) (1).
import { describe, expect, it } from "vitest";
import { integrateSteps } from "../../src/ode/drive.js";
import { dormandPrince, euler, type Integrator, rungeKutta4, tsitouras } from "../../src/ode/integrator.js";
import { gap, type OdeCase, rigidBody, slope, unevenBody } from "../helpers/ode-problems.js";

type Make = (options: { step: number }) => Integrator;

/** Largest errors at the ends of the steps and between them, from exact values on in `count` steps. */
async function errors(ode: OdeCase, make: Make, from: number, until: number, count: number) {
  const initial = Float64Array.from(ode.exact(from));
  const problem = { rightHandSide: ode.rightHandSide, from, until, initial };
  let [ends, between] = [0, 0];
  for await (const step of integrateSteps(problem, make({ step: (until - from) / count }))) {
    ends = Math.max(ends, gap(step.state, ode.exact(step.time)));
    for (let k = 1; k < 20; k++) {
      const time = step.from + (k / 20) * (step.time - step.from);
      between = Math.max(between, gap(step.interpolate(time), ode.exact(time)));
    }
  }
  return { ends, between };
}

describe.each([
  { name: "Euler", make: euler, order: 1, local: 2, until: 2, counts: [1000, 1400, 2000, 2800, 4000] },
  { name: "Runge-Kutta 4", make: rungeKutta4, order: 4, local: 4, until: 10, counts: [100, 140, 200, 280, 400] },
  { name: "Dormand-Prince", make: dormandPrince, order: 5, local: 5, until: 10, counts: [100, 140, 200, 280, 400] },
  { name: "Tsitouras", make: tsitouras, order: 5, local: 5, until: 10, counts: [100, 140, 200, 280, 400] },
])("$name", ({ make, order, local, until, counts }) => {
  it(`order ${order} at the grid points and uniformly between them`, async () => {
    const seen: Awaited<ReturnType<typeof errors>>[] = [];
    for (const count of counts) seen.push(await errors(rigidBody, make, 0, until, count));
    const logs = counts.map((count) => -Math.log(count));
    const observed = (where: "ends" | "between") =>
      slope(
        logs,
        seen.map((one) => Math.log(one[where])),
      );
    // A state of size 1 is rounded once a step, in either direction: sqrt(count) eps, and 1000 times that is well above.
    const last = seen[seen.length - 1].ends;
    expect(last).toBeGreaterThan(1000 * Math.sqrt(counts[counts.length - 1]) * Number.EPSILON);
    expect(Math.abs(observed("ends") - order)).toBeLessThan(0.15);
    expect(Math.abs(observed("between") - order)).toBeLessThan(0.15);
  });

  it(`within one step from exact values the interpolant is wrong by h^${local}`, async () => {
    const sizes = [0.1, 0.07, 0.05, 0.035, 0.025];
    const seen = sizes.map(() => 0);
    // Over a hundred starts, as the leading term may vanish at one of them.
    for (const [i, h] of sizes.entries())
      for (let from = 0; from < 10; from += 0.1)
        seen[i] = Math.max(seen[i], (await errors(unevenBody, make, from, from + h, 1)).between);
    const observed = slope(sizes.map(Math.log), seen.map(Math.log));
    expect(Math.abs(observed - local)).toBeLessThan(0.15);
  });

  it(`integrates a polynomial of degree ${order - 1} in t exactly: every stage is given its time`, async () => {
    const rightHandSide = (t: number) => Float64Array.of(order * t ** (order - 1));
    const problem = { rightHandSide, from: 1, until: 3, initial: Float64Array.of(1) };
    for await (const { state, time, stepSize } of integrateSteps(problem, make({ step: 0.5 }))) {
      // Up to 6 terms a step of at most h f with weights to 16 digits (the largest is 3.3), four steps, and t^order itself.
      const size = time ** order + 6 * 3.3 * stepSize * order * time ** (order - 1);
      expect(Math.abs(state[0] - time ** order)).toBeLessThan(4 * size * Number.EPSILON);
    }
  });
});

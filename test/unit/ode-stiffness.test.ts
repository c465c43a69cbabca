// What is said of stiff problems, and that nothing is said of the others.
import { describe, expect, it } from "vitest";
import { integrateSteps } from "../../src/ode/drive.js";
import { integrate } from "../../src/ode/integrate.js";
import { dormandPrince, rungeKutta4, tsitouras } from "../../src/ode/integrator.js";
import { Stiffness } from "../../src/ode/stiffness.js";
import { arenstorf, kepler, lotkaVolterra, oscillator, rigidBody } from "../helpers/ode-problems.js";

const attracted = {
  name: "y' = -1000 (y - cos t)",
  rightHandSide: (t: number, [y]: Float64Array) => Float64Array.of(-1000 * (y - Math.cos(t))),
  initial: [1],
  until: 2,
};
const vanDerPol = {
  name: "van der Pol, mu = 1000",
  rightHandSide: (_: number, [x, v]: Float64Array) => Float64Array.of(v, 1000 * (1 - x * x) * v - x),
  initial: [2, 0],
  until: 1,
};

describe.each([dormandPrince, tsitouras])("%o", (make) => {
  it.each([attracted, vanDerPol])(
    "says so, once and with numbers: $name",
    async ({ rightHandSide, initial, until }) => {
      for (const tolerance of [1e-3, 1e-6]) {
        const said: string[] = [];
        const integrator = make({ relativeTolerance: tolerance, absoluteTolerance: tolerance });
        const problem = { rightHandSide, from: 0, until, initial: Float64Array.from(initial) };
        for await (const step of integrateSteps(problem, integrator))
          if (step.stiffness !== null) said.push(step.stiffness);
        expect(said.length).toBe(1);
        expect(said[0]).toMatch(/^the problem looks stiff from t = [\d.e-]+ on: .* in 15 steps, now \d\.\d\d$/);
        // h times the eigenvalue, where the stability regions of both pairs end: 3.3 and 3.5, and a step now and then beyond.
        const now = Number(/now (\S+)$/.exec(said[0])?.[1]);
        expect(now).toBeGreaterThanOrEqual(2.5);
        expect(now).toBeLessThan(6);
        const { end } = await integrate(rightHandSide, { until, initial, integrator });
        expect(end.code).toBe("until");
        expect(end.stiffness).toBe(said[0]);
      }
    },
  );

  it.each(["integral", "pi", "pid"] as const)(
    "says so where %s control settles inside the stability region",
    async (control) => {
      const rightHandSide = (t: number, [y]: Float64Array) => Float64Array.of(-2000 * (y - Math.cos(t)));
      const { end } = await integrate(rightHandSide, { until: 10, initial: [0], integrator: make({ control }) });
      expect(end.accepted).toBeGreaterThan(5000);
      expect(end.stiffness).toMatch(/the problem looks stiff from t = 0\.\d+ on/);
    },
  );

  it.each([
    { name: "Kepler", ...kepler },
    { name: "Lotka-Volterra", ...lotkaVolterra },
    { name: "rigid body", ...rigidBody },
    { name: "oscillator", ...oscillator },
    { name: "Arenstorf", ...arenstorf },
  ])("is silent on what is not stiff: $name", async ({ rightHandSide, initial }) => {
    for (const tolerance of [1e-2, 1e-4, 1e-6, 1e-8, 1e-10]) {
      const integrator = make({ relativeTolerance: tolerance, absoluteTolerance: tolerance });
      const { end } = await integrate(rightHandSide, { until: 17, initial, integrator });
      expect(end.stiffness).toBeNull();
    }
  });
});

it("nothing is said of fixed steps, whose size nobody chose for the error", async () => {
  const { rightHandSide, initial } = attracted;
  for (const integrator of [rungeKutta4({ step: 0.0027 }), dormandPrince({ step: 0.0033 })]) {
    const { end } = await integrate(rightHandSide, { until: 0.5, initial, integrator });
    expect(end.accepted).toBeGreaterThan(100);
    expect(end.stiffness).toBeNull();
  }
});

describe("the count", () => {
  const looks = (stiffness: Stiffness, ratios: readonly number[]) =>
    ratios.map((ratio, i) => stiffness.look(ratio, i)).flatMap((said, i) => (said === null ? [] : [i]));
  const times = (count: number, ratio: number) => new Array<number>(count).fill(ratio);

  it("tells at the fifteenth step beyond 2.5, not at 2.5", () => {
    expect(looks(new Stiffness(), times(100, 2.51))).toEqual([14]);
    expect(looks(new Stiffness(), times(100, 2.5))).toEqual([]);
  });
  it("five calm steps between do not matter, six begin anew", () => {
    expect(looks(new Stiffness(), [...times(14, 4), ...times(5, 1), ...times(1, 4)])).toEqual([19]);
    expect(looks(new Stiffness(), [...times(14, 4), ...times(6, 1), ...times(14, 4)])).toEqual([]);
    expect(looks(new Stiffness(), [...times(14, 4), ...times(6, 1), ...times(15, 4)])).toEqual([34]);
    // Calm steps add up only while no stiff one comes between.
    expect(looks(new Stiffness(), [...times(13, 4), ...times(5, 1), 4, ...times(5, 1), 4])).toEqual([24]);
  });
  it("steps without an estimate change nothing", () => {
    const stiffness = new Stiffness();
    looks(stiffness, times(14, 4));
    for (let k = 0; k < 10; k++) expect(stiffness.look(null, 20)).toBeNull();
    expect(stiffness.look(4, 21)).toMatch(/from t = 21\.00 on/);
  });
  it("goes on from a checkpoint: tells at the same step, and not again after one that was past it", () => {
    expect(looks(new Stiffness({ stiffCount: 10, calmCount: 3 }), times(100, 4))).toEqual([4]);
    expect(looks(new Stiffness({ stiffCount: 10, calmCount: 5 }), [1, ...times(100, 4)])).toEqual([15]);
    expect(looks(new Stiffness({ stiffCount: 15, calmCount: 0 }), times(100, 4))).toEqual([]);
    expect(looks(new Stiffness({ stiffCount: 20, calmCount: 0 }), [1, 4, 4])).toEqual([]);
  });
});

// Dormand-Prince against SciPy at five tolerances on four problems: solve_ivp's RK45 (integral step control) and Hairer's DOPRI5
// (proportional-integral, our default). ode-scipy.json holds SciPy's figures and names the command that made it.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { integrateSteps } from "../../src/ode/drive.js";
import { integrate } from "../../src/ode/integrate.js";
import { dormandPrince, tsitouras } from "../../src/ode/integrator.js";
import type { OdeEnd } from "../../src/ode/types.js";
import { arenstorf, counted, gap, kepler, lotkaVolterra, rigidBody, slope } from "../helpers/ode-problems.js";

interface Run {
  readonly tolerance: number;
  readonly error: number;
  readonly evaluations: number;
}
interface Golden {
  readonly initial: readonly number[];
  readonly until: number;
  readonly reference: readonly number[];
  readonly rk45: readonly Run[];
  readonly dopri5: readonly Run[];
}

const file = readFileSync(new URL("./ode-scipy.json", import.meta.url), "utf8");
const golden = (JSON.parse(file) as { problems: Record<string, Golden> }).problems;
const rightHandSides = {
  arenstorf: arenstorf.rightHandSide,
  kepler: kepler.rightHandSide,
  rigidBody: rigidBody.rightHandSide,
  lotkaVolterra: lotkaVolterra.rightHandSide,
};
type Name = keyof typeof rightHandSides;
const names = Object.keys(rightHandSides) as Name[];

/** relative = absolute tolerance, as in SciPy's runs. */
const both = (tolerance: number) => ({ relativeTolerance: tolerance, absoluteTolerance: tolerance });

async function ours(name: Name, control: "integral" | "pi"): Promise<readonly Run[]> {
  const { initial, until, reference, rk45 } = golden[name];
  const runs = [];
  for (const { tolerance } of rk45) {
    const rightHandSide = counted(rightHandSides[name]);
    const integrator = dormandPrince({ ...both(tolerance), control });
    const { end } = await integrate(rightHandSide, { until, initial, integrator });
    expect(end.code).toBe("until");
    expect(end.evaluations).toBe(rightHandSide.calls);
    runs.push({ tolerance, error: gap(end.state, reference), evaluations: end.evaluations });
  }
  return runs;
}

const order = (runs: readonly Run[]) =>
  slope(
    runs.map((run) => Math.log(run.tolerance)),
    runs.map((run) => Math.log(run.error)),
  );

/** A last digit of the state is worth 1e-11 at the end of Arenstorf's orbit, 1e-5 of the smallest error there. */
function sameRuns(runs: readonly Run[], expected: readonly Run[]) {
  expect(runs.map((run) => run.evaluations)).toEqual(expected.map((run) => run.evaluations));
  for (const [i, { error }] of runs.entries()) expect(Math.abs(error / expected[i].error - 1)).toBeLessThan(1e-3);
}

const withinFactorTwo = (ratio: number) => {
  expect(ratio).toBeGreaterThan(1 / 2);
  expect(ratio).toBeLessThan(2);
};

describe("the references", () => {
  const end = (name: Name, exact: readonly number[]) => gap(golden[name].reference, exact);
  it("are Kepler's and Jacobi's closed forms", () => {
    // The phase of t = 20 is rounded to 20 eps, and the start to eps; speeds are below 2.
    expect(end("kepler", kepler.exact(golden.kepler.until))).toBeLessThan(100 * 20 * Number.EPSILON);
    expect(end("rigidBody", rigidBody.exact(golden.rigidBody.until))).toBeLessThan(20 * 20 * Number.EPSILON);
  });
  it("bring Arenstorf's orbit back to where it started", () => {
    // Rounding of the start, eps/2, grows along this orbit by 1e5 or so.
    expect(end("arenstorf", arenstorf.initial)).toBeLessThan(1e5 * 2 * Number.EPSILON);
  });
  it("keep Lotka and Volterra's invariant and are what another method finds at 1e-13", async () => {
    const { reference, initial, until } = golden.lotkaVolterra;
    const { invariant, rightHandSide } = lotkaVolterra;
    // Terms up to 14, and log y = -2.6 of a y rounded to eps.
    expect(Math.abs(invariant(reference) - invariant(initial))).toBeLessThan(100 * Number.EPSILON);
    const { end } = await integrate(rightHandSide, { until, initial, integrator: tsitouras(both(1e-13)) });
    // The error is about 15 times the tolerance on this span.
    expect(gap(end.state, reference)).toBeLessThan(100 * 1e-13);
  });
});

describe.each(names)("%s", (name) => {
  it("with integral control takes the steps of RK45 and makes its error, which is proportional to the tolerance", async () => {
    const runs = await ours(name, "integral");
    sameRuns(runs, golden[name].rk45);
    expect(order(runs)).toBeGreaterThan(0.8);
    expect(order(runs)).toBeLessThan(1.2);
  });

  it("with pi control, from its starting state, takes the steps of DOPRI5 and makes its error", async () => {
    const { initial, until, reference, dopri5 } = golden[name];
    const runs = [];
    for (const { tolerance } of dopri5) {
      const problem = { rightHandSide: rightHandSides[name], from: 0, until, initial: Float64Array.from(initial) };
      // DOPRI5 takes the error before the first step for 1e-4; we have none.
      const memory = { nextStep: 1e-4, errors: [1e-4], stiffCount: 0, calmCount: 0 };
      const resume = { memory, index: 0, evaluations: 0, rejected: 0 };
      const { state, evaluations } = await lastOf(integrateSteps(problem, dormandPrince(both(tolerance)), { resume }));
      runs.push({ tolerance, error: gap(state, reference), evaluations });
    }
    sameRuns(runs, dopri5);
  });

  it("with the default control needs the right-hand sides of RK45 within a factor of 2", async () => {
    const runs = await ours(name, "pi");
    for (const [i, { evaluations }] of runs.entries()) withinFactorTwo(evaluations / golden[name].rk45[i].evaluations);
    // Below 1e-8 the errors of a whole orbit no longer cancel by chance: see the next test.
    for (const [i, { error }] of runs.entries()) if (i > 2) withinFactorTwo(error / golden[name].rk45[i].error);
  });

  it("with the default control the steps' errors, carried to the end and added without their signs, are those of RK45", async () => {
    // The error at the end is a signed sum. Errors made before and after a close passage cancel down to a few percent at the looser
    // tolerances, and by how much is up to the last details of control; what each step adds is not.
    const tolerances = [1e-6, 1e-7, 1e-8];
    const pi = [];
    for (const tolerance of tolerances) {
      const error = await uncanceled(name, "pi", tolerance);
      withinFactorTwo(error / (await uncanceled(name, "integral", tolerance)));
      pi.push({ tolerance, error, evaluations: 0 });
    }
    expect(order(pi)).toBeGreaterThan(0.8);
    expect(order(pi)).toBeLessThan(1.2);
  });
});

async function lastOf(steps: AsyncGenerator<unknown, OdeEnd>): Promise<OdeEnd> {
  for (;;) {
    const next = await steps.next();
    if (next.done) return next.value;
  }
}

/** Sum over the steps of how far each moves the end that an integration at 1e-4 of the tolerance reaches from there. */
async function uncanceled(name: Name, control: "integral" | "pi", tolerance: number): Promise<number> {
  const { initial, until } = golden[name];
  const rightHandSide = rightHandSides[name];
  const problem = { rightHandSide, from: 0, until, initial: Float64Array.from(initial) };
  const integrator = dormandPrince(both(1e-4 * tolerance));
  const endFrom = async (from: number, state: Float64Array) =>
    from >= until ? state : (await integrate(rightHandSide, { from, until, initial: state, integrator })).end.state;
  let before = await endFrom(0, problem.initial);
  let total = 0;
  for await (const { time, state } of integrateSteps(problem, dormandPrince({ ...both(tolerance), control }))) {
    const after = await endFrom(time, state);
    total += gap(before, after);
    before = after;
  }
  return total;
}

// Bad input is an error that names the argument, the rule and the value.
import { describe, expect, it } from "vitest";
import { GaussflowError } from "../../src/errors.js";
import { type IntegrateOdeOptions, integrate } from "../../src/ode/integrate.js";
import { type AdaptiveOptions, dormandPrince, euler, rungeKutta4, tsitouras } from "../../src/ode/integrator.js";
import type { RightHandSide } from "../../src/ode/types.js";

const nan = Number.NaN;
const infinite = Number.POSITIVE_INFINITY;
const moving: RightHandSide = () => Float64Array.of(1, 2);

function expectArgument(error: unknown, message: string) {
  expect(error).toBeInstanceOf(GaussflowError);
  expect((error as GaussflowError).code).toBe("GAUSSFLOW_ARGUMENT");
  expect((error as GaussflowError).message).toBe(message);
}

async function refuses(options: Record<string, unknown>, message: string, rightHandSide: unknown = moving) {
  const good: IntegrateOdeOptions = { until: 1, initial: [0, 0] };
  const run = integrate(rightHandSide as RightHandSide, { ...good, ...options });
  expectArgument(
    await run.then(
      () => null,
      (error: unknown) => error,
    ),
    message,
  );
}

describe("integrate refuses", () => {
  it("times that are no span", async () => {
    await refuses({ from: nan }, "options.from must be a finite number; received NaN");
    await refuses({ from: "0" }, 'options.from must be a finite number; received "0"');
    for (const until of [0, -1, nan, infinite, undefined])
      await refuses({ until }, `options.until must be a finite time after options.from = 0; received ${until}`);
    await refuses({ from: 2, until: 2 }, "options.until must be a finite time after options.from = 2; received 2");
  });
  it("a start that is no array of finite numbers", async () => {
    await refuses({ initial: [1, nan] }, "options.initial[1] must be a finite number; received NaN");
    await refuses({ initial: [infinite, 0] }, "options.initial[0] must be a finite number; received Infinity");
    await refuses({ initial: ["x"] }, 'options.initial[0] must be a finite number; received "x"');
    const rule = "options.initial must be an array of at least one number; received";
    await refuses({ initial: [] }, `${rule} an array of length 0`);
    await refuses({ initial: undefined }, `${rule} undefined`);
    await refuses({ initial: null }, `${rule} null`);
    await refuses({ initial: "12" }, `${rule} "12"`);
    await refuses({ initial: 3 }, `${rule} 3`);
  });
  it("outputs that do not increase, or lie outside", async () => {
    await refuses({ outputs: [0.5, 1.1] }, "options.outputs[1] must be a time from 0 to 1; received 1.1");
    await refuses({ outputs: [-0.1] }, "options.outputs[0] must be a time from 0 to 1; received -0.1");
    await refuses({ outputs: [nan] }, "options.outputs[0] must be a time from 0 to 1; received NaN");
    await refuses(
      { outputs: [0.3, 0.2] },
      "options.outputs[1] must be later than the one before it, 0.3; received 0.2",
    );
    await refuses(
      { outputs: [0.3, 0.3] },
      "options.outputs[1] must be later than the one before it, 0.3; received 0.3",
    );
    await refuses({ outputs: 0.3 }, "options.outputs must be an array of times; received 0.3");
  });
  it("a right-hand side that is none", async () => {
    await refuses({}, "rightHandSide must be a function; received 3", 3);
    await refuses({}, "rightHandSide must be a function; received null", null);
    const rule = "rightHandSide must return an array of 2 numbers or a failure; received";
    await refuses({}, `${rule} undefined`, () => undefined);
    await refuses({}, `${rule} null`, async () => null);
    await refuses({}, `${rule} 1`, () => 1);
    await refuses({}, `${rule} an object with keys {failure}`, () => ({ failure: "x" }));
  });
  it("a derivative of another length, at the first call or later", async () => {
    const message = "rightHandSide must return 2 numbers; received Float64Array of length 3";
    await refuses({}, message, () => new Float64Array(3));
    await refuses({}, message, async (t: number) => new Float64Array(t > 0.5 ? 3 : 2));
    await refuses({}, message.replace(/F.*/, "an array of length 3"), () => [1, 2, 3]);
  });
  it("an integrator, signal or events of another make", async () => {
    const made = "must be made by euler(), rungeKutta4(), dormandPrince() or tsitouras(); received";
    await refuses({ integrator: "rk4" }, `options.integrator ${made} "rk4"`);
    await refuses({ integrator: null }, `options.integrator ${made} null`);
    const forged = { name: "x", label: "x", tableau: { nodes: [] }, settings: {} };
    await refuses(
      { integrator: forged },
      `options.integrator ${made} an object with keys {name, label, tableau, settings}`,
    );
    await refuses(
      { integrator: { ...dormandPrince(), settings: {} } },
      `options.integrator ${made} an object with keys {name, label, tableau, settings}`,
    );
    await refuses({ signal: {} }, "options.signal must be an AbortSignal; received an object with keys {}");
    await refuses({ events: {} }, "options.events must be an array of events; received an object with keys {}");
    await refuses({ events: [null] }, "options.events[0] must be an object of options; received null");
    const event = { name: "e", value: () => 1 };
    await refuses({ events: [{ ...event, name: 1 }] }, "options.events[0].name must be a string; received 1");
    await refuses({ events: [event, { name: "f" }] }, "options.events[1].value must be a function; received undefined");
    await refuses(
      { events: [{ ...event, direction: "up" }] },
      'options.events[0].direction must be "rising", "falling" or "either"; received "up"',
    );
    await refuses(
      { events: [{ ...event, terminal: 1 }] },
      "options.events[0].terminal must be true or false; received 1",
    );
    await refuses(
      { events: [{ ...event, terminl: true }] },
      'options.events[0] has no option of that name; did you mean "terminal"?; received "terminl"',
    );
  });
  it("options of other names, or none", async () => {
    await refuses({ output: [1] }, 'options has no option of that name; did you mean "outputs"?; received "output"');
    const run = integrate(moving, undefined as never);
    expectArgument(
      await run.catch((error: unknown) => error),
      "options must be an object of options; received undefined",
    );
  });
});

describe("an integrator refuses", () => {
  const refusesOptions = (options: Record<string, unknown>, message: string, make: unknown = dormandPrince) => {
    let error: unknown = null;
    try {
      (make as typeof dormandPrince)(options as AdaptiveOptions);
    } catch (thrown) {
      error = thrown;
    }
    expectArgument(error, message);
  };
  it("tolerances and steps that are not positive and finite", () => {
    for (const name of ["relativeTolerance", "absoluteTolerance", "firstStep", "step"])
      for (const value of [0, -1e-6, nan, infinite, null, "1e-6"])
        refusesOptions(
          { [name]: value },
          `options.${name} must be a positive finite number; received ${typeof value === "string" ? '"1e-6"' : value}`,
        );
    refusesOptions({ largestStep: 0 }, "options.largestStep must be positive; received 0", tsitouras);
  });
  it("factors and counts out of range", () => {
    for (const name of ["safety", "smallestFactor"])
      for (const value of [0, 1, nan])
        refusesOptions({ [name]: value }, `options.${name} must be between 0 and 1; received ${value}`);
    for (const value of [1, infinite, nan])
      refusesOptions(
        { largestFactor: value },
        `options.largestFactor must be a finite number above 1; received ${value}`,
      );
    for (const value of [0, 1.5, nan, infinite])
      refusesOptions({ steps: value }, `options.steps must be a whole number of at least 1; received ${value}`);
  });
  it("words that are not among the choices", () => {
    refusesOptions({ control: "PI" }, 'options.control must be "integral", "pi" or "pid"; received "PI"');
    refusesOptions({ norm: "max" }, 'options.norm must be "prediction" or "parameters"; received "max"');
  });
  it("misspelled names", () => {
    refusesOptions(
      { relativetolerance: 1e-6 },
      'options has no option of that name; did you mean "relativeTolerance"?; received "relativetolerance"',
    );
    refusesOptions(
      { step: 1, relativeTolerance: 1e-6 },
      'options has no option of that name; known are: step, steps; received "relativeTolerance"',
      euler,
    );
  });
  it("a method without error estimate and without a step", () => {
    const rule = "step must be given: the method has no error estimate; received undefined";
    refusesOptions({}, `options.${rule}`, euler);
    refusesOptions({ steps: 10 }, `options.${rule}`, rungeKutta4);
    refusesOptions(undefined as never, "options must be an object of options; received undefined", euler);
  });
  it("a first or largest step beside a fixed one", () => {
    for (const name of ["firstStep", "largestStep"])
      refusesOptions(
        { step: 0.1, [name]: 0.2 },
        `options.${name} must not be given beside step 0.1, which fixes all steps; received 0.2`,
      );
  });
});

it("an integrator says what it is, and its defaults", () => {
  expect(dormandPrince().label).toBe("dormand-prince (pi control, tolerance 0.000001)");
  expect(tsitouras({ control: "pid", relativeTolerance: 1e-8 }).label).toBe("tsitouras (pid control, tolerance 1e-8)");
  expect(euler({ step: 0.5 }).label).toBe("euler (step 0.5)");
  expect(dormandPrince({ step: 0.5 }).label).toBe("dormand-prince (step 0.5)");
  expect(dormandPrince({ safety: undefined, steps: undefined }).settings).toEqual({
    relativeTolerance: 1e-6,
    absoluteTolerance: 1e-9,
    control: "pi",
    safety: 0.9,
    smallestFactor: 0.2,
    largestFactor: 10,
    firstStep: 0,
    largestStep: infinite,
    step: 0,
    steps: 100_000,
    norm: "prediction",
  });
});

// Bad input to flows: every mistake is an error that names the argument, the rule and the value, before anything runs.
import { describe, expect, it } from "vitest";
import {
  dampingFunction,
  distanceAbove,
  dormandPrince,
  driftAbove,
  euler,
  type FlowOptions,
  flow,
  GaussflowError,
  gradientBelow,
  lossBelow,
  lossProportionalDamping,
  monitor,
  network,
  spectralDamping,
} from "../../src/index.js";
import { waves } from "../helpers/problems.js";

const data = waves(30, 2, 1, 1);
const net = network({ layers: [2, 3, 1], seed: 1 });
const refuses = (options: FlowOptions, message: RegExp, from = net, on = data) =>
  expect(flow(from, on, options)).rejects.toSatisfy(
    (error) => error instanceof GaussflowError && error.code === "GAUSSFLOW_ARGUMENT" && message.test(error.message),
    String(message),
  );

describe("flow refuses", () => {
  it.each<[string, FlowOptions, RegExp]>([
    ["rho above 1", { damping: 1.5 }, /damping must be a number rho from 0 to 1, or a schedule; received 1.5/],
    ["rho below 0", { damping: -0.1 }, /from 0 to 1, or a schedule; received -0.1/],
    ["rho NaN", { damping: Number.NaN }, /received NaN/],
    [
      "an end before the start",
      { from: 2, until: 1 },
      /options.until must be a finite time after options.from = 2; received 1/,
    ],
    ["an end at the start", { from: 1, until: 1 }, /options.until .* received 1/],
    ["an endless flow", { until: Number.POSITIVE_INFINITY }, /options.until .* received Infinity/],
    ["a start that is no number", { from: Number.NaN }, /options.from must be a finite number; received NaN/],
    [
      "outputs out of order",
      { outputs: [1, 0.5] },
      /options.outputs\[1\] must be later than the one before it, 1; received 0.5/,
    ],
    ["outputs twice", { outputs: [1, 1] }, /options.outputs\[1\] must be later/],
    [
      "outputs beyond the end",
      { until: 2, outputs: [3] },
      /options.outputs\[0\] must be a time from 0 to 2; received 3/,
    ],
    ["outputs that are NaN", { outputs: [Number.NaN] }, /options.outputs\[0\] .* received NaN/],
    ["a misspelled option", { dampin: 0 } as FlowOptions, /dampin/],
    ["a loss of someone else's", { loss: {} as never }, /options.loss must be made by squaredError\(\)/],
    ["an integrator of someone else's", { integrator: {} as never }, /options.integrator must be made by/],
    [
      "an event without a function",
      { events: [{ name: "x", value: 3 as never }] },
      /options.events\[0\].value must be a function; received 3/,
    ],
    [
      "an event with a bad direction",
      { events: [{ name: "x", value: () => 1, direction: "up" as never }] },
      /direction must be/,
    ],
    [
      "a stop rule that is negative",
      { stop: { loss: -1 } },
      /options.stop.loss must be a number of at least 0; received -1/,
    ],
    ["a route that does not exist", { route: "cg" as never }, /options.route/],
    ["a checkpoint without a path", { checkpoint: { path: "" } }, /options.checkpoint.path must be a path/],
    ["a monitor that is none", { monitor: 3 as never }, /options.monitor must be made by monitor\(\); received 3/],
    [
      "a monitor whose end is no function",
      { monitor: { onEnd: 5 as never } },
      /options.monitor.onEnd .* function; received 5/,
    ],
    [
      "a schedule without a name",
      { damping: { rho: () => 0.5 } as never },
      /options.damping.name must be a string .* received undefined/,
    ],
    [
      "a schedule without settings",
      { damping: { name: "mine", needsSpectrum: false, rho: () => 0.5 } as never },
      /options.damping.settings must be an object of numbers; received undefined/,
    ],
    [
      "a schedule without its function",
      { damping: { name: "mine", needsSpectrum: false, settings: {} } as never },
      /options.damping.rho must be a function .* received undefined/,
    ],
    [
      "a checkpoint whose path no file can have",
      { checkpoint: { path: "a\0b" } },
      /options.checkpoint.path must be a path/,
    ],
    ["a signal that is none", { signal: {} as never }, /options.signal must be an AbortSignal/],
  ])("%s", async (_, options, message) => {
    await refuses(options, message);
  });

  it("rho = 0 with more parameters than equations, and names the way out", async () => {
    const wide = network({ layers: [2, 20, 1], seed: 1 });
    await refuses(
      { damping: 0 },
      /options.damping must be above 0 for 81 parameters and 30 equations: .* singular by construction, use spectralDamping\(\); received 0/,
      wide,
    );
  });

  it("rho = 0 with symmetric starts, and names centered", async () => {
    const paired = network({ layers: [2, 4, 1], initialization: "symmetric", seed: 1 });
    await refuses({ damping: 0 }, /symmetric.*use centered: true.*received 0/, paired);
    await refuses({}, /symmetric.*use centered: true.*received undefined/, paired);
  });

  it("rho = 0 in the dual route with fewer parameters than equations", async () => {
    await refuses({ damping: 0, route: "dual" }, /options.damping must be above 0 with route "dual".*received 0/);
    await refuses({ route: "dual" }, /options.damping must be above 0 with route "dual".*received undefined/);
  });

  it("a network that is none", async () => {
    for (const none of [null, {}, network])
      await refuses(
        {},
        /^network must be made by network\(\), networkOf\(\) or loadModel\(\); received/,
        none as never,
      );
  });

  it("data of another shape", async () => {
    await refuses(
      {},
      /data must have 2 inputs and 1 targets, as the network; received "3 and 1"/,
      net,
      waves(5, 3, 1, 1),
    );
  });

  it("a schedule that returns NaN or leaves [0, 1], with the time", async () => {
    await refuses(
      { damping: () => Number.NaN },
      /damping schedule "function" at time 0 must return rho from 0 to 1; received NaN/,
    );
    await refuses(
      { damping: ({ time }) => (time > 0 ? 2 : 0.5) },
      /at time 0\.\d+ must return rho from 0 to 1; received 2/,
    );
    await refuses({ damping: dampingFunction(() => "x" as never) }, /received "x"/);
  });

  it("a schedule that throws, with its message and the time", async () => {
    await refuses(
      {
        damping: () => {
          throw new Error("no spectrum today");
        },
      },
      /the damping schedule "function" threw at time 0: no spectrum today/,
    );
  });

  it("an event that throws or returns NaN, by name and time", async () => {
    const failing = {
      name: "mine",
      value: () => {
        throw new Error("broken");
      },
    };
    await refuses({ events: [failing] }, /event "mine" threw at time 0: broken/);
    await refuses(
      { events: [{ name: "mine", value: () => Number.NaN }] },
      /event "mine" at time 0 must return a number .*; received NaN/,
    );
  });
});

describe("the makers refuse", () => {
  it.each<[string, () => unknown, RegExp]>([
    [
      "a tolerance of 0",
      () => dormandPrince({ relativeTolerance: 0 }),
      /options.relativeTolerance must be a positive finite number; received 0/,
    ],
    ["a negative tolerance", () => dormandPrince({ absoluteTolerance: -1 }), /absoluteTolerance .* received -1/],
    ["euler without a step", () => euler({} as never), /options.step must be given/],
    ["a norm that does not exist", () => dormandPrince({ norm: "x" as never }), /norm must be/],
    ["c = 0", () => spectralDamping({ c: 0 }), /options.c must be a positive finite number; received 0/],
    [
      "an initial damping above 1",
      () => lossProportionalDamping({ initial: 2 }),
      /initial must be a number above 0 and at most 1; received 2/,
    ],
    ["a loss level of 0", () => lossBelow(0), /loss must be a positive finite number; received 0/],
    ["a gradient level that is NaN", () => gradientBelow(Number.NaN), /gradientNorm .* received NaN/],
    ["a negative drift", () => driftAbove(-1), /drift .* received -1/],
    ["an infinite distance", () => distanceAbove(Number.POSITIVE_INFINITY), /distance .* received Infinity/],
    [
      "a monitor window of 2",
      () => monitor({ window: 2 }),
      /options.window must be an integer of at least 4; received 2/,
    ],
    [
      "a negative optimum",
      () => monitor({ optimum: -1 }),
      /options.optimum must be a finite number of at least 0; received -1/,
    ],
    [
      "an event whose second argument is an object",
      () => lossBelow(0.1, { terminal: false } as never),
      /terminal must be true or false/,
    ],
    ["a misspelled monitor option", () => monitor({ spectra: true } as never), /spectra/],
  ])("%s", (_, make, message) => {
    expect(make).toThrow(message);
  });
});

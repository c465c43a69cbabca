// A network whose units are all dead: J is 0, and its gradient with it. Monitor and advice say so; they blame no option that is on,
// and no number is NaN.
import { describe, expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import {
  checkAssumptions,
  flow,
  type MonitorReport,
  monitor,
  network,
  recommendOutputScale,
  train,
} from "../../src/index.js";
import { waves } from "../helpers/problems.js";

const data = waves(20, 2, 1, 1);
const engines = (loadNative().ok ? ["typescript", "native"] : ["typescript"]) as ("typescript" | "native")[];
/** Without biases, and with all weights 0, nothing moves a prediction. */
const dead = (width: number) => {
  const net = network({ layers: [2, width, 1], bias: false, seed: 1 });
  return net.withParameters(new Float64Array(net.parameterCount));
};
const saysSo = /J is 0: no parameter moves a prediction/;

function numbersIn(value: unknown): number[] {
  if (typeof value === "number") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

function expectHonest(report: MonitorReport | null) {
  expect(report?.converged.holds).toBe(false);
  expect(report?.converged.message).toMatch(saysSo);
  expect(report?.verdict).toMatchObject({ code: "not-applicable" });
  expect(report?.verdict.message).toMatch(saysSo);
  expect(JSON.stringify([report?.converged, report?.verdict])).not.toMatch(/parts|NaN/);
  expect(numbersIn(report).some(Number.isNaN)).toBe(false);
}

describe.each(engines)("advice: %s", (backend) => {
  it.each([40, 3])("says that J is 0, with numbers that are numbers: %s units", async (width) => {
    const advice = await recommendOutputScale(dead(width), data, { backend });
    expect(advice).toMatchObject({ outputScale: null, roundingBound: 0, sigmaMin: null, rank: 0, displacement: 0 });
    expect(advice.text).toMatch(/^J is 0: .* Start elsewhere: .*; no output scale changes that\.$/);
    const told = await checkAssumptions(dead(width), data, { backend });
    expect(told).toMatchObject({ rank: 0, expectedRate: 0, applies: false, spectrum: { largest: 0, smallest: 0 } });
    expect(told.text).toMatch(/The kernel is 0: no rate is expected\./);
    expect(told.text).not.toMatch(/NaN|undefined/);
    expect(numbersIn([advice, told]).some(Number.isNaN)).toBe(false);
    expect(told.findings.filter(({ holds }) => !holds).map(({ message }) => message)).toEqual([
      expect.stringMatching(saysSo),
      expect.stringMatching(saysSo),
    ]);
  });
  it.each([
    [40, 0],
    [3, 0],
    [40, 1e-150],
    [3, 1e-150],
  ])("says that targets at the start need no way: %s units, targets %s", async (width, target) => {
    const reached = { inputs: data.inputs, inputSize: 2, targets: Array.from(data.targets, () => target) };
    const net = network({ layers: [2, width, 1], centered: true, seed: 1 });
    const options = { backend, standardize: false } as const;
    const advice = await recommendOutputScale(net, reached, options);
    expect(advice).toMatchObject({ outputScale: 1, sufficient: 0, displacement: 0, trials: [] });
    expect(advice.text).toMatch(/the start already fits the targets, and all output scales are equivalent\.$/);
    const found = (await checkAssumptions(net, reached, options)).findings.find(
      ({ assumption }) => assumption === "output-scale",
    );
    expect(found).toMatchObject({ holds: true, message: expect.stringMatching(/starts at the targets/) });
  });
});

describe.each(engines)("a dead network: %s", (backend) => {
  it.each([
    ["more parameters than equations", 40],
    ["fewer", 3],
  ])("with %s", async (_, width) => {
    for (const spectrum of [true, false]) {
      const watched = await flow(dead(width), data, {
        backend,
        damping: 0.5,
        until: 1,
        monitor: monitor({ spectrum }),
      });
      expectHonest(watched.monitor);
      expectHonest((await train(dead(width), data, { backend, monitor: monitor({ spectrum }) })).monitor);
    }
  });
});

// A network whose units are all dead: J is 0, and its gradient with it. Monitor and advice say so; they blame no option that is on,
// and no number is NaN.
import { describe, expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import { flow, type MonitorReport, monitor, network, train } from "../../src/index.js";
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

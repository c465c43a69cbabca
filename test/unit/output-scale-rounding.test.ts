// A centered network's predictions are alpha (f(w) - f(w_0)): a difference of numbers of size alpha |f(w_0)|. Where rounding of those
// swallows the targets no loss is right, and none may be told; where it takes a part of them, "converged" is not known.
import { describe, expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import { flow, monitor, network, recommendOutputScale, train } from "../../src/index.js";
import { waves } from "../helpers/problems.js";

const { inputs, targets } = waves(20, 2, 1, 1);
const data = { inputs, targets, inputSize: 2 };
const wide = network({ layers: [2, 40, 1], centered: true, seed: 1 });
const engines = (loadNative().ok ? ["typescript", "native"] : ["typescript"]) as ("typescript" | "native")[];
const refusal =
  /^outputScale must keep the rounding eps \* outputScale \* \|f\(w_0\)\| .* below 0\.001 \|y\|: it is \S+ for \|f\(w_0\)\| = \S+ and \|y\| = \S+ .*, so at most (\S+) will do; received (\S+)$/;

const meanLoss = (predictions: Float64Array) =>
  targets.reduce((sum, y, i) => sum + (y - predictions[i]) ** 2, 0) / targets.length;

/** The largest scale that the refusal offers. */
async function mostOf(backend: "typescript" | "native"): Promise<number> {
  const error: Error = await flow(wide.withOutputScale(1e17), data, { backend, standardize: false }).then(
    () => new Error("not refused"),
    (thrown) => thrown,
  );
  return Number(refusal.exec(error.message)?.[1]);
}

describe.each(engines)("an outputScale beyond rounding: %s", (backend) => {
  it.each([1e14, 1e17, 1e150])("is refused with the numbers: %s", async (outputScale) => {
    const net = wide.withOutputScale(outputScale);
    await expect(flow(net, data, { backend, standardize: false })).rejects.toThrow(refusal);
    await expect(train(net, data, { backend, standardize: false })).rejects.toThrow(refusal);
  });
  it("up to the bound it names, the loss told is that of the predictions", async () => {
    const most = await mostOf(backend);
    expect(most).toBeGreaterThan(1e11);
    const net = wide.withOutputScale(0.9 * most);
    const { network: found, records } = await train(net, data, {
      backend,
      standardize: false,
      stop: { iterations: 3 },
    });
    const told = Math.min(...records.map(({ loss }) => loss));
    const seen = meanLoss(found.predict(inputs));
    // A share 1e-3 of |y| is unknown of every residual, in the network's predictions and in the engine's each.
    expect(Math.abs(Math.sqrt(seen) - Math.sqrt(told))).toBeLessThan(4e-3 * Math.sqrt(meanLoss(new Float64Array(20))));
  });
  it("leaves the convergence unknown where only the rounding floor would say so", async () => {
    const run = (outputScale: number) =>
      train(wide.withOutputScale(outputScale), data, {
        backend,
        standardize: false,
        stop: { iterations: 30, step: 0 },
        monitor: monitor({ spectrum: false, drift: false }),
      });
    expect((await run(1e3)).monitor?.converged.message).toMatch(
      /^yes: the training error is as small as rounding lets it be \(objective/,
    );
    const { converged } = (await run(5e11)).monitor ?? {};
    expect(converged?.holds).toBe(false);
    expect(converged?.message).toMatch(
      /^not known: rounding hides what is left of the error; .* outputScale \d+ lifts to/,
    );
  });
});

it("advice about the scale is given whatever the scale is now", async () => {
  const told = await recommendOutputScale(wide.withOutputScale(1e17), data, { backend: "typescript" });
  expect(told).toEqual(await recommendOutputScale(wide, data, { backend: "typescript" }));
});

describe("a problem that is at its floor has converged", () => {
  const flat = { ...data, targets: targets.map(() => 5) };
  it("where the targets are constant, and their mean is all of them", async () => {
    for (const backend of engines) {
      const { monitor: told } = await train(network({ layers: [2, 3, 1], seed: 1 }), flat, {
        backend,
        monitor: monitor(),
      });
      expect(told?.converged.message).toMatch(
        /^yes: the training error is as small as rounding lets it be \(objective/,
      );
    }
  });
  it("where they are 0 as they stand", async () => {
    const zero = { ...data, targets: targets.map(() => 0) };
    const net = network({ layers: [2, 3, 1], seed: 1 });
    const { monitor: told } = await train(net, zero, { backend: "typescript", standardize: false, monitor: monitor() });
    expect(told?.converged).toMatchObject({ holds: true });
  });
  it("where a flow starts without a residual, and time integration makes one", async () => {
    const zero = { ...data, targets: targets.map(() => 0) };
    const { monitor: told } = await flow(wide, zero, {
      backend: "typescript",
      standardize: false,
      damping: 1,
      monitor: monitor(),
    });
    expect(told?.converged.message).toMatch(/^yes: the training error is as small as/);
  });
  it("but not where it has a way to go", async () => {
    const { monitor: told } = await flow(wide, data, { backend: "typescript", until: 0.5, monitor: monitor() });
    expect(told?.converged.holds).toBe(false);
  });
});

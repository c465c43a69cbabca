// predictAsync: the numbers of predict to rounding, on either engine, batch after batch, in turns with the event loop, abortable.
import { describe, expect, it } from "vitest";
import { ensemble, type Network, network, predictAsync } from "../../src/index.js";
import { ticksDuring } from "../helpers/ticks.js";

/** Inputs of about size 1. */
const flat = (n: number, d: number) => Float64Array.from({ length: n * d }, (_, k) => Math.sin(k * 1.7) * 2);

const scaled = network({ layers: [3, 8, 5, 2], seed: 3 }).withScaling({
  inputs: { offset: Float64Array.of(1, -2, 0), scale: Float64Array.of(2, 0.5, 1) },
  targets: { offset: Float64Array.of(10, -3), scale: Float64Array.of(4, 0.01) },
});
const centered = network({ layers: [3, 8, 5, 2], seed: 3, centered: true, outputScale: 7 });
const moved = centered.withParameters(centered.parameters.map((w, j) => w + 0.1 * Math.sin(j)));

/**
 * A layer's sum of k terms in another order differs by k eps of the largest term, and layers hand errors on with slopes below 1 (tanh):
 * 3 layers of at most 9 terms, activations of 4 ulp, all times the weights of the last layer and its scale, which are of order 1 to 10.
 */
const within = 3 * (9 + 4) * Number.EPSILON * 10;

describe.each(["native", "typescript"] as const)("predictAsync on the %s engine", (backend) => {
  it.each([
    ["plain", network({ layers: [3, 8, 5, 2], seed: 3 })],
    ["scaled", scaled],
    ["centered", moved],
    ["logistic", network({ layers: [3, 4, 2], outputActivation: "logistic", seed: 1 })],
  ])("has the numbers of predict: %s", async (_, net: Network) => {
    const inputs = flat(1000, 3);
    const expected = net.predict(inputs);
    const found = await predictAsync(net, inputs, { backend });
    expect(found.length).toBe(expected.length);
    for (let k = 0; k < found.length; k++) expect(Math.abs(found[k] - expected[k])).toBeLessThanOrEqual(within);
    const rows = Array.from({ length: 7 }, (_row, i) => Array.from(inputs.subarray(3 * i, 3 * i + 3)));
    const few = await predictAsync(net, rows, { backend });
    for (let k = 0; k < few.length; k++) expect(Math.abs(few[k] - expected[k])).toBeLessThanOrEqual(within);
  });

  it("goes on batch after batch, and turns the event loop between them", async () => {
    // A batch is 2^17 doubles of inputs and predictions: nineteen batches.
    const net = network({ layers: [3, 2, 1], seed: 1 });
    const inputs = flat(600_000, 3);
    const { answer, ticks } = await ticksDuring(() => predictAsync(net, inputs, { backend }));
    expect(ticks).toBeGreaterThanOrEqual(5);
    expect(answer.length).toBe(600_000);
    for (const i of [0, 131_071, 131_072, 400_000, 599_999])
      expect(Math.abs(answer[i] - net.predict(inputs.subarray(3 * i, 3 * i + 3))[0])).toBeLessThanOrEqual(within);
  });

  it("rejects with the signal's reason, at once or on the way", async () => {
    const net = network({ layers: [3, 64, 64, 1], seed: 1 });
    const inputs = flat(400_000, 3);
    await expect(predictAsync(net, inputs, { backend, signal: AbortSignal.abort(new Error("no")) })).rejects.toThrow(
      "no",
    );
    const stop = new AbortController();
    setImmediate(() => stop.abort(new Error("enough")));
    await expect(predictAsync(net, inputs, { backend, signal: stop.signal })).rejects.toThrow("enough");
  });
});

describe("predictAsync", () => {
  it("has mean and spread of an ensemble", async () => {
    const members = ensemble([1, 2, 3].map((seed) => network({ layers: [3, 4, 1], seed })));
    const inputs = flat(50, 3);
    const expected = members.predict(inputs);
    const found = await predictAsync(members, inputs);
    for (const name of ["mean", "spread"] as const)
      found[name].forEach((value, k) => {
        expect(Math.abs(value - expected[name][k])).toBeLessThanOrEqual(within);
      });
  });

  it("refuses predictions that no memory can hold", async () => {
    const wide = network({ layers: [1, 200_000], seed: 1 });
    // 2e12 bytes of predictions from 10 MB of inputs.
    await expect(predictAsync(wide, new Float64Array(1_250_000))).rejects.toMatchObject({
      code: "GAUSSFLOW_MEMORY",
      message: expect.stringContaining("an array of predictions of 1862.6 GiB cannot be had"),
    });
  });

  it("names row and column of what cannot be used, also in a later batch", async () => {
    const net = network({ layers: [3, 2, 1], seed: 1 });
    const inputs = flat(300_000, 3);
    inputs[3 * 250_000 + 1] = Number.NaN;
    await expect(predictAsync(net, inputs)).rejects.toThrow("inputs, row 250001, column 2: must be a finite number");
    await expect(predictAsync(net, [[1, 2]])).rejects.toThrow("inputs, row 1 must have 3 numbers");
    await expect(predictAsync(net, new Float64Array(4))).rejects.toThrow(
      "inputs must hold one or more whole rows of 3",
    );
    await expect(predictAsync(net, 3 as never)).rejects.toThrow(
      "inputs must be rows of numbers, or all of them in one array",
    );
    await expect(predictAsync({} as never, inputs)).rejects.toThrow("network must be made by network()");
    await expect(predictAsync(net, inputs, { thread: 1 } as never)).rejects.toThrow("has no option of that name");
    await expect(predictAsync(net, inputs, { threads: 0 })).rejects.toThrow("options.threads must be");
    await expect(predictAsync(net, inputs, { signal: 1 as never })).rejects.toThrow("options.signal must be");
  });
});

// Small problems: the addon does the work on the calling thread and answers with the value itself. For a user nothing may differ but
// the time: the same guard, the same signals, the same failures, an event loop that turns.
import { describe, expect, it } from "vitest";
import { createNativeEngine } from "../../src/backend/native/engine.js";
import { loadNative } from "../../src/backend/native/load.js";
import { network } from "../../src/index.js";
import { waves } from "../helpers/problems.js";

const native = loadNative();
const net = network({ layers: [2, 3, 1], seed: 1 });
const data = waves(20, 2, 1, 1);
const make = () =>
  createNativeEngine(net.architecture, { sampleCount: 20, inputs: data.inputs, targets: data.targets }, { threads: 2 });
const primal = { curvature: "primal", decay: 0, scaling: null } as const;
const busy = { code: "GAUSSFLOW_BUSY" };

describe.skipIf(!native.ok)("a small problem in the native engine", () => {
  it("is answered by the addon with a value, a large one with a promise", async () => {
    if (!native.ok) throw new Error(native.reason);
    const table = (widths: number[]) =>
      Float64Array.from(widths.slice(1).flatMap((width, l) => [widths[l], width, 0, 1, 1]));
    const answer = (widths: number[], samples: number) => {
      const [d, c] = [widths[0], widths[widths.length - 1]];
      const p = widths.slice(1).reduce((sum, width, l) => sum + width * (widths[l] + 1), 0);
      const [inputs, targets] = [new Float64Array(samples * d), new Float64Array(samples * c)];
      const description = { layers: table(widths), outputScale: 1, loss: 0, delta: 0, tau: 0, smoothing: 0, slots: 1 };
      const object = new native.binding.NativeEngine(description, samples, null, false, 2, null);
      object.fill(samples, inputs, targets, null);
      return object.linearize(
        new Float64Array(p),
        1,
        0,
        null,
        0,
        Number.POSITIVE_INFINITY,
        null,
        null,
        null,
        null,
        null,
        null,
      );
    };
    expect(answer([2, 3, 1], 20)).toHaveProperty("loss");
    const large = answer([8, 32, 32, 1], 5000);
    expect(large).toBeInstanceOf(Promise);
    expect(await large).toHaveProperty("loss");
  });

  it("is not used before it has all its samples, nor given more", () => {
    if (!native.ok) throw new Error(native.reason);
    const layers = Float64Array.of(2, 1, 0, 1, 1);
    const object = new native.binding.NativeEngine(
      { layers, outputScale: 1, loss: 0, delta: 0, tau: 0, smoothing: 0, slots: 1 },
      3,
      null,
      true,
      1,
      null,
    );
    const state = { code: "GAUSSFLOW_STATE" };
    const refused = (action: () => unknown) => expect(action).toThrow(expect.objectContaining(state));
    const parameters = new Float64Array(3);
    // All of its room is on one page.
    expect([object.touchPages(), object.touchPages()]).toEqual([false, false]);
    object.fill(2, Float64Array.of(1, 2, 3, 4), Float64Array.of(5, 6), Float64Array.of(1, 4));
    refused(() => object.forward(parameters));
    refused(() => object.touchPages());
    expect(() => object.fill(2, new Float64Array(4), new Float64Array(2), new Float64Array(2))).toThrow(/count/);
    object.fill(1, Float64Array.of(7, 8), Float64Array.of(9), Float64Array.of(0));
    refused(() => object.fill(1, new Float64Array(2), new Float64Array(1), new Float64Array(1)));
    expect(object.inputs(0, 3)).toEqual(Float64Array.of(1, 2, 3, 4, 7, 8));
    // 0 is predicted: 1/2 (1 * 5^2 + 4 * 6^2 + 0 * 9^2).
    expect(object.evaluate(parameters)).toBeCloseTo((25 + 144) / 2, 12);
  });

  it("goes to the pages of its samples piece by piece", () => {
    if (!native.ok) throw new Error(native.reason);
    const samples = 500_000;
    const object = new native.binding.NativeEngine(
      { layers: Float64Array.of(5, 1, 0, 1, 1), outputScale: 1, loss: 0, delta: 0, tau: 0, smoothing: 0, slots: 1 },
      samples,
      null,
      true,
      1,
      null,
    );
    let calls = 1;
    while (object.touchPages()) calls++;
    // Pieces of 4 MiB, by whole pages, of five inputs, a target and a weight in 8 bytes each.
    expect(calls).toBe(Math.ceil((8 * 7 * samples) / 2 ** 22));
    object.dispose();
  });

  it("takes slots that its samples can be cut into, and refuses by itself what it does not sum by slots", () => {
    if (!native.ok) throw new Error(native.reason);
    const layers = Float64Array.of(2, 1, 0, 1, 1);
    const make = (slots: unknown, samples: number) =>
      new native.binding.NativeEngine(
        { layers, outputScale: 1, loss: 0, delta: 0, tau: 0, smoothing: 0, slots: slots as number },
        samples,
        null,
        false,
        1,
        null,
      );
    const refused = (action: () => unknown, message: RegExp) =>
      expect(action).toThrow(
        expect.objectContaining({ code: "GAUSSFLOW_ARGUMENT", message: expect.stringMatching(message) }),
      );
    for (const slots of [undefined, "2", 0, -2, 1.5, 3, 12, 16, Number.NaN, Number.POSITIVE_INFINITY])
      refused(() => make(slots, 8), /^network must have slots, a power of two of at most 8$/);
    refused(() => make(2048, 4000), /at most 1024$/);
    for (const slots of [1, 2, 4, 8]) {
      const object = make(slots, 8);
      object.fill(8, new Float64Array(16), new Float64Array(8), null);
      const linearize = (curvature: 1 | 3 | 4 | 5, precision: 0 | 1, subset: Uint32Array | null) =>
        object.linearize(
          new Float64Array(3),
          curvature,
          0,
          null,
          precision,
          Number.POSITIVE_INFINITY,
          subset,
          null,
          curvature === 5 ? new Float64Array(8).fill(1) : null,
          null,
          null,
          null,
        );
      const asked: [() => unknown, RegExp][] = [
        [() => linearize(1, 1, Uint32Array.of(1, 3)), /^slots must be 1 for a subset.*: use all samples$/],
        [() => linearize(4, 0, Uint32Array.of(1, 3)), /^slots must be 1 for a subset.*: use all samples$/],
        [() => linearize(5, 0, null), /^slots must be 1 for the sampled curvature.*: use the dual route$/],
      ];
      for (const [action, message] of asked)
        if (slots === 1) expect(action()).toHaveProperty("loss");
        else refused(action, message);
      for (const [curvature, precision] of [
        [1, 0],
        [1, 1],
        [3, 0],
      ] as const)
        expect(linearize(curvature, precision, null)).toHaveProperty("loss");
    }
  });

  it("is at work until its caller had the answer: a forgotten await shows at every size", async () => {
    const engine = make();
    const first = engine.linearize(net.parameters, primal);
    await expect(engine.evaluate(net.parameters)).rejects.toMatchObject(busy);
    await expect(first).resolves.toMatchObject({ ok: true });
    expect(await engine.evaluate(net.parameters)).toMatchObject({ ok: true });
    expect(await engine.solve({ damping: 1, decay: 0, scaling: null })).toMatchObject({ ok: true });
    engine.dispose();
  });

  it("rejects with an aborted signal's reason and leaves the curvature alone", async () => {
    const engine = make();
    await engine.linearize(net.parameters, primal);
    const before = await engine.curvature();
    const reason = new Error("enough");
    await expect(engine.linearize(net.parameters, primal, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(engine.held).toBe("primal");
    expect(await engine.curvature()).toEqual(before);
    engine.dispose();
  });

  it("lets the event loop turn while calls follow each other, so that a signal can end them", async () => {
    const engine = make();
    const controller = new AbortController();
    const reason = new Error("enough");
    setTimeout(() => controller.abort(reason), 30);
    const start = performance.now();
    const calls = async () => {
      // Without turns the timer never fires and only the clock ends this.
      while (performance.now() - start < 5000) await engine.evaluate(net.parameters, controller.signal);
    };
    await expect(calls()).rejects.toBe(reason);
    engine.dispose();
  });

  it("rejects bad arguments and calls after dispose, never throws them at once", async () => {
    const engine = make();
    const short = engine.evaluate(new Float64Array(3));
    await expect(short).rejects.toMatchObject({ code: "GAUSSFLOW_ARGUMENT" });
    const running = engine.evaluate(net.parameters);
    engine.dispose();
    expect(await running).toMatchObject({ ok: true });
    await expect(engine.evaluate(net.parameters)).rejects.toMatchObject({ code: "GAUSSFLOW_STATE" });
  });

  it("answers numerical failures as values", async () => {
    const few = createNativeEngine(
      net.architecture,
      { sampleCount: 2, inputs: data.inputs.slice(0, 4), targets: data.targets.slice(0, 2) },
      { threads: 1 },
    );
    // At the origin every hidden unit is 0, and so are columns of J: their pivots are exactly 0.
    await few.linearize(new Float64Array(net.parameterCount), primal);
    expect(await few.solve({ damping: 0, decay: 0, scaling: null })).toMatchObject({ code: "indefinite" });
    const wild = net.parameters.map(() => Number.NaN);
    expect(await few.evaluate(wild)).toMatchObject({ code: "non-finite" });
    few.dispose();
  });
});

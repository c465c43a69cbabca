// The reference engine's manners: aborts, one call at a time, dispose, failures that name their place, memory that cannot be had.
import { describe, expect, it } from "vitest";
import { failed } from "../../src/backend/engine.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { huber, type Loss, network, Random } from "../../src/index.js";

const random = new Random(2, 1);
const draw = (count: number) => Float64Array.from({ length: count }, () => random.normal());
const request = { curvature: "primal", decay: 0, scaling: null } as const;

// Large enough that every call takes several turns of 20 ms.
const large = network({ layers: [6, 28, 28, 1], seed: 1 });
const data = { sampleCount: 3000, inputs: draw(18000), targets: draw(3000) };

describe("an aborted call of the reference engine", () => {
  it("rejects with the signal's reason, at once or at the next turn, and the engine works afterwards", async () => {
    const engine = createReferenceEngine(large.architecture, data);
    const reason = new Error("enough");
    const w = large.parameters;
    await expect(engine.linearize(w, request, AbortSignal.abort(reason))).rejects.toBe(reason);
    const during = async (call: (signal: AbortSignal) => Promise<unknown>) => {
      const controller = new AbortController();
      setImmediate(() => controller.abort(reason));
      await expect(call(controller.signal)).rejects.toBe(reason);
    };
    await during((signal) => engine.linearize(w, request, signal));
    // The linearization that was cut off left none behind.
    await expect(engine.solve({ damping: 1, decay: 0, scaling: null })).rejects.toMatchObject({
      code: "GAUSSFLOW_STATE",
    });
    expect(await engine.linearize(w, request)).toMatchObject({ ok: true });
    await during((signal) => engine.solve({ damping: 1, decay: 0, scaling: null, condition: true }, signal));
    // The solve that was cut off left the curvature whole.
    const again = await engine.solve({ damping: 1, decay: 0, scaling: null });
    const fresh = createReferenceEngine(large.architecture, data);
    await fresh.linearize(w, request);
    const other = await fresh.solve({ damping: 1, decay: 0, scaling: null });
    if (failed(again) || failed(other)) throw new Error("the solve failed");
    expect(again.step).toEqual(other.step);
  });

  it("takes RangeErrors as reasons too", async () => {
    const engine = createReferenceEngine(large.architecture, data);
    const reason = new RangeError("mine");
    const controller = new AbortController();
    setImmediate(() => controller.abort(reason));
    await expect(engine.linearize(large.parameters, request, controller.signal)).rejects.toBe(reason);
  });
});

describe("a reference engine", () => {
  it("does one call at a time, none after dispose, and may be disposed of during one", async () => {
    const engine = createReferenceEngine(large.architecture, data);
    const running = engine.linearize(large.parameters, request);
    await expect(engine.evaluate(large.parameters)).rejects.toMatchObject({ code: "GAUSSFLOW_BUSY" });
    await expect(engine.curvature()).rejects.toMatchObject({ code: "GAUSSFLOW_BUSY" });
    engine.dispose();
    engine.dispose();
    await expect(running).rejects.toMatchObject({ code: "GAUSSFLOW_STATE" });
    await expect(engine.forward(large.parameters)).rejects.toMatchObject({ code: "GAUSSFLOW_STATE" });
  });

  it("computes with the parameters as they were when it was called", async () => {
    const engine = createReferenceEngine(large.architecture, data);
    const w = large.parameters.slice();
    const expected = await engine.linearize(w, { ...request, decay: 0.5 });
    const running = engine.linearize(w, { ...request, decay: 0.5 });
    setImmediate(() => w.fill(0));
    const answer = await running;
    if (failed(answer) || failed(expected)) throw new Error("the engine failed");
    expect(answer.gradient).toEqual(expected.gradient);
  });

  it("copies the data it is given", async () => {
    const net = network({ layers: [2, 3, 1], seed: 1 });
    const own = { sampleCount: 4, inputs: draw(8), targets: draw(4) };
    const engine = createReferenceEngine(net.architecture, own);
    const before = await engine.evaluate(net.parameters);
    own.inputs.fill(7);
    own.targets.fill(7);
    expect(await engine.evaluate(net.parameters)).toEqual(before);
  });
});

describe("a number that is not finite", () => {
  const net = network({ layers: [2, 3, 2, 1], activation: "identity", seed: 1 });
  const told = async (parameters: Float64Array, inputs: Float64Array, outputScale = 1, target = 0, loss?: Loss) => {
    const architecture = { ...net.architecture, outputScale };
    const sampleCount = inputs.length / 2;
    const targets = new Float64Array(sampleCount).fill(target);
    const engine = createReferenceEngine(architecture, { sampleCount, inputs, targets, loss });
    const answers = [await engine.evaluate(parameters), await engine.linearize(parameters, request)];
    expect(answers[1]).toEqual(answers[0]);
    return answers[0];
  };
  const ones = new Float64Array(300).fill(1);
  const w = net.parameters.slice().fill(1);

  it("in the parameters is named by layer and position", async () => {
    const bad = w.slice();
    bad[10] = Number.NaN; // W2 stands at 9 ... 14
    expect(await told(bad, ones)).toMatchObject({
      code: "non-finite",
      where: { what: "parameter", layer: 1, parameter: 10 },
      message: "the parameter is not finite, first at layer 2, parameter 10",
    });
  });

  it("in an activation is named by layer, sample and unit", async () => {
    const large = w.slice();
    large[12] = 1e200; // the weights of unit 1 of layer 2 are 12 ... 14
    const inputs = ones.slice();
    inputs[2 * 140] = 1e200;
    expect(await told(large, inputs)).toMatchObject({ where: { what: "activation", layer: 1, sample: 140, unit: 1 } });
  });

  it("in a prediction is what the output scale made of a finite output", async () => {
    expect(
      await told(
        w,
        ones.map((_, k) => (k === 6 ? 1e200 : 1)),
        1e200,
      ),
    ).toMatchObject({
      where: { what: "prediction", sample: 3, unit: 0 },
    });
  });

  it("in the loss alone is the loss", async () => {
    expect(await told(w, ones, 1, 1e200)).toMatchObject({ where: { what: "loss" }, message: "the loss is not finite" });
  });

  it("in squared error names the first prediction whose square overflows, and in another loss none", async () => {
    // Predictions of 1e200 at sample 4, and a target of -1e308 that makes the Huber loss of every sample too large for their sum.
    const inputs = ones.map((_, k) => (k === 8 ? 1e200 : 1));
    expect(await told(w, inputs)).toMatchObject({ where: { what: "loss", sample: 4, unit: 0 } });
    expect(await told(w, inputs, 1, -1e308, huber({ delta: 1 }))).toMatchObject({
      where: { what: "loss" },
      message: "the loss is not finite",
    });
  });
});

describe("a system that cannot be solved", () => {
  const net = network({ layers: [2, 3, 1], seed: 1 });

  it.each(["primal", "dual"] as const)("has a pivot, %s", async (curvature) => {
    // Samples of weight 0: J~ is 0, and so is every pivot.
    const weights = new Float64Array(5);
    const idle = { sampleCount: 5, inputs: draw(10), targets: draw(5), weights };
    const engine = createReferenceEngine(net.architecture, idle);
    await engine.linearize(net.parameters, { ...request, curvature });
    expect(await engine.solve({ damping: 0, decay: 0, scaling: null })).toMatchObject({ code: "indefinite", pivot: 0 });
    // The curvature is still there: with damping the step is 0.
    const solved = await engine.solve({ damping: 1, decay: 0, scaling: null });
    expect(!failed(solved) && solved.step.every((value) => value === 0)).toBe(true);
  });

  it("wants more memory than there is: a failure with the bytes, and the engine goes on", async () => {
    const wide = network({ layers: [1, 400_000, 1], seed: 1 });
    const one = { sampleCount: 2, inputs: draw(2), targets: draw(2) };
    const engine = createReferenceEngine(wide.architecture, one);
    const refused = await engine.linearize(wide.parameters, request);
    expect(refused).toMatchObject({ code: "memory" });
    expect(failed(refused) && refused.code === "memory" && refused.bytes).toBeGreaterThan(1e13);
    expect(await engine.linearize(wide.parameters, { ...request, curvature: "dual" })).toMatchObject({ ok: true });
  });
});

// A number that is not finite among many samples: both engines look for its place in turns with the event loop, hear an abort, and are at
// work meanwhile.
import { describe, expect, it } from "vitest";
import { createEngine, network } from "../../src/index.js";
import { ticksDuring } from "../helpers/ticks.js";

const net = network({ layers: [2, 24, 24, 1], seed: 1 });
const n = 400_000;
const data = {
  sampleCount: n,
  inputs: Float64Array.from({ length: 2 * n }, (_, k) => Math.sin(k)),
  // Every prediction is finite, and the loss is not: the walk goes over all samples.
  targets: new Float64Array(n).fill(1e160),
};

describe.each(["native", "typescript"] as const)("a loss that is not finite, on the %s engine", (backend) => {
  it("is located in turns with the event loop", async () => {
    const engine = createEngine(net.architecture, data, { backend });
    const { answer, ticks } = await ticksDuring(() => engine.evaluate(net.parameters));
    expect(answer).toMatchObject({ code: "non-finite", where: { what: "loss" } });
    // The walk takes far more than the 20 ms after which a turn is due: at once, there would be none or one.
    expect(ticks).toBeGreaterThan(3);
    const running = engine.evaluate(net.parameters);
    await expect(engine.evaluate(net.parameters)).rejects.toThrow(/the engine is at work/);
    await running;
    expect(await engine.forward(net.parameters)).toHaveLength(n);
    engine.dispose();
  });

  it("is given up with the signal's reason", async () => {
    const engine = createEngine(net.architecture, data, { backend });
    const stop = new AbortController();
    let turns = 0;
    const abort = () => {
      // By then the pass itself is over on the native engine, and the walk has begun.
      if (++turns === 4) stop.abort(new Error("enough"));
      else setTimeout(abort, 5);
    };
    setTimeout(abort, 5);
    await expect(engine.evaluate(net.parameters, stop.signal)).rejects.toThrow("enough");
    expect(await engine.forward(net.parameters)).toHaveLength(n);
    engine.dispose();
  });
});

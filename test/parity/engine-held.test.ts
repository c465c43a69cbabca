// The life of a curvature in both engines: when it is there, what ends it, what is refused, and what an abort leaves.
import { describe, expect, it } from "vitest";
import type { Curvature } from "../../src/backend/curvature.js";
import { loadNative } from "../../src/backend/native/load.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import { both, type EngineProblem, sure } from "../helpers/engine-problems.js";

const native = loadNative();
const routes = ["primal", "dual", "orthogonal"] as const;
const request = (curvature: Curvature) => ({ curvature, decay: 0, scaling: null });

function drawn(layers: number[], sampleCount: number): EngineProblem {
  const random = new Random(6, 1);
  const draw = (count: number) => Float64Array.from({ length: count }, () => random.normal());
  const net = network({ layers, seed: 2 });
  const data = { sampleCount, inputs: draw(sampleCount * layers[0]), targets: draw(sampleCount * net.outputSize) };
  return { architecture: net.architecture, parameters: net.parameters, data };
}

describe.skipIf(!native.ok)("a curvature in an engine", () => {
  const problem = drawn([6, 20, 14, 2], 250); // p = 464
  const w = problem.parameters;
  const busy = { code: "GAUSSFLOW_STATE" };
  const asks: readonly ((engine: NetworkEngine, order: number) => Promise<unknown>)[] = [
    (engine) => engine.solve({ damping: 1, decay: 0, scaling: null }),
    (engine) => engine.curvature(),
    (engine) => engine.eigen(false),
    (engine) => engine.eigenvaluesBelow(1),
    (engine, order) => engine.curvatureProduct(new Float64Array(order)),
    (engine, order) => engine.curvatureInverse(new Float64Array(order), 1),
  ];

  it("is there after a linearize with one, until a product at parameters", async () => {
    const enders: readonly ((engine: NetworkEngine) => Promise<unknown>)[] = [
      (engine) => engine.jacobianProduct(w, new Float64Array(w.length)),
      (engine) => engine.transposeProduct(w, new Float64Array(500)),
      (engine) => engine.jacobian(w, 3, 1),
      (engine) => engine.linearize(w, request("none")),
    ];
    await both(problem, async (engine) => {
      expect(engine.held).toBe("none");
      for (const ask of asks) await expect(ask(engine, 464), `${engine.kind}: ${ask}`).rejects.toMatchObject(busy);
      for (const [k, ender] of enders.entries()) {
        const curvature = routes[k % 3];
        await sure(engine.linearize(w, request(curvature)));
        await engine.forward(w);
        await engine.evaluate(w);
        expect(engine.held).toBe(curvature);
        await engine.curvature();
        await ender(engine);
        expect(engine.held).toBe("none");
        for (const ask of asks)
          await expect(
            ask(engine, curvature === "dual" ? 500 : 464),
            `${engine.kind}: ${ask} after ${ender}`,
          ).rejects.toMatchObject(busy);
      }
    });
  });

  it("refuses vectors, shifts and bounds that break its rules, and the orthogonal route has no products", async () => {
    const argument = { code: "GAUSSFLOW_ARGUMENT" };
    await both(problem, async (engine) => {
      await sure(engine.linearize(w, request("dual")));
      for (const wrong of [464, 0, 501]) {
        await expect(engine.curvatureProduct(new Float64Array(wrong))).rejects.toMatchObject(argument);
        await expect(engine.curvatureInverse(new Float64Array(wrong), 1)).rejects.toMatchObject(argument);
      }
      for (const wrong of [-1, Number.NaN, Number.POSITIVE_INFINITY, "1" as never]) {
        await expect(engine.curvatureInverse(new Float64Array(500), wrong)).rejects.toMatchObject(argument);
        await expect(engine.eigenvaluesBelow(wrong)).rejects.toMatchObject(argument);
      }
      expect(engine.held).toBe("dual");
      await sure(engine.linearize(w, request("orthogonal")));
      for (const size of [464, 3]) {
        await expect(engine.curvatureProduct(new Float64Array(size))).rejects.toMatchObject(busy);
        await expect(engine.curvatureInverse(new Float64Array(size), 1)).rejects.toMatchObject(busy);
      }
      await expect(engine.solve({ damping: 1, decay: 0, scaling: new Float64Array(3) })).rejects.toMatchObject(
        argument,
      );
    });
  });

  it("is left whole by an aborted call but a linearize, and each rejects with the signal's reason", async () => {
    const reason = new Error("enough");
    const during = async (call: (signal: AbortSignal) => Promise<unknown>, what: string) => {
      await expect(call(AbortSignal.abort(reason)), what).rejects.toBe(reason);
      // On a loaded machine a call may be over before this thread comes to abort it: then again.
      for (let attempt = 0; attempt < 20; attempt++) {
        const controller = new AbortController();
        const running = call(controller.signal);
        controller.abort(reason);
        const outcome = await running.then(
          () => "over",
          (cause) => cause,
        );
        if (outcome === "over") continue;
        expect(outcome, what).toBe(reason);
        return;
      }
      throw new Error(`${what}: no call of 20 could be aborted`);
    };
    // Orders at which the reference engine is at work for many of its turns of 20 ms.
    const large = drawn([6, 30, 20, 2], 440); // p = 872
    for (const curvature of routes) {
      const given = curvature === "orthogonal" ? problem : large;
      const { parameters } = given;
      await both(given, async (engine) => {
        const what = `${engine.kind}, ${curvature}`;
        await sure(engine.linearize(parameters, request(curvature)));
        const before = await engine.curvature();
        await during((signal) => engine.eigen(true, signal), what);
        await during((signal) => engine.eigenvaluesBelow(1e-3, signal), what);
        await during((signal) => engine.solve({ damping: 1e-3, decay: 0.1, scaling: null }, signal), what);
        expect(engine.held).toBe(curvature);
        expect(Buffer.from((await engine.curvature()).buffer).equals(Buffer.from(before.buffer)), what).toBe(true);
        await during((signal) => engine.linearize(parameters, request(curvature), signal), what);
        expect(engine.held).toBe("none");
      });
    }
  });
});

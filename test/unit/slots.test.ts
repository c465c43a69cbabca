// The slots of sums over samples: which numbers are slots, where they are cut, and in which order their sums are joined.
import { describe, expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { createEngine, network } from "../../src/index.js";
import { engineBytes } from "../../src/plan/memory-model.js";
import { waves } from "../helpers/problems.js";

const data = (sampleCount: number, slots: number) => {
  const values = Float64Array.from({ length: sampleCount }, (_, i) => Math.sin(i));
  return { sampleCount, inputs: values, targets: values.map(Math.cos), slots };
};
const { architecture } = network({ layers: [1, 3, 1], seed: 1 });

const engines = loadNative().ok ? (["typescript", "native"] as const) : (["typescript"] as const);

describe.each(engines)("planned bytes of slots, %s engine", (backend) => {
  it.each(["primal", "dual", "matrix-free", "orthogonal"] as const)(
    "%s: grow as those of the engine do",
    async (route) => {
      const net = network({ layers: [3, 24, 24, 1], seed: 1 });
      const { sampleCount, inputs, targets } = waves(600, 3, 1, 2);
      const bytes = async (slots: number) => {
        const engine = createEngine(net.architecture, { sampleCount, inputs, targets, slots }, { backend, threads: 2 });
        const scaling = new Float64Array(route === "dual" ? engine.layerCount : engine.parameterCount);
        await engine.linearize(net.parameters, { curvature: route, decay: 0, scaling });
        if (route === "matrix-free") await engine.curvatureProduct(net.parameters);
        else {
          await engine.solve({ damping: 1, decay: 0, scaling });
          if (route !== "orthogonal") await engine.accelerate(net.parameters, scaling);
        }
        const held = engine.bytes();
        engine.dispose();
        const sizes = { architecture: net.architecture, sampleCount, validationCount: 0, weighted: false };
        return { held, planned: engineBytes(route, { ...sizes, engine: backend, threads: 2, copies: 0, slots }) };
      };
      const one = await bytes(1);
      for (const slots of [2, 4, 8]) {
        const more = await bytes(slots);
        const [planned, held] = [more.planned - one.planned, more.held - one.held];
        // Beside the sums there are lists of tasks, some hundreds of bytes.
        expect(Math.abs(planned - held)).toBeLessThan(1e-3 * one.held);
      }
    },
  );
});

it("the reference engine frees the partial sums of a Gram matrix before a kernel of the same order", async () => {
  // 7 parameters, and as many samples: the two matrices have one length.
  const net = network({ layers: [1, 2, 1], seed: 1 });
  const heldAfter = async (...routes: ("primal" | "dual")[]) => {
    const { sampleCount, inputs, targets } = waves(7, 1, 1, 2);
    const engine = createReferenceEngine(net.architecture, { sampleCount, inputs, targets, slots: 4 });
    for (const curvature of routes) await engine.linearize(net.parameters, { curvature, decay: 0, scaling: null });
    const held = engine.bytes();
    engine.dispose();
    return held;
  };
  expect(await heldAfter("primal", "dual")).toBe(await heldAfter("dual"));
  expect(await heldAfter("dual", "primal")).toBe(await heldAfter("primal"));
});

describe("the number of slots of an engine", () => {
  it.each([0, 3, -2, 1.5, 2048, Number.NaN, "2", null])("is refused where it is %s", (slots) => {
    const make = () => createEngine(architecture, data(20, slots as number), { backend: "typescript" });
    expect(make).toThrow(/data\.slots must be a power of two from 1 to 1024/);
  });

  it("is at most the number of samples", () => {
    expect(() => createEngine(architecture, data(7, 8), { backend: "typescript" })).toThrow(
      /data\.slots must be at most the number of samples that are fitted, 7.*8/,
    );
    createEngine(architecture, data(8, 8), { backend: "typescript" }).dispose();
    createReferenceEngine(architecture, data(8, 8)).dispose();
  });
});

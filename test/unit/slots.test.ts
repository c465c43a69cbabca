// The slots of sums over samples: which numbers are slots, where they are cut, and in which order their sums are joined.
import { describe, expect, it } from "vitest";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import { createEngine, network } from "../../src/index.js";

const data = (sampleCount: number, slots: number) => {
  const values = Float64Array.from({ length: sampleCount }, (_, i) => Math.sin(i));
  return { sampleCount, inputs: values, targets: values.map(Math.cos), slots };
};
const { architecture } = network({ layers: [1, 3, 1], seed: 1 });

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

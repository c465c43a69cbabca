// The rows and engines of a run on batches: what they hold where every step sees all rows.
import { expect, it } from "vitest";
import { createEngine } from "../../src/backend/create.js";
import { network } from "../../src/index.js";
import { makeBatches } from "../../src/train/batch-engines.js";

it("holds no second copy of the rows where every step sees them all", async () => {
  const rows = 100_000;
  const [inputs, targets] = [new Float64Array(8 * rows), new Float64Array(rows)];
  const { architecture } = network({ layers: [8, 1], seed: 1 });
  const data = { sampleCount: rows, inputs, targets, loss: { kind: "squared-error", decay: 0 } } as const;
  const engine = createEngine(architecture, data, { backend: "typescript" });
  const needs = {
    rows,
    engines: [{ rows, curvature: "none" }],
    route: "primal",
    rate: { schedule: "constant", rate: 1, finalRate: 0, rateFactor: 1, rateEpochs: 1 },
    vectors: 0,
    evaluations: 0,
    described: "all rows",
  } as const;
  const before = process.memoryUsage().arrayBuffers;
  const batches = await makeBatches(architecture, data, engine, needs, 1, { backend: "typescript" }, undefined);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(0.1 * inputs.byteLength);
  expect(batches).toMatchObject({ engines: [engine], rows: null, whole: { inputs, targets } });
  batches.dispose();
  engine.dispose();
});

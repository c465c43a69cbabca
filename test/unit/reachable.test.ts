// Targets that the output activation cannot reach are refused before a training or a flow: in memory, in a file, in units of the network's own.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  constantDamping,
  Dataset,
  dataset,
  type FileDataset,
  flow,
  network,
  openDataFile,
  train,
  writeDataFile,
} from "../../src/index.js";

const rows = Array.from({ length: 9 }, (_, i) => [i / 4, 2 + i]);
const inMemory = dataset({ inputs: rows.map(([x = 0]) => [x]), targets: rows.map(([, y = 0]) => y), targetNames: ["y"] }); // biome-ignore format: one table
let inFile: FileDataset;

beforeAll(async () => {
  const path = join(mkdtempSync(join(tmpdir(), "gaussflow-reach-")), "rows.gfd");
  await writeDataFile(path, { featureNames: ["x"], targetNames: ["y"] }, rows);
  inFile = openDataFile(path);
});

const net = network({ layers: [1, 2, 1], outputActivation: "logistic", seed: 1 });
/** Targets become (y - offset) / scale. */
const scaled = (offset: number, scale: number) =>
  net.withScaling({
    inputs: { offset: Float64Array.of(0), scale: Float64Array.of(1) },
    targets: { offset: Float64Array.of(offset), scale: Float64Array.of(scale) },
  });
const runs = {
  train: (one: typeof net, data: FileDataset | typeof inMemory) =>
    train(one, data, { stop: { iterations: 1 }, validation: false }),
  flow: (one: typeof net, data: FileDataset | typeof inMemory) => {
    // Flows take data in memory alone.
    if (!(data instanceof Dataset)) throw new Error("not a flow's data");
    return flow(one, data, { damping: constantDamping(1), until: 0.01 });
  },
};

describe.each([
  ["train", "memory"],
  ["train", "file"],
  ["flow", "memory"],
] as const)("%s on data in %s", (name, place) => {
  const run = (one: typeof net) => runs[name](one, place === "memory" ? inMemory : inFile);

  it("refuses raw targets outside the range", async () => {
    const message = expect.stringMatching(/^data\.targets must be from 0 to 1.*"logistic".*received "y from 2 to 10"$/);
    await expect(run(net)).rejects.toMatchObject({ code: "GAUSSFLOW_ARGUMENT", message });
  });

  it("judges them in the units of the network's own scaling", async () => {
    await expect(run(scaled(2, 4))).rejects.toMatchObject({
      code: "GAUSSFLOW_ARGUMENT",
      message: expect.stringMatching(/from 0 to 1 in the units of the run.*received "y from 0 to 2"$/),
    });
    const { reason } = await run(scaled(2, 8));
    expect(reason.code).toMatch(/^(iterations|until)$/);
  });
});

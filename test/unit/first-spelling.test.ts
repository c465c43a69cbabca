// Files of the versions that spelled four names the British way: models of version 1, and checkpoints whose fingerprints were taken of those
// names. The fixtures were written by commit e02c2b0 from first-spelling.csv; the numbers below are those that it printed.
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  dataset,
  dormandPrince,
  flow,
  loadEnsemble,
  loadModel,
  modelFromJson,
  modelToJson,
  network,
  openDataFile,
  readCsv,
  train,
} from "../../src/index.js";
import { seal } from "../../src/sealed-json.js";

const fixture = (name: string) => join(import.meta.dirname, "../fixtures", name);
const folder = mkdtempSync(join(tmpdir(), "gaussflow-spelling-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const table = await readCsv(fixture("first-spelling.csv"), { target: "y" });
const net = network({ layers: [table.inputSize, 4, 1], activation: "tanh", centered: true, seed: 3 });
const firstRows = table.inputs.subarray(0, 3 * table.inputSize);

describe("models of version 1", () => {
  it("one network predicts the same bits, and its options have the names of today", async () => {
    const loaded = await loadModel(fixture("model-v1.json"));
    expect(loaded.options).toMatchObject({
      drawn: { initialization: "lecun-normal" },
      parametrization: "standard",
      centered: true,
    });
    expect([...loaded.predict(firstRows)]).toEqual([-0.8794827405027383, -0.5326381431669018, -0.025733121411653348]);
  });

  it("an ensemble does so too", async () => {
    const loaded = await loadEnsemble(fixture("ensemble-v1.json"));
    expect(loaded.networks[0]!.options.drawn?.initialization).toBe("glorot-uniform");
    expect([...loaded.predict(firstRows).mean]).toEqual([-0.31188191808039495, 0.17735598939952, 0.2225743853122842]);
  });

  it("is written again as version 2 with the names of today, and that reads as the same network", async () => {
    const loaded = await loadModel(fixture("model-v1.json"));
    const text = modelToJson(loaded);
    const { version, body } = JSON.parse(text);
    expect(version).toBe(2);
    expect(body.network).toMatchObject({
      parametrization: "standard",
      drawn: { initialization: "lecun-normal", seed: 3 },
    });
    expect(text).not.toMatch(/initialisation|centre/);
    expect(modelFromJson(text).state()).toEqual(loaded.state());
  });

  it("names of version 1 in a file of version 2 are refused", () => {
    const { body } = JSON.parse(readFileSync(fixture("model-v1.json"), "utf8"));
    expect(() => modelFromJson(seal("gaussflow-model", 2, body))).toThrow(/network\.parametrization is missing/);
  });

  it("members of version 2 in a file of version 1 are refused", () => {
    const { body } = JSON.parse(readFileSync(fixture("model-v1.json"), "utf8"));
    for (const [name, value] of Object.entries({ drawn: { initialization: "ntk", seed: 1 }, parametrization: "ntk" })) {
      const forged = { ...body, network: { ...body.network, [name]: value } };
      expect(() => modelFromJson(seal("gaussflow-model", 1, forged))).toThrow(
        new RegExp(`network has no option.*"${name}"`),
      );
    }
  });
});

describe("checkpoints of the first spelling go on bit for bit", () => {
  const copied = (name: string) => {
    const path = join(folder, name);
    copyFileSync(fixture(name), path);
    return path;
  };

  it("a training", async () => {
    const options = { backend: "typescript", seed: 1, stop: { iterations: 8 } } as const;
    const whole = await train(net, table, options);
    const resumed = await train(net, table, { ...options, resume: copied("checkpoint-v2.json") });
    expect(resumed.network.parameters).toEqual(whole.network.parameters);
    expect(resumed.iterations).toBe(8);
  });

  it("a flow", async () => {
    const { inputs, targets, inputSize } = table;
    const data = dataset({ inputs, targets, inputSize, outputSize: 1 });
    const options = {
      backend: "typescript",
      damping: 0.1,
      until: 0.5,
      integrator: dormandPrince({ relativeTolerance: 1e-4 }),
    } as const;
    const whole = await flow(net, data, options);
    const resumed = await flow(net, data, { ...options, resume: copied("flow-checkpoint-v2.json") });
    expect(resumed.network.parameters).toEqual(whole.network.parameters);
  });
});

it("a data file of version 1 holds its rows", () => {
  const data = openDataFile(fixture("table-v1.gfd"));
  expect([data.sampleCount, data.inputSize, data.outputSize]).toEqual([12, 2, 1]);
  expect(data.featureNames).toEqual(["x", "z"]);
  expect([...data.targetNames]).toEqual(["y"]);
});

describe("names of the first spelling in options are errors that name the new one", () => {
  it.each([
    [{ layers: [1, 1], initialisation: "ntk" }, /did you mean "initialization"/],
    [{ layers: [1, 1], centred: true }, /did you mean "centered"/],
  ])("%o", (options, message) => {
    expect(() => network(options as never)).toThrow(message);
  });

  it("standardise", async () => {
    await expect(train(net, table, { standardise: false } as never)).rejects.toThrow(/did you mean "standardize"/);
  });
});

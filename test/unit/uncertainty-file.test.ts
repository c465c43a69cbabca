// Posteriors in model files: every bit is restored, models without one and older readers are as before, and lies are refused by name. Results
// of other threads keep theirs.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  ensemble,
  ensembleFromJson,
  loadModel,
  modelFromJson,
  modelToJson,
  network,
  Random,
  saveModel,
  squaredError,
  train,
  uncertaintyOf,
} from "../../src/index.js";
import { packResult, unpackResult } from "../../src/jobs/message.js";
import { decodeFloats, encodeFloats } from "../../src/sealed-json.js";
import { type Body, reseal } from "../helpers/sealed.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-posterior-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const random = new Random(2);
const table = (n: number) => {
  const inputs = Array.from({ length: n }, () => [random.normal(), random.normal()]);
  return { inputs, targets: inputs.map(([a = 0, b = 0]) => a * b + 0.1 * random.normal()) };
};
const options = { uncertainty: true, validation: false as const, loss: squaredError({ decay: 3 }) };
const weights = Array.from({ length: 9 }, (_, i) => 1 + i);
const trained = {
  parameters: await train(network({ layers: [2, 3, 1], seed: 1 }), table(30), options),
  samples: await train(network({ layers: [2, 3, 1], seed: 1 }), { ...table(9), weights }, options),
};
const rows = [
  [0.3, 0.4],
  [-2, 1],
];

describe.each(["parameters", "samples"] as const)("a posterior in the space of %s", (space) => {
  const { network: net, uncertainty } = trained[space];

  it("goes through a file with every bit", async () => {
    const path = join(folder, `${space}.json`);
    await saveModel(path, net);
    const loaded = await loadModel(path);
    expect(loaded.posterior).toEqual(net.posterior);
    expect(await uncertaintyOf(loaded).predict(rows)).toEqual(await uncertainty!.predict(rows));
    expect(uncertaintyOf(loaded).rows).toBeNull();
    const [first] = ensembleFromJson(modelToJson(ensemble([net, net.withPosterior(null)]))).networks;
    expect(first!.posterior).toEqual(net.posterior);
  });

  it("is left out by a reader that does not know it, and of a file without it nothing is missed", () => {
    const without = modelToJson(net.withPosterior(null));
    expect(reseal(modelToJson(net), (body) => delete body.posterior)).toBe(without);
    const loaded = modelFromJson(without);
    expect(loaded.posterior).toBeNull();
    expect(loaded.predict(rows)).toEqual(net.predict(rows));
  });

  const lies: readonly (readonly [string, (posterior: Body) => unknown, RegExp])[] = [
    ["a newer version", (p) => (p.version = 2), /posterior has version 2.*update/],
    ["no version", (p) => delete p.version, /posterior\.version must be a count/],
    ["another space", (p) => (p.space = "outputs"), /posterior\.space must be "parameters" or "samples"/],
    ["a negative decay", (p) => (p.decay = -1), /posterior\.decay/],
    ["no rows", (p) => (p.samples = 0), /posterior\.samples/],
    ["values that are no text", (p) => (p.values = [1]), /posterior\.values must be base64/],
    [
      "values out of order",
      (p) => (p.values = encodeFloats(decodeFloats(p.values, null, "", "").reverse())),
      /posterior\.values must be ascending/,
    ],
    ["too few vectors", (p) => (p.vectors = ""), /posterior\.vectors must be a Float64Array/],
    ["a noise of two targets", (p) => (p.noise += p.noise), /posterior\.noise/],
    ["no noise", (p) => (p.noise = null), /posterior\.noise/],
    ["roots of another number of rows", (p) => (p.roots = p.noise), /posterior\.roots/],
  ];
  it.each(lies)("with %s is refused", (_, change, reason) => {
    const text = reseal(modelToJson(net), (body) => change(body.posterior));
    expect(() => modelFromJson(text, "net.json")).toThrow(reason);
    expect(() => modelFromJson(text, "net.json")).toThrow(/^net\.json: /);
  });

  it("is in the result of another thread", async () => {
    const result = unpackResult(structuredClone(packResult(trained[space])));
    expect(result.network.posterior).toEqual(net.posterior);
    expect(result.uncertainty!.rows).toEqual(uncertainty!.rows);
    expect(await result.uncertainty!.predict(rows)).toEqual(await uncertainty!.predict(rows));
  });
});

it("a posterior of more than 64 MiB is refused with the remedy", () => {
  const p = 3000;
  const wide = network({ layers: [1, 999, 1], seed: 1 });
  expect(wide.parameterCount).toBe(2998);
  const order = wide.parameterCount;
  const posterior = {
    ...{ space: "parameters" as const, decay: 0, gamma: 1, samples: p, inputs: null, roots: null },
    ...{ values: new Float64Array(order).fill(1), vectors: new Float64Array(order * order) },
    ...{ noise: new Float64Array(1), degrees: new Float64Array(1) },
  };
  expect(() => modelToJson(wide.withPosterior(posterior))).toThrow(/at most 64 MiB of it: save the network without it/);
});

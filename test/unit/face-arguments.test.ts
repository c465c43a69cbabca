// What the public face says of the usual mistakes, and the forms in which it takes data.
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import * as face from "../../src/index.js";

const quick = { backend: "typescript", stop: { iterations: 3 } } as const;
const rows = Array.from({ length: 10 }, (_, i) => [Math.fround(i / 10), Math.fround((i * i) / 50)]);
const targets = rows.map(([a = 0, b = 0]) => [a + b, a * b, a].map(Math.fround));
const net = face.network({ layers: [2, 3, 3], seed: 4 });

describe("flat arrays beside a network", () => {
  it("take its sizes, whatever array they are in, and train to the bits of rows", async () => {
    const { last: network } = await face.train(net, { inputs: rows, targets }, quick);
    const kinds: readonly ((list: readonly number[]) => face.NumberArray)[] = [
      (list) => list,
      (list) => Float32Array.from(list),
      (list) => Float64Array.from(list),
    ];
    for (const kind of kinds) {
      const data = { inputs: kind(rows.flat()), targets: kind(targets.flat()), weights: kind(rows.map(() => 1)) };
      expect((await face.train(net, data, { ...quick, validation: data })).last.parameters).toEqual(network.parameters);
      expect(network.predict(data.inputs)).toEqual(network.predict(rows));
      expect(network.inputJacobian(kind(rows[1]!))).toEqual(network.inputJacobian(rows[1]!));
    }
  });

  it("reach the other calls that take data", async () => {
    const data = { inputs: rows.flat(), targets: targets.flat() };
    expect(face.plan(net, data, quick).sampleCount).toBe(10);
    const job = { network: net, data, options: quick };
    expect((await face.trainMany([job, { ...job, network: face.network({ layers: [2, 2, 3] }) }])).best).not.toBeNull();
    expect((await face.crossValidate(job, { folds: 2 })).predictions.length).toBe(30);
    expect((await face.flow(net, data, { until: 0.01, damping: 0.5, backend: "typescript" })).records.length).not.toBe(
      0,
    );
  });

  it("are refused where they are no whole rows, in the sizes of the network", async () => {
    await expect(face.train(net, { inputs: rows.flat(), targets: targets.flat().slice(1) }, quick)).rejects.toThrow(
      "data.targets must hold one or more whole rows of 3 numbers; received an array of length 29",
    );
    await expect(face.train(net, { inputs: rows.flat(), targets: targets.flat().slice(3) }, quick)).rejects.toThrow(
      'data.targets must have 10 rows, as inputs has; received "9 rows"',
    );
  });

  it("have no other names for their sizes", () => {
    const data = { inputs: rows.flat(), targets: targets.flat(), targetSize: 3 };
    expect(() => face.dataset(data)).toThrow(/^data has no option of that name; .*; received "targetSize"$/);
  });
});

describe("what is no network", () => {
  it("is refused with the cure", async () => {
    const result = await face.train(net, { inputs: rows, targets }, quick);
    await expect(face.saveModel("m.json", result as never)).rejects.toThrow(/take the network out of this object/);
    await expect(face.saveModel(net as never, "m.json" as never)).rejects.toThrow(
      /^path must be a path; received an object of class Network$/,
    );
    const both = face.ensemble([net, net]);
    await expect(face.train(both as never, { inputs: rows, targets })).rejects.toThrow(
      /this is an ensemble: take one of its networks/,
    );
    expect(() => face.modelFromJson(undefined as never)).toThrow("text must be a text; received undefined");
  });

  it("as a copy without its class: the text of the model goes between threads", async () => {
    expect(() => face.modelToJson(structuredClone(net))).toThrow(
      /^network must be made by network\(\), networkOf\(\) or loadModel\(\); this is a copy of one that lost its class, .* send modelToJson\(network\) and make it again by modelFromJson; received/,
    );
    const set = structuredClone(face.dataset({ inputs: rows, targets }));
    await expect(face.train(net, set as never)).rejects.toThrow(/^data is a copy of a Dataset that lost its class/);
    const echo = new Worker(
      "require('node:worker_threads').parentPort.once('message', (text) => require('node:worker_threads').parentPort.postMessage(text))",
      { eval: true },
    );
    const text = await new Promise<string>((resolve) => {
      echo.once("message", resolve);
      echo.postMessage(face.modelToJson(net));
    });
    expect(face.modelFromJson(text)).toEqual(net);
  });
});

describe("targets that the output activation cannot reach", () => {
  const inputs = [[0], [1], [2], [3]];
  const run = (outputActivation: face.ActivationName, targets: number[], more: Partial<face.NetworkOptions> = {}) =>
    face.train(face.network({ layers: [1, 2, 1], outputActivation, ...more }), { inputs, targets }, quick);

  it.each([
    [
      "logistic",
      [2, 4, 7, 10],
      'data.targets must be from 0 to 1 in the units of the run, which is all that outputScale 1 times the output activation "logistic" can reach: use outputActivation "identity", or bring the targets into that range; received "target from 2 to 10"',
    ],
    ["tanh", [0, 1.5, 0, 0], "from -1 to 1"],
    ["relu", [1, 2, -0.1, 3], "from 0 to Infinity"],
    ["silu", [1, 2, -0.3, 3], "from -0.278465 to Infinity"],
  ] as const)("%s: are refused with range and values", async (activation, targets, message) => {
    await expect(run(activation, [...targets])).rejects.toThrow(message);
  });

  it("are told from those at the bounds, those of an output scale and those of a centered network", async () => {
    expect((await run("logistic", [0, 1, 1, 0])).reason.code).toBeDefined();
    expect((await run("logistic", [2, 4, 7, 10], { outputScale: 10 })).reason.code).toBeDefined();
    expect((await run("tanh", [-0.5, 0.2, 0.3, 0.4], { centered: true })).reason.code).toBeDefined();
    await expect(run("tanh", [-2.5, 0.2, 0.3, 0.4], { centered: true })).rejects.toThrow(
      /data\.targets must be from -1/,
    );
  });
});

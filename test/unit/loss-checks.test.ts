// What runs, engines and networks check about losses and links: targets by the row that the caller knows, networks whose outputs are no
// logits, a loss that is forgotten, an abort before the first iteration, and links beside scaled targets or in one ensemble.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import {
  createEngine,
  crossValidate,
  dataset,
  ensemble,
  type FileDataset,
  flow,
  huber,
  logistic,
  modelFromJson,
  modelToJson,
  type Network,
  Network as NetworkClass,
  network,
  openDataFile,
  plan,
  poisson,
  readCsv,
  softmaxCrossEntropy,
  squaredError,
  standardize,
  train,
  writeDataFile,
} from "../../src/index.js";
import { LOSS_FORMS } from "../../src/loss/rules.js";
import { seal } from "../../src/sealed-json.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-loss-checks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const N = 100;
const points = Array.from({ length: N }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const ones = points.map(([a = 0, b = 0]) => (a + b > 0 ? 1 : 0));
const classes = points.map(([a = 0, b = 0]) => (a > 0 ? [1, 0, 0] : b > 0 ? [0, 1, 0] : [0, 0, 1]));
const one = network({ layers: [2, 3, 1], seed: 3 });
const three = network({ layers: [2, 3, 3], seed: 3 });
const BACKEND = "typescript" as const;
const refused = (message: RegExp) => ({ code: "GAUSSFLOW_ARGUMENT", message: expect.stringMatching(message) });
const spoiled = <T>(rows: readonly T[], at: number, by: T) => rows.map((row, i) => (i === at ? by : row));

describe("a bad target is named by its row, from 1,", () => {
  const run = (net: Network, data: Parameters<typeof train>[1], options: Parameters<typeof train>[2] = {}) =>
    train(net, data, { backend: BACKEND, loss: logistic(), stop: { iterations: 1 }, ...options });

  it.each([0, 50, 99])("although a part of the rows is held out for validation: index %i", async (at) => {
    const data = { inputs: points, targets: spoiled(ones, at, 7) };
    const message = new RegExp(
      `^data\\.targets must be from 0 to 1 with logistic; received "target = 7 in row ${at + 1}"`,
    );
    await expect(run(one, data)).rejects.toMatchObject(refused(message));
    await expect(flow(one, data, { backend: BACKEND, loss: logistic(), damping: 0.5 })).rejects.toMatchObject(
      refused(message),
    );
  });

  it("behind rows without a weight, whose own targets do not matter", async () => {
    const weights = points.map((_, i) => (i < 10 ? 0 : 1));
    const data = { inputs: points, targets: spoiled(spoiled(ones, 3, 9), 50, 7), weights };
    await expect(run(one, data)).rejects.toMatchObject(refused(/= 7 in row 51"/));
    const { reason } = await run(one, { ...data, targets: spoiled(ones, 3, 9) });
    expect(reason.code).toBe("iterations");
  });

  it("in a data file, where the sum of a row is wrong", async () => {
    const path = join(folder, "classes.gfd");
    const rows = spoiled(classes, 7, [1, 1, 0]).map((row, i) => [...(points[i] ?? []), ...row]);
    await writeDataFile(path, { featureNames: ["a", "b"], targetNames: ["x", "y", "z"] }, rows);
    const file: FileDataset = openDataFile(path);
    const message = /^data\.targets must sum to 1 in every row.*the sum 2 in row 8"/;
    await expect(run(three, file, { loss: softmaxCrossEntropy() })).rejects.toMatchObject(refused(message));
  });

  it("in a table, whose rows for the test are not used", async () => {
    const parts = points.map((_, i) => (i % 10 === 0 ? "test" : "train"));
    const lines = (targets: readonly number[]) =>
      ["a,b,y,part", ...points.map((row, i) => [...row, targets[i], parts[i]].join(","))].join("\n");
    const path = join(folder, "table.csv");
    const read = async (targets: readonly number[]) => {
      writeFileSync(path, lines(targets));
      return readCsv(path, { target: "y", split: "part" });
    };
    await expect(run(one, await read(spoiled(ones, 57, 3)))).rejects.toMatchObject(refused(/y = 3 in row 58"/));
    const { reason } = await run(one, await read(spoiled(ones, 50, 3)));
    expect(reason.code).toBe("iterations");
  });

  it("of the whole set where it is cross-validated", async () => {
    const job = {
      network: one,
      data: { inputs: points, targets: spoiled(ones, 50, 7) },
      options: { loss: logistic() },
    };
    await expect(crossValidate(job)).rejects.toMatchObject(refused(/^job\.data\.targets .*= 7 in row 51"/));
  });

  it("of the validation data where those are given", async () => {
    const validation = { inputs: [[0, 0], [1, 1]], targets: [0, 7] }; // biome-ignore format: two rows
    const message = /^options\.validation\.targets must be from 0 to 1 with logistic; received "target = 7 in row 2"/;
    await expect(run(one, { inputs: points, targets: ones }, { validation })).rejects.toMatchObject(refused(message));
  });
});

describe.each([
  ["logistic", logistic(), ones, 1],
  ["softmax", softmaxCrossEntropy(), classes, 3],
  ["exp", poisson(), ones, 1],
] as const)("%s", (link, loss, targets, outputs) => {
  const data = { inputs: points, targets: targets as readonly number[] | readonly number[][] };
  const layers = [2, 3, outputs];

  it("refuses an output activation, because the loss makes predictions of the outputs itself", async () => {
    const net = network({ layers, outputActivation: "logistic" });
    const message = /^network must have outputActivation "identity" with .*received "outputActivation \\"logistic\\""/;
    await expect(train(net, data, { backend: BACKEND, loss })).rejects.toMatchObject(refused(message));
    await expect(flow(net, data, { backend: BACKEND, loss, damping: 0.5 })).rejects.toMatchObject(refused(message));
    expect(() => plan(net, data, { loss })).toThrow(message);
  });

  it("is not forgotten where a training goes on", async () => {
    const options = { backend: BACKEND, stop: { iterations: 2 } };
    const { network: trained } = await train(network({ layers }), data, { ...options, loss });
    const message = new RegExp(
      `^options\\.loss must be given .* ${LOSS_FORMS[loss.kind].function}\\(\\).*withLink\\("identity"\\)`,
    );
    await expect(train(trained, data, options)).rejects.toMatchObject(refused(message));
    await expect(flow(trained, data, { backend: BACKEND, damping: 0.5 })).rejects.toMatchObject(refused(message));
    expect(() => plan(trained, data)).toThrow(message);
    const again = await train(trained, data, { ...options, loss });
    expect(again.network.link).toBe(link);
    const asked = await train(trained, data, { ...options, loss: squaredError() });
    expect(asked.network.link).toBe("identity");
    const free = await train(trained.withLink("identity"), data, options);
    expect(free.network.parameters).toEqual(asked.network.parameters);
  });

  it("gives its link to the network of a run that is aborted before it begins", async () => {
    const signal = AbortSignal.abort();
    const many = Array.from({ length: 20_000 }, (_, i) => i % N);
    const large = {
      inputs: many.map((i) => points[i] ?? []),
      targets: many.map((i) => targets[i] ?? 0) as number[] | number[][],
    };
    for (const one of [data, large]) {
      const trained = await train(network({ layers }), one, { backend: BACKEND, loss, signal });
      expect([trained.reason.code, trained.network.link, trained.last.link]).toEqual(["aborted", link, link]);
      const flown = await flow(network({ layers }), one, { backend: BACKEND, loss, signal, damping: 0.5 });
      expect([flown.reason.code, flown.network.link, flown.last.link]).toEqual(["aborted", link, link]);
    }
  });

  it("has a link that no network with scaled targets takes", () => {
    const net = network({ layers });
    const scaling = standardize(dataset(data));
    expect(() => net.withScaling(scaling).withLink(link)).toThrow(/^link must be "identity".*withScaling\(null\)/);
    expect(() => net.withLink(link).withScaling(scaling)).toThrow(/^scaling must leave the targets/);
    expect(() => new NetworkClass({ ...net.state(), scaling, link })).toThrow(/^state\.link must be "identity"/);
    const { body } = JSON.parse(modelToJson(net.withScaling(scaling)));
    const forged = seal("gaussflow-model", 2, { ...body, link });
    expect(() => modelFromJson(forged, "net.json")).toThrow(
      expect.objectContaining({
        code: "GAUSSFLOW_FILE",
        message: expect.stringMatching(/^net\.json: link must be "identity"/),
      }),
    );
    const inputsOnly = {
      ...scaling,
      targets: { offset: new Float64Array(outputs), scale: new Float64Array(outputs).fill(1) },
    };
    expect(net.withScaling(inputsOnly).withLink(link).link).toBe(link);
  });

  it("has predictions that no ensemble joins with others", () => {
    const net = network({ layers });
    expect(() => ensemble([net.withLink(link), net])).toThrow(
      new RegExp(`^networks\\[1\\] must have the link "${link}", as the first.*received "identity"`),
    );
    expect(ensemble([net.withLink(link), net.withLink(link)]).networks.length).toBe(2);
  });
});

describe("withLink", () => {
  it.each(["foo", null, undefined])("refuses %s by the name of its argument", (link) => {
    expect(() => one.withLink(link as never)).toThrow(
      /^link must be one of identity, logistic, softmax, gaussian, exp; received/,
    );
  });

  it("is left out of a state for identity alone", () => {
    const { link: _, ...state } = one.state();
    expect(new NetworkClass(state).link).toBe("identity");
    expect(() => new NetworkClass({ ...state, link: null as never })).toThrow(
      /^state\.link must be one of .*received null/,
    );
  });
});

const BACKENDS = loadNative().ok ? (["typescript", "native"] as const) : (["typescript"] as const);
describe.each(BACKENDS)("createEngine, %s", (backend) => {
  const engine = (
    net: Network,
    targets: readonly number[],
    loss: ReturnType<typeof logistic | typeof softmaxCrossEntropy>,
  ) =>
    createEngine(
      net.architecture,
      { sampleCount: 2, inputs: Float64Array.of(1, 2, 3, 4), targets: Float64Array.from(targets), loss },
      { backend, threads: 1 },
    );

  it("refuses targets that the loss cannot have", () => {
    expect(() => engine(one, [1, 7], logistic())).toThrow(
      /^data\.targets\[1\] must be from 0 to 1 with logistic; received 7/,
    );
    expect(() => engine(three, [1, 0, 0, -1, 0, 0], softmaxCrossEntropy())).toThrow(
      /^data\.targets\[3\] .*received -1/,
    );
    expect(() => engine(three, [1, 0, 0, 0, 0, 0], softmaxCrossEntropy())).toThrow(
      /^data\.targets must sum to 1.*the sum 0 in row 2"/,
    );
    engine(three, [1, 0, 0, 0.5, 0.25, 0.25], softmaxCrossEntropy()).dispose();
  });

  it("takes any targets of a loss for real numbers", () => {
    createEngine(
      one.architecture,
      { sampleCount: 1, inputs: Float64Array.of(1, 2), targets: Float64Array.of(7), loss: huber({ delta: 1 }) },
      { backend, threads: 1 },
    ).dispose();
  });
});

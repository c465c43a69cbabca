// A training on classes: the loss that it takes, class weights against sample weights written out, classes in the model and its file,
// predictions of classes, and what is refused.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import {
  crossValidate,
  dataset,
  ensemble,
  fitTable,
  flow,
  huber,
  logistic,
  modelFromJson,
  modelToJson,
  mostProbableClasses,
  Network,
  network,
  openDataFile,
  plan,
  predictAsync,
  readCsv,
  restarts,
  softmaxCrossEntropy,
  squaredError,
  train,
  trainMany,
  writeDataFile,
} from "../../src/index.js";
import { reseal } from "../helpers/sealed.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-classes-"));
const BACKEND = "typescript" as const;
const BACKENDS = loadNative().ok ? (["typescript", "native"] as const) : (["typescript"] as const);
const NAMES = ["low", "middle", "high"];
/** Three classes along a line, with some overlap. */
const n = 90;
const inputs = Array.from({ length: n }, (_, i) => [i / 30, Math.sin(7 * i)]);
const labels = inputs.map(([x = 0, z = 0]) => NAMES[Math.min(2, Math.max(0, Math.floor(x + z / 3)))]!);
const data = dataset({ inputs, targets: labels, classes: NAMES });
const net = network({ layers: [2, 4, 3], seed: 2 });
const options = { backend: BACKEND, stop: { iterations: 15 } };

describe("the loss of a training on classes", () => {
  it("is the softmax cross-entropy with decay 2 where none is given, to the bit, and the result says so", async () => {
    const picked = await train(net, data, options);
    const given = await train(net, data, { ...options, loss: softmaxCrossEntropy({ decay: 2 }) });
    expect(picked.lossUsed).toEqual(softmaxCrossEntropy({ decay: 2 }));
    expect([...picked.network.parameters]).toEqual([...given.network.parameters]);
    expect(picked.chosen).toMatch(/It tells 3 classes apart \(softmax cross-entropy, weight decay 2\)\.$/);
    expect(picked.network.link).toBe("softmax");
    expect(picked.network.classes).toEqual(NAMES);
    expect(plan(net, data, options).because).toBe(picked.plan.because);
  });
  it("is that of flows, jobs and folds too", async () => {
    const path = await flow(net, data, { backend: BACKEND, until: 0.1 });
    expect(path.lossUsed).toEqual(softmaxCrossEntropy({ decay: 2 }));
    const job = { network: net, data, options };
    const { best } = await trainMany([
      ...restarts(job, 2),
      { ...job, options: { ...options, loss: softmaxCrossEntropy() } },
    ]);
    expect(best?.result?.network.classes).toEqual(NAMES);
    const raw = { network: net, data: { inputs, targets: labels, classes: NAMES }, options };
    const { folds } = await crossValidate(raw, { folds: 3 });
    expect(folds.every(({ best: one }) => one?.result?.lossUsed.kind === "softmax-cross-entropy")).toBe(true);
  });
  it.each([squaredError(), huber({ delta: 1 }), logistic()])("is refused where it is another: $kind", async (loss) => {
    const refused = /options\.loss must be softmaxCrossEntropy\(\) for targets that are classes \(low, middle, high\)/;
    await expect(train(net, data, { ...options, loss })).rejects.toThrow(refused);
    await expect(flow(net, data, { backend: BACKEND, loss })).rejects.toThrow(refused);
    // The remedy of the message.
    const plain = dataset({ inputs: data.inputs, targets: data.targets, inputSize: 2, outputSize: 3 });
    const { network: trained } = await train(net, plain, { ...options, loss });
    expect(trained.classes).toBeNull();
  });
  it("with 1,000 classes is planned, and refused where its memory does not fit the limit", async () => {
    const many = dataset({
      inputs: Array.from({ length: 2000 }, (_, i) => [i % 1000, Math.sin(i)]),
      targets: Array.from({ length: 2000 }, (_, i) => `k${i % 1000}`),
    });
    const wide = network({ layers: [2, 4, 1000] });
    const { chosen, parameterCount } = plan(wide, many, { backend: BACKEND });
    expect(parameterCount).toBe(wide.parameterCount);
    expect(chosen.bytes.most).toBeGreaterThan(8 * many.targets.length);
    const limited = { backend: BACKEND, route: "matrix-free", memoryLimit: 1e9 } as const;
    const refused = await train(wide, many, limited).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "GAUSSFLOW_MEMORY" });
    // The remedy of the message, which holds with a class more than its steps of 2%.
    const classes = Number(String(refused).match(/about (\d+) classes fit/)?.[1]);
    const fits = (count: number) => {
      const targets = Array.from({ length: 2000 }, (_, i) => `k${i % count}`);
      const joined = dataset({ inputs: many.inputs, inputSize: 2, targets });
      return plan(network({ layers: [2, 4, count] }), joined, limited).chosen.fits;
    };
    expect(fits(classes)).toBe(true);
    expect(fits(Math.ceil(1.03 * classes))).toBe(false);
  });
  it("with 1,000 classes is compared only within the budget, whose message says how to train at once", async () => {
    const many = dataset({
      inputs: Array.from({ length: 3000 }, (_, i) => [i % 1000, Math.sin(i)]),
      targets: Array.from({ length: 3000 }, (_, i) => `k${i % 1000}`),
    });
    await expect(fitTable(many, { train: { backend: BACKEND } })).rejects.toThrow(
      /options\.budget must be at least .*options\.hidden and options\.decay together, such as 16 units and 0\.1,/,
    );
  });
  it.each(BACKENDS)("with 1,000 classes trains by products, and predicts the rows (%s)", async (backend) => {
    // Few rows of few of the classes: a sample has a million deltas.
    const names = Array.from({ length: 1000 }, (_, k) => `k${String(k).padStart(3, "0")}`);
    const labels = Array.from({ length: 8 }, (_, i) => names[120 * i] as string);
    const rows = labels.map((_, i) => [Math.cos(i), Math.sin(i), Math.cos(2 * i), Math.sin(2 * i)]);
    const few = dataset({ inputs: rows, targets: labels, classes: names });
    const { network: trained, records } = await train(network({ layers: [4, 1000], seed: 1 }), few, {
      backend,
      route: "matrix-free",
      loss: softmaxCrossEntropy({ decay: 1e-3 }),
      validation: false,
      stop: { iterations: 8, loss: 0.05 },
    });
    // Half of what equal probabilities have.
    expect(records.at(-1)?.objective).toBeLessThan((rows.length * Math.log(1000)) / 2);
    expect(trained.predictClass(rows)).toEqual(labels);
  });
  it("needs one output a class", async () => {
    await expect(train(network({ layers: [2, 4, 1] }), data, options)).rejects.toThrow(
      /network must have 3 outputs, one a class of the data \(low, middle, high\)/,
    );
  });
  it("takes numbers of classes, one a row, once the task says that they are classes", async () => {
    const numbers = { inputs, targets: labels.map((name) => NAMES.indexOf(name)) };
    await expect(train(net, numbers, options)).rejects.toThrow(
      /data\.targets must have 3 numbers for each row of inputs; .* add task: "classification"; received "90 numbers for 90 rows"/,
    );
    const { network: trained } = await train(net, { ...numbers, task: "classification" }, options);
    const { network: named } = await train(net, data, options);
    expect(trained.classes).toEqual(["0", "1", "2"]);
    expect(trained.parameters).toEqual(named.parameters);
  });
  it("goes on from a trained network without being named again, and only with the same classes", async () => {
    const { network: first } = await train(net, data, options);
    const { network: second } = await train(first, data, options);
    expect(second.classes).toEqual(NAMES);
    const turned = dataset({ inputs, targets: labels });
    await expect(train(first, turned, options)).rejects.toThrow(
      /data must have the classes of the network in their order \(low, middle, high\).*received "high, low, middle"/,
    );
    // Names of classes are read as those of the network beside them.
    const named = await train(first, { inputs, targets: labels }, options);
    expect([...named.network.parameters]).toEqual([...second.parameters]);
  });
  it("takes validation rows by name, and refuses an unknown name and another order", async () => {
    const some = {
      inputs: [
        [0.1, 0],
        [1.5, 0],
      ],
      targets: ["low", "middle"],
    };
    const { validationLoss } = await train(net, data, { ...options, validation: some });
    expect(validationLoss).toBeGreaterThan(0);
    const wrong = {
      inputs: [
        [0, 0],
        [1, 0],
      ],
      targets: ["low", "none"],
    };
    await expect(train(net, data, { ...options, validation: wrong })).rejects.toThrow(
      /options\.validation\.targets, row 2: must be one of the classes low, middle, high; received "none"/,
    );
    const order = dataset({ ...some, classes: ["high", "low", "middle"] });
    await expect(train(net, data, { ...options, validation: order })).rejects.toThrow(
      /options\.validation must have the classes of the training data in the same order/,
    );
  });
  it("misses a class of a single row in one fold: that fold says so, and every row is predicted", async () => {
    const single = dataset({ inputs, targets: labels.map((name, i) => (i === 40 ? "single" : name)) });
    const job = { network: network({ layers: [2, 4, 4] }), data: single, options };
    const { folds, predictions, metrics } = await crossValidate(job, { folds: 3 });
    const told = folds.filter(({ best }) => best?.result?.warnings.some((warning) => /class single/.test(warning)));
    expect(told.map(({ fold }) => fold.rows.includes(40))).toEqual([true]);
    expect(predictions.every(Number.isFinite)).toBe(true);
    expect(metrics?.every(({ rmse }) => rmse < 1)).toBe(true);
  });
  it("warns of a class without a row to train on, and predicts it with a small probability", async () => {
    const absent = dataset({ inputs, targets: labels, classes: [...NAMES, "never"] });
    const result = await train(network({ layers: [2, 4, 4] }), absent, {
      ...options,
      loss: softmaxCrossEntropy({ decay: 0.1 }),
    });
    expect(result.warnings.join("\n")).toMatch(/without a row to train on.*probability near 0: class never/);
    const p = result.network.predict(inputs);
    expect(Math.max(...inputs.map((_, i) => p[4 * i + 3]!))).toBeLessThan(0.05);
  });
});

describe("class weights", () => {
  const rare = dataset({
    inputs,
    targets: inputs.map((_, i) => (i % 9 === 0 ? "rare" : "common")),
    weights: inputs.map((_, i) => 1 + (i % 2)),
  });
  const small = network({ layers: [2, 3, 2], seed: 1 });
  it("balanced: multiply the sample weights by W / (c W_k), to the bit", async () => {
    const total = [0, 0];
    for (let i = 0; i < n; i++) total[i % 9 === 0 ? 1 : 0]! += 1 + (i % 2);
    const factor = total.map((one) => (total[0]! + total[1]!) / (2 * one));
    const weights = inputs.map((_, i) => (1 + (i % 2)) * factor[i % 9 === 0 ? 1 : 0]!);
    const written = dataset({ inputs, targets: rare.targets, classes: ["common", "rare"], weights });
    const balanced = await train(small, rare, { ...options, classWeights: "balanced" });
    const plain = await train(small, written, options);
    expect([...balanced.network.parameters]).toEqual([...plain.network.parameters]);
    expect(balanced.validationLoss).toBe(plain.validationLoss);
    expect(plan(small, rare, { ...options, classWeights: "balanced" }).chosen.bytes).toEqual(
      plan(small, written, options).chosen.bytes,
    );
    const none = await train(small, rare, options);
    expect([...none.network.parameters]).not.toEqual([...plain.network.parameters]);
    expect(balanced.network.summary).toMatchObject({ classFactors: factor });
  });
  it("give a class of 1 in 1000 rows half of the probability where it cannot be told apart", async () => {
    const rows = Array.from({ length: 2000 }, (_, i) => [i % 2]);
    const skewed = dataset({
      inputs: rows,
      targets: rows.map((_, i) => (i % 1000 < 2 && i < 1000 ? "rare" : "common")),
    });
    const flat = network({ layers: [1, 2], seed: 1 });
    const loss = softmaxCrossEntropy({ decay: 1e-6 });
    const shareOf = async (classWeights: "balanced" | undefined) => {
      const { network: trained } = await train(flat, skewed, {
        backend: BACKEND,
        loss,
        classWeights,
        validation: false,
      });
      return trained.predict([[0.5]])[1]!;
    };
    expect(await shareOf("balanced")).toBeCloseTo(0.5, 4);
    expect(await shareOf(undefined)).toBeCloseTo(1 / 1000, 4);
  });
  it("are given by name; an unknown name, a number that is not positive, and data without classes are refused", async () => {
    const twice = await train(small, rare, { ...options, classWeights: { rare: 2 } });
    const weights = inputs.map((_, i) => (1 + (i % 2)) * (i % 9 === 0 ? 2 : 1));
    const written = dataset({ inputs, targets: rare.targets, classes: ["common", "rare"], weights });
    expect([...twice.network.parameters]).toEqual([...(await train(small, written, options)).network.parameters]);
    const refused = (classWeights: unknown) => train(small, rare, { ...options, classWeights: classWeights as never });
    await expect(refused({ rar: 2 })).rejects.toThrow(
      /options\.classWeights must name classes of the data; did you mean "rare"/,
    );
    await expect(refused({ rare: 0 })).rejects.toThrow(
      /options\.classWeights\["rare"\] must be a positive finite number/,
    );
    await expect(refused("even")).rejects.toThrow(/options\.classWeights must be "balanced" or an object/);
    const numbers = dataset({ inputs, targets: inputs.map(([x = 0]) => x) });
    await expect(train(network({ layers: [2, 1] }), numbers, { ...options, classWeights: "balanced" })).rejects.toThrow(
      /options\.classWeights must be left out for data without classes/,
    );
  });
});

describe("classes of a network", () => {
  it("are kept in its file and in that of an ensemble; a file without them is read as before", async () => {
    const { network: trained } = await train(net, data, options);
    const text = modelToJson(trained);
    expect(modelFromJson(text).classes).toEqual(NAMES);
    expect(modelFromJson(text).predictClass(inputs)).toEqual(trained.predictClass(inputs));
    expect(modelToJson(net)).not.toMatch(/classes/);
    const damaged = (classes: unknown) => () => modelFromJson(reseal(text, (body) => Object.assign(body, { classes })));
    expect(damaged(["a", "b"])).toThrow(/classes must name 3 classes, one an output/);
    expect(damaged(["a", "b", "a"])).toThrow(/classes must not hold a class twice/);
    expect(() => modelFromJson(reseal(text, (body) => Object.assign(body, { link: "logistic" })))).toThrow(
      /classes must be null/,
    );
  });
  it("name the most probable class, the first among equals; a NaN is an error", async () => {
    const { network: trained } = await train(net, data, options);
    const p = trained.predict(inputs);
    const byHand = inputs.map((_, i) => {
      const row = [...p.subarray(3 * i, 3 * i + 3)];
      return NAMES[row.indexOf(Math.max(...row))];
    });
    expect(trained.predictClass(inputs)).toEqual(byHand);
    expect(mostProbableClasses(await predictAsync(trained, inputs, { backend: BACKEND }), trained.classes)).toEqual(
      byHand,
    );
    expect(ensemble([trained, trained]).predictClass(inputs)).toEqual(byHand);
    expect(byHand.filter((name, i) => name === labels[i]).length).toBeGreaterThan(0.8 * n);
    expect(mostProbableClasses([0.4, 0.4, 0.2], NAMES)).toEqual(["low"]);
    expect(() => mostProbableClasses(Float64Array.of(1, 0, 0, Number.NaN, 0, 0), NAMES)).toThrow(
      /row 2: must be numbers/,
    );
    expect(() => net.predictClass(inputs)).toThrow(/classes must be those of a network that was trained on classes/);
  });
  it("go with the link softmax and with the encoding, and with those of the other networks of an ensemble", async () => {
    const { network: trained } = await train(net, data, options);
    expect(trained.withLink("identity").classes).toBeNull();
    expect(() => trained.withLink("identity").withClasses(NAMES)).toThrow(
      /classes must be null for a network whose link is not "softmax"/,
    );
    expect(() => trained.withClasses(["a", "b"])).toThrow(/must name 3 classes/);
    expect(() => ensemble([trained, trained.withClasses(["a", "b", "c"])])).toThrow(
      /networks\[1\] must have the classes low, middle, high/,
    );
    expect(() => new Network({ ...trained.state(), classes: ["a"] })).toThrow(/state\.classes must be a list/);
  });
  it("come from the table that it is trained on, also through a file of rows", async () => {
    const lines = ["x,z,kind", ...inputs.map(([x, z], i) => `${x},${z},${labels[i]}`)];
    const table = await readCsv(Readable.from([`${lines.join("\n")}\n`]));
    const { network: trained } = await train(net, table, options);
    const back = modelFromJson(modelToJson(trained));
    expect([back.classes, back.encoding?.classes]).toEqual([
      ["high", "low", "middle"],
      ["high", "low", "middle"],
    ]);
    const other = { ...back.encoding!, classes: ["low", "high", "middle"] };
    expect(() => back.withEncoding(other)).toThrow(/state\.classes must be those of the encoding/);
    const path = join(folder, "rows.gfd");
    const columns = { featureNames: ["x", "z"], targetNames: ["a", "b", "c"], classes: NAMES };
    await writeDataFile(
      path,
      columns,
      inputs.map((row, i) => [...row, ...data.targets.subarray(3 * i, 3 * i + 3)]),
    );
    const file = openDataFile(path);
    expect(file.classes).toEqual(NAMES);
    const fromFile = await train(net, file, options);
    const inMemory = await train(net, data, { ...options, validation: false });
    expect([...fromFile.network.parameters]).toEqual([...inMemory.network.parameters]);
    expect(fromFile.network.classes).toEqual(NAMES);
    await expect(train(net, file, { ...options, classWeights: "balanced" })).rejects.toThrow(
      /options\.classWeights must be left out for data from a file/,
    );
    await expect(writeDataFile(path, { ...columns, classes: ["a", "b"] }, [])).rejects.toThrow(
      /columns\.classes must name 3 classes/,
    );
  });
});

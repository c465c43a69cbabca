// Methods written outside of src, with what the package exports and nothing else: trained, checkpointed, resumed, run beside others.
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  levenbergMarquardt,
  type Method,
  network,
  squaredError,
  type TrainOptions,
  train,
  trainMany,
} from "../../src/index.js";
import { timeless } from "../helpers/many-jobs.js";
import { momentumDescent, tenfold } from "../helpers/own-method.js";
import { waves } from "../helpers/problems.js";

const data = waves(80, 3, 1, 5);
const net = network({ layers: [3, 6, 1], seed: 4 });
const folder = await mkdtemp(join(tmpdir(), "gaussflow-"));
const quick = { backend: "typescript", stop: { iterations: 25 } } as const satisfies TrainOptions;

it("docs/own-method.md shows the methods that run here", async () => {
  const page = await readFile("docs/own-method.md", "utf8");
  const code = await readFile("test/helpers/own-method.ts", "utf8");
  expect(page).toContain(`\`\`\`ts\n${code.replace("../../src/index.js", "gaussflow")}\`\`\``);
});

const methods: readonly [string, () => Method][] = [
  ["momentum-descent", momentumDescent],
  ["tenfold", tenfold],
];

describe.each(methods)("%s", (name, make) => {
  it.each(["primal", "dual"] as const)("lowers the loss at every accepted step, %s route", async (route) => {
    const options = { ...quick, route, loss: squaredError({ decay: 1e-4 }) };
    const result = await train(net, data, { ...options, method: make() });
    const accepted = result.records.filter((record) => record.accepted).map(({ objective }) => objective);
    expect(accepted).toHaveLength(26);
    expect(accepted).toEqual([...accepted].sort((a, b) => b - a));
    expect(result.loss).toBeLessThan(0.5 * result.records[0]!.loss);
    expect(result.details).toContain(make().label);
  });

  it("resumes bit for bit from a checkpoint", async () => {
    const path = join(folder, `${name}.json`);
    const method = make();
    const whole = await train(net, data, { ...quick, method });
    await train(net, data, { ...quick, method, stop: { iterations: 9 }, checkpoint: { path, every: 4 } });
    expect(timeless(await train(net, data, { ...quick, method, resume: path }))).toEqual(timeless(whole));
    await expect(train(net, data, { ...quick, resume: path })).rejects.toThrow(/belongs to another run/);
  });

  it("runs in trainMany, in this thread, beside methods that cross to others", async () => {
    const jobs = [make(), levenbergMarquardt()].map((method) => ({
      network: net,
      data,
      options: { ...quick, method },
    }));
    const { results } = await trainMany(jobs);
    const alone = await train(net, data, { ...quick, method: make() });
    expect(results.map(({ error }) => error)).toEqual([null, null]);
    expect(results[0]!.result?.loss).toBe(alone.loss);
  });
});

it("a method may throw: the error reaches the caller of train", async () => {
  const run = train(net, data, { ...quick, route: "matrix-free", method: tenfold() });
  await expect(run).rejects.toThrow("tenfold solves with a matrix: route primal or dual");
});

describe("what a method lacks is named", () => {
  const bad: readonly [string, object, RegExp][] = [
    [
      "no object",
      { method: "lm" },
      /options\.method must be made by levenbergMarquardt\(\) or gaussNewton\(\), or have the form of docs\/own-method\.md/,
    ],
    ["no name", { method: { ...tenfold(), name: "" } }, /options\.method\.name must be a text that is not empty/],
    ["no label", { method: { ...tenfold(), label: 3 } }, /options\.method\.label must be a text/],
    [
      "settings",
      { method: { ...tenfold(), settings: { of: [1] } } },
      /options\.method\.settings\.of must be a text, a finite number or a boolean/,
    ],
    ["no settings", { method: { ...tenfold(), settings: null } }, /options\.method\.settings must be an object/],
    [
      "scaling",
      { method: { ...tenfold(), scaling: "none" } },
      /options\.method\.scaling must be one of identity, root, marquardt/,
    ],
    ["no start", { method: { ...tenfold(), start: undefined } }, /options\.method\.start must be a function/],
    ["no damping", { method: { ...tenfold(), damping: 1 } }, /options\.method\.damping must be a function/],
    [
      "state",
      { method: { ...tenfold(), start: () => ({ rule: "tenfold" }) } },
      /options\.method\.start must answer numbers and Float64Arrays, which rule is not; received "tenfold"/,
    ],
    ["no state", { method: { ...tenfold(), start: () => null } }, /options\.method\.start must answer an object/],
  ];
  it.each(bad)("%s", async (_, options, message) => {
    await expect(train(net, data, { ...quick, ...options } as TrainOptions)).rejects.toThrow(message);
    await expect(train(net, data, { ...quick, ...options } as TrainOptions)).rejects.toMatchObject({
      code: "GAUSSFLOW_ARGUMENT",
    });
  });
});

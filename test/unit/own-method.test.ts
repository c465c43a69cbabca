// Methods written outside of src, with what the package exports and nothing else: trained, checkpointed, resumed, run beside others.
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  levenbergMarquardt,
  type Method,
  network,
  plan,
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
      /options\.method must be "auto", or made by levenbergMarquardt\(\), gaussNewton\(\), exactGaussNewton\(\) or another method of docs\/methods\.md, or have the form of docs\/own-method\.md/,
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
    [
      "fidelity",
      { method: { ...tenfold(), fidelity: "exact" } },
      /options\.method\.fidelity must be an object with the functions planned and next; received "exact"/,
    ],
    [
      "no next fidelity",
      { method: { ...tenfold(), fidelity: { planned: () => null } } },
      /options\.method\.fidelity\.next must be a function/,
    ],
    [
      "a precision of its own",
      { method: { ...tenfold(), precision: "auto" } },
      /options\.method\.precision must not be there: fidelity\.next decides it/,
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

describe("a method decides how exactly its curvature is formed", () => {
  /** Double precision on all samples at first, single precision and every third sample from the fourth accepted step on. */
  const thrifty = (): Method => ({
    ...tenfold(),
    name: "thrifty",
    fidelity: {
      planned: () => ({ single: true, subset: { first: 27, most: 27 } }),
      next: ({ sampleCount }, { iteration }) => {
        if (iteration < 4) return { precision: "double", subset: null };
        const subset = Uint32Array.from({ length: Math.ceil(sampleCount / 3) }, (_, k) => 3 * k);
        return { precision: "single", subset, tolerance: 1e-6 };
      },
    },
  });
  const options = { ...quick, validation: false, stop: { iterations: 12 } } as const;

  it("and every record says what was used; a resumed run decides the same", async () => {
    const whole = await train(net, data, { ...options, method: thrifty() });
    for (const { iteration, precision, subset } of whole.records.slice(1)) {
      expect(precision?.used).toBe(iteration <= 4 ? "double" : "single");
      expect([subset, precision?.tolerance]).toEqual(iteration <= 4 ? [null, null] : [27, 1e-6]);
      expect(precision?.fallback).toBeNull();
    }
    const path = join(folder, "thrifty.json");
    const stop = { iterations: 7 };
    await train(net, data, { ...options, method: thrifty(), stop, checkpoint: { path } });
    expect(timeless(await train(net, data, { ...options, method: thrifty(), resume: path }))).toEqual(timeless(whole));
  });

  it("and the plan counts what it says", () => {
    const [planned, exact] = [thrifty(), tenfold()].map(
      (method) => plan(net, data, { ...options, method }).chosen.flops,
    );
    // A third of the samples in the Gram matrix, and four products with all of them.
    expect(planned).not.toBe(exact);
  });
});

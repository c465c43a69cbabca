// Training and flows with losses other than squared error: minima against other routes and closed forms, resuming, data files, jobs,
// probabilities in predictions and model files, and what is refused.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import {
  convertCsv,
  discretizationGap,
  dormandPrince,
  flow,
  gaussianNll,
  huber,
  type Loss,
  levenbergMarquardt,
  logistic,
  modelFromJson,
  modelToJson,
  monitor,
  network,
  openDataFile,
  poisson,
  predictAsync,
  restarts,
  softmaxCrossEntropy,
  squaredError,
  train,
  trainMany,
} from "../../src/index.js";
import { packResult, unpackResult } from "../../src/jobs/message.js";
import { lossRule } from "../../src/loss/rules.js";
import { CASES, dataOf, inputs, ROWS, TARGETS, type TargetsKind } from "../helpers/loss-targets.js";

const BACKEND = "typescript" as const;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gaussflow-losses-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The targets "noisy" are those of the loss with two outputs for each. */
const netOf = (kind: TargetsKind, hidden = 4) =>
  network({ layers: [2, hidden, (TARGETS[kind][0]?.length ?? 1) * (kind === "noisy" ? 2 : 1)], seed: 2 });
const common = { backend: BACKEND, validation: false } as const;

const BACKENDS = loadNative().ok ? (["typescript", "native"] as const) : (["typescript"] as const);

describe.each(BACKENDS.flatMap((backend) => CASES.map(([name, loss, kind]) => [name, backend, loss, kind] as const)))(
  "%s, %s",
  (name, backend, loss, kind) => {
    const data = dataOf(kind);
    const options = { ...common, backend, loss, stop: { iterations: 400, gradient: 1e-6 } };

    it("comes to a minimum: a gradient of at most 1e-6 of that at the start", async () => {
      const { records, reason } = await train(netOf(kind), data, { ...options, route: "primal" });
      expect(records[0]?.gradientCosine).toBe(1);
      expect(reason.code).toBe("gradient");
      expect(reason.message).toMatch(/gradient measure .* is at most 1\.000e-6/);
      expect(records.at(-1)?.objective).toBeLessThan(records[0]?.objective as number);
    });

    it.each(["primal", "dual", "matrix-free"] as const)(
      "goes down by every accepted step of the %s route",
      async (route) => {
        const { records } = await train(netOf(kind), data, { ...options, route, stop: { iterations: 12 } });
        const accepted = records.filter((record) => record.accepted);
        expect(accepted.length).toBe(13);
        for (const [k, record] of accepted.entries())
          if (k > 0) expect(record.objective).toBeLessThan(accepted[k - 1]?.objective as number);
      },
    );

    it("goes on from a checkpoint bit for bit, with the gradient of the start", async () => {
      const path = join(folder, `${name}-${backend}.ckpt`);
      const short = { ...options, stop: { iterations: 12 } };
      const whole = await train(netOf(kind), data, short);
      await train(netOf(kind), data, { ...short, stop: { iterations: 6 }, checkpoint: { path } });
      const resumed = await train(netOf(kind), data, { ...short, resume: path });
      expect([...resumed.network.parameters]).toEqual([...whole.network.parameters]);
      expect(resumed.records.map((record) => record.gradientCosine)).toEqual(
        whole.records.map((record) => record.gradientCosine),
      );
      await expect(train(netOf(kind), data, { ...short, loss: { ...loss, decay: 3 }, resume: path })).rejects.toThrow(
        /another run/,
      );
      // The same loss, whatever the order of its members.
      const reversed = Object.fromEntries(Object.entries(loss).reverse()) as unknown as Loss;
      const same = await train(netOf(kind), data, { ...short, loss: reversed, resume: path });
      expect([...same.network.parameters]).toEqual([...whole.network.parameters]);
    });

    it("is the same from a data file", async () => {
      const width = TARGETS[kind][0]?.length ?? 1;
      const names = ["a", "b", ...Array.from({ length: width }, (_, a) => `t${a}`)];
      const rows = inputs.map((x, i) => [...x, ...(TARGETS[kind][i] as number[])].join(","));
      const [csv, file] = [join(folder, `${name}-${backend}.csv`), join(folder, `${name}-${backend}.gfd`)];
      await writeFile(csv, `${names.join(",")}\n${rows.join("\n")}\n`);
      await convertCsv(csv, file, { target: names.slice(2) });
      const short = { ...options, stop: { iterations: 8 } };
      const one = await train(netOf(kind), openDataFile(file), short);
      const other = await train(netOf(kind), data, short);
      expect([...one.network.parameters]).toEqual([...other.network.parameters]);
    });

    it("is the same as a job of trainMany", async () => {
      const jobs = restarts({ network: netOf(kind), data, options: { ...options, stop: { iterations: 5 } } }, 2);
      const many = await trainMany(jobs, { concurrency: 2, threads: 2 });
      for (const [k, { result }] of many.results.entries()) {
        const job = jobs[k];
        if (job === undefined || result === null) throw new Error("no result");
        const alone = await train(job.network, data, { ...options, ...job.options, stop: { iterations: 5 } });
        expect([...result.network.parameters]).toEqual([...alone.network.parameters]);
      }
    });

    it("has a flow that never climbs", async () => {
      const path = await flow(netOf(kind), data, { backend, loss, damping: 0.3, until: 1 });
      expect(path.reason.code).toBe("until");
      for (const [k, record] of path.records.entries()) {
        expect(record.warning).toBeNull();
        if (k > 0) expect(record.objective).toBeLessThan(path.records[k - 1]?.objective as number);
      }
      // What was dissipated is what the objective lost, to the tolerance of the integration.
      const [first, last] = [path.records[0], path.records.at(-1)];
      const fell = (first?.objective as number) - (last?.objective as number);
      expect(Math.abs((last?.dissipated as number) / fell - 1)).toBeLessThan(1e-3);
    });
  },
);

describe("predictions", () => {
  it("are probabilities or means, the same on an engine and after a model file, and have a Jacobian", async () => {
    for (const [kind, loss] of [
      ["one", logistic({ decay: 1 })],
      ["counts", poisson({ decay: 1 })],
      ["classes", softmaxCrossEntropy({ decay: 1 })],
    ] as const) {
      const options = { ...common, loss, stop: { iterations: 5 } };
      const { network: net } = await train(netOf(kind), dataOf(kind), options);
      const all = net.predict(inputs);
      expect(all.every((p) => p > 0 && (p < 1 || kind === "counts"))).toBe(true);
      const c = net.outputSize;
      if (kind === "classes")
        for (let i = 0; i < ROWS; i++)
          expect(all.subarray(i * c, (i + 1) * c).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 14);
      const again = modelFromJson(modelToJson(net));
      expect([...again.predict(inputs)]).toEqual([...all]);
      expect(again.summary?.lossKind).toBe(loss.kind);
      const engine = await predictAsync(net, inputs, { backend: BACKEND });
      expect(Math.max(...engine.map((p, k) => Math.abs(p - (all[k] as number))))).toBeLessThan(1e-12);
      const x = inputs[0] as number[];
      const jacobian = net.inputJacobian(x);
      for (const j of [0, 1]) {
        const h = 1e-6;
        const moved = (by: number) => net.predict([x.map((value, k) => (k === j ? value + by : value))]);
        const [above, below] = [moved(h), moved(-h)];
        for (let a = 0; a < c; a++)
          expect(jacobian[a * 2 + j]).toBeCloseTo(((above[a] as number) - (below[a] as number)) / (2 * h), 8);
      }
      // Between threads, too.
      const result = await train(netOf(kind), dataOf(kind), options);
      expect(unpackResult(structuredClone(packResult(result))).network.link).toBe(net.link);
      // Trained on with squared error the outputs are real numbers again.
      const real = await train(net.withScaling(null).withLink("identity"), dataOf(kind), {
        ...common,
        stop: { iterations: 1 },
      });
      expect(real.network.link).toBe("identity");
    }
  });

  it("a model file of squared error has no link, and one with a strange link is refused", async () => {
    const text = modelToJson(netOf("one"));
    expect(text).not.toMatch(/link/);
    expect(() => netOf("one").withLink("probit" as never)).toThrow(/link.*logistic.*"probit"/);
  });
});

describe("what is refused", () => {
  const run = (targets: readonly (readonly number[])[], loss: Loss, net = netOf("one")) =>
    train(net, { inputs, targets }, { ...common, loss });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      "a target beyond 1",
      () =>
        run(
          TARGETS.one.map((row, i) => (i === 17 ? [2] : row)),
          logistic(),
        ),
      /data\.targets must be from 0 to 1 with logistic.*= 2 in row 18/,
    ],
    [
      "a count below 0",
      () =>
        run(
          TARGETS.counts.map((row, i) => (i === 17 ? [-1] : row)),
          poisson(),
        ),
      /data\.targets must be at least 0 with poisson.*= -1 in row 18/,
    ],
    [
      "a centered network of counts",
      () => run(TARGETS.counts, poisson(), network({ layers: [2, 3, 1], centered: true })),
      /must not be centered with poisson/,
    ],
    [
      "an output activation of counts",
      () => run(TARGETS.counts, poisson(), network({ layers: [2, 3, 1], outputActivation: "softplus" })),
      /must have outputActivation "identity" with poisson, which makes means of the outputs itself/,
    ],
    [
      "a row that does not sum to 1",
      () =>
        run(
          TARGETS.classes.map((row, i) => (i === 5 ? [1, 1, 0] : row)),
          softmaxCrossEntropy(),
          netOf("classes"),
        ),
      /must sum to 1.*the sum 2 in row 6/,
    ],
    ["softmax with one output", () => run(TARGETS.one, softmaxCrossEntropy()), /one output a class.*logistic\(\)/],
    [
      "a centered network",
      () => run(TARGETS.one, logistic(), network({ layers: [2, 3, 1], centered: true })),
      /must not be centered.*without centered: true.*center: null/,
    ],
    [
      "validation targets of another kind",
      () =>
        train(netOf("one"), dataOf("one"), {
          ...common,
          loss: logistic(),
          validation: { inputs, targets: TARGETS.real },
        }),
      /options\.validation\.targets must be from 0 to 1.* in row 1"/,
    ],
    [
      "an undamped flow of classes, whose system is singular",
      () => flow(netOf("classes"), dataOf("classes"), { backend: BACKEND, loss: softmaxCrossEntropy(), damping: 0 }),
      /options\.damping must be above 0 with softmax-cross-entropy.*use a constant such as 0\.1; received 0/,
    ],
    [
      "a gradient rule of a flow",
      () => flow(netOf("one"), dataOf("one"), { backend: BACKEND, loss: logistic(), stop: { gradient: 0.1 } }),
      /options\.stop\.gradient must be left out with logistic.*options\.stop\.loss/,
    ],
  ])("%s", async (_, act, message) => {
    await expect(act()).rejects.toThrow(message);
  });

  it("a network trained on standardized targets, until its scaling is taken off", async () => {
    const { network: net } = await train(netOf("one"), dataOf("one"), { ...common, stop: { iterations: 1 } });
    await expect(run(TARGETS.one, logistic(), net)).rejects.toThrow(/withScaling\(null\)/);
    await expect(
      train(net.withScaling(null), dataOf("one"), { ...common, loss: logistic(), stop: { iterations: 1 } }),
    ).resolves.toBeDefined();
  });
});

describe("a flow", () => {
  it("of classes without damping or decay is damped by 0.1 where p <= n c, and ends at its time", async () => {
    const loss = softmaxCrossEntropy();
    const path = await flow(netOf("classes"), dataOf("classes"), { backend: BACKEND, loss, until: 1 });
    expect(path.chosen).toMatch(/^constant damping \(rho = 0\.1\)/);
    expect([path.reason.code, path.rounding]).toEqual(["until", null]);
    const decayed = { backend: BACKEND, loss: softmaxCrossEntropy({ decay: 1 }), until: 0.1 };
    expect((await flow(netOf("classes"), dataOf("classes"), decayed)).chosen).toMatch(/\(rho = 0\)/);
  });

  it.each(CASES)("of %s names its loss", async (_, loss, kind) => {
    const path = await flow(netOf(kind), dataOf(kind), { backend: BACKEND, loss, damping: 0.5, until: 0.01 });
    expect(path.chosen).toContain(`, ${lossRule(loss).label}, `);
    expect(path.lossUsed).toEqual(loss);
    const squares = await flow(netOf("real"), dataOf("real"), { backend: BACKEND, damping: 0.5, until: 0.01 });
    expect(squares.lossUsed).toEqual(squaredError());
    expect(squares.chosen).not.toMatch(/loss|error/);
  });

  it.each(CASES)("of %s ends at the loss that the discretization gap has for it", async (_, loss, kind) => {
    const options = { backend: BACKEND, loss, damping: 0.5 };
    const integrator = dormandPrince({ relativeTolerance: 1e-9, absoluteTolerance: 1e-12 });
    const { rows } = await discretizationGap(netOf(kind), dataOf(kind), { step: 0.1, steps: 3 }, options);
    const path = await flow(netOf(kind), dataOf(kind), { ...options, integrator, until: 0.1 * 3 });
    // Two integrations at 1e-9 that differ in their last steps, and two ways to sum 60 rows.
    expect(rows.at(-1)?.flowLoss).toBeCloseTo(path.records.at(-1)?.loss as number, 7);
    expect(rows[0]?.eulerLoss).toBeLessThan(path.records[0]?.loss as number);
  });
});

describe("a resumed training", () => {
  it.each(CASES)("with %s is monitored from the start of the whole one", async (name, loss, kind) => {
    const path = join(folder, `${name}-monitored.ckpt`);
    const options = { ...common, loss, stop: { iterations: 6 } };
    const whole = await train(netOf(kind), dataOf(kind), { ...options, monitor: monitor() });
    await train(netOf(kind), dataOf(kind), { ...options, stop: { iterations: 3 }, checkpoint: { path } });
    const rest = await train(netOf(kind), dataOf(kind), { ...options, resume: path, monitor: monitor() });
    const distances = ({ monitor: report }: typeof whole) =>
      (report?.records ?? []).filter(({ position }) => position > 3).map(({ distance }) => distance);
    expect(distances(rest).length).toBe(3);
    expect(distances(rest)).toEqual(distances(whole));
  });

  it("of a network that was trained before keeps no start", async () => {
    const path = join(folder, "again.ckpt");
    const options = { ...common, loss: gaussianNll({ decay: 0.5 }), stop: { iterations: 2 }, checkpoint: { path } };
    const { network: trained } = await train(netOf("noisy"), dataOf("noisy"), options);
    expect(JSON.parse(await readFile(path, "utf8")).body).toHaveProperty("start");
    await train(trained, dataOf("noisy"), options);
    expect(JSON.parse(await readFile(path, "utf8")).body).not.toHaveProperty("start");
  });
});

describe("squared error", () => {
  it("has the fingerprint and the checkpoint that it had before there were others", async () => {
    expect(JSON.stringify(squaredError({ decay: 0.5 }))).toBe('{"kind":"squared-error","decay":0.5}');
    const path = join(folder, "squares.ckpt");
    await train(netOf("real"), dataOf("real"), { ...common, stop: { iterations: 2 }, checkpoint: { path } });
    expect(await readFile(path, "utf8")).not.toMatch(/gradientStart/);
  });

  it("is what Huber is with a threshold beyond every error", async () => {
    const stop = { iterations: 5 };
    // Steps on the exact Hessian are those of losses other than squared error.
    const method = levenbergMarquardt({ hessian: "never" });
    const squares = await train(netOf("real"), dataOf("real"), { ...common, method, stop });
    const wide = await train(netOf("real"), dataOf("real"), { ...common, method, stop, loss: huber({ delta: 1e6 }) });
    // The same sums in the same order, but for a square that is halved sooner.
    for (const [j, value] of wide.network.parameters.entries())
      expect(Math.abs(value - (squares.network.parameters[j] as number))).toBeLessThan(1e-9);
    expect(wide.loss).toBeCloseTo(squares.loss / 2, 10);
  });
});

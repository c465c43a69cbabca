// Checkpoints: a resumed run is the uninterrupted one, bit for bit; a torn, edited or foreign file is refused.
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  gaussNewton,
  levenbergMarquardt,
  type Network,
  network,
  squaredError,
  type TrainOptions,
  type TrainRecord,
  train,
  trainSteps,
} from "../../src/index.js";
import { timeless } from "../helpers/many-jobs.js";
import { waves } from "../helpers/problems.js";

const data = waves(150, 3, 2, 5);
const net = network({ layers: [3, 7, 2], seed: 4 });
const folder = await mkdtemp(join(tmpdir(), "gaussflow-"));

/** The run `options` in one go, and the same cut after `iterations` and resumed from the file at `path`. */
async function cutAndResume(start: Network, options: TrainOptions, path: string, iterations: number, every: number) {
  const whole = await train(start, data, options);
  await train(start, data, { ...options, stop: { ...options.stop, iterations }, checkpoint: { path, every } });
  return { whole, resumed: await train(start, data, { ...options, resume: path }) };
}

describe.each(["typescript", "auto"] as const)("resuming, %s engine", (backend) => {
  it.each([3, 10, 17])("after %i iterations is bit-identical", async (cut) => {
    const options = { backend, stop: { iterations: 25, patience: 100 } } satisfies TrainOptions;
    const { whole, resumed } = await cutAndResume(net, options, join(folder, `${backend}-${cut}.json`), cut, 4);
    expect(timeless(resumed)).toEqual(timeless(whole));
  });
});

describe("resuming carries the whole state", () => {
  // Tests switched off: every run must go on to the same last iteration.
  const stop = { iterations: 14, patience: 100, gradient: 0, step: 0, reduction: 0 };
  const small = network({ layers: [3, 7, 2], seed: 4 });
  const wide = network({ layers: [3, 20, 20, 2], seed: 4 });
  const centered = network({ layers: [3, 7, 2], seed: 4, centered: true, outputScale: 3 });
  const cases: readonly [string, typeof small, TrainOptions][] = [
    ["dual route, one factor a layer", wide, { route: "dual" }],
    ["dual route, decay", wide, { route: "dual", loss: squaredError({ decay: 1e-3 }) }],
    [
      "identity, hybrid, centered",
      centered,
      { method: levenbergMarquardt({ scaling: "identity", damping: "hybrid" }) },
    ],
    ["Gauss-Newton with its line search", small, { method: gaussNewton() }],
    ["condition estimates", small, { condition: true }],
    ["matrix-free, diagonal", small, { route: "matrix-free" }],
    [
      "matrix-free, Nystrom, identity, decay",
      small,
      {
        route: "matrix-free",
        matrixFree: { preconditioner: "nystrom", rank: 12 },
        method: levenbergMarquardt({ scaling: "identity" }),
        loss: squaredError({ decay: 1e-3 }),
      },
    ],
    ["matrix-free Gauss-Newton", small, { route: "matrix-free", method: gaussNewton() }],
  ];

  it.each(cases)("%s", async (name, start, more) => {
    const { whole, resumed } = await cutAndResume(start, { ...more, stop }, join(folder, `${name}.json`), 5, 3);
    expect(whole.iterations).toBe(14);
    expect(timeless(resumed)).toEqual(timeless(whole));
  });

  it("after an abort, from the last accepted point, whatever `every` says", async () => {
    const path = join(folder, "aborted.json");
    const whole = await train(small, data, { stop });
    const controller = new AbortController();
    const cut = await train(small, data, {
      stop,
      signal: controller.signal,
      checkpoint: { path, every: 1000 },
      onRecord: ({ iteration, accepted }) => {
        if (accepted && iteration === 6) controller.abort();
      },
    });
    expect(cut.reason.code).toBe("aborted");
    expect(timeless(await train(small, data, { stop, resume: path }))).toEqual(timeless(whole));
  });

  it("and the patience already used up", async () => {
    const path = join(folder, "patience.json");
    const noisy = waves(80, 3, 1, 3, 0.5);
    const start = network({ layers: [3, 8, 1], seed: 2 });
    const patient = { ...stop, iterations: 100, patience: 6 };
    const whole = await train(start, noisy, { stop: patient });
    expect(whole.reason.code).toBe("patience");
    // Cut inside the stretch without improvement: counting from 0 again would end the run later.
    const cut = { ...patient, iterations: whole.bestIteration + 4 };
    await train(start, noisy, { stop: cut, checkpoint: { path } });
    const resumed = await train(start, noisy, { stop: patient, resume: path });
    expect(timeless(resumed)).toEqual(timeless(whole));
  });

  it("and the pairs of a secant correction", async () => {
    const path = join(folder, "secant.json");
    const noisy = waves(120, 3, 1, 3, 0.5);
    const start = network({ layers: [3, 6, 1], seed: 1 });
    const options = { validation: false, stop: { ...stop, iterations: 60 } } as const;
    const whole = await train(start, noisy, options);
    const corrected = whole.records.find(({ secant }) => (secant ?? 0) > 3);
    if (corrected === undefined) throw new Error("the run never stalled");
    const cut = { ...options, stop: { ...stop, iterations: corrected.iteration } };
    await train(start, noisy, { ...cut, checkpoint: { path } });
    expect(timeless(await train(start, noisy, { ...options, resume: path }))).toEqual(timeless(whole));
  });

  it("with nothing left to do: ends at once with the same point and reason", async () => {
    const path = join(folder, "done.json");
    const options = { stop: { ...stop, iterations: 4 } };
    const done = await train(small, data, { ...options, checkpoint: { path } });
    const resumed = await train(small, data, { ...options, resume: path });
    expect(timeless(resumed)).toEqual(timeless(done));
  });
});

describe("a checkpoint file", () => {
  const path = join(folder, "one.json");
  const options = { backend: "typescript", stop: { iterations: 5 }, checkpoint: { path } } satisfies TrainOptions;
  const damaged = async (change: (text: string) => string, more: TrainOptions = {}) => {
    await train(net, data, options);
    await writeFile(path, change(await readFile(path, "utf8")));
    return train(net, data, { backend: "typescript", resume: path, ...more });
  };

  it.each([
    ["torn", (text: string) => text.slice(0, text.length / 2), /not JSON.*cut off/],
    ["empty", () => "", /not JSON/],
    ["edited", (text: string) => text.replace('"iteration":5', '"iteration":4'), /checksum/],
    [
      "of another format",
      (text: string) => text.replace("gaussflow-checkpoint", "gaussflow-model"),
      /not a gaussflow-checkpoint/,
    ],
    ["newer", (text: string) => text.replace('"version":2', '"version":7'), /version 7/],
  ])("that is %s is refused", async (_, change, message) => {
    await expect(damaged(change)).rejects.toThrow(message);
    await expect(damaged(change)).rejects.toMatchObject({ code: "GAUSSFLOW_FILE" });
  });

  it("of another method, data set or network is refused", async () => {
    const same = (text: string) => text;
    await expect(damaged(same, { method: levenbergMarquardt({ scaling: "identity" }) })).rejects.toThrow(/another run/);
    await train(net, data, options);
    await expect(train(net, waves(150, 3, 2, 6), { backend: "typescript", resume: path })).rejects.toThrow(
      /another run/,
    );
    const other = network({ layers: [3, 7, 2], seed: 5 });
    await expect(train(other, data, { backend: "typescript", resume: path })).rejects.toThrow(/another run/);
    await expect(train(net, data, { resume: join(folder, "none.json") })).rejects.toThrow(/no such file/);
  });
});

describe("a run that ends early", () => {
  const run = { backend: "typescript", stop: { iterations: 25, patience: 100 } } satisfies TrainOptions;
  const resumed = async (path: string) => (await train(net, data, { ...run, resume: path })).last.parameters;

  it("has its last accepted iteration on disk when the caller leaves the loop", async () => {
    const path = join(folder, "left.json");
    for await (const record of trainSteps(net, data, { ...run, checkpoint: { path, every: 100 } }))
      if (record.accepted && record.iteration === 7) break;
    expect(JSON.parse(await readFile(path, "utf8")).body.iteration).toBe(7);
    expect(await resumed(path)).toEqual((await train(net, data, run)).last.parameters);
  });

  it("has it when an observer throws, and when a resumed run has nothing left to do", async () => {
    const path = join(folder, "thrown.json");
    const onRecord = ({ accepted, iteration }: TrainRecord) => {
      if (accepted && iteration === 8) throw new Error("mine");
    };
    await expect(train(net, data, { ...run, onRecord, checkpoint: { path, every: 100 } })).rejects.toThrow("mine");
    expect(JSON.parse(await readFile(path, "utf8")).body.iteration).toBe(8);
    const copy = join(folder, "copy.json");
    await train(net, data, { ...run, stop: { iterations: 8 }, resume: path, checkpoint: { path: copy } });
    expect(JSON.parse(await readFile(copy, "utf8")).body.iteration).toBe(8);
  });
});

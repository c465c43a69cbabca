// Checkpoints: a resumed run is the uninterrupted one, bit for bit; a torn, edited or foreign file is refused.
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { levenbergMarquardt, network, type TrainOptions, type TrainRecord, train } from "../../src/index.js";
import { waves } from "../helpers/problems.js";

const data = waves(150, 3, 2, 5);
const net = network({ layers: [3, 7, 2], seed: 4 });
const folder = await mkdtemp(join(tmpdir(), "gaussflow-"));
const plain = (records: readonly TrainRecord[]) => records.map(({ elapsed, seconds, ...rest }) => rest);

describe.each(["typescript", "auto"] as const)("resuming, %s engine", (backend) => {
  it.each([3, 10, 17])("after %i iterations is bit-identical", async (cut) => {
    const options = { backend, stop: { iterations: 25, patience: 100 } } satisfies TrainOptions;
    const whole = await train(net, data, options);
    const path = join(folder, `${backend}-${cut}.json`);
    await train(net, data, { ...options, stop: { ...options.stop, iterations: cut }, checkpoint: { path, every: 4 } });
    const resumed = await train(net, data, { ...options, resume: path });
    expect(resumed.last.parameters).toEqual(whole.last.parameters);
    expect(resumed.network.parameters).toEqual(whole.network.parameters);
    expect(plain(resumed.records)).toEqual(plain(whole.records));
    expect(resumed.validationLoss).toBe(whole.validationLoss);
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
    ["newer", (text: string) => text.replace('"version":1', '"version":7'), /version 7/],
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

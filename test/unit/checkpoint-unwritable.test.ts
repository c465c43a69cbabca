// A checkpoint that cannot be written is a warning: the run goes on, its result is the same, and an observer's own error stays the error.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { flow, network, type TrainOptions, type TrainRecord, train } from "../../src/index.js";
import { timeless } from "../helpers/many-jobs.js";
import { waves } from "../helpers/problems.js";

const data = waves(60, 3, 1, 5);
const net = network({ layers: [3, 5, 1], seed: 4 });
const options = {
  backend: "typescript",
  validation: false,
  stop: { iterations: 12, gradient: 0, step: 0, reduction: 0 },
} satisfies TrainOptions;

/** A folder that can be taken away under a run, and given back. */
function folder() {
  const path = mkdtempSync(join(tmpdir(), "gaussflow-gone-"));
  return {
    file: join(path, "c.json"),
    remove: () => rmSync(path, { recursive: true }),
    restore: () => mkdirSync(path),
  };
}

/** The process warnings of a test. */
function listen(): Error[] {
  const heard: Error[] = [];
  const listener = (warning: Error) => heard.push(warning);
  process.on("warning", listener);
  onTestFinished(() => {
    process.off("warning", listener);
  });
  return heard;
}

const at = (iteration: number, action: () => void) => (record: TrainRecord) => {
  if (record.accepted && record.iteration === iteration) action();
};

describe("a training whose checkpoint cannot be written", () => {
  it("goes on to the same result, and says so in it and as a process warning", async () => {
    const whole = await train(net, data, options);
    expect(whole.warnings).toEqual([]);
    const heard = listen();
    const { file, remove } = folder();
    const result = await train(net, data, {
      ...options,
      checkpoint: { path: file, every: 3 },
      onRecord: at(4, remove),
    });
    expect(timeless(result)).toEqual(timeless(whole));
    expect(result.network.parameters).toEqual(whole.network.parameters);
    // The same reason at the iterations 6, 9 and 12 is told once; at the end what there is.
    expect(result.warnings).toEqual([
      expect.stringMatching(
        /^the checkpoint of iteration 6 could not be written \(.*c\.json: cannot be written: ENOENT.*\): the run goes on, and the next checkpoint is tried$/,
      ),
      "the checkpoint holds iteration 3; the run ended at iteration 12",
    ]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard.map(({ message }) => message)).toEqual(result.warnings);
    expect(heard[0]).toMatchObject({ name: "GaussflowWarning", code: "GAUSSFLOW_CHECKPOINT" });
  });

  it("writes it again as soon as it can", async () => {
    listen();
    const { file, remove, restore } = folder();
    const onRecord = (record: TrainRecord) => {
      at(4, remove)(record);
      at(7, restore)(record);
    };
    const result = await train(net, data, { ...options, checkpoint: { path: file, every: 3 }, onRecord });
    expect(result.warnings).toHaveLength(1);
    expect(JSON.parse(readFileSync(file, "utf8")).body.iteration).toBe(12);
    expect(timeless(await train(net, data, { ...options, resume: file })).records).toEqual(timeless(result).records);
  });

  it.runIf(existsSync("/dev/full"))("goes on where the disk is full from the beginning", async () => {
    listen();
    const result = await train(net, data, { ...options, checkpoint: { path: "/dev/full", every: 5 } });
    expect(result.reason.code).toBe("iterations");
    expect(result.warnings).toEqual([
      expect.stringMatching(/iteration 5 could not be written \(\/dev\/full: cannot be written: ENOSPC/),
      "no checkpoint of this run was written; the run ended at iteration 12",
    ]);
  });

  it("ends with the observer's own error where there is one", async () => {
    listen();
    const { file, remove } = folder();
    const own = new Error("mine");
    const onRecord = at(4, () => {
      remove();
      throw own;
    });
    await expect(train(net, data, { ...options, checkpoint: { path: file, every: 100 }, onRecord })).rejects.toBe(own);
  });

  it("is refused before it begins where the folder is not there", async () => {
    const { file, remove } = folder();
    remove();
    await expect(train(net, data, { ...options, checkpoint: { path: file } })).rejects.toMatchObject({
      code: "GAUSSFLOW_FILE",
    });
  });
});

describe("a flow whose checkpoint cannot be written", () => {
  const problem = { damping: 0.2, until: 2, backend: "typescript" } as const;

  it("goes on to the same end with a warning", async () => {
    const whole = await flow(net, data, problem);
    listen();
    const { file, remove } = folder();
    const result = await flow(net, data, {
      ...problem,
      checkpoint: { path: file, every: 1 },
      onRecord: ({ step }) => {
        if (step === 2) remove();
      },
    });
    expect(result.last.parameters).toEqual(whole.last.parameters);
    expect(result.warnings[0]).toMatch(/^the checkpoint of step 3 could not be written \(.*ENOENT/);
    expect(result.warnings.at(-1)).toMatch(/^the checkpoint holds step 2; the run ended at step \d+$/);
  });

  it("ends with the observer's own error where there is one", async () => {
    listen();
    const { file, remove } = folder();
    const own = new Error("mine");
    const onRecord = ({ step }: { step: number }) => {
      if (step !== 2) return;
      remove();
      throw own;
    };
    await expect(flow(net, data, { ...problem, checkpoint: { path: file, every: 100 }, onRecord })).rejects.toBe(own);
  });
});

it("a run resumed beyond its limit says what to do", async () => {
  const { file } = folder();
  await train(net, data, { ...options, checkpoint: { path: file } });
  const { reason } = await train(net, data, { ...options, stop: { iterations: 5 }, resume: file });
  expect(reason).toEqual({
    code: "iterations",
    message:
      "the checkpoint is at iteration 12 already, and 5 are allowed, counted from the start of the run and not from the checkpoint: allow more than 12 to go on",
  });
});

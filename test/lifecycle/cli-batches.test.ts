// Methods on batches on the command line: training, progress, JSON lines, plan, resuming, and the errors of their flags.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { CommandLine, jsonLines } from "../helpers/command-line.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-cli-batches-"));
const cars = [
  "examples/data/auto-mpg.csv",
  "--target",
  "mpg",
  "--ignore",
  "name",
  "--missing",
  "mean",
  "--hidden",
  "8",
  "--decay",
  "1",
];
const cli = new CommandLine();

beforeAll(() => {
  cli.build();
});

const run = (...args: readonly string[]) => cli.run(args);

describe("gaussflow train by a method on batches", () => {
  it("shows a line an epoch, the epochs at the end, and the batches with --verbose", () => {
    const { code, out, err } = run("train", ...cars, "--method", "egn", "--batch", "32", "--epochs", "5", "--verbose");
    expect(code, err).toBe(0);
    expect(err).toMatch(/epoch {4}0 {2}loss .*validation/);
    expect(err).toMatch(/epoch {4}5 {2}loss \S+ {2}batches \S+ {2}validation \S+ {2}rate 0\.\d+/);
    expect(out).toMatch(/40 iterations \(5 epochs\) in .*; stopped because 5 epochs are done/);
    expect(out).toContain(
      "exact Gauss-Newton on batches (momentum 0.9), batches of 32 rows, damping 0.01, rate 1 falling to 0 along a cosine on 278 samples",
    );
  });

  it.each([
    ["adam", "--rate", "0.01", "--schedule", "step", "--rate-epochs", "2"],
    ["gradient-descent", "--momentum", "0.5"],
    ["lbfgs", "--memory", "5"],
  ])("trains by %s", (method, ...flags) => {
    const args = ["--method", method, "--epochs", "4", ...flags, "--json"];
    const { code, out, err } = run("train", ...cars, ...args);
    expect(code, err).toBe(0);
    const lines = jsonLines(out);
    const records = lines.filter(({ type }) => type === "record");
    expect(records.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3, 4]);
    expect(records[0].batchLoss).toBeNull();
    expect(records.at(-1).batchLoss).toBeGreaterThan(0);
    expect(lines.at(-1)).toMatchObject({ type: "result", route: "gradient", reason: { code: "iterations" } });
  });

  it("goes on from a checkpoint to the model of the uninterrupted run", () => {
    const [whole, resumed, checkpoint] = ["whole.json", "resumed.json", "run.ckpt"].map((name) => join(folder, name));
    const method = ["--method", "egn", "--batch", "32", "--schedule", "constant", "--rate", "0.1"];
    const last = (out: string) => jsonLines(out).filter(({ type }) => type === "record");
    const strip = ({ elapsed: _, seconds: __, ...record }: Record<string, unknown>) => record;
    const all = run("train", ...cars, ...method, "--epochs", "6", "--out", whole, "--json");
    expect(run("train", ...cars, ...method, "--iterations", "19", "--checkpoint", checkpoint).code).toBe(0);
    const further = ["--epochs", "6", "--resume", checkpoint, "--out", resumed, "--json"];
    const { code, out, err } = run("train", ...cars, ...method, ...further);
    expect(code, err).toBe(0);
    expect(last(out).map(strip)).toEqual(
      last(all.out)
        .map(strip)
        .filter(({ epoch }) => (epoch as number) > 2),
    );
  });

  it("ends with 3 and the flag to change where the loss is not finite", () => {
    const { code, out } = run("train", ...cars, "--method", "gradient-descent", "--rate", "1e200", "--epochs", "2");
    expect(code).toBe(3);
    expect(out).toMatch(/a smaller rate keeps the steps within bounds \(--rate\)/);
  });

  it("compares networks first where no size is given, by a method on all rows", () => {
    const [file, ...table] = ["examples/data/auto-mpg.csv", "--target", "mpg", "--ignore", "name", "--missing", "mean"];
    const { code, out, err } = run("train", file, ...table, "--method", "egn", "--epochs", "3", "--budget", "1e9");
    expect(code, err).toBe(0);
    expect(out).toContain("3 epochs are done");
  });

  it.each([
    [["--method", "lm", "--rate", "0.1"], /--rate is not about --method lm .*choose --method egn or .*adam/],
    [["--method", "adam", "--damping", "1"], /--damping is not about --method adam \(Adam\).*--method egn/],
    [["--method", "egm"], /--method.*egn/],
    [["--method", "egn", "--batch", "0"], /--batch.*an integer of at least 1, or "all"/],
    [["--method", "egn", "--shedule", "cosine"], /--schedule/],
    [["--method", "egn", "--schedule", "linear"], /--schedule.*constant, cosine, step/],
    [["--epochs", "3"], /--epochs is not about --method lm/],
  ])("%j is an error with its remedy", (flags, message) => {
    const { code, err } = run("train", ...cars, ...flags);
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });

  it.each([
    [["--method", "egn", "--batch", "1000"], /--batch must be at most the rows that are fitted, 278/],
    [["--method", "egn", "--momentum", "1"], /--momentum must be below 1/],
    [["--method", "egn", "--route", "primal"], /--route must be left out with a batch method/],
    [["--method", "egn", "--monitor"], /--monitor must be left out with a batch method/],
    [["--method", "egn", "--slots", "2"], /--slots must be 1 with a batch method/],
  ])("%j is refused by the name of the flag", (flags, message) => {
    const { code, err } = run("train", ...cars, ...flags);
    expect(err).toMatch(message);
    expect(code).not.toBe(0);
  });
});

describe("gaussflow plan of a method on batches", () => {
  it("says what a step takes, and counts the batch", () => {
    const { code, out } = run("plan", ...cars.slice(0, 9), "--method", "egn", "--batch", "64");
    expect(code).toBe(0);
    expect(out).toMatch(/^A step on 64 rows takes about .*\ndual route: exact Gauss-Newton on batches/);
    expect(out).toContain(
      "An epoch has 4 steps (batches of 64 rows, damping 0.01, rate 1 falling to 0 along a cosine)",
    );
    const planned = JSON.parse(run("plan", ...cars.slice(0, 9), "--method", "adam", "--json").out);
    expect(planned).toMatchObject({ route: "gradient", batch: { rows: 128, stepsPerEpoch: 2 }, alternatives: [] });
  });
});

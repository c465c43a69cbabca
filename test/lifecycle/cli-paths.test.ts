// The paths of a command: no file that it reads is replaced by what it writes, and every path that cannot be written is told at once.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { convertCsv, loadModel, network, openDataFile, train, writeDataFile } from "../../src/index.js";
import { CommandLine } from "../helpers/command-line.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-paths-"));
const at = (name: string) => join(folder, name);
const table = Array.from({ length: 50 }, (_, i) => `${Math.sin(i)},${Math.cos(3 * i)},${Math.sin(2 * i)}`).join("\n");
const csv = `a,b,y\n${table}\n`;
const quick = ["--target", "y", "--hidden", "2", "--iterations", "2", "--quiet"];
const cli = new CommandLine({ cwd: folder, timeout: 120_000 });

beforeAll(async () => {
  cli.build();
  writeFileSync(at("d.csv"), csv);
  symlinkSync("d.csv", at("link.csv"));
  linkSync(at("d.csv"), at("hard.csv"));
  await convertCsv(at("d.csv"), at("d.gfd"));
  const { code, err } = run("train", "d.csv", ...quick, "--out", "m.json", "--checkpoint", "c.json");
  expect(code, err).toBe(0);
});

const run = (...args: readonly string[]) => cli.run(args);

/** Runs `action` and expects that no file of the folder changed. */
function unchanged<T>(action: () => T): T {
  const files = () => readdirSync(folder).map((name) => [name, readFileSync(at(name), "latin1")]);
  const before = files();
  const result = action();
  expect(files()).toEqual(before);
  return result;
}

describe("a command is refused before it runs where", () => {
  it.each([
    [
      "--out is the table",
      ["train", "d.csv", ...quick, "--out", "d.csv"],
      /^gaussflow: --out must be another file than the table \("d\.csv"\), which it would replace; received "d\.csv"\n$/,
    ],
    [
      "--out is the table by a link",
      ["train", "link.csv", ...quick, "--out", "./d.csv"],
      /--out must be another file than the table/,
    ],
    [
      "--out is the table by another name",
      ["train", "d.csv", ...quick, "--out", "hard.csv"],
      /--out must be another file than the table/,
    ],
    [
      "--out is a data file",
      ["train", "d.gfd", "--hidden", "2", "--out", "d.gfd"],
      /--out must be another file than the table/,
    ],
    [
      "--checkpoint is the table",
      ["train", "d.csv", ...quick, "--checkpoint", "d.csv"],
      /--checkpoint must be another file than the table/,
    ],
    [
      "--checkpoint is a data file",
      ["train", "d.gfd", "--hidden", "2", "--checkpoint", "d.gfd"],
      /--checkpoint must be another file than the table/,
    ],
    [
      "--out is --checkpoint",
      ["train", "d.csv", ...quick, "--out", "new", "--checkpoint", "./new"],
      /--checkpoint must be another file than --out \("new"\)/,
    ],
    [
      "--out is --resume",
      ["train", "d.csv", ...quick, "--out", "c.json", "--resume", "c.json"],
      /--out must be another file than --resume/,
    ],
    [
      "restarts save into the table",
      ["train", "d.csv", ...quick, "--restarts", "2", "--out", "d.csv"],
      /--out must be another file than the table/,
    ],
    [
      "predictions go into the table",
      ["predict", "m.json", "d.csv", "--out", "d.csv"],
      /--out must be another file than the table/,
    ],
    [
      "predictions go into the model",
      ["predict", "m.json", "d.csv", "--out", "m.json"],
      /--out must be another file than the model/,
    ],
    [
      "convert writes into its table",
      ["convert", "d.csv", "hard.csv"],
      /the data file must be another file than the table/,
    ],
  ])("%s", (_, args, message) => {
    const { code, err } = unchanged(() => run(...args));
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });

  it("--out is the file on standard input", () => {
    const input = openSync(at("d.csv"), "r");
    const child = unchanged(() =>
      spawnSync(process.execPath, [cli.main, "train", "-", ...quick, "--out", at("d.csv")], {
        encoding: "utf8",
        stdio: [input, "pipe", "pipe"],
      }),
    );
    closeSync(input);
    expect(child.stderr).toMatch(/--out must be another file than the table \("\/dev\/stdin"\)/);
    expect(child.status).toBe(2);
  });

  it.each([
    [["--out", ""], 2, /--out must be the name of a file; received ""/],
    [
      ["--out", "-"],
      2,
      /--out must be the name of a file: standard output is \/dev\/stdout, a file of the name "-" is \.\/-/,
    ],
    [["--out", "new/"], 2, /--out must be the name of a file; received "new\/"/],
    [["--checkpoint", ""], 2, /--checkpoint must be the name of a file/],
    [["--out", "."], 1, /^gaussflow: \.: the model cannot be written there: it is a directory\n$/],
    [["--out", `${"x".repeat(300)}.json`], 1, /the model cannot be written there: the name is too long/],
    [["--out", "d.csv/m.json"], 1, /the model cannot be written there: .* is not a directory/],
  ])("the path of %j is none", (args, expected, message) => {
    const { code, err } = unchanged(() => run("train", "d.csv", ...quick, ...args));
    expect(err).toMatch(message);
    expect(code).toBe(expected);
  });
});

describe("a command runs where", () => {
  it("--checkpoint is --resume", () => {
    const { code, err } = run(
      "train",
      "d.csv",
      "--target",
      "y",
      "--hidden",
      "2",
      "--iterations",
      "4",
      "--quiet",
      "--resume",
      "c.json",
      "--checkpoint",
      "c.json",
    );
    expect([code, err]).toEqual([0, ""]);
    expect(JSON.parse(readFileSync(at("c.json"), "utf8")).body.iteration).toBeGreaterThan(2);
  });

  it.each(["m'\"$(x);é.json", "-dash.json", `${"x".repeat(245)}.json`])("the model is called %s", async (name) => {
    const { code, err } = run("train", "d.csv", ...quick, "--out", `./${name}`);
    expect([code, err]).toEqual([0, ""]);
    expect((await loadModel(at(name))).inputSize).toBe(2);
    expect(readdirSync(folder).filter((one) => one.endsWith(".tmp"))).toEqual([]);
  });

  it.runIf(existsSync("/dev/stdout"))("the model goes to standard output", async () => {
    const { code, out } = run("train", "d.csv", ...quick, "--out", "/dev/stdout");
    expect(code).toBe(0);
    const line = out.split("\n").find((one) => one.startsWith('{"format":"gaussflow-model"'));
    expect(JSON.parse(line ?? "").body.network.layers).toEqual([2, 2, 1]);
    expect(lstatSync("/dev/stdout").isSymbolicLink()).toBe(true);
  });

  it("a link leads to the model, whose mode stays", async () => {
    writeFileSync(at("kept.json"), "old");
    chmodSync(at("kept.json"), 0o640);
    symlinkSync("kept.json", at("kept-link.json"));
    expect(run("train", "d.csv", ...quick, "--out", "kept-link.json").code).toBe(0);
    expect(lstatSync(at("kept-link.json")).isSymbolicLink()).toBe(true);
    expect(statSync(at("kept.json")).mode & 0o7777).toBe(0o640);
    expect((await loadModel(at("kept.json"))).inputSize).toBe(2);
  });
});

describe("in code", () => {
  it("a checkpoint is refused where the data file is", async () => {
    const net = network({ layers: [2, 2, 1] });
    const file = openDataFile(at("d.gfd"));
    const before = readFileSync(at("d.gfd"));
    symlinkSync("d.gfd", at("d-link.gfd"));
    for (const path of [at("d.gfd"), at("d-link.gfd")])
      await expect(train(net, file, { checkpoint: { path } })).rejects.toMatchObject({
        code: "GAUSSFLOW_ARGUMENT",
        message: expect.stringMatching(/^options\.checkpoint\.path must be another file than the data file/),
      });
    expect(readFileSync(at("d.gfd")).equals(before)).toBe(true);
  });

  it("convertCsv is refused where it would replace its table", async () => {
    await expect(convertCsv(at("d.csv"), at("link.csv"))).rejects.toMatchObject({
      code: "GAUSSFLOW_ARGUMENT",
      message: expect.stringMatching(/^path must be another file than source/),
    });
    expect(readFileSync(at("d.csv"), "utf8")).toBe(csv);
  });

  it("a data file needs a regular file", async () => {
    await expect(writeDataFile("/dev/null", { featureNames: ["a"], targetNames: ["y"] }, [[1, 2]])).rejects.toThrow(
      /cannot be written: a data file is not written from front to back/,
    );
    expect(lstatSync("/dev/null").isCharacterDevice()).toBe(true);
  });
});

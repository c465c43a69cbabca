// gaussflow convert, and train and plan on what it writes, as a user meets them: a child process, its streams and its exit code.
import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { CommandLine } from "../helpers/command-line.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-convert-"));
const at = (name: string) => join(folder, name);
const table = at("rig.csv");
const data = at("rig.gfd");
const read = ["--target", "y", "--ignore", "id", "--weights", "w", "--missing", "drop"];
const short = ["--hidden", "5", "--iterations", "6", "--seed", "4"];
const cli = new CommandLine();

beforeAll(() => {
  cli.build();
  // 39,600 rows of 4 numbers in the file, more than one of the blocks it is read in (32,768 rows). Every 100th row lacks a value.
  const rows = Array.from({ length: 40_000 }, (_, i) => {
    const [a, b] = [Math.sin(i), Math.cos(3 * i) * 10];
    return `r${i},${i % 100 === 7 ? "" : a},${b},${Math.tanh(a) + 0.01 * b},${1 + (i % 3)}`;
  });
  writeFileSync(table, `id,a,b,y,w\n${rows.join("\n")}\n`);
  const { code, out, err } = run(["convert", table, data, ...read]);
  expect(code, err).toBe(0);
  expect(out).toMatch(/: 39,600 rows of 2 inputs and 1 target, 1 MiB; 400 rows left out .* Next: gaussflow train /);
});

const run = (args: readonly string[], input?: Buffer) => cli.run(args, input);

const lastLine = (out: string) => JSON.parse(out.trim().split("\n").at(-1)!);

describe("gaussflow convert", () => {
  it("writes the same bytes from a packed file and from standard input", () => {
    const packed = at("rig.csv.gz");
    writeFileSync(packed, gzipSync(readFileSync(table)));
    expect(run(["convert", packed, at("packed.gfd"), ...read]).code).toBe(0);
    const piped = run(["convert", "-", at("piped.gfd"), ...read, "--json"], readFileSync(table));
    expect(JSON.parse(piped.out)).toMatchObject({
      type: "converted",
      rows: 39_600,
      dropped: 400,
      featureNames: ["a", "b"],
      targetNames: ["y"],
      bytes: readFileSync(data).length,
    });
    for (const name of ["packed.gfd", "piped.gfd"])
      expect(readFileSync(at(name)).equals(readFileSync(data))).toBe(true);
  });

  it.each([
    [[table, at("no.gfd")], 1, /line 2, column "id": is not a number.*--ignore id leaves it out; received "r0"/],
    [[table, at("no.gfd"), "--ignore", "id", "--target", "y"], 1, /line 9, column "a": the value is missing/],
    [[table, at("no.gfd"), ...read, "--missing", "mean"], 2, /--missing.*mean.*is invalid.*error, drop/],
    [[table, at("no.gfd"), "--categorical", "b"], 2, /--categorical wants the whole table in memory/],
    [[table, at("no.gfd"), "--split-column", "b"], 2, /--split-column wants the whole table in memory/],
    [[at("none.csv"), at("no.gfd")], 1, /none\.csv: there is no such file/],
    [[data, at("no.gfd")], 1, /rig\.gfd: is a data file, not a table/],
    [[table, "-", ...read], 2, /cannot go to standard output/],
    [[table, folder, ...read], 1, /it is a directory/],
    [[table], 2, /missing required argument 'out'/],
  ])("%j ends with %i and leaves no file", (args, expected, message) => {
    const { code, err } = run(["convert", ...args]);
    expect(err).toMatch(message);
    expect(code).toBe(expected);
    expect(readdirSync(folder).filter((name) => name.includes("no.gfd"))).toEqual([]);
  });

  it("helps with what it takes, and not with what it refuses", () => {
    const { code, out } = run(["convert", "--help"]);
    expect(code).toBe(0);
    expect(out).toContain("Examples:");
    expect(out).toContain("--weights");
    expect(out).not.toMatch(/--categorical|--split-column|"mean"/);
  });

  it("never writes over the table", () => {
    const copy = at("copy.csv");
    copyFileSync(table, copy);
    const { code, err } = run(["convert", copy, join(folder, ".", "copy.csv"), ...read]);
    expect(code).toBe(2);
    expect(err).toMatch(
      /^gaussflow: the data file must be another file than the table \(.*\), which it would replace; received .*\n$/,
    );
    expect(readFileSync(copy).equals(readFileSync(table))).toBe(true);
  });

  it("Ctrl-C ends it with 130, and nothing is left", async () => {
    const out = at("endless.gfd");
    const child = spawn(process.execPath, [cli.main, "convert", "-", out, "--target", "y"]);
    let err = "";
    child.stderr.on("data", (text) => {
      err += text;
    });
    child.stdin.on("error", () => {}); // It is closed under the last rows.
    child.stdin.write("a,y\n");
    const rows = "1,2\n3,4\n".repeat(2000);
    let sent = false;
    const feed = setInterval(() => {
      child.stdin.write(rows);
      // The file in the making is there: the handler has been for longer.
      if (!sent && readdirSync(folder).some((name) => name.startsWith(".endless.gfd."))) sent = child.kill("SIGINT");
    }, 5);
    const code = await new Promise((resolve) => child.on("close", resolve));
    clearInterval(feed);
    expect(code, err).toBe(130);
    expect(err).toMatch(/stopping at the next row, nothing is written/);
    expect(readdirSync(folder).filter((name) => name.includes("endless"))).toEqual([]);
  });
});

describe("gaussflow train on a data file", () => {
  it("gives the network and the figures of the table in memory, bit for bit, and a model that reads tables", () => {
    const [held, file] = [at("held.json"), at("file.json")];
    const memory = run([
      "train",
      table,
      ...read,
      ...short,
      "--validation",
      "0",
      "--test",
      "0",
      "--json",
      "--out",
      held,
    ]);
    const streamed = run(["train", data, ...short, "--json", "--out", file]);
    expect(streamed.code, streamed.err).toBe(0);
    const parameters = (path: string) => JSON.parse(readFileSync(path, "utf8")).body.parameters;
    expect(parameters(file)).toBe(parameters(held));
    const { sets } = lastLine(streamed.out);
    expect(sets).toEqual(lastLine(memory.out).sets);
    expect(sets).toMatchObject([{ set: "train", rows: 39_600, targets: [{ target: "y" }] }]);
    const [one, other] = [held, file].map((model) => run(["evaluate", model, table, "--json"]));
    expect(other!.code, other!.err).toBe(0);
    expect(other!.out).toBe(one!.out);
    expect(JSON.parse(other!.out).targets[0].rmse).toBe(sets[0].targets[0].rmse);
  });

  it("says that no rows are held out, warns of a constant column, and goes on from a checkpoint", () => {
    const constant = at("constant.csv");
    writeFileSync(constant, `a,k,y\n${Array.from({ length: 60 }, (_, i) => `${i},3,${Math.sin(i / 9)}`).join("\n")}\n`);
    expect(run(["convert", constant, at("constant.gfd")]).code).toBe(0);
    const paths = ["whole.json", "half.json"].map(at);
    const args = ["train", at("constant.gfd"), "--hidden", "4", "--checkpoint", at("state.json")];
    const whole = run([...args, "--iterations", "20", "--out", paths[0]!]);
    expect(whole.code, whole.err).toBe(0);
    expect(whole.err).toContain("no rows are held out for validation or test");
    expect(whole.err).toContain("constant in the training rows, so of no use: k");
    expect(whole.out).toContain("no rows were held out");
    expect(whole.out).toMatch(/Next: gaussflow predict .*whole\.json FILE\n/);
    expect(run([...args, "--iterations", "10"]).code).toBe(0);
    const resumed = run([...args, "--iterations", "20", "--resume", at("state.json"), "--out", paths[1]!]);
    expect(resumed.code, resumed.err).toBe(0);
    const [one, other] = paths.map((path) => JSON.parse(readFileSync(path, "utf8")).body.parameters);
    expect(other).toBe(one);
  });

  it.each([
    [
      ["--target", "y"],
      /--target says how a table is read, and .*rig\.gfd is a data file: gaussflow convert settles it/,
    ],
    [["--categorical", "a"], /--categorical says how a table is read/],
    [["--missing", "drop"], /--missing says how a table is read/],
    [["--header", "no"], /--header says how a table is read/],
    [["--no-header"], /--no-header is written --header no/],
    [["--validation", "0.2"], /--validation must be 0 or left out for a data file, .*: received 0\.2/],
    [["--test", "0.1"], /--test must be 0 or left out for a data file, .*gaussflow evaluate/],
    [["--restarts", "2"], /--restarts wants the data in memory, .*give it the table instead, or leave --restarts out/],
    [["--cross-validate", "3"], /--cross-validate wants the data in memory/],
    [["--monitor"], /--monitor wants the data in memory/],
  ])("refuses %j", (args, message) => {
    const { code, err } = run(["train", data, ...short, ...args]);
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });

  it("says where the file is damaged, and that predict reads tables", () => {
    const damaged = at("damaged.gfd");
    writeFileSync(damaged, readFileSync(data).subarray(0, -8));
    const cut = run(["train", damaged, ...short]);
    expect([cut.code, /it is cut off/.test(cut.err)]).toEqual([1, true]);
    const model = at("any.json");
    run(["train", data, "--hidden", "2", "--iterations", "1", "--out", model]);
    const predicted = run(["predict", model, data]);
    expect([predicted.code, /is a data file, not a table/.test(predicted.err)]).toEqual([1, true]);
  });

  it("is planned without copies of the data", () => {
    const planned = run(["plan", data, "--hidden", "5", "--json"]);
    expect(planned.code, planned.err).toBe(0);
    const { chosen, sampleCount } = JSON.parse(planned.out);
    // The weights alone stand in memory: the caller's.
    expect([sampleCount, chosen.bytes.copies]).toEqual([39_600, 8 * 39_600]);
  });
});

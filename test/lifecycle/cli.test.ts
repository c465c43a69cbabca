// The command line as a user meets it: a child process, its streams and its exit code.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadModel, predictAsync, readCsv } from "../../src/index.js";
import { CommandLine } from "../helpers/command-line.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-"));
const cars = "examples/data/auto-mpg.csv";
const model = join(folder, "cars.json");
// The sizes are given: cli-fit.test.ts is about their choice.
const training = ["train", cars, "--target", "mpg", "--ignore", "name", "--missing", "mean", "--hidden", "16,16"];
const cli = new CommandLine();

beforeAll(() => {
  cli.build();
});

const run = (args: readonly string[], input?: string) => cli.run(args, input);

describe("gaussflow train", () => {
  it("trains, prints the table and the next step, draws the loss, saves the model", async () => {
    const { code, out, err } = run([...training, "--out", model, "--plot"]);
    expect(code, err).toBe(0);
    expect(out).toMatch(/train +\d+ +[\d.]+/);
    expect(out).toMatch(/test +\d+ +[\d.]+/);
    expect(out).toMatch(/The model is that of iteration \d+/);
    expect(out).toContain(`Next: gaussflow predict ${model}`);
    expect(out).toMatch(/^Network 9-16-16-1 \(449 parameters\), trained on \d+ rows; \d+ more were held out/);
    expect(out).toMatch(/R² +1 - R²\n/);
    expect(out).not.toMatch(/route|engine/);
    expect(err).toContain('column "origin" is categorical with 3 categories');
    expect((await loadModel(model)).encoding?.targets).toEqual(["mpg"]);
  });

  it("--json is one object a line, ending with the result", () => {
    const { code, out } = run([...training, "--json", "--iterations", "3"]);
    expect(code).toBe(0);
    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.filter(({ type }) => type === "record").length).toBeGreaterThanOrEqual(4);
    expect(lines.at(-1)).toMatchObject({ type: "result", iterations: 3, reason: { code: "iterations" } });
  });

  it("advises where the numbers give a reason, with the flags, and shows details on request", () => {
    const args = [...training, "--iterations", "2", "--hidden", "4"];
    const { out } = run([...args, "--verbose"]);
    expect(out).toMatch(/Advice: The run was cut off while the error still fell .* \(--iterations, --seconds\)/);
    expect(out).toMatch(/Levenberg-Marquardt .* primal route .* engine/);
    const lines = run([...args, "--json"])
      .out.trim()
      .split("\n");
    expect(JSON.parse(lines.at(-1) ?? "").advice[0].code).toBe("iterations");
  });

  it("--quiet writes nothing but errors, and the model", () => {
    const quiet = join(folder, "quiet.json");
    // A column that is left out, a constant one and --restarts would all have something to say.
    for (const more of [[], ["--restarts", "2"]]) {
      const args = [...training, "--quiet", "--iterations", "2", "--out", quiet, ...more];
      expect(run(args)).toEqual({ code: 0, out: "", err: "" });
      expect(existsSync(quiet)).toBe(true);
    }
    const { code, out, err } = run(["train", "missing.csv", "--quiet"]);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/^gaussflow: missing\.csv/);
  });

  it("reads standard input", () => {
    const { code, out } = run(["train", "-", ...training.slice(2)], readFileSync(cars, "utf8"));
    expect(code).toBe(0);
    expect(out).toContain("--out model.json");
  });

  it("is deterministic for a seed", () => {
    const parameters = [1, 2].map((k) => {
      const path = join(folder, `same-${k}.json`);
      run([...training, "--out", path, "--seed", "5", "--threads", String(k)]);
      return JSON.parse(readFileSync(path, "utf8")).body.parameters;
    });
    expect(parameters[0]).toBe(parameters[1]);
  });

  it("Ctrl-C saves the best so far and exits 130, SIGTERM 143", async () => {
    const table = join(folder, "long.csv");
    const rows = Array.from(
      { length: 5000 },
      (_, i) => `${Math.sin(i)},${Math.cos(3 * i)},${Math.sin(i) * Math.cos(5 * i)}`,
    );
    writeFileSync(table, `a,b,y\n${rows.join("\n")}\n`);
    for (const [signal, expected] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      const path = join(folder, `${signal}.json`);
      const args = [
        "train",
        table,
        "--hidden",
        "30,30",
        "--out",
        path,
        "--iterations",
        "100000",
        "--patience",
        "100000",
      ];
      const child: ChildProcess = spawn(process.execPath, [cli.main, ...args]);
      let err = "";
      let sent = false;
      child.stderr?.on("data", (text) => {
        err += text;
        // A second signal would end the process at once.
        if (!sent && /iteration +[1-9]/.test(err)) sent = child.kill(signal);
      });
      const code = await new Promise((resolve) => child.on("exit", resolve));
      expect(code, err).toBe(expected);
      expect((await loadModel(path)).summary).toMatchObject({ reason: "aborted" });
    }
  });

  it("goes on and saves when nobody reads any more", async () => {
    const path = join(folder, "unread.json");
    const child = spawn(process.execPath, [cli.main, ...training, "--json", "--out", path]);
    let err = "";
    child.stderr.on("data", (text) => {
      err += text;
    });
    child.stdout.destroy();
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect([code, err]).toEqual([0, ""]);
    expect((await loadModel(path)).outputSize).toBe(1);
  });

  it.runIf(existsSync("/dev/full"))("saves and says in one line when the disk under its output is full", async () => {
    const full = join(folder, "full.json");
    const out = openSync("/dev/full", "w");
    const args = [cli.main, ...training, "--iterations", "1", "--out", full];
    const writer = spawnSync(process.execPath, args, { encoding: "utf8", stdio: ["ignore", out, "pipe"] });
    closeSync(out);
    expect(writer.stderr).toMatch(/\ngaussflow: .*no space left.*\n$/i);
    expect(writer.status).toBe(1);
    expect((await loadModel(full)).outputSize).toBe(1);
  });

  it.each([
    [["train", "no-such.csv"], 1, /no-such\.csv: there is no such file/],
    [["train", cars, "--target", "mpgg"], 1, /did you mean "mpg"/],
    [["train", cars, "--target", "mpg"], 1, /line \d+, column/],
    [["train", cars, "--hidden", "16,x"], 2, /--hidden.*layer sizes/],
    [["train", cars, "--seconds", "12abc"], 2, /--seconds.*positive number/],
    [["train", cars, "--activation", "tahn"], 2, /--activation/],
    [["train", cars, "--hiden", "3"], 2, /--hidden/],
    [["train", cars, "--method", "gn", "--scaling", "identity"], 2, /--scaling/],
    [["train", cars, "--out", "src"], 1, /directory/],
    [["train"], 2, /missing required argument/],
    [["fly"], 2, /unknown command/],
    [[], 2, /Usage/],
  ])("%j ends with %i", (args, expected, message) => {
    const { code, err } = run(args);
    expect(err).toMatch(message);
    expect(code).toBe(expected);
    expect(err).not.toMatch(/\n\s+at /);
  });

  it.each([["--help"], ["train", "--help"], ["predict", "--help"], ["evaluate", "--help"]])(
    "%s %s helps",
    (...args) => {
      const { code, out } = run(args.filter(Boolean));
      expect(code).toBe(0);
      expect(out).toContain("Example");
      expect(out).toContain("Exit codes:");
    },
  );

  it("shows defaults as they are typed, and those that hang on other options", () => {
    const help = run(["train", "--help"]).out.replace(/\s+/g, " ");
    expect(help).toContain("choose them by cross-validation (default auto; 16,16 where only --decay is given)");
    expect(help).toContain("the clock decides nothing (default 1e+12)");
    expect(help).toContain("initial parameters (default lecun-normal; he-normal with relu)");
    expect(help).toContain("held out to decide when to stop (default 0.15; with --method bayes none)");
  });

  it("a weight decay beyond the range of numbers ends with 3 and says so", () => {
    const { code, out } = run([...training, "--decay", "1e308"]);
    expect(out).toMatch(/stopped because the objective is not finite: the weight decay 1e\+308 is too large/);
    expect(code).toBe(3);
  });
});

describe("gaussflow predict, evaluate and doctor", () => {
  it("predicts what the library predicts, row by row", async () => {
    if (!existsSync(model)) run([...training, "--out", model]);
    const { code, out } = run(["predict", model, cars]);
    expect(code).toBe(0);
    const network = await loadModel(model);
    const data = await readCsv(cars, { encoding: network.encoding ?? undefined, targets: "ignore" });
    const expected = await predictAsync(network, data.inputs);
    const [head, ...rows] = out.trim().split("\n");
    expect(head).toBe("row,mpg");
    expect(rows.length).toBe(406);
    rows.forEach((row, i) => {
      expect(row).toBe(`${i + 1},${expected[i]}`);
    });
  });

  it("warns about values outside the range seen in training", () => {
    const header = "cylinders,displacement,horsepower,weight,acceleration,year,origin";
    const { code, err } = run(["predict", model, "-"], `${header}\n8,9999,130,3504,12,1970,USA\n`);
    expect(code).toBe(0);
    expect(err).toMatch(/outside the range.*"displacement": 9999/);
  });

  it("evaluates, and refuses what is no model", () => {
    const { code, out } = run(["evaluate", model, cars, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out).targets[0].r2).toBeGreaterThan(0.8);
    // The rows of the training: said so. Others: not.
    expect(run(["evaluate", model, cars]).err).toMatch(
      /all of the rows that the model was trained on are in this table/,
    );
    const [header = "", ...rows] = readFileSync(cars, "utf8").trim().split("\n");
    const other = rows.slice(0, 20).map((row) => row.replace(/^([^,]+),[^,]+/, "$1,33.25"));
    expect(run(["evaluate", model, "-"], `${[header, ...other].join("\n")}\n`).err).not.toMatch(/trained on/);
    const foreign = run(["predict", "package.json", cars]);
    expect([foreign.code, /not a gaussflow-model/.test(foreign.err)]).toEqual([1, true]);
  });

  it("doctor names the engine", () => {
    const { out } = run(["doctor"]);
    expect(out).toMatch(/engine +(native|TypeScript)/);
  });
});

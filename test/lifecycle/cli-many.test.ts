// gaussflow train --restarts and --cross-validate as a user meets them: a child process, its streams and its exit code.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  crossValidate,
  crossValidation,
  ensemble,
  loadEnsemble,
  loadModel,
  metrics,
  network,
  readCsv,
  restarts,
  saveModel,
  squaredError,
  trainMany,
} from "../../src/index.js";
import { CommandLine, jsonLines } from "../helpers/command-line.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-many-"));
const cars = "examples/data/auto-mpg.csv";
const read = ["train", cars, "--target", "mpg", "--ignore", "name", "--missing", "mean"];
const short = [...read, "--hidden", "4", "--iterations", "6"];
const cli = new CommandLine();

beforeAll(() => {
  cli.build();
});

const run = (args: readonly string[]) => cli.run(args);

describe("gaussflow train --restarts", () => {
  it("saves the best of the runs, which is the one that train gives from that seed", async () => {
    const out = join(folder, "best.json");
    const { code, out: text, err } = run([...short, "--restarts", "5", "--seed", "3", "--json", "--out", out]);
    expect(code, err).toBe(0);
    const lines = jsonLines(text);
    const runs = lines.filter(({ type }) => type === "run");
    expect(runs.map(({ rank }) => rank)).toEqual([1, 2, 3, 4, 5]);
    expect(runs.map(({ seed }) => seed).toSorted()).toEqual([3, 4, 5, 6, 7]);
    const scores = runs.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => a - b));
    expect(scores[0]).toBe(runs[0].validationLoss);
    expect(new Set(lines.filter(({ type }) => type === "progress").map(({ job }) => job)).size).toBe(5);
    expect(lines.at(-1)).toMatchObject({ type: "result", model: out });
    const saved = await loadModel(out);
    expect(saved.options.drawn?.seed).toBe(runs[0].seed);
    expect(saved.summary).toMatchObject({ validationLoss: scores[0] });
  });

  it("prints the ranked table, progress to standard error, and the same figures for every number of threads", () => {
    const [one, two] = ["1", "2"].map((threads) => run([...short, "--restarts", "4", "--threads", threads]));
    expect(one!.out).toMatch(/Runs, best first[\s\S]*\n +1 {2}seed \d .*iterations\n[\s\S]*\n +4 {2}seed \d/);
    expect(one!.err).toMatch(/4\/4 done {2}seed \d {2}iteration 6 {2}loss/);
    // Seconds and the count of threads apart.
    const figures = (text: string) =>
      text
        .replace(/\d+(\.\d+)? m?s\b/g, "")
        .replace(/\d+ threads?/, "")
        .replace(/ +/g, " ");
    expect(figures(two!.out)).toBe(figures(one!.out));
  });

  it("exits with 3 where even the best run met numbers it could not go on with, and saves it all the same", async () => {
    const table = join(folder, "heavy.csv");
    // Sums of squares under such weights overflow at the start.
    const rows = Array.from({ length: 30 }, (_, i) => `${Math.sin(i)},${Math.cos(3 * i)},1e307`);
    writeFileSync(table, `a,y,w\n${rows.join("\n")}\n`);
    const out = join(folder, "overflow.json");
    const heavy = ["train", table, "--target", "y", "--weights", "w", "--hidden", "4"];
    const { code, err } = run([...heavy, "--restarts", "2", "--out", out]);
    expect(code, err).toBe(3);
    expect((await loadModel(out)).summary).toMatchObject({ reason: "non-finite" });
  });

  it.each([
    [["--restarts", "0"], /--restarts.*at least 1/],
    [["--cross-validate", "1"], /--cross-validate.*at least 2/],
    [["--restarts", "2", "--monitor"], /--monitor is about one run/],
    [["--restarts", "2", "--checkpoint", join(folder, "c.json")], /--checkpoint is about one run/],
    [["--cross-validate", "3", "--split-column", "year"], /leave --split-column out/],
  ])("%j is refused with 2", (args, message) => {
    const { code, err } = run([...short, ...args]);
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });
});

describe("gaussflow train --cross-validate", () => {
  it("gives the figures of crossValidate, and saves a network that saw all rows", async () => {
    const out = join(folder, "validated.json");
    const both = ["--cross-validate", "3", "--restarts", "2", "--seed", "1", "--json", "--out", out];
    const { code, out: text, err } = run([...short, ...both]);
    expect(code, err).toBe(0);
    const lines = jsonLines(text);
    const data = (await readCsv(cars, { target: "mpg", ignore: "name", missing: "mean" })).fitted();
    const job = {
      network: network({ layers: [data.inputSize, 4, 1], activation: "tanh", seed: 1 }),
      data,
      options: { stop: { iterations: 6 }, loss: squaredError() },
    };
    const expected = await crossValidate(job, { folds: 3, restarts: 2, seed: 1 });
    expect(lines.find(({ type }) => type === "cross-validation")).toEqual({
      type: "cross-validation",
      folds: 3,
      targets: expected.metrics,
      spread: expected.spread,
    });
    expect(lines.filter(({ type }) => type === "fold").map(({ targets }) => targets)).toEqual(
      expected.folds.map(({ metrics }) => metrics),
    );
    expect(lines.filter(({ type }) => type === "run").length).toBe(8);
    const saved = await loadModel(out);
    const summary = saved.summary as { samples: number; validationSamples: number };
    expect(summary.samples + summary.validationSamples).toBe(data.sampleCount);
    expect(saved.options.drawn?.seed).toBe(
      lines.find(({ type, fold, rank }) => type === "run" && fold === null && rank === 1).seed,
    );
  });

  it("prints every fold, all rows together and the spread", () => {
    const { code, out } = run([...short, "--cross-validate", "4"]);
    expect(code).toBe(0);
    expect(out).toMatch(
      /fold +rows +RMSE[\s\S]*\n {2}1 +\d+[\s\S]*\n {2}4 +\d+[\s\S]*\n {2}all +398 +[\d.]+[\s\S]*\n {2}spread +[\d.]+/,
    );
  });
});

describe("Ctrl-C", () => {
  it.each([["SIGINT", 130] as const, ["SIGTERM", 143] as const])(
    "%s saves the best so far and exits with %i",
    async (signal, expected) => {
      const table = join(folder, "long.csv");
      const rows = Array.from(
        { length: 800 },
        (_, i) => `${Math.sin(i)},${Math.cos(3 * i)},${Math.sin(i) * Math.cos(5 * i)}`,
      );
      writeFileSync(table, `a,b,y\n${rows.join("\n")}\n`);
      const out = join(folder, `${signal}.json`);
      const endless = ["--iterations", "100000", "--patience", "100000", "--hidden", "20,20"];
      const args = [
        cli.main,
        "train",
        table,
        ...endless,
        "--restarts",
        "8",
        "--cross-validate",
        "3",
        "--json",
        "--out",
        out,
      ];
      const child: ChildProcess = spawn(process.execPath, args);
      let text = "";
      let err = "";
      let sent = false;
      child.stderr?.on("data", (part) => {
        err += part;
      });
      child.stdout?.on("data", (part) => {
        text += part;
        if (!sent && /"iteration":[2-9]/.test(text)) sent = child.kill(signal);
      });
      const code = await new Promise((resolve) => child.on("close", resolve));
      expect(code, err).toBe(expected);
      const lines = jsonLines(text);
      expect(lines.at(-1)).toMatchObject({ type: "result", interrupted: signal, reason: { code: "aborted" } });
      const states = lines.filter(({ type }) => type === "run").map(({ state }) => state);
      expect(new Set(states)).toEqual(new Set(["trained", "idle"]));
      expect((await loadModel(out)).summary).toMatchObject({ reason: "aborted" });
    },
  );
});

describe("gaussflow train --ensemble", () => {
  const path = join(folder, "ensemble.json");

  it("keeps the best networks together, and judges them by their mean", async () => {
    const args = [...short, "--restarts", "4", "--ensemble", "3", "--out", path];
    const { code, out, err } = run([...args, "--json"]);
    expect(code, err).toBe(0);
    const lines = jsonLines(out);
    const seeds = lines.filter(({ type }) => type === "run").map(({ seed }) => seed);
    const kept = await loadEnsemble(path);
    expect(kept.networks.map(({ options }) => options.drawn?.seed)).toEqual(seeds.slice(0, 3));
    expect(lines.at(-1)).toMatchObject({ type: "result", ensemble: 3, model: path });
    const whole = await readCsv(cars, { target: "mpg", ignore: ["name"], missing: "mean" });
    const { train } = whole.split({ validation: 0.15, test: 0.15, seed: 0 });
    const [own] = metrics(kept.predict(train.inputs).mean, train.targets, train.targetNames);
    const [told] = lines.at(-1).sets[0].targets;
    // Two orders of sums in predict and in the engine.
    expect(Math.abs(told.rmse - own!.rmse)).toBeLessThanOrEqual(1e-10 * own!.rmse);
    expect(run(args).out).toMatch(/an ensemble of the best 3 networks, which predicts their mean/);
  });

  it("is predicted and evaluated as one network is, with the spread on request", async () => {
    const kept = await loadEnsemble(path);
    // Rows without a target are predicted too.
    const encoding = kept.networks[0]?.encoding ?? undefined;
    const { inputs, rows } = await readCsv(cars, { encoding, targets: "ignore" });
    const { mean, spread } = kept.predict(inputs);
    const plain = run(["predict", path, cars]);
    expect(plain.code, plain.err).toBe(0);
    expect(plain.out).toMatch(/^row,mpg\n/);
    const { out } = run(["predict", path, cars, "--spread"]);
    const [head, ...lines] = out.trim().split("\n");
    expect(head).toBe("row,mpg,mpg spread");
    expect(lines.length).toBe(mean.length);
    lines.forEach((line, i) => {
      const [row, first = Number.NaN, second = Number.NaN] = line.split(",").map(Number);
      expect(row).toBe(rows?.[i] ?? i + 1);
      expect(Math.abs(first - mean[i]!)).toBeLessThanOrEqual(1e-10 * Math.abs(mean[i]!));
      expect(Math.abs(second - spread[i]!)).toBeLessThanOrEqual(1e-10 * Math.abs(mean[i]!));
    });
    expect(plain.out.split("\n")[1]).toBe(lines[0]?.split(",").slice(0, 2).join(","));
    const judged = run(["evaluate", path, cars, "--json"]);
    expect(judged.code, judged.err).toBe(0);
    expect(JSON.parse(judged.out)).toMatchObject({ type: "evaluation", set: "table", rows: 398 });
    expect(judged.err).toMatch(/rows that the model was trained on are in this table/);
  });

  it("also predicts the held-out rows of a cross-validation", async () => {
    const flags = ["--restarts", "3", "--ensemble", "2", "--cross-validate", "2", "--json"];
    const { code, out, err } = run([...short, ...flags]);
    expect(code, err).toBe(0);
    const lines = jsonLines(out);
    const data = await readCsv(cars, { target: "mpg", ignore: ["name"], missing: "mean" });
    const job = { network: network({ layers: [data.inputSize, 4, 1], seed: 0 }), data };
    const options = { loss: squaredError(), stop: { iterations: 6, patience: 20 }, seed: 0 };
    const [fold] = crossValidation({ ...job, options }, 2, 0);
    const { ranked } = await trainMany(restarts(fold!, 3, 0), { threads: 1 });
    const two = ensemble(ranked.slice(0, 2).map(({ result }) => result!.network));
    const { held } = fold!.fold!;
    const [own] = metrics(two.predict(held.inputs).mean, held.targets, held.targetNames);
    const [told] = lines.find(({ type }) => type === "fold").targets;
    expect(told.rmse).toBe(own!.rmse);
  });

  it.each([
    [["train", cars, "--ensemble", "3"], /--ensemble takes the best of the runs of --restarts.*--restarts 3 or more/],
    [["train", cars, "--restarts", "2", "--ensemble", "3"], /there are 2: received 3/],
    [["train", cars, "--restarts", "2", "--ensemble", "1"], /--ensemble.*at least 2/],
  ])("refuses %j", (args, message) => {
    const { code, err } = run(args);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  it("refuses a spread of one network, and networks of different tables", async () => {
    const single = join(folder, "single.json");
    run([...short, "--out", single]);
    const alone = run(["predict", single, cars, "--spread"]);
    expect(alone.code).toBe(2);
    expect(alone.err).toMatch(/--spread is about an ensemble, and .*single\.json is one network/);
    const [first, second] = (await loadEnsemble(path)).networks;
    const encoding = { ...second!.encoding!, targets: ["other"] };
    const mixed = join(folder, "mixed.json");
    await saveModel(mixed, ensemble([first!, second!.withEncoding(encoding)]));
    const refused = run(["predict", mixed, cars]);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/mixed\.json: has networks that were trained on different tables/);
  });
});

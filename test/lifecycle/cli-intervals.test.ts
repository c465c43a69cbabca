// gaussflow train --uncertainty, predict --intervals and --averaged, evaluate --intervals, as a user runs them.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadModel, Random, readCsv, uncertaintyOf } from "../../src/index.js";
import { CommandLine, jsonLines } from "../helpers/command-line.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-intervals-"));
const cli = new CommandLine({ cwd: folder });
const at = (name: string) => join(folder, name);

function writeTable(name: string, rows: number, seed: number) {
  const random = new Random(seed);
  const lines = Array.from({ length: rows }, () => {
    const [a, b] = [2 * random.uniform() - 1, 2 * random.uniform() - 1];
    const kind = a + 0.3 * random.normal() > 0 ? "yes" : b > 0 ? "no" : "maybe";
    return [a, b, Math.sin(2 * a) + b * b + 0.1 * random.normal(), a + b + 0.2 * random.normal(), kind].join(",");
  });
  writeFileSync(at(name), ["a,b,y,z,kind", ...lines].join("\n"));
}

const train = (...flags: string[]) => cli.run(["train", "rows.csv", "--hidden", "5", "--uncertainty", ...flags]);

beforeAll(() => {
  cli.build();
  writeTable("rows.csv", 200, 1);
  writeTable("new.csv", 400, 2);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("writes intervals in the columns beside the predictions, and says how many targets they hold", async () => {
  const trained = train("--target", "y,z", "--ignore", "kind", "--method", "bayes", "--test", "0", "--out", "m.json");
  expect(trained.code).toBe(0);
  expect(trained.out).toMatch(/Uncertainty: noise .* in y \(.* degrees of freedom\), .* in z .* of 27 directions/);
  const { code, out } = cli.run(["predict", "m.json", "new.csv", "--intervals", "0.9"]);
  expect(code).toBe(0);
  const [head, first] = out.split("\n");
  expect(head).toBe("row,y,z,y standard error,z standard error,y lower,z lower,y upper,z upper");
  const loaded = await loadModel(at("m.json"));
  const data = await readCsv(at("new.csv"), { encoding: loaded.encoding!, targets: "require" });
  const exact = await uncertaintyOf(loaded).predict(data.inputs, { intervals: 0.9 });
  const columns = [exact.mean, exact.standardError, exact.lower, exact.upper];
  expect(first).toBe(["1", ...columns.flatMap((column) => [...column.subarray(0, 2)])].join(","));
  const evaluated = cli.run(["evaluate", "m.json", "new.csv", "--intervals", "0.9", "--json"]);
  const [{ intervals }] = jsonLines(evaluated.out);
  for (const [a, { target, level, coverage }] of intervals.entries()) {
    const inside = Array.from({ length: 400 }, (_, i) => {
      const k = 2 * i + a;
      return data.targets[k]! >= exact.lower[k]! && data.targets[k]! <= exact.upper[k]!;
    });
    expect([target, level, coverage]).toEqual(["yz"[a], 0.9, inside.filter(Boolean).length / 400]);
  }
  expect(cli.run(["evaluate", "m.json", "new.csv", "--intervals", "0.9"]).out).toMatch(
    /Intervals of 90%: they hold \d\d\.\d% of y, \d\d\.\d% of z\.\n$/,
  );
});

it("averages the probabilities of classes", () => {
  const flags = [
    "--target",
    "kind",
    "--ignore",
    "y,z",
    "--decay",
    "1",
    "--validation",
    "0",
    "--out",
    "k.json",
    "--json",
  ];
  const trained = train(...flags);
  expect(trained.code).toBe(0);
  const { uncertainty } = jsonLines(trained.out).at(-1);
  expect(uncertainty.directions).toBe(33);
  expect(uncertainty.noise).toBeNull();
  const best = cli.run(["predict", "k.json", "new.csv"]).out.split("\n");
  const averaged = cli.run(["predict", "k.json", "new.csv", "--averaged"]).out.split("\n");
  expect(averaged[0]).toBe(best[0]);
  expect(averaged).toHaveLength(best.length);
  expect(averaged[1]).not.toBe(best[1]);
});

it("of several starts has the uncertainty of the best, and with folds beside it", () => {
  const flags = ["--target", "y", "--ignore", "z,kind", "--decay", "0.1", "--restarts", "2", "--cross-validate", "2"];
  expect(train(...flags, "--out", "r.json").code).toBe(0);
  expect(JSON.parse(readFileSync(at("r.json"), "utf8")).body.posterior.samples).toBeGreaterThan(100);
});

it("what cannot be is refused with the remedy", () => {
  const says = (args: readonly string[]) => {
    const { code, err } = cli.run(args);
    expect(code).toBe(2);
    return err;
  };
  expect(says(["predict", "m.json", "new.csv", "--intervals", "1.5"])).toMatch(
    /must be a probability above 0 and below 1/,
  );
  expect(says(["predict", "m.json", "new.csv", "--averaged"])).toMatch(
    /--averaged is about probabilities, .*--intervals/,
  );
  expect(says(["predict", "k.json", "new.csv", "--intervals", "0.9"])).toMatch(
    /--intervals is about numbers.*--averaged/,
  );
  const plain = ["train", "rows.csv", "--target", "y", "--ignore", "z,kind", "--hidden", "2"];
  expect(cli.run([...plain, "--out", "p.json"]).code).toBe(0);
  expect(says(["evaluate", "p.json", "new.csv", "--intervals", "0.9"])).toMatch(/needs a model .*train --uncertainty/);
  expect(says([...plain, "--uncertainty", "--loss", "huber"])).toMatch(/--uncertainty must be left out: a robust loss/);
  expect(says([...plain, "--uncertainty", "--restarts", "3", "--ensemble", "2"])).toMatch(/about one network/);
});

// The choice of sizes and weight decay by gaussflow train, as a user meets it: a child process, its streams and its exit code.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadModel, Random } from "../../src/index.js";
import { CommandLine, jsonLines } from "../helpers/command-line.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-fit-"));
const at = (name: string) => join(folder, name);
const cli = new CommandLine({ timeout: 120_000 });

beforeAll(() => {
  cli.build();
  for (const rows of [15, 80]) {
    const random = new Random(5);
    const lines = Array.from({ length: rows }, () => {
      const x = 2 * random.uniform() - 1;
      return `${x},${x + 0.5 * x * x + 0.3 * random.normal()}`;
    });
    writeFileSync(at(`${rows}.csv`), `x,y\n${lines.join("\n")}\n`);
  }
});

const run = (...args: readonly string[]) => cli.run(args);

describe("gaussflow train without --hidden and --decay", () => {
  it("ends a table of 15 rows with a handful of parameters, and shows what it compared", async () => {
    const { code, out, err } = run("train", at("15.csv"), "--out", at("15.json"));
    expect(code, err).toBe(0);
    expect((await loadModel(at("15.json"))).parameterCount).toBeLessThanOrEqual(7);
    expect(out).toMatch(/^Networks compared on 15 rows, 30 folds, best first/);
    expect(out).toMatch(/\n {2}\* +(linear|1|2) +\d+ +[\d.]+ +0\.\d+ /);
    expect(out).toMatch(/\nChosen: .*, weight decay [\d.]+: /);
    expect(out).toMatch(/\nNetwork 1-.* trained on 15 rows/);
    expect(out).not.toMatch(/ 1\.0000 /);
    expect(out).not.toContain("none were held out");
  });

  it("--json has the search on a line of its own; results do not depend on threads", () => {
    const [one, two] = ["1", "2"].map((threads) => run("train", at("80.csv"), "--json", "--threads", threads));
    expect(one!.code, one!.err).toBe(0);
    const found = [one!, two!].map(({ out }) => {
      const lines = jsonLines(out);
      const [{ seconds: _, ...search }] = lines.filter(({ type }) => type === "search");
      return { search, sets: lines.at(-1).sets };
    });
    expect(found[0]).toEqual(found[1]);
    const { search } = found[0]!;
    expect(search.tried.length).toBeGreaterThan(5);
    expect(search.tried[0]).toMatchObject({ difference: 0, state: "compared", error: null });
  });

  it("searches nothing where one of the two has a value", async () => {
    for (const [flags, hidden] of [
      [["--hidden", "4"], [4]],
      [
        ["--decay", "1"],
        [16, 16],
      ],
    ] as const) {
      const { code, out } = run("train", at("80.csv"), ...flags, "--iterations", "2", "--out", at("given.json"));
      expect(code).toBe(0);
      expect(out).not.toContain("compared");
      expect((await loadModel(at("given.json"))).options.layers).toEqual([1, ...hidden, 1]);
    }
  });

  it("searches the one that is auto, and keeps the other", () => {
    const { out } = run("train", at("80.csv"), "--hidden", "auto", "--decay", "0.5", "--json");
    const [search] = jsonLines(out).filter(({ type }) => type === "search");
    expect(new Set(search.tried.map(({ decay }: { decay: number }) => decay))).toEqual(new Set([0.5]));
    const other = jsonLines(run("train", at("80.csv"), "--hidden", "3", "--decay", "auto", "--json").out);
    expect(
      new Set(other.find(({ type }) => type === "search").tried.map((one: { hidden: number[] }) => one.hidden[0])),
    ).toEqual(new Set([3]));
  });

  it("leaves out what goes over the budget, and says so", () => {
    const [whole] = jsonLines(run("train", at("80.csv"), "--json").out).filter(({ type }) => type === "search");
    const { code, out } = run("train", at("80.csv"), "--budget", String(whole.flops / 4));
    expect(code).toBe(0);
    expect(out).toMatch(
      /\d+ networks? of the list would have gone over the budget of .* planned operations \(--budget\)/,
    );
  });

  it("tells the flags with which a run is resumed, and they resume it", () => {
    const args = ["train", at("80.csv"), "--checkpoint", at("run.ckpt"), "--iterations", "2"];
    const { code, err } = run(...args);
    expect(code, err).toBe(0);
    const [, flags = ""] = /to resume from \S+, also give (.*)\n/.exec(err) ?? [];
    expect(flags).toMatch(/^--hidden \S+ --decay \S+/);
    const resumed = run("train", at("80.csv"), "--resume", at("run.ckpt"), "--iterations", "4", ...flags.split(" "));
    expect(resumed.code, resumed.err).toBe(0);
    expect(resumed.out).not.toContain("compared");
  });

  it("says that the errors of a cross-validation have seen the choice", () => {
    const { code, out, err } = run("train", at("80.csv"), "--cross-validate", "3", "--hidden", "2", "--decay", "auto");
    expect(code, err).toBe(0);
    expect(err).toContain("the errors of the folds are slightly too small");
    expect(out).toMatch(/Chosen: [\s\S]*Rows that were held out, fold by fold/);
  });

  it.each([
    [["--hidden", "4", "--budget", "1e9"], /--budget is about a search for sizes and decay: give --hidden auto/],
    [
      ["--hidden", "auto", "--resume", "nothing.ckpt"],
      /--hidden auto compares networks .* give --resume the --hidden and --decay/,
    ],
    [["--budget", "1"], /^gaussflow: --budget must be at least .*; received 1$/m],
    [["--budget", "0"], /--budget.*positive number/],
    [["--decay", "Auto"], /--decay.*a number of at least 0, or "auto"/],
    [["--hidden", "auto,2"], /--hidden.*layer sizes.*or "auto"/],
  ])("%j ends with 2", (flags, message) => {
    const { code, err } = run("train", at("80.csv"), ...flags);
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });

  it("does not search for a data file unless asked, which is refused", () => {
    expect(run("convert", at("80.csv"), at("80.gfd"), "--target", "y").code).toBe(0);
    const { code, out } = run("train", at("80.gfd"), "--iterations", "2");
    expect([code, out.startsWith("Network 1-16-16-1")]).toEqual([0, true]);
    const refused = run("train", at("80.gfd"), "--decay", "auto");
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/--decay auto compares networks .* a data file has none of: give it the table instead/);
  });

  it("plans the largest network that train compares", () => {
    const { code, out, err } = run("plan", at("15.csv"));
    expect(code).toBe(0);
    expect(err).toContain("this is the plan of the largest, 2");
    expect(out).toContain("15 samples, 7 parameters");
  });
});

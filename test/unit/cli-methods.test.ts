// The flags of the methods on batches reach their options, the count of small parameters is shown, and the remedies that the command line names
// are flags of the method that ran. Commands run in this process, on a table of its own.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type MethodFlags, methodOf } from "../../src/cli/method-flag.js";
import { makeProgram } from "../../src/cli/program.js";
import { network, unitGroups } from "../../src/index.js";
import type { BatchMethod } from "../../src/method/batch-method.js";
import { plain } from "../../src/report/paint.js";
import { jsonLines } from "../helpers/command-line.js";

const table = join(mkdtempSync(join(tmpdir(), "gaussflow-cli-methods-")), "waves.csv");
const rows = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(2 * i), Math.sin(3 * i)]);
writeFileSync(table, ["a,b,y", ...rows.map((row) => row.join(","))].join("\n"));

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const listeners = SIGNALS.map((name) => process.listeners(name));
// A training listens for signals as long as its process lives, which here is that of other tests.
afterAll(() => {
  for (const [k, name] of SIGNALS.entries())
    for (const one of process.listeners(name)) if (!listeners[k]!.includes(one)) process.off(name, one);
});

/** Runs a command on the table, with a small network and all of its rows. */
function run(command: string, ...flags: readonly string[]) {
  const fixed = ["--target", "y", "--hidden", "4", "--validation", "0", "--test", "0", "--backend", "typescript"];
  return runAlone(command, ...fixed, ...flags);
}

/** Runs a command on the table with these flags alone. */
const runAlone = (name: string, ...flags: readonly string[]) => command(name, table, ...flags);

/** Runs the command line of these arguments. */
async function command(...args: readonly string[]) {
  const written = { out: "", err: "" };
  let code: number | null = null;
  const stream = (name: "out" | "err") => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const terminal = { out: stream("out"), err: stream("err"), paintOut: plain, paintErr: plain };
  const program = makeProgram(terminal, (ended) => {
    code = ended;
  });
  await program.parseAsync([...args], { from: "user" });
  return { ...written, code: code as number | null };
}

describe("flags are options of their method", () => {
  const average = { keep: 0.7, curvatureRows: 8, warmUp: 0, largestRise: 0.2 };
  const box = { regularizer: "log-exp-box", lower: -0.5, upper: 2, damping: 0 } as const;
  it.each<[MethodFlags, object]>([
    [{ method: "adam", decoupledDecay: 0.01 }, { decoupledDecay: 0.01 }],
    [
      { method: "gradient-descent", nesterov: true, momentum: 0.5 },
      { nesterov: true, momentum: 0.5 },
    ],
    [{ method: "cumulative", batch: 16, ...average }, average],
    [
      { method: "cumulative", form: "published", radius: 2 },
      { form: "published", radius: 2 },
    ],
    [{ method: "ggn-score", ...box }, box],
  ])("%j", (flags, settings) => {
    expect((methodOf(flags) as BatchMethod).settings).toMatchObject(settings);
  });

  it("groups are those of the network, once it is known", () => {
    const net = network({ layers: [2, 3, 1] });
    const flags = { method: "ggn-score", groups: "units" } as const;
    expect((methodOf(flags, net) as BatchMethod).settings.groups).toBe(unitGroups(net).join(","));
    expect((methodOf(flags) as BatchMethod).settings).not.toHaveProperty("groups");
  });

  it.each<[string[], RegExp]>([
    [["--method", "adam", "--radius", "1"], /--radius is not about --method adam \(Adam\).*choose --method cumulative/],
    [["--method", "cumulative", "--radius", "1"], /radius must not be given with form "moving-average"/],
    [["--method", "ggn-score", "--regularizer", "log-exp-box", "--lower", "3"], /lower must be at most options\.upper/],
    [["--method", "ggn-score", "--groups", "layers"], /--groups.*Allowed choices are units/],
    [["--method", "ggn-score", "--regularizer", "log-exp-box", "--groups", "units"], /groups must not be given with/],
  ])("%j is refused", async (flags, message) => {
    await expect(run("train", ...flags)).rejects.toThrow(message);
  });

  it("a plan chooses by the seconds of a training, with --method auto alone", async () => {
    expect((await run("plan", "--method", "auto", "--seconds", "1e-6")).out).toContain("exact Gauss-Newton on batches");
    expect((await run("plan", "--method", "auto", "--seconds", "1e6")).out).toContain("Levenberg-Marquardt");
    await expect(run("plan", "--seconds", "5")).rejects.toThrow("--seconds is about --method auto");
  });
});

describe("gaussflow train --method ggn-score", () => {
  const flags = ["--method", "ggn-score", "--tau", "0.02", "--proximal", "--epochs", "150"];

  it("shows how many parameters are small, in every line of progress and at the end", async () => {
    const { out, err } = await run("train", ...flags);
    expect(err).toMatch(/epoch {2}150 {2}loss \S+ {2}batches \S+ {2}small \d+/);
    expect(out).toMatch(
      /\n\d+ of 17 parameters are below 0\.001 in size \(\d+ of them exactly 0\); the largest \d+ hold 99\.9% of the sum of the sizes\.\n/,
    );
  });

  it("has the counts in the last line of JSON, and other methods have none", async () => {
    const last = async (...given: string[]) => jsonLines((await run("train", ...given, "--json")).out).at(-1);
    const { sparsity } = await last(...flags);
    expect(sparsity).toMatchObject({ parameters: 17, threshold: 1e-3 });
    expect(sparsity.zero).toBeGreaterThan(0);
    expect(sparsity.small).toBeGreaterThanOrEqual(sparsity.zero);
    expect(await last("--method", "adam", "--epochs", "1")).toMatchObject({ sparsity: null });
  });
});

describe("after numbers that are not finite the flags to change are those of the method", () => {
  it.each([
    [["--method", "adam", "--rate", "1e308"], /a smaller rate keeps the steps within bounds \(--rate\)\n/],
    [["--method", "egn", "--rate", "1e308"], /a larger damping keeps the steps within bounds \(--rate, --damping\)\n/],
  ])("%j", async (flags, message) => {
    const { out, code } = await run("train", ...flags, "--epochs", "2", "--batch", "20");
    expect(out).toMatch(message);
    expect(code).toBe(3);
  });
});

describe("--method bayes", () => {
  it("holds no rows out, and tells the evidence as text and JSON", async () => {
    const fixed = ["--target", "y", "--hidden", "4", "--method", "bayes", "--test", "0", "--backend", "typescript"];
    const { out } = await runAlone("train", ...fixed);
    expect(out).toMatch(/no rows were held out/);
    expect(out).toMatch(
      /Evidence: weight decay \S+, \S+ effective of 17 parameters, noise \S+, log evidence -?\d+\.\d\d\./,
    );
    const lines = jsonLines((await runAlone("train", ...fixed, "--json")).out);
    const { evidence } = lines.find(({ type }) => type === "result");
    expect(evidence.effectiveParameters).toBeGreaterThan(0);
    expect(lines.filter(({ type }) => type === "record").at(-1).decay).toBe(evidence.decay);
  });

  it("ranks restarts by evidence", async () => {
    const lines = jsonLines((await run("train", "--method", "bayes", "--restarts", "3", "--json")).out);
    const ranked = lines.filter(({ type }) => type === "run").map(({ evidence }) => evidence.logEvidence);
    expect(ranked).toHaveLength(3);
    expect(ranked).toEqual([...ranked].sort((a, b) => b - a));
    expect((await run("train", "--method", "bayes", "--restarts", "2")).out).toMatch(/log evidence/);
  });

  it("refuses a decay of the command line", async () => {
    await expect(run("train", "--method", "bayes", "--decay", "1")).rejects.toThrow(/finds the weight decay/);
  });
});

describe("--learning-curve", () => {
  it("shows the errors by rows after the training, as text and JSON", async () => {
    const { out } = await run("train", "--learning-curve", "3", "--iterations", "5");
    expect(out).toMatch(
      /Errors on held-out rows by the number of rows trained on:\n\n +rows +RMSE of y +standard error/,
    );
    expect(out).toMatch(/(M|W)(ore|hether more) rows would/);
    const lines = jsonLines((await run("train", "--learning-curve", "3", "--iterations", "5", "--json")).out);
    const { points, more } = lines.find(({ type }) => type === "learning-curve");
    expect(points.at(-1).rows).toBe(40);
    expect(["yes", "no", "unclear"]).toContain(more);
  });

  it("refuses other folds beside it", async () => {
    await expect(run("train", "--learning-curve", "3", "--restarts", "2")).rejects.toThrow(/folds of its own/);
  });
});

describe("predict --conformal", () => {
  it("writes intervals by the errors on a table of its own, and refuses them without a share", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gaussflow-cli-conformal-"));
    const [model, held, out] = ["model.json", "held.csv", "out.csv"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const more = Array.from({ length: 40 }, (_, i) => [Math.sin(5 * i), Math.cos(7 * i), Math.sin(11 * i)]);
    writeFileSync(held, ["a,b,y", ...more.map((row) => row.join(","))].join("\n"));
    await run("train", "--out", model, "--iterations", "5");
    const predict = (...flags: readonly string[]) => command("predict", model, table, "--out", out, ...flags);
    await predict("--intervals", "0.9", "--conformal", held);
    const [head, ...lines] = readFileSync(out, "utf8").trim().split("\n");
    expect(head).toBe("row,y,y lower,y upper");
    expect(lines).toHaveLength(60);
    const [, mean, lower, upper] = lines[0]!.split(",").map(Number) as [number, number, number, number];
    expect(mean - lower).toBeCloseTo(upper - mean, 10);
    expect(upper).toBeGreaterThan(mean);
    await expect(predict("--conformal", held)).rejects.toThrow(/--intervals 0\.9/);
    await expect(predict("--intervals", "0.9", "--conformal", held, "--averaged")).rejects.toThrow(
      /leave --averaged out/,
    );
    const overwriting = command("predict", model, table, "--intervals", "0.9", "--conformal", held, "--out", held);
    await expect(overwriting).rejects.toThrow(/--conformal/);
    expect(readFileSync(held, "utf8")).toMatch(/^a,b,y/);
    const twice = command("predict", model, "-", "--intervals", "0.9", "--conformal", "-");
    await expect(twice).rejects.toThrow(/standard input has one table/);
  });
});

// gaussflow experiment and train --monitor as a user meets them: files, streams, exit codes.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { CommandLine } from "../helpers/command-line.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-experiment-"));
const cli = new CommandLine({ cwd: folder, timeout: 120_000 });

beforeAll(() => {
  cli.build();
});

const run = (...args: readonly string[]) => cli.run(args);

const quick = ["--seeds", "1", "--samples", "60", "--width", "4"];

describe("gaussflow experiment", () => {
  it("prints the claims, writes JSON lines and a report, exits with 0 when all hold", () => {
    const { code, out, err } = run("experiment", "discrete", ...quick, "--out", "here");
    expect(code, out + err).toBe(0);
    expect(err).toBe("");
    expect(out).toMatch(/^discrete: Euler iterates follow the flow/);
    expect(out).toMatch(/In the lazy regime the gap is that of .* yes/);
    expect(out).toMatch(/9 of 9 claims hold\. Report: here\/discrete\.html\n$/);
    expect(readdirSync(join(folder, "here")).sort()).toEqual(["discrete.html", "discrete.jsonl"]);
    const lines = readFileSync(join(folder, "here", "discrete.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.filter(({ type }) => type === "run").length).toBeGreaterThan(100);
    expect(lines.filter(({ type }) => type === "claim")).toHaveLength(9);
    expect(lines.at(-1)).toMatchObject({
      type: "outcome",
      name: "discrete",
      settings: { seed: 1, seeds: 1, samples: 60, width: 4 },
      holds: true,
    });
    const html = readFileSync(join(folder, "here", "discrete.html"), "utf8");
    const words = html.replace(/<[^>]+>/g, "");
    expect(words).toContain("gaussflow experiment discrete --seeds 1 --samples 60 --width 4");
    expect(html).not.toContain(folder);
  });

  it.each([
    ["conditioning", ["--samples", "20", "--width", "2"]],
    ["stiffness", ["--samples", "20", "--width", "2"]],
    ["scaling", ["--samples", "20", "--width", "2"]],
    ["loss-rates", ["--samples", "20", "--width", "2"]],
    ["damping", ["--samples", "6", "--width", "12"]],
    ["egn", ["--samples", "30", "--width", "2"]],
    ["score", ["--samples", "40", "--width", "6"]],
    ["cumulative", ["--samples", "60", "--width", "4"]],
    ["minmax", ["--samples", "40", "--width", "4"]],
    ["equations", ["--samples", "20", "--width", "2"]],
  ])("%s runs to its claims, whatever they are at this size", (name, sizes) => {
    const { code, out, err } = run("experiment", name, "--seeds", "1", ...sizes, "--out", "small-sizes");
    expect([0, 4], out + err).toContain(code);
    expect(out).toMatch(/\d of \d claims hold\. Report/);
    expect(existsSync(join(folder, "small-sizes", `${name}.jsonl`))).toBe(true);
  });

  it("--quiet writes the files and nothing else", () => {
    const { code, out, err } = run("experiment", "discrete", ...quick, "--quiet", "--out", "quiet");
    expect(code).toBe(0);
    expect(out + err).toBe("");
    expect(readdirSync(join(folder, "quiet")).sort()).toEqual(["discrete.html", "discrete.jsonl"]);
  });

  it.each<[string, string[], RegExp]>([
    ["no directory", ["--out", ""], /--out.* It must be a directory/],
    [
      "more samples than can be",
      ["--samples", "1000000000000"],
      /samples must be an integer from 2 to 1000000; received 1000000000000/,
    ],
    [
      "more seeds than can be",
      ["--seeds", "9007199254740991"],
      /seeds must be an integer from 1 to 10000; received 9007199254740991/,
    ],
    ["more units than can be", ["--width", "100001"], /width must be an integer from 1 to 100000; received 100001/],
    ["seeds beyond the last", ["--seed", "9007199254740991"], /seed must leave room for 10 seeds below 2\^53/],
    [
      "more memory than there is",
      ["--samples", "600000", "--width", "100000"],
      /the curvature matrix of order 500000 needs .* GiB/,
    ],
  ])("refuses %s before any work", (_, args, message) => {
    const { code, out, err } = run("experiment", "conditioning", ...args);
    expect(code).not.toBe(0);
    expect(out).toBe("");
    expect(err).toMatch(message);
    expect(err).not.toMatch(/unexpected/);
  });

  it("--json writes the same lines to standard output and nothing else", () => {
    const { code, out } = run("experiment", "discrete", ...quick, "--json", "--out", "lines");
    expect(code).toBe(0);
    expect(out).toBe(
      readFileSync(join(folder, "lines", "discrete.jsonl"), "utf8").replace(
        /"seconds":[\d.]+/,
        out.match(/"seconds":[\d.]+/)?.[0] ?? "",
      ),
    );
  });

  it("exits with 4 when a claim does not hold: a network too small for its step to explode", () => {
    const { code, out } = run(
      "experiment",
      "discrete",
      "--seeds",
      "1",
      "--samples",
      "6",
      "--width",
      "1",
      "--out",
      "small",
    );
    expect(code).toBe(4);
    expect(out).toMatch(/Euler on gradient flow with eta = 0\.1 .* NO\n/);
    expect(out).toContain("8 of 9 claims hold");
  });

  it.each<[string[], RegExp]>([
    [
      ["experiment", "nothing"],
      /Allowed choices are conditioning, damping, scaling, discrete, stiffness, real, loss-rates, egn, score, cumulative, minmax, equations, all/,
    ],
    [
      ["experiment"],
      /which experiment\? One of conditioning, damping, scaling, discrete, stiffness, real, loss-rates, egn, score, cumulative, minmax, equations, all/,
    ],
    [["experiment", "discrete", "--samples", "1"], /samples.*an integer of at least 2/],
    [
      ["experiment", "conditioning", "--width", "50"],
      /experiment conditioning needs at least as many samples as the 250 parameters of 50 hidden units: use --samples 250 or more or --width 40 or less; received "200 samples"/,
    ],
    [
      ["experiment", "damping", "--width", "4"],
      /needs fewer samples than the 20 parameters of 4 hidden units: use --samples 19 or less or --width 9 or more/,
    ],
    [
      ["experiment", "real", "--width", "100"],
      /experiment real needs .* the 801 parameters of 100 hidden units: use --width 49 or less/,
    ],
    // Told before the first of them runs.
    [
      ["experiment", "all", "--width", "5"],
      /^gaussflow: experiment damping needs fewer samples than the 25 parameters/,
    ],
  ])("%j exits with 2 and says why", (args, message) => {
    const { code, err } = run(...args);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  it("refuses a place it cannot write to before anything runs", () => {
    writeFileSync(join(folder, "file"), "");
    const { code, err } = run("experiment", "all", "--out", "file/below");
    expect(code).toBe(1);
    expect(err).toMatch(/file\/below\/all\.html: the report cannot be written there: /);
  });

  it("--help lists the experiments with their defaults", () => {
    const { code, out } = run("experiment", "--help");
    expect(code).toBe(0);
    expect(out).toMatch(
      /conditioning +The rate of the Gauss-Newton flow does not depend on conditioning \(1, 10, 200, 5\)/,
    );
    expect(out).toMatch(/4 +a claim of an experiment does not hold/);
  });

  it.runIf(existsSync("/proc/self"))("ends where no directory can be made, and Node's own mkdir would not", () => {
    const { code, err } = run("experiment", "discrete", ...quick, "--out", "/proc/gaussflow/deeper");
    expect(code).toBe(1);
    expect(err).toMatch(
      /\/proc\/gaussflow\/deeper\/discrete\.html: the report cannot be written there: no directory can be made there/,
    );
  });

  it("stops at Ctrl-C with 130 and leaves no half report", async () => {
    const child = spawn(process.execPath, [cli.main, "experiment", "stiffness", "--out", "stopped"], { cwd: folder });
    let err = "";
    child.stderr.on("data", (chunk) => {
      err += chunk;
    });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    // Signals are watched before its folder is made.
    while (!existsSync(join(folder, "stopped"))) await new Promise((resolve) => setTimeout(resolve, 10));
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(err).toMatch(/gaussflow: interrupted: 0 of 1 experiment finished, nothing was written\n$/);
    expect(existsSync(join(folder, "stopped", "stiffness.html"))).toBe(false);
  });
});

describe("gaussflow train --monitor", () => {
  const cars = join(process.cwd(), "examples", "data", "auto-mpg.csv");
  const training = ["train", cars, "--target", "mpg", "--ignore", "name", "--missing", "mean", "--hidden", "4"];

  it("says whether it has converged, how fast and what holds it back", () => {
    const { code, out } = run(...training, "--monitor", "--iterations", "10");
    expect(code).toBe(0);
    expect(out).toMatch(
      /Speed: [a-z].*log excess loss falls by.* \[(on-theory|faster-than-promised|curvature-limited|damping-limited|stalled)\]/,
    );
    expect(out).toMatch(/Converged: (yes|no): .*\(relative offset/);
    expect(run(...training, "--iterations", "10").out).not.toContain("Converged:");
  });

  it("has it in the last JSON line", () => {
    const { out } = run(...training, "--monitor", "--json", "--iterations", "10");
    const last = JSON.parse(out.trim().split("\n").at(-1) as string);
    expect(last.monitor.verdict.code).toEqual(expect.any(String));
    expect(last.monitor.rate.points).toBeGreaterThan(3);
    expect(last.monitor.converged.holds).toEqual(expect.any(Boolean));
  });
});

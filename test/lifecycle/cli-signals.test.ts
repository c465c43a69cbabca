// Signals at any time of a command: the documented exit code and a word, from the first line on.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { buildLibrary } from "../helpers/build.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-signals-"));
const at = (name: string) => join(folder, name);
let main = "";

beforeAll(() => {
  main = join(buildLibrary(), "..", "cli", "main.js");
  writeFileSync(at("d.csv"), `a,y\n${Array.from({ length: 60 }, (_, i) => `${i},${Math.sin(i)}`).join("\n")}\n`);
  // Loaded before the command: sends the process a signal as soon as it listens for one, long before the rest is loaded.
  writeFileSync(
    at("early.mjs"),
    `process.on("newListener", (name) => {
       if (name === process.env.EARLY) setImmediate(() => process.kill(process.pid, name));
     });`,
  );
});

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command; `look` sees everything it writes and may act on the child. */
function run(
  args: readonly string[],
  look: (child: ReturnType<typeof spawn>, err: string) => void = () => {},
  early?: string,
): Promise<Ended> {
  const preload = early === undefined ? [] : ["--import", pathToFileURL(at("early.mjs")).href];
  const child = spawn(process.execPath, [...preload, main, ...args], {
    cwd: folder,
    env: { ...process.env, EARLY: early },
  });
  let [out, err] = ["", ""];
  child.stdin.on("error", () => {}); // It may be gone before it has read everything.
  child.stdout.on("data", (text) => {
    out += text;
  });
  child.stderr.on("data", (text) => {
    err += text;
    look(child, err);
  });
  return new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, out, err })));
}

const SIGNALS = [
  ["SIGINT", 130, "gaussflow: interrupted by Ctrl-C\n"],
  ["SIGTERM", 143, "gaussflow: interrupted by SIGTERM\n"],
] as const;

describe.runIf(process.platform !== "win32").each(SIGNALS)("%s", (signal, code, word) => {
  it.each([
    [["train", "d.csv", "--out", "never.json"]],
    [["train", "-"]],
    [["predict", "none.json", "d.csv"]],
    [["plan", "d.csv"]],
    [["convert", "d.csv", "never.gfd"]],
    [["experiment", "all", "--out", "never"]],
    [["doctor"]],
    [["--help"]],
  ])("ends %j with a word before anything is loaded", async (args) => {
    const before = readdirSync(folder).sort();
    const ended = await run(args, () => {}, signal);
    expect(ended).toEqual({ code, signal: null, out: "", err: word });
    expect(readdirSync(folder).sort()).toEqual(before);
  });

  it("ends a training that waits for its table", async () => {
    const child = spawn(process.execPath, [main, "train", "-", "--out", "never.json"], { cwd: folder });
    const ended = new Promise((resolve) => child.on("close", resolve));
    let err = "";
    child.stderr.on("data", (text) => {
      err += text;
    });
    // More than a pipe holds: once all of it is taken, the table is being read.
    const rows = "1,2\n3,4\n".repeat(50_000);
    await new Promise((resolve) => child.stdin.write(`a,y\n${rows}`, resolve));
    child.kill(signal);
    expect([await ended, err]).toEqual([code, word]);
    expect(existsSync(at("never.json"))).toBe(false);
  });
});

describe.runIf(process.platform !== "win32")("a second signal", () => {
  it("ends a training at once, and the old model stays as it was", async () => {
    writeFileSync(at("old.json"), "old");
    const rows = Array.from({ length: 2000 }, (_, i) => `${Math.sin(i)},${Math.cos(3 * i)}`).join("\n");
    writeFileSync(at("long.csv"), `a,y\n${rows}\n`);
    const endless = ["--hidden", "60,60", "--iterations", "100000", "--patience", "100000", "--out", "old.json"];
    let sent = 0;
    const ended = await run(["train", "long.csv", ...endless], (child, err) => {
      if (sent === 0 && /iteration +[1-9]/.test(err)) {
        sent = 1;
        child.kill("SIGTERM");
        child.kill("SIGINT");
      }
    });
    // Both may arrive at once, in either order; or the first may have ended it in good order already.
    expect([130, 143]).toContain(ended.code);
    const model = readFileSync(at("old.json"), "utf8");
    expect(model === "old" || JSON.parse(model).format === "gaussflow-model").toBe(true);
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});

describe("a checkpoint that cannot be written", () => {
  it.runIf(existsSync("/dev/full"))("is a warning of the command, and the model is saved", () => {
    const args = [
      "train",
      "d.csv",
      "--hidden",
      "2",
      "--iterations",
      "12",
      "--validation",
      "0",
      "--checkpoint",
      "/dev/full",
    ];
    const plain = spawnSync(process.execPath, [main, ...args, "--out", "m.json"], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(plain.status, plain.stderr).toBe(0);
    expect(plain.stderr).toMatch(
      /warning: the checkpoint of iteration 10 could not be written \(\/dev\/full: cannot be written: ENOSPC[^)]*\): the run goes on, and the next checkpoint is tried\n[\s\S]*warning: no checkpoint of this run was written; the run ended at iteration 12\n$/,
    );
    expect(JSON.parse(readFileSync(at("m.json"), "utf8")).format).toBe("gaussflow-model");
    const json = spawnSync(process.execPath, [main, ...args, "--json"], { cwd: folder, encoding: "utf8" });
    expect(JSON.parse(json.stdout.trim().split("\n").at(-1)!).warnings).toHaveLength(2);
  });
});

it("a run resumed beyond its limit says how to go on", () => {
  const call = (...more: string[]) =>
    spawnSync(
      process.execPath,
      [main, "train", "d.csv", "--hidden", "2", "--validation", "0", "--stop-loss", "0", ...more],
      {
        cwd: folder,
        encoding: "utf8",
      },
    );
  expect(call("--iterations", "12", "--checkpoint", "c.json").status).toBe(0);
  const { status, stdout, stderr } = call("--iterations", "5", "--resume", "c.json");
  expect(status, stderr).toBe(0);
  expect(stdout).toContain("stopped because the checkpoint is at iteration 12 already, and 5 are allowed");
  expect(stdout).toContain("To go on: --resume c.json --iterations N, with N above 12");
});

// Every command and flag of the command line with values of the wrong kind, swapped, huge, missing, repeated, empty, and with files that
// are none: a call ends with a documented exit code and one line that says what is wrong. Commands and flags are read off the program.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import { beforeAll, describe, expect, it } from "vitest";
import type * as Exit from "../../src/cli/exit.js";
import type * as Program from "../../src/cli/program.js";
import type { Terminal } from "../../src/cli/terminal.js";
import { saveFit } from "../../src/fit/fit-file.js";
import { ensemble, network, readCsv, saveModel, standardize, writeDataFile } from "../../src/index.js";
import { buildLibrary } from "../helpers/build.js";
import { fc, SEED as seed } from "../helpers/property.js";

const CALLS = Number(process.env.GAUSSFLOW_FUZZ_CLI_CALLS ?? 800);
const SPAWNS = Number(process.env.GAUSSFLOW_FUZZ_SPAWNS ?? 30);

const ROWS = Array.from({ length: 12 }, (_, i) => [i / 4, Math.sin(i), i % 3, Math.cos(i)].join(","));
const TABLE = `a,b,k,y\n${ROWS.join("\n")}\n`;

/** Right calls, each small enough to end at once. Limits come first: a changed flag that follows stands. */
const RIGHT: Readonly<Record<string, readonly (readonly string[])[]>> = {
  train: [
    ["table.csv", "--iterations", "2", "--seconds", "2", "--hidden", "2", "--threads", "1"],
    ["table.csv", "--iterations", "2", "--seconds", "2", "--hidden", "2", "--threads", "1", "--restarts", "2"],
    ["table.csv", "--iterations", "2", "--seconds", "2", "--hidden", "none", "--threads", "1", "--cross-validate", "2"],
    [
      "table.csv",
      "--iterations",
      "2",
      "--seconds",
      "2",
      "--threads",
      "1",
      "--hidden",
      "2",
      "--restarts",
      "3",
      "--ensemble",
      "2",
      "--out",
      "kept.json",
    ],
    ["data.gfd", "--iterations", "2", "--seconds", "2", "--hidden", "2", "--threads", "1"],
  ],
  plan: [["table.csv", "--hidden", "2"], ["data.gfd", "--hidden", "2"]], // biome-ignore format: a table
  fit: [
    ["table.csv", "--seconds", "2", "--model", "y = p + q*a", "--start", "p=0,q=1"],
    ["table.csv", "--seconds", "2", "--model", "p*exp(-q*a)+r*b", "--target", "y", "--start", "p=1,q=1", "--fixed", "r=0", "--bounds", "q=0:9", "--out", "kept-fit.json", "--report", "kept-fit.html"], // biome-ignore format: a table
  ],
  convert: [["table.csv", "converted.gfd"]],
  predict: [["model.json", "table.csv"], ["ensemble.json", "table.csv"], ["fit.json", "table.csv"]], // biome-ignore format: a table
  evaluate: [["model.json", "table.csv"], ["ensemble.json", "table.csv"]], // biome-ignore format: a table
  // Refused before anything runs: two samples are fewer than the parameters. An experiment takes a minute.
  experiment: [["conditioning", "--samples", "2", "--width", "40"]],
  doctor: [[]],
  // What compiles the engine has no place beside other tests: only calls that are refused.
  build: [["--foreign"]],
};

const NUMBERS = ["0", "1", "2", "3", "-1", "1.5", "0x10", "1e308", "1e999", "NaN", "Infinity", "999999999999", "9007199254740993"]; // biome-ignore format: a list
const WORDS = ["", " ", "x", "a", "y", "a,b", "a,y", ",", "b,,y", "k", "column 3", "column 99", "yes", "no", "true", "error", "drop", "mean", "auto", "native", "typescript", "dual", "matrix-free", "relu", "gn", "none", "16,16", "1000000", "2GiB", "1kB", "50%", "tab", ";", "#", "é", "\u{1f697}", "__proto__", "constructor", "toString", "[object Object]", "undefined", "null", "--json", "--", "-x", "x".repeat(10_000), "\0", "\n", "a\nb"]; // biome-ignore format: a list
const PATHS = ["missing.csv", "no/such/file.json", "folder", "folder/", "garbage.bin", "empty.csv", "head.csv", "table.csv", "model.json", "ensemble.json", "fit.json", "cut.json", "other.json", "data.gfd", "cut.gfd", "/dev/null", "/proc/self/status", "out.json"]; // biome-ignore format: a list
const VALUES = [...NUMBERS, ...WORDS, ...PATHS];

interface Flag {
  readonly long: string;
  readonly takesValue: boolean;
}

interface Call {
  readonly command: string;
  readonly args: readonly string[];
  /** The flag whose value was changed: an error of usage has to name it. */
  readonly changed: string | null;
}

/** What a terminal received. */
function recorder() {
  const text = { out: "", err: "" };
  const stream = (name: "out" | "err") => ({
    write: (chunk: string) => {
      text[name] += chunk;
      return true;
    },
  });
  const plain = (_: string, word: string) => word;
  return { text, terminal: { out: stream("out"), err: stream("err"), paintOut: plain, paintErr: plain } as Terminal };
}

let library: typeof Program & typeof Exit;
let main = "";

beforeAll(async () => {
  main = join(buildLibrary(), "..", "cli", "main.js");
  const load = (name: string) => import(pathToFileURL(join(main, "..", name)).href);
  library = { ...(await load("program.js")), ...(await load("exit.js")) };
  process.chdir(mkdtempSync(join(tmpdir(), "gaussflow-cli-fuzz-")));
  mkdirSync("folder");
  writeFileSync("table.csv", TABLE);
  writeFileSync("head.csv", "a,b,k,y\n");
  writeFileSync("empty.csv", "");
  writeFileSync(
    "garbage.bin",
    Uint8Array.from({ length: 3000 }, (_, i) => (i * 7919) >> 3),
  );
  writeFileSync("other.json", "[]");
  const data = await readCsv("table.csv", { target: "y" });
  const net = network({ layers: [3, 2, 1] })
    .withScaling(standardize(data))
    .withEncoding(data.encoding);
  await saveModel("model.json", net);
  await saveModel("ensemble.json", ensemble([net, net]));
  await saveFit("fit.json", {
    formula: "p + q*a",
    target: "y",
    variables: [{ name: "a", column: "a" }],
    names: ["p", "q"],
    estimates: Float64Array.of(1, 2),
    covariance: Float64Array.of(1, 0, 0, 1),
    residualDeviation: 1,
    degreesOfFreedom: 10,
    encoding: data.encoding!,
  });
  writeFileSync("cut.json", JSON.stringify(net.options));
  const columns = { featureNames: ["a", "b"], targetNames: ["y"] };
  const rows = Array.from({ length: 12 }, (_, i) => [Math.sin(i), Math.cos(i * i), i / 5]);
  await writeDataFile("data.gfd", columns, rows);
  writeFileSync("cut.gfd", "GAUSSFLOW");
});

const flagsOf = (command: Command): Flag[] =>
  command.options.map(({ long, required, optional }) => ({ long: long ?? "", takesValue: required || optional }));

const commandsOf = () => library.makeProgram(recorder().terminal, () => {}).commands;

const roll = fc.nat(1_000_000);
const rolls = fc.record({ which: roll, how: roll, where: roll, value: roll, other: roll, base: roll });
type Rolls = Readonly<Record<"which" | "how" | "where" | "value" | "other" | "base", number>>;

/** One changed call of a command. */
function callOf(command: Command, { how, where, value, other, base }: Rolls): Call {
  const name = command.name();
  const right = RIGHT[name] ?? [];
  const start = right[base % right.length] ?? [];
  const flags = flagsOf(command);
  const flag = flags[where % Math.max(1, flags.length)];
  // An experiment of a size that it can have takes long; a small one may run, and its claims need not hold there.
  const pool = name === "experiment" ? VALUES.filter((one) => !/^\d+$/.test(one)) : VALUES;
  const pick = (at: number) => pool[at % pool.length] ?? "";
  const made = (args: readonly string[], changed: string | null = null): Call => ({ command: name, args, changed });
  switch (how % 10) {
    case 0: // An argument, or any other word, becomes something else.
      return made(start.map((one, k) => (k === where % start.length ? pick(value) : one)));
    case 1: // Words are missing.
      return made(start.filter((_, k) => k !== where % start.length));
    case 2: // One more argument, or a flag that there is none of.
      return made([...start, pick(value), ...(other % 2 === 0 ? ["--foreign", pick(other)] : [])]);
    case 3: {
      const turned = [...start];
      const [i, j] = [where % start.length, other % start.length];
      [turned[i], turned[j]] = [turned[j] ?? "", turned[i] ?? ""];
      return made(turned);
    }
    default:
  }
  if (flag === undefined) return made([...start, pick(value)]);
  if (!flag.takesValue) return made([...start, flag.long, ...(how % 2 === 0 ? [`${flag.long}=${pick(value)}`] : [])]);
  if (how % 10 === 4) return made([...start, flag.long], flag.long);
  if (how % 10 === 5) return made([...start, flag.long, pick(value), flag.long, pick(other)], flag.long);
  if (how % 10 === 6) return made([...start, `${flag.long}=${pick(value)}`], flag.long);
  return made([...start, flag.long, pick(value)], flag.long);
}

const CODES: Readonly<Record<string, readonly number[]>> = {
  train: [0, 1, 2, 3],
  fit: [0, 1, 2, 3],
  experiment: [0, 1, 2, 4],
};
const LANGUAGE =
  /TypeError|RangeError|SyntaxError|ReferenceError|please report|\n\s+at |undefined \(|\[object Object\] (?!is)/;

/** What is wrong with how a call ended; null where nothing is. */
function complaint({ command, args, changed }: Call, code: number | null, err: string): string | null {
  const shown = `${command} ${JSON.stringify(args).slice(0, 300)} -> ${code}: ${err.slice(0, 600)}`;
  if (code === null || !(CODES[command] ?? [0, 1, 2]).includes(code)) return `no such exit code: ${shown}`;
  // Words of the caller's own come back in messages.
  const own = args.reduce((text, word) => (word.length > 2 ? text.replaceAll(word, "") : text), err);
  if (LANGUAGE.test(own)) return `an error of the language: ${shown}`;
  if ((code === 1 || code === 2) && !/^(gaussflow|error): ./m.test(err) && command !== "plan" && command !== "doctor")
    return `no message: ${shown}`;
  // An experiment is refused for its sizes before its other flags are looked at.
  if (code === 2 && changed !== null && !err.includes(changed) && !/experiment conditioning needs/.test(err))
    return `does not name ${changed}: ${shown}`;
  if (/\boptions?\.[a-z]/.test(own)) return `names an option of the library: ${shown}`;
  return null;
}

async function inProcess({ command, args }: Call) {
  const { text, terminal } = recorder();
  let code: number | null = null;
  const program = library.makeProgram(terminal, (ended) => {
    code = ended;
  });
  try {
    await program.parseAsync([command, ...args], { from: "user" });
  } catch (error) {
    text.err += library.errorText(error, {});
    code = library.exitCodeOf(error);
  }
  return { code, err: text.err };
}

const cases = (count: number, at: number) => fc.sample(rolls, { seed: seed + at, numRuns: count });

describe(`the command line, seed ${seed} (GAUSSFLOW_FUZZ_SEED)`, () => {
  it("has a right call for every command, which ends as it should", async () => {
    expect(
      commandsOf()
        .map((command) => command.name())
        .sort(),
    ).toEqual(Object.keys(RIGHT).sort());
    for (const [command, calls] of Object.entries(RIGHT))
      for (const args of calls) {
        const { code, err } = await inProcess({ command, args, changed: null });
        if (command === "build" || command === "experiment") expect(code, err).toBe(2);
        else if (command !== "doctor") expect(code, `${command} ${args.join(" ")}: ${err}`).toBe(0);
      }
  });

  it("refuses a missing value, an empty one and a foreign kind of every flag by its name", async () => {
    const found: string[] = [];
    for (const command of commandsOf())
      for (const { long, takesValue } of flagsOf(command)) {
        if (!takesValue) continue;
        const start = RIGHT[command.name()]?.[0] ?? [];
        for (const more of [[long], [`${long}=`], [long, "\0"]]) {
          const call = { command: command.name(), args: [...start, ...more], changed: long };
          const { code, err } = await inProcess(call);
          const wrong = complaint(call, code, err);
          if (wrong !== null) found.push(wrong);
        }
      }
    expect(found).toEqual([]);
  });

  it(`ends ${CALLS} changed calls with documented exit codes`, async () => {
    const commands = commandsOf().filter((command) => command.name() !== "build" && command.name() !== "doctor");
    const found: string[] = [];
    const ended = new Map<number | null, number>();
    for (const one of cases(CALLS, 0)) {
      const command = commands[one.which % commands.length] as Command;
      const call = callOf(command, one);
      const { code, err } = await inProcess(call);
      ended.set(code, (ended.get(code) ?? 0) + 1);
      const wrong = complaint(call, code, err);
      if (wrong !== null) found.push(wrong);
    }
    expect(found).toEqual([]);
    // The calls reach what they are for: some run through, some fail on files, some on the command line.
    for (const code of [0, 1, 2])
      expect(ended.get(code) ?? 0, `calls that end with ${code}`).toBeGreaterThan(CALLS / 20);
  }, 240_000);

  it(`ends ${SPAWNS} changed calls in processes of their own, with input or none`, () => {
    const commands = commandsOf().filter((command) => command.name() !== "build");
    const found: string[] = [];
    for (const one of cases(SPAWNS, 1)) {
      const call = callOf(commands[one.which % commands.length] as Command, one);
      const piped = one.other % 3 === 0;
      const args = call.args
        .map((word) => (piped && word === "table.csv" ? "-" : word))
        .filter((word) => !word.includes("\0"));
      const input = ["", TABLE, "\0\x01\xff"][one.value % 3];
      const child = spawnSync(process.execPath, [main, call.command, ...args], { encoding: "utf8", input, timeout: 60_000 }); // biome-ignore format: one call
      const wrong = complaint({ ...call, args }, child.status, child.stderr);
      if (wrong !== null) found.push(wrong);
    }
    expect(found).toEqual([]);
  }, 240_000);
});

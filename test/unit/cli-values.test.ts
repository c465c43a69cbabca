// Values on the command line: whole or refused, and every proposed command safe to paste.
import { spawnSync } from "node:child_process";
import { InvalidArgumentError } from "commander";
import { describe, expect, it } from "vitest";
import { EXIT, errorText, exitCodeOf, UsageError } from "../../src/cli/exit.js";
import { answersNote, lossChoice } from "../../src/cli/loss-flag.js";
import { delimiter, fraction, integer, list, nonNegative, positive, sizes } from "../../src/cli/parse.js";
import { shellWord } from "../../src/cli/shell-word.js";
import { argumentError, GaussflowError } from "../../src/errors.js";
import { dataset } from "../../src/index.js";
import { fc } from "../helpers/property.js";

describe("option values", () => {
  it("are read whole", () => {
    expect([integer(0)("0"), integer(1)("42"), positive("1e-3"), positive(".5"), nonNegative("0")]).toEqual([
      0, 42, 1e-3, 0.5, 0,
    ]);
    expect([fraction("0"), fraction("0.15")]).toEqual([0, 0.15]);
    expect([sizes("16, 8"), sizes("none")]).toEqual([[16, 8], []]);
    expect([delimiter("tab"), delimiter(";"), delimiter("pipe")]).toEqual(["\t", ";", "|"]);
    expect(list("a, b", undefined)).toEqual(["a", "b"]);
    expect(list("width\\, mm,c", ["a"])).toEqual(["a", "width, mm", "c"]);
  });

  it.each([
    ["integer", integer(0), ["", " ", "-1", "1.5", "1e3", "12abc", "0x10", "9007199254740993", "NaN"]],
    ["positive", positive, ["", "0", "-1", "12abc", "Infinity", "1e999", "0x10", "1,5", "--"]],
    ["nonNegative", nonNegative, ["-0.1", "", "nan"]],
    ["fraction", fraction, ["1", "15%", "-0.1", "1.5"]],
    ["sizes", sizes, ["", "0", "16,", "16,x", "-3", "1.5", "1000001"]],
    ["list", (text: string) => list(text, undefined), ["", ",", "a,,b"]],
    ["delimiter", delimiter, ["", "ab", '"', "\n", "constructor", "__proto__"]],
  ] as const)("%s refuses what is not wholly one", (_name, parse, texts) => {
    for (const text of texts) expect(() => parse(text), JSON.stringify(text)).toThrow(InvalidArgumentError);
  });
});

describe("errors", () => {
  it("have their exit codes", () => {
    expect(exitCodeOf(new UsageError("x"))).toBe(EXIT.usage);
    expect(exitCodeOf(argumentError("a", "b", 1))).toBe(EXIT.usage);
    expect(exitCodeOf(new GaussflowError("GAUSSFLOW_DATA", "x"))).toBe(EXIT.failure);
    expect(exitCodeOf("not even an error")).toBe(EXIT.failure);
  });

  it("are one line without a stack, unless debugging", () => {
    const error = new GaussflowError("GAUSSFLOW_FILE", "first\n  second");
    expect(errorText(error, {})).toBe("gaussflow: first second\n");
    expect(errorText(error, { GAUSSFLOW_DEBUG: "1" })).toMatch(/\n\s+at /);
    expect(errorText(new TypeError("x is not a function"), {})).toMatch(/unexpected: please report/);
  });
});

describe("shellWord", () => {
  it("leaves plain paths alone and hides a leading dash", () => {
    expect([shellWord("models/a-1.json"), shellWord("-c.csv"), shellWord("my cars.csv")]).toEqual([
      "models/a-1.json",
      "./-c.csv",
      "'my cars.csv'",
    ]);
  });

  it.skipIf(process.platform === "win32")("comes back from a shell as it was", () => {
    const path = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((text) => !text.includes("\0"));
    fc.assert(
      fc.property(path, (text) => {
        const { stdout } = spawnSync("sh", ["-c", `printf %s ${shellWord(text)}`], { encoding: "utf8" });
        expect(stdout).toBe(text.startsWith("-") ? `./${text}` : text);
      }),
      { numRuns: 60 },
    );
  });
});

it("several targets of 0 and 1 alone have a hint of the loss that makes probabilities, where no loss is named", () => {
  const of = (targets: number[][]) =>
    dataset({ inputs: [[0], [1]], targets, targetNames: ["u", "v"].slice(0, targets[0]!.length) });
  const answers = of([
    [0, 1],
    [1, 1],
  ]);
  expect(answersNote(undefined, answers)).toEqual([
    'the targets "u", "v" are 0 and 1 alone, and are fitted as numbers; --loss logistic fits the probability of 1 of each',
  ]);
  expect(answersNote(lossChoice("huber"), answers)).toEqual([]);
  expect(answersNote(undefined, of([[0], [1]]))).toEqual([]);
  expect(
    answersNote(
      undefined,
      of([
        [0, 1],
        [2, 1],
      ]),
    ),
  ).toEqual([]);
});

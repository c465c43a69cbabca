// The text that people read: numbers, tables, the loss chart, the progress line. Each expectation is written out by hand, so a
// change in what a user sees shows here.
import { describe, expect, it } from "vitest";
import { classMetrics } from "../../src/loss/class-metrics.js";
import type { NumberArray } from "../../src/options.js";
import { jsonLine, recordLine } from "../../src/report/json-lines.js";
import { lossChart } from "../../src/report/loss-chart.js";
import { metricsTable } from "../../src/report/metrics-table.js";
import { counted, formatCount, formatLoss, formatNumber, formatSeconds } from "../../src/report/numbers.js";
import { painterFor } from "../../src/report/paint.js";
import { Progress } from "../../src/report/progress.js";
import { textTable } from "../../src/report/text-table.js";
import type { TrainRecord } from "../../src/run/record.js";

function record(iteration: number, loss: number, validationLoss: number | null = null, accepted = true): TrainRecord {
  return {
    iteration,
    trial: 1,
    accepted,
    rejection: accepted ? null : "the loss rose",
    loss,
    objective: loss,
    gradientNorm: 1,
    gradientCosine: 0.1,
    damping: 1e-3,
    gainRatio: 1,
    stepNorm: 1,
    acceleration: null,
    route: "primal",
    condition: null,
    validationLoss,
    elapsed: iteration / 10,
    seconds: { passes: 0, curvature: 0, solve: 0, evaluate: 0, validation: 0 },
  };
}

describe("numbers", () => {
  it.each([
    [0, "0"],
    [1.23456, "1.235"],
    [12.3456, "12.35"],
    [12345.6, "12346"],
    [0.0123456, "0.01235"],
    [0.001, "0.001000"],
    [3.14159e-7, "3.142e-7"],
    [-2.5, "-2.500"],
    [1234567, "1.235e+6"],
    [Number.NaN, "-"],
    [null, "-"],
    [Number.POSITIVE_INFINITY, "inf"],
    [Number.NEGATIVE_INFINITY, "-inf"],
  ])("shows %s as %s", (value, text) => expect(formatNumber(value)).toBe(text));

  it("shows losses, seconds and counts in their own forms", () => {
    expect([formatLoss(0.000314159), formatLoss(0), formatLoss(Number.NaN)]).toEqual(["3.142e-4", "0", "-"]);
    expect([0.0042, 0.41, 12.34, 185].map(formatSeconds)).toEqual(["4.2 ms", "0.41 s", "12.3 s", "3 min 05 s"]);
    expect([formatCount(7), formatCount(1234567), counted(1, "row"), counted(2, "row")]).toEqual([
      "7",
      "1,234,567",
      "1 row",
      "2 rows",
    ]);
  });
});

describe("tables", () => {
  it("sets columns to the widest cell and shows control characters as dots", () => {
    const text = textTable(
      [
        { heading: "a", align: "left" },
        { heading: "b", align: "right" },
      ],
      [
        ["x\u001b[31m", "1"],
        ["long name", "100"],
      ],
    );
    expect(text.split("\n")).toEqual(["  a            b", "  x·[31m       1", "  long name  100"]);
  });

  it("names the target only when there are several, and shows an undefined R² as a dash", () => {
    const one = metricsTable([
      {
        set: "train",
        rows: 1200,
        targets: [{ target: "mpg", rmse: 1.5, mae: 1, r2: Number.NaN, unexplained: Number.NaN }],
      },
    ]);
    expect(one).toContain("1,200");
    expect(one).not.toContain("mpg");
    expect(one.split("\n")[1]).toMatch(/1\.500 +1\.000 +- +-$/);
    const close = [{ target: "mpg", rmse: 1, mae: 1, r2: 1 - 2.5e-9, unexplained: 2.5e-9 }];
    expect(metricsTable([{ set: "test", rows: 9, targets: close }])).toMatch(/1 - R²\n.* 1\.0000? +2\.500e-9$/);
    const target = (name: string) => ({ target: name, rmse: 1, mae: 1, r2: 0.5, unexplained: 0.5 });
    const two = metricsTable([{ set: "test", rows: 3, targets: [target("heat"), target("cool")] }]);
    expect(two).toContain("heat");
    expect(two.split("\n")).toHaveLength(3);
  });
});

describe("figures of classifiers", () => {
  const table = (probabilities: NumberArray, classes: number[], names: string[], options = {}) => {
    const figures = { target: "kind", ...classMetrics(probabilities, classes, names, options) };
    return metricsTable([{ set: "test", rows: classes.length, targets: [], classification: [figures] }]);
  };

  it("are a line of scores, the confusion matrix, and what the figures do not say", () => {
    const lines = table([0.8, 0.1, 0.1, 0.3, 0.6, 0.1], [0, 0], ["cat", "dog", "eel"]).split("\n");
    expect(lines[0]).toMatch(/^ +rows +accuracy +balanced +log-loss +Brier +AUC +F1 +calibration$/);
    // One class alone has no AUC; F1 is 2/3 for the cat and 0 for the dog.
    expect(lines[1]).toMatch(/^ {2}test +2 +0\.5000 +0\.5000 +0\.7136 +0\.4600 +- +0\.3333 +0\.4000$/);
    expect(lines.slice(2)).toEqual([
      "",
      "Confusion matrix (test rows): one line a class, one column a class that was predicted.",
      "       cat  dog  eel  recall  precision      F1  AUC",
      "  cat    1    1    0  0.5000      1.000  0.6667    -",
      "  dog    0    0    0       -          0       0    -",
      "  eel    0    0    0       -          -       -    -",
      "",
      'These rows have none of "dog", "eel": no recall and no AUC, and the means leave them out.',
    ]);
  });

  it("list the largest confusions of many classes", () => {
    const names = Array.from({ length: 40 }, (_, a) => `class ${a}`);
    const sure = (b: number) => names.map((_, a) => Number(a === b));
    const classes = [...names.keys(), 7, 7, 7];
    const text = table([...names.keys(), 8, 8, 9].flatMap(sure), classes, names);
    expect(text).toMatch(/Confusions \(test rows\), the most frequent of 40 classes:\n +class +predicted +rows +of\n/);
    expect(text).toMatch(/\n {2}class 7 +class 8 +2 +4\n {2}class 7 +class 9 +1 +4$/);
  });

  it("say by what threshold costs decide, and which rows have no figures", () => {
    const two = table([0.7, 0.3, 0.9, 0.1], [1, 0], ["no", "yes"], { costs: 4, weights: [0.5, 1] });
    expect(two).toMatch(/calibration +cost\n/);
    expect(two).toContain(
      '"yes" is predicted above a probability of 0.2000, where its expected cost is the smaller one.',
    );
    expect(two).toMatch(/\n {2}yes +0 +0\.5000 +1\.000/);
    const none = table(Float64Array.of(Number.NaN, 0.5, 1, 0), [0, 0], ["no", "yes"]);
    expect(none).toMatch(/^ +test +2 +- +- +- +- +- +- +-$/m);
    expect(none).toContain("1 of the rows have a prediction that is not a number");
  });
});

describe("color", () => {
  it("follows the stream, NO_COLOR, FORCE_COLOR and dumb terminals", () => {
    const colors = (stream: object, env: object) => painterFor(stream, env)("good", "x") !== "x";
    expect(colors({ isTTY: true }, {})).toBe(true);
    expect(colors({}, {})).toBe(false);
    expect(colors({ isTTY: true }, { NO_COLOR: "1" })).toBe(false);
    expect(colors({}, { FORCE_COLOR: "1" })).toBe(true);
    expect(colors({ isTTY: true }, { TERM: "dumb" })).toBe(false);
  });
});

describe("the loss chart", () => {
  it("draws a straight fall of log10 loss from corner to corner, labels by powers of ten", () => {
    const records = Array.from({ length: 9 }, (_, k) => record(k, 10 ** -k));
    const lines = lossChart(records, { width: 60, height: 9 }).split("\n");
    expect(lines).toHaveLength(11);
    expect(lines[0]).toMatch(/^ +1\.0e\+0 ┤/);
    expect(lines[8]).toMatch(/^ +1\.0e-8 ┤/);
    // The curve starts at the left of the top row and ends at the right of the bottom row, and never overflows the width.
    expect(lines[8]!.endsWith("─")).toBe(true);
    for (const line of lines) expect([...line].length).toBeLessThanOrEqual(60);
    expect(lines[9]).toMatch(/^ +0 +iteration +8$/);
  });

  it("shows the validation curve by dots, without color too", () => {
    const records = Array.from({ length: 9 }, (_, k) => record(k, 10 ** -k, 0.5));
    const text = lossChart(records, { width: 60, height: 9 });
    expect(text).toContain("validation");
    expect(text.split("\n").slice(0, 9).join("\n")).toContain("····");
  });

  it.each([
    ["no records", []],
    ["one record", [record(0, 1)]],
    ["nothing finite", [record(0, Number.NaN), record(1, Number.NaN)]],
  ])("is empty with %s", (_name, records) => expect(lossChart(records)).toBe(""));

  it("survives zero, flat, huge and rejected losses", () => {
    for (const losses of [
      [0, 0, 0],
      [1, 1],
      [1e300, 1e-300, 0],
      [1, Number.NaN, Number.POSITIVE_INFINITY, 0.5],
    ]) {
      const text = lossChart(losses.map((loss, k) => record(k, loss)));
      expect(text.split("\n").length).toBeGreaterThan(5);
      expect(text).not.toMatch(/NaN|Infinity|undefined/);
    }
    const rejected = lossChart([record(0, 1), record(1, 9e9, null, false), record(1, 0.5)]);
    expect(rejected).not.toContain("e+9");
  });
});

describe("progress", () => {
  function run(isTTY: boolean, times: number[], records: TrainRecord[]): string {
    let written = "";
    let tick = 0;
    const progress = new Progress(
      { isTTY, columns: 40, write: (text) => (written += text) },
      { now: () => times[Math.min(tick, times.length - 1)]!, paint: (_tone, text) => text },
    );
    for (const one of records) {
      progress.record(one);
      tick++;
    }
    progress.done();
    return written;
  }

  it("rewrites one line at a limited rate on a terminal, cut to its width, and ends it once", () => {
    const records = Array.from({ length: 5 }, (_, k) => record(k, 1 / (k + 1)));
    const written = run(true, [0, 10, 20, 150, 160], records);
    const lines = written.split("\r").slice(1);
    // Shown: iteration 0 (first), 3 (150 ms later), 4 (the last, at the end).
    expect(lines.map((line) => line.match(/iteration +(\d+)/)?.[1])).toEqual(["0", "3", "4"]);
    expect(written.endsWith("\n")).toBe(true);
    expect(written.match(/\n/g)).toHaveLength(1);
    for (const line of lines) expect(line.replace("\x1b[2K", "").trimEnd().length).toBeLessThan(40);
  });

  it("writes whole lines elsewhere: round iterations, one a second, and the last", () => {
    const records = Array.from({ length: 14 }, (_, k) => record(k, 1 / (k + 1)));
    const written = run(false, [0], records);
    expect(written).not.toContain("\x1b");
    expect([...written.matchAll(/iteration +(\d+)/g)].map((match) => match[1])).toEqual("0 1 2 5 10 13".split(" "));
  });

  it("writes nothing without records", () => expect(run(true, [0], [])).toBe(""));
});

describe("JSON lines", () => {
  it("are one parseable object a line, with null for what JSON cannot hold", () => {
    const line = recordLine(record(3, Number.NaN));
    expect(line.endsWith("\n")).toBe(true);
    expect(line.match(/\n/g)).toHaveLength(1);
    const parsed = JSON.parse(line) as Record<string, unknown>;
    expect(parsed).toMatchObject({ type: "record", iteration: 3, loss: null });
    expect(JSON.parse(jsonLine("x", { a: new Float64Array([1, 2]) }))).toEqual({ type: "x", a: [1, 2] });
  });
});

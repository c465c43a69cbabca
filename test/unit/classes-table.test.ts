// A target column of texts or booleans is a classification: which classes it has and in what order, what is refused, and that a table
// read by the encoding of a model has its classes.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { type CsvOptions, convertCsv, type Dataset, openDataFile, readCsv } from "../../src/index.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-classes-"));
const read = (lines: readonly string[], options: CsvOptions = {}) =>
  readCsv(Readable.from([`${lines.join("\n")}\n`]), options);
const targetRows = ({ targets, outputSize: c }: Dataset) =>
  Array.from({ length: targets.length / c }, (_, i) => [...targets.subarray(i * c, (i + 1) * c)]);

const FLOWERS = ["x,kind", "1,setosa", "2,virginica", "3,setosa", "4,iris"];

describe("a target of texts", () => {
  it("is a classification with one target column a class, sorted, said in one line with the sizes", async () => {
    const data = await read(FLOWERS);
    expect(data.classes).toEqual(["iris", "setosa", "virginica"]);
    expect(data.targetNames).toEqual(["kind=iris", "kind=setosa", "kind=virginica"]);
    expect(targetRows(data)).toEqual([
      [0, 1, 0],
      [0, 0, 1],
      [0, 1, 0],
      [1, 0, 0],
    ]);
    expect(data.encoding?.targets).toEqual(["kind"]);
    expect(data.encoding?.classes).toEqual(data.classes);
    expect(data.notes.filter((note) => note.includes("classification"))).toEqual([
      'target "kind" holds texts: a classification with 3 classes, iris (1 row), setosa (2 rows), virginica (1 row)',
    ]);
  });

  it("has the same columns whatever the order of the rows", async () => {
    const [header, ...rows] = FLOWERS;
    const turned = await read([header!, ...rows.reverse()]);
    expect(turned.classes).toEqual((await read(FLOWERS)).classes);
  });

  it("takes the order of the option classes, and refuses others with line and value", async () => {
    const classes = ["virginica", "setosa", "iris", "never"];
    const data = await read(FLOWERS, { target: "kind", classes });
    expect(data.classes).toEqual(classes);
    expect(targetRows(data)[0]).toEqual([0, 1, 0, 0]);
    await expect(read(FLOWERS, { classes: ["setosa", "iris"] })).rejects.toThrow(
      /line 3, column "kind": is none of the classes \(setosa, iris\); received "virginica"/,
    );
  });

  it.each<[string, readonly string[], CsvOptions, RegExp]>([
    ["regression", FLOWERS, { task: "regression" }, /line 2, column "kind": is not a number.*task: "classification"/],
    ["a numeric column of that name", FLOWERS, { numeric: "kind" }, /line 2, column "kind": is not a number/],
    ["a single class", ["x,kind", "1,a", "2,a"], {}, /column "kind": has the one class "a" in all 2 rows.*classes: /],
    [
      "names",
      ["x,name", ...Array.from({ length: 30 }, (_, i) => `${i},n${i}`)],
      {},
      /30 different texts in 30 rows.*task: "classification"/,
    ],
    [
      "a number among texts",
      ["x,kind", "1,a", "2,b", "3,7"],
      {},
      /line 2, column "kind": is not a number, and line 4 has one.*task: "classification"/,
    ],
    [
      "a text among numbers",
      ["x,kind", "1,1", "2,a"],
      {},
      /line 3, column "kind": is not a number, as in line 2.*task: "classification"/,
    ],
    ["two targets", ["x,a,b", "1,u,v"], { target: ["a", "b"] }, /line 2, column "a": is not a number.*only target/],
    [
      "two targets of classes",
      FLOWERS,
      { target: ["x", "kind"], task: "classification" },
      /options\.target must be one column/,
    ],
    [
      "classes of a regression",
      FLOWERS,
      { task: "regression", classes: ["a", "b"] },
      /options\.classes must be left out/,
    ],
    [
      "one name of a class",
      FLOWERS,
      { classes: ["a"] },
      /options\.classes must be a list of the names of at least two/,
    ],
    [
      "a class twice",
      FLOWERS,
      { classes: ["true", "b", "True"] },
      /options\.classes must not hold a class twice.*"true"/,
    ],
    [
      "an unknown task",
      FLOWERS,
      { task: "classify" as never },
      /options\.task must be "auto" or "regression" or "classification"/,
    ],
    [
      "categorical",
      FLOWERS,
      { target: "kind", categorical: "kind" },
      /must not name the target: task: "classification"/,
    ],
    [
      "a numeric target of classes",
      FLOWERS,
      { target: "kind", task: "classification", numeric: "kind" },
      /options\.numeric must not name the target of a classification/,
    ],
    ["dates", ["x,day", "1,2024-05-17", "2,2024-05-18"], {}, /line 2, column "day": is a date: dates: \["day"\]/],
    ["a missing class", ["x,kind", "1,a", "2,", "3,b"], {}, /line 3, column "kind": the value is missing/],
  ])("is refused: %s", async (_, lines, options, message) => {
    await expect(read(lines, options)).rejects.toThrow(message);
  });

  it("leaves out rows without a class on request", async () => {
    for (const missing of ["drop", "mean"] as const) {
      const data = await read(["x,kind", "1,a", "2,NA", "3,b", "4,"], { missing });
      expect([...(data.rows ?? [])]).toEqual([1, 3]);
      expect(data.notes.join("\n")).toMatch(/2 of 4 rows were left out because a value is missing/);
    }
  });

  it("may have 1,000 classes, and more where maxCategories says so", async () => {
    const lines = (count: number) => ["x,kind", ...Array.from({ length: 3 * count }, (_, i) => `${i},k${i % count}`)];
    const data = await read(lines(1000));
    expect([data.outputSize, data.sampleCount]).toEqual([1000, 3000]);
    expect(data.targets.reduce((sum, value) => sum + value, 0)).toBe(3000);
    await expect(read(lines(1001))).rejects.toThrow(/more than 1000 classes.*maxCategories: 2000/);
    expect((await read(lines(1001), { maxCategories: 2000 })).outputSize).toBe(1001);
  });
  it("needs more memory than the limit: it is refused before it is laid out", async () => {
    const lines = ["x,kind", ...Array.from({ length: 9000 }, (_, i) => `${i},k${i % 900}`)];
    await expect(read(lines, { memoryLimit: 1e6 })).rejects.toThrow(
      /900 target columns of 9000 rows need .*memoryLimit/,
    );
  });
});

describe("booleans and numbers", () => {
  it("true and false in any spelling are the classes false and true, and a regression makes them 0 and 1", async () => {
    const lines = ["x,won", "1,True", "2,FALSE", "3,true"];
    const data = await read(lines);
    expect(data.classes).toEqual(["false", "true"]);
    expect(targetRows(data)).toEqual([
      [0, 1],
      [1, 0],
      [0, 1],
    ]);
    expect(data.notes.join("\n")).toMatch(/"won" holds booleans: a classification with 2 classes.*task: "regression"/);
    const numbers = await read(lines, { task: "regression" });
    expect([numbers.classes, [...numbers.targets]]).toEqual([null, [1, 0, 1]]);
  });
  it("booleans beside a text are classes too; beside a number they are refused", async () => {
    expect((await read(["x,won", "1,True", "2,unknown", "3,false"])).classes).toEqual(["false", "true", "unknown"]);
    await expect(read(["x,won", "1,True", "2,1"])).rejects.toThrow(
      /line 2, column "won": is not a number, and line 3 has one/,
    );
  });
  it("numbers of exactly two values are noted, for they may be meant as classes", async () => {
    const lines = (row: (i: number) => number) => ["x,won", ...Array.from({ length: 20 }, (_, i) => `${i},${row(i)}`)];
    const note = /"won" takes the values 0 and 1 alone, and is read as a number; task: "classification"/;
    expect((await read(lines((i) => (i + 1) % 2))).notes.join("\n")).toMatch(note);
    expect(
      (
        await read(
          lines((i) => i % 2),
          { task: "regression" },
        )
      ).notes.join("\n"),
    ).not.toMatch(/alone/);
    expect((await read(lines((i) => i % 3))).notes.join("\n")).not.toMatch(/alone/);
    expect((await read(lines(() => 1))).notes.join("\n")).not.toMatch(/alone/);
  });
  it("numbers of few values are a regression unless asked; then classes are sorted by value", async () => {
    const lines = ["x,digit", "1,10", "2,9", "3,9", "4,-1"];
    expect((await read(lines)).classes).toBeNull();
    const data = await read(lines, { task: "classification" });
    expect(data.classes).toEqual(["-1", "9", "10"]);
    expect(targetRows(data)[1]).toEqual([0, 1, 0]);
  });
});

describe("a table read by an encoding", () => {
  it("has the model's classes, one of them in all rows too, and refuses others with row and class", async () => {
    const { encoding, classes } = await read(FLOWERS);
    const known = await read(["kind,x", "iris,4", "iris,5"], { encoding: encoding!, targets: "require" });
    expect(known.classes).toEqual(classes);
    expect(targetRows(known)).toEqual([
      [1, 0, 0],
      [1, 0, 0],
    ]);
    const other = read(["kind,x", "iris,4", "rose,5"], { encoding: encoding!, targets: "require" });
    await expect(other).rejects.toThrow(
      /line 3, column "kind": is none of the classes that the model knows \(iris, setosa, virginica\); received "rose"/,
    );
    await expect(other).rejects.toMatchObject({ details: { row: 2, value: "rose" } });
    expect((await read(["x", "4"], { encoding: encoding! })).classes).toBeNull();
    await expect(read(FLOWERS, { encoding: encoding!, task: "classification" })).rejects.toThrow(
      /options\.task must not be given/,
    );
  });
});

describe("convertCsv", () => {
  const file = (name: string, lines: readonly string[]) => {
    const path = join(folder, name);
    writeFileSync(path, `${lines.join("\n")}\n`);
    return path;
  };
  it("writes the rows, classes and encoding that readCsv makes", async () => {
    const lines = ["x,w,kind", "1,1,b", "2,2,a", "3,0,idle", "4,1,b", "5,1,", ",1,gone"];
    const options = { target: "kind", weights: "w", missing: "drop" } as const;
    const source = file("weighted.csv", lines);
    const out = join(folder, "weighted.gfd");
    const converted = await convertCsv(source, out, options);
    expect([converted.rows, converted.dropped, converted.classes]).toEqual([3, 3, ["a", "b", "idle"]]);
    expect(converted.notes.join("\n")).toMatch(
      /a classification with 3 classes, a \(1 row\), b \(2 rows\), idle \(0 rows\)/,
    );
    const data = openDataFile(out);
    const table = await readCsv(source, options);
    expect([data.classes, data.targetNames]).toEqual([table.classes, table.targetNames]);
    expect([...data.blocks()].flatMap((block) => [...block])).toEqual([1, 0, 1, 0, 1, 2, 1, 0, 0, 2, 4, 0, 1, 0, 1]);
    await expect(convertCsv(source, out, { ...options, classes: ["a", "b"] })).rejects.toThrow(
      /line 4, column "kind": is none of the classes \(a, b\); received "idle"/,
    );
    const plain = file("plain.csv", FLOWERS);
    await convertCsv(plain, join(folder, "plain.gfd"), { target: "kind" });
    expect(openDataFile(join(folder, "plain.gfd")).encoding).toEqual(
      (await readCsv(plain, { target: "kind" })).encoding,
    );
  });
  it("reads a stream once, and so needs the classes", async () => {
    const out = join(folder, "stream.gfd");
    const stream = () => Readable.from([`${FLOWERS.join("\n")}\n`]);
    await expect(convertCsv(stream(), out)).rejects.toThrow(
      /the stream, column "kind": the target holds texts.*classes: \["A","B"\]/,
    );
    const { classes } = await convertCsv(stream(), out, { classes: ["virginica", "setosa", "iris"] });
    expect(classes).toEqual(["virginica", "setosa", "iris"]);
    expect(openDataFile(out).classes).toEqual(classes);
  });
  it("leaves a table of numbers as it was", async () => {
    const out = join(folder, "numbers.gfd");
    const { classes, targetNames } = await convertCsv(file("numbers.csv", ["x,y", "1,2", "3,4"]), out);
    expect([classes, targetNames, openDataFile(out).classes]).toEqual([null, ["y"], null]);
  });
});

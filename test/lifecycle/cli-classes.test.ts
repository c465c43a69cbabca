// Classes on the command line, through its own program: a text target is trained on, predicted and evaluated without a further flag.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { errorText, exitCodeOf } from "../../src/cli/exit.js";
import { makeProgram } from "../../src/cli/program.js";
import { loadModel, readCsv } from "../../src/index.js";
import { painterFor } from "../../src/report/paint.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-cli-classes-"));
const at = (name: string) => join(folder, name);

/** A stream that keeps what is written. */
class Kept extends Writable {
  text = "";
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function run(...args: readonly string[]) {
  const [out, err] = [new Kept(), new Kept()];
  const streams = { out: out as unknown as NodeJS.WriteStream, err: err as unknown as NodeJS.WriteStream };
  let code = -1;
  const paints = { paintOut: painterFor(streams.out), paintErr: painterFor(streams.err) };
  const program = makeProgram({ ...streams, ...paints }, (given) => {
    code = given;
  });
  try {
    await program.parseAsync(["node", "gaussflow", ...args]);
  } catch (error) {
    err.write(errorText(error));
    code = exitCodeOf(error);
  }
  return { code, out: out.text, err: err.text };
}

const KINDS = ["red", "blue", "a,b"];
const rows = Array.from({ length: 120 }, (_, i) => {
  const kind = i % 3;
  return `${kind + Math.sin(i) / 3},${Math.cos(3 * i)},${kind === 2 ? '"a,b"' : KINDS[kind]}`;
});
const table = at("kinds.csv");
writeFileSync(table, `x,z,kind\n${rows.join("\n")}\n`);
const QUICK = ["--hidden", "4", "--iterations", "20", "--backend", "typescript"];

describe("a text target", () => {
  it("is trained on, predicted as class and probabilities, and evaluated", async () => {
    const trained = await run("train", table, "--target", "kind", ...QUICK, "--out", at("kinds.json"));
    expect(trained.code, trained.err).toBe(0);
    expect(trained.err).toMatch(
      /target "kind" holds texts: a classification with 3 classes, a,b \(40 rows\), blue \(40 rows\), red/,
    );
    expect(trained.out).toMatch(/It tells 3 classes apart \(softmax cross-entropy, weight decay 2\)/);
    expect((await run("predict", at("kinds.json"), table, "--out", at("predicted.csv"))).code).toBe(0);
    const text = readFileSync(at("predicted.csv"), "utf8");
    expect(text.split("\n", 1)[0]).toBe('row,kind,"p(a,b)",p(blue),p(red)');
    const predicted = await readCsv(at("predicted.csv"), { target: "kind", ignore: "row" });
    const net = await loadModel(at("kinds.json"));
    const { inputs } = await readCsv(table, { encoding: net.encoding!, targets: "ignore" });
    const classes = net.predictClass(inputs);
    const p = net.predict(inputs);
    expect(predicted.sampleCount).toBe(120);
    expect(classes.map((name) => predicted.classes!.indexOf(name))).toEqual(
      classes.map((_, i) => [...predicted.targets.subarray(3 * i, 3 * i + 3)].indexOf(1)),
    );
    for (let k = 0; k < p.length; k++) expect(Math.abs(predicted.inputs[k]! - p[k]!)).toBeLessThan(1e-12);
    expect(classes.filter((name, i) => name === KINDS[i % 3]).length).toBeGreaterThan(110);
    const judged = await run("evaluate", at("kinds.json"), table);
    expect(judged.code, judged.err).toBe(0);
  });
  it("with a class that the model does not know is refused by evaluate, and predicted all the same", async () => {
    writeFileSync(at("other.csv"), "x,z,kind\n0,0,red\n1,1,green\n");
    const { code, err } = await run("evaluate", at("kinds.json"), at("other.csv"));
    expect(code).toBe(1);
    expect(err).toMatch(
      /other\.csv, line 3, column "kind": is none of the classes that the model knows \(a,b, blue, red\); received "green"/,
    );
    expect((await run("predict", at("kinds.json"), at("other.csv"))).out).toMatch(/^row,kind,.*\n1,red,/);
  });
  it("is an ensemble's too, whose spread follows the probabilities", async () => {
    const many = await run("train", table, ...QUICK, "--restarts", "2", "--ensemble", "2", "--out", at("many.json"));
    expect(many.code, many.err).toBe(0);
    const { out } = await run("predict", at("many.json"), table, "--spread");
    expect(out.split("\n", 1)[0]).toBe('row,kind,"p(a,b)",p(blue),p(red),"p(a,b) spread",p(blue) spread,p(red) spread');
    expect(out.split("\n")[1]).toMatch(/^1,red,/);
  });
  it("takes --classes, --class-weights and --decay, and cross-validates in stratified folds", async () => {
    const weighed = ["--classes", "red,blue,a\\,b,none", "--class-weights", "balanced", "--decay", "1"];
    const { code, out, err } = await run("train", table, ...QUICK, ...weighed, "--out", at("weighed.json"));
    expect(code, err).toBe(0);
    expect(out).toMatch(/It tells 4 classes apart \(softmax cross-entropy, weight decay 1\)/);
    expect(err).toMatch(/without a row to train on.*class none/);
    const { classes, summary } = await loadModel(at("weighed.json"));
    expect(classes).toEqual(["red", "blue", "a,b", "none"]);
    expect(summary?.classFactors).toHaveLength(4);
    const folds = await run("train", table, ...QUICK, "--cross-validate", "3");
    expect(folds.code, folds.err).toBe(0);
  });
  it("is converted, and trained on as a data file", async () => {
    const { code, out, err } = await run("convert", table, at("kinds.gfd"), "--target", "kind");
    expect(code, err).toBe(0);
    expect(out).toMatch(/120 rows of 2 inputs and 3 classes/);
    const trained = await run("train", at("kinds.gfd"), ...QUICK, "--out", at("file.json"));
    expect(trained.code, trained.err).toBe(0);
    expect((await run("predict", at("file.json"), table)).out).toMatch(/^row,kind,.*\n1,red,/);
  });
  it("the task is said by --task, and every error names a flag that exists", async () => {
    const regression = await run("train", table, "--task", "regression", ...QUICK);
    expect([regression.code, regression.err]).toEqual([1, expect.stringMatching(/--task classification/)]);
    writeFileSync(at("digits.csv"), `x,digit\n${Array.from({ length: 60 }, (_, i) => `${i},${i % 2}`).join("\n")}\n`);
    const digits = await run("train", at("digits.csv"), "--task", "classification", ...QUICK);
    expect(digits.err).toMatch(/target "digit": a classification with 2 classes, 0 \(30 rows\), 1 \(30 rows\)/);
    const weights = await run("train", at("digits.csv"), "--class-weights", "balanced", ...QUICK);
    expect([weights.code, weights.err]).toEqual([
      2,
      expect.stringMatching(/--class-weights is about classes.*--task classification/),
    ]);
    writeFileSync(at("one.csv"), "x,kind\n1,a\n2,a\n3,a\n");
    const one = await run("train", at("one.csv"), ...QUICK);
    expect([one.code, one.err]).toEqual([
      1,
      expect.stringMatching(/the one class "a" in all 3 rows.*--target COLUMN.*--classes a,OTHER/),
    ]);
  });
});

// --exposure as a user meets it: counts over unequal times in train, plan, evaluate, predict, convert and a cross-validation.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countMetrics, dataset, loadModel, predictAsync, Random, withExposure } from "../../src/index.js";
import { CommandLine, jsonLines } from "../helpers/command-line.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-exposure-"));
const cli = new CommandLine({ cwd: folder });
const at = (name: string) => join(folder, name);

const random = new Random(3);
const rows = Array.from({ length: 120 }, () => {
  const [x, years] = [2 * random.uniform() - 1, 0.25 + 4 * random.uniform()];
  const mean = years * Math.exp(1 + x);
  return { x, years, claims: Math.max(0, Math.round(mean + Math.sqrt(mean) * random.normal())) };
});

beforeAll(() => {
  cli.build();
  const write = (name: string, columns: readonly ("x" | "years" | "claims")[]) =>
    writeFileSync(
      at(name),
      `${[columns, ...rows.map((row) => columns.map((column) => row[column]))].map((line) => line.join(",")).join("\n")}\n`,
    );
  write("table.csv", ["x", "years", "claims"]);
  write("exposed.csv", ["x", "years"]);
  write("inputs.csv", ["x"]);
  write("counts.csv", ["x", "claims"]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const shape = ["--hidden", "2", "--decay", "1", "--iterations", "20"];
const table = ["table.csv", "--target", "claims", "--exposure", "years"];
const training = ["train", ...table, "--loss", "poisson", ...shape];

/** Numbers in the last column of a CSV. */
const lastColumn = (out: string) =>
  out
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => Number(line.split(",").at(-1)));

describe("--exposure", () => {
  it("trains on rates, and predicts counts where the exposures are known and else rates", async () => {
    const trained = cli.run([...training, "--out", "model.json"]);
    expect(trained.code, trained.err).toBe(0);
    expect(trained.err).toMatch(/targets are rates: counts by the exposure in column "years"/);
    const net = await loadModel(at("model.json"));
    expect(net.encoding).toMatchObject({ exposure: "years", weights: null });
    const rates = [
      ...(await predictAsync(
        net,
        rows.map(({ x }) => [x]),
      )),
    ];

    const plain = cli.run(["predict", "model.json", "inputs.csv"]);
    expect(lastColumn(plain.out)).toEqual(rates);
    expect(plain.err).toMatch(/no exposures \(column "years"\): predictions are rates/);
    const counts = cli.run(["predict", "model.json", "exposed.csv"]);
    expect(lastColumn(counts.out)).toEqual(rates.map((rate, i) => rate * rows[i]!.years));
    expect(counts.err).toMatch(/predictions are counts for the exposures in column "years"/);

    const evaluated = cli.run(["evaluate", "model.json", "table.csv", "--json"]);
    expect(evaluated.code, evaluated.err).toBe(0);
    const data = withExposure(
      dataset({ inputs: rows.map(({ x }) => [x]), targets: rows.map(({ claims }) => claims) }),
      rows.map(({ years }) => years),
    );
    const [expected] = countMetrics(Float64Array.from(rates), data.targets, ["claims"], data.weights);
    // A mean over 120 rows, added up in blocks by one and at once by the other.
    const { deviance } = JSON.parse(evaluated.out).targets[0];
    expect(Math.abs(deviance / expected!.deviance - 1)).toBeLessThan(120 * Number.EPSILON);
    const without = cli.run(["evaluate", "model.json", "counts.csv"]);
    expect([without.code, without.out]).toEqual([1, ""]);
    expect(without.err).toMatch(/has no column "years" \(the model's exposure\)/);
  });

  it("makes the same model from a data file", () => {
    const whole = ["--validation", "0", "--test", "0"];
    expect(cli.run([...training, ...whole, "--out", "memory.json"]).code).toBe(0);
    const converted = cli.run(["convert", "table.csv", "table.gfd", "--target", "claims", "--exposure", "years"]);
    expect(converted.code, converted.err).toBe(0);
    const fromFile = cli.run(["train", "table.gfd", "--loss", "poisson", ...shape, "--out", "file.json"]);
    expect(fromFile.code, fromFile.err).toBe(0);
    const parameters = (name: string) => JSON.parse(readFileSync(at(name), "utf8")).body.parameters;
    expect(parameters("file.json")).toBe(parameters("memory.json"));
  });

  it("is planned and cross-validated", () => {
    const planned = cli.run(["plan", ...table, "--loss", "poisson", "--hidden", "2"]);
    expect(planned.code, planned.err).toBe(0);
    const folds = cli.run([...training, "--cross-validate", "3", "--json"]);
    expect(folds.code, folds.err).toBe(0);
    expect(jsonLines(folds.out).at(-1).warnings).toEqual([]);
  });

  it("is refused without the loss of counts, and for a data file", () => {
    const refusal = /exposure in column "years".*give --loss poisson, or read the table without --exposure/;
    const planned = cli.run(["plan", ...table, "--hidden", "2"]);
    expect([planned.code, planned.out]).toEqual([2, ""]);
    expect(planned.err).toMatch(refusal);
    cli.run(["convert", "table.csv", "refused.gfd", "--target", "claims", "--exposure", "years"]);
    const trained = cli.run(["train", "refused.gfd", "--hidden", "2", "--loss", "huber"]);
    expect([trained.code, trained.out]).toEqual([2, ""]);
    expect(trained.err).toMatch(refusal);
    const flagged = cli.run(["train", "refused.gfd", "--exposure", "years", "--loss", "poisson"]);
    expect([flagged.code, flagged.out]).toEqual([2, ""]);
    expect(flagged.err).toMatch(/--exposure says how a table is read/);
  });
});

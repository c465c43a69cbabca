// gaussflow predict and evaluate with models that were trained with gaussianNll: a column of means and one of deviations for each target.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  distributionMetrics,
  ensemble,
  gaussianNll,
  type Network,
  network,
  Random,
  readCsv,
  saveModel,
  train,
} from "../../src/index.js";
import { CommandLine } from "../helpers/command-line.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-gaussian-"));
const at = (name: string) => join(folder, name);
const cli = new CommandLine();
const nets: Network[] = [];

beforeAll(async () => {
  cli.build();
  const random = new Random(2);
  const rows = Array.from({ length: 50 }, () => {
    const x = random.normal();
    return [x, 100 + x + random.normal(), 0.01 * random.normal()].join(",");
  });
  writeFileSync(at("table.csv"), `x,a,b\n${rows.join("\n")}\n`);
  const table = await readCsv(at("table.csv"), { target: ["a", "b"] });
  for (const seed of [1, 2])
    nets.push(
      (
        await train(network({ layers: [1, 3, 4], seed }), table, {
          loss: gaussianNll(),
          validation: false,
          stop: { iterations: 5 },
        })
      ).network,
    );
  await saveModel(at("one.json"), nets[0]!);
  await saveModel(at("two.json"), ensemble(nets));
});

function run(...args: string[]) {
  const { code, out, err } = cli.run(args);
  expect(code, err).toBe(0);
  return out;
}

const numbers = (line: string | undefined) => (line ?? "").split(",").map(Number);

describe("gaussflow predict", () => {
  it("writes the mean and the deviation of each target", async () => {
    const [header, first, ...rest] = run("predict", at("one.json"), at("table.csv")).trim().split("\n");
    expect(header).toBe("row,a,b,a deviation,b deviation");
    expect(rest.length).toBe(49);
    const table = await readCsv(at("table.csv"), { target: ["a", "b"] });
    const { mean, deviation } = nets[0]!.predictDistribution(table.inputs);
    const expected = [1, mean[0]!, mean[1]!, deviation[0]!, deviation[1]!];
    // The engine sums in another order.
    numbers(first).forEach((value, k) => {
      expect(Math.abs(value / expected[k]! - 1)).toBeLessThan(1e-10);
    });
  });

  it("writes those of the mixture for an ensemble, and the spread on request", () => {
    const [header, first] = run("predict", at("two.json"), at("table.csv"), "--spread").trim().split("\n");
    expect(header).toBe("row,a,b,a deviation,b deviation,a spread,b spread");
    const [, , , deviation = 0, , spread = 0] = numbers(first);
    // Of two members: the mixture has half the square of their sample deviation, and the noise of both.
    expect(deviation ** 2).toBeGreaterThan(spread ** 2 / 2);
  });
});

it.each(["one.json", "two.json"])("gaussflow evaluate measures means and deviations: %s", async (name) => {
  const line = JSON.parse(run("evaluate", at(name), at("table.csv"), "--json"));
  const table = await readCsv(at("table.csv"), { target: ["a", "b"] });
  const distribution = (name === "one.json" ? nets[0]! : ensemble(nets)).predictDistribution(table.inputs);
  const expected = distributionMetrics(distribution, table.targets, table.targetNames);
  for (const [k, { rmse, nll, coverage }] of line.targets.entries()) {
    expect(rmse).toBeGreaterThan(0);
    // The engine sums in another order.
    expect(Math.abs(nll / expected[k]!.nll - 1)).toBeLessThan(1e-9);
    expect(coverage).toBeCloseTo(expected[k]!.coverage, 12);
  }
  expect(run("evaluate", at(name), at("table.csv"))).toMatch(/1 - R² +nll +coverage\n/);
});

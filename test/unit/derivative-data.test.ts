// Values with slopes (src/equations/derivative-data.ts): tables, units and training.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createReferenceJetEngine } from "../../src/backend/reference/jets/engine.js";
import * as face from "../../src/index.js";

/** Two targets of two inputs in units far from 1. */
const value = (x: number, y: number) => [1000 + 50 * Math.sin(x) * y, x * x - 3 * y];
const slopes = (x: number, y: number) => [50 * Math.cos(x) * y, 50 * Math.sin(x), 2 * x, -3];
const places = Array.from({ length: 40 }, (_, i) => [Math.sin(3 * i), 100 + 20 * Math.cos(5 * i)] as const);
const inputs = places.map(([x, y]) => [x, y]);
const targets = places.map(([x, y]) => value(x, y));
const gradients = places.map(([x, y]) => slopes(x, y));

describe("residuals", () => {
  it.each([true, false])(
    "are errors of values and slopes in the units of training (standardize: %s)",
    async (scaled) => {
      const weights = places.map((_, i) => i % 3);
      const problem = face.derivativeData(
        { inputs, targets, gradients, weights },
        { gradientWeight: 4, standardize: scaled },
      );
      const start = face.network({ layers: [2, 5, 2], seed: 4 });
      problem.checkNetwork(start);
      const rows = await createReferenceJetEngine(start.architecture, problem.jets).residuals(start.parameters);
      const net = problem.field(start, new Float64Array(0), async () => new Float64Array(0));
      const scale = net.scaling ?? { inputs: { scale: [1, 1] }, targets: { scale: [1, 1] } };
      for (const i of [0, 1, 2, 17]) {
        const predicted = net.predict([inputs[i]]);
        const jacobian = net.inputJacobian(inputs[i]);
        const root = Math.sqrt(weights[i]);
        for (let k = 0; k < 2; k++) {
          const unit = scale.targets.scale[k];
          const row = rows.subarray(6 * i + 3 * k);
          // Rounding of y - offset: a few units of 1000 eps, in units of the deviation.
          expect(Math.abs(row[0] - (root * (predicted[k] - targets[i][k])) / unit)).toBeLessThan((1e-12 * 1000) / unit);
          for (let j = 0; j < 2; j++) {
            const expected =
              (2 * root * (jacobian[2 * k + j] - gradients[i][2 * k + j]) * scale.inputs.scale[j]) / unit;
            expect(Math.abs(row[1 + j] - expected)).toBeLessThan(1e-12 * (1 + Math.abs(expected)));
          }
        }
      }
    },
  );

  it("are refused without gradients, of classes, and by trainings on rows", async () => {
    expect(() => face.derivativeData({ inputs, targets })).toThrow("data must have gradients");
    expect(() => face.dataset({ inputs, targets: places.map((_, i) => (i % 2 ? "a" : "b")), gradients })).toThrow(
      "data.gradients must be left out where the targets are classes",
    );
    expect(() => face.dataset({ inputs, targets, gradients: gradients.slice(1) })).toThrow(
      "must have 40 rows of 4 numbers",
    );
    expect(() => face.dataset({ inputs, targets, gradients: [[1, 2, 3, Number.NaN], ...gradients.slice(1)] })).toThrow(
      "data.gradients",
    );
    const net = face.network({ layers: [2, 3, 2], seed: 1 });
    await expect(face.train(net, { inputs, targets, gradients })).rejects.toThrow(
      "train(network, derivativeData(data))",
    );
    const problem = face.derivativeData({ inputs, targets, gradients });
    expect(() => problem.checkNetwork(face.network({ layers: [2, 3, 1] }))).toThrow("must have 2 inputs and 2 outputs");
  });
});

describe("tables with slopes", () => {
  const folder = mkdtempSync(join(tmpdir(), "gaussflow-slopes-"));
  const file = join(folder, "energy.csv");
  const lines = places.slice(0, 12).map(([x, y]) => [x, y, value(x, y)[0], ...slopes(x, y).slice(0, 2)].join(","));
  writeFileSync(file, ["x,y,E,dE_dx,dE_dy", ...lines].join("\n"));

  it("are read by the option gradient, keep their rows through splits and selections", async () => {
    const data = await face.readCsv(file, { target: "E", gradient: ["dE_dx", "dE_dy"] });
    expect(data.featureNames).toEqual(["x", "y"]);
    expect([...data.gradients!.subarray(6, 8)]).toEqual(gradients[3].slice(0, 2));
    const { train } = data.split({ test: 0.5, seed: 2 });
    for (let i = 0; i < train.sampleCount; i++) {
      const [x, y] = train.inputs.subarray(2 * i, 2 * i + 2);
      expect([...train.gradients!.subarray(2 * i, 2 * i + 2)]).toEqual(slopes(x, y).slice(0, 2));
    }
    const again = face.derivativeData(data);
    expect(again.jets.terms[0].points).toBe(12);
  });

  it("leave out rows with a missing slope where they are asked to", async () => {
    const gaps = join(folder, "gaps.csv");
    writeFileSync(gaps, "x,E,dE\n1,1,2\n2,4,\n3,9,6\n");
    await expect(face.readCsv(gaps, { target: "E", gradient: "dE" })).rejects.toThrow("dE");
    const data = await face.readCsv(gaps, { target: "E", gradient: "dE", missing: "drop" });
    expect([...data.gradients!]).toEqual([2, 6]);
  });

  it("are refused with another number of slopes, inputs that are texts, classes, or as data files", async () => {
    await expect(face.readCsv(file, { target: "E", gradient: "dE_dx" })).rejects.toThrow(
      "must name 3 columns, the derivatives of each target by x, y, dE_dy",
    );
    const texts = join(folder, "texts.csv");
    writeFileSync(texts, "x,E,dE\na,1,2\nb,4,1\na,9,6\n");
    await expect(face.readCsv(texts, { target: "E", gradient: "dE" })).rejects.toThrow(
      "needs inputs that are all numbers",
    );
    await expect(face.readCsv(file, { target: "E", gradient: "dE_dx", task: "classification" })).rejects.toThrow(
      "must not be given for a target of classes",
    );
    await expect(face.readCsv(file, { target: "E", gradient: ["dE_dx", "E"] })).rejects.toThrow("already used");
    await expect(face.convertCsv(file, join(folder, "out.gfd"), { target: "E", gradient: "dE_dx" })).rejects.toThrow(
      "is not possible for a table that is converted row by row",
    );
  });
});

describe("training", () => {
  it("on values and slopes finds the function in the table's units, from far fewer rows than values alone", async () => {
    const f = (x: number, y: number) => 300 + 20 * Math.sin(2 * x) * Math.exp(y / 10);
    const rows = (count: number, shift: number) =>
      Array.from({ length: count }, (_, i) => [
        ((i * 0.754877666 + shift) % 1) * 2,
        ((i * 0.569840291 + shift) % 1) * 10,
      ]);
    const few = rows(24, 0.5);
    const data = {
      inputs: few,
      targets: few.map(([x, y]) => f(x, y)),
      gradients: few.map(([x, y]) => [40 * Math.cos(2 * x) * Math.exp(y / 10), 2 * Math.sin(2 * x) * Math.exp(y / 10)]),
    };
    const start = face.network({ layers: [2, 10, 1], activation: "tanh", seed: 2 });
    const stop = { iterations: 150 };
    const backend = "typescript";
    const test = rows(200, 0.1);
    const error = (net: face.Network) => {
      const predicted = net.predict(test);
      return Math.sqrt(test.reduce((sum, [x, y], i) => sum + (predicted[i] - f(x, y)) ** 2, 0) / test.length);
    };
    const sobolev = await face.train(start, face.derivativeData(data), { stop, backend });
    const { gradients: _, ...values } = data;
    const plain = await face.train(start, values, { stop, backend });
    expect(error(sobolev.network)).toBeLessThan(0.1);
    expect(error(sobolev.network)).toBeLessThan(0.2 * error(plain.network));
  });
});

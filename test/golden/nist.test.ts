// Certified values: 14 problems of the NIST StRD, both starts, by the library's own Levenberg-Marquardt and loop.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { levenbergMarquardt } from "../../src/method/levenberg-marquardt/levenberg-marquardt.js";
import { minimizeDense } from "../helpers/minimize-dense.js";

const folder = process.env.GAUSSFLOW_DATA;
type Model = (b: Float64Array, x: number) => number;
const { exp, cos, sin, PI, atan } = Math;
const gauss: Model = (b, x) =>
  b[0] * exp(-b[1] * x) + b[2] * exp(-(((x - b[3]) / b[4]) ** 2)) + b[5] * exp(-(((x - b[6]) / b[7]) ** 2));
const cubic: Model = (b, x) => (b[0] + x * (b[1] + x * (b[2] + x * b[3]))) / (1 + x * (b[4] + x * (b[5] + x * b[6])));

const models: Readonly<Record<string, Model>> = {
  Chwirut1: (b, x) => exp(-b[0] * x) / (b[1] + b[2] * x),
  Chwirut2: (b, x) => exp(-b[0] * x) / (b[1] + b[2] * x),
  DanWood: (b, x) => b[0] * x ** b[1],
  ENSO: (b, x) =>
    b[0] +
    b[1] * cos((2 * PI * x) / 12) +
    b[2] * sin((2 * PI * x) / 12) +
    b[4] * cos((2 * PI * x) / b[3]) +
    b[5] * sin((2 * PI * x) / b[3]) +
    b[7] * cos((2 * PI * x) / b[6]) +
    b[8] * sin((2 * PI * x) / b[6]),
  Gauss1: gauss,
  Gauss2: gauss,
  Hahn1: cubic,
  Kirby2: (b, x) => (b[0] + x * (b[1] + x * b[2])) / (1 + x * (b[3] + x * b[4])),
  Lanczos3: (b, x) => b[0] * exp(-b[1] * x) + b[2] * exp(-b[3] * x) + b[4] * exp(-b[5] * x),
  MGH17: (b, x) => b[0] + b[1] * exp(-x * b[3]) + b[2] * exp(-x * b[4]),
  Misra1a: (b, x) => b[0] * (1 - exp(-b[1] * x)),
  Rat42: (b, x) => b[0] / (1 + exp(b[1] - b[2] * x)),
  Roszman1: (b, x) => b[0] - b[1] * x - atan(b[2] / (x - b[3])) / PI,
  Thurber: cubic,
};

/** Data, both starts and the certified answers of one file. */
function load(name: string) {
  const lines = readFileSync(join(folder ?? "", "nist", `${name}.dat`), "utf8").split(/\r?\n/);
  const rows = lines
    .map((line) => line.match(/^\s*b\d+\s*=\s*(.*)$/)?.[1])
    .filter((text) => text !== undefined)
    .map((text) => text.trim().split(/\s+/).map(Number));
  const squares = Number(
    lines.find((line) => /^\s*Residual Sum of Squares/i.test(line))?.match(/([\d.+-]+E?[+-]?\d*)\s*$/i)?.[1],
  );
  const from = lines.findIndex((line) => /^Data:\s+y\s+x/.test(line));
  const points = lines
    .slice(from + 1)
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter((cells) => cells.length === 2 && cells.every(Number.isFinite));
  return {
    starts: [rows.map((row) => row[0]), rows.map((row) => row[1])],
    certified: rows.map((row) => row[2]),
    squares,
    points,
  };
}

describe.skipIf(folder === undefined)("NIST StRD nonlinear regression", () => {
  for (const [name, model] of Object.entries(models))
    for (const start of [0, 1])
      it(`${name} from start ${start + 1} to six digits`, async () => {
        const { starts, certified, squares, points } = load(name);
        expect(points.length).toBeGreaterThan(5);
        const problem = {
          parameterCount: certified.length,
          residualCount: points.length,
          residual: (b: Float64Array) => Float64Array.from(points, ([y, x]) => model(b, x) - y),
        };
        const result = await minimizeDense(problem, starts[start], levenbergMarquardt(), {
          iterations: 2000,
          reduction: 0,
          step: 1e-13,
          gradient: 1e-13,
        });
        const digits = certified.map((value, j) => -Math.log10(Math.abs(result.best.parameters[j] / value - 1)));
        const worst = Math.min(...digits);
        expect(
          worst,
          `${result.reason.code} after ${result.iterations}: ${digits.map((d) => d.toFixed(1)).join(" ")}`,
        ).toBeGreaterThan(6);
        expect(-Math.log10(Math.abs((2 * result.best.value) / squares - 1))).toBeGreaterThan(6);
      });
});

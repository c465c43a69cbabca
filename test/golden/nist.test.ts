// Certified values: 14 problems of the NIST StRD, both starts, by `curveFit` with its defaults: the model as a function, whose derivatives are differences,
// and as text, whose derivatives are exact. Two of the other problems, whose far starts plain Levenberg-Marquardt fails from, have their data here.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { curveFit } from "../../src/fit/curve-fit.js";
import type { FitResult } from "../../src/fit/fit-result.js";

const folder = process.env.GAUSSFLOW_DATA;
type Model = (x: number, b: Float64Array) => number;
const { exp, cos, sin, PI, atan } = Math;
const gauss: Model = (x, b) =>
  b[0] * exp(-b[1] * x) + b[2] * exp(-(((x - b[3]) / b[4]) ** 2)) + b[5] * exp(-(((x - b[6]) / b[7]) ** 2));
const cubic: Model = (x, b) => (b[0] + x * (b[1] + x * (b[2] + x * b[3]))) / (1 + x * (b[4] + x * (b[5] + x * b[6])));

const functions: Readonly<Record<string, Model>> = {
  Chwirut1: (x, b) => exp(-b[0] * x) / (b[1] + b[2] * x),
  Chwirut2: (x, b) => exp(-b[0] * x) / (b[1] + b[2] * x),
  DanWood: (x, b) => b[0] * x ** b[1],
  ENSO: (x, b) =>
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
  Kirby2: (x, b) => (b[0] + x * (b[1] + x * b[2])) / (1 + x * (b[3] + x * b[4])),
  Lanczos3: (x, b) => b[0] * exp(-b[1] * x) + b[2] * exp(-b[3] * x) + b[4] * exp(-b[5] * x),
  MGH17: (x, b) => b[0] + b[1] * exp(-x * b[3]) + b[2] * exp(-x * b[4]),
  Misra1a: (x, b) => b[0] * (1 - exp(-b[1] * x)),
  Rat42: (x, b) => b[0] / (1 + exp(b[1] - b[2] * x)),
  Roszman1: (x, b) => b[0] - b[1] * x - atan(b[2] / (x - b[3])) / PI,
  Thurber: cubic,
};

const texts: Readonly<Record<string, string>> = {
  Chwirut1: "exp(-b1*x)/(b2+b3*x)",
  Chwirut2: "exp(-b1*x)/(b2+b3*x)",
  DanWood: "b1*x^b2",
  ENSO: "b1 + b2*cos(2*pi*x/12) + b3*sin(2*pi*x/12) + b5*cos(2*pi*x/b4) + b6*sin(2*pi*x/b4) + b8*cos(2*pi*x/b7) + b9*sin(2*pi*x/b7)",
  Gauss1: "b1*exp(-b2*x) + b3*exp(-(x-b4)^2/b5^2) + b6*exp(-(x-b7)^2/b8^2)",
  Gauss2: "b1*exp(-b2*x) + b3*exp(-(x-b4)^2/b5^2) + b6*exp(-(x-b7)^2/b8^2)",
  Hahn1: "(b1+b2*x+b3*x^2+b4*x^3)/(1+b5*x+b6*x^2+b7*x^3)",
  Kirby2: "(b1+b2*x+b3*x^2)/(1+b4*x+b5*x^2)",
  Lanczos3: "b1*exp(-b2*x)+b3*exp(-b4*x)+b5*exp(-b6*x)",
  MGH17: "b1+b2*exp(-x*b4)+b3*exp(-x*b5)",
  Misra1a: "b1*(1-exp(-b2*x))",
  Rat42: "b1/(1+exp(b2-b3*x))",
  Roszman1: "b1-b2*x-atan(b3/(x-b4))/pi",
  Thurber: "(b1+b2*x+b3*x^2+b4*x^3)/(1+b5*x+b6*x^2+b7*x^3)",
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
    deviations: rows.map((row) => row[3]),
    squares,
    points,
  };
}

/** Digits of the worst entry. */
const digits = (found: ArrayLike<number>, certified: readonly number[]) =>
  Math.min(...certified.map((value, j) => -Math.log10(Math.abs(found[j] / value - 1))));

const describeEnd = ({ reason, iterations, estimates }: FitResult) =>
  `${reason.code} after ${iterations}: ${reason.message}; ${estimates.join(" ")}`;

describe.skipIf(folder === undefined)("NIST StRD nonlinear regression", () => {
  for (const [form, models] of Object.entries({ function: functions, text: texts }))
    for (const [name, model] of Object.entries(models))
      for (const start of [0, 1])
        it(`${name} as ${form} from start ${start + 1}: estimates to eight digits, standard errors to six`, async () => {
          const { starts, certified, deviations, squares, points } = load(name);
          expect(points.length).toBeGreaterThan(5);
          const [x, y] = [points.map((row) => row[1]), points.map((row) => row[0])];
          const result = await curveFit(model as Model, x, y, { start: starts[start] });
          const why = describeEnd(result);
          expect(digits(result.estimates, certified), why).toBeGreaterThan(8);
          expect(digits(result.standardErrors, deviations), why).toBeGreaterThan(6);
          expect(digits([2 * result.objective], [squares]), why).toBeGreaterThan(8);
          expect(result.converged, why).toBe(true);
        });
});

interface FarStart {
  readonly name: string;
  readonly model: Model;
  readonly text: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly starts: readonly (readonly number[])[];
  readonly certified: readonly number[];
}

const meyer = [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872];
const growth = [
  16.08, 33.83, 65.8, 97.2, 191.55, 326.2, 386.87, 520.53, 590.03, 651.92, 724.93, 699.56, 689.96, 637.56, 717.41,
];
const enzyme = [0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246];
const farStarts: readonly FarStart[] = [
  {
    name: "MGH10",
    model: (x, b) => b[0] * exp(b[1] / (x + b[2])),
    text: "b1*exp(b2/(x+b3))",
    x: meyer.map((_, i) => 50 + 5 * i),
    y: meyer,
    starts: [
      [2, 400000, 25000],
      [0.02, 4000, 250],
    ],
    certified: [5.609636471e-3, 6.1813463463e3, 3.4522363462e2],
  },
  {
    name: "BoxBOD",
    model: (x, b) => b[0] * (1 - exp(-b[1] * x)),
    text: "b1*(1-exp(-b2*x))",
    x: [1, 2, 3, 5, 7, 10],
    y: [109, 149, 149, 191, 213, 224],
    starts: [
      [1, 1],
      [100, 0.75],
    ],
    certified: [213.80940889, 0.54723748542],
  },
  {
    name: "Rat43",
    model: (x, b) => b[0] / (1 + exp(b[1] - b[2] * x)) ** (1 / b[3]),
    text: "b1/(1+exp(b2-b3*x))^(1/b4)",
    x: growth.map((_, i) => i + 1),
    y: growth,
    starts: [
      [100, 10, 1, 1],
      [700, 5, 0.75, 1.3],
    ],
    certified: [699.6415127, 5.2771253025, 0.75962938329, 1.2792483859],
  },
  {
    name: "MGH09",
    model: (x, b) => (b[0] * (x * x + x * b[1])) / (x * x + x * b[2] + b[3]),
    text: "b1*(x^2+x*b2)/(x^2+x*b3+b4)",
    x: [4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625],
    y: enzyme,
    starts: [
      [25, 39, 41.5, 39],
      [0.25, 0.39, 0.415, 0.39],
    ],
    certified: [0.19280693458, 0.19128232873, 0.12305650693, 0.13606233068],
  },
];

describe("problems of the NIST StRD with far starts", () => {
  for (const { name, model, text, x, y, starts, certified } of farStarts)
    for (const [form, given] of [
      ["function", model],
      ["text", text],
    ] as const)
      for (const [number, start] of starts.entries())
        it(`${name} as ${form} from start ${number + 1} to eight digits`, async () => {
          const result = await curveFit(given as Model, x, y, { start });
          expect(digits(result.estimates, certified), describeEnd(result)).toBeGreaterThan(8);
          expect(result.converged).toBe(true);
        });
});

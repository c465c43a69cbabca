// Problems of More, Garbow and Hillstrom (ACM TOMS 7(1), 1981): the 53 runs of MINPACK's test program, from the standard starts and those times 10 and 100, by
// `leastSquares` with its defaults against the final norms of lmder1. A lower norm is no failure: their code's results are not optima.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { leastSquares } from "../../src/fit/least-squares.js";

const folder = process.env.GAUSSFLOW_DATA;
const { exp, sqrt, cos, sin, atan, PI } = Math;

interface Case {
  readonly name: string;
  /** Number, parameters and residuals in the table of reference norms. */
  readonly key: readonly [number, number, number];
  readonly start: readonly number[];
  residual(x: Float64Array): number[];
}

const list = (count: number, entry: (i: number) => number) => Array.from({ length: count }, (_, i) => entry(i));
const bard = [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.1, 4.39];
const kowalikV = [4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625];
const kowalikY = [0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246];
// biome-ignore format: a table of the paper
const osborne = [0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.85, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658, 0.628, 0.603, 0.58, 0.558, 0.538, 0.522, 0.506, 0.49, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.42, 0.414, 0.411, 0.406];
// biome-ignore format: a table of the paper
const osborne2 = [1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608, 0.655, 0.616, 0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661, 0.612, 0.558, 0.533, 0.495, 0.5, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428, 0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559, 0.597, 0.625, 0.739, 0.71, 0.729, 0.72, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098, 0.054];
const meyer = [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872];

function watson(x: Float64Array): number[] {
  const rows = list(29, (i) => {
    const t = (i + 1) / 29;
    const slope = x.reduce((sum, value, j) => (j === 0 ? sum : sum + j * value * t ** (j - 1)), 0);
    const value = x.reduce((sum, one, j) => sum + one * t ** j, 0);
    return slope - value ** 2 - 1;
  });
  return [...rows, x[0], x[1] - x[0] ** 2 - 1];
}

/** Means over the nodes of the first m shifted Chebyshev polynomials, less their integrals over [0, 1]. */
const chebyquad = (m: number) => (x: Float64Array) => {
  const means = list(m, () => 0);
  for (const node of x) {
    let [previous, current] = [1, 2 * node - 1];
    for (let k = 0; k < m; k++) {
      means[k] += current / x.length;
      [previous, current] = [current, 2 * (2 * node - 1) * current - previous];
    }
  }
  return means.map((value, k) => (k % 2 === 1 ? value + 1 / ((k + 1) ** 2 - 1) : value));
};

const ones = (count: number) => list(count, () => 1);
const linear = (m: number) => (x: Float64Array) => {
  const sum = x.reduce((a, b) => a + b, 0);
  return list(m, (i) => (i < x.length ? x[i] : 0) - (2 * sum) / m - 1);
};
const linearRank1 = (m: number) => (x: Float64Array) => {
  const sum = x.reduce((a, value, j) => a + (j + 1) * value, 0);
  return list(m, (i) => (i + 1) * sum - 1);
};
const linearZeros = (m: number) => (x: Float64Array) => {
  const sum = x.reduce((a, value, j) => a + (j > 0 && j < x.length - 1 ? (j + 1) * value : 0), 0);
  return list(m, (i) => (i > 0 && i < m - 1 ? i * sum : 0) - 1);
};

function brown(x: Float64Array): number[] {
  const sum = x.reduce((a, b) => a + b, 0);
  return [...list(x.length - 1, (i) => x[i] + sum - (x.length + 1)), x.reduce((a, b) => a * b, 1) - 1];
}

/** Starts are multiplied by 10 and 100 in the second and third run of a problem; zeros become 10 and 100. */
const cases: readonly Case[] = [
  ...[10, 50].map(
    (m) => ({ name: `linear, full rank, ${m}`, key: [1, 5, m], start: ones(5), residual: linear(m) }) as const,
  ),
  ...[10, 50].map(
    (m) => ({ name: `linear, rank 1, ${m}`, key: [2, 5, m], start: ones(5), residual: linearRank1(m) }) as const,
  ),
  ...[10, 50].map(
    (m) =>
      ({ name: `linear, rank 1 with zeros, ${m}`, key: [3, 5, m], start: ones(5), residual: linearZeros(m) }) as const,
  ),
  {
    name: "Rosenbrock",
    key: [4, 2, 2],
    start: [-1.2, 1],
    residual: ([a, b]) => [10 * (b - a * a), 1 - a],
  },
  {
    name: "helical valley",
    key: [5, 3, 3],
    start: [-1, 0, 0],
    residual: ([a, b, c]) => {
      const angle = a > 0 ? atan(b / a) / (2 * PI) : a < 0 ? atan(b / a) / (2 * PI) + 0.5 : b >= 0 ? 0.25 : -0.25;
      return [10 * (c - 10 * angle), 10 * (sqrt(a * a + b * b) - 1), c];
    },
  },
  {
    name: "Powell singular",
    key: [6, 4, 4],
    start: [3, -1, 0, 1],
    residual: ([a, b, c, d]) => [a + 10 * b, sqrt(5) * (c - d), (b - 2 * c) ** 2, sqrt(10) * (a - d) ** 2],
  },
  {
    name: "Freudenstein and Roth",
    key: [7, 2, 2],
    start: [0.5, -2],
    residual: ([a, b]) => [-13 + a + ((5 - b) * b - 2) * b, -29 + a + ((1 + b) * b - 14) * b],
  },
  {
    name: "Bard",
    key: [8, 3, 15],
    start: [1, 1, 1],
    residual: ([a, b, c]) =>
      list(15, (i) => {
        const [u, v] = [i + 1, 15 - i];
        return bard[i] - (a + u / (b * v + c * Math.min(u, v)));
      }),
  },
  {
    name: "Kowalik and Osborne",
    key: [9, 4, 11],
    start: [0.25, 0.39, 0.415, 0.39],
    residual: ([a, b, c, d]) =>
      list(11, (i) => {
        const v = kowalikV[i];
        return kowalikY[i] - (a * v * (v + b)) / (v * (v + c) + d);
      }),
  },
  {
    name: "Meyer",
    key: [10, 3, 16],
    start: [0.02, 4000, 250],
    residual: ([a, b, c]) => list(16, (i) => a * exp(b / (45 + 5 * (i + 1) + c)) - meyer[i]),
  },
  { name: "Watson, 6", key: [11, 6, 31], start: list(6, () => 0), residual: watson },
  { name: "Watson, 9", key: [11, 9, 31], start: list(9, () => 0), residual: watson },
  { name: "Watson, 12", key: [11, 12, 31], start: list(12, () => 0), residual: watson },
  {
    name: "Box, three-dimensional",
    key: [12, 3, 10],
    start: [0, 10, 20],
    residual: ([a, b, c]) =>
      list(10, (i) => {
        const t = 0.1 * (i + 1);
        return exp(-t * a) - exp(-t * b) - c * (exp(-t) - exp(-10 * t));
      }),
  },
  {
    name: "Jennrich and Sampson",
    key: [13, 2, 10],
    start: [0.3, 0.4],
    residual: ([a, b]) => list(10, (i) => 2 + 2 * (i + 1) - (exp((i + 1) * a) + exp((i + 1) * b))),
  },
  {
    name: "Brown and Dennis",
    key: [14, 4, 20],
    start: [25, 5, -5, -1],
    residual: ([a, b, c, d]) =>
      list(20, (i) => {
        const t = (i + 1) / 5;
        return (a + t * b - exp(t)) ** 2 + (c + d * sin(t) - cos(t)) ** 2;
      }),
  },
  ...[10, 30, 40].map(
    (p) =>
      ({ name: `Brown almost linear, ${p}`, key: [16, p, p], start: list(p, () => 0.5), residual: brown }) as const,
  ),
  {
    name: "Osborne 1",
    key: [17, 5, 33],
    start: [0.5, 1.5, -1, 0.01, 0.02],
    residual: ([a, b, c, d, e]) => list(33, (i) => osborne[i] - (a + b * exp(-10 * i * d) + c * exp(-10 * i * e))),
  },
  {
    name: "Osborne 2",
    key: [18, 11, 65],
    start: [1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5],
    residual: (x) =>
      list(65, (i) => {
        const bell = (k: number) => x[k] * exp(-((i / 10 - x[k + 7]) ** 2) * x[k + 4]);
        return osborne2[i] - (x[0] * exp((-i / 10) * x[4]) + bell(1) + bell(2) + bell(3));
      }),
  },
  ...[8, 9, 10].map(
    (p) =>
      ({
        name: `Chebyquad, ${p}`,
        key: [15, p, p],
        start: list(p, (j) => (j + 1) / (p + 1)),
        residual: chebyquad(p),
      }) as const,
  ),
  { name: "Chebyquad, 1", key: [15, 1, 8], start: [0.5], residual: chebyquad(8) },
];

interface Run {
  readonly key: string;
  /** Multiple of the standard start: 1, 10, 100. */
  readonly factor: number;
  /** Final norm of lmder1, with eight digits. */
  readonly norm: number;
}

/** The runs of the table. */
function runs(): Run[] {
  const seen = new Map<string, number>();
  return readFileSync(join(folder as string, "mgh", "lmder1_reference.txt"), "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter((row) => row.length === 7 && row.every(Number.isFinite))
    .map((row) => {
      const key = row.slice(0, 3).join(" ");
      const factor = seen.get(key) ?? 1;
      seen.set(key, 10 * factor);
      return { key, factor, norm: row[6] };
    });
}

describe.skipIf(folder === undefined)("More, Garbow, Hillstrom", () => {
  const table = folder === undefined ? [] : runs();
  it("has 53 runs", () => expect(table).toHaveLength(53));
  for (const { key, factor, norm: bar } of table) {
    const { name, start, residual } = cases.find((one) => one.key.join(" ") === key) as Case;
    it(`${name} from ${factor} times its start`, async () => {
      const from = start.map((value) => (factor > 1 && start.every((one) => one === 0) ? factor : factor * value));
      const length = (r: readonly number[]) => sqrt(r.reduce((sum, value) => sum + value * value, 0));
      const result = await leastSquares({
        count: residual(Float64Array.from(from)).length,
        residuals: (b, out) => out.set(residual(b)),
        start: from,
      });
      const norm = sqrt(2 * result.objective);
      const allowed = Math.max(bar * (1 + 1e-6), 1e-12 * length(residual(Float64Array.from(from))));
      expect(norm, `${result.reason.code} after ${result.iterations}: ${result.reason.message}`).toBeLessThanOrEqual(
        allowed,
      );
    });
  }
});

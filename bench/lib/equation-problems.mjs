// The problems of bench/equations.mjs: equations with known solutions, the network and the iterations each is trained with, and the errors that
// docs/equations.md promises. Errors are relative l2 over points that were not trained on.
import { burgersSolution } from "../../dist/experiment/equations/burgers-solution.js";
import { equations, faces, Random, sample } from "../../dist/index.js";

/** Every combination of the values of some coordinates, one array a coordinate. */
function grid(axes) {
  const names = Object.keys(axes);
  const count = names.reduce((product, name) => product * axes[name].length, 1);
  const points = Object.fromEntries(names.map((name) => [name, new Float64Array(count)]));
  for (let i = 0; i < count; i++) {
    let rest = i;
    for (const name of names) {
      points[name][i] = axes[name][rest % axes[name].length];
      rest = Math.floor(rest / axes[name].length);
    }
  }
  return points;
}

const even = (from, to, count) =>
  Float64Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));

/** |u - truth| / |truth| at the points. */
function relativeError(field, points, truth) {
  const { u } = field.predict(points);
  let [difference, size] = [0, 0];
  for (let i = 0; i < u.length; i++) {
    difference += (u[i] - truth[i]) ** 2;
    size += truth[i] ** 2;
  }
  return Math.sqrt(difference / size);
}

const NU = 0.01;
const FEATURES = ["cos(pi*x)", "sin(pi*x)", "t"];
const BOX = { x: [-1, 1], t: [0, 1] };

function burgersCase(name, hidden, inside, start, iterations, limits, renew) {
  const points = grid({ x: even(-1, 1, 201), t: even(0.02, 1, 50) });
  const truth = points.x.map((x, i) => burgersSolution(x, points.t[i], NU));
  return {
    name,
    layers: [3, ...hidden, 1],
    iterations,
    seeds: [1, 2, 3, 4, 5],
    limits,
    problem: () =>
      equations(
        {
          inside: { residual: "u_t + u*u_x - nu*u_xx", points: sample(BOX, inside, { renew }), weight: 0.1 },
          start: { residual: "u + sin(pi*x)", points: sample({ x: [-1, 1], t: 0 }, start) },
        },
        { features: FEATURES, constants: { nu: NU } },
      ),
    error: (field) => relativeError(field, points, truth),
  };
}

/** -Laplacian u = f on the unit box with u given on its faces. `solution` and `source` are formulas, `exact` a function of the coordinates. */
function poissonCase(name, dimensions, hidden, [inside, boundary], { solution, source, exact }, rest) {
  const names = dimensions === 1 ? ["x"] : Array.from({ length: dimensions }, (_, k) => `x${k + 1}`);
  const box = Object.fromEntries(names.map((one) => [one, [0, 1]]));
  // Not on the faces, and none of the points of the training.
  const random = new Random(99);
  const points = Object.fromEntries(
    names.map((one) => [one, Float64Array.from({ length: 5000 }, () => random.uniform())]),
  );
  const truth = points[names[0]].map((_, i) => exact(names.map((one) => points[one][i])));
  return {
    name,
    layers: [dimensions, ...hidden, 1],
    ...rest,
    problem: () =>
      equations({
        inside: { residual: `laplacian(u) + ${source}`, points: sample(box, inside), weight: rest.weight },
        boundary: { residual: `u - (${solution})`, points: faces(box, boundary) },
      }),
    error: (field) => relativeError(field, points, truth),
  };
}

const COSINES = [1, 2, 3, 4, 5].map((k) => `cos(pi*x${k})`).join(" + ");

/** nu of Burgers' equation from 200 noisy values, without the initial condition. */
function inverseCase(name, sigma) {
  return {
    name,
    layers: [3, 12, 12, 12, 1],
    iterations: 150,
    seeds: [1, 2, 3],
    unknown: { name: "nu", truth: NU },
    problem: (seed) => {
      const random = new Random(seed, 31);
      const x = Float64Array.from({ length: 200 }, () => 2 * random.uniform() - 1);
      const t = Float64Array.from({ length: 200 }, () => random.uniform());
      const y = x.map((value, i) => burgersSolution(value, t[i], NU) + sigma * random.normal());
      return equations(
        {
          inside: { residual: "u_t + u*u_x - nu*u_xx", points: sample(BOX, 2048), weight: 100 },
          data: { residual: "u - y", points: { x, t, y } },
        },
        { features: FEATURES, unknowns: { nu: 0.05 } },
      );
    },
    error: null,
  };
}

const SOBOLEV = ["x1", "x2", "x3", "x4", "x5"];
/** A smooth function of five inputs, and its gradient. */
function smooth([a, b, c, d, e]) {
  const [wave, bump] = [Math.sin(2 * a + b * c), Math.exp(-0.5 * (d * d + e * e))];
  const slope = Math.cos(2 * a + b * c);
  return {
    value: wave * bump + 0.5 * a * e,
    slopes: [
      2 * slope * bump + 0.5 * e,
      c * slope * bump,
      b * slope * bump,
      -d * wave * bump,
      -e * wave * bump + 0.5 * a,
    ],
  };
}

/** Regression on values alone, or on values and slopes. */
function sobolevCase(name, count, slopes) {
  const drawn = (random, n) =>
    Object.fromEntries(SOBOLEV.map((one) => [one, Float64Array.from({ length: n }, () => 2 * random.uniform() - 1)]));
  const at = (points, i) => smooth(SOBOLEV.map((one) => points[one][i]));
  const test = drawn(new Random(99), 5000);
  const truth = test.x1.map((_, i) => at(test, i).value);
  return {
    name,
    layers: [5, 16, 16, 1],
    iterations: 200,
    seeds: [1, 2, 3],
    problem: (seed) => {
      const points = drawn(new Random(seed, 7), count);
      const columns = { ...points, y: points.x1.map((_, i) => at(points, i).value) };
      SOBOLEV.forEach((one, k) => {
        columns[`d${one}`] = points.x1.map((_, i) => at(points, i).slopes[k]);
      });
      const values = ["u - y"];
      const residual = slopes ? [...values, ...SOBOLEV.map((one) => `u_${one} - d${one}`)] : values;
      return equations({ data: { residual, points: columns } }, { inputs: SOBOLEV, features: SOBOLEV });
    },
    error: (field) => relativeError(field, test, truth),
  };
}

export const CASES = [
  burgersCase("burgers", [20, 20, 20, 20], 4096, 512, 120, { median: 1e-6, largest: 3e-6, best: 4e-7 }),
  burgersCase("burgers-renewed", [20, 20, 20, 20], 4096, 512, 120, {}, 10),
  burgersCase("burgers-12", [12, 12, 12, 12], 2048, 256, 100, { largest: 2e-5 }),
  burgersCase("burgers-40", [40, 40, 40, 40], 6144, 512, 400, {}),
  poissonCase(
    "poisson-1d",
    1,
    [30],
    [128, 2],
    { solution: "0", source: "pi^2*sin(pi*x)", exact: ([x]) => Math.sin(Math.PI * x) },
    { iterations: 300, seeds: [1, 2, 3], limits: { largest: 1e-9 }, weight: 0.01 },
  ),
  poissonCase(
    "poisson-2d",
    2,
    [20, 20, 20],
    [2816, 512],
    {
      solution: "0",
      source: "2*pi^2*sin(pi*x1)*sin(pi*x2)",
      exact: ([x, y]) => Math.sin(Math.PI * x) * Math.sin(Math.PI * y),
    },
    { iterations: 100, seeds: [1, 2, 3], limits: { largest: 5e-7 }, weight: 0.01 },
  ),
  poissonCase(
    "poisson-5d",
    5,
    [24, 24, 24],
    [4096, 1024],
    {
      solution: COSINES,
      source: `pi^2*(${COSINES})`,
      exact: (x) => x.reduce((sum, one) => sum + Math.cos(Math.PI * one), 0),
    },
    { iterations: 100, seeds: [1, 2, 3], limits: { largest: 2e-5 }, weight: 0.01 },
  ),
  inverseCase("inverse", 0.01),
  inverseCase("inverse-noisy", 0.05),
  { ...sobolevCase("sobolev-100-slopes", 100, true), beats: "sobolev-300-values" },
  sobolevCase("sobolev-300-values", 300, false),
];

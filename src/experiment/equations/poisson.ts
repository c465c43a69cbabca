// Examples of the experiment "equations": Poisson's equation in a square, where a transform keeps the boundary, and in five dimensions.
import type { ChartSeries } from "../../document.js";
import { equations } from "../../equations/equations.js";
import { faces, sample } from "../../equations/points.js";
import { Random } from "../../random.js";
import { show } from "../experiment.js";
import { type Example, evenly, fieldMaps, figuresOf, relativeError, solved } from "./example.js";

const wave = (x: number, y: number) => Math.sin(Math.PI * x) * Math.sin(Math.PI * y);

/** u = sin(pi x) sin(pi y), which vanishes on the boundary. */
export const square: Example = {
  name: "poisson-2d",
  equation: "u_xx + u_yy = -2 pi^2 sin(pi x) sin(pi y) in the unit square, u = 0 on its boundary by a transform",
  async run(context, seed) {
    const { samples, width } = context.settings;
    const inside = { x: [0, 1], y: [0, 1] } as const;
    const problem = await equations(
      { inside: { residual: "laplacian(u) + 2*pi^2*sin(pi*x)*sin(pi*y)", points: sample(inside, samples, { seed }) } },
      { transform: { u: "x*(1 - x)*y*(1 - y)*u" } },
    );
    const result = await solved(context, problem, [2, width, width, 1], seed, 100);
    const random = new Random(seed, 99);
    const [x, y] = [0, 1].map(() => Float64Array.from({ length: 2000 }, () => random.uniform()));
    const truth = x.map((value, i) => wave(value, y[i]));
    const [line, marks] = [evenly(0, 1, 101), evenly(0, 1, 21)];
    const series = [0.1, 0.25, 0.5].flatMap((height, hue): ChartSeries[] => {
      const { u } = result.network.predict({ x: line, y: new Float64Array(line.length).fill(height) });
      const exact = marks.map((value) => wave(value, height));
      return [
        { label: `y = ${height}`, x: [...line], y: [...u], hue },
        { label: `y = ${height}, exact`, x: [...marks], y: [...exact], style: "points", hue },
      ];
    });
    return {
      figures: { error: relativeError(result.network, { x, y }, truth) },
      result,
      maps: fieldMaps({
        id: "poisson-2d",
        title: "Poisson's equation in a square",
        field: result.network,
        axes: [
          { label: "x", from: 0, to: 1 },
          { label: "y", from: 0, to: 1 },
        ],
        exact: wave,
      }),
      chart: {
        id: "poisson-2d",
        title: "Poisson's equation in a square",
        alt: "u by x at three heights y: arcs that are 0 at both ends. Lines are the network, points the exact solution.",
        x: { label: "x", scale: "linear" },
        y: { label: "u", scale: "linear" },
        series,
      },
    };
  },
  claim: (runs) => {
    const most = Math.max(...figuresOf(runs, "error"));
    return {
      claim: "Poisson's equation in a square: the field agrees with the solution between the points",
      promised: "relative error at most 1e-5",
      measured: show(most),
      holds: most <= 1e-5,
    };
  },
};

const NAMES = ["x1", "x2", "x3", "x4", "x5"];
const COSINES = NAMES.map((x) => `cos(pi*${x})`).join(" + ");

/** u = the sum of cos(pi x_k), given on all ten faces. */
export const cube: Example = {
  name: "poisson-5d",
  equation:
    "laplacian(u) = -pi^2 (cos(pi x1) + ... + cos(pi x5)) in the unit cube of five dimensions, u given on its faces",
  async run(context, seed) {
    const { samples, width } = context.settings;
    const box = Object.fromEntries(NAMES.map((x) => [x, [0, 1] as const]));
    const problem = await equations({
      inside: { residual: `laplacian(u) + pi^2*(${COSINES})`, points: sample(box, samples, { seed }), weight: 0.01 },
      boundary: { residual: `u - (${COSINES})`, points: faces(box, Math.max(10, Math.ceil(samples / 2)), { seed }) },
    });
    const result = await solved(context, problem, [5, width, width, 1], seed, 100);
    const random = new Random(seed, 99);
    const points = Object.fromEntries(
      NAMES.map((x) => [x, Float64Array.from({ length: 2000 }, () => random.uniform())]),
    );
    const truth = points.x1.map((_, i) => NAMES.reduce((sum, x) => sum + Math.cos(Math.PI * points[x][i]), 0));
    const shown = [...truth.keys()].slice(0, 200).sort((a, b) => truth[a] - truth[b]);
    const { u } = result.network.predict(points);
    const ends = [truth[shown[0]], truth[shown.at(-1)!]];
    return {
      figures: { error: relativeError(result.network, points, truth) },
      result,
      chart: {
        id: "poisson-5d",
        title: "Poisson's equation in five dimensions",
        alt: "The network against the exact solution at 200 random points of the cube; on the dashed line both are equal.",
        x: { label: "u, exact", scale: "linear" },
        y: { label: "u, network", scale: "linear" },
        series: [
          { label: "points", x: shown.map((i) => truth[i]), y: shown.map((i) => u[i]), style: "points", hue: 0 },
          { label: "equal", x: ends, y: ends, style: "dashed", hue: 1 },
        ],
      },
    };
  },
  claim: (runs) => {
    const most = Math.max(...figuresOf(runs, "error"));
    return {
      claim: "Poisson's equation in five dimensions: the field agrees with the solution between the points",
      promised: "relative error at most 1e-3",
      measured: show(most),
      holds: most <= 1e-3,
    };
  },
};

// Example of the experiment "equations": Burgers' equation, forward and with its viscosity unknown.
import { equations } from "../../equations/equations.js";
import type { Field } from "../../equations/field.js";
import { sample } from "../../equations/points.js";
import { Random } from "../../random.js";
import { type ExperimentContext, show } from "../experiment.js";
import { burgersSolution } from "./burgers-solution.js";
import { type Example, evenly, fieldMaps, figuresOf, relativeError, solved } from "./example.js";

const NU = 0.02;
const BOX = { x: [-1, 1], t: [0, 1] } as const;
const FEATURES = ["cos(pi*x)", "sin(pi*x)", "t"];
const RESIDUAL = "u_t + u*u_x - nu*u_xx";

const layersOf = ({ settings: { width } }: ExperimentContext) => [3, width, width, width, 1];

/** A grid between the points of training, with the solution there. */
function checkPoints() {
  const [xs, ts] = [evenly(-0.99, 0.99, 100), evenly(0.03, 0.99, 25)];
  const x = Float64Array.from({ length: 2500 }, (_, i) => xs[i % 100]);
  const t = Float64Array.from({ length: 2500 }, (_, i) => ts[Math.floor(i / 100)]);
  return { points: { x, t }, truth: x.map((value, i) => burgersSolution(value, t[i], NU)) };
}

/** The field at some times as lines, the solution as points. */
function slices(id: string, title: string, field: Field) {
  const x = evenly(-1, 1, 161);
  const marks = evenly(-1, 1, 33);
  const series = [0.25, 0.5, 1].flatMap((time, hue) => {
    const { u } = field.predict({ x, t: new Float64Array(x.length).fill(time) });
    const exact = marks.map((value) => burgersSolution(value, time, NU));
    return [
      { label: `t = ${time}`, x: [...x], y: [...u], hue },
      { label: `t = ${time}, exact`, x: [...marks], y: [...exact], style: "points" as const, hue },
    ];
  });
  return {
    id,
    title,
    alt: "u by x from -1 to 1 at three times: a sine that steepens to a shock at x = 0 and fades. Lines are the network, points the exact solution.",
    x: { label: "x", scale: "linear" as const },
    y: { label: "u", scale: "linear" as const },
    series,
  };
}

/** The equation with its start; the solution is known. */
export const burgers: Example = {
  name: "burgers",
  equation: `u_t + u u_x = ${NU} u_xx, u(x, 0) = -sin(pi x), periodic in x`,
  async run(context, seed) {
    const { samples } = context.settings;
    const problem = await equations(
      {
        inside: { residual: RESIDUAL, points: sample(BOX, samples, { seed }), weight: 0.1 },
        start: { residual: "u + sin(pi*x)", points: sample({ x: [-1, 1], t: 0 }, Math.ceil(samples / 8), { seed }) },
      },
      { features: FEATURES, constants: { nu: NU } },
    );
    const result = await solved(context, problem, layersOf(context), seed, 100);
    const { points, truth } = checkPoints();
    const figures = { error: relativeError(result.network, points, truth) };
    const maps = fieldMaps({
      id: "burgers",
      title: "Burgers' equation",
      field: result.network,
      axes: [
        { label: "x", from: -1, to: 1 },
        { label: "t", from: 0, to: 1 },
      ],
      exact: (x, t) => burgersSolution(x, t, NU),
    });
    return { figures, result, chart: slices("burgers", "Burgers' equation", result.network), maps };
  },
  claim: (runs) => {
    const most = Math.max(...figuresOf(runs, "error"));
    return {
      claim: "Burgers' equation: the field agrees with Cole and Hopf's solution between the points",
      promised: "relative error at most 1e-4",
      measured: show(most),
      holds: most <= 1e-4,
    };
  },
};

/** Values with noise in place of the start, and an unknown viscosity. */
export const viscosity: Example = {
  name: "viscosity",
  equation: "u_t + u u_x = nu u_xx with nu unknown, from 200 values with noise 0.01",
  async run(context, seed) {
    const random = new Random(seed, 31);
    const x = Float64Array.from({ length: 200 }, () => 2 * random.uniform() - 1);
    const t = Float64Array.from({ length: 200 }, () => random.uniform());
    const measured = x.map((value, i) => burgersSolution(value, t[i], NU) + 0.01 * random.normal());
    const problem = await equations(
      {
        inside: { residual: RESIDUAL, points: sample(BOX, context.settings.samples, { seed }) },
        data: { residual: "u - measured", points: { x, t, measured } },
      },
      { features: FEATURES, unknowns: { nu: 0.05 } },
    );
    const result = await solved(context, problem, layersOf(context), seed, 100);
    const { value, standardError } = result.unknowns.nu;
    const figures = { nu: value, standardError: standardError ?? Number.NaN };
    return { figures, result, chart: slices("viscosity", "Burgers' equation from noisy values", result.network) };
  },
  claim: (runs) => {
    const off = runs.map(({ figures: { nu, standardError } }) => Math.abs(nu - NU) / standardError);
    return {
      claim: `The viscosity ${NU} is found from noisy values, with its standard error`,
      promised: "within 3 standard errors",
      measured: `${runs.map(({ figures: { nu, standardError } }) => `${show(nu)} ± ${show(standardError, 2)}`).join(", ")}`,
      holds: off.every((distance) => distance <= 3),
    };
  },
};

// Terms of jet problems from text, for tests of the jet engines and of trainings on equations.
import type { JetChannels, JetProblem, JetTerm, SecondDerivative } from "../../src/equations/jet-problem.js";
import { compile } from "../../src/expression/compile.js";
import { parseExpression } from "../../src/expression/parse.js";
import type { Random } from "../../src/random.js";

export interface TermText {
  readonly name: string;
  /** Names of the network's outputs. */
  readonly outputs: readonly string[];
  /** Names of its inputs, which formulas may use too. */
  readonly coordinates: readonly string[];
  /** The coordinates of the first-derivative channels, in order. */
  readonly firsts?: readonly string[];
  /** Name and products, [i, j, coefficient] over the firsts, of the second-order channels. */
  readonly seconds?: Readonly<Record<string, readonly SecondDerivative[]>>;
  /** Residuals in outputs ("u", "u_x", "u_" and the name of a second-order channel), coordinates, auxiliaries and unknowns. */
  readonly residuals: readonly string[];
  /** m x d. */
  readonly points: Float64Array;
  /** Numbers of each point besides its coordinates, by name: m each. */
  readonly auxiliaries?: Readonly<Record<string, Float64Array>>;
  readonly unknowns?: readonly string[];
  readonly factors?: readonly number[];
}

export async function jetTerm(text: TermText): Promise<JetTerm> {
  const { name, outputs, coordinates, firsts = [], seconds = {}, points, auxiliaries = {}, unknowns = [] } = text;
  const d = coordinates.length;
  const count = points.length / d;
  const channels: JetChannels = { firsts: firsts.length, seconds: Object.values(seconds) };
  const labels = ["", ...[...firsts, ...Object.keys(seconds)].map((label) => `_${label}`)];
  const given = Object.entries(auxiliaries);
  const names = [
    ...outputs.flatMap((output) => labels.map((label) => output + label)),
    ...coordinates,
    ...given.map(([called]) => called),
    ...unknowns,
  ];
  const formulas = await Promise.all(text.residuals.map((formula) => parseExpression(formula, { names }, name)));
  const auxiliaryCount = d + given.length;
  const auxiliary = new Float64Array(count * auxiliaryCount);
  for (let i = 0; i < count; i++) {
    auxiliary.set(points.subarray(i * d, (i + 1) * d), i * auxiliaryCount);
    given.forEach(([, values], k) => {
      auxiliary[i * auxiliaryCount + d + k] = values[i];
    });
  }
  return {
    name,
    channels,
    points: count,
    inputs: coordinateJets(
      points,
      d,
      labels.length,
      firsts.map((one) => coordinates.indexOf(one)),
    ),
    auxiliary,
    auxiliaryCount,
    residual: compile(formulas, names),
    factors: text.factors ?? text.residuals.map(() => 1),
  };
}

/** Jets of the coordinates themselves: value, 1 for the derivative along it, 0. */
function coordinateJets(points: Float64Array, d: number, width: number, firsts: readonly number[]): Float64Array {
  const jets = new Float64Array((points.length / d) * width * d);
  for (let i = 0; i < points.length / d; i++) {
    jets.set(points.subarray(i * d, (i + 1) * d), i * width * d);
    firsts.forEach((k, a) => {
      jets[(i * width + 1 + a) * d + k] = 1;
    });
  }
  return jets;
}

/** Points drawn evenly from the box [from, to]^d. */
export function drawPoints(random: Random, count: number, d: number, from = -1, to = 1): Float64Array {
  return Float64Array.from({ length: count * d }, () => from + (to - from) * random.uniform());
}

/**
 * Two terms of different channels, for networks of two inputs and two outputs. By default 150 and 7 points: more than one block, and one that
 * is not full.
 */
export async function twoTerms(random: Random, inside = 150, edge = 7): Promise<JetProblem> {
  const shared = { outputs: ["u", "v"], coordinates: ["x", "t"], unknowns: ["nu", "k"] };
  const first = await jetTerm({
    ...shared,
    name: "inside",
    firsts: ["x", "t"],
    seconds: {
      xx: [[0, 0, 1]],
      xt: [[0, 1, 1]],
      lap: [
        [0, 0, 1],
        [1, 1, 2],
        [0, 1, -0.5],
      ],
    },
    residuals: ["u_t + u*u_x - nu*u_xx + sin(x)*v_xt", "v_lap - exp(-k*u)*v^3 + u_xt*v_xx"],
    points: drawPoints(random, inside, 2),
    factors: [0.7, 1.3],
  });
  const second = await jetTerm({
    ...shared,
    name: "start",
    firsts: ["t"],
    residuals: ["u - g*nu + v_t*u"],
    points: drawPoints(random, edge, 2),
    auxiliaries: { g: drawPoints(random, edge, 1) },
  });
  return { terms: [first, second], unknownCount: 2 };
}

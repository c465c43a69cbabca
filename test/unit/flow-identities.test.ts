// Identities of the flows, against oracles that share no code with the library: finite differences, QR of an explicit Jacobian, the
// energy balance.
import { describe, expect, it } from "vitest";
import { createEngine } from "../../src/backend/create.js";
import { failed } from "../../src/backend/engine.js";
import { teacherProblem } from "../../src/experiment/problems.js";
import { FlowField } from "../../src/flow/field.js";
import {
  constantDamping,
  type DampingSchedule,
  type Dataset,
  dormandPrince,
  euler,
  flow,
  lossProportionalDamping,
  type Network,
  network,
  spectralDamping,
  squaredError,
} from "../../src/index.js";
import { engineData } from "../../src/run/prepare.js";
import { waves } from "../helpers/problems.js";
import { householderSolve } from "../helpers/qr.js";

const engineOf = async (net: Network, data: Dataset) =>
  createEngine(net.architecture, await engineData(net, data, null, undefined));

/** Relative distance |a - b| / |b|. */
function distance(a: Float64Array, b: Float64Array): number {
  let [top, bottom] = [0, 0];
  a.forEach((value, j) => {
    top += (value - b[j]) ** 2;
    bottom += b[j] ** 2;
  });
  return Math.sqrt(top / bottom);
}

describe("one Euler step", () => {
  it.each([1, 0.03])(
    "with eta = 1 and rho = 0 is the Gauss-Newton step of an independent QR, input scale %f",
    async (scale) => {
      const { network: net, data } = await teacherProblem({
        seed: 3,
        samples: 200,
        width: 5,
        scale,
        alpha: 1e4,
        target: "reachable",
      });
      const result = await flow(net, data, {
        damping: 0,
        until: 1,
        integrator: euler({ step: 1 }),
        standardize: false,
      });
      expect(result.statistics.accepted).toBe(1);
      const step = result.last.parameters.map((value, j) => value - net.parameters[j]);
      const engine = await engineOf(net, data);
      const rows = await engine.jacobian(net.parameters, 0, data.sampleCount);
      const psi = net.predictScaled(data.inputs);
      const residual = psi.map((value, i) => data.targets[i] - value);
      const oracle = householderSolve(
        rows.slice(),
        data.sampleCount,
        net.parameterCount,
        residual.slice(),
      ) as Float64Array;
      // In the predictions both are backward stable, whatever cond(J) is: c n p eps with c = 10.
      const [a, b] = [
        await engine.jacobianProduct(net.parameters, step),
        await engine.jacobianProduct(net.parameters, oracle),
      ];
      expect(distance(a, b)).toBeLessThan(10 * 200 * 25 * Number.EPSILON);
      // In the parameters the condition number of J joins in, 1e2.. at s = 1 and 1e6 at s = 0.03, and the roundings of w + step.
      expect(distance(step, oracle)).toBeLessThan(scale === 1 ? 1e-9 : 1e-4);
      engine.dispose();
    },
  );

  it("of size eta is eta/(1-rho) times the Levenberg-Marquardt step with mu = alpha^2 rho/(1-rho)", async () => {
    const data = waves(30, 2, 2, 1);
    const net = network({ layers: [2, 4, 2], outputScale: 3, seed: 1 });
    const [eta, rho] = [0.25, 0.4];
    const result = await flow(net, data, {
      damping: rho,
      until: eta,
      integrator: euler({ step: eta }),
      standardize: false,
    });
    const engine = await engineOf(net, data);
    const rows = await engine.jacobian(net.parameters, 0, 30);
    const psi = net.predictScaled(data.inputs);
    const p = net.parameterCount;
    // min |J s + r|^2 + mu |s|^2 as least squares.
    const mu = (9 * rho) / (1 - rho);
    const matrix = new Float64Array((60 + p) * p);
    matrix.set(rows);
    const right = new Float64Array(60 + p);
    psi.forEach((value, i) => {
      right[i] = data.targets[i] - value;
    });
    for (let j = 0; j < p; j++) matrix[(60 + j) * p + j] = Math.sqrt(mu);
    const oracle = householderSolve(matrix, 60 + p, p, right) as Float64Array;
    const moved = result.last.parameters.map((value, j) => value - net.parameters[j]);
    const expected = oracle.map((value) => (eta / (1 - rho)) * value);
    expect(distance(moved, expected)).toBeLessThan(1e-11); // cond of the damped system 1e2, n p eps = 4e-13
    engine.dispose();
  });
});

const fields: readonly [string, DampingSchedule, number][] = [
  ["rho = 0", constantDamping(0), 0],
  ["rho = 0.3", constantDamping(0.3), 0],
  ["rho = 1", constantDamping(1), 0],
  ["spectral", spectralDamping(), 0],
  ["loss-proportional", lossProportionalDamping(), 0],
  ["rho = 0.3 with decay", constantDamping(0.3), 0.7],
];

const alpha = 1000;
const problem = { seed: 3, scale: 1, alpha, target: "reachable" } as const;
const cases = [
  { title: "more equations than parameters", ...(await teacherProblem({ ...problem, samples: 60, width: 5 })) },
  {
    title: "more parameters than equations, two outputs",
    data: waves(10, 2, 2, 2, 0.2),
    network: network({ layers: [2, 12, 2], outputScale: alpha, centered: true, seed: 4 }),
  },
];

describe.each(cases)("the right-hand side, $title", ({ network: net, data }) => {
  const over = net.parameterCount > data.sampleCount * data.outputSize;

  it.each(fields)("loses the objective at the rate of the dissipation: %s", async (name, schedule, decay) => {
    if (over && name === "rho = 0")
      return expect(flow(net, data, { damping: 0 })).rejects.toThrow(/singular by construction/);
    const engine = await engineOf(net, data);
    const { signal } = new AbortController();
    const field = new FlowField(engine, { alpha, decay, schedule, route: "auto", relativeTolerance: 1e-6, signal });
    const state = Float64Array.of(...net.parameters, 0);
    const derivative = (await field.evaluate(0, state)) as Float64Array;
    const dissipation = field.last?.dissipation as number;
    expect(derivative[net.parameterCount]).toBe(dissipation);
    expect(dissipation).toBeGreaterThan(0);
    const objectiveAt = async (h: number) => {
      const w = net.parameters.map((value, j) => value + h * derivative[j]);
      const answer = await engine.evaluate(w);
      if (failed(answer)) throw new Error(answer.message);
      return answer.loss + 0.5 * decay * w.reduce((sum, value) => sum + value ** 2, 0);
    };
    const slope = async (h: number) => ((await objectiveAt(h)) - (await objectiveAt(-h))) / (2 * h);
    // Central difference with one Richardson step: error h^4, rounding eps/h. h is a length of w of about 1e-3.
    const h = 1e-3 / Math.hypot(...derivative.subarray(0, net.parameterCount));
    const measured = (4 * (await slope(h)) - (await slope(2 * h))) / 3;
    expect(Math.abs(measured / -dissipation - 1)).toBeLessThan(1e-8);
    engine.dispose();
  });

  // A wide network has no undamped flow.
  const flows = fields.filter(([name]) => !(over && name === "rho = 0"));
  it.each(flows)("and what is dissipated is what the objective has lost: %s", async (name, damping, decay) => {
    const tolerance = 1e-7;
    const integrator = dormandPrince({ relativeTolerance: tolerance, absoluteTolerance: 1e-12 });
    // Gradient flow is stiff: half a unit of time is enough to lose half of the loss.
    const until = name === "rho = 1" ? 0.05 : 2;
    const result = await flow(net, data, {
      damping,
      loss: squaredError({ decay }),
      until,
      standardize: false,
      integrator,
    });
    const [first, last] = [result.records[0], result.records[result.records.length - 1]];
    expect(result.reason.code).toBe("until");
    expect(last.objective).toBeLessThan(0.9 * first.objective);
    for (const { objective, dissipated } of result.records)
      expect(Math.abs(first.objective - objective - dissipated)).toBeLessThan(10 * tolerance * first.objective);
  });
});

// What the monitor measures, against oracles that share no code with it: the explicit Jacobian, an independent QR, power iterations.
import { describe, expect, it } from "vitest";
import { createEngine } from "../../src/backend/create.js";
import { teacherProblem } from "../../src/experiment/problems.js";
import {
  type Dataset,
  dataset,
  flow,
  levenbergMarquardt,
  type MonitorRecord,
  type MonitorReport,
  monitor,
  type Network,
  network,
  train,
} from "../../src/index.js";
import { engineData } from "../../src/run/prepare.js";
import { waves } from "../helpers/problems.js";
import { householderSolve } from "../helpers/qr.js";

// Sums of up to 60 * 80 products of matrices with condition numbers up to 1e5, in double precision: c n p eps cond = 1e-7.
const tolerance = 1e-7;
const raw = { standardize: false } as const;
const close = (value: number | null | undefined, expected: number, what: string, within = tolerance) =>
  expect(Math.abs((value ?? Number.NaN) / expected - 1), `${what}: ${value}, expected ${expected}`).toBeLessThan(
    within,
  );

/** Rows sqrt(s) J of f's Jacobian (without alpha), and the weighted residual, at a network's parameters. */
async function explicit(net: Network, data: Dataset) {
  const engine = createEngine(net.architecture, await engineData(net, data, null, undefined));
  const rows = await engine.jacobian(net.parameters, 0, data.sampleCount);
  engine.dispose();
  const [alpha, c, p] = [net.architecture.outputScale, data.outputSize, net.parameterCount];
  const root = (row: number) => Math.sqrt(data.weights?.[Math.floor(row / c)] ?? 1);
  const psi = net.predictScaled(data.inputs);
  return {
    j: rows.map((value, k) => (root(Math.floor(k / p)) * value) / alpha),
    residual: psi.map((value, i) => root(i) * (value - data.targets[i])),
  };
}

/** A A^T of rows x p, or A^T A. */
function products(a: Float64Array, rows: number, transposed: boolean): Float64Array {
  const p = a.length / rows;
  const n = transposed ? p : rows;
  const out = new Float64Array(n * n);
  for (let r = 0; r < rows; r++)
    for (let q = 0; q < p; q++)
      for (let k = 0; k < n; k++)
        if (transposed) out[q * n + k] += a[r * p + q] * a[r * p + k];
        else out[r * n + k] += a[r * p + q] * a[k * p + q];
  return out;
}

/** Extreme eigenvalues of a symmetric matrix: power iterations with it, and with its inverse by QR. */
function extremes(matrix: Float64Array, n: number): { largest: number; smallest: number } {
  const times = (x: Float64Array) => x.map((_, i) => x.reduce((sum, value, k) => sum + matrix[i * n + k] * value, 0));
  const iterate = (turn: (x: Float64Array) => Float64Array, count: number) => {
    let x: Float64Array = Float64Array.from({ length: n }, (_, i) => Math.sin(i + 1));
    for (let i = 0; i < count; i++) {
      const y = turn(x);
      const length = Math.hypot(...y);
      x = y.map((value) => value / length);
    }
    return times(x).reduce((sum, value, i) => sum + value * x[i], 0);
  };
  const inverse = (x: Float64Array) => householderSolve(matrix.slice(), n, n, x.slice()) as Float64Array;
  return { largest: iterate(times, 400), smallest: iterate(inverse, 60) };
}

const frobenius = (a: Float64Array) => Math.hypot(...a);

describe("of a flow", () => {
  const weighted = async () => {
    const { network: net, data } = await teacherProblem({
      seed: 3,
      samples: 60,
      width: 4,
      scale: 1,
      alpha: 20,
      target: "random",
    });
    const weights = Float64Array.from({ length: 60 }, (_, i) => 1 + (i % 3));
    return { network: net, data: dataset({ inputs: data.inputs, targets: data.targets, inputSize: 3, weights }) };
  };
  it.each([
    [
      "overparameterized",
      () => teacherProblem({ seed: 3, samples: 12, width: 20, scale: 1, alpha: 20, target: "reachable" }),
    ],
    [
      "underparameterized",
      () => teacherProblem({ seed: 3, samples: 60, width: 4, scale: 1, alpha: 20, target: "random" }),
    ],
    ["with sample weights", weighted],
  ])("drift, spectrum, parts and steps, %s", async (_, problem) => {
    const { network: net, data } = await problem();
    const result = await flow(net, data, { ...raw, damping: 0.2, until: 1, monitor: monitor() });
    const { records } = result.monitor as MonitorReport;
    expect(records.map(({ position }) => position)).toEqual(result.records.map(({ time }) => time));
    const [start, end] = [records[0], records.at(-1) as MonitorRecord];
    expect(start).toMatchObject({ position: 0, drift: 0, stepNorm: 0, distance: 0, damping: 0.2, gainRatio: null });
    const [n, p] = [data.sampleCount, net.parameterCount];
    const [before, after] = [await explicit(net, data), await explicit(result.last, data)];
    const [k0, k1] = [products(before.j, n, false), products(after.j, n, false)];
    close(end.drift, frobenius(k1.map((value, i) => value - k0[i])) / frobenius(k0), "drift", 1e-6);
    close(end.distance, Math.hypot(...result.last.parameters.map((w, i) => w - net.parameters[i])), "distance");
    const path = records.reduce((sum, { stepNorm }) => sum + stepNorm, 0);
    expect(path).toBeGreaterThanOrEqual(end.distance * (1 - tolerance));

    const matrix = p <= n ? products(after.j, n, true) : k1;
    const { largest, smallest } = extremes(matrix, Math.min(n, p));
    close(end.spectrum?.largest, largest, "largest eigenvalue");
    close(end.spectrum?.smallest, smallest, "smallest eigenvalue", 1e-5);
    close(end.spectrum?.condition, largest / smallest, "condition", 1e-5);
    const trace = k1.reduce((sum, value, i) => (i % (n + 1) === 0 ? sum + value : sum), 0);
    close(end.spectrum?.effectiveRank, (trace / frobenius(k1)) ** 2, "effective rank");
    expect(end.spectrum?.below).toBe(0);
    close(end.promised, (2 * smallest) / (0.8 * smallest + 0.2), "promised", 1e-5);

    // The tangent part: least squares fit of the residual by J. With more parameters than samples it is all of it.
    const total = Math.hypot(...after.residual);
    if (p <= n) {
      const x = householderSolve(after.j.slice(), n, p, after.residual.slice()) as Float64Array;
      const fitted = after.residual.map((_, i) => x.reduce((sum, value, q) => sum + after.j[i * p + q] * value, 0));
      close(end.tangentNorm, Math.hypot(...fitted), "tangent part");
      close(end.normalNorm, Math.hypot(...after.residual.map((value, i) => value - fitted[i])), "normal part");
    } else {
      close(end.tangentNorm, total, "tangent part");
      // The step is damped by the floor n c eps lambda_max, which takes the share floor/lambda from each direction.
      expect(end.normalNorm).toBeLessThan(1e-4 * total);
    }
    expect(end.dissipation).toBe(result.records.at(-1)?.dissipation);
    close(end.gradientNorm, result.records.at(-1)?.gradientNorm as number, "gradient norm");
  });
});

describe("of a training run", () => {
  it.each([
    ["identity, primal", 3, levenbergMarquardt({ scaling: "identity", initialDamping: 0.3 })],
    // 81 parameters, 40 equations: the default's root scaling is the identity in the dual route.
    ["the default, dual", 20, levenbergMarquardt()],
  ])("dissipation with the damping of the step, at an output scale that is not 1: %s", async (_, width, method) => {
    const data = waves(40, 2, 1, 4, 0.3);
    const net = network({ layers: [2, width, 1], outputScale: 3, seed: 2 });
    const options = { ...raw, method, validation: false, stop: { iterations: 3 }, monitor: monitor() } as const;
    const result = await train(net, data, options);
    const record = result.monitor?.records.at(-1) as MonitorRecord;
    const { j, residual } = await explicit(result.last, data);
    expect(result.plan.route).toBe(width === 20 ? "dual" : "primal");
    const [p, alpha, mu] = [net.parameterCount, 3, record.damping];
    const rho = mu / (alpha ** 2 + mu);
    const h = products(j, 40, true).map((value, k) => (1 - rho) * value + (k % (p + 1) === 0 ? rho : 0));
    const slope = Float64Array.from({ length: p }, (_, q) => residual.reduce((sum, r, i) => sum + j[i * p + q] * r, 0));
    const x = householderSolve(h, p, p, slope.slice()) as Float64Array;
    // (J^T r) . H_rho^-1 (J^T r): -dg/dt along the flow.
    close(
      record.dissipation,
      x.reduce((sum, value, q) => sum + value * slope[q], 0),
      "dissipation",
    );
    expect(record.plRatio).toBeGreaterThan(0);
  });

  it("the relative offset of Bates and Watts, from an explicit projection", async () => {
    const data = waves(50, 2, 1, 4, 0.3);
    const net = network({ layers: [2, 3, 1], seed: 2 });
    const result = await train(net, data, { ...raw, validation: false, stop: { iterations: 8 }, monitor: monitor() });
    const { j, residual } = await explicit(result.last, data);
    const p = net.parameterCount;
    const x = householderSolve(j.slice(), 50, p, residual.slice()) as Float64Array;
    const fitted = residual.map((_, i) => x.reduce((sum, value, q) => sum + j[i * p + q] * value, 0));
    const normal = Math.hypot(...residual.map((value, i) => value - fitted[i]));
    const offset = Math.hypot(...fitted) / Math.sqrt(p) / (normal / Math.sqrt(50 - p));
    const told = Number(result.monitor?.converged.message.match(/relative offset ([\d.e+-]+),/)?.[1]);
    close(told, offset, "offset", 1e-2); // three digits are shown
  });
});

// Uncertainty of models without a hidden layer against the closed forms of linear regression, on both engines.
import { describe, expect, it } from "vitest";
import { type Network, network, Random, squaredError, train } from "../../src/index.js";
import { studentQuantile } from "../../src/student-quantile.js";
import { eliminate } from "../helpers/dense.js";

const random = new Random(3);
const [n, d, c] = [40, 3, 2];
const inputs = Array.from({ length: n }, () => Array.from({ length: d }, () => random.normal()));
const weights = Float64Array.from({ length: n }, () => 0.5 + random.uniform());
const targets = inputs.map(([a = 0, b = 0, e = 0], i) => [
  1 + 2 * a - b + (0.3 * random.normal()) / Math.sqrt(weights[i]!),
  e + (0.1 * random.normal()) / Math.sqrt(weights[i]!),
]);
const fresh = Array.from({ length: 7 }, () => Array.from({ length: d }, () => 2 * random.normal()));

/** Rows (1, z) in the units of training, whose order the columns of X do not matter to. */
function design(net: Network, rows: number[][]): number[][] {
  const { offset, scale } = net.scaling!.inputs;
  return rows.map((row) => [1, ...row.map((x, j) => (x - offset[j]!) / scale[j]!)]);
}

/** Weighted ridge regression by Gaussian elimination: hat values, coefficients' covariance forms and residuals in raw units. */
function regression(net: Network, decay: number, rows = inputs, values = targets, given = weights) {
  const x = design(net, rows);
  const q = d + 1;
  const a = new Float64Array(q * q);
  for (const [i, row] of x.entries())
    for (let j = 0; j < q; j++) for (let k = 0; k < q; k++) a[j * q + k]! += given[i]! * row[j]! * row[k]!;
  for (let j = 0; j < q; j++) a[j * q + j]! += decay;
  const { offset, scale } = net.scaling!.targets;
  const coefficients = Array.from({ length: c }, (_, t) => {
    const right = new Float64Array(q);
    for (const [i, row] of x.entries())
      for (let j = 0; j < q; j++) right[j]! += (given[i]! * row[j]! * (values[i]![t]! - offset[t]!)) / scale[t]!;
    return eliminate(a.slice(), right, q);
  });
  const predict = (row: number[], t: number) =>
    offset[t]! + scale[t]! * row.reduce((sum, one, j) => sum + one * coefficients[t]![j]!, 0);
  const form = (row: number[]) => {
    const solved = eliminate(a.slice(), Float64Array.from(row), q);
    return row.reduce((sum, one, j) => sum + one * solved[j]!, 0);
  };
  return { x, predict, form };
}

// Both routes and rounding of a regression whose condition number is below 100: 1e3 * n * eps relative to numbers of size 1.
const CLOSE = 1e-11;

describe.each(["typescript", "native"] as const)("linear models on the %s engine", (backend) => {
  describe.each([0, 3])("with decay %d", (decay) => {
    const trained = train(
      network({ layers: [d, c], seed: 1 }),
      { inputs, targets, weights },
      {
        backend,
        uncertainty: true,
        validation: false,
        loss: squaredError({ decay }),
        stop: { reduction: 0, step: 0, gradient: 1e-15 },
      },
    );

    it("have the noise, degrees and effective parameters of weighted least squares", async () => {
      const { network: net, uncertainty } = await trained;
      const { x, predict, form } = regression(net, decay);
      const hat = x.map((row, i) => weights[i]! * form(row));
      const gamma = hat.reduce((sum, one) => sum + one, 0);
      expect(Math.abs(uncertainty!.effectiveParameters - c * gamma)).toBeLessThan(CLOSE);
      for (let t = 0; t < c; t++) {
        const squares = x.reduce((sum, row, i) => sum + weights[i]! * (targets[i]![t]! - predict(row, t)) ** 2, 0);
        expect(Math.abs(uncertainty!.degreesOfFreedom![t]! - (n - gamma))).toBeLessThan(CLOSE);
        expect(Math.abs(uncertainty!.noise![t]! - Math.sqrt(squares / (n - gamma)))).toBeLessThan(CLOSE);
        for (const [i, one] of hat.entries())
          expect(Math.abs(uncertainty!.rows!.leverage[i * c + t]! - one)).toBeLessThan(CLOSE);
      }
      expect(uncertainty!.samples).toBe(n);
      expect(uncertainty!.spectrum.determined).toBe(decay === 0 ? c * (d + 1) : uncertainty!.spectrum.determined);
    });

    it("have leave-one-out residuals that equal those of refits", async () => {
      const { network: net, uncertainty } = await trained;
      const { rows } = uncertainty!;
      for (const i of [0, 17, n - 1]) {
        const others = <T>(list: ArrayLike<T>) => Array.from(list).filter((_, k) => k !== i);
        const { predict } = regression(net, decay, others(inputs), others(targets), Float64Array.from(others(weights)));
        const [row] = design(net, [inputs[i]!]);
        for (let t = 0; t < c; t++)
          expect(Math.abs(rows!.leaveOneOut![i * c + t]! - (targets[i]![t]! - predict(row!, t)))).toBeLessThan(1e-10);
      }
    });

    it("predict with the intervals of the textbook", async () => {
      const { network: net, uncertainty } = await trained;
      const { form, predict } = regression(net, decay);
      const { noise, degreesOfFreedom } = uncertainty!;
      const got = await uncertainty!.predict(fresh, { intervals: 0.95, backend });
      for (const [i, row] of design(net, fresh).entries())
        for (let t = 0; t < c; t++) {
          const at = i * c + t;
          const error = noise![t]! * Math.sqrt(form(row));
          const quantile = studentQuantile(0.975, degreesOfFreedom![t]!);
          // As close as the training came to the minimum.
          expect(Math.abs(got.mean[at]! - predict(row, t))).toBeLessThan(1e-9);
          expect(Math.abs(got.standardError[at]! - error)).toBeLessThan(CLOSE);
          expect(Math.abs(got.meanUpper[at]! - got.mean[at]! - quantile * error)).toBeLessThan(CLOSE);
          expect(Math.abs(got.mean[at]! - got.meanLower[at]! - quantile * error)).toBeLessThan(CLOSE);
          const half = quantile * Math.hypot(noise![t]!, error);
          expect(Math.abs(got.upper[at]! - got.mean[at]! - half)).toBeLessThan(CLOSE);
          expect(Math.abs(got.mean[at]! - got.lower[at]! - half)).toBeLessThan(CLOSE);
        }
    });
  });
});

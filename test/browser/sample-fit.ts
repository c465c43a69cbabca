// A fit for the tests of reports, from closed forms: Michaelis-Menten kinetics on Bates and Watts' Puromycin data (treated).
import { profileParameter } from "../../src/fit/profile.js";
import { fitStatistics } from "../../src/fit/statistics.js";
import type { ReportedFit } from "../../src/report/fit-report.js";

const X = [0.02, 0.02, 0.06, 0.06, 0.11, 0.11, 0.22, 0.22, 0.56, 0.56, 1.1, 1.1];
const Y = [76, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200];
const NAMES = ["V", "K"];
const [V, K] = [212.683743086161, 0.0641212815943];

const shape = (k: number) => (x: number) => x / (k + x);
const squares = (v: number, k: number) => X.reduce((sum, x, i) => sum + (v * shape(k)(x) - Y[i]!) ** 2, 0);
const gradient = (x: number) => [shape(K)(x), (-V * x) / (K + x) ** 2] as const;

/** Best V of a K: linear. */
function bestV(k: number): number {
  const [top, bottom] = X.reduce(([a, b], x, i) => [a + shape(k)(x) * Y[i]!, b + shape(k)(x) ** 2], [0, 0]);
  return top / bottom;
}

/** Best K of a V, by halving the bracket of the slope's sign. */
function bestK(v: number): number {
  let [low, high] = [1e-4, 1];
  for (let k = 0; k < 60; k++) {
    const middle = (low + high) / 2;
    if (squares(v, middle * (1 + 1e-7)) > squares(v, middle * (1 - 1e-7))) high = middle;
    else low = middle;
  }
  return low;
}

/** The fit, with profiles of both parameters. */
export async function sampleFit(): Promise<ReportedFit> {
  const estimates = Float64Array.of(V, K);
  const residuals = Float64Array.from(X, (x, i) => V * shape(K)(x) - Y[i]!);
  const statistics = fitStatistics(
    {
      names: NAMES,
      estimates,
      states: ["free", "free"],
      jacobian: Float64Array.from(X.flatMap(gradient)),
      residuals,
      weights: null,
      observations: Float64Array.from(Y),
      absoluteSigma: false,
      robust: null,
    },
    0.95,
  );
  const profiles = await Promise.all(
    NAMES.map((name, index) =>
      profileParameter({
        index,
        name,
        estimates,
        standardError: statistics.standardErrors[index]!,
        sumOfSquares: statistics.sumOfSquares,
        variance: statistics.residualDeviation! ** 2,
        level: statistics.level,
        quantile: statistics.quantile,
        bounds: [-Infinity, Infinity],
        curvePoints: 6,
        refit: async (held, value) => {
          const [v, k] = held === 0 ? [value, bestK(value)] : [bestV(value), value];
          return { sumOfSquares: squares(v, k), estimates: Float64Array.of(v, k) };
        },
      }),
    ),
  );
  const x = Float64Array.from({ length: 101 }, (_, k) => 0.005 + (1.2 * k) / 100);
  const fitted = x.map((at) => V * shape(K)(at));
  const { covariance: c, quantile, residualDeviation } = statistics;
  const deviation = x.map((at) => {
    const [a, b] = gradient(at);
    return Math.sqrt(a * a * c[0]! + 2 * a * b * c[1]! + b * b * c[3]!);
  });
  const ends = (direction: number, width: (k: number) => number) =>
    fitted.map((y, k) => y + direction * quantile * width(k));
  const wide = (k: number) => Math.hypot(deviation[k]!, residualDeviation!);
  return {
    formula: "rate = V * conc / (K + conc)",
    names: NAMES,
    estimates,
    statistics,
    reason: { message: "the step was below the tolerance" },
    converged: true,
    rows: {
      target: "rate",
      observed: Float64Array.from(Y),
      fitted: Float64Array.from(X, (at) => V * shape(K)(at)),
      standardized: residuals.map((r) => -r / residualDeviation!),
      x: { name: "conc", values: Float64Array.from(X) },
    },
    curve: {
      variable: "conc",
      x,
      fitted,
      lower: ends(-1, (k) => deviation[k]!),
      upper: ends(1, (k) => deviation[k]!),
      observation: { lower: ends(-1, wide), upper: ends(1, wide) },
    },
    profiles,
  };
}

// Both engines must integrate the same flow: every number of its records, its reason, its monitor.
import { describe, expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import { type ProblemOptions, teacherProblem } from "../../src/experiment/problems.js";
import {
  dormandPrince,
  type FlowOptions,
  type FlowRecord,
  flow,
  type Integrator,
  lossProportionalDamping,
  type MonitorRecord,
  type MonitorReport,
  monitor,
  spectralDamping,
  tsitouras,
} from "../../src/index.js";

type Case = Omit<ProblemOptions, "target"> & {
  readonly target?: ProblemOptions["target"];
  readonly options: FlowOptions;
};

const under = { seed: 3, samples: 60, width: 4, scale: 1, alpha: 1000 };
const over = { seed: 3, samples: 15, width: 20, scale: 1, alpha: 100 };
const cases: readonly [string, Case][] = [
  ["Gauss-Newton by Cholesky", { ...under, options: { damping: 0 } }],
  ["Gauss-Newton by QR", { ...under, scale: 0.03, options: { damping: 0 } }],
  [
    "Gauss-Newton, target off the manifold",
    { ...under, target: "random", options: { damping: 0, integrator: tsitouras() } },
  ],
  ["Levenberg-Marquardt, dual", { ...over, options: { damping: spectralDamping() } }],
  ["Levenberg-Marquardt, primal", { ...under, options: { damping: spectralDamping({ c: 2 }) } }],
  ["loss-proportional", { ...over, target: "weakest", options: { damping: lossProportionalDamping() } }],
  ["gradient flow", { ...over, options: { damping: 1, until: 0.1 } }],
];

// Solves may be wrong by a hundredth of the integrator's tolerance 1e-6 before the orthogonal route takes over: 1e-8 a stage, and a
// few stages' worth of it gathers over 25 steps. Everything else is c n p eps = 1e-12.
const tolerance = 1e-7;

/** Largest relative difference of the numbers both records hold. */
function apart<T extends object>(a: T, b: T, names: readonly (keyof T)[]): number {
  let most = 0;
  for (const name of names) {
    const [x, y] = [a[name], b[name]] as [number | null, number | null];
    if (x === null || y === null) expect(x, String(name)).toBe(y);
    else if (x !== y) most = Math.max(most, Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y)));
  }
  return most;
}

describe.skipIf(!loadNative().ok)("native and reference engine integrate the same", () => {
  const both = async ({ options, target = "reachable", ...problem }: Case, integrator: Integrator) => {
    const results = [];
    for (const backend of ["native", "typescript"] as const) {
      const { network, data } = await teacherProblem({ ...problem, target });
      const common = { until: 2, ...options, integrator, standardize: false, backend };
      results.push(await flow(network, data, { ...common, monitor: monitor() }));
    }
    expect(results.map(({ engine }) => engine)).toEqual(["native", "reference"]);
    return results;
  };

  it.each(cases)("every number at fixed steps: %s", async (_, problem) => {
    const [a, b] = await both(problem, dormandPrince({ step: (problem.options.until ?? 2) / 25 }));
    expect(a.reason).toEqual(b.reason);
    expect(a.statistics).toEqual(b.statistics);
    expect(a.switched === null).toBe(b.switched === null);
    const names: (keyof FlowRecord)[] = [
      "time",
      "loss",
      "objective",
      "gradientNorm",
      "dissipation",
      "dissipated",
      "damping",
      "distance",
    ];
    a.records.forEach((record, k) => {
      expect(apart(record, b.records[k], names), `record ${k}`).toBeLessThan(tolerance);
      expect(record.route).toBe(b.records[k].route);
      expect(record.rank).toBe(b.records[k].rank);
      expect(record.eigenvaluesBelowFloor).toBe(b.records[k].eigenvaluesBelowFloor);
    });
    const [m, r] = [a.monitor as MonitorReport, b.monitor as MonitorReport];
    expect(m.verdict.code).toBe(r.verdict.code);
    expect(m.converged.holds).toBe(r.converged.holds);
    expect(m.optimum?.estimated).toBe(r.optimum?.estimated);
    const seen: (keyof MonitorRecord)[] = [
      "position",
      "objective",
      "dissipation",
      "tangentNorm",
      "distance",
      "promised",
    ];
    m.records.forEach((record, k) => {
      expect(apart(record, r.records[k], seen), `monitor ${k}`).toBeLessThan(tolerance);
      // A difference of kernels that agree to eps each.
      expect(Math.abs((record.drift as number) - (r.records[k].drift as number))).toBeLessThan(tolerance);
      if (record.spectrum !== null && r.records[k].spectrum !== null)
        expect(apart(record.spectrum, r.records[k].spectrum, ["largest", "effectiveRank"])).toBeLessThan(tolerance);
      expect(record.spectrum?.below).toBe(r.records[k].spectrum?.below);
    });
    expect(Math.abs((m.rate?.measured ?? 0) - (r.rate?.measured ?? 0))).toBeLessThan(10 * tolerance);
  });

  it.each(cases)("as many steps where the error chooses them: %s", async (_, problem) => {
    const [a, b] = await both(problem, tsitouras());
    expect(a.reason).toEqual(b.reason);
    // An error estimate is a difference of nearly equal stages: rounding may push one of many across its limit.
    expect(Math.abs(a.statistics.accepted - b.statistics.accepted)).toBeLessThanOrEqual(1);
    // Each is within some tolerances of the true flow.
    const [x, y] = [a, b].map(({ records }) => records.at(-1)?.objective as number);
    expect(Math.abs(x - y)).toBeLessThan(1e-4 * Math.max(x, y));
    expect(a.monitor?.verdict.code).toBe(b.monitor?.verdict.code);
  });

  it("and die of the same singular J at the same time", async () => {
    const times = [];
    for (const backend of ["native", "typescript"] as const) {
      const { network, data } = await teacherProblem({
        seed: 2,
        samples: 200,
        width: 5,
        scale: 0.1,
        alpha: 1,
        target: "reachable",
      });
      const { reason, time } = await flow(network, data, { damping: 0, standardize: false, backend });
      expect(reason.code).toBe("singular-jacobian");
      times.push(time);
    }
    // The last steps shrink toward the singularity: its time is met to a few per cent by either.
    expect(Math.abs(times[0] / times[1] - 1)).toBeLessThan(0.05);
  });
});

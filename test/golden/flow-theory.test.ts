// The numbers that the theory promises (docs/theory.md), on the teacher problems of 3 inputs: 5 units and
// 200 samples without damping, 200 units and 40 samples with it.
import { describe, expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import { startSpectrum } from "../../src/experiment/conditioning.js";
import { boundExcess, slopeOn } from "../../src/experiment/experiment.js";
import { type TargetKind, teacherProblem } from "../../src/experiment/problems.js";
import {
  constantDamping,
  type DampingSchedule,
  dormandPrince,
  type FlowResult,
  flow,
  lossBelow,
  lossProportionalDamping,
  spectralDamping,
} from "../../src/index.js";

const seeds = (count: number) => Array.from({ length: count }, (_, k) => k + 1);
const inputScales = [1, 0.3, 0.1, 0.03];
const context = { settings: { seed: 1, seeds: 1, samples: 200, width: 5 }, progress: () => {} };
const integrator = dormandPrince({ relativeTolerance: 1e-6 });

describe.skipIf(!loadNative().ok)("Gauss-Newton flow, d = 3, 5 tanh units, n = 200, centered", () => {
  const run = async (alpha: number, scale: number, seed: number) => {
    const { network, data } = await teacherProblem({ seed, samples: 200, width: 5, scale, alpha, target: "reachable" });
    return flow(network, data, { damping: 0, until: 5, standardize: false, integrator });
  };

  it("falls at rate 2 for every conditioning, in as many steps: 40 runs at alpha = 1e4", async () => {
    const runs: FlowResult[] = [];
    for (const scale of inputScales) for (const seed of seeds(10)) runs.push(await run(1e4, scale, seed));
    const steps = runs.map(({ statistics }) => statistics.accepted);
    for (const { records, reason } of runs) {
      expect(reason.code).toBe("until");
      expect(Math.abs(slopeOn(records, 1, 5) + 2)).toBeLessThanOrEqual(1e-3);
    }
    expect(Math.max(...steps)).toBeLessThanOrEqual(1.1 * Math.min(...steps));
    // Cholesky of J^T J would not do: where its condition estimate says so the orthogonal route takes over, and the result shows it.
    expect(runs.slice(-10).every(({ switched }) => switched !== null)).toBe(true);
    expect(runs.slice(0, 10).every(({ switched }) => switched === null)).toBe(true);
  });

  it("at alpha = 100 keeps the rate or ends with a singular J: 20 seeds at the worst conditioning", async () => {
    let singular = 0;
    for (const seed of seeds(20)) {
      const { reason, records, time, network } = await run(100, 0.03, seed);
      if (reason.code === "singular-jacobian") {
        singular++;
        expect(reason.message).toMatch(/at t = [\d.e-]+: sigma_min = [\d.e-]+/);
        expect(time).toBeLessThan(5);
        expect(network.parameters.every(Number.isFinite)).toBe(true);
      } else {
        expect(reason.code).toBe("until");
        expect(Math.abs(slopeOn(records, 1, 5) + 2)).toBeLessThanOrEqual(0.05);
      }
    }
    // Seed 12 dies at t = 0.29.
    expect(singular).toBeGreaterThanOrEqual(1);
  });

  it("dies before t = 1 at alpha = 1, s = 0.1, and says so", async () => {
    for (const seed of seeds(3)) {
      const { reason, time } = await run(1, 0.1, seed);
      expect(reason.code).toBe("singular-jacobian");
      expect(time).toBeLessThan(1);
    }
  });

  it("gradient flow beside it: steps set by lambda_max, slope between -1 and 0", async () => {
    for (const scale of [1, 0.03]) {
      const problem = await teacherProblem({ seed: 1, samples: 200, width: 5, scale, alpha: 1e4, target: "reachable" });
      const result = await flow(problem.network, problem.data, {
        damping: 1,
        until: 5,
        standardize: false,
        integrator,
      });
      const { largest } = await startSpectrum(problem, context);
      // 3.3: where the stability region of Dormand-Prince ends on the negative real axis.
      const share = result.statistics.accepted / ((largest * 5) / 3.3);
      expect(Math.abs(share - 1)).toBeLessThanOrEqual(0.15);
      expect(slopeOn(result.records, 1, 5)).toBeGreaterThan(-1);
      expect(slopeOn(result.records, 1, 5)).toBeLessThan(0);
      expect(result.stiffness).toMatch(/looks stiff/);
    }
  });

  it("gradient flow's time to 1e-8 of the loss grows with the conditioning; Gauss-Newton's is log(1e8)/2", async () => {
    const timeTo = async (scale: number, damping: number, until: number) => {
      const { network, data } = await teacherProblem({
        seed: 1,
        samples: 200,
        width: 5,
        scale,
        alpha: 1e4,
        target: "reachable",
      });
      const start = data.targets.reduce((sum, value) => sum + value ** 2, 0) / data.sampleCount;
      const events = [lossBelow(1e-8 * start)];
      const { reason, time } = await flow(network, data, { damping, until, standardize: false, integrator, events });
      return reason.code === "event" ? time : Number.POSITIVE_INFINITY;
    };
    const problem = await teacherProblem({
      seed: 1,
      samples: 200,
      width: 5,
      scale: 1,
      alpha: 1e4,
      target: "reachable",
    });
    // What the spectrum at the start says for a kernel that does not move: 22.65.
    const { timeTo: predicted } = await startSpectrum(problem, context);
    expect(Math.abs((await timeTo(1, 1, 30)) / predicted(1e-8) - 1)).toBeLessThanOrEqual(0.01);
    expect(await timeTo(0.3, 1, 30)).toBe(Number.POSITIVE_INFINITY);
    for (const scale of inputScales) expect(await timeTo(scale, 0, 10)).toBeCloseTo(Math.log(1e8) / 2, 2);
  });
});

describe.skipIf(!loadNative().ok)("Levenberg-Marquardt flow, n = 40, 200 tanh units, alpha = 100", () => {
  const run = async (damping: DampingSchedule, scale: number, seed: number, target: TargetKind) => {
    const { network, data } = await teacherProblem({ seed, samples: 40, width: 200, scale, alpha: 100, target });
    return flow(network, data, { damping, until: 5, standardize: false, integrator });
  };
  const lambdas = ({ records }: FlowResult) => records.map(({ smallestEigenvalue }) => smallestEigenvalue as number);

  it.each(["reachable", "weakest"] as const)(
    "spectral damping keeps exp(-int (1+lambda) dt) at every step, target %s, 15 runs",
    async (target) => {
      for (const scale of [1, 0.3, 0.1])
        for (const seed of seeds(5)) {
          const result = await run(spectralDamping(), scale, seed, target);
          expect(result.reason.code).toBe("until");
          expect(boundExcess(result.records, lambdas(result))).toBeLessThanOrEqual(0.01);
        }
    },
  );

  it("on the weakest eigenvector at s = 1 the rate is 1 + lambda", async () => {
    for (const seed of seeds(5)) {
      const result = await run(spectralDamping(), 1, seed, "weakest");
      const all = lambdas(result);
      const rate = 1 + all.reduce((sum, value) => sum + value, 0) / all.length;
      expect(Math.abs(slopeOn(result.records, 0, 5) / -rate - 1)).toBeLessThanOrEqual(0.01);
    }
  });

  it.each([
    ["rho = 0.1", constantDamping(0.1)],
    ["loss-proportional", lossProportionalDamping()],
  ])("%s is seen to break the bound on the weakest eigenvector", async (_, damping) => {
    for (const scale of [0.3, 0.1])
      for (const seed of seeds(3)) {
        const promised = lambdas(await run(spectralDamping(), scale, seed, "weakest"));
        const result = await run(damping, scale, seed, "weakest");
        // lambda hardly moves: its least value bounds the promise from below.
        const least = Math.min(...promised);
        expect(
          boundExcess(
            result.records,
            result.records.map(() => least),
          ),
        ).toBeGreaterThan(1);
      }
  });
});

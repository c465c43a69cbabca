// Experiment 1 asks whether the rate of the Gauss-Newton flow depends on the conditioning of J: it integrates three flows for input scales
// from 1 to 0.03 and states its claims. experiments.ts runs it for gaussflow experiment conditioning.

import { dot } from "../algebra/vectors.js";
import { createEngine } from "../backend/create.js";
import { failed } from "../backend/engine.js";
import type { Chart } from "../document.js";
import { GaussflowError } from "../errors.js";
import { spectralDamping } from "../flow/damping-schedule.js";
import type { FlowResult } from "../flow/flow.js";
import { engineData } from "../run/prepare.js";
import { jacobianRank } from "../spectrum/jacobian-rank.js";
import {
  boundExcess,
  type Experiment,
  type ExperimentContext,
  experimentFlow,
  lossCurve,
  median,
  promisedCurve,
  range,
  relativeAt,
  runLine,
  seedsOf,
  show,
  slopeOn,
  within,
} from "./experiment.js";
import { type Problem, teacherProblem } from "./problems.js";

/** Input scales; columns of the inputs are scaled by (1, s, s^2). */
export const inputScales = [1, 0.3, 0.1, 0.03] as const;
const alpha = 1e4;
const smallAlpha = 100;
const until = 10;
/** Gradient flow is ahead here. */
const early = 0.1;
/** Gradient flow takes lambda_max t/3.3 steps: fewer seeds. */
const gradientSeeds = 3;

/**
 * Squared condition number of J at the start, extreme eigenvalues of K, and the time that gradient flow takes to a share of the loss
 * if the kernel does not move: g(t) = 1/2 sum_k c_k^2 exp(-2 lambda_k t), c_k the residual along eigenvector k.
 */
export async function startSpectrum({ network, data }: Problem, context: ExperimentContext) {
  const { backend, threads } = context;
  const { architecture, parameters } = network;
  const prepared = await engineData(network, data, null, context.signal);
  const engine = createEngine(architecture, prepared, { backend, threads });
  try {
    const rank = await jacobianRank(engine, parameters, architecture.outputScale, context.signal);
    if (rank === null) throw new GaussflowError("GAUSSFLOW_INTERNAL", "the teacher's Jacobian is not finite");
    const scale = architecture.outputScale ** 2;
    const request = { curvature: "orthogonal", decay: 0, scaling: null } as const;
    const point = await engine.linearize(parameters, request, context.signal);
    const { values, vectors } = await engine.eigen(true, context.signal);
    if (failed(point) || vectors === null) throw new GaussflowError("GAUSSFLOW_INTERNAL", "no spectrum");
    const p = values.length;
    // J^T r = sum_k sqrt(lambda_k) c_k v_k.
    const shares = Array.from(
      values,
      (value, k) => dot(vectors.subarray(k * p, (k + 1) * p), point.gradient) ** 2 / value,
    );
    const whole = shares.reduce((sum, share) => sum + share, 0);
    const lossAt = (time: number) =>
      shares.reduce((sum, share, k) => sum + share * Math.exp((-2 * values[k] * time) / scale), 0) / whole;
    return {
      largest: rank.largest ** 2,
      smallest: rank.smallest ** 2,
      condition: (rank.largest / rank.smallest) ** 2,
      timeTo: (share: number) => rootOf((time) => lossAt(time) - share),
    };
  } finally {
    engine.dispose();
  }
}

/** Root of a falling function of a positive time. */
function rootOf(value: (time: number) => number): number {
  let [low, high] = [0, 1];
  while (value(high) > 0 && high < 1e12) [low, high] = [high, 2 * high];
  for (let i = 0; i < 60; i++) {
    const middle = 0.5 * (low + high);
    if (value(middle) > 0) low = middle;
    else high = middle;
  }
  return high;
}

export const conditioning: Experiment = {
  name: "conditioning",
  title: "The rate of the Gauss-Newton flow does not depend on conditioning",
  about: "theory",
  defaults: { seed: 1, seeds: 10, samples: 200, width: 5 },
  regime: "under",
  run: async (context) => {
    const { settings } = context;
    const { samples, width } = settings;
    const seeds = seedsOf(settings);
    const runs: Record<string, unknown>[] = [];
    const charts: Chart[] = [];
    const gauss: { result: FlowResult; slope: number }[] = [];
    const gradient: { slope: number; early: number; late: number; gaussEarly: number; gaussLate: number }[] = [];
    const conditions: number[] = [];
    const damped: { slope: number; excess: number }[] = [];
    for (const scale of inputScales) {
      const series: Chart["series"][number][] = [];
      for (const seed of seeds) {
        context.progress(`input scale ${scale}, seed ${seed}`);
        const problem = await teacherProblem({ seed, samples, width, scale, alpha, target: "reachable" });
        const { largest, smallest, condition } = await startSpectrum(problem, context);
        conditions.push(condition);
        const asked = { experiment: "conditioning", inputScale: scale, outputScale: alpha, seed, condition };
        const gn = await experimentFlow(context, problem, { damping: 0, until });
        gauss.push({ result: gn, slope: slopeOn(gn.records, 1, 5) });
        runs.push({ ...runLine({ ...asked, flow: "gauss-newton" }, gn), slope: slopeOn(gn.records, 1, 5) });
        if (gradientSeeds <= seed - settings.seed) continue;
        const lm = await experimentFlow(context, problem, { damping: spectralDamping(), until });
        const lambda = lm.records.map(({ smallestEigenvalue }) => smallestEigenvalue ?? 0);
        damped.push({
          slope: slopeOn(lm.records, 1, 5),
          excess: boundExcess(lm.records, lambda),
        });
        runs.push({ ...runLine({ ...asked, flow: "levenberg-marquardt" }, lm), slope: slopeOn(lm.records, 1, 5) });
        const gf = await experimentFlow(context, problem, { damping: 1, until });
        gradient.push({
          slope: slopeOn(gf.records, 1, 5),
          early: relativeAt(gf.records, early),
          late: relativeAt(gf.records, until),
          gaussEarly: relativeAt(gn.records, early),
          gaussLate: relativeAt(gn.records, until),
        });
        runs.push({
          ...runLine({ ...asked, flow: "gradient", largestEigenvalue: largest }, gf),
          slope: slopeOn(gf.records, 1, 5),
        });
        if (seed !== settings.seed) continue;
        series.push(
          { label: "Gauss-Newton flow", ...lossCurve(gn.records), hue: 0 },
          { label: "promised exp(-2t)", ...promisedCurve(2, until), style: "dashed", hue: 0 },
          { label: "Levenberg-Marquardt flow", ...lossCurve(lm.records), hue: 1 },
          { label: "upper bound exp(-(1+λ)t)", ...promisedCurve(1 + smallest, until), style: "dashed", hue: 1 },
          { label: "gradient flow", ...lossCurve(gf.records), hue: 2 },
          { label: "upper bound exp(-2λt)", ...promisedCurve(2 * smallest, until), style: "dashed", hue: 2 },
        );
        charts.push({
          id: `loss-${String(scale).replace(".", "")}`,
          title: `Loss over time, input scale ${scale}`,
          alt: `Log of the relative loss against time for input scale ${scale}, condition number of the Gram matrix ${show(condition, 2)}. The Gauss-Newton flow falls on the straight line exp(-2t) to ${show(relativeAt(gn.records, until), 2)} at time ${until}; the Levenberg-Marquardt flow reaches ${show(relativeAt(lm.records, until), 2)}; gradient flow drops at first and then stalls at ${show(relativeAt(gf.records, until), 2)}.`,
          x: { label: "time t", scale: "linear" },
          y: { label: "g(t)/g(0)", scale: "log" },
          series,
        });
      }
    }
    const finished = gauss.filter(({ result }) => result.reason.code === "until");
    const slopes = finished.map(({ slope }) => slope);
    const steps = finished.map(({ result }) => result.statistics.accepted);
    const small = await smallScale(context, seeds, runs);
    const worst = Math.max(...slopes.map((slope) => Math.abs(slope + 2)));
    const ratio = median(gradient.map(({ late, gaussLate }) => late / gaussLate));
    return {
      purpose: `One hidden layer of ${width} tanh units on ${samples} samples, ${seeds.length} seeds for each of four input scales, output scale ${alpha}, a reachable target. Gauss-Newton flow is the Riemannian gradient flow of the loss on the manifold of predictions: its rate is 2 for the loss, whatever the eigenvalues of the Gram matrix are. Gradient flow has twice the smallest eigenvalue. Dashed lines are promises: exp(-2t) is the rate itself, the others are upper bounds from the slowest mode, and the loss may lie far below them.`,
      claims: [
        {
          claim: "Gauss-Newton flow: the slope of the log loss over t in [1, 5] is -2 for every conditioning",
          promised: "-2.000 ± 0.001 in all runs",
          measured: `${range(slopes, 6)} in ${finished.length} of ${gauss.length} runs, condition numbers ${range(conditions, 2)}`,
          holds: finished.length > 0 && finished.length === gauss.length && worst <= 1e-3,
        },
        {
          claim: "It takes as many time steps for every conditioning",
          promised: "accepted steps vary by at most 10%",
          measured: `${range(steps)} accepted steps to t = ${until}`,
          holds: within(1.1, steps),
        },
        {
          claim: "Levenberg-Marquardt flow with spectral damping keeps exp(-∫(1+λ)dt)",
          promised: "log g/g(0) + ∫(1+λ)dt ≤ 0.01 at every accepted step",
          measured: `largest ${show(Math.max(...damped.map(({ excess }) => excess)))}; slopes ${range(damped.map(({ slope }) => slope))}`,
          holds: damped.every(({ excess }) => excess <= 0.01),
        },
        {
          claim: "Gradient flow falls fast at first and then stalls",
          promised:
            "slope on [1, 5] flatter than -1; loss at t = 10 above Gauss-Newton's, 1,000 times it in the median",
          measured: `losses at t = ${early} ${range(
            gradient.map((run) => run.early / run.gaussEarly),
            2,
          )} of Gauss-Newton's; slopes ${range(gradient.map(({ slope }) => slope))}; ratios ${range(
            gradient.map(({ late, gaussLate }) => late / gaussLate),
            2,
          )}, median ${show(ratio, 2)}`,
          holds:
            gradient.every(({ slope, late, gaussLate }) => slope > -1 && late > gaussLate) &&
            gradient.every((run) => run.early < run.gaussEarly) &&
            ratio >= 1000,
        },
        small.claim,
      ],
      charts,
      tables: [
        {
          title: "Slopes of the log loss on [1, 5] (medians over seeds)",
          columns: ["input scale", "condition of J^T J", "Gauss-Newton", "Levenberg-Marquardt", "gradient flow"],
          rows: inputScales.map((scale) => {
            const of = (name: string) =>
              runs.filter((run) => run.flow === name && run.inputScale === scale && run.outputScale === alpha);
            const slope = (name: string) => show(median(of(name).map((run) => Number(run.slope))), 5);
            return [
              scale,
              show(median(of("gauss-newton").map((run) => Number(run.condition))), 2),
              slope("gauss-newton"),
              slope("levenberg-marquardt"),
              slope("gradient"),
            ];
          }),
        },
      ],
      runs,
    };
  },
};

/** The same flow at a small output scale: where J becomes singular the run must say so, and the others keep the rate. */
async function smallScale(context: ExperimentContext, seeds: readonly number[], runs: Record<string, unknown>[]) {
  const { settings } = context;
  let [singular, other] = [0, 0];
  const slopes: number[] = [];
  for (const scale of inputScales)
    for (const seed of seeds) {
      context.progress(`output scale ${smallAlpha}, input scale ${scale}, seed ${seed}`);
      const problem = await teacherProblem({ ...settings, seed, scale, alpha: smallAlpha, target: "reachable" });
      const result = await experimentFlow(context, problem, { damping: 0, until: 5 });
      const slope = slopeOn(result.records, 1, 5);
      const asked = {
        experiment: "conditioning",
        inputScale: scale,
        seed,
        flow: "gauss-newton",
        outputScale: smallAlpha,
      };
      runs.push({ ...runLine(asked, result), slope });
      if (result.reason.code === "singular-jacobian") singular++;
      else if (result.reason.code === "until") slopes.push(slope);
      else other++;
    }
  return {
    claim: {
      claim: `At output scale ${smallAlpha} a run either keeps the rate or ends with a singular J and says so`,
      promised: "reason until with slope -2 ± 0.05, or reason singular-jacobian",
      measured: `${slopes.length} runs with slopes ${range(slopes, 6)}, ${singular} singular, ${other} other`,
      holds: other === 0 && slopes.every((slope) => Math.abs(slope + 2) <= 0.05),
    },
  };
}

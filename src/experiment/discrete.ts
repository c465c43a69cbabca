// Experiment 4 is about discrete iterates. It measures the distance between Euler iterates (eta = 1 and rho = 0: full Gauss-Newton steps)
// and the flow at the same time, and the factor by which each Levenberg-Marquardt step reduces the loss (damped-iterates.ts). experiments.ts
// runs it for gaussflow experiment discrete.

import type { Chart } from "../document.js";
import { discretizationGap } from "../monitor/discretization-gap.js";
import { fitRate } from "../monitor/rate-fit.js";
import { dampedFindings } from "./damped-iterates.js";
import { type Experiment, range, seedsOf, show } from "./experiment.js";
import { teacherProblem } from "./problems.js";

const etas = [0.03, 0.1, 0.3, 1] as const;
/** Those of them that the order is fitted over. */
const small = etas.slice(0, 3);
const until = 6;
const alphas = [1e4, 10] as const;
const inputScale = 0.3;

export const discrete: Experiment = {
  name: "discrete",
  title: "Euler iterates follow the flow, and damped steps keep the promised factor",
  about: "theory",
  defaults: { seed: 1, seeds: 3, samples: 200, width: 5 },
  regime: "under",
  run: async (context) => {
    const { settings, backend, threads, signal } = context;
    const runs: Record<string, unknown>[] = [];
    const charts: Chart[] = [];
    /** Largest relative distance of the measured gap from (1-eta)^k - exp(-k eta), alpha = 1e4. */
    const errors: number[] = [];
    const largest = new Map<number, number[]>();
    const oneStep: number[] = [];
    let [growth, exploded] = [Number.NaN, 0];
    for (const alpha of alphas)
      for (const seed of seedsOf(settings)) {
        const { network, data } = await teacherProblem({
          ...settings,
          seed,
          scale: inputScale,
          alpha,
          target: "reachable",
        });
        const gaps: Chart["series"][number][] = [];
        const losses: Chart["series"][number][] = [];
        for (const [hue, eta] of etas.entries()) {
          context.progress(`alpha ${alpha}, seed ${seed}, eta ${eta}`);
          const steps = Math.floor(until / eta + 1e-9);
          const options = { damping: 0, standardize: false, backend, threads, signal };
          const { rows, euler: ended } = await discretizationGap(network, data, { step: eta, steps }, options);
          signal?.throwIfAborted();
          const linear = rows.map(({ k, time }) => Math.abs((1 - eta) ** k - Math.exp(-time)));
          for (const [i, row] of rows.entries()) {
            runs.push({ experiment: "discrete", alpha, seed, eta, ...row, linearTheory: linear[i], euler: ended.code });
            // Once the exact gap has shrunk to the errors of integration there is nothing left to compare.
            if (alpha === alphas[0] && linear[i] > 1e-3) errors.push(Math.abs(row.predictions - linear[i]) / linear[i]);
          }
          if (alpha === alphas[0]) {
            largest.set(eta, [...(largest.get(eta) ?? []), Math.max(...rows.map(({ predictions }) => predictions))]);
            if (eta === 1) oneStep.push(rows[0].eulerLoss / (rows[0].flowLoss * Math.exp(2)));
          }
          const times = rows.map(({ time }) => time);
          gaps.push(
            { label: `eta = ${eta}`, x: times, y: rows.map(({ predictions }) => predictions), hue },
            {
              label: `linear theory, eta = ${eta}`,
              x: times,
              y: linear.map((gap) => (gap > 0 ? gap : null)),
              style: "dashed",
              hue,
            },
          );
          losses.push({
            label: `Euler, eta = ${eta}`,
            x: times,
            y: rows.map(({ eulerLoss }) => eulerLoss),
            style: eta === 1 ? "points" : "line",
            hue,
          });
          if (eta === 0.1) losses.push({ label: "flow", x: times, y: rows.map(({ flowLoss }) => flowLoss), hue: 3 });
        }
        if (alpha === alphas[0] && seed === settings.seed) {
          const options = { damping: 1, standardize: false, backend, threads, signal };
          const { rows } = await discretizationGap(network, data, { step: 0.1, steps: 20 }, options);
          signal?.throwIfAborted();
          // The loss of the flow at its first time is below that of the start.
          growth = rows[rows.length - 1].eulerLoss / rows[0].flowLoss;
          exploded = rows.length;
        }
        if (seed !== settings.seed) continue;
        const where = `alpha = ${alpha}`;
        charts.push(
          {
            id: `gap-${alpha}`,
            title: `Distance of the Euler iterates from the flow, ${where}`,
            alt: `Relative distance of the predictions of Euler iterates from the flow's at the same time, for eta ${etas.join(", ")}, ${where}. The largest gaps are ${etas.map((eta) => show(Math.max(...runs.filter((run) => run.alpha === alpha && run.seed === seed && run.eta === eta).map((run) => Number(run.predictions))), 2)).join(", ")}.`,
            x: { label: "time k eta", scale: "linear" },
            y: { label: "|psi_k - psi(k eta)| / |y - psi_0|", scale: "log" },
            series: gaps,
          },
          {
            id: `loss-${alpha}`,
            title: `Loss of the iterates and of the flow, ${where}`,
            alt: `Mean loss against time for Euler iterates with eta ${etas.join(", ")} and for the flow, ${where}; the full Gauss-Newton step falls at once, the small steps follow the flow.`,
            x: { label: "time k eta", scale: "linear" },
            y: { label: "mean squared error", scale: "log" },
            series: losses,
          },
        );
      }
    const order = -(
      fitRate(small.map((eta) => ({ position: Math.log(eta), value: Math.max(...(largest.get(eta) ?? [])) })))
        ?.measured ?? Number.NaN
    );
    const top = etas.map((eta) => Math.max(...(largest.get(eta) ?? [Number.NaN])));
    const damped = await dampedFindings(context);
    return {
      purpose: `Explicit Euler on the Gauss-Newton flow with eta = ${etas.join(", ")} against the flow itself, in predictions. In the lazy regime (alpha = ${alphas[0]}) the residual is (1-eta)^k for the iterates and exp(-k eta) for the flow: the gap between them is known. At alpha = ${alphas[1]} curvature joins in. Input scale ${inputScale}. Levenberg-Marquardt iterates have more parameters than equations: a step with damping mu multiplies the loss of a mode of K = alpha² J J^T with eigenvalue k by (mu/(k+mu))², which is largest for the smallest eigenvalue λ. With mu = λ that is 1/4 whatever λ is.`,
      claims: [
        {
          claim: "In the lazy regime the gap is that of linear theory",
          promised: "|(1-eta)^k - exp(-k eta)| within 2%",
          measured: `off by at most ${show(100 * Math.max(...errors), 2)}% over ${errors.length} iterates`,
          holds: Math.max(...errors) <= 0.02,
        },
        {
          claim: "The gap is of first order in eta",
          promised: `slope of log largest gap over log eta, eta = ${small.join(", ")}: 1 ± 0.1`,
          measured: show(order, 3),
          holds: Math.abs(order - 1) <= 0.1,
        },
        {
          claim: "eta = 1 is a full Gauss-Newton step: it reaches the target at once",
          promised: "loss after one step below 1e-4 of the start",
          measured: range(oneStep, 2),
          holds: oneStep.every((share) => share < 1e-4),
        },
        {
          claim: "Euler on gradient flow with eta = 0.1 explodes: its step is bound by the largest eigenvalue",
          promised: "the loss is ten times what it was, and more",
          measured: `loss after ${exploded} steps over the flow's after one: ${show(growth, 2)}`,
          holds: growth >= 10,
        },
        ...damped.claims,
      ],
      charts: [...charts, ...damped.charts],
      tables: [
        {
          title: `Largest relative gap in the predictions, alpha = ${alphas[0]}`,
          columns: ["eta", "measured", "linear theory"],
          rows: etas.map((eta, i) => [eta, show(top[i]), show(gapOf(eta))]),
        },
        ...damped.tables,
      ],
      runs: [...runs, ...damped.runs],
    };
  },
};

/** Largest gap of linear theory over k. */
function gapOf(eta: number): number {
  let most = 0;
  for (let k = 1; k * eta <= until + 1e-9; k++) most = Math.max(most, Math.abs((1 - eta) ** k - Math.exp(-k * eta)));
  return most;
}

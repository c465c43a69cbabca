// Experiment 3 integrates flows for several output scales. A larger alpha flattens the manifold of predictions: parameters and kernel move
// as 1/alpha, and the rate becomes the promised one. Too small an alpha drives the undamped flow into a singular J. experiments.ts runs it
// for gaussflow experiment scaling.

import type { Chart } from "../document.js";
import { monitor } from "../monitor/monitor.js";
import { fitRate } from "../monitor/rate-fit.js";
import {
  type Experiment,
  type ExperimentContext,
  experimentFlow,
  median,
  range,
  runLine,
  seedsOf,
  show,
} from "./experiment.js";
import { type ProblemOptions, teacherProblem } from "./problems.js";

const alphas = [0.3, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000] as const;
const until = 5;
const inputScale = 0.3;
/** Problems of the overparameterized flow. */
const over = { samples: 40, width: 200 } as const;
/** From here on the lazy regime is expected, and the promises with it. */
const lazyFrom = 1000;

type Start = NonNullable<ProblemOptions["start"]>;

interface Row {
  readonly flow: "gauss-newton" | "levenberg-marquardt";
  readonly start: Start;
  readonly alpha: number;
  readonly seed: number;
  readonly singularAt: number | null;
  /** Measured rate over the promised one; NaN where the run did not end at its time. */
  readonly ratio: number;
  readonly drift: number;
  readonly distance: number;
}

export const scaling: Experiment = {
  name: "scaling",
  title: "A large output scale makes the dynamics lazy and the promises true",
  about: "theory",
  defaults: { seed: 1, seeds: 3, samples: 200, width: 5 },
  regime: "under",
  run: async (context) => {
    const { settings } = context;
    const rows: Row[] = [];
    const runs: Record<string, unknown>[] = [];
    for (const alpha of alphas)
      for (const seed of seedsOf(settings)) {
        for (const start of ["centered", "ordinary"] as const) {
          const problem = { seed, alpha, start, samples: settings.samples, width: settings.width } as const;
          await oneRun("gauss-newton", problem, context, rows, runs);
        }
        for (const start of ["centered", "symmetric", "ordinary"] as const)
          await oneRun("levenberg-marquardt", { seed, alpha, start, ...over }, context, rows, runs);
      }
    const of = (name: Row["flow"], start: Start, from = 0) =>
      rows.filter((row) => row.flow === name && row.start === start && row.alpha >= from);
    const lazy = [
      ...of("gauss-newton", "centered", lazyFrom),
      ...of("levenberg-marquardt", "centered", lazyFrom),
      ...of("levenberg-marquardt", "symmetric", lazyFrom),
    ];
    const centeredSlope = driftSlope(of("levenberg-marquardt", "centered", 30));
    const symmetricSlope = driftSlope(of("levenberg-marquardt", "symmetric", 30));
    const early = of("gauss-newton", "centered").filter(({ alpha, singularAt }) => alpha <= 1 && singularAt !== null);
    const small = of("gauss-newton", "centered").filter(({ alpha }) => alpha <= 1);
    const ordinary = of("levenberg-marquardt", "ordinary", lazyFrom).map(({ drift }) => drift);
    const flat = of("levenberg-marquardt", "centered", lazyFrom).map(({ drift }) => drift);
    const goal = lazy.map(({ ratio }) => ratio);
    return {
      purpose: `Output scales from ${alphas[0]} to ${alphas[alphas.length - 1]}, three ways to start: centered (psi = alpha (f(w) - f(w_0))), symmetric (paired units) and ordinary. Gauss-Newton flow on ${settings.samples} samples with ${settings.width} units, Levenberg-Marquardt flow with spectral damping on ${over.samples} samples with ${over.width} units (symmetric starts are for this one: paired units make J singular without damping). Input scale ${inputScale}, reachable targets. In a pair of mirrored units the first-order changes of the kernel cancel, which is why a symmetric start is lazier still.`,
      claims: [
        {
          claim: `From alpha = ${lazyFrom} on the measured rate is at least the promised one`,
          promised: "measured/promised ≥ 0.98, every run ends at its time",
          measured: `${range(goal)} in ${lazy.length} runs`,
          holds: goal.every((ratio) => ratio >= 0.98),
        },
        {
          claim: "Kernel drift falls as 1/alpha from a centered start, and as 1/alpha² from a symmetric one",
          promised: "slope of log drift over log alpha -1 ± 0.1 and -2 ± 0.2",
          measured: `${show(centeredSlope, 3)} and ${show(symmetricSlope, 3)}`,
          holds: Math.abs(centeredSlope + 1) <= 0.1 && Math.abs(symmetricSlope + 2) <= 0.2,
        },
        {
          claim: "With alpha ≤ 1 the undamped flow reaches a singular J in finite time",
          promised: "most runs end with singular-jacobian",
          measured: `${early.length} of ${small.length}, at t = ${
            early.length > 0
              ? range(
                  early.map(({ singularAt }) => singularAt ?? 0),
                  3,
                )
              : "-"
          }`,
          holds: early.length > small.length / 2,
        },
        {
          claim: "An ordinary start is never lazy: it has alpha f(w_0) to get rid of",
          promised: `drift at alpha ≥ ${lazyFrom} at least 10 times that of the centered start`,
          measured: `${range(ordinary, 3)} against ${range(flat, 3)}`,
          holds: Math.min(...ordinary) >= 10 * Math.max(...flat),
        },
      ],
      charts: charts(rows),
      tables: [
        {
          title: "Gauss-Newton flow, centered: what became of the runs",
          columns: [
            "alpha",
            "singular J",
            "at t (median)",
            "measured/promised rate (others, median)",
            "drift (median)",
          ],
          rows: alphas.map((alpha) => {
            const list = of("gauss-newton", "centered").filter((row) => row.alpha === alpha);
            const stopped = list.filter(({ singularAt }) => singularAt !== null);
            const others = list.filter(({ ratio }) => Number.isFinite(ratio));
            return [
              alpha,
              `${stopped.length} of ${list.length}`,
              stopped.length > 0 ? show(median(stopped.map(({ singularAt }) => singularAt ?? 0))) : "-",
              others.length > 0 ? show(median(others.map(({ ratio }) => ratio))) : "-",
              show(median(list.map(({ drift }) => drift))),
            ];
          }),
        },
      ],
      runs,
    };
  },
};

async function oneRun(
  name: Row["flow"],
  problem: Omit<ProblemOptions, "scale" | "target">,
  context: ExperimentContext,
  rows: Row[],
  runs: Record<string, unknown>[],
): Promise<void> {
  const { seed, alpha, start = "centered" } = problem;
  context.progress(`${name}, ${start} start, alpha ${alpha}, seed ${seed}`);
  const made = await teacherProblem({ ...problem, scale: inputScale, target: "reachable" });
  // The optimum of a reachable target is 0; drift needs only start and end.
  const watch = monitor({ every: 1000, spectrum: name !== "gauss-newton", parts: false, optimum: 0 });
  const damping = name === "gauss-newton" ? 0 : undefined;
  const result = await experimentFlow(context, made, { damping, until, monitor: watch });
  const { rate = null, records: observed = [] } = result.monitor ?? {};
  const row = {
    flow: name,
    start,
    alpha,
    seed,
    singularAt: result.reason.code === "singular-jacobian" ? result.time : null,
    ratio: result.reason.code === "until" && rate?.promised ? rate.measured / rate.promised : Number.NaN,
    drift: observed.at(-1)?.drift ?? Number.NaN,
    distance: result.records.at(-1)?.distance ?? Number.NaN,
  };
  rows.push(row);
  runs.push(runLine({ experiment: "scaling", ...row }, result));
}

/** Slope of log drift over log alpha by least squares. */
function driftSlope(rows: readonly Row[]): number {
  const fit = fitRate(rows.map(({ alpha, drift }) => ({ position: Math.log(alpha), value: drift })));
  return fit === null ? Number.NaN : -fit.measured;
}

const kinds: readonly { readonly flow: Row["flow"]; readonly start: Start; readonly label: string }[] = [
  { flow: "gauss-newton", start: "centered", label: "Gauss-Newton, centered" },
  { flow: "gauss-newton", start: "ordinary", label: "Gauss-Newton, ordinary" },
  { flow: "levenberg-marquardt", start: "centered", label: "Levenberg-Marquardt, centered" },
  { flow: "levenberg-marquardt", start: "symmetric", label: "Levenberg-Marquardt, symmetric" },
  { flow: "levenberg-marquardt", start: "ordinary", label: "Levenberg-Marquardt, ordinary" },
];

function charts(rows: readonly Row[]): Chart[] {
  const medians = (kind: (typeof kinds)[number], value: (row: Row) => number) =>
    alphas.map((alpha) => {
      const list = rows
        .filter((row) => row.flow === kind.flow && row.start === kind.start && row.alpha === alpha)
        .map(value)
        .filter((one) => Number.isFinite(one));
      return list.length > 0 ? median(list) : null;
    });
  const x = { label: "output scale alpha", scale: "log" } as const;
  const drift = kinds.map((kind, hue) => ({
    label: kind.label,
    x: [...alphas],
    y: medians(kind, (row) => row.drift),
    hue,
  }));
  const lastOf = (name: string) => drift.find(({ label }) => label === name)?.y.at(-1) ?? Number.NaN;
  const anchor = lastOf("Levenberg-Marquardt, centered");
  const last = alphas[alphas.length - 1];
  const singular = rows.filter(({ singularAt }) => singularAt !== null);
  const charts: Chart[] = [
    {
      id: "drift",
      title: "Kernel drift at the end, medians over seeds",
      alt: `Kernel drift against output scale on logarithmic axes. For the centered start it falls as 1/alpha, that of the Levenberg-Marquardt flow to ${show(anchor, 2)} at alpha = ${last}; for the symmetric start as 1/alpha squared; for ordinary starts it stays at ${show(lastOf("Levenberg-Marquardt, ordinary"), 2)}.`,
      x,
      y: { label: "|K - K_0| / |K_0|", scale: "log" },
      series: [
        ...drift,
        {
          label: "1/alpha",
          x: [...alphas],
          y: alphas.map((alpha) => (anchor * last) / alpha),
          style: "dashed",
          hue: 2,
        },
      ],
    },
    {
      id: "rate",
      title: "Measured over promised rate of the loss, medians over seeds",
      alt: `Ratio of the measured to the promised rate against output scale; it settles at 1 or above for centered and symmetric starts. Runs that ended early have none.`,
      x,
      y: { label: "measured / promised", scale: "linear" },
      series: [
        ...kinds.map((kind, hue) => ({ label: kind.label, x: [...alphas], y: medians(kind, (row) => row.ratio), hue })),
        { label: "promised", x: [alphas[0], last], y: [1, 1], style: "dashed", hue: 5 },
      ],
    },
  ];
  if (singular.length > 0)
    charts.push({
      id: "singular",
      title: "When undamped runs reached a singular J",
      alt: `Time at which J became singular against output scale, one point a run, ${singular.length} runs; only small scales have any.`,
      x,
      y: { label: "time of singularity", scale: "log" },
      series: kinds.slice(0, 2).map((kind, hue) => {
        const list = singular.filter((row) => row.start === kind.start);
        return {
          label: kind.label,
          x: list.map(({ alpha }) => alpha),
          y: list.map(({ singularAt }) => singularAt),
          style: "points" as const,
          hue,
        };
      }),
    });
  return charts;
}

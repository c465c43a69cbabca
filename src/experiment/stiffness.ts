// Experiment 5 measures the cost of a time step of three flows. The preconditioned flows are not stiff: their steps do not depend on the
// conditioning. The steps of gradient flow are bounded by the largest eigenvalue, and its time grows with the smallest. experiments.ts runs
// it for gaussflow experiment stiffness.

import type { Chart } from "../document.js";
import { constantDamping, spectralDamping } from "../flow/damping-schedule.js";
import { lossBelow } from "../flow/flow-events.js";
import { inputScales, startSpectrum } from "./conditioning.js";
import { type Experiment, experimentFlow, median, range, runLine, seedsOf, show, within } from "./experiment.js";
import { teacherProblem } from "./problems.js";

const alpha = 1e4;
const until = 5;
/** Of gradient flow; its time to the target loss is capped: beyond it the answer is "more than". */
const cap = 40;
const target = 1e-8;
/** |step times eigenvalue| at the edge of stability of Dormand-Prince on the negative real axis. */
const edge = 3.3;

interface Row {
  readonly flow: string;
  readonly scale: number;
  readonly seed: number;
  readonly condition: number;
  readonly largest: number;
  readonly accepted: number;
  readonly evaluations: number;
  /** Accepted steps over lambda_max t/3.3. */
  readonly overStability: number;
  /** Time to `target` of the loss at the start; null = more than the cap. */
  readonly reached: number | null;
  /** What the spectrum at the start predicts for that time of gradient flow. */
  readonly predicted: number;
}

export const stiffness: Experiment = {
  name: "stiffness",
  title: "The preconditioned flows are not stiff, gradient flow is",
  about: "theory",
  defaults: { seed: 1, seeds: 3, samples: 200, width: 5 },
  regime: "under",
  run: async (context) => {
    const { settings } = context;
    const rows: Row[] = [];
    const runs: Record<string, unknown>[] = [];
    for (const scale of inputScales)
      for (const seed of seedsOf(settings)) {
        const problem = await teacherProblem({ ...settings, seed, scale, alpha, target: "reachable" });
        const { largest, condition, timeTo } = await startSpectrum(problem, context);
        for (const { name, damping, end } of kinds) {
          context.progress(`input scale ${scale}, seed ${seed}, ${name}`);
          const start = problem.data.targets.reduce((sum, value) => sum + value ** 2, 0) / problem.data.sampleCount;
          const events = [lossBelow(target * start)];
          const result = await experimentFlow(context, problem, { damping, until: end, events });
          const { accepted } = result.statistics;
          const within = result.records.find((record) => record.time >= until) ?? result.records.at(-1);
          const row = {
            flow: name,
            scale,
            seed,
            condition,
            largest,
            accepted: within?.step ?? 0,
            evaluations: within?.evaluations ?? 0,
            overStability: accepted / ((largest * result.time) / edge),
            reached: result.reason.code === "event" ? result.time : null,
            predicted: timeTo(target),
          };
          rows.push(row);
          runs.push(runLine({ experiment: "stiffness", ...row }, result));
        }
      }
    const of = (name: string, scale?: number) =>
      rows.filter((row) => row.flow === name && (scale === undefined || row.scale === scale));
    const steps = (name: string) => of(name).map(({ accepted }) => accepted);
    const gauss = steps("gauss-newton");
    const stability = of("gradient").map(({ overStability }) => overStability);
    const gradient = inputScales.map((scale) => {
      const list = of("gradient", scale);
      const reached = list.map((row) => row.reached).filter((time) => time !== null);
      return { scale, list, reached, predicted: median(list.map(({ predicted }) => predicted)) };
    });
    const agreement = of("gradient").map(({ reached, predicted }) =>
      reached === null ? (predicted > 0.99 * cap ? 1 : Number.POSITIVE_INFINITY) : reached / predicted,
    );
    const gaussTimes = of("gauss-newton").map(({ reached }) => reached ?? Number.POSITIVE_INFINITY);
    return {
      purpose: `Accepted steps of Dormand-Prince at relative tolerance 1e-6 to t = ${until}, with the error measured in the predictions, against the condition number of the Gram matrix; and the time to ${target} of the loss at the start. All rates of the preconditioned flows lie between 1/2 and 1/(1-rho) in the residual, so an explicit method is the right one.`,
      claims: [
        {
          claim: "Gauss-Newton flow: the number of accepted steps does not depend on conditioning",
          promised: "varies by at most 10%",
          measured: `${range(gauss)} over condition numbers ${range(
            rows.map(({ condition }) => condition),
            2,
          )}`,
          holds: within(1.1, gauss),
        },
        {
          claim: "Levenberg-Marquardt flow: neither",
          promised: "at most twice the Gauss-Newton flow's",
          measured: range(steps("levenberg-marquardt")),
          holds: Math.max(...steps("levenberg-marquardt")) <= 2 * Math.max(...gauss),
        },
        {
          claim: "Gradient flow's steps are set by stability",
          promised: `accepted steps within 15% of lambda_max t/${edge}`,
          measured: `${range(stability)} of it`,
          holds: stability.every((share) => Math.abs(share - 1) <= 0.15),
        },
        {
          claim: `Gradient flow's time to ${target} of the starting loss is what the spectrum says`,
          promised: `where it comes before t = ${cap} within 1% of the prediction from K(w_0), else more than ${cap}`,
          measured: gradient
            .map(({ scale, list, reached }) => {
              const late = list.length - reached.length;
              const parts = [
                ...reached.map((time) => show(time)),
                ...(late > 0 ? [`${late} runs more than ${cap}`] : []),
              ];
              return `${scale}: ${parts.join(", ")}`;
            })
            .join("; "),
          holds: agreement.every((share) => Math.abs(share - 1) <= 0.01),
        },
        {
          claim: "That time grows with the conditioning",
          promised: `for no seed shorter at a smaller input scale than at 1, and longer for one at least (more than ${cap} counts as ${cap})`,
          measured: `medians of the predictions: ${gradient.map(({ scale, predicted }) => `${scale}: ${show(predicted, 3)}`).join("; ")}`,
          holds: growing(of("gradient")),
        },
        {
          claim: "Gauss-Newton flow's does not",
          promised: `log(1e8)/2 = ${show(Math.log(1 / target) / 2, 5)} within 1%`,
          measured: range(gaussTimes, 5),
          holds: gaussTimes.every((time) => Math.abs(time / (Math.log(1 / target) / 2) - 1) <= 0.01),
        },
      ],
      charts: charts(rows),
      tables: [
        {
          title: `Steps and right-hand sides to t = ${until}, medians over seeds`,
          columns: [
            "input scale",
            "condition",
            "flow",
            "accepted steps",
            "right-hand sides",
            `time to ${target}`,
            "predicted",
          ],
          rows: inputScales.flatMap((scale) =>
            kinds.map(({ name, end }) => {
              const list = of(name, scale);
              const reached = median(list.map((row) => row.reached ?? Number.POSITIVE_INFINITY));
              return [
                scale,
                show(median(list.map(({ condition }) => condition)), 2),
                name,
                median(list.map(({ accepted }) => accepted)),
                median(list.map(({ evaluations }) => evaluations)),
                Number.isFinite(reached) ? show(reached) : `more than ${end}`,
                name === "gradient" ? show(median(list.map(({ predicted }) => predicted)), 3) : "-",
              ];
            }),
          ),
        },
      ],
      runs,
    };
  },
};

const kinds = [
  { name: "gauss-newton", damping: constantDamping(0), end: 2 * until },
  { name: "levenberg-marquardt", damping: spectralDamping(), end: 4 * until },
  { name: "gradient", damping: constantDamping(1), end: cap },
] as const;

/** Times to the target against those of the same seed at input scale 1; runs beyond the cap have at least that. */
function growing(rows: readonly Row[]): boolean {
  const time = ({ reached }: Row) => reached ?? cap;
  const pairs = rows
    .filter(({ scale }) => scale !== inputScales[0])
    .map((row) => [
      time(row),
      ...rows.filter((one) => one.seed === row.seed && one.scale === inputScales[0]).map(time),
    ]);
  return pairs.every(([here, there]) => here >= there) && pairs.some(([here, there]) => here > there);
}

function predictedSeries(rows: readonly Row[]): Chart["series"][number] {
  const list = rows.filter(({ flow: name }) => name === "gradient").toSorted((a, b) => a.condition - b.condition);
  return {
    label: "gradient, predicted by K(w_0)",
    x: list.map(({ condition }) => condition),
    y: list.map(({ predicted }) => predicted),
    style: "dashed",
    hue: 2,
  };
}

function charts(rows: readonly Row[]): Chart[] {
  const x = { label: "condition number of the Gram matrix", scale: "log" } as const;
  const points = (value: (row: Row) => number | null) =>
    kinds.map(({ name }, hue) => {
      const list = rows.filter((row) => row.flow === name).toSorted((a, b) => a.condition - b.condition);
      return {
        label: name,
        x: list.map(({ condition }) => condition),
        y: list.map(value),
        style: "points" as const,
        hue,
      };
    });
  const most = (name: string) => Math.max(...rows.filter((row) => row.flow === name).map(({ accepted }) => accepted));
  return [
    {
      id: "steps",
      title: `Accepted steps to t = ${until}`,
      alt: `Accepted steps against the condition number, one point a run: Gauss-Newton flow at most ${most("gauss-newton")}, Levenberg-Marquardt flow at most ${most("levenberg-marquardt")}, gradient flow up to ${most("gradient")}.`,
      x,
      y: { label: "accepted steps", scale: "log" },
      series: points(({ accepted }) => accepted),
    },
    {
      id: "time",
      title: `Time to ${target} of the loss at the start`,
      alt: `Time to ${target} of the starting loss against the condition number, for the runs that got there within their cap: flat at ${show(Math.log(1 / target) / 2, 3)} for the Gauss-Newton and the Levenberg-Marquardt flow, soon beyond ${cap} for gradient flow, whose predicted times rise to ${show(Math.max(...rows.map(({ predicted }) => predicted)), 2)}.`,
      x,
      y: { label: "time", scale: "log" },
      series: [...points(({ reached }) => reached), predictedSeries(rows)],
    },
  ];
}

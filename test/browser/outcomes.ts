// Outcomes as experiments of gaussflow make them, from closed forms: many kinds of charts, one claim that fails.
import type { Chart, ChartSeries, ExperimentOutcome } from "../../src/document.js";
import { Random } from "../../src/random.js";
import type { ReportMeta } from "../../src/report/html-report.js";

export const META: ReportMeta = {
  command: "gaussflow experiment all --seed 1 --html report.html --samples 4096 --width 64",
  version: "0.1.0",
  engine: "native, OpenBLAS 0.3.21, 2 threads",
  machine: "2 cores of x86-64, 2.5 GHz, Linux",
  date: "2025-01-31",
};

function range(count: number, value: (index: number) => number): number[] {
  return Array.from({ length: count }, (_, index) => value(index));
}

function curve(label: string, x: readonly number[], f: (x: number) => number, rest: Partial<ChartSeries>): ChartSeries {
  return { label, x, y: x.map(f), ...rest };
}

function decay(): Chart {
  const series = [0.1, 0.5, 1].flatMap((rate, hue) => {
    const t = range(60 + 40 * hue, (k) => (k * 20) / (59 + 40 * hue));
    return [
      curve(`λ = ${rate}, integrated`, t, (at) => Math.exp(-2 * rate * at) * (1 + 0.02 * Math.sin(5 * at)), { hue }),
      curve(`λ = ${rate}, promised: exp(−2λt)`, [0, 20], (at) => Math.exp(-2 * rate * at), { hue, style: "dashed" }),
    ];
  });
  return {
    id: "loss",
    title: "Loss along the Gauss-Newton flow",
    alt: "Three measured losses fall on straight lines over time; they keep within 2 % of exp(-2 λ t) down to 4e-18.",
    x: { label: "flow time t", scale: "linear" },
    y: { label: "loss / loss at the start", scale: "log" },
    series,
  };
}

function order(): Chart {
  const h = range(9, (k) => 2 ** -(k + 1));
  return {
    id: "order",
    title: "Global error of the integrators against the step",
    alt: "On log-log axes Euler's errors follow slope 1, Heun's slope 2 and Runge-Kutta's slope 4 down to 1e-12.",
    x: { label: "step h", scale: "log" },
    y: { label: "error at t = 1", scale: "log" },
    series: [1, 2, 4].flatMap((p, hue) => [
      curve(["Euler", "Heun", "Runge-Kutta"][hue]!, h.toReversed(), (at) => 0.3 * at ** p * (1 + at), { hue }),
      curve(`slope ${p}`, [h.at(-1)!, h[0]!], (at) => 0.3 * at ** p, { hue, style: "dashed" }),
    ]),
  };
}

function teacher(random: Random): Chart {
  const series = range(40, (run) => run).map((run): ChartSeries => {
    const length = 12 + Math.floor(20 * random.uniform());
    const fall = 1 + 2 * random.uniform();
    return curve(
      `seed ${run + 1}`,
      range(length, (k) => k + 0.001 * run),
      (k) => 10 ** (-fall * (k / 10) ** 2 - 0.1 * random.uniform()),
      { hue: run },
    );
  });
  return {
    id: "runs",
    title: "Loss of 40 runs from random starts, teacher and student of one width",
    alt: "All 40 runs reach a loss below 1e-8 within 32 steps; the median takes 18.",
    x: { label: "iteration", scale: "linear" },
    y: { label: "loss (mean square)", scale: "log" },
    series,
  };
}

function steps(random: Random): Chart {
  const widths = [8, 16, 32, 64, 128, 256];
  const measured = (base: number) => widths.flatMap(() => range(6, () => base + Math.round(4 * random.uniform())));
  const x = widths.flatMap((width) => range(6, () => width));
  return {
    id: "steps",
    title: "Steps to 1e-8 against the width",
    alt: "Gauss-Newton takes 16 to 20 steps at every width from 8 to 256; gradient descent takes 30 to 34.",
    x: { label: "hidden width", scale: "log" },
    y: { label: "steps", scale: "linear" },
    series: [
      { label: "Gauss-Newton", x, y: measured(16), style: "points", hue: 0 },
      { label: "gradient descent, of a well-tuned rate", x, y: measured(30), style: "points", hue: 1 },
      { label: "bound of the theory", x: [8, 256], y: [22, 22], style: "dashed", hue: 0 },
    ],
  };
}

function gaps(): Chart {
  const x = range(200, (k) => k / 20);
  return {
    id: "spectrum",
    title: "Eigenvalues of the tangent kernel",
    alt: "Two eigenvalues swing between 0.2 and 3.8; the first was not measured from 3 to 4, the second ends at 7.",
    x: { label: "flow time t", scale: "linear" },
    y: { label: "eigenvalue", scale: "linear" },
    series: [
      {
        label: "largest",
        x,
        y: x.map((at) => (at > 3 && at < 4 ? null : 2e-9 * (1 + 0.9 * Math.sin(at)))),
      },
      { label: "smallest", x, y: x.map((at) => (at > 7 ? Number.NaN : 1e-9 * (1 + 0.8 * Math.cos(at)))) },
    ],
  };
}

/** Two experiments, five charts, seven claims of which one fails. */
export function sampleOutcomes(): ExperimentOutcome[] {
  const random = new Random(1);
  return [
    {
      name: "flow",
      title: "The flow and its integrators",
      purpose:
        "Along the Gauss-Newton flow every residual decays at one rate, whatever the conditioning of the Jacobian. The first picture shows the loss on a log axis, where that promise is a straight line; the second shows that each integrator has the order it is known for.",
      settings: { seed: 1, samples: 512, width: 32, "relative tolerance": 1e-8 },
      claims: [
        {
          claim: "The loss decays at twice the rate, within 5 % over eighteen decades.",
          promised: "slope −2λ",
          measured: "slope −2.0003λ",
          holds: true,
        },
        { claim: "Heun's method is of second order.", promised: "2", measured: "2.004", holds: true },
        { claim: "The method of Runge and Kutta is of fourth order.", promised: "4", measured: "3.998", holds: true },
        {
          claim: "The time of a step does not depend on the conditioning of the problem.",
          promised: "ratio at most 1.2",
          measured: "ratio 1.41 at a condition number of 1e12",
          holds: false,
        },
      ],
      charts: [decay(), order(), gaps()],
      tables: [
        {
          title: "Orders by regression",
          columns: ["method", "order", "residual", "evaluations"],
          rows: [
            ["Euler", 1.0123456, 3.1e-5, 1024],
            ["Heun", 2.004, 2.2e-6, 2048],
            ["Runge-Kutta", 3.998, 8.7e-9, 4096],
          ],
        },
      ],
      runs: range(9, (k) => k).map((run) => ({ run })),
      engine: "native",
      seconds: 12.3,
    },
    {
      name: "teacher",
      title: "Teacher and student",
      purpose:
        "A network of the teacher's own width is trained from random starts: does it find the teacher, and how fast?",
      settings: { seeds: 40, samples: 4096, widths: "8, 16, 32, 64, 128, 256" },
      claims: [
        { claim: "All runs reach a loss of 1e-8.", promised: "40 of 40", measured: "40 of 40", holds: true },
        { claim: "The steps do not grow with the width.", promised: "at most 22", measured: "20", holds: true },
        { claim: "The final phase is quadratic.", promised: "2", measured: "1.97", holds: true },
      ],
      charts: [teacher(random), steps(random)],
      tables: [],
      runs: range(40, (k) => k).map((run) => ({ run })),
      engine: "native",
      seconds: 190,
    },
  ];
}

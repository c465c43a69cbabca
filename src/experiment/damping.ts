// Experiment 2 asks which damping rule keeps the promised rate of the overparameterized flow: it integrates flows under each rule and
// states its claims. The target along the weakest eigenvector of K(w_0) distinguishes the rules; on a reachable target all of them keep the
// rate. experiments.ts runs it for gaussflow experiment damping.

import type { Chart } from "../document.js";
import {
  constantDamping,
  type DampingSchedule,
  lossProportionalDamping,
  spectralDamping,
} from "../flow/damping-schedule.js";
import { monitor } from "../monitor/monitor.js";
import type { MonitorRecord } from "../monitor/monitor-report.js";
import {
  boundExcess,
  type Experiment,
  experimentFlow,
  lossCurve,
  range,
  runLine,
  seedsOf,
  show,
  slopeOn,
} from "./experiment.js";
import { type TargetKind, teacherProblem } from "./problems.js";

const alpha = 100;
const until = 5;
const scales = [1, 0.3, 0.1] as const;
const targets: readonly TargetKind[] = ["weakest", "random", "reachable"];

const rules: readonly { readonly label: string; readonly make: () => DampingSchedule }[] = [
  { label: "spectral, c = 1", make: () => spectralDamping() },
  { label: "spectral, c = 10", make: () => spectralDamping({ c: 10 }) },
  { label: "rho = 1e-7", make: () => constantDamping(1e-7) },
  { label: "rho = 0.0001", make: () => constantDamping(1e-4) },
  { label: "rho = 0.01", make: () => constantDamping(1e-2) },
  { label: "rho = 0.1", make: () => constantDamping(0.1) },
  { label: "rho = 0.5", make: () => constantDamping(0.5) },
  { label: "loss-proportional", make: () => lossProportionalDamping() },
];

interface Measured {
  readonly rule: string;
  readonly scale: number;
  readonly target: TargetKind;
  readonly excess: number;
  readonly slope: number;
  /** Mean of 1 + lambda over the records. */
  readonly promised: number;
  readonly ended: boolean;
}

export const damping: Experiment = {
  name: "damping",
  title: "A damping that keeps the promised rate has to follow the smallest eigenvalue",
  about: "theory",
  defaults: { seed: 1, seeds: 5, samples: 40, width: 200 },
  regime: "over",
  run: async (context) => {
    const { settings } = context;
    const { samples, width } = settings;
    const runs: Record<string, unknown>[] = [];
    const measured: Measured[] = [];
    const charts: Chart[] = [];
    for (const scale of scales)
      for (const target of targets) {
        const series: Chart["series"][number][] = [];
        for (const seed of seedsOf(settings))
          for (const [hue, { label, make }] of rules.entries()) {
            context.progress(`input scale ${scale}, target ${target}, seed ${seed}, ${label}`);
            const problem = await teacherProblem({ seed, samples, width, scale, alpha, target });
            const watch = monitor({ drift: false, parts: false, optimum: 0 });
            const result = await experimentFlow(context, problem, { until, monitor: watch, damping: make() });
            const lambda = (result.monitor?.records ?? []).map(
              (record: MonitorRecord) => record.spectrum?.smallest ?? 0,
            );
            const one = {
              rule: label,
              scale,
              target,
              excess: boundExcess(result.records, lambda),
              slope: slopeOn(result.records, 1, until),
              promised: 1 + lambda.reduce((sum, value) => sum + value, 0) / lambda.length,
              ended: result.reason.code === "until",
            };
            measured.push(one);
            runs.push(runLine({ experiment: "damping", seed, ...one }, result));
            if (seed === settings.seed) {
              series.push({ label, ...lossCurve(result.records), hue });
              if (hue === 0) series.push(promisedSeries(result.records, lambda));
            }
          }
        if (target !== "reachable" && scale !== 0.1) charts.push(chart(scale, target, series, measured));
      }
    const of = (rule: string, target?: TargetKind, scale?: number) =>
      measured.filter(
        (one) =>
          one.rule === rule &&
          (target === undefined || one.target === target) &&
          (scale === undefined || one.scale === scale),
      );
    const broken = (list: readonly Measured[]) => list.filter(({ excess }) => excess > 0.01).length;
    const spectral = of("spectral, c = 1");
    const weakest = of("spectral, c = 1", "weakest", 1);
    const fixed = of("rho = 0.1", "weakest");
    const proportional = of("loss-proportional", "weakest");
    const ratios = weakest.map(({ slope, promised }) => -slope / promised);
    return {
      purpose: `One hidden layer of ${width} tanh units on ${samples} samples (more parameters than equations), output scale ${alpha}. With λ the smallest eigenvalue of the kernel and rho = cλ/(1+cλ) the slowest mode of the loss decays at 2(1+cλ)/(1+c): for c = 1 the loss keeps exp(-∫(1+λ)dt), whatever λ is. A fixed rho keeps that only while it is at most λ/(1+λ), which nobody knows beforehand; one that follows the loss does not. The dashed line is that promise: an upper bound, which the loss may lie far below.`,
      claims: [
        {
          claim: "Spectral damping (c = 1) keeps exp(-∫(1+λ)dt) on every target",
          promised: "log g/g(0) + ∫(1+λ)dt ≤ 0.01 at every accepted step",
          measured: `largest ${show(Math.max(...spectral.map(({ excess }) => excess)))} over ${spectral.length} runs`,
          holds: spectral.every(({ excess, ended }) => ended && excess <= 0.01),
        },
        {
          claim: "On the weakest eigenvector, input scale 1, the rate is 1 + λ exactly",
          promised: "-slope/(1+λ) = 1 within 1%",
          measured: range(ratios, 5),
          holds: ratios.every((ratio) => Math.abs(ratio - 1) <= 0.01),
        },
        {
          claim: "A fixed rho = 0.1 breaks that bound on the weakest eigenvector",
          promised: "breaks it wherever λ/(1+λ) < 0.1: all runs at input scales 0.3 and 0.1",
          measured: `breaks it in ${broken(fixed)} of ${fixed.length} runs, by up to ${show(Math.max(...fixed.map(({ excess }) => excess)))}`,
          holds: broken(fixed.filter(({ scale }) => scale < 1)) === fixed.filter(({ scale }) => scale < 1).length,
        },
        {
          claim: "Loss-proportional damping breaks it there too",
          promised: "all runs at input scales 0.3 and 0.1",
          measured: `breaks it in ${broken(proportional)} of ${proportional.length} runs, by up to ${show(Math.max(...proportional.map(({ excess }) => excess)))}`,
          holds:
            broken(proportional.filter(({ scale }) => scale < 1)) ===
            proportional.filter(({ scale }) => scale < 1).length,
        },
        {
          claim: "On a reachable target every rule looks fine: the weakest mode is the test",
          promised: "no rule breaks the bound",
          measured: `${broken(reachable(measured))} of ${reachable(measured).length} runs break it`,
          holds: broken(reachable(measured)) === 0,
        },
      ],
      charts,
      tables: scales.map((scale) => ({
        title: `Largest log g/g(0) + ∫(1+λ)dt over the seeds, input scale ${scale} (above 0.01: the promise is broken)`,
        columns: ["damping", ...targets.map((target) => `target: ${target}`)],
        rows: rules.map(({ label }) => [
          label,
          ...targets.map((target) => show(Math.max(...of(label, target, scale).map(({ excess }) => excess)))),
        ]),
      })),
      runs,
    };
  },
};

function reachable(measured: readonly Measured[]): Measured[] {
  return measured.filter(({ target }) => target === "reachable");
}

function promisedSeries(
  records: readonly { readonly time: number }[],
  lambda: readonly number[],
): Chart["series"][number] {
  let integral = 0;
  const y = records.map(({ time }, i) => {
    if (i > 0) integral += (time - records[i - 1].time) * (1 + 0.5 * (lambda[i] + lambda[i - 1]));
    return Math.exp(-integral);
  });
  return { label: "upper bound exp(-∫(1+λ)dt)", x: records.map(({ time }) => time), y, style: "dashed", hue: 0 };
}

function chart(
  scale: number,
  target: TargetKind,
  series: readonly Chart["series"][number][],
  measured: readonly Measured[],
): Chart {
  const worst = (rule: string) =>
    show(
      Math.max(
        ...measured
          .filter((one) => one.rule === rule && one.scale === scale && one.target === target)
          .map(({ excess }) => excess),
      ),
      3,
    );
  const where = target === "weakest" ? "along the weakest eigenvector" : "random";
  return {
    id: `${target}-${String(scale).replace(".", "")}`,
    title: `Loss over time, target ${where}, input scale ${scale}`,
    alt: `Log of the relative loss against time for ${rules.length} damping rules, target ${where}, input scale ${scale}. Largest excess over the promised curve: spectral damping ${worst("spectral, c = 1")}, rho = 0.1 ${worst("rho = 0.1")}, loss-proportional ${worst("loss-proportional")}.`,
    x: { label: "time t", scale: "linear" },
    y: { label: "g(t)/g(0)", scale: "log" },
    series,
  };
}

// Experiment 6 runs flows and a training on real data, the fuel consumption of 398 cars, with fewer and with more parameters than samples,
// and states what the monitor reports. experiments.ts runs it for gaussflow experiment real.
import { join } from "node:path";
import { readCsv } from "../data/read-csv.js";
import type { Chart } from "../document.js";
import { spectralDamping } from "../flow/damping-schedule.js";
import { type FlowResult, flow } from "../flow/flow.js";
import { levenbergMarquardt } from "../method/levenberg-marquardt/levenberg-marquardt.js";
import { checkAssumptions } from "../monitor/assumptions.js";
import { monitor } from "../monitor/monitor.js";
import type { MonitorReport } from "../monitor/monitor-report.js";
import { recommendOutputScale } from "../monitor/output-scale.js";
import { network } from "../network/network.js";
import { requiredPackageRoot } from "../package-root.js";
import { train } from "../train/train.js";
import { boundExcess, type Experiment, lossCurve, promisedCurve, runLine, seedsOf, show } from "./experiment.js";

const until = 6;
/** Numeric columns beside the target. */
const inputSize = 6;
/** Hidden units of the network with more parameters than samples. */
const wide = 64;

interface Line {
  readonly label: string;
  readonly seed: number;
  readonly alpha: number;
  readonly result: FlowResult<MonitorReport>;
}

export const real: Experiment = {
  name: "real",
  title: "Real data: 398 cars, with fewer and with more parameters than samples",
  about: "theory",
  defaults: { seed: 1, seeds: 1, samples: 398, width: 6 },
  regime: "under",
  parameters: (width) => (inputSize + 2) * width + 1,
  mostSamples: 398,
  run: async (context) => {
    const { settings, backend, threads, signal } = context;
    const path = join(requiredPackageRoot("the experiment real"), "examples", "data", "auto-mpg.csv");
    const table = await readCsv(path, { target: "mpg", ignore: ["name", "origin"], missing: "mean" });
    const data = table.select(spread(Math.min(settings.samples, table.sampleCount), table.sampleCount));
    const few = table.select(spread(Math.ceil(data.sampleCount / 4), table.sampleCount));
    const runs: Record<string, unknown>[] = [];
    const under: Line[] = [];
    const over: Line[] = [];
    const held: boolean[] = [];
    const verdicts: string[][] = [];
    const excess: number[] = [];
    for (const seed of seedsOf(settings)) {
      const advice = { backend, threads, signal };
      const small = (outputScale: number) =>
        network({ layers: [data.inputSize, settings.width, 1], centered: true, outputScale, seed });
      const large = (outputScale: number) =>
        network({ layers: [data.inputSize, wide, 1], initialization: "symmetric", outputScale, seed });
      context.progress(`seed ${seed}: assumptions`);
      const scale = (await recommendOutputScale(small(1), data, advice)).outputScale ?? 1;
      const scaleLarge = (await recommendOutputScale(large(1), few, advice)).outputScale ?? 1;
      const applies = [
        await checkAssumptions(small(scale), data, advice),
        await checkAssumptions(large(scaleLarge), few, advice),
      ];
      held.push(...applies.map((one) => one.applies));
      const cases = [
        { list: under, label: "Gauss-Newton flow", net: small(scale), damping: 0 },
        { list: under, label: "Gauss-Newton flow, alpha = 1", net: small(1), damping: 0 },
        { list: under, label: "gradient flow", net: small(scale), damping: 1 },
        { list: over, label: "Levenberg-Marquardt flow", net: large(scaleLarge), damping: spectralDamping() },
        { list: over, label: "Levenberg-Marquardt flow, rho = 0.1", net: large(scaleLarge), damping: 0.1 },
        { list: over, label: "Levenberg-Marquardt flow, alpha = 1", net: large(1), damping: spectralDamping() },
      ];
      for (const { list, label, net, damping } of cases) {
        context.progress(`seed ${seed}: ${label}`);
        const result = await flow(net, list === over ? few : data, {
          damping,
          until,
          monitor: monitor(),
          backend,
          threads,
          signal,
        });
        signal?.throwIfAborted();
        const { outputScale: alpha } = net.architecture;
        list.push({ label, seed, alpha, result });
        runs.push(runLine({ experiment: "real", label, seed, alpha, parameters: net.parameterCount }, result));
        verdicts.push([label, String(net.parameterCount), show(alpha, 3), ...verdictCells(result)]);
        if (label === "Levenberg-Marquardt flow")
          excess.push(
            boundExcess(
              result.records,
              result.records.map(({ smallestEigenvalue }) => smallestEigenvalue ?? 0),
            ),
          );
      }
      context.progress(`seed ${seed}: training`);
      const trained = await train(network({ layers: [data.inputSize, settings.width, 1], seed }), data, {
        method: levenbergMarquardt({ scaling: "identity" }),
        validation: false,
        monitor: monitor(),
        backend,
        threads,
        signal,
      });
      signal?.throwIfAborted();
      const { verdict, converged, rate } = trained.monitor ?? {};
      runs.push({
        experiment: "real",
        label: "train",
        seed,
        reason: trained.reason.code,
        iterations: trained.iterations,
        verdict: verdict?.code,
        converged: converged?.holds,
      });
      verdicts.push([
        `train (Levenberg-Marquardt, ${trained.iterations} iterations)`,
        String(trained.network.parameterCount),
        "1",
        rate ? show(rate.measured) : "-",
        rate?.promised ? show(rate.promised) : "-",
        verdict?.code ?? "-",
        `${verdict?.message ?? ""}; converged: ${converged?.message ?? ""}`,
      ]);
    }
    const gauss = under.filter(({ label }) => label === "Gauss-Newton flow").map(({ result }) => result.monitor);
    const levenberg = over
      .filter(({ label }) => label === "Levenberg-Marquardt flow")
      .map(({ result }) => result.monitor);
    const gradient = under.filter(({ label }) => label === "gradient flow").map(({ result }) => result.monitor);
    const codes = (reports: typeof gauss) => reports.map((report) => report?.verdict.code ?? "-").join(", ");
    return {
      purpose: `Fuel consumption of ${data.sampleCount} cars (UCI Auto MPG) from ${data.inputSize} numeric inputs, standardized: a network of ${settings.width} tanh units with fewer parameters than samples (centered), and one of ${wide} units on every fourth car, with more (symmetric). Output scales are what recommendOutputScale suggests. The optimum of the small network is not 0: its rate is that of the residual's tangent part.`,
      claims: [
        {
          claim: "At the recommended output scale the assumptions of the theory hold",
          promised: "checkAssumptions: applies, for both networks",
          measured: `${held.filter(Boolean).length} of ${held.length}`,
          holds: held.every(Boolean),
        },
        {
          claim: "Underparameterized: Gauss-Newton flow reaches the best predictor of its class at rate 2",
          promised: "verdict on-theory",
          measured: `${codes(gauss)}; rate ${gauss.map((report) => show(report?.rate?.measured ?? Number.NaN, 5)).join(", ")}`,
          holds: gauss.every((report) => report?.verdict.code === "on-theory"),
        },
        {
          claim: "Overparameterized: spectral damping keeps exp(-∫(1+λ)dt)",
          promised: "log g/g(0) + ∫(1+λ)dt ≤ 0.01, verdict on-theory or faster-than-promised",
          measured: `${excess.map((value) => show(value)).join(", ")}; ${codes(levenberg)}`,
          holds:
            excess.every((value) => value <= 0.01) &&
            levenberg.every((report) => ["on-theory", "faster-than-promised"].includes(report?.verdict.code ?? "")),
        },
        {
          claim: "The monitor tells what holds gradient flow back",
          promised: "verdict damping-limited",
          measured: codes(gradient),
          holds: gradient.every((report) => report?.verdict.code === "damping-limited"),
        },
      ],
      charts: charts(under, over),
      tables: [
        {
          title: "Verdicts",
          columns: ["run", "parameters", "alpha", "rate", "promised", "verdict", "in words"],
          rows: verdicts,
        },
      ],
      runs,
    };
  },
};

/** `count` of `total` rows, evenly spaced: the cars are in order of their year. */
function spread(count: number, total: number): number[] {
  return Array.from({ length: count }, (_, k) => Math.floor((k * total) / count));
}

function verdictCells({ monitor: report, reason }: FlowResult<MonitorReport>): string[] {
  const { rate, verdict } = report ?? {};
  return [
    rate ? show(rate.measured) : "-",
    rate?.promised ? show(rate.promised) : "-",
    reason.code === "until" ? (verdict?.code ?? "-") : reason.code,
    reason.code === "until" ? (verdict?.message ?? "") : reason.message,
  ];
}

function charts(under: readonly Line[], over: readonly Line[]): Chart[] {
  const first = (list: readonly Line[]) => list.filter(({ seed }) => seed === list[0].seed);
  const end = ({ label, result }: Line) =>
    `${label} ${show((result.records.at(-1)?.objective ?? Number.NaN) / result.records[0].objective, 3)}`;
  const lambda = over[0].result.records[0].smallestEigenvalue ?? 0;
  return [
    {
      id: "under",
      title: "Fewer parameters than samples: tangent part of the residual",
      alt: `Squared norm of the residual's tangent part, relative to the start, over time on a log axis. The Gauss-Newton flow falls along exp(-2t); gradient flow is far slower. At the end the losses themselves are: ${first(under).map(end).join(", ")}.`,
      x: { label: "time t", scale: "linear" },
      y: { label: "tangent² / start", scale: "log" },
      series: [
        ...first(under).map(({ label, result }, hue) => tangentSeries(label, result, hue)),
        { label: "promised exp(-2t)", ...promisedCurve(2, until), style: "dashed", hue: 0 },
      ],
    },
    {
      id: "over",
      title: "More parameters than samples: loss",
      alt: `Loss relative to the start over time on a log axis. At the end: ${first(over).map(end).join(", ")}; the promise with spectral damping is exp(-(1+λ)t) with λ = ${show(lambda, 3)}.`,
      x: { label: "time t", scale: "linear" },
      y: { label: "g(t)/g(0)", scale: "log" },
      series: [
        ...first(over).map(({ label, result }, hue) => ({ label, ...lossCurve(result.records), hue })),
        { label: "upper bound exp(-(1+λ)t)", ...promisedCurve(1 + lambda, until), style: "dashed", hue: 0 },
      ],
    },
  ];
}

function tangentSeries(
  label: string,
  { monitor: report }: FlowResult<MonitorReport>,
  hue: number,
): Chart["series"][number] {
  const records = report?.records ?? [];
  const start = records[0]?.tangentNorm ?? 1;
  return {
    label,
    x: records.map(({ position }) => position),
    y: records.map(({ tangentNorm }) =>
      tangentNorm === null || tangentNorm === 0 ? null : (tangentNorm / start) ** 2,
    ),
    hue,
  };
}

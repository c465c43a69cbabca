// The Levenberg-Marquardt part of experiment 4 (discrete.ts): it takes damped steps on an overparameterized problem and compares the factor
// by which each step reduces the loss with the promised one (derived here, after Cayci). For large alpha a step with damping mu multiplies
// the residual along an eigenvector of K = alpha^2 J J^T with eigenvalue k by mu/(k + mu). With lambda the smallest eigenvalue of K
//
//   g_(k+1)/g_k <= (mu/(lambda + mu))^2          with equality for a residual along the weakest eigenvector
//   mu = c lambda:  (c/(1+c))^2                  for every lambda: adaptive damping makes the factor independent of the conditioning
import { createEngine } from "../backend/create.js";
import { type Failure, failed } from "../backend/engine.js";
import type { Chart, Claim, Table } from "../document.js";
import { GaussflowError } from "../errors.js";
import { spectralDamping } from "../flow/damping-schedule.js";
import { levenbergMarquardt } from "../method/levenberg-marquardt/levenberg-marquardt.js";
import { discretizationGap } from "../monitor/discretization-gap.js";
import { monitor } from "../monitor/monitor.js";
import { engineData } from "../run/prepare.js";
import { extremeEigenvalues } from "../spectrum/spectrum.js";
import { train } from "../train/train.js";
import { type ExperimentContext, type Findings, median, range, seedsOf, show } from "./experiment.js";
import { type Problem, type TargetKind, teacherProblem } from "./problems.js";

/** Problems of this part: more parameters than equations. */
const over = { samples: 40, width: 200 } as const;
const scales = [1, 0.5, 0.3] as const;
const targets: readonly TargetKind[] = ["weakest", "random"];
/** So large that full steps from the start stay linear along the weakest eigenvector too. */
const alpha = 1e7;
/** Losses below this share of that at the start are too close to the rounding of alpha (f(w) - f(w_0)) for a factor. */
const floor = 1e-8;
/** Relative tolerance of the comparison of a measured with a promised factor. */
const tolerance = 0.01;
/** A step that promises a smaller factor than this is nearly undamped: the curvature of the network decides its factor, not the damping. */
const damped = 1e-3;
const euler = { etas: [0.1, 0.3], until: 6 } as const;
/** Name of the run whose damping is the method's own. */
const TRAINED = "train";

interface Rule {
  readonly label: string;
  readonly steps: number;
  /** mu from the smallest eigenvalue of K here and the largest at the start. */
  readonly damping: (smallest: number, largest: number) => number;
}

const rules: readonly Rule[] = [
  { label: "mu = λ", steps: 12, damping: (smallest) => smallest },
  { label: "mu = λ/10", steps: 6, damping: (smallest) => smallest / 10 },
  { label: "mu = λ_max/10", steps: 12, damping: (_, largest) => largest / 10 },
];

/** One damped step: the factor by which the loss fell, and what was promised. */
export interface DampedIterate {
  /** Number of the step, from 1. */
  readonly k: number;
  readonly damping: number;
  /** Smallest eigenvalue of K before the step. */
  readonly smallest: number;
  /** g after the step over g before it. */
  readonly factor: number;
  readonly promised: number;
  /** g after the step over g at the start. */
  readonly relativeLoss: number;
}

interface Run {
  readonly rule: string;
  readonly scale: number;
  readonly target: TargetKind;
  readonly seed: number;
  readonly iterates: readonly DampedIterate[];
}

/** The factor that a step with damping mu promises for the loss, lambda the smallest eigenvalue of K. */
export function promisedFactor(damping: number, smallest: number): number {
  return (damping / (smallest + damping)) ** 2;
}

/** `steps` full damped steps from the network's parameters on; fewer where the loss reaches the level of its rounding. */
export async function dampedIterates(
  { network, data }: Problem,
  { steps, damping }: Pick<Rule, "steps" | "damping">,
  { backend, threads, signal }: Pick<ExperimentContext, "backend" | "threads" | "signal">,
): Promise<DampedIterate[]> {
  const prepared = await engineData(network, data, null, signal);
  const engine = createEngine(network.architecture, prepared, { backend, threads });
  const rows: DampedIterate[] = [];
  const linearized = async (parameters: Float64Array) =>
    sound(await engine.linearize(parameters, { curvature: "dual", decay: 0, scaling: null }, signal));
  try {
    let w = network.parameters.slice();
    let { loss } = await linearized(w);
    const start = loss;
    let largest: number | null = null;
    for (let k = 1; k <= steps && loss > floor * start; k++) {
      const spectrum = await extremeEigenvalues(engine, {}, signal);
      largest ??= spectrum.largest;
      const { smallest } = spectrum;
      const mu = damping(smallest, largest);
      const { step } = sound(await engine.solve({ damping: mu, decay: 0, scaling: null }, signal));
      w = w.map((value, j) => value + step[j]!);
      const after = (await linearized(w)).loss;
      const promised = promisedFactor(mu, smallest);
      rows.push({ k, damping: mu, smallest, factor: after / loss, promised, relativeLoss: after / start });
      loss = after;
    }
  } finally {
    engine.dispose();
  }
  return rows;
}

function sound<T extends { readonly ok: true }>(answer: T | Failure): T {
  if (failed(answer)) throw new GaussflowError("GAUSSFLOW_INTERNAL", `a damped step failed: ${answer.message}`);
  return answer;
}

/**
 * The same of a training by Levenberg-Marquardt, whose damping follows the gain ratio: its accepted steps, the eigenvalue by the monitor.
 * Its records count mu in units of alpha^2, as K here.
 */
async function trainedIterates(
  { network, data }: Problem,
  { backend, threads, signal }: ExperimentContext,
): Promise<DampedIterate[]> {
  const { records, monitor: report } = await train(network, data, {
    method: levenbergMarquardt({ scaling: "identity", acceleration: false, initialDamping: 1 }),
    monitor: monitor({ drift: false, parts: false, optimum: 0 }),
    standardize: false,
    validation: false,
    route: "dual",
    stop: { iterations: 30 },
    backend,
    threads,
    signal,
  });
  signal?.throwIfAborted();
  const spectra = new Map((report?.records ?? []).map(({ position, spectrum }) => [position, spectrum]));
  const accepted = records.filter((record) => record.accepted);
  const start = accepted[0]!.objective;
  const rows: DampedIterate[] = [];
  for (let i = 1; i < accepted.length && accepted[i]!.objective > floor * start; i++) {
    const { iteration, damping, objective } = accepted[i]!;
    const smallest = alpha ** 2 * (spectra.get(iteration - 1)?.smallest ?? Number.NaN);
    const promised = promisedFactor(damping, smallest);
    const factor = objective / accepted[i - 1]!.objective;
    if (promised < damped) break;
    rows.push({ k: iteration, damping, smallest, factor, promised, relativeLoss: objective / start });
  }
  return rows;
}

/** Smallest eigenvalue of J J^T at the start. */
async function smallestAtStart({ network, data }: Problem, { backend, threads, signal }: ExperimentContext) {
  const engine = createEngine(network.architecture, await engineData(network, data, null, signal), {
    backend,
    threads,
  });
  try {
    const request = { curvature: "dual", decay: 0, scaling: null } as const;
    sound(await engine.linearize(network.parameters, request, signal));
    return (await extremeEigenvalues(engine, { scale: network.architecture.outputScale ** 2 }, signal)).smallest;
  } finally {
    engine.dispose();
  }
}

/** Relative distances of the gap between Euler iterates and the flow with spectral damping from linear theory, on the weakest eigenvector. */
async function gapErrors(problem: Problem, context: ExperimentContext): Promise<number[]> {
  const { backend, threads, signal } = context;
  // The residual falls at half the rate of the loss, which is 1 + lambda.
  const rate = (1 + (await smallestAtStart(problem, context))) / 2;
  const errors: number[] = [];
  for (const step of euler.etas) {
    const steps = Math.floor(euler.until / step + 1e-9);
    const options = { damping: spectralDamping(), standardize: false, backend, threads, signal };
    const { rows } = await discretizationGap(problem.network, problem.data, { step, steps }, options);
    signal?.throwIfAborted();
    for (const { k, time, predictions } of rows) {
      const linear = Math.abs((1 - step * rate) ** k - Math.exp(-rate * time));
      if (linear > 1e-3) errors.push(Math.abs(predictions - linear) / linear);
    }
  }
  return errors;
}

/** All runs of this part, with claims, a chart and a table for the report of experiment `discrete`. */
export async function dampedFindings(context: ExperimentContext): Promise<Omit<Findings, "purpose">> {
  const { settings } = context;
  const runs: Run[] = [];
  const gaps: number[] = [];
  for (const scale of scales)
    for (const seed of seedsOf(settings))
      for (const target of targets) {
        const problem = await teacherProblem({ ...over, seed, scale, alpha, target });
        for (const rule of rules) {
          context.progress(`Levenberg-Marquardt, input scale ${scale}, target ${target}, seed ${seed}, ${rule.label}`);
          runs.push({ rule: rule.label, scale, target, seed, iterates: await dampedIterates(problem, rule, context) });
        }
        context.progress(`Levenberg-Marquardt, input scale ${scale}, target ${target}, seed ${seed}, train`);
        runs.push({ rule: TRAINED, scale, target, seed, iterates: await trainedIterates(problem, context) });
        if (target !== "weakest" || scale !== 1) continue;
        context.progress(`Levenberg-Marquardt, Euler iterates, seed ${seed}`);
        gaps.push(...(await gapErrors(problem, context)));
      }
  return {
    claims: claims(runs, gaps),
    charts: [chart(runs.filter(({ seed }) => seed === settings.seed))],
    tables: [table(runs)],
    runs: runs.flatMap(({ iterates, ...run }) =>
      iterates.map((iterate) => ({ experiment: "discrete", part: "levenberg-marquardt", ...run, ...iterate })),
    ),
  };
}

const ratios = (runs: readonly Run[]) =>
  runs.flatMap(({ iterates }) => iterates.map(({ factor, promised }) => factor / promised));

function claims(runs: readonly Run[], gaps: readonly number[]): Claim[] {
  const fixed = runs.filter(({ rule }) => rule !== TRAINED);
  const weakest = ratios(fixed.filter(({ target }) => target === "weakest"));
  const all = ratios(fixed);
  const adaptive = runs.filter(({ rule }) => rule === rules[0]!.label).flatMap(({ iterates }) => iterates);
  const factors = adaptive.map(({ factor }) => factor);
  const trained = ratios(runs.filter(({ rule }) => rule === TRAINED));
  const off = Math.max(...weakest.map((ratio) => Math.abs(ratio - 1)));
  const error = Math.max(...gaps);
  return [
    {
      claim:
        "Levenberg-Marquardt iterates: on the weakest eigenvector each step reduces the loss by the promised factor",
      promised: "(mu/(λ+mu))² within 1% at every step, for three dampings and three input scales",
      measured: `off by at most ${show(100 * off, 2)}% over ${weakest.length} steps`,
      holds: weakest.length > 0 && off <= tolerance,
    },
    {
      claim: "On any target a step reduces the loss by that factor or more",
      promised: "g after/g before ≤ 1.01 (mu/(λ+mu))²",
      measured: `largest measured/promised ${show(Math.max(...all), 5)} over ${all.length} steps`,
      holds: all.length > 0 && all.every((ratio) => ratio <= 1 + tolerance),
    },
    {
      claim: "A damping that follows the smallest eigenvalue, mu = λ, gives a factor that no conditioning changes",
      promised: "at most 1/4 within 1% a step",
      measured: `largest ${show(Math.max(...factors), 5)} for λ from ${range(
        adaptive.map(({ smallest }) => smallest / alpha ** 2),
        2,
      )} (of J J^T)`,
      holds: factors.length > 0 && factors.every((factor) => factor <= 0.25 * (1 + tolerance)),
    },
    {
      claim: "train(): the damping that follows the gain ratio keeps the factor of its own mu",
      promised: "g after/g before ≤ 1.01 (mu/(λ+mu))² at every accepted step until that is below 0.001",
      measured: `largest measured/promised ${show(Math.max(...trained), 5)} over ${trained.length} steps`,
      holds: trained.length > 0 && trained.every((ratio) => ratio <= 1 + tolerance),
    },
    {
      claim: "Small Euler steps follow the Levenberg-Marquardt flow as linear theory says",
      promised: `|(1-eta (1+λ)/2)^k - exp(-(1+λ) k eta/2)| within 2%, eta = ${euler.etas.join(", ")}`,
      measured: `off by at most ${show(100 * error, 2)}% over ${gaps.length} iterates`,
      holds: gaps.length > 0 && error <= 0.02,
    },
  ];
}

function chart(runs: readonly Run[]): Chart {
  const scale = scales[1];
  const shown = runs.filter((run) => run.scale === scale && run.target === "weakest");
  return {
    id: "damped-factor",
    title: `Factor of the loss at each Levenberg-Marquardt step, input scale ${scale}, target along the weakest eigenvector`,
    alt: `Loss after a step over the loss before it, for damped steps with mu = λ, λ/10 and a tenth of the largest eigenvalue, and for a training, beside (mu/(λ+mu))². Median factors: ${shown.map(({ rule, iterates }) => `${rule} ${show(medianFactor(iterates), 3)}`).join(", ")}.`,
    x: { label: "step", scale: "linear" },
    y: { label: "loss after / loss before", scale: "log" },
    series: shown.flatMap(({ rule, iterates }, hue) => [
      { label: rule, x: iterates.map(({ k }) => k), y: iterates.map(({ factor }) => factor), style: "points", hue },
      {
        label: `promised, ${rule}`,
        x: iterates.map(({ k }) => k),
        y: iterates.map(({ promised }) => promised),
        style: "dashed",
        hue,
      },
    ]),
  };
}

const medianFactor = (iterates: readonly DampedIterate[]) => median(iterates.map(({ factor }) => factor));

function table(runs: readonly Run[]): Table {
  const rows = scales.flatMap((scale) =>
    [...rules.map(({ label }) => label), TRAINED].map((rule) => {
      const of = (target: TargetKind) =>
        runs
          .filter((run) => run.scale === scale && run.rule === rule && run.target === target)
          .flatMap(({ iterates }) => iterates);
      const cells = targets.flatMap((target) => [
        show(medianFactor(of(target)), 3),
        show(median(of(target).map(({ promised }) => promised)), 3),
      ]);
      return [scale, rule, ...cells];
    }),
  );
  return {
    title: "Levenberg-Marquardt: factor of the loss a step, medians over steps and seeds",
    columns: ["input scale", "damping", ...targets.flatMap((target) => [`${target}: measured`, `${target}: promised`])],
    rows,
  };
}

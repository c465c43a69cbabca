// Experiment 7 asks what rate the Gauss-Newton flow has for losses other than squared error. The constants of a strongly convex loss promise
// one (derived here, after Cayci): with l'' >= m and Q <= L, and g* the least loss that the linearized network can reach,
//
//   -dg/dt = F^T (J^T Q J)^-1 F >= |P r|^2/L >= 2 (m/L) (g - g*)       P projects on the range of J; no eigenvalue of J is in it
//
// With the exact factor Q = l'' the gradient itself falls as exp(-t), so that near the optimum the rate is 2, that of squared error. With a
// majorizing factor it is there between 2 min l''/Q and 2 max l''/Q. experiments.ts runs it for gaussflow experiment loss-rates.
import { Dataset } from "../data/dataset.js";
import type { Chart, Claim, Table } from "../document.js";
import { logistic } from "../loss/logistic.js";
import type { LossRule } from "../loss/loss.js";
import { pseudoHuber } from "../loss/pseudo-huber.js";
import { lossRule } from "../loss/rules.js";
import { fitRate } from "../monitor/rate-fit.js";
import { sigmoid } from "../network/activations.js";
import { Random } from "../random.js";
import { startSpectrum } from "./conditioning.js";
import { type Experiment, type ExperimentContext, median, promisedCurve, range, seedsOf, show } from "./experiment.js";
import { type FlowLoss, type LossFlowRecord, lossFlow } from "./loss-flow.js";
import { type Problem, teacherProblem } from "./problems.js";

const scales = [1, 0.3, 0.1] as const;
/** The paths of these losses are not straight: along weak directions of J they go far, and alpha has to keep J constant there too. */
const alpha = 1e6;
const until = 8;
/** The last rate of a run is fitted from here on. */
const late = 6;
/** Weight of the quadratic part: l'' is from QUADRATIC to 1 + QUADRATIC. */
const QUADRATIC = 0.25;
/** Largest logit of the targets. */
const LOGIT = 3;
/** Rounding and time integration leave the promised bound this much. */
const slack = 1e-4;

/** The terms of a rule of the library, one entry a sample. The metric is its own R^2. */
function termsOf(rule: LossRule, psi: Float64Array, targets: Float64Array) {
  const [value, gradient, metric] = [0, 1, 2].map(() => new Float64Array(psi.length)) as Float64Array[];
  const seeds = { factor: new Float64Array(1), z: new Float64Array(1), gradient: new Float64Array(1) };
  for (let i = 0; i < psi.length; i++) {
    const block = { count: 1, outputSize: 1, roots: null, first: 0 };
    value![i] = rule.apply(
      { ...block, predictions: psi.subarray(i, i + 1), targets: targets.subarray(i, i + 1) },
      seeds,
    );
    gradient![i] = seeds.gradient[0]!;
    metric![i] = seeds.factor[0]! ** 2;
  }
  return { value: value!, gradient: gradient!, metric: metric! };
}

/** The logistic loss, whose factor is exact. */
const logisticLoss: FlowLoss = {
  label: "logistic loss",
  terms: (psi, targets) => {
    const terms = termsOf(lossRule(logistic()), psi, targets);
    return { ...terms, second: terms.metric };
  },
  least: (targets) => {
    const logits = targets.map((y) => Math.log(y) - Math.log1p(-y));
    return termsOf(lossRule(logistic()), logits, targets).value;
  },
};

/**
 * Pseudo-Huber loss plus a quadratic part, d^2 (sqrt(1 + (e/d)^2) - 1) + q e^2/2: strongly convex with modulus q and not quadratic.
 * @param metric which curvature the flow divides by
 */
function pseudoHuberPlusQuadratic(d: number, metric: "exact" | "majorizing"): FlowLoss {
  const rule = lossRule(pseudoHuber({ delta: d }));
  return {
    label: `pseudo-Huber loss plus quadratic, ${metric} factor`,
    terms: (psi, targets) => {
      const { value, gradient, metric: majorizing } = termsOf(rule, psi, targets);
      const second = new Float64Array(psi.length).fill(1);
      const block = { count: psi.length, outputSize: 1, predictions: psi, targets, roots: null, first: 0 };
      rule.applyHessian(block, second);
      const e = psi.map((one, i) => one - targets[i]!);
      const plus = (values: Float64Array) => values.map((one) => one + QUADRATIC);
      return {
        value: value.map((one, i) => one + 0.5 * QUADRATIC * e[i]! * e[i]!),
        gradient: gradient.map((one, i) => one + QUADRATIC * e[i]!),
        second: plus(second),
        metric: plus(metric === "exact" ? second : majorizing),
      };
    },
    least: (targets) => new Float64Array(targets.length),
  };
}

const KINDS = ["pseudo-Huber + quadratic", "pseudo-Huber + quadratic, majorizing", "logistic"] as const;
type Kind = (typeof KINDS)[number];

interface Run {
  readonly kind: Kind;
  readonly scale: number;
  readonly seed: number;
  /** Squared condition number of J at the start. */
  readonly condition: number;
  readonly records: readonly LossFlowRecord[];
  /** Why it ended before its time; null where it did not. */
  readonly ended: string | null;
  /** 2 m/L. */
  readonly promised: number;
  /** Least (-dg/dt)/(g - g*) over the records. */
  readonly least: number;
  /** Fitted rate of the excess loss from `late` on. */
  readonly final: number;
}

const rms = (values: Float64Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

/** The problem of a kind, and its loss: half of the residuals at the start lie where the pseudo-Huber loss is nearly linear. */
async function caseOf(kind: Kind, seed: number, scale: number, { settings }: ExperimentContext) {
  const options = { ...settings, seed, scale, alpha, target: "reachable" } as const;
  const problem = await teacherProblem(options);
  if (kind !== "logistic") {
    const metric = kind === "pseudo-Huber + quadratic" ? "exact" : "majorizing";
    return { problem, loss: pseudoHuberPlusQuadratic(rms(problem.data.targets) / 2, metric) };
  }
  const largest = problem.data.targets.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const { network, data } = await teacherProblem({ ...options, spread: LOGIT / largest });
  return { problem: { network, data: withTargets(data, data.targets.map(sigmoid)) }, loss: logisticLoss };
}

function withTargets(data: Dataset, targets: Float64Array): Dataset {
  return new Dataset({ ...data.fields(), targets });
}

/** Constants m and L: of the loss itself, or on the largest logit of the path. */
function constants(kind: Kind, records: readonly LossFlowRecord[]): { readonly m: number; readonly most: number } {
  if (kind !== "logistic") return { m: QUADRATIC, most: 1 + QUADRATIC };
  return { m: Math.min(...records.map(({ least }) => least)), most: 0.25 };
}

async function oneRun(kind: Kind, seed: number, scale: number, context: ExperimentContext): Promise<Run> {
  const { problem, loss } = await caseOf(kind, seed, scale, context);
  const { condition } = await startSpectrum(problem, context);
  const { records, ended } = await lossFlow(problem, loss, until, context);
  const { m, most } = constants(kind, records);
  return {
    kind,
    scale,
    seed,
    condition,
    records,
    ended,
    promised: (2 * m) / most,
    least: Math.min(...records.map(({ dissipation, excess }) => dissipation / excess)),
    final: finalRate(records, (record) => record.excess, late, until),
  };
}

function finalRate(
  records: readonly LossFlowRecord[],
  value: (record: LossFlowRecord) => number,
  from: number,
  to: number,
): number {
  const points = records.filter(({ time }) => time >= from && time <= to);
  return fitRate(points.map((one) => ({ position: one.time, value: value(one) })))?.measured ?? Number.NaN;
}

/** The end of a flow whose residuals stay: a tenth of the targets are outliers. */
interface OutlierRun {
  readonly seed: number;
  readonly metric: "exact" | "majorizing";
  readonly final: number;
  /** 2 min l''/Q and 2 max l''/Q at the end. */
  readonly bounds: readonly [number, number];
}

async function outlierRun(metric: OutlierRun["metric"], seed: number, context: ExperimentContext): Promise<OutlierRun> {
  const { network, data } = await teacherProblem({ ...context.settings, seed, scale: 1, alpha, target: "reachable" });
  const size = rms(data.targets);
  const draw = new Random(seed, 2);
  const targets = data.targets.map((y, i) => (i % 10 === 0 ? y + 5 * size * Math.sign(draw.normal()) : y));
  const problem: Problem = { network, data: withTargets(data, targets) };
  const { records } = await lossFlow(problem, pseudoHuberPlusQuadratic(size / 2, metric), 3 * until, context);
  const end = records.at(-1);
  if (end === undefined) return { seed, metric, final: Number.NaN, bounds: [Number.NaN, Number.NaN] };
  // The least loss is not known: the flow's own end is so much closer to it that the fit does not see the difference.
  const final = finalRate(records, ({ excess }) => excess - end.excess, late, 1.25 * until);
  return { seed, metric, final, bounds: [2 * end.ratios[0], 2 * end.ratios[1]] };
}

export const lossRates: Experiment = {
  name: "loss-rates",
  title: "For a strongly convex loss the Gauss-Newton flow keeps the rate of its constants",
  about: "theory",
  defaults: { seed: 1, seeds: 3, samples: 200, width: 5 },
  regime: "under",
  run: async (context) => {
    const { settings } = context;
    const runs: Run[] = [];
    const outliers: OutlierRun[] = [];
    for (const kind of KINDS)
      for (const scale of scales)
        for (const seed of seedsOf(settings)) {
          context.progress(`${kind}, input scale ${scale}, seed ${seed}`);
          runs.push(await oneRun(kind, seed, scale, context));
        }
    for (const metric of ["exact", "majorizing"] as const)
      for (const seed of seedsOf(settings)) {
        context.progress(`targets with outliers, ${metric} factor, seed ${seed}`);
        outliers.push(await outlierRun(metric, seed, context));
      }
    return {
      purpose: `Gauss-Newton flow of three losses that are strongly convex and not quadratic: the pseudo-Huber loss plus a quadratic part (q = ${QUADRATIC}) with its exact and with its majorizing factor, and the logistic loss on targets whose logits are at most ${LOGIT}. Reachable targets, output scale ${alpha.toExponential(0)}, input scales ${scales.join(", ")}. With l'' ≥ m and a curvature factor Q ≤ L the excess loss falls at least at rate 2 m/L, whatever the eigenvalues of the Gram matrix are. That is a bound from constants: with the exact factor the gradient falls as exp(-t), and near the optimum the rate is 2, as for squared error.`,
      claims: claims(runs, outliers, settings.samples),
      charts: KINDS.map((kind) =>
        chart(
          kind,
          runs.filter((run) => run.kind === kind && run.seed === settings.seed),
        ),
      ),
      tables: [table(runs)],
      runs: [
        ...runs.map(({ records, ...run }) => ({ experiment: "loss-rates", ...run, steps: records.length - 1 })),
        ...outliers.map((run) => ({ experiment: "loss-rates", kind: "outliers", ...run })),
      ],
    };
  },
};

function claims(runs: readonly Run[], outliers: readonly OutlierRun[], samples: number): Claim[] {
  const of = (...kinds: readonly Kind[]) => runs.filter(({ kind }) => kinds.includes(kind));
  const [exact, majorizing, bounded] = KINDS;
  const withExact = of(exact, bounded);
  const decay = withExact.flatMap(({ records }) =>
    records.map(({ time, gradientNorm }) => Math.abs((gradientNorm / records[0]!.gradientNorm) * Math.exp(time) - 1)),
  );
  const [finals, straight] = [runs.map(({ final }) => final), of(majorizing).map(straightness)];
  const whole = runs.every(({ ended }) => ended === null);
  return [
    boundClaim("Pseudo-Huber plus quadratic: the rate is at least what the constants promise", of(exact, majorizing)),
    boundClaim("Logistic on bounded logits: the rate is at least what the constants promise", of(bounded)),
    {
      claim: "With the exact factor the gradient falls as exp(-t) for every conditioning",
      promised: "|F(t)| exp(t)/|F(0)| = 1 within 1%, at every step",
      measured: `off by at most ${show(100 * Math.max(...decay), 2)}%, condition numbers ${range(
        withExact.map(({ condition }) => condition),
        2,
      )}`,
      holds: whole && decay.every((off) => off <= 0.01),
    },
    {
      claim: "Near a target that can be reached the rate is that of squared error",
      promised: `rate of the excess loss on [${late}, ${until}] 2 ± 0.02 in all runs, each of which ends at its time`,
      measured: `${range(finals, 5)} on ${samples} samples, ${runs.filter(({ ended }) => ended === null).length} of ${runs.length} runs`,
      holds: whole && finals.every((rate) => Math.abs(rate - 2) <= 0.02),
    },
    {
      claim: "With the majorizing factor all residuals shrink together, and the rate of the loss is between 1 and 2",
      promised: "(-dg/dt)/g in [1, 2] at every step",
      measured: `${show(Math.min(...straight.map(([low]) => low)), 5)} to ${show(Math.max(...straight.map(([, high]) => high)), 5)}`,
      holds: whole && straight.every(([low, high]) => low >= 1 - slack && high <= 2 + slack),
    },
    {
      claim: "Targets with outliers, whose residuals stay: the factor decides the rate at the end",
      promised: "exact: 2 ± 0.02; majorizing: between 2 min l''/Q and 2 max l''/Q at the end",
      measured: `exact: ${range(finalsOf(outliers, "exact"), 5)}; majorizing: ${range(finalsOf(outliers, "majorizing"), 4)}, bounds ${range(
        outliers.filter(({ metric }) => metric === "majorizing").flatMap(({ bounds }) => bounds),
        3,
      )}`,
      holds: outliers.every(({ metric, final, bounds: [low, high] }) =>
        metric === "exact" ? Math.abs(final - 2) <= 0.02 : final >= low - slack && final <= high + slack,
      ),
    },
  ];
}

const finalsOf = (outliers: readonly OutlierRun[], metric: OutlierRun["metric"]) =>
  outliers.filter((run) => run.metric === metric).map(({ final }) => final);

/** Extremes of (-dg/dt)/g over a run. */
function straightness({ records }: Run): readonly [number, number] {
  const rates = records.map(({ dissipation, excess }) => dissipation / excess);
  return [Math.min(...rates), Math.max(...rates)];
}

function boundClaim(claim: string, runs: readonly Run[]): Claim {
  const promised = runs.map((run) => run.promised);
  return {
    claim,
    promised: `(-dg/dt)/(g - g*) ≥ 2 m/L = ${range(promised, 3)} at every step`,
    measured: `least ${range(
      runs.map(({ least }) => least),
      3,
    )} in ${runs.length} runs`,
    holds: runs.every(({ ended, least, promised: bound }) => ended === null && least >= bound * (1 - slack)),
  };
}

function chart(kind: Kind, runs: readonly Run[]): Chart {
  const promised = Math.min(...runs.map((run) => run.promised));
  return {
    id: `excess-${KINDS.indexOf(kind) + 1}`,
    title: `Excess loss over time, ${kind}`,
    alt: `Excess loss relative to the start for input scales ${runs.map(({ scale }) => scale).join(", ")}, ${kind}. The rates at the end are ${runs.map(({ final }) => show(final, 4)).join(", ")}; the constants promise ${show(promised, 3)}, and near the optimum the rate is 2.`,
    x: { label: "t", scale: "linear" },
    y: { label: "(g(t) - g*)/(g(0) - g*)", scale: "log" },
    series: [
      ...runs.map(({ scale, records }, hue) => ({
        label: `input scale ${scale}`,
        x: records.map(({ time }) => time),
        y: records.map(({ excess }) => (excess > 0 ? excess / records[0]!.excess : null)),
        hue,
      })),
      { label: "exp(-2 m/L t)", ...promisedCurve(promised, until), style: "dashed" as const, hue: runs.length },
      { label: "exp(-2t)", ...promisedCurve(2, until), style: "dashed" as const, hue: runs.length + 1 },
    ],
  };
}

function table(runs: readonly Run[]): Table {
  return {
    title: "Rates of the excess loss (medians over seeds)",
    columns: [
      "loss",
      "input scale",
      "condition of J^T J",
      "promised 2 m/L",
      "least on the way",
      `on [${late}, ${until}]`,
    ],
    rows: KINDS.flatMap((kind) =>
      scales.map((scale) => {
        const list = runs.filter((run) => run.kind === kind && run.scale === scale);
        const of = (value: (run: Run) => number, digits: number) => show(median(list.map(value)), digits);
        return [
          kind,
          scale,
          of(({ condition }) => condition, 2),
          of(({ promised }) => promised, 3),
          of(({ least }) => least, 3),
          of(({ final }) => final, 5),
        ];
      }),
    ),
  };
}

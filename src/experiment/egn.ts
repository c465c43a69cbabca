// The experiment about exact Gauss-Newton on batches (EGN): its step against the definition, its fixed point, what the
// published adaptation of the damping does, and its error beside that of Adam on a robot arm, after equal numbers of
// passes over the rows and at equal seconds. egn-classes.ts has the comparison on many classes. experiments.ts runs it
// for gaussflow experiment egn.
import { createEngine } from "../backend/create.js";
import type { Chart, Claim, Table } from "../document.js";
import { squaredError } from "../loss/squared-error.js";
import { adam } from "../method/adam.js";
import type { BatchMethod } from "../method/batch-method.js";
import { exactGaussNewton } from "../method/exact-gauss-newton.js";
import { type Network, network } from "../network/network.js";
import type { TrainRecord } from "../run/record.js";
import type { TrainResult } from "../train/train-result.js";
import { CLASSES, classCharts, classTable, compareOnClasses } from "./egn-classes.js";
import { type Experiment, type ExperimentContext, range, seedsOf, show } from "./experiment.js";
import { teacherProblem } from "./problems.js";
import { JOINTS, robotArm } from "./robot-arm.js";
import { ADAM_RATES, curvesOf, epochsWithin, experimentTraining, leastBy } from "./training.js";

/**
 * Rows of Adam's batches, of which the better counts as well: more steps in a pass, or the batches of the other method.
 */
const BATCHES = [32, 256] as const;
const EPOCHS = 20;
/** Rows of the small problems, on which matrices are written out. */
const SMALL = 40;
const DAMPING = 1e-2;
/** Damping that keeps the steps on all rows within the model: no line search does. */
const STEADY = 0.3;

export const egn: Experiment = {
  name: "egn",
  title: "Exact Gauss-Newton on batches",
  about: "methods",
  defaults: { seed: 1, seeds: 3, samples: 8000, width: 16 },
  regime: "any",
  run: async (context) => {
    const { settings } = context;
    const residuals: number[] = [];
    const measures: number[] = [];
    const lowered: number[] = [];
    const bounded: number[] = [];
    for (const seed of seedsOf(settings)) {
      context.progress(`small problem, seed ${seed}`);
      residuals.push(await stepResidual(context, seed));
      measures.push((await fixedPoint(context, seed)).records.at(-1)!.gradientCosine);
      lowered.push(await dampingRatio(context, seed, "published"));
      bounded.push(await dampingRatio(context, seed, "bounded"));
    }
    const arms = [];
    for (const seed of seedsOf(settings)) arms.push(await compareOnArm(context, seed));
    const ratios = arms.map(({ ours, adam: best }) => ours.error / best.error);
    const classRuns = [];
    for (const seed of seedsOf(settings)) classRuns.push(...(await compareOnClasses(context, seed, EPOCHS)));
    return {
      purpose: `Exact Gauss-Newton solves the damped Gauss-Newton system of each batch exactly (docs/methods.md). On small problems its step is put into the system that defines it, with the Jacobian written out. On the distance of the end of a robot arm with ${JOINTS} joints from a point, ${settings.samples} rows without noise, a network with two hidden layers of ${settings.width} units is trained for ${EPOCHS} passes, beside Adam at the rates ${ADAM_RATES.join(", ")} and batches of ${BATCHES.join(" and ")} rows, of which the run with the least error on the validation rows counts. Errors are mean squares on ${settings.samples} other rows, as shares of the variance of the targets. In the charts over seconds Adam trains at each rate for the seconds that exact Gauss-Newton took. On ${CLASSES} made classes the sampled curvature is compared with the exact one and with Adam at equal seconds.`,
      claims: [
        ...definitionClaims(residuals, measures),
        ...dampingClaims(lowered, bounded),
        {
          claim: "On the robot arm it is ahead of the best of ten Adams after equal numbers of passes",
          promised: "test error at most 0.9 of Adam's, every seed",
          measured: `${range(ratios, 2)} of Adam's`,
          holds: ratios.every((ratio) => ratio <= 0.9),
        },
        await threadsClaim(context),
      ],
      charts: [...armCharts(arms[0]), ...classCharts(classRuns, settings.seed)],
      tables: [armTable(arms), classTable(classRuns)],
      runs: [
        ...arms
          .flatMap(({ ours, all, timed }) => [ours, ...all, ...timed])
          .map(({ records: _, label: __, ...run }) => ({
            experiment: "egn",
            ...run,
          })),
        ...classRuns.map(({ records: _, ...run }) => ({ experiment: "egn", classes: CLASSES, ...run })),
      ],
    };
  },
};

/** The rounding of a solve with a condition of at most some 1e5, and of the difference of the parameters. */
const DEFINED = 1e-9;

function definitionClaims(residuals: readonly number[], measures: readonly number[]): Claim[] {
  return [
    {
      claim: "The step d solves (J^T J/b + lambda I) d = -g/b",
      promised: `|residual| at most ${DEFINED} |g/b|`,
      measured: range(residuals, 2),
      holds: residuals.every((residual) => residual <= DEFINED),
    },
    {
      claim: "With all rows in a batch it converges to a point where the gradient of the whole objective is 0",
      promised: "largest entry of the gradient at most 1e-8 of that at the start",
      measured: range(measures, 2),
      holds: measures.every((measure) => measure <= 1e-8),
    },
  ];
}

function dampingClaims(published: readonly number[], bounded: readonly number[]): Claim[] {
  return [
    {
      claim:
        "The published adaptation lowers the damping at nearly every step: it judges the step on the rows that made it",
      promised: `after ${ADAPTED} steps at rate ${SHORT} the damping is at most 0.99^${0.9 * ADAPTED} of the first`,
      measured: `${range(published, 2)} of the first, by the seed`,
      holds: published.every((ratio) => ratio <= 0.99 ** (0.9 * ADAPTED)),
    },
    {
      claim: "The bounded adaptation keeps a tenth of the first damping",
      promised: "at least 0.1 of the first",
      measured: range(bounded, 3),
      holds: bounded.every((ratio) => ratio >= 0.1 * (1 - 4 * Number.EPSILON)),
    },
  ];
}

/** |(J^T J/b + lambda I) d + g/b| / |g/b| of one step on all rows. */
async function stepResidual(context: ExperimentContext, seed: number): Promise<number> {
  const { network: net, data } = await small(seed);
  const method = exactGaussNewton({ batch: "all", damping: DAMPING, rate: 1, schedule: "constant", momentum: 0 });
  const options = { method, standardize: false, loss: squaredError(), stop: { iterations: 1 } };
  const { last } = await experimentTraining(context, net, data, options);
  const step = last.parameters.map((value, j) => value - net.parameters[j]);
  const { sampleCount, inputs, targets } = data;
  const engine = createEngine(net.architecture, { sampleCount, inputs, targets }, { backend: context.backend });
  try {
    const [psi, jacobian] = [
      await engine.forward(net.parameters),
      await engine.jacobian(net.parameters, 0, sampleCount),
    ];
    const p = step.length;
    const left = step.map((value) => DAMPING * value);
    const right = new Float64Array(p);
    for (let i = 0; i < sampleCount; i++) {
      const row = jacobian.subarray(i * p, (i + 1) * p);
      const along = row.reduce((sum, value, j) => sum + value * step[j], 0);
      for (let j = 0; j < p; j++) {
        left[j] += (row[j] * along) / sampleCount;
        right[j] += (row[j] * (psi[i] - targets[i])) / sampleCount;
      }
    }
    return Math.hypot(...left.map((value, j) => value + right[j])) / Math.hypot(...right);
  } finally {
    engine.dispose();
  }
}

/** A teacher problem of a few rows, not centered. */
function small(seed: number) {
  const options = { samples: SMALL, width: 5, scale: 1, alpha: 1, target: "reachable", start: "ordinary" } as const;
  return teacherProblem({ ...options, seed });
}

async function fixedPoint(context: ExperimentContext, seed: number): Promise<TrainResult> {
  const { network: net, data } = await small(seed);
  const method = exactGaussNewton({ batch: "all", damping: STEADY, rate: 1, schedule: "constant", momentum: 0 });
  const options = { method, loss: squaredError({ decay: 1 }), stop: { iterations: 20_000, gradient: 1e-8 } };
  return experimentTraining(context, net, data, options);
}

/** Learning rate of these steps. */
const SHORT = 0.3;
/** Steps after which the damping is compared with the first. */
const ADAPTED = 300;

async function dampingRatio(
  context: ExperimentContext,
  seed: number,
  adaptation: "published" | "bounded",
): Promise<number> {
  const method = exactGaussNewton({ batch: 32, damping: DAMPING, rate: SHORT, schedule: "constant", adaptation });
  const options = { method, stop: { iterations: ADAPTED + 1 } };
  const { records } = await experimentTraining(context, armNetwork(8, seed), robotArm(1000, seed), options);
  return records.at(-1)!.damping / (32 * DAMPING);
}

function armNetwork(width: number, seed: number): Network {
  return network({ layers: [JOINTS, width, width, 1], seed });
}

/** A run on the arm. */
interface ArmRun {
  readonly seed: number;
  readonly method: "exact-gauss-newton" | "adam";
  readonly label: string;
  /** Of Adam; null for the other. */
  readonly rate: number | null;
  readonly batch: number | null;
  readonly epochs: number;
  readonly seconds: number;
  readonly records: readonly TrainRecord[];
  /**
   * Mean squares on the rows of the test, as a share of the targets' variance; on the validation rows as the records
   * have it.
   */
  readonly error: number;
  readonly validation: number;
}

interface ArmComparison {
  readonly seed: number;
  readonly ours: ArmRun;
  /** Adam for as many epochs: all runs, and the best of them. */
  readonly all: readonly ArmRun[];
  readonly adam: ArmRun;
  /** Adam for as many seconds, at every rate with the batches of the best. */
  readonly timed: readonly ArmRun[];
}

async function compareOnArm(context: ExperimentContext, seed: number): Promise<ArmComparison> {
  const { samples, width } = context.settings;
  const [data, test] = [robotArm(samples, seed), robotArm(samples, seed + 1_000_000)];
  const variance = varianceOf(test.targets);
  const run = async (
    method: BatchMethod,
    of: Pick<ArmRun, "method" | "label" | "rate" | "batch">,
    epochs: number,
  ): Promise<ArmRun> => {
    const stop = { epochs, patience: epochs + 1 };
    const options = { method, validation: 0.15, seed, stop };
    const result = await experimentTraining(context, armNetwork(width, seed), data, options);
    const predicted = result.network.predict(test.inputs);
    const squares = test.targets.reduce((sum, value, i) => sum + (predicted[i] - value) ** 2, 0);
    return {
      ...of,
      seed,
      epochs,
      seconds: result.seconds,
      records: result.records,
      error: squares / test.sampleCount / variance,
      validation: result.validationLoss ?? Number.NaN,
    };
  };
  const runAdam = (rate: number, batch: number, epochs: number) => {
    const of = { method: "adam", label: `Adam, rate ${rate}`, rate, batch } as const;
    return run(adam({ batch, rate, schedule: "cosine" }), of, epochs);
  };
  context.progress(`robot arm, seed ${seed}: exact Gauss-Newton`);
  const of = { method: "exact-gauss-newton", label: "exact Gauss-Newton", rate: null, batch: null } as const;
  // The first run compiles the code.
  await run(exactGaussNewton(), of, 2);
  const ours = await run(exactGaussNewton(), of, EPOCHS);
  const all: ArmRun[] = [];
  // A small number of rows has no batches of the usual sizes.
  const most = Math.max(1, Math.floor(samples / 2));
  for (const batch of new Set(BATCHES.map((rows) => Math.min(rows, most))))
    for (const rate of ADAM_RATES) {
      context.progress(`robot arm, seed ${seed}: Adam, rate ${rate}, batch ${batch}`);
      all.push(await runAdam(rate, batch, EPOCHS));
    }
  const best = leastBy(all, ({ validation }) => validation);
  const batch = best.batch ?? most;
  const timed: ArmRun[] = [];
  for (const rate of ADAM_RATES) {
    context.progress(`robot arm, seed ${seed}: Adam, rate ${rate}, ${show(ours.seconds, 2)} s`);
    const epochs = await epochsWithin(ours.seconds, (count) => runAdam(rate, batch, count));
    timed.push(await runAdam(rate, batch, epochs));
  }
  return { seed, ours, adam: best, all, timed };
}

const bestOf = (timed: readonly ArmRun[]) => leastBy(timed, ({ validation }) => validation);

function varianceOf(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
}

async function threadsClaim(context: ExperimentContext): Promise<Claim> {
  context.progress("one and two threads");
  const data = robotArm(2000, context.settings.seed);
  const lastOf = async (threads: number) => {
    const options = { method: exactGaussNewton(), stop: { epochs: 2 }, validation: false } as const;
    return (await experimentTraining({ ...context, threads }, armNetwork(32, 1), data, options)).last.parameters;
  };
  const [one, two] = [await lastOf(1), await lastOf(2)];
  const different = one.reduce((count, value, j) => count + (Object.is(value, two[j]) ? 0 : 1), 0);
  return {
    claim: "One and two threads give the same bits",
    promised: "0 parameters differ",
    measured: `${different} of ${one.length} differ`,
    holds: different === 0,
  };
}

function armCharts({ seed, ours, adam: best, timed }: ArmComparison): Chart[] {
  const end = ({ records }: ArmRun) => show(records.at(-1)!.validationLoss ?? Number.NaN, 2);
  const axis = { label: "mean squared error on the validation rows", scale: "log" } as const;
  const ahead = bestOf(timed);
  return [
    {
      id: "passes",
      title: `Robot arm, equal numbers of passes, seed ${seed}`,
      alt: `Mean squared error on the validation rows by passes over the rows: exact Gauss-Newton ends at ${end(ours)}, the best of ten Adams (rate ${best.rate}, batches of ${best.batch}) at ${end(best)}.`,
      x: { label: "passes over the rows", scale: "linear" },
      y: axis,
      series: curvesOf([ours, best], "epoch", "validationLoss"),
    },
    {
      id: "seconds",
      title: `Robot arm, equal seconds, seed ${seed}`,
      alt: `Mean squared error on the validation rows by seconds: exact Gauss-Newton ends at ${end(ours)} after ${show(ours.seconds, 2)} s. Adam with batches of ${ahead.batch} ends at ${timed.map((run) => `${end(run)} with rate ${run.rate}`).join(", ")}.`,
      x: { label: "seconds", scale: "linear" },
      y: axis,
      series: curvesOf([ours, ...timed], "elapsed", "validationLoss"),
    },
  ];
}

function armTable(arms: readonly ArmComparison[]): Table {
  return {
    title: `Robot arm: test error as a share of the targets' variance, after ${EPOCHS} passes and at the seconds of exact Gauss-Newton`,
    columns: ["seed", "exact Gauss-Newton", "Adam", "rate", "batch", "ratio", "seconds", "Adam then", "rate", "ratio"],
    rows: arms.map(({ seed, ours, adam: best, timed }) => {
      const ahead = bestOf(timed);
      return [
        seed,
        show(ours.error),
        show(best.error),
        best.rate ?? "-",
        best.batch ?? "-",
        show(ours.error / best.error, 2),
        show(ours.seconds, 2),
        show(ahead.error),
        ahead.rate ?? "-",
        show(ours.error / ahead.error, 2),
      ];
    }),
  };
}

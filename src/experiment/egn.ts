// The experiment about exact Gauss-Newton on batches (EGN): its step against the definition, its fixed point, what the published adaptation of
// the damping does, and its error beside that of Adam after equal numbers of passes over the rows of a robot arm. experiments.ts runs it for
// gaussflow experiment egn.
import { createEngine } from "../backend/create.js";
import type { Dataset } from "../data/dataset.js";
import type { Chart, Claim } from "../document.js";
import { squaredError } from "../loss/squared-error.js";
import { adam } from "../method/adam.js";
import type { BatchMethod } from "../method/batch-method.js";
import { exactGaussNewton } from "../method/exact-gauss-newton.js";
import { type Network, network } from "../network/network.js";
import type { TrainRecord } from "../run/record.js";
import { train } from "../train/train.js";
import type { TrainOptions } from "../train/train-options.js";
import type { TrainResult } from "../train/train-result.js";
import { type Experiment, type ExperimentContext, range, seedsOf, show } from "./experiment.js";
import { teacherProblem } from "./problems.js";
import { JOINTS, robotArm } from "./robot-arm.js";

/** Learning rates of Adam; the one with the least error on the validation rows counts. */
const RATES = [3e-4, 1e-3, 3e-3, 1e-2, 3e-2] as const;
/** Rows of Adam's batches, of which the better counts as well: more steps in a pass, or the batches of the other method. */
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
    return {
      purpose: `Exact Gauss-Newton solves the damped Gauss-Newton system of each batch exactly (docs/methods.md). On small problems its step is put into the system that defines it, with the Jacobian written out. On the distance of the end of a robot arm with ${JOINTS} joints from a point, ${settings.samples} rows without noise, a network with two hidden layers of ${settings.width} units is trained for ${EPOCHS} passes, beside Adam at the rates ${RATES.join(", ")} and batches of ${BATCHES.join(" and ")} rows, of which the run with the least error on the validation rows counts. Errors are mean squares on ${settings.samples} other rows, as shares of the variance of the targets.`,
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
      charts: [armChart(arms[0], settings.seed)],
      tables: [
        {
          title: `Test error after ${EPOCHS} passes, as a share of the targets' variance`,
          columns: ["seed", "exact Gauss-Newton", "best Adam", "its rate", "its batch", "ratio"],
          rows: arms.map(({ seed, ours, adam: best }, k) => [
            seed,
            show(ours.error),
            show(best.error),
            best.rate,
            best.batch,
            show(ratios[k], 2),
          ]),
        },
      ],
      runs: arms.flatMap(({ seed, ours, all }) => [
        { experiment: "egn", seed, method: "exact-gauss-newton", error: ours.error, epochs: EPOCHS },
        ...all.map(({ rate, batch, error, validation }) => ({
          experiment: "egn",
          seed,
          method: "adam",
          rate,
          batch,
          error,
          validation,
          epochs: EPOCHS,
        })),
      ]),
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

/** Options of a training in this context. A run that was aborted is no measurement, so that throws. */
async function trained(
  { backend, threads, signal }: ExperimentContext,
  net: Network,
  data: Dataset,
  options: TrainOptions,
): Promise<TrainResult> {
  const result = await train(net, data, { backend, threads, signal, validation: false, ...options });
  signal?.throwIfAborted();
  return result;
}

/** |(J^T J/b + lambda I) d + g/b| / |g/b| of one step on all rows. */
async function stepResidual(context: ExperimentContext, seed: number): Promise<number> {
  const { network: net, data } = await small(seed);
  const method = exactGaussNewton({ batch: "all", damping: DAMPING, rate: 1, schedule: "constant", momentum: 0 });
  const options = { method, standardize: false, loss: squaredError(), stop: { iterations: 1 } };
  const { last } = await trained(context, net, data, options);
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
  return trained(context, net, data, options);
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
  const { records } = await trained(context, armNetwork(8, seed), robotArm(1000, seed), options);
  return records.at(-1)!.damping / (32 * DAMPING);
}

function armNetwork(width: number, seed: number): Network {
  return network({ layers: [JOINTS, width, width, 1], seed });
}

/** A run on the arm. */
interface ArmRun {
  readonly records: readonly TrainRecord[];
  /** Mean squares on the rows of the test, as a share of the targets' variance; on the validation rows as the records have it. */
  readonly error: number;
  readonly validation: number;
}

interface AdamRun extends ArmRun {
  readonly rate: number;
  readonly batch: number;
}

interface ArmComparison {
  readonly seed: number;
  readonly ours: ArmRun;
  readonly adam: AdamRun;
  readonly all: readonly AdamRun[];
}

async function compareOnArm(context: ExperimentContext, seed: number): Promise<ArmComparison> {
  const { samples, width } = context.settings;
  const [data, test] = [robotArm(samples, seed), robotArm(samples, seed + 1_000_000)];
  const variance = varianceOf(test.targets);
  const run = async (method: BatchMethod): Promise<ArmRun> => {
    const stop = { epochs: EPOCHS, patience: EPOCHS + 1 };
    const result = await trained(context, armNetwork(width, seed), data, { method, validation: 0.15, seed, stop });
    const predicted = result.network.predict(test.inputs);
    const squares = test.targets.reduce((sum, value, i) => sum + (predicted[i] - value) ** 2, 0);
    return {
      records: result.records,
      error: squares / test.sampleCount / variance,
      validation: result.validationLoss ?? Number.NaN,
    };
  };
  context.progress(`robot arm, seed ${seed}: exact Gauss-Newton`);
  const ours = await run(exactGaussNewton());
  const all: AdamRun[] = [];
  // A small number of rows has no batches of the usual sizes.
  const most = Math.max(1, Math.floor(samples / 2));
  for (const batch of new Set(BATCHES.map((rows) => Math.min(rows, most))))
    for (const rate of RATES) {
      context.progress(`robot arm, seed ${seed}: Adam, rate ${rate}, batch ${batch}`);
      all.push({ rate, batch, ...(await run(adam({ batch, rate, schedule: "cosine" }))) });
    }
  const best = all.reduce((one, other) =>
    other.validation < one.validation || Number.isNaN(one.validation) ? other : one,
  );
  return { seed, ours, adam: best, all };
}

function varianceOf(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
}

async function threadsClaim(context: ExperimentContext): Promise<Claim> {
  context.progress("one and two threads");
  const data = robotArm(2000, context.settings.seed);
  const lastOf = async (threads: number) => {
    const options = { method: exactGaussNewton(), stop: { epochs: 2 }, validation: false } as const;
    return (await trained({ ...context, threads }, armNetwork(32, 1), data, options)).last.parameters;
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

function armChart({ ours, adam: best }: ArmComparison, seed: number): Chart {
  const series = (label: string, { records }: ArmRun, hue: number) => ({
    label,
    x: records.map(({ epoch = 0 }) => epoch),
    y: records.map(({ validationLoss }) => validationLoss),
    hue,
  });
  const end = ({ records }: ArmRun) => show(records.at(-1)!.validationLoss ?? Number.NaN, 2);
  return {
    id: "egn-arm",
    title: `Error on the validation rows of the robot arm, seed ${seed}`,
    alt: `Mean squared error on the validation rows by passes: exact Gauss-Newton ends at ${end(ours)}, the best Adam (rate ${best.rate}, batch ${best.batch}) at ${end(best)}.`,
    x: { label: "passes over the rows", scale: "linear" },
    y: { label: "mean squared error", scale: "log" },
    series: [series("exact Gauss-Newton", ours, 0), series(`Adam, rate ${best.rate}, batch ${best.batch}`, best, 1)],
  };
}

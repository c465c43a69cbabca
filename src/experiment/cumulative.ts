// Experiment 9 checks the cumulative stochastic Gauss-Newton method against its definition (arXiv 2511.03972), and
// compares its moving average with its other forms and with Adam at equal seconds. The problem is smooth and without
// noise: the distance of the end of an arm with eight joints from a fixed point, by the joints' angles. experiments.ts
// runs it for gaussflow experiment cumulative.
import { createEngine } from "../backend/create.js";
import { cholesky, solveFactored } from "../backend/dense-cholesky.js";
import type { Dataset } from "../data/dataset.js";
import { dataset } from "../data/dataset-input.js";
import type { Chart, Claim, Table } from "../document.js";
import { GaussflowError } from "../errors.js";
import { Pace } from "../event-loop-yield.js";
import { adam } from "../method/adam.js";
import type { BatchMethod } from "../method/batch-method.js";
import { cumulativeGaussNewton } from "../method/cumulative/cumulative.js";
import { exactGaussNewton } from "../method/exact-gauss-newton.js";
import { levenbergMarquardt } from "../method/levenberg-marquardt/levenberg-marquardt.js";
import type { Method } from "../method/method.js";
import { predictions } from "../network/forward.js";
import { type Network, network } from "../network/network.js";
import type { TrainRecord } from "../run/record.js";
import type { StopOptions } from "../train/stop.js";
import { type Experiment, type ExperimentContext, median, range, seedsOf, show } from "./experiment.js";
import { JOINTS, robotArm } from "./robot-arm.js";
import { ADAM_RATES, curvesOf, epochsWithin, experimentTraining, leastBy } from "./training.js";

const epochs = 64;
const adamBatch = 128;
/** Share of the drawn rows that is kept for the test. */
const testShare = 0.25;
/** Adam's seconds over ours, at least: its epochs follow from pilots. */
const LEAST_SHARE = 0.8;
/** Largest ratio of the test errors that the claim allows. */
const MOST = 0.7;
/** Iterations of Levenberg-Marquardt, which sees all rows at each of them and takes its own time. */
const ITERATIONS = 200;
/** What trains for the seconds of the moving average besides Adam, by label. */
const PEERS: Readonly<Record<string, (samples: number) => BatchMethod>> = {
  "published form": () => cumulativeGaussNewton({ form: "published" }),
  "with forgetting": () => cumulativeGaussNewton({ form: "forgetting" }),
  "moving average, curvature of whole batches": (samples) => {
    const rows = Math.min(BATCH, Math.floor(samples / 2));
    return cumulativeGaussNewton({ batch: rows, curvatureRows: rows });
  },
  "exact Gauss-Newton": () => exactGaussNewton(),
};
/** Peers of the chart. */
const SHOWN: readonly string[] = ["published form", "exact Gauss-Newton"];
/** Rows of a batch of the moving average by default. */
const BATCH = 512;

interface Arm {
  readonly fit: Dataset;
  readonly test: Dataset;
}

/** Rows of the arm, inputs of variance 1 by their law and targets by their own; test rows in the same units. */
function drawArm(samples: number, seed: number): Arm {
  const count = Math.ceil(samples / (1 - testShare));
  const { inputs, targets } = robotArm(count, seed);
  const mean = targets.reduce((sum, value) => sum + value, 0) / count;
  const deviation = Math.sqrt(targets.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count);
  const part = (first: number, end: number) =>
    dataset({
      inputs: inputs.slice(first * JOINTS, end * JOINTS).map((angle) => (angle * Math.sqrt(12)) / Math.PI),
      targets: targets.slice(first, end).map((value) => (value - mean) / deviation),
      inputSize: JOINTS,
    });
  return { fit: part(0, samples), test: part(samples, count) };
}

interface Run {
  readonly label: string;
  readonly seed: number;
  readonly seconds: number;
  readonly steps: number;
  /** Mean squared error on the test rows at the end. */
  readonly error: number;
  readonly records: readonly TrainRecord[];
}

/** The moving average and the best Adam of a seed. */
interface Best {
  readonly ours: Run;
  readonly adam: Run;
}

async function fitBy(
  method: BatchMethod | Method,
  label: string,
  net: Network,
  { fit, test }: Arm,
  stop: StopOptions,
  seed: number,
  context: ExperimentContext,
): Promise<Run> {
  const result = await experimentTraining(context, net, fit, { method, stop, seed, standardize: false });
  const { last, records, seconds, iterations } = result;
  const psi = last.predict(test.inputs);
  const error = psi.reduce((sum, value, i) => sum + (value - test.targets[i]) ** 2, 0) / psi.length;
  return { label, seed, seconds, steps: iterations, error: Number.isFinite(error) ? error : Number.NaN, records };
}

/**
 * The published form on consecutive batches, step by step, against H_k and its step written out: the largest
 * difference.
 */
async function distanceFromDefinition(net: Network, { fit }: Arm, context: ExperimentContext): Promise<number> {
  const [rows, weight, damping, count] = [Math.min(32, fit.sampleCount), 0.5, 30, 6];
  const p = net.parameterCount;
  const data = {
    sampleCount: rows,
    inputs: fit.inputs.slice(0, rows * JOINTS),
    targets: fit.targets.slice(0, rows),
  };
  // All rows are one batch, so that the batches of the run are known.
  const part = dataset({ inputs: data.inputs, targets: data.targets, inputSize: JOINTS });
  const engine = createEngine(net.architecture, data, { backend: "typescript" });
  const method = cumulativeGaussNewton({ form: "published", weight, damping, batch: rows });
  let w = net.parameters;
  const h = new Float64Array(p * p);
  let worst = 0;
  try {
    for (let k = 1; k <= count; k++) {
      const jacobian = await engine.jacobian(w, 0, rows);
      const residual = predictions(net.architecture, w, data.inputs).map((value, i) => value - data.targets[i]);
      const step = new Float64Array(p);
      for (let i = 0; i < rows; i++)
        for (let a = 0; a < p; a++) {
          step[a] += jacobian[i * p + a] * residual[i];
          for (let b = 0; b < p; b++) h[a * p + b] += weight * jacobian[i * p + a] * jacobian[i * p + b];
        }
      const factor = h.slice();
      for (let a = 0; a < p; a++) factor[a * p + a] += damping;
      if ((await cholesky(factor, p, new Pace(context.signal))) >= 0)
        throw new GaussflowError("GAUSSFLOW_INTERNAL", "a sum of squares with a damping has no Cholesky factor");
      solveFactored(factor, p, step);
      w = w.map((value, a) => value - step[a]);
      const options = { method, stop: { iterations: k }, standardize: false };
      const { last } = await experimentTraining(context, net, part, options);
      worst = Math.max(worst, ...last.parameters.map((value, a) => Math.abs(value - w[a])));
    }
  } finally {
    engine.dispose();
  }
  return worst;
}

export const cumulative: Experiment = {
  name: "cumulative",
  title: "Cumulative Gauss-Newton: the published form is its definition, the moving average is ahead of Adam",
  about: "methods",
  defaults: { seed: 1, seeds: 3, samples: 32_000, width: 16 },
  regime: "any",
  run: async (context) => {
    const { settings } = context;
    const runs: Run[] = [];
    const best: Best[] = [];
    const distances: number[] = [];
    for (const seed of seedsOf(settings)) {
      const arm = drawArm(settings.samples, seed);
      const net = network({ layers: [JOINTS, settings.width, settings.width, 1], seed });
      context.progress(`seed ${seed}: published form`);
      distances.push(await distanceFromDefinition(net, arm, context));
      const fitWith = (method: BatchMethod, label: string, count: number) =>
        fitBy(method, label, net, arm, { epochs: count }, seed, context);
      context.progress(`seed ${seed}: moving average`);
      // The first run compiles the code.
      await fitWith(cumulativeGaussNewton(), "", 2);
      const ours = await fitWith(cumulativeGaussNewton(), "moving average", epochs);
      const timed = async (method: BatchMethod, label: string) => {
        context.progress(`seed ${seed}: ${label}, ${show(ours.seconds, 2)} s`);
        return fitWith(method, label, await epochsWithin(ours.seconds, (count) => fitWith(method, "", count)));
      };
      const others: Run[] = [];
      for (const [label, method] of Object.entries(PEERS)) others.push(await timed(method(settings.samples), label));
      context.progress(`seed ${seed}: Levenberg-Marquardt`);
      const stop = { iterations: ITERATIONS };
      others.push(await fitBy(levenbergMarquardt(), "Levenberg-Marquardt", net, arm, stop, seed, context));
      const adams: Run[] = [];
      const batch = Math.min(adamBatch, settings.samples);
      for (const rate of ADAM_RATES)
        adams.push(await timed(adam({ rate, batch, schedule: "cosine" }), `Adam, rate ${rate}`));
      best.push({ ours, adam: leastBy(adams, ({ error }) => error) });
      runs.push(ours, ...others, ...adams);
    }
    return {
      purpose: `The published method adds the curvatures of all batches up, so that its steps shrink as 1/k. A moving average of the mean curvature, warmed up before the first move, is a Gauss-Newton preconditioner that a batch's noise hardly moves. ${settings.samples} rows of a made arm with ${JOINTS} joints, network ${JOINTS}-${settings.width}-${settings.width}-1, ${epochs} epochs of the moving average; Adam trains for the same seconds at ${ADAM_RATES.length} rates on batches of ${adamBatch}, its rate falling along a cosine too. The other forms and exact Gauss-Newton train for these seconds at their defaults. The average whose curvature is that of whole batches shows what the default, half of each batch, gains. Levenberg-Marquardt takes ${ITERATIONS} iterations at most on all rows, and its own time.`,
      claims: claimsOf(distances, best),
      charts: [chartOf(best[0], runs)],
      tables: [tableOf(runs)],
      runs: runs.map(({ records, ...run }) => ({ experiment: "cumulative", ...run, records: records.length })),
    };
  },
};

function claimsOf(distances: readonly number[], best: readonly Best[]): Claim[] {
  const ratios = best.map(({ ours, adam: peer }) => ours.error / peer.error);
  return [
    {
      claim: "The published form is its definition, step by step",
      promised: "parameters within 1e-10 of those by H_k = alpha sum J^T J + lambda I",
      measured: `off by at most ${show(Math.max(...distances), 2)}`,
      holds: Math.max(...distances) <= 1e-10,
    },
    {
      claim: "The moving average is ahead of the best Adam at equal seconds",
      promised: `test error at most ${MOST} of Adam's (median over seeds)`,
      measured: `ratios ${range(ratios, 2)}, errors ${range(
        best.map(({ ours }) => ours.error),
        2,
      )} against ${range(
        best.map(({ adam: peer }) => peer.error),
        2,
      )}`,
      // A median of numbers that are not all finite says nothing, and Adam must have had its seconds.
      holds:
        ratios.every(Number.isFinite) &&
        best.every(({ ours, adam: peer }) => peer.seconds >= LEAST_SHARE * ours.seconds) &&
        median(ratios) <= MOST,
    },
  ];
}

/** Some of the runs; the table has all. */
function chartOf({ ours, adam: peer }: Best, runs: readonly Run[]): Chart {
  const list = [ours, peer, ...runs.filter(({ seed, label }) => seed === ours.seed && SHOWN.includes(label))];
  return {
    id: "error",
    title: `Mean squared error over seconds, seed ${ours.seed}`,
    alt: `Mean squared error on the training rows over seconds. Test errors at the end: ${list.map(({ label, error }) => `${label} ${show(error, 2)}`).join(", ")}.`,
    x: { label: "seconds", scale: "linear" },
    y: { label: "mean squared error", scale: "log" },
    series: curvesOf(list, "elapsed", "loss"),
  };
}

function tableOf(runs: readonly Run[]): Table {
  return {
    title: "Test errors at equal seconds (Levenberg-Marquardt: at its own)",
    columns: ["seed", "method", "steps", "seconds", "test mean squared error"],
    rows: runs.map(({ seed, label, steps, seconds, error }) => [seed, label, steps, show(seconds, 3), show(error, 2)]),
  };
}

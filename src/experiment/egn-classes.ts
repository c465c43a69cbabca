// Compares the sampled curvature of exact Gauss-Newton on batches with the exact curvature and with Adam, on a made
// classification of ten classes at equal seconds. egn.ts runs it as a part of the experiment egn.
//
// Inputs are normal, and a class is drawn from the probabilities of a teacher network with one hidden layer, so that no
// network can know all of them: log-losses end above 0.
import type { Dataset } from "../data/dataset.js";
import { dataset } from "../data/dataset-input.js";
import type { Chart, Table } from "../document.js";
import { softmaxCrossEntropy } from "../loss/softmax-cross-entropy.js";
import { adam } from "../method/adam.js";
import type { BatchMethod } from "../method/batch-method.js";
import { exactGaussNewton } from "../method/exact-gauss-newton.js";
import { predictions } from "../network/forward.js";
import { type Network, network } from "../network/network.js";
import { Random } from "../random.js";
import type { TrainRecord } from "../run/record.js";
import { type ExperimentContext, show } from "./experiment.js";
import { ADAM_RATES, curvesOf, epochsWithin, experimentTraining, leastBy } from "./training.js";

/** Classes, and so outputs. */
export const CLASSES = 10;
const INPUTS = 16;
const TEACHER_UNITS = 24;
/** Deviation of the teacher's outgoing weights: few rows are of another class than the most probable one. */
const SHARPNESS = 4;
/** Rows of Adam's batches: those of the sampled curvature. */
const ADAM_BATCH = 128;
const [TEACHER_STREAM, ROW_STREAM] = [31, 32];

interface ClassRun {
  readonly seed: number;
  readonly label: string;
  readonly epochs: number;
  readonly seconds: number;
  readonly records: readonly TrainRecord[];
  /** Mean log-loss and accuracy on the test rows. */
  readonly logLoss: number;
  readonly accuracy: number;
  /** Mean log-loss on the validation rows. */
  readonly validation: number;
}

/** A network whose outputs are the logits of the classes. */
function teacherOf(seed: number): Network {
  const random = new Random(seed, TEACHER_STREAM);
  const plain = network({ layers: [INPUTS, TEACHER_UNITS, CLASSES], activation: "tanh" });
  const incoming = INPUTS * TEACHER_UNITS;
  const parameters = Float64Array.from(
    { length: plain.parameterCount },
    (_, j) => random.normal() * (j < incoming ? 1 / Math.sqrt(INPUTS) : SHARPNESS),
  );
  return plain.withParameters(parameters);
}

/** Rows with classes drawn from softmax(logits): the largest of the logits with noise of the Gumbel distribution. */
function drawRows(teacher: Network, count: number, seed: number): Dataset {
  const random = new Random(seed, ROW_STREAM);
  const inputs = Float64Array.from({ length: count * INPUTS }, () => random.normal());
  const logits = predictions(teacher.architecture, teacher.parameters, inputs);
  const targets = new Float64Array(count * CLASSES);
  for (let row = 0; row < count; row++) {
    const noisy = Array.from(
      logits.subarray(row * CLASSES, (row + 1) * CLASSES),
      (logit) => logit - Math.log(-Math.log(Math.max(random.uniform(), Number.MIN_VALUE))),
    );
    targets[row * CLASSES + noisy.indexOf(Math.max(...noisy))] = 1;
  }
  return dataset({ inputs, targets, inputSize: INPUTS, outputSize: CLASSES });
}

/** Mean log-loss and accuracy of a trained network. */
function judge(net: Network, { inputs, targets, sampleCount }: Dataset) {
  const predicted = net.predict(inputs);
  let [loss, hits] = [0, 0];
  for (let row = 0; row < sampleCount; row++) {
    const chances = predicted.subarray(row * CLASSES, (row + 1) * CLASSES);
    const label = targets.indexOf(1, row * CLASSES) - row * CLASSES;
    loss -= Math.log(Math.max(chances[label]!, Number.MIN_VALUE));
    if (chances.indexOf(Math.max(...chances)) === label) hits++;
  }
  return { logLoss: loss / sampleCount, accuracy: hits / sampleCount };
}

/** Sampled curvature for so many epochs, and exact curvature and Adam at every rate for the seconds that it took. */
export async function compareOnClasses(
  context: ExperimentContext,
  seed: number,
  epochs: number,
): Promise<readonly ClassRun[]> {
  const { samples, width } = context.settings;
  const teacher = teacherOf(seed);
  const [data, test] = [drawRows(teacher, samples, seed), drawRows(teacher, samples, seed + 1_000_000)];
  const net = network({ layers: [INPUTS, 2 * width, width, CLASSES], seed });
  const run = async (label: string, method: BatchMethod, count: number): Promise<ClassRun> => {
    const stop = { epochs: count, patience: count + 1 };
    const options = { method, loss: softmaxCrossEntropy(), validation: 0.15, seed, stop };
    const {
      network: trained,
      records,
      seconds,
      validationLoss,
    } = await experimentTraining(context, net, data, options);
    const validation = validationLoss ?? Number.NaN;
    return { seed, label, epochs: count, seconds, records, validation, ...judge(trained, test) };
  };
  context.progress(`${CLASSES} classes, seed ${seed}: sampled curvature`);
  const method = exactGaussNewton({ curvature: "sampled" });
  // The first run compiles the code.
  await run("", method, 2);
  const sampled = await run("sampled curvature", method, epochs);
  const timed = async (label: string, other: BatchMethod) => {
    context.progress(`${CLASSES} classes, seed ${seed}: ${label}, ${show(sampled.seconds, 2)} s`);
    return run(label, other, await epochsWithin(sampled.seconds, (count) => run("", other, count)));
  };
  const exact = await timed("exact curvature", exactGaussNewton({ curvature: "exact" }));
  const batch = Math.min(ADAM_BATCH, Math.max(1, Math.floor(samples / 2)));
  const adams: ClassRun[] = [];
  for (const rate of ADAM_RATES)
    adams.push(await timed(`Adam, rate ${rate}`, adam({ batch, rate, schedule: "cosine" })));
  return [sampled, exact, leastBy(adams, ({ validation }) => validation)];
}

export function classCharts(all: readonly ClassRun[], seed: number): Chart[] {
  const runs = all.filter((run) => run.seed === seed);
  const ends = runs.map(
    ({ label, logLoss, accuracy }) => `${label} ${show(logLoss, 3)} and ${(100 * accuracy).toFixed(1)}%`,
  );
  return [
    {
      id: "classes",
      title: `${CLASSES} classes, equal seconds, seed ${seed}`,
      alt: `Mean log-loss on the validation rows by seconds. Test log-loss and accuracy of the best networks: ${ends.join(", ")}.`,
      x: { label: "seconds", scale: "linear" },
      y: { label: "mean log-loss on the validation rows", scale: "log" },
      series: curvesOf(runs, "elapsed", "validationLoss"),
    },
  ];
}

export function classTable(runs: readonly ClassRun[]): Table {
  return {
    title: `${CLASSES} classes: the best network by the validation rows, at equal seconds (Adam: the best of ${ADAM_RATES.length} rates)`,
    columns: ["seed", "method", "passes", "seconds", "test log-loss", "test accuracy"],
    rows: runs.map(({ seed, label, epochs, seconds, logLoss, accuracy }) => [
      seed,
      label,
      epochs,
      show(seconds, 2),
      show(logLoss, 3),
      `${(100 * accuracy).toFixed(1)}%`,
    ]),
  };
}

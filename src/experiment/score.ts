// Experiment 8 trains networks with more units than their teacher by GGN-SCORE and counts the parameters that the regularizer makes small.
// The problem is that of the paper (arXiv 2404.14875): y = sum_k v_k silu(u_k . x) with 5 unit vectors u_k and signs v_k, inputs on the unit
// sphere, and a student kappa V silu(U x) of `width` units without biases, kappa = width^(-1/2). experiments.ts runs it for gaussflow
// experiment score.
import { createEngine } from "../backend/create.js";
import { failed } from "../backend/engine.js";
import type { Dataset } from "../data/dataset.js";
import { dataset } from "../data/dataset-input.js";
import type { Chart, Claim, Table } from "../document.js";
import { GaussflowError } from "../errors.js";
import { squaredError } from "../loss/squared-error.js";
import { directionOf } from "../method/ggn-score/direction.js";
import { ggnScore } from "../method/ggn-score/ggn-score.js";
import type { GgnScoreOptions } from "../method/ggn-score/options.js";
import { penaltyOf } from "../method/ggn-score/penalty.js";
import { SMOOTH_RULES } from "../method/ggn-score/smooth-rules.js";
import { sparsityOf } from "../method/ggn-score/sparsity.js";
import { type Network, network } from "../network/network.js";
import { Random } from "../random.js";
import type { TrainRecord } from "../run/record.js";
import { train } from "../train/train.js";
import { type Experiment, type ExperimentContext, median, range, seedsOf, show } from "./experiment.js";

const inputSize = 5;
const teacherUnits = 5;
/** Fewest units of a student of whose weights the teacher's numbers are at most a tenth: a fit as good needs that many. */
const LEAST_WIDTH = 10 * teacherUnits;
/** Strengths of the regularizer. */
const taus = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1] as const;
/** Smoothing far below the weights, which start at 1. */
const mu = 1e-3;
const THRESHOLD = 1e-3;
const steps = 300;
/** Steps of the runs that compare the two step lengths. */
const fewSteps = 40;
/** Smoothing parameters of these runs; the last is the authors' 1/kappa. */
const mus = [1e-3, 1e-1] as const;

interface Student {
  readonly net: Network;
  readonly data: Dataset;
}

/** The teacher's data and a student, drawn as in the authors' code. */
export function studentOf(seed: number, samples: number, width: number): Student {
  const draw = new Random(seed, 3);
  const unit = () => {
    const x = Float64Array.from({ length: inputSize }, () => draw.normal());
    const length = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
    return x.map((value) => value / length);
  };
  const teacher = Array.from({ length: teacherUnits }, unit);
  const signs = teacher.map(() => (draw.normal() < 0 ? -1 : 1));
  const inputs = new Float64Array(samples * inputSize);
  const targets = new Float64Array(samples);
  for (let i = 0; i < samples; i++) {
    const x = unit();
    inputs.set(x, i * inputSize);
    targets[i] = teacher.reduce((sum, u, k) => {
      const z = u.reduce((part, value, j) => part + value * x[j], 0);
      return sum + (signs[k] * z) / (1 + Math.exp(-z));
    }, 0);
  }
  const plain = network({
    layers: [inputSize, width, 1],
    activation: "silu",
    bias: false,
    outputScale: 1 / Math.sqrt(width),
  });
  const parameters = Float64Array.from({ length: plain.parameterCount }, (_, j) =>
    j < inputSize * width ? draw.normal() : draw.uniform(),
  );
  return { net: plain.withParameters(parameters), data: dataset({ inputs, targets, inputSize }) };
}

interface Fit {
  readonly seed: number;
  readonly tau: number;
  /** Mean squared error at the end. */
  readonly loss: number;
  readonly parameters: number;
  readonly small: number;
  readonly holding: number;
  readonly records: readonly TrainRecord[];
  readonly reason: string;
}

async function trainStudent(
  { net, data }: Student,
  options: GgnScoreOptions & { readonly tau: number },
  epochs: number,
  seed: number,
  { backend, threads, signal }: ExperimentContext,
): Promise<Fit> {
  const { last, records, reason } = await train(net, data, {
    method: ggnScore({ mu, threshold: THRESHOLD, ...options }),
    stop: { epochs },
    standardize: false,
    validation: false,
    backend,
    threads,
    signal,
  });
  signal?.throwIfAborted();
  const sparsity = sparsityOf(last.parameters, THRESHOLD);
  const loss = reason.code === "non-finite" ? Number.NaN : records[records.length - 1].loss;
  return { seed, tau: options.tau, loss, ...sparsity, records, reason: reason.code };
}

interface Agreement {
  readonly tau: number;
  readonly mu: number;
  /** Largest difference of the two forms relative to the largest entry. */
  readonly difference: number;
  /** max(1e-10, 100 eps condition). */
  readonly bound: number;
}

/** The step of both forms at the start, on the first rows, fewer than there are parameters. */
async function agreementOf({ net, data }: Student, tau: number, smoothing: number): Promise<Agreement> {
  const p = net.parameterCount;
  const rows = Math.min(data.sampleCount, Math.floor(p / 4));
  const batch = {
    inputs: data.inputs.slice(0, rows * inputSize),
    targets: data.targets.slice(0, rows),
  };
  const engine = createEngine(net.architecture, { sampleCount: rows, ...batch }, { backend: "typescript" });
  try {
    const penalty = penaltyOf(
      { rule: SMOOTH_RULES["pseudo-huber"], mu: smoothing, bounds: { lower: 0, upper: 0 }, groups: null },
      p,
    );
    const [rest, diagonal] = [new Float64Array(p), new Float64Array(p)];
    penalty.fill(net.parameters, "majorizer", rest, diagonal);
    for (let j = 0; j < p; j++) [rest[j], diagonal[j]] = [rows * tau * rest[j], rows * tau * diagonal[j]];
    const common = { parameters: net.parameters, decay: 0, loss: squaredError(), batch, rest, diagonal };
    const signal = new AbortController().signal;
    const [a, b] = [
      await directionOf(engine, { ...common, form: "rows", gradient: new Float64Array(p), signal }),
      await directionOf(engine, { ...common, form: "parameters", gradient: new Float64Array(p), signal }),
    ];
    const solved = await engine.solve({ damping: 1, decay: 0, scaling: diagonal, condition: true });
    if (failed(a) || failed(b) || failed(solved))
      throw new GaussflowError("GAUSSFLOW_INTERNAL", "the system of the regularized step has no solution");
    const most = b.direction.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
    const off = a.direction.reduce((top, value, j) => Math.max(top, Math.abs(value - b.direction[j])), 0);
    const bound = Math.max(1e-10, 100 * Number.EPSILON * solved.condition);
    return { tau, mu: smoothing, difference: off / most, bound };
  } finally {
    engine.dispose();
  }
}

export const score: Experiment = {
  name: "score",
  title: "GGN-SCORE makes networks sparse: more weights become small with a stronger regularizer",
  about: "methods",
  defaults: { seed: 1, seeds: 3, samples: 500, width: 60 },
  regime: "any",
  run: async (context) => {
    const { settings } = context;
    const { samples, width } = settings;
    const fits: Fit[] = [];
    const compared: { readonly label: string; readonly published: Fit; readonly majorizing: Fit }[] = [];
    const agreements: Agreement[] = [];
    for (const seed of seedsOf(settings)) {
      const student = studentOf(seed, samples, width);
      for (const tau of taus) {
        context.progress(`seed ${seed}, tau ${tau}`);
        fits.push(await trainStudent(student, { tau }, steps, seed, context));
      }
      for (const smoothing of [...mus, Math.sqrt(width)]) {
        context.progress(`seed ${seed}, published step, mu ${show(smoothing, 3)}`);
        const run = (step: Pick<GgnScoreOptions, "step" | "length">) =>
          trainStudent(student, { tau: 1e-4, mu: smoothing, ...step }, fewSteps, seed, context);
        compared.push({
          label: `mu = ${show(smoothing, 3)}`,
          published: await run({ step: "published", length: 0.95 }),
          majorizing: await run({ step: "majorizing" }),
        });
      }
      context.progress(`seed ${seed}, the two forms of the system`);
      for (const tau of [1e-4, 1e-2, 1])
        for (const smoothing of [1e-3, 1e-2, 1]) agreements.push(await agreementOf(student, tau, smoothing));
    }
    return {
      purpose: `A student of ${width} units (${(inputSize + 1) * width} parameters, no biases) learns ${samples} values of a teacher of ${teacherUnits}, whose ${teacherUnits * (inputSize + 1)} numbers would do. The objective is half the mean squared error plus tau h(w), h the pseudo-Huber smoothing of the sum of |w| with mu = ${mu}. At most ${steps} steps on all rows with the majorizing curvature; in the first 100 the smoothing falls from 1 to mu. Weights start at about 1, far above mu, where the published curvature mu²/s³ is nearly 0 and the published step too long.`,
      claims: claimsOf(fits, compared, agreements),
      charts: chartsOf(fits, compared),
      tables: [fitTable(fits), stepTable(compared), formTable(agreements)],
      runs: [
        ...fits.map((run) => lineOf("majorizing", run)),
        ...compared.flatMap(({ label, published, majorizing }) => [
          { ...lineOf("published", published), label },
          { ...lineOf("majorizing", majorizing), label },
        ]),
        ...agreements.map((one) => ({ experiment: "score", forms: true, ...one })),
      ],
    };
  },
};

function lineOf(step: string, { records, ...run }: Fit): Record<string, unknown> {
  return {
    experiment: "score",
    step,
    ...run,
    loss: Number.isFinite(run.loss) ? run.loss : null,
    records: records.length,
  };
}

type Compared = { readonly label: string; readonly published: Fit; readonly majorizing: Fit };

/** Whether a run ended above its start, or in numbers that are not finite. */
const exploded = ({ loss, records }: Fit) => !(loss <= records[0].loss);
/** Whether it ended below. */
const fell = ({ loss, records }: Fit) => loss < records[0].loss;

function claimsOf(fits: readonly Fit[], compared: readonly Compared[], agreements: readonly Agreement[]): Claim[] {
  const seeds = [...new Set(fits.map(({ seed }) => seed))];
  const counts = seeds.map((seed) => fits.filter((run) => run.seed === seed).map(({ small }) => small));
  const weakest = fits.filter(({ tau }) => tau === taus[0]);
  const shares = weakest.map(({ small, parameters }) => small / parameters);
  const losses = weakest.map(({ loss }) => loss);
  const far = compared.filter(({ label }) => label === `mu = ${show(mu, 3)}`);
  const worst = agreements.map(({ difference, bound }) => difference / bound);
  return [
    {
      claim: "The number of small weights rises with tau",
      promised: `count of |w| < ${THRESHOLD} not falling from tau = ${taus[0]} to ${taus[taus.length - 1]}, every seed`,
      measured: counts.map((list) => list.join(" ")).join("; "),
      holds: counts.every((list) => list.every((count, k) => k === 0 || count >= list[k - 1])),
    },
    {
      claim: `At tau = ${taus[0]} nearly all weights are small and the fit is good all the same`,
      promised: `at least 90% of the weights, mean squared error at most 1e-3, with ${LEAST_WIDTH} units or more`,
      measured: `${range(
        shares.map((share) => 100 * share),
        3,
      )}%, mean squared error ${range(losses, 2)}`,
      holds: shares.every((share) => share >= 0.9) && losses.every((loss) => loss <= 1e-3),
    },
    {
      claim: "Row form and parameter form give the same step",
      promised: "within max(1e-10, 100 eps condition)",
      measured: `differences ${range(
        agreements.map(({ difference }) => difference),
        2,
      )}, at most ${show(Math.max(...worst), 2)} of the bound`,
      holds: worst.every((share) => share <= 1),
    },
    {
      claim: "Where |w| is much larger than mu the published step explodes and the majorizing one does not",
      promised: `mu = ${mu}: published ends above its start or is not finite; majorizing ends below its start, every seed`,
      measured: `published ${far.filter(({ published }) => exploded(published)).length} of ${far.length} exploded; majorizing ${far.filter(({ majorizing }) => !fell(majorizing)).length} of ${far.length}`,
      holds: far.every(({ published, majorizing }) => exploded(published) && fell(majorizing)),
    },
  ];
}

function chartsOf(fits: readonly Fit[], compared: readonly Compared[]): Chart[] {
  const seeds = [...new Set(fits.map(({ seed }) => seed))];
  const first = compared.slice(0, mus.length + 1);
  const curve = ({ records }: Fit) => ({
    x: records.map(({ iteration }) => iteration),
    y: records.map(({ loss }) => (Number.isFinite(loss) ? loss : null)),
  });
  return [
    {
      id: "small",
      title: "Weights below 1e-3",
      alt: `Number of weights below ${THRESHOLD} over tau, one line a seed: ${seeds
        .map((seed) =>
          fits
            .filter((run) => run.seed === seed)
            .map(({ small }) => small)
            .join(", "),
        )
        .join("; ")}.`,
      x: { label: "tau", scale: "log" },
      y: { label: `weights below ${THRESHOLD}`, scale: "linear" },
      series: seeds.map((seed, hue) => {
        const list = fits.filter((run) => run.seed === seed);
        return { label: `seed ${seed}`, x: list.map(({ tau }) => tau), y: list.map(({ small }) => small), hue };
      }),
    },
    {
      id: "error",
      title: "Mean squared error at the end",
      alt: `Mean squared error after ${steps} steps over tau: medians ${taus.map((tau) => show(median(fits.filter((run) => run.tau === tau).map(({ loss }) => loss)), 2)).join(", ")}.`,
      x: { label: "tau", scale: "log" },
      y: { label: "mean squared error", scale: "log" },
      series: seeds.map((seed, hue) => {
        const list = fits.filter((run) => run.seed === seed);
        return { label: `seed ${seed}`, x: list.map(({ tau }) => tau), y: list.map(({ loss }) => loss), hue };
      }),
    },
    {
      id: "steps",
      title: "Published and majorizing step, tau = 1e-4, first seed",
      alt: `Mean squared error over the steps with the published (dashed) and the majorizing step for ${first.map(({ label }) => label).join(", ")}. At the end: ${first.map(({ label, published, majorizing }) => `${label} published ${show(published.loss, 2)}, majorizing ${show(majorizing.loss, 2)}`).join("; ")}.`,
      x: { label: "step", scale: "linear" },
      y: { label: "mean squared error", scale: "log" },
      series: first.flatMap(({ label, published, majorizing }, hue) => [
        { label: `published, ${label}`, ...curve(published), style: "dashed" as const, hue },
        { label: `majorizing, ${label}`, ...curve(majorizing), hue },
      ]),
    },
  ];
}

function fitTable(fits: readonly Fit[]): Table {
  return {
    title: `Majorizing step, mu = ${mu}, ${steps} steps`,
    columns: ["seed", "tau", `|w| < ${THRESHOLD}`, "of", "hold 99.9% of the sum", "mean squared error", "end"],
    rows: fits.map(({ seed, tau, small, parameters, holding, loss, reason }) => [
      seed,
      tau,
      small,
      parameters,
      holding,
      show(loss, 2),
      reason,
    ]),
  };
}

function stepTable(compared: readonly Compared[]): Table {
  return {
    title: `Published and majorizing step, tau = 1e-4, ${fewSteps} steps`,
    columns: ["seed", "smoothing", "start", "published", "end", "majorizing", "end"],
    rows: compared.map(({ label, published, majorizing }) => [
      published.seed,
      label,
      show(published.records[0].loss, 2),
      show(published.loss, 2),
      published.reason,
      show(majorizing.loss, 2),
      majorizing.reason,
    ]),
  };
}

function formTable(agreements: readonly Agreement[]): Table {
  return {
    title: "Row form against parameter form at the start",
    columns: ["tau", "mu", "relative difference", "bound"],
    rows: agreements.map(({ tau, mu: smoothing, difference, bound }) => [
      tau,
      smoothing,
      show(difference, 2),
      show(bound, 2),
    ]),
  };
}

// Right arguments for every function of the public face and every method of its classes: what the fuzz changes.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as face from "../../src/index.js";
import { EQUATION_CALLS } from "./face-calls-equations.js";
import { FIT_CALLS } from "./face-calls-fit.js";
import { METHOD_CALLS } from "./face-calls-methods.js";
import { RANDOM_CALLS } from "./face-calls-random.js";
import { UNCERTAINTY_CALLS } from "./face-calls-uncertainty.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-face-"));
const at = (name: string) => join(folder, name);

/** Costs of deciding for each of three classes (columns) in rows of each (rows). */
const COSTS = [
  [0, 1, 1],
  [1, 0, 1],
  [2, 1, 0],
];
const net = face.network({ layers: [2, 3, 1], seed: 1 });
const inputs = Array.from({ length: 12 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const targets = inputs.map(([a = 0, b = 0]) => a * b);
const data = face.dataset({ inputs, targets });
const centered = face.network({ layers: [2, 2, 1], centered: true, seed: 1 });
const scaled = net.withScaling(face.standardize(data));
const gaussian = face.network({ layers: [2, 3, 2], seed: 1 }).withLink("gaussian");
const job = () => ({ network: net, data, options: { ...train(), checkpoint: undefined } });
const many = () => ({ concurrency: 1, threads: 1, signal: soon() });

writeFileSync(at("table.csv"), ["a,b,y", ...inputs.map((row, i) => [...row, targets[i]].join(","))].join("\n"));
await face.saveModel(at("model.json"), net);
await face.saveModel(at("ensemble.json"), face.ensemble([net, net]));
await face.writeDataFile(
  at("rows.gfd"),
  { featureNames: ["a", "b"], targetNames: ["y"] },
  inputs.map((row, i) => [...row, targets[i] ?? 0]),
);
const table = await face.readCsv(at("table.csv"));
const file = face.openDataFile(at("rows.gfd"));
const text = readFileSync(at("model.json"), "utf8");

/** What would go on for long is stopped; whether it was does not matter here. */
const soon = () => AbortSignal.timeout(300);
const train = () => ({
  backend: "typescript",
  threads: 1,
  standardize: true,
  memoryLimit: 1e9,
  seed: 1,
  route: "auto",
  condition: false,
  validation: 0.25,
  method: face.levenbergMarquardt(),
  loss: face.squaredError(),
  stop: { iterations: 3, seconds: 1, gradient: 1e-9, step: 1e-9, reduction: 1e-9, loss: 1e-9, patience: 3 },
  matrixFree: { preconditioner: "none", rank: 2, iterations: 5 },
  checkpoint: { path: at("run.ckpt"), every: 2 },
  onRecord: () => {},
  monitor: face.monitor({ spectrum: false, parts: false, drift: false }),
  signal: soon(),
});
/** Those that fitTable passes on. */
const searched = () => {
  const { memoryLimit: _m, seed: _s, signal: _a, threads: _t, checkpoint: _c, ...rest } = train();
  return rest;
};
const flow = () => ({
  backend: "typescript",
  threads: 1,
  damping: 0.5,
  from: 0,
  until: 0.05,
  integrator: face.dormandPrince(),
  outputs: [0.01],
  events: [face.lossBelow(1e-6)],
  stop: { loss: 1e-9, gradient: 1e-12, seconds: 1 },
  route: "auto",
  signal: soon(),
});
const game = () => ({
  ...{ loss: "logistic", penalty: "r1", penaltyWeight: 0.5, batch: 4, iterations: 3, discriminatorSteps: 1, seed: 1 },
  ...{ method: face.minmaxGaussNewton({ step: "published" }), onRecord: () => {}, signal: soon() },
  ...{ backend: "typescript", threads: 1, memoryLimit: 1e9, checkpoint: { path: at("game.ckpt"), every: 2 } },
});
const advice = () => ({ backend: "typescript", threads: 1, standardize: true, signal: soon() });
const integrator = () => ({ step: 0.01, steps: 10 });
const adaptive = () => ({
  relativeTolerance: 1e-3,
  absoluteTolerance: 1e-6,
  control: "pi",
  safety: 0.9,
  smallestFactor: 0.2,
  largestFactor: 5,
  firstStep: 0.1,
  largestStep: 1,
  steps: 100,
  norm: "parameters",
});
const classifier = () =>
  face
    .network({ layers: [2, 2] })
    .withLink("softmax")
    .withClasses(["a", "b"]);
const engineData = () => ({
  sampleCount: 12,
  inputs: Float64Array.from(inputs.flat()),
  targets: Float64Array.from(targets),
  weights: new Float64Array(12).fill(1),
});

export interface FaceCall {
  readonly args: () => unknown[];
  /** Classes whose constructors serve the library alone: they refuse every caller. */
  readonly internal?: true;
  /** What the method is called on. */
  readonly of?: () => object;
}

/** By the name of the export, or of class and method. */
export const FACE_CALLS: Readonly<Record<string, FaceCall>> = {
  createEngine: { args: () => [net.architecture, engineData(), { backend: "typescript", threads: 1 }] },
  doctor: { args: () => [] },
  mpi: { args: () => [] },
  convertCsv: {
    args: () => [
      at("table.csv"),
      at("out.gfd"),
      { target: "y", ignore: [], missing: "drop", header: true, signal: soon() },
    ],
  },
  openDataFile: { args: () => [at("rows.gfd")] },
  loadEnsemble: { args: () => [at("ensemble.json")] },
  ensembleFromJson: { args: () => [face.modelToJson(face.ensemble([net, net])), "ensemble"] },
  metrics: { args: () => [targets, targets, ["y"], new Array(12).fill(1)] },
  classMetrics: {
    args: () => [
      targets.flatMap((_, i) => [0.25, 0.5 + i / 100, 0.25 - i / 100]),
      targets.map((_, i) => i % 3),
      ["a", "b", "c"],
      { weights: new Array(12).fill(1), costs: COSTS },
    ],
  },
  binaryMetrics: {
    args: () => [
      targets.map((_, i) => i / 12),
      targets.map((_, i) => i % 2),
      ["no", "yes"],
      { weights: new Array(12).fill(1), costs: 2 },
    ],
  },
  classDecisions: { args: () => [[0.5, 0.25, 0.25, 0.1, 0.2, 0.7], 3, COSTS] },
  countMetrics: { args: () => [targets, targets, ["y"], new Array(12).fill(1)] },
  distributionMetrics: {
    args: () => [{ mean: targets, deviation: new Array(12).fill(1) }, targets, ["y"], new Array(12).fill(1)],
  },
  quantileMetrics: { args: () => [targets, targets, ["y"], 0.9, new Array(12).fill(1)] },
  withExposure: { args: () => [data, new Array(12).fill(2)] },
  openDataFileAsync: { args: () => [at("rows.gfd"), { signal: soon() }] },
  predictAsync: { args: () => [net, inputs, { backend: "typescript", threads: 1, signal: soon() }] },
  predictDistributionAsync: {
    args: () => [gaussian, inputs, { backend: "typescript", threads: 1, signal: soon() }],
  },
  dataset: {
    args: () => [
      {
        inputs,
        targets,
        inputSize: 2,
        outputSize: 1,
        weights: new Array(12).fill(1),
        featureNames: ["a", "b"],
        targetNames: ["y"],
      },
    ],
  },
  fitTable: {
    args: () => [
      data,
      {
        hidden: [2],
        decay: "auto",
        network: {
          activation: "tanh",
          outputActivation: "identity",
          bias: true,
          outputScale: 1,
          initialization: "lecun-normal",
        },
        train: searched(),
        folds: 2,
        restarts: 1,
        budget: 1e10,
        seed: 1,
        memoryLimit: 1e9,
        onProgress: () => {},
        ...many(),
      },
    ],
  },
  foldsOf: { args: () => [data, 3, 1, { stratify: false }] },
  outOfRange: { args: () => [table.inputs, table.encoding] },
  readCsv: {
    args: () => [
      at("table.csv"),
      {
        target: ["y"],
        task: "regression",
        ignore: [],
        categorical: [],
        numeric: "a",
        header: true,
        delimiter: ",",
        decimal: ".",
        missing: "drop",
        missingValues: ["x"],
        maxCategories: 5,
        charset: "utf8",
        maxRecordLength: 1000,
      },
    ],
  },
  standardize: { args: () => [data] },
  writeDataFile: {
    args: () => [
      at("new.gfd"),
      { featureNames: ["a"], targetNames: ["y"], weighted: false },
      [
        [1, 2],
        [3, 4],
      ],
    ],
  },
  GaussflowError: { args: () => ["GAUSSFLOW_DATA", "text", { row: 1 }, { cause: 1 }] },
  constantDamping: { args: () => [0.5] },
  dampingFunction: { args: () => [() => 0.5, false] },
  lossProportionalDamping: { args: () => [{ initial: 0.1 }] },
  spectralDamping: { args: () => [{ c: 1 }] },
  flow: { args: () => [net, data, flow()] },
  flowSteps: { args: () => [net, data, flow()] },
  distanceAbove: { args: () => [1, true] },
  driftAbove: { args: () => [1, true] },
  gradientBelow: { args: () => [1, true] },
  lossBelow: { args: () => [1, true] },
  integrate: {
    args: () => [
      (_: number, [x = 0, v = 0]: number[]) => [v, -x],
      {
        from: 0,
        until: 1,
        initial: [1, 0],
        integrator: face.dormandPrince({ steps: 50 }),
        outputs: [0.5],
        events: [{ name: "e", value: (t: number) => t - 0.7, direction: "rising", terminal: false }],
        signal: soon(),
      },
    ],
  },
  dormandPrince: { args: () => [adaptive()] },
  tsitouras: { args: () => [adaptive()] },
  euler: { args: () => [integrator()] },
  rungeKutta4: { args: () => [integrator()] },
  squaredError: { args: () => [{ decay: 0.1 }] },
  huber: { args: () => [{ delta: 1.345, decay: 0.1 }] },
  pseudoHuber: { args: () => [{ delta: 1.345, decay: 0.1 }] },
  logCosh: { args: () => [{ decay: 0.1 }] },
  quantile: { args: () => [{ tau: 0.9, smoothing: 0.1, decay: 0.1 }] },
  logistic: { args: () => [{ decay: 0.1 }] },
  poisson: { args: () => [{ decay: 0.1 }] },
  softmaxCrossEntropy: { args: () => [{ smoothing: 0.1, decay: 0.1 }] },
  gaussianNll: { args: () => [{ decay: 0.1 }] },
  ...EQUATION_CALLS,
  ...FIT_CALLS,
  ...METHOD_CALLS,
  ...RANDOM_CALLS,
  ...UNCERTAINTY_CALLS,
  sparsity: { args: () => [net, { threshold: 1e-3 }] },
  unitGroups: { args: () => [net] },
  checkAssumptions: { args: () => [centered, data, advice()] },
  discretizationGap: {
    args: () => [net, data, { step: 0.01, steps: 2 }, { damping: 0.5, backend: "typescript", signal: soon() }],
  },
  monitor: {
    args: () => [{ every: 1, window: 8, spectrum: true, parts: true, drift: true, optimum: 0, onRecord: () => {} }],
  },
  recommendOutputScale: { args: () => [centered, data, advice()] },
  fitRate: {
    args: () => [
      [
        { position: 0, value: 3 },
        { position: 1, value: 2 },
        { position: 2, value: 1 },
      ],
    ],
  },
  isSmooth: { args: () => ["relu"] },
  ensemble: { args: () => [[net, net]] },
  loadModel: { args: () => [at("model.json")] },
  saveModel: { args: () => [at("saved.json"), net] },
  modelFromJson: { args: () => [text, "model"] },
  modelToJson: { args: () => [net] },
  network: {
    args: () => [
      {
        layers: [2, 4, 1],
        activation: ["tanh"],
        outputActivation: "identity",
        bias: [true, true],
        initialization: "ntk",
        outputScale: 1,
        centered: false,
        seed: 1,
      },
    ],
  },
  networkOf: {
    args: () => [
      {
        layers: [2, 1],
        activation: "tanh",
        outputActivation: "identity",
        bias: [true],
        parametrization: "ntk",
        outputScale: 1,
        parameters: [1, 2, 3],
        center: [0, 0, 0],
      },
    ],
  },
  crossValidate: { args: () => [job(), { folds: 2, restarts: 1, seed: 1, ...many() }] },
  crossValidation: { args: () => [job(), 3, 1] },
  restarts: { args: () => [job(), 3, 1] },
  sweep: {
    args: () => [job(), [{ network: { layers: [2, 2, 1] }, options: { stop: { iterations: 1 } }, label: "a" }]],
  },
  plan: { args: () => [net, data, train()] },
  train: { args: () => [net, data, train()] },
  trainSteps: { args: () => [net, { inputs, targets, weights: new Array(12).fill(1) }, train()] },
  minmax: {
    args: () => [face.network({ layers: [2, 3, 2] }), face.network({ layers: [2, 3, 1] }), inputs, game()],
  },
  planMinmax: {
    args: () => [face.network({ layers: [2, 3, 2] }), face.network({ layers: [2, 3, 1] }), inputs, game()],
  },
  trainMany: { args: () => [[job()], { ...many(), onProgress: () => {}, memoryLimit: 1e9 }] },
  trainManySteps: { args: () => [[job()], many()] },
  Ensemble: { args: () => [[net]] },
  mostProbableClasses: {
    args: () => [
      [0.5, 0.5, 1, 0],
      ["a", "b"],
    ],
  },
  "Ensemble.predictClass": { args: () => [inputs], of: () => face.ensemble([classifier(), classifier()]) },
  "Ensemble.predict": { args: () => [inputs], of: () => face.ensemble([net, net]) },
  // Classes: their constructors, then their methods.
  Network: { args: () => [net.state()] },
  "Network.predict": { args: () => [inputs], of: () => net },
  "Ensemble.predictDistribution": { args: () => [inputs], of: () => face.ensemble([gaussian, gaussian]) },
  "Network.predictDistribution": { args: () => [inputs], of: () => gaussian },
  "Network.predictScaled": { args: () => [Float64Array.from(inputs.flat())], of: () => net },
  "Network.inputJacobian": { args: () => [[1, 2]], of: () => scaled },
  "Network.parameterMap": { args: () => [], of: () => net },
  "Network.withParameters": { args: () => [net.parameters.slice()], of: () => net },
  "Network.predictClass": { args: () => [inputs], of: classifier },
  "Network.withClasses": { args: () => [["b", "a"]], of: classifier },
  "Network.withLink": { args: () => ["logistic"], of: () => net },
  "Network.withOutputScale": { args: () => [2], of: () => net },
  "Network.withScaling": {
    args: () => [
      {
        inputs: { offset: new Float64Array(2), scale: new Float64Array([1, 1]) },
        targets: { offset: new Float64Array(1), scale: new Float64Array([1]) },
      },
    ],
    of: () => net,
  },
  "Network.withEncoding": { args: () => [structuredClone(table.encoding)], of: () => net },
  "Network.withSummary": { args: () => [{ note: "n" }], of: () => net },
  "Network.state": { args: () => [], of: () => net },
  Dataset: { args: () => [{ ...data.fields() }] },
  "Dataset.select": { args: () => [[0, 2]], of: () => data },
  "Dataset.split": { args: () => [{ validation: 0.2, test: 0.2, seed: 1 }], of: () => data },
  "Dataset.partition": { args: () => [{ train: [0, 1, 2], validation: [3], test: [4, 5] }], of: () => data },
  "Dataset.fitted": { args: () => [], of: () => table },
  "Dataset.fields": { args: () => [], of: () => table },
  FileDataset: {
    internal: true,
    args: () => [
      { ...file.layout },
      { rows: 12, features: ["a", "b"], targets: ["y"], weighted: false, encoding: null },
    ],
  },
  "FileDataset.blocksInTurns": { args: () => [soon()], of: () => file },
  "FileDataset.blocks": { args: () => [], of: () => file },
};

// The public `plan`: predicts what a run will take. It collects the sizes for the planner from a network, data and options without copying
// the data; `train`, `flow` and `gaussflow plan` use it.
import { type BackendOptions, chooseBackend, chooseThreads } from "../backend/create.js";
import { FileDataset } from "../data/data-file.js";
import { Dataset, type DatasetInput } from "../data/dataset.js";
import { drawPartition } from "../data/split.js";
import { lossRule } from "../loss/rules.js";
import { evenness } from "../loss/weighted.js";
import { type Network, seedOf } from "../network/network.js";
import type { Sizes } from "../plan/memory-model.js";
import { type Plan, type PlanRequest, planRoute } from "../plan/plan.js";
import { FLOW_ROUTES, type FlowRoute, type Route, TRAIN_ROUTES, type TrainRoute } from "../plan/route.js";
import type { StepKind } from "../plan/workload.js";
import type { Observer } from "../run/observer.js";
import { trainingData } from "../run/prepare.js";
import type { CompletedRunOptions } from "../run/run-options.js";
import { type CompletedTrainOptions, completeTrainOptions, type TrainOptions } from "./train-options.js";

/**
 * What `train(network, data, options)` would choose and cost: route, bytes at the peak, flops and seconds of an iteration, the same for
 * the other routes. Nothing is computed and nothing is refused: `chosen.fits` says whether train would refuse.
 *
 * @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_NO_NATIVE
 * @example const { route, bytes, chosen } = plan(network({ layers: [8, 32, 32, 1] }), data);
 */
export function plan(
  network: Network,
  data: Dataset | DatasetInput | FileDataset,
  options: TrainOptions = {},
): Plan<TrainRoute> {
  const whole = trainingData(network, data);
  const completed = completeTrainOptions(options, whole, seedOf(network));
  return planRoute(
    trainRequest(network, whole, completed, options, data instanceof Dataset || data instanceof FileDataset),
  );
}

/** @param owned `whole` is the caller's own: else the caller's arrays stand beside it */
export function trainRequest(
  network: Network,
  whole: Dataset | FileDataset,
  completed: CompletedTrainOptions,
  options: TrainOptions,
  owned: boolean,
): PlanRequest<TrainRoute> {
  const { method, condition } = completed;
  const { outputSize, parameterCount } = network.architecture;
  const { fit, validation, cut } = partSizes(whole, completed, options.validation);
  // Those of the whole set: which rows a draw leaves to train on changes it little.
  const even = evenness(whole.weights, whole.weights?.reduce((sum, weight) => sum + (weight === 0 ? 0 : 1), 0) ?? 0);
  const sizes = { condition, sampleCount: fit, outputSize, parameterCount, evenness: even };
  const planned = (route: TrainRoute) =>
    method.fidelity?.planned({ ...sizes, route }) ?? { single: false, subset: null };
  const [primal, products] = [planned("primal"), planned("matrix-free")];
  const given = typeof completed.validation === "object" ? completed.validation : null;
  const copies =
    (owned ? 1 : 2) * dataBytes(whole, whole.sampleCount) +
    (given === null ? 0 : dataBytes(given, given.sampleCount)) +
    (cut ? dataBytes(whole, fit + (given === null ? validation : 0)) : 0);
  return request(
    network,
    whole,
    { fit, validation, copies, routes: TRAIN_ROUTES, released: options.monitor === undefined },
    completed,
    completed.route,
    options,
    {
      single: primal.single,
      subset: { primal: primal.subset, "matrix-free": products.subset },
      acceleration: method.settings.acceleration === true,
      observed: options.monitor?.needs,
    },
  );
}

export function flowRequest(
  network: Network,
  whole: Dataset | FileDataset,
  fit: Dataset,
  completed: CompletedRunOptions,
  asked: "auto" | FlowRoute,
  options: BackendOptions & { readonly monitor?: Observer | undefined },
  undamped: boolean,
): PlanRequest<FlowRoute> {
  const copies = dataBytes(whole, whole.sampleCount) + (fit === whole ? 0 : dataBytes(fit, fit.sampleCount));
  const sizes = { fit: fit.sampleCount, validation: 0, copies, routes: FLOW_ROUTES, released: false };
  // Of its own choice a flow turns from the primal route where the Gram matrix is singular to rounding. An undamped one that gets stuck looks
  // for the rank of J by the same triangle.
  const beside = { observed: options.monitor?.needs, turns: asked === "auto" || undamped };
  return request(network, whole, sizes, completed, asked, options, beside);
}

function request<Kind extends Route>(
  { architecture, scaling }: Network,
  whole: Dataset | FileDataset,
  sizes: {
    readonly fit: number;
    readonly validation: number;
    readonly copies: number;
    /** The run keeps no scaled copy once the engine has it. */
    readonly released: boolean;
    readonly routes: readonly Kind[];
  },
  { memoryLimit, standardize, loss }: CompletedRunOptions,
  asked: "auto" | Kind,
  options: BackendOptions,
  steps: StepKind & Pick<Sizes, "observed" | "turns"> = {},
): PlanRequest<Kind> {
  const { fit, validation, copies, routes, released } = sizes;
  const engine = chooseBackend(options.backend);
  const passes = released && engine === "native";
  const fromFile = whole instanceof FileDataset;
  // In raw units the engine is given the arrays as they are.
  const inUnits = standardize || scaling !== null;
  const scaled = !inUnits ? 0 : 8 * ((fromFile ? 0 : fit) + validation) * (whole.inputSize + whole.outputSize);
  const rule = lossRule(loss);
  return {
    architecture: rule.sumOfSquares ? architecture : { ...architecture, lossFactor: rule.factor },
    sampleCount: fit,
    validationCount: validation,
    weighted: whole.weights !== null,
    engine,
    threads: chooseThreads(options.threads),
    ...steps,
    copies: copies + (passes ? 0 : scaled),
    passing: passes ? scaled : 0,
    fromFile,
    asked,
    routes,
    memoryLimit,
  };
}

/** Bytes of `rows` rows of a data set's arrays. */
function dataBytes(set: Dataset | FileDataset, count: number): number {
  if (set instanceof FileDataset) return set.weights?.byteLength ?? 0;
  const { inputSize, outputSize, weights, rows, parts, groups, order } = set;
  const doubles = inputSize + outputSize + (weights ? 1 : 0) + (order ? 1 : 0);
  return count * (8 * doubles + (rows ? 4 : 0) + (groups ? 4 : 0) + (parts ? 1 : 0));
}

/** Rows that are fitted (those with a weight) and validated on; `cut`: they are copies of the table's. */
function partSizes(
  whole: Dataset | FileDataset,
  { validation, seed }: CompletedTrainOptions,
  asked: TrainOptions["validation"],
) {
  const { sampleCount: n, weights } = whole;
  const parts: Uint8Array | null = whole.parts;
  const given = typeof validation === "object" ? validation?.sampleCount : undefined;
  if (parts !== null) {
    const count = (part: number, weighted: boolean) =>
      parts.reduce((sum, code, row) => sum + (code === part && !(weighted && weights?.[row] === 0) ? 1 : 0), 0);
    return {
      fit: count(0, true),
      validation: given ?? (asked === false || asked === 0 ? 0 : count(1, false)),
      cut: true,
    };
  }
  const idle = weights?.includes(0) ?? false;
  if (typeof validation !== "number") {
    const fit = idle ? weights!.reduce((sum, weight) => sum + (weight === 0 ? 0 : 1), 0) : n;
    return { fit, validation: given ?? 0, cut: idle };
  }
  const rows = Math.max(1, Math.round(validation * n));
  const relations = whole instanceof FileDataset ? { groups: null, order: null } : whole;
  if (!idle && relations.groups === null) return { fit: n - rows, validation: rows, cut: true };
  // Whole groups are drawn; and which rows without a weight the draw leaves to train on decides how many equations there are.
  const drawn = drawPartition(n, { validation, seed }, relations);
  return {
    fit: drawn.train.reduce((sum, row) => sum + (weights?.[row] === 0 ? 0 : 1), 0),
    validation: drawn.validation?.length ?? 0,
    cut: true,
  };
}

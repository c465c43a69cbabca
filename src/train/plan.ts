// The public `plan`: predicts what a training will choose, and the memory and time that it will take. It collects the sizes for the planner
// from a network, data and options without copying the data. Users and gaussflow plan call `plan`, trainMany does for the memory of its
// jobs, and `train` calls planTraining before it makes its engine.
import { chooseBackend, chooseThreads } from "../backend/create.js";
import { FileDataset } from "../data/data-file.js";
import { Dataset } from "../data/dataset.js";
import type { DatasetInput } from "../data/dataset-input.js";
import { drawPartition } from "../data/split.js";
import { type EquationProblem, isEquationProblem } from "../equations/equation-problem.js";
import { argumentError } from "../errors.js";
import { finish } from "../event-loop-yield.js";
import { type Loss, lossRule, missesScale } from "../loss/rules.js";
import { evenness } from "../loss/weighted.js";
import { type BatchMethod, type BatchNeeds, type BatchSizes, isBatchMethod } from "../method/batch-method.js";
import { levenbergMarquardt } from "../method/levenberg-marquardt/levenberg-marquardt.js";
import type { Network } from "../network/network.js";
import { checkCount, checkObject } from "../options.js";
import { planBatches, refuseBatches } from "../plan/batch-plan.js";
import type { EngineName } from "../plan/costs.js";
import { type EquationPlan, planEquations } from "../plan/equations-plan.js";
import type { ObserverNeeds } from "../plan/observation.js";
import { type Plan, type PlanRequest, planRoute, refuse } from "../plan/plan.js";
import { type BatchRoute, TRAIN_ROUTES, type TrainRoute } from "../plan/route.js";
import { dataBytes, planRequest } from "../run/plan-request.js";
import { trainingData } from "../run/prepare.js";
import { checkRanks } from "../run/ranks.js";
import { rowBytes } from "./batch-rows.js";
import { type CompletedBatchStart, startMethod } from "./batch-start-options.js";
import { stepsPerEpoch } from "./descend.js";
import { checkDistributed } from "./distributed.js";
import { completeEquationOptions, type EquationTrainOptions } from "./equations-options.js";
import { type CompletedTrainOptions, completeTrainOptions, type TrainOptions, weighedSteps } from "./train-options.js";

/** Options of `plan`: those of `train`, of which checkpoints and callbacks do not matter. */
export interface PlanOptions extends TrainOptions {
  /** Processes of an MPI run to plan for, in place of a `cluster`. Default 1. */
  readonly ranks?: number | undefined;
}

/**
 * What `train(network, problem, options)` on equations would cost: bytes at the peak, flops and seconds of an iteration. Nothing is computed and
 * nothing is refused.
 *
 * @throws GAUSSFLOW_ARGUMENT, GAUSSFLOW_NO_NATIVE
 */
export function plan(network: Network, problem: EquationProblem, options?: EquationTrainOptions): EquationPlan;
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
  options?: PlanOptions,
): Plan<TrainRoute | BatchRoute>;
export function plan(
  network: Network,
  data: Dataset | DatasetInput | FileDataset | EquationProblem,
  given: PlanOptions | EquationTrainOptions = {},
): Plan<TrainRoute | BatchRoute> | EquationPlan {
  if (isEquationProblem(data)) return planOfEquations(network, data, given as EquationTrainOptions);
  checkObject("options", given);
  const { ranks, ...options } = given as PlanOptions;
  if (ranks !== undefined) checkCount("options.ranks", ranks, 1);
  const set = trainingData(network, data, options);
  const completed = completeTrainOptions(options, set, network, ranks);
  const whole = finish(weighedSteps(set, completed));
  const owned = data instanceof Dataset || data instanceof FileDataset;
  return planTraining(network, whole, completed, options, owned).plan;
}

function planOfEquations(network: Network, problem: EquationProblem, options: EquationTrainOptions): EquationPlan {
  const { memoryLimit } = completeEquationOptions(options);
  problem.checkNetwork(network);
  const engine = chooseBackend(options.backend);
  const threads = engine === "native" ? chooseThreads(options.threads) : 1;
  return planEquations(network.architecture, problem.jets, engine, threads, memoryLimit);
}

/** The plan of a training, before anything is made. */
export interface PlannedTraining {
  readonly plan: Plan<TrainRoute | BatchRoute>;
  /** The route of methods that see all rows: with a batch method that of the fits before the training. */
  readonly route: TrainRoute;
  /** What a batch method needs; null with other methods. */
  readonly needs: BatchNeeds | null;
  /** Threads of the batches of `options.batchStart`; null without it. */
  readonly startThreads: number | null;
  readonly engine: EngineName;
  /** @throws GAUSSFLOW_MEMORY where the plan does not fit the memory limit */
  refuse(): void;
}

/** @param owned `whole` is the caller's own: else the caller's arrays stand beside it */
export function planTraining(
  network: Network,
  whole: Dataset | FileDataset,
  completed: CompletedTrainOptions,
  options: TrainOptions,
  owned: boolean,
): PlannedTraining {
  const planned = planOf(network, whole, completed, options, owned);
  const { method, methodBecause } = completed;
  if (methodBecause === null) return planned;
  const because = `${planned.plan.because}; ${method.label} was chosen because ${methodBecause}`;
  return { ...planned, plan: { ...planned.plan, because } };
}

/** The plan of a method, whoever chose it. */
function planOf(
  network: Network,
  whole: Dataset | FileDataset,
  completed: CompletedTrainOptions,
  options: TrainOptions,
  owned: boolean,
): PlannedTraining {
  const request = trainRequest(network, whole, completed, options, owned);
  const { engine, sampleCount: rows } = request;
  const plan = planRoute(request);
  checkRanks(completed.ranks, { engine, route: plan.route, monitor: options.monitor });
  checkDistributed(completed, plan.route, network);
  const { method, loss } = completed;
  const { outputSize, parameterCount } = network.architecture;
  const sizes = { rows, outputSize, parameterCount, loss, inFile: whole instanceof FileDataset };
  if (!isBatchMethod(method)) {
    const { batchStart } = completed;
    const first = batchStart && planOfStart(batchStart, sizes, whole, request);
    const refuseAll = () => {
      refuse(plan, request);
      if (first) refuseBatches(first, request.fileWidth ?? 0, "options.batchStart.batch");
    };
    const startThreads = first?.threads ?? null;
    return { plan: withStart(plan, first), route: plan.route, needs: null, startThreads, engine, refuse: refuseAll };
  }
  const needs = method.needs(sizes);
  if (needs.rows < rows && options.stop?.gradient !== undefined)
    throw argumentError(
      "options.stop.gradient",
      "must be left out with batches, whose gradients do not vanish at a minimum: options.stop.epochs, options.stop.loss and options.stop.patience end such a run",
      options.stop.gradient,
    );
  const batches = planOfBatches(method, sizes, whole, request);
  const refuseBoth = () => {
    if (searches(loss)) refuse(plan, request);
    refuseBatches(batches, request.fileWidth ?? 0, "options.method.batch");
  };
  return { plan: batches, route: plan.route, needs, startThreads: null, engine, refuse: refuseBoth };
}

/** The plan of the batches that a training begins on. @throws GAUSSFLOW_ARGUMENT for a batch of more rows than there are */
function planOfStart(
  start: CompletedBatchStart,
  sizes: BatchSizes,
  whole: Dataset | FileDataset,
  request: PlanRequest<TrainRoute>,
): Plan<BatchRoute> {
  if (start.batch !== "auto" && start.batch > sizes.rows)
    throw argumentError(
      "options.batchStart.batch",
      `must be at most the rows that are fitted, ${sizes.rows}: choose a smaller batch`,
      start.batch,
    );
  return planOfBatches(startMethod(start), sizes, whole, request);
}

/** The plan of a training that begins on batches where there are some: the larger peak, of which both must fit. */
function withStart(plan: Plan<TrainRoute>, start: Plan<BatchRoute> | null): Plan<TrainRoute> {
  if (start === null) return plan;
  const { chosen } = plan;
  const bytes = { ...chosen.bytes, most: Math.max(chosen.bytes.most, start.chosen.bytes.most) };
  return { ...plan, chosen: { ...chosen, bytes, fits: chosen.fits && start.chosen.fits } };
}

/** The plan of a method on batches, from the sizes of the same training on all rows. */
function planOfBatches(
  method: BatchMethod,
  sizes: BatchSizes,
  whole: Dataset | FileDataset,
  request: PlanRequest<TrainRoute>,
): Plan<BatchRoute> {
  const { rows } = sizes;
  const needs = method.needs(sizes);
  return planBatches({
    ...request,
    // The scaled copy stays: batches are drawn from it.
    copies: request.copies + (request.passing ?? 0),
    passing: 0,
    route: needs.route,
    because: `${method.label} takes its steps by this route`,
    batch: {
      rows: needs.rows,
      stepsPerEpoch: stepsPerEpoch(sizes, needs),
      schedule: needs.rate.schedule,
      described: needs.described,
    },
    engines: needs.engines,
    evaluations: needs.evaluations,
    vectors: needs.vectors + LOOP_VECTORS,
    rowBytes:
      needs.rows === rows
        ? 0
        : rowBytes({
            rows,
            batchRows: needs.rows,
            inputSize: whole.inputSize,
            targetSize: whole.outputSize,
            weighted: whole.weights !== null,
            fileWidth: request.fileWidth ?? 0,
          }),
  });
}

/** Vectors of p entries of the loop over batches: present and next parameters, three kept points, one being evaluated, and the garbage of a few. */
const LOOP_VECTORS = 10;

function trainRequest(
  network: Network,
  whole: Dataset | FileDataset,
  completed: CompletedTrainOptions,
  options: TrainOptions,
  owned: boolean,
): PlanRequest<TrainRoute> {
  const { method, condition, slots } = completed;
  const { outputSize, parameterCount } = network.architecture;
  const { fit, validation, cut } = partSizes(whole, completed, options.validation);
  // Those of the whole set: which rows a draw leaves to train on changes it little.
  const even = evenness(whole.weights, whole.weights?.reduce((sum, weight) => sum + (weight === 0 ? 0 : 1), 0) ?? 0);
  const exactHessian = !lossRule(completed.loss).sumOfSquares;
  const sizes = { condition, sampleCount: fit, outputSize, parameterCount, evenness: even, exactHessian };
  // Fits before the training of a batch method are by Levenberg-Marquardt.
  const { fidelity, settings } = isBatchMethod(method) ? levenbergMarquardt() : method;
  const planned = (route: TrainRoute) => {
    const { single, subset } = fidelity?.planned({ ...sizes, route }) ?? { single: false, subset: null };
    // Subsets are not cut into slots.
    return { single, subset: slots > 1 ? null : subset };
  };
  const [primal, products] = [planned("primal"), planned("matrix-free")];
  const given = typeof completed.validation === "object" ? completed.validation : null;
  const copies =
    (owned ? 1 : 2) * dataBytes(whole, whole.sampleCount) +
    (given === null ? 0 : dataBytes(given, given.sampleCount)) +
    (cut ? dataBytes(whole, fit + (given === null ? validation : 0)) : 0);
  return planRequest(
    network,
    whole,
    {
      fit,
      validation,
      copies,
      routes: TRAIN_ROUTES,
      distributed: completed.distributed,
      released: options.monitor === undefined && !searches(completed.loss),
    },
    completed,
    completed.route,
    options,
    {
      single: primal.single,
      subset: { primal: primal.subset, "matrix-free": products.subset },
      acceleration: settings.acceleration === true,
      hessian: exactHessian && settings.hessian === "auto",
      observed: observedNeeds(options.monitor?.needs, completed.uncertainty),
    },
  );
}

/** What is formed beside the steps: by a monitor, and after the training for its uncertainty, eigenvectors of the same matrix. */
function observedNeeds(monitor: ObserverNeeds | undefined, uncertainty: boolean): ObserverNeeds | undefined {
  if (!uncertainty) return monitor;
  return { curvature: true, spectrum: true, sample: monitor?.sample ?? false };
}

/** Fits before the training make several engines from the same scaled copy (first-fit.ts, mean-fit.ts). */
function searches(loss: Loss): boolean {
  return loss.kind === "gaussian-nll" || missesScale(loss);
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

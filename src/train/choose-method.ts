// Chooses the method of a training with `method: "auto"`, from task, sizes, memory and the time that is allowed, and says why. train-options.ts
// calls it when it completes the options.
//
// Levenberg-Marquardt converges to the lowest loss, where its iterations are affordable: on all rows, 100 of them within the time allowed. Beyond
// that a method on batches gets further in the same time: exact Gauss-Newton, whose kernel has one row an output of each row of the batch, or
// Adam where even that kernel does not fit the memory.
import type { BackendOptions } from "../backend/create.js";
import { showBytes } from "../bytes.js";
import type { FileDataset } from "../data/data-file.js";
import type { Dataset } from "../data/dataset.js";
import { lossRule } from "../loss/rules.js";
import { adam } from "../method/adam.js";
import type { BatchMethod } from "../method/batch-method.js";
import { exactGaussNewton } from "../method/exact-gauss-newton.js";
import { levenbergMarquardt } from "../method/levenberg-marquardt/levenberg-marquardt.js";
import type { Method } from "../method/method.js";
import type { Network } from "../network/network.js";
import { COST_TABLE } from "../plan/cost-table.js";
import { planRoute } from "../plan/plan.js";
import { TRAIN_ROUTES } from "../plan/route.js";
import { dataBytes, planRequest } from "../run/plan-request.js";
import type { CompletedRunOptions } from "../run/run-options.js";
import type { StopOptions } from "./stop.js";

/** Iterations that Levenberg-Marquardt is given to converge in. */
const PLANNED_ITERATIONS = 100;
/** Seconds that they may take where `stop.seconds` does not say. */
const AFFORDABLE_SECONDS = 60;

/** Share of the memory limit that kernel and factor may take. */
const SHARE_FOR_MATRICES = 0.5;

/** Options that are about methods that see all rows, which a method on batches refuses. */
const WHOLE_OPTIONS = ["route", "matrixFree", "condition", "monitor", "batchStart"] as const;
/** Stop rules of them: batches of some of the rows have no use for the gradient's either. */
const WHOLE_RULES = ["gradient", "step", "reduction"] as const;

/** What the choice reads of the options of a training. */
export interface ChoiceOptions
  extends Pick<BackendOptions, "backend">,
    Readonly<Partial<Record<(typeof WHOLE_OPTIONS)[number], unknown>>> {
  readonly stop?: StopOptions | undefined;
}

/** A method, and the reason for it as a clause. */
export interface ChosenMethod {
  readonly method: Method | BatchMethod;
  readonly because: string;
}

export function chooseMethod(
  network: Network,
  data: Dataset | FileDataset,
  run: CompletedRunOptions,
  options: ChoiceOptions,
): ChosenMethod {
  const { loss, slots, ranks, memoryLimit } = run;
  const whole = WHOLE_OPTIONS.find((name) => ![undefined, "auto", false].includes(options[name] as string));
  if (whole !== undefined) return { method: levenbergMarquardt(), because: `options.${whole} is about it` };
  const rule = WHOLE_RULES.find((name) => options.stop?.[name] !== undefined);
  if (rule !== undefined) return { method: levenbergMarquardt(), because: `options.stop.${rule} is about it` };
  if (ranks > 1) return { method: levenbergMarquardt(), because: "options.cluster shares sums over all rows" };
  if (slots > 1) return { method: levenbergMarquardt(), because: "options.slots is about sums over all rows" };
  if (options.stop?.epochs !== undefined || options.stop?.validateEvery !== undefined)
    return { ...onBatches(network, data, run), because: "the stop rules count epochs" };
  const { settings, fidelity } = levenbergMarquardt();
  const exactHessian = !lossRule(loss).sumOfSquares;
  const { outputSize, parameterCount } = network.architecture;
  const sizes = {
    condition: false,
    sampleCount: data.sampleCount,
    outputSize,
    parameterCount,
    evenness: 1,
    exactHessian,
  };
  const [primal, products] = (["primal", "matrix-free"] as const).map((route) =>
    fidelity?.planned({ ...sizes, route }),
  );
  const request = planRequest(
    network,
    data,
    {
      fit: data.sampleCount,
      validation: 0,
      copies: dataBytes(data, data.sampleCount),
      routes: TRAIN_ROUTES,
      released: true,
    },
    run,
    "auto",
    // The choice must not depend on the threads of the machine.
    { backend: options.backend, threads: COST_TABLE.threads },
    {
      single: primal?.single ?? false,
      subset: { primal: primal?.subset ?? null, "matrix-free": products?.subset ?? null },
      acceleration: settings.acceleration === true,
      hessian: exactHessian && settings.hessian === "auto",
    },
  );
  const { seconds, fits, bytes } = planRoute(request).chosen;
  if (!fits)
    return {
      ...onBatches(network, data, run),
      because: `Levenberg-Marquardt on all rows needs ${showBytes(bytes.most)}, and the memory limit is ${showBytes(memoryLimit)}`,
    };
  const all = PLANNED_ITERATIONS * seconds;
  const allowed = options.stop?.seconds ?? AFFORDABLE_SECONDS;
  const compared = `${PLANNED_ITERATIONS} iterations on all rows are predicted to take ${formatted(all)}, and ${formatted(allowed)} ${options.stop?.seconds === undefined ? "are what this choice spends on them" : "are allowed"}`;
  return all <= allowed
    ? { method: levenbergMarquardt(), because: compared }
    : { ...onBatches(network, data, run), because: compared };
}

/** Exact Gauss-Newton, or Adam where its matrices do not fit. */
function onBatches(
  { architecture: { outputSize, parameterCount } }: Network,
  { sampleCount: rows }: Dataset | FileDataset,
  { loss, memoryLimit }: CompletedRunOptions,
): Pick<ChosenMethod, "method"> {
  const egn = exactGaussNewton();
  const needs = egn.needs({ rows, outputSize, parameterCount, loss });
  const order = needs.rows * (needs.route === "sampled" ? 1 : outputSize);
  // The kernel and its factor, beside all else.
  const fits = 2 * order ** 2 * Float64Array.BYTES_PER_ELEMENT <= SHARE_FOR_MATRICES * memoryLimit;
  return { method: fits ? egn : adam() };
}

function formatted(seconds: number): string {
  return `${seconds < 10 ? seconds.toPrecision(2) : seconds.toFixed(0)} s`;
}

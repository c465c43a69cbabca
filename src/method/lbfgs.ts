// Limited-memory BFGS (`lbfgs`; Nocedal 1980, Liu and Nocedal 1989) on all rows, with a strong Wolfe line search: the
// usual quasi-Newton method, for comparison. Users and gaussflow train pass it to `train` as the option `method`; the
// loop over batches calls its functions with the whole data as the one batch.
//
//   direction -H F',  H the inverse of BFGS from the last `memory` pairs s = change of w, y = change of F' (two-loop recursion),
//   from s.y/y.y I at its core;  the first step has length 1/|F'|_1 at most
import { dot } from "../algebra/vectors.js";
import { type Failure, failed } from "../backend/engine.js";
import { objectiveOf } from "../linearize/problem.js";
import { checkCount, checkOptionNames } from "../options.js";
import type { BatchContext, BatchMethod, BatchStep } from "./batch-method.js";
import { gradientOf } from "./batch-size.js";
import { arrayOf, describedBySettings, type MethodState, numberOf } from "./method.js";
import { type LineValue, WolfeSearch } from "./strong-wolfe.js";

/** Options of `lbfgs`. */
export interface LbfgsOptions {
  /** Pairs of changes that are kept. Default 10. */
  readonly memory?: number | undefined;
}

/**
 * A pair whose curvature s.y is at most this share of |s| |y| is left out: H would lose its definiteness to rounding.
 */
const LEAST_CURVATURE = 1e-10;

const RATE = { schedule: "constant", rate: 1, finalRate: 0, rateFactor: 1, rateEpochs: 1 } as const;

/**
 * Limited-memory BFGS on all rows.
 *
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for an unknown option or value.
 * @example train(net, data, { method: lbfgs(), stop: { iterations: 1000 } })
 */
export function lbfgs(options: LbfgsOptions = {}): BatchMethod {
  checkOptionNames("options", options, ["memory"]);
  const { memory = 10 } = options;
  checkCount("options.memory", memory, 1);
  return describedBySettings<BatchMethod>({
    kind: "batch",
    name: "lbfgs",
    label: `L-BFGS (${memory} pairs, strong Wolfe line search)`,
    settings: { memory },
    epochs: 1000,
    remedy: "another start (another seed of the network)",
    needs: ({ rows }) => ({
      rows,
      engines: [{ rows, curvature: "none" }],
      route: "gradient",
      rate: RATE,
      vectors: 2 * memory + 7,
      // One trial beyond the first, of two passes.
      evaluations: 2,
      described: "all rows at every step",
    }),
    start: ({ parameterCount: p }) => ({
      loss: 0,
      // 0 before the first step: the gradient is not known yet.
      known: 0,
      gradient: new Float64Array(p),
      pairs: 0,
      steps: new Float64Array(memory * p),
      changes: new Float64Array(memory * p),
    }),
    checkState: (state) => checkPairs(state, memory),
    step: (context, state) => step(context, state, memory),
  });
}

/** The pairs of a state are a ring: pair k is at place k modulo their number. */
function checkPairs(state: MethodState, memory: number): string | null {
  const [pairs, known] = [numberOf(state, "pairs"), numberOf(state, "known")];
  if (!Number.isSafeInteger(pairs) || pairs < 0) return `pairs must be a count; it is ${pairs}`;
  if (known !== 0 && known !== 1) return `known must be 0 or 1; it is ${known}`;
  const length = memory * arrayOf(state, "gradient").length;
  for (const name of ["steps", "changes"] as const)
    if (arrayOf(state, name).length !== length)
      return `${name} must have ${length} numbers; it has ${arrayOf(state, name).length}`;
  return null;
}

/** The last point of a search that was evaluated. */
interface LineEnd {
  readonly length: number;
  /** Sum loss there. */
  readonly loss: number;
  /** Gradient of the objective there. */
  readonly gradient: Float64Array;
}

async function step(context: BatchContext, state: MethodState, memory: number): Promise<BatchStep | Failure> {
  const { parameters, next, decay, vectors, scratch } = context;
  let passes = 0;
  let loss = numberOf(state, "loss");
  const gradient = scratch("start");
  if (numberOf(state, "known") === 1) gradient.set(arrayOf(state, "gradient"));
  else {
    const first = await gradientOf(context, parameters);
    if (failed(first)) return first;
    gradient.set(first.gradient);
    [loss, passes] = [first.loss, first.passes];
  }
  const direction = directionOf(state, gradient, memory, scratch("direction"));
  const slope = dot(gradient, direction);
  const still = { ok: true, accepted: false, state, loss, gradient, stepNorm: 0, damping: 0 } as const;
  if (!(slope < 0))
    return {
      ...still,
      seconds: { passes, curvature: 0, solve: 0, evaluate: 0 },
      end: { code: "no-progress", message: "the gradient is as good as 0: there is no direction of descent" },
    };
  let end: LineEnd | null = null;
  const search = new WolfeSearch(
    { ok: true, length: 0, value: objectiveOf(loss, decay, parameters, vectors), slope },
    async (length): Promise<LineValue | Failure> => {
      // After a trial that fails `next` is not the end of the step.
      end = null;
      vectors.addScaled(parameters, length, direction, next);
      const trial = await gradientOf(context, next);
      if (failed(trial)) return trial;
      passes += trial.passes;
      end = { length, loss: trial.loss, gradient: trial.gradient };
      const value = objectiveOf(trial.loss, decay, next, vectors);
      return { ok: true, length, value, slope: dot(trial.gradient, direction) };
    },
  );
  const pairs = numberOf(state, "pairs");
  const found = await search.find(pairs === 0 ? Math.min(1, 1 / sumOfAbsolutes(gradient)) : 1);
  if (found !== null && failed(found)) return found;
  const seconds = { passes, curvature: 0, solve: 0, evaluate: 0 };
  if (found === null) {
    const message = `after ${search.evaluations} lengths along the direction none lowers the objective enough`;
    return { ...still, seconds, end: { code: "no-progress", message } };
  }
  let last = end as LineEnd | null;
  if (last?.length !== found.length) {
    vectors.addScaled(parameters, found.length, direction, next);
    const again = await gradientOf(context, next);
    if (failed(again)) return again;
    last = { length: found.length, loss: again.loss, gradient: again.gradient };
  }
  const stepNorm = found.length * vectors.norm(direction);
  return { ...still, accepted: true, state: keep(state, context, gradient, last, memory), stepNorm, seconds };
}

/** -H gradient by the two-loop recursion. */
function directionOf(state: MethodState, gradient: Float64Array, memory: number, out: Float64Array): Float64Array {
  const p = gradient.length;
  const [steps, changes, pairs] = [arrayOf(state, "steps"), arrayOf(state, "changes"), numberOf(state, "pairs")];
  const at = (array: Float64Array, k: number) => array.subarray((k % memory) * p, ((k % memory) + 1) * p);
  const first = Math.max(0, pairs - memory);
  const factors = new Float64Array(memory);
  for (let j = 0; j < p; j++) out[j] = -gradient[j]!;
  for (let k = pairs - 1; k >= first; k--) {
    const [s, y] = [at(steps, k), at(changes, k)];
    const factor = dot(s, out) / dot(s, y);
    factors[k % memory] = factor;
    for (let j = 0; j < p; j++) out[j] -= factor * y[j]!;
  }
  if (pairs > 0) {
    const [s, y] = [at(steps, pairs - 1), at(changes, pairs - 1)];
    const core = dot(s, y) / dot(y, y);
    for (let j = 0; j < p; j++) out[j] *= core;
  }
  for (let k = first; k < pairs; k++) {
    const [s, y] = [at(steps, k), at(changes, k)];
    const factor = factors[k % memory]! - dot(y, out) / dot(s, y);
    for (let j = 0; j < p; j++) out[j] += factor * s[j]!;
  }
  return out;
}

/** The state after a step to `next`. */
function keep(
  state: MethodState,
  { parameters, next, scratch }: BatchContext,
  before: Float64Array,
  { loss, gradient: now }: LineEnd,
  memory: number,
): MethodState {
  const p = next.length;
  const [steps, changes, gradient] = [arrayOf(state, "steps"), arrayOf(state, "changes"), arrayOf(state, "gradient")];
  const pairs = numberOf(state, "pairs");
  const [s, y] = [scratch("s"), scratch("y")];
  for (let j = 0; j < p; j++) {
    s[j] = next[j]! - parameters[j]!;
    y[j] = now[j]! - before[j]!;
  }
  gradient.set(now);
  const curved = dot(s, y) > LEAST_CURVATURE * Math.sqrt(dot(s, s) * dot(y, y));
  if (curved) {
    steps.set(s, (pairs % memory) * p);
    changes.set(y, (pairs % memory) * p);
  }
  return { ...state, loss, known: 1, pairs: curved ? pairs + 1 : pairs };
}

function sumOfAbsolutes(vector: Float64Array): number {
  return vector.reduce((sum, value) => sum + Math.abs(value), 0);
}

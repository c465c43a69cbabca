// Takes one step of `ggnScore` (ggn-score.ts) on a batch: the direction of direction.ts, its length, and the proximal
// step after it. All sums are those of the batch's rows: objective g_batch + decay/2 |w|^2 + rows tau h(w).
import { dot } from "../../algebra/vectors.js";
import { type Failure, failed } from "../../backend/engine.js";
import type { BatchContext, BatchStep } from "../batch-method.js";
import { type MethodState, numberOf } from "../method.js";
import { type Direction, directionOf } from "./direction.js";
import { formOf, type GgnScoreSettings, smoothingAt } from "./options.js";
import { type Penalty, penaltyOf } from "./penalty.js";

/** Share of the decrease predicted by the slope that an accepted length must reach. */
const ARMIJO = 1e-4;
/** Halvings before the search gives up, at a length of 1e-9. */
const MOST_HALVINGS = 30;

/** An objective at trial points, and the seconds that it took. */
class Trials {
  seconds = 0;
  readonly #context: BatchContext;
  readonly #weight: number;

  /** @param weight rows tau */
  constructor(context: BatchContext, weight: number) {
    this.#context = context;
    this.#weight = weight;
  }

  /** Sum loss with the decay and rows tau `regularizer`; Infinity where the loss is not finite. */
  async at(w: Float64Array, regularizer: number): Promise<number | Failure> {
    const start = performance.now();
    const { engines, signal, decay } = this.#context;
    const answer = await engines[0]!.evaluate(w, signal);
    this.seconds += (performance.now() - start) / 1000;
    if (failed(answer)) return answer.code === "non-finite" ? Number.POSITIVE_INFINITY : answer;
    return answer.loss + 0.5 * decay * dot(w, w) + this.#weight * regularizer;
  }
}

/** A published step that raises the loss of a batch to this multiple of the first batch's loss ends the run. */
const EXPLODED = 1e6;

/** One step. The state holds the size of the loss of the first batch, or -1 before it. */
export async function takeStep(
  settings: GgnScoreSettings,
  context: BatchContext,
  state: MethodState,
): Promise<BatchStep | Failure> {
  const { parameters, next, rows, decay, totalRows, engines, vectors } = context;
  const [p, engine] = [parameters.length, engines[0]!];
  const [rest, diagonal] = [context.scratch("rest"), context.scratch("diagonal")];
  const published = settings.step === "published";
  const mu = smoothingAt(settings, context.iteration);
  const penalty = penaltyOf({ ...settings, mu }, p);
  const value = penalty.fill(parameters, published ? "second" : "majorizer", rest, diagonal);
  const eta = published ? newtonDecrement(rest, diagonal, settings.tau) : 0;
  const weight = rows * settings.tau;
  for (let j = 0; j < p; j++) {
    rest[j]! *= weight;
    diagonal[j] = weight * diagonal[j]! + rows * settings.damping;
  }
  const found = await directionOf(engine, {
    form: formOf(settings, { rows, outputSize: engine.outputSize, parameterCount: p }, context.batch !== null),
    parameters,
    decay,
    diagonal,
    rest,
    gradient: context.scratch("gradient"),
    loss: context.loss,
    batch: context.batch,
    signal: context.signal,
  });
  if (failed(found)) return found;
  const { direction, point } = found;
  const before = numberOf(state, "start");
  const start = before < 0 ? Math.abs(point.loss) : before;
  const { gradient } = point;
  for (let j = 0; j < p; j++) gradient[j]! += rest[j]!;
  const trials = new Trials(context, weight);
  let length = 0;
  if (published) {
    length = Math.min(1, settings.length / (1 + penalty.selfConcordance * eta));
    for (let j = 0; j < p; j++) next[j] = parameters[j]! + length * direction[j]!;
  } else {
    const objective = point.loss + 0.5 * decay * dot(parameters, parameters) + weight * value;
    const searched = await search(context, penalty, trials, found, objective);
    if (typeof searched !== "number") return searched;
    length = searched;
  }
  if (length > 0 && settings.proximal) {
    const shrunk = await shrink(settings, penalty, context, trials, length);
    if (shrunk !== null) return shrunk;
  }
  const moved = length > 0 ? vectors.norm(vectors.addScaled(next, -1, parameters, context.scratch("unused"))) : 0;
  return {
    ok: true,
    accepted: length > 0,
    state: { start },
    loss: point.loss,
    gradient,
    stepNorm: moved,
    damping: rows * settings.damping,
    seconds: { ...point.seconds, solve: found.seconds, evaluate: trials.seconds },
    end: published
      ? explosion(point.loss, start, length)
      : length === 0 && rows === totalRows && mu === settings.mu
        ? { code: "no-progress", message: REACHED }
        : undefined,
  };
}

const REACHED = `no length of the step down to 2^-${MOST_HALVINGS} lowers the regularized objective: the minimum is reached to rounding`;

/** The reason for which a run of published steps ends once it diverges; undefined before. */
function explosion(loss: number, start: number, length: number): BatchStep["end"] {
  if (length > 0 && (start === 0 || loss <= EXPLODED * start)) return undefined;
  const found =
    length > 0 ? `raised the loss of a batch from ${start.toExponential(3)} to ${loss.toExponential(3)}` : "length 0";
  const why = "where |w| is far above mu the curvature of the regularizer vanishes and the step is too long";
  return {
    code: "no-progress",
    message: `the published step has ${found}: ${why}; take the majorizing step, or a larger mu`,
  };
}

/** eta: the length of tau grad h in the inverse of diag h''. */
function newtonDecrement(gradient: Float64Array, curvature: Float64Array, tau: number): number {
  let sum = 0;
  for (let j = 0; j < gradient.length; j++) if (gradient[j] !== 0) sum += (tau * gradient[j]!) ** 2 / curvature[j]!;
  return Math.sqrt(sum);
}

/**
 * Writes w + t d to `next` for the first t = rate, rate/2, ... that lowers the objective enough, and returns t; 0 where
 * none does.
 */
async function search(
  { parameters, next, rate }: BatchContext,
  penalty: Penalty,
  trials: Trials,
  { direction, point }: Direction,
  objective: number,
): Promise<number | Failure> {
  const slope = dot(point.gradient, direction);
  let length = rate;
  for (let halvings = 0; halvings <= MOST_HALVINGS; halvings++, length /= 2) {
    for (let j = 0; j < next.length; j++) next[j] = parameters[j]! + length * direction[j]!;
    const value = await trials.at(next, penalty.value(next));
    if (typeof value !== "number") return value;
    if (value < objective && value <= objective + ARMIJO * length * slope) return length;
  }
  return 0;
}

/**
 * The proximal step at `next`, in place, with the thresholds of the released code: tau length h''(w). With the
 * majorizing step thresholds are applied only where the objective with the norm that h smooths does not rise. Returns a
 * failure, or null.
 */
async function shrink(
  { rule, tau, step, length: chosen }: GgnScoreSettings,
  penalty: Penalty,
  context: BatchContext,
  trials: Trials,
  length: number,
): Promise<Failure | null> {
  const { parameters, next } = context;
  const [threshold, unused] = [context.scratch("threshold"), context.scratch("unused")];
  penalty.fill(parameters, "second", unused, threshold);
  const factor = tau * (step === "published" ? chosen : length);
  for (let j = 0; j < threshold.length; j++) threshold[j]! *= factor;
  const shrunk = unused;
  shrunk.set(next);
  penalty.proximal(shrunk, threshold);
  if (step === "majorizing" && rule.of === "norm") {
    const before = await trials.at(next, penalty.limit(next));
    if (typeof before !== "number") return before;
    const after = await trials.at(shrunk, penalty.limit(shrunk));
    if (typeof after !== "number") return after;
    if (!(after <= before)) return null;
  }
  next.set(shrunk);
  return null;
}

// Fits a setup: runs the minimization from the given start, and others where the options request them or the first does not end well. least-squares.ts and
// curve-fit.ts call it.
//
//   1. from the given start; with linear parameters named, by variable projection first (separable.ts)
//   2. where that ran out of iterations, into a region without slope (a rate that grew until the model no longer depends on it), or to infinity
//      along parameters that cancel: by variable projection where parameters are linear, else from starts drawn around the given one
//   3. with `starts`, from as many
//
// The end of least objective is the result; the first of those that are equal within rounding.
import { GaussflowError } from "../errors.js";
import type { Loss } from "../loss/rules.js";
import type { Reason } from "../method/reason.js";
import { drawnStart } from "./drawn-starts.js";
import { type Leg, type LegSettings, runLeg } from "./fit-leg.js";
import type { FitSetup } from "./fit-setup.js";
import type { Evaluations } from "./residual-engine.js";
import { settledLoss } from "./robust-scale.js";
import { linearParameters, ProjectedFunction, unbounded } from "./separable.js";

/** One minimization of a fit. */
export interface FitAttempt {
  /** Where it started. */
  readonly kind: "start" | "variable projection" | "drawn start";
  /** p parameters. */
  readonly start: Float64Array;
  /** p parameters at its end. */
  readonly estimates: Float64Array;
  /** Sum of the losses there. */
  readonly objective: number;
  /** Why it ended. */
  readonly reason: Reason;
  /** Accepted steps. */
  readonly iterations: number;
}

/** All minimizations, and the one whose end is the result. */
export interface Fitted {
  readonly leg: Leg;
  readonly loss: Loss;
  readonly attempts: readonly FitAttempt[];
  /** Calls of the function for residuals and for derivatives, of all of them. */
  readonly evaluations: Evaluations;
}

/** How the minimizations are chosen. */
export interface FitPlan extends LegSettings {
  /** Number of starts that the caller asks for. */
  readonly starts: number;
  readonly seed: number;
}

/** Iterations after which variable projection is tried, and most iterations of that. */
const PATIENCE = 200;
/** Starts that are drawn where nothing else helps. */
const RESCUES = 8;
/** Relative difference of objectives that is no difference. */
const EQUAL = 1e-9;
/** A parameter has lost its effect where its column is this much shorter than before, and its whole size changes the residuals by so little. */
const FLAT = 1e-6;
/** Condition number of J with columns of norm one above which parameters cancel, as a huge decay and a huge offset do along a flat curve. */
const CANCELED = 1e10;

/** @throws GAUSSFLOW_ARGUMENT where the residuals at the start are not finite */
export async function runAttempts(setup: FitSetup, plan: FitPlan): Promise<Fitted> {
  const run = new Run(setup, plan, await settledLoss(setup, plan));
  await run.all();
  return run.fitted();
}

/** Fits the other parameters with one held, from a start near their values: a point of a profile. */
export async function refitHeld(
  setup: FitSetup,
  { method, stop }: FitPlan,
  held: number,
  start: Float64Array,
): Promise<{ readonly sumOfSquares: number; readonly estimates: Float64Array }> {
  const free = setup.free.filter((j) => j !== held);
  if (free.length > 0) {
    const silent = { method, stop, signal: undefined, onRecord: undefined };
    const leg = await runLeg({ ...setup, free }, start, setup.loss, { ...silent, near: true });
    return { sumOfSquares: 2 * leg.objective, estimates: leg.b };
  }
  const residuals = new Float64Array(setup.function.count);
  await setup.function.residuals(start, residuals);
  const sum = residuals.reduce((total, value, i) => total + (setup.weights?.[i] ?? 1) * value * value, 0);
  return { sumOfSquares: Number.isFinite(sum) ? sum : Number.POSITIVE_INFINITY, estimates: start };
}

class Run {
  readonly #setup: FitSetup;
  readonly #plan: FitPlan;
  readonly #loss: Loss;
  readonly #attempts: FitAttempt[] = [];
  readonly #legs: Leg[] = [];
  readonly #counts = { residuals: 0, jacobians: 0 };
  readonly #end: number;

  constructor(setup: FitSetup, plan: FitPlan, loss: Loss) {
    this.#setup = setup;
    this.#plan = plan;
    this.#loss = loss;
    this.#end = performance.now() + 1000 * plan.stop.seconds;
  }

  async all(): Promise<void> {
    const { linear, start } = this.#setup;
    const { starts, seed, stop } = this.#plan;
    if (linear !== null) await this.#projected(linear, start);
    // Variable projection gives no start where the residuals are not finite.
    if (this.#legs.length === 0)
      await this.#from("start", start, linear === null ? Math.min(PATIENCE, stop.iterations) : stop.iterations);
    for (let number = 1; number < starts && !this.#over(); number++)
      await this.#from("drawn start", drawnStart(this.#setup, seed, number), stop.iterations);
    if (starts === 1 && linear === null && (this.#endedBadly() || this.#cancels()) && !this.#over())
      await this.#rescue();
  }

  fitted(): Fitted {
    return { leg: this.#best(), loss: this.#loss, attempts: this.#attempts, evaluations: this.#counts };
  }

  /** What helps where the minimization from the start has not ended well. */
  async #rescue(): Promise<void> {
    const { start, free, box } = this.#setup;
    const { stop, seed } = this.#plan;
    const linear = await linearParameters(this.#setup.function, start, unbounded(free, box));
    const projects = linear.length > 0 && linear.length < free.length;
    const unfinished = this.#best().result.reason.code === "iterations";
    // A minimization that was on its way goes on from where it is: another start may lead to another of several minima.
    if (projects && unfinished) await this.#projected(linear, this.#best().b);
    if (projects && (this.#endedBadly() || this.#cancels())) await this.#projected(linear, start);
    if (!this.#endedBadly()) return;
    const rest = stop.iterations - PATIENCE;
    if (this.#best().result.reason.code === "iterations" && rest > 0) await this.#from("start", this.#best().b, rest);
    for (let number = 1; number <= RESCUES && this.#endedBadly() && !this.#over(); number++)
      await this.#from("drawn start", drawnStart(this.#setup, seed, number), stop.iterations);
  }

  /** Variable projection from `start`, then all parameters from its end. */
  async #projected(linear: readonly number[], start: Float64Array): Promise<void> {
    const { free, function: of, weights } = this.#setup;
    const projected = new ProjectedFunction(of, linear, weights?.map(Math.sqrt) ?? null);
    const rest = free.filter((j) => !linear.includes(j));
    let from = await projected.solved(start);
    if (rest.length > 0) {
      const reduced = { ...this.#setup, function: projected, free: rest };
      const leg = await runLeg(
        reduced,
        start,
        this.#loss,
        this.#settings(Math.min(PATIENCE, this.#plan.stop.iterations)),
      );
      this.#count(leg);
      from = await projected.solved(leg.b);
    }
    await this.#from("variable projection", from, this.#plan.stop.iterations, true);
  }

  async #from(kind: FitAttempt["kind"], start: Float64Array, iterations: number, near = false): Promise<void> {
    if (!start.every(Number.isFinite)) return;
    const leg = await runLeg(this.#setup, start, this.#loss, { ...this.#settings(iterations), near });
    this.#count(leg);
    const { reason, records, iterations: taken } = leg.result;
    if (records.length === 0 && reason.code === "non-finite" && kind === "start") throw startError(reason);
    this.#legs.push(leg);
    this.#attempts.push({ kind, start, estimates: leg.b, objective: leg.objective, reason, iterations: taken });
  }

  #settings(iterations: number): LegSettings {
    const { method, stop, signal, onRecord } = this.#plan;
    const seconds = Math.max((this.#end - performance.now()) / 1000, 1e-3);
    return { method, stop: { ...stop, iterations, seconds }, signal, onRecord };
  }

  #count({ engine }: Leg): void {
    const { residuals, jacobians } = engine.evaluations;
    this.#counts.residuals += residuals;
    this.#counts.jacobians += jacobians;
  }

  #best(): Leg {
    const least = Math.min(...this.#legs.map((leg) => leg.objective));
    const margin = EQUAL * Math.abs(least);
    return (this.#legs.find((leg) => leg.objective <= least + margin) ?? this.#legs[0])!;
  }

  /** Whether the best end so far is that of a run that was not done, or where a parameter has lost its effect. */
  #endedBadly(): boolean {
    const { engine, result } = this.#best();
    if (result.reason.code === "iterations") return this.#plan.stop.iterations > PATIENCE;
    return engine.lostEffects(FLAT).length > 0;
  }

  /** Whether parameters cancel at the best end, where there are enough residuals to tell them apart. */
  #cancels(): boolean {
    const { engine } = this.#best();
    return engine.sampleCount >= engine.parameterCount && engine.condition() > CANCELED;
  }

  #over(): boolean {
    return this.#plan.signal?.aborted === true || performance.now() >= this.#end;
  }
}

/** The error for a start where the residuals are not finite. */
function startError({ message, where }: Reason): GaussflowError {
  const rule = `must be a point where all residuals and their derivatives are finite: ${message}. Start elsewhere, set bounds, or check that the function gives a number for every observation`;
  return new GaussflowError("GAUSSFLOW_ARGUMENT", `start ${rule}`, { argument: "start", rule, where });
}

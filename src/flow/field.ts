// Computes the right-hand side dw/dt of a flow on an engine (docs/theory.md). flow-run.ts makes one FlowField a flow, and the integrator
// calls it for every stage of a step.
//
//   dw/dt = -(1/alpha) H_rho^-1 J^T grad g,   H_rho = (1-rho) J^T Q J + rho I      with the engine's J~ = alpha J:
//         = -((1-rho) J~^T J~ + alpha^2 rho I)^-1 J~^T r~   =  step(mu)/(1-rho),   mu = alpha^2 rho/(1-rho)
//
// The right-hand side is thus a scaled Levenberg-Marquardt step. A weight decay is added to loss and curvature. The state has one extra
// component, the integral of the dissipation, by which the objective of an exact flow falls.
import { dot, norm } from "../algebra/vectors.js";
import { type Failure, failed, type RankReport, type Solved } from "../backend/engine.js";
import type { NetworkEngine } from "../backend/network-engine.js";
import { decayOverflow, objectiveOf } from "../linearize/problem.js";
import type { Stage, StageFailure } from "../ode/types.js";
import type { FlowRoute, Route } from "../plan/route.js";
import { extremeEigenvalues } from "../spectrum/spectrum.js";
import { lastDigitMoved, relativeNoise } from "../spectrum/velocity-noise.js";
import { type DampingSchedule, type ScheduleSpectrum, scheduledRho } from "./damping-schedule.js";

/** The quantities that one right-hand side computes. */
export interface FieldPoint {
  readonly time: number;
  /** Sum loss and sum objective. */
  readonly loss: number;
  readonly objective: number;
  readonly gradientNorm: number;
  /** NaN for rho = 1, where no curvature is formed, and with losses other than squared error. */
  readonly gradientCosine: number;
  /** -d objective/dt = gradient^T (alpha-scaled H)^-1 gradient. */
  readonly dissipation: number;
  readonly rho: number;
  readonly spectrum: ScheduleSpectrum | null;
  readonly route: Route;
  readonly rank: RankReport | null;
  /** Condition of the system solved, where estimated. */
  readonly condition: number | null;
}

export interface FieldOptions {
  readonly alpha: number;
  readonly decay: number;
  readonly schedule: DampingSchedule;
  readonly route: "auto" | FlowRoute;
  /** Relative tolerance of the integration, which determines how exact a solve has to be. */
  readonly relativeTolerance: number;
  readonly signal: AbortSignal;
}

/** The error of a Cholesky solve, about cond * eps, has to be below the tolerance by this factor. */
const solveShare = 0.01;

export class FlowField {
  /** The last point with a loss, even if it has no velocity: its dissipation is 0 then. */
  last: FieldPoint | null = null;
  linearizations = 0;
  /** When and why the flow switched from Cholesky to the orthogonal route, or null. */
  switched: { readonly time: number; readonly message: string } | null = null;
  readonly #engine: NetworkEngine;
  readonly #options: FieldOptions;
  readonly #conditionLimit: number;
  #route: FlowRoute;
  #initialObjective: number | null;
  #held: ScheduleSpectrum | null = null;
  /** Fewest and most eigenvalues below the rounding floor, of the present route: each has its own floor. */
  #below: [number, number] = [Number.POSITIVE_INFINITY, 0];

  /** @param resume state of a checkpoint */
  constructor(
    engine: NetworkEngine,
    options: FieldOptions,
    resume: { readonly initialObjective: number; readonly switched: FlowField["switched"] } | null = null,
  ) {
    this.#engine = engine;
    this.#options = options;
    this.#conditionLimit = (solveShare * options.relativeTolerance) / Number.EPSILON;
    this.#initialObjective = resume?.initialObjective ?? null;
    this.switched = resume?.switched ?? null;
    const wide = engine.parameterCount > engine.sampleCount * engine.outputSize;
    this.#route = options.route === "auto" ? (wide ? "dual" : "primal") : options.route;
    if (this.switched !== null) this.#route = "orthogonal";
  }

  get route(): Route {
    return this.#route;
  }

  get initialObjective(): number {
    return this.#initialObjective ?? Number.NaN;
  }

  /**
   * Between steps: a spectrum that is too large to be computed at every right-hand side is computed here and held through the
   * stages of the next step, each of which is then a step of the flow with a constant rho. null where nothing is held.
   */
  async refresh(time: number, state: Float64Array): Promise<Stage | null> {
    if (this.#held === null) return null;
    this.#held = null;
    return this.evaluate(time, state);
  }

  /** How far the velocity at (t, [w; .]) is rounding; NaN where there is none. Leaves the field as it is, but for the linearizations. */
  async noiseAt(time: number, state: Float64Array): Promise<number> {
    const kept = { last: this.last, switched: this.switched, route: this.#route, held: this.#held, below: this.#below };
    const velocityOf = async (parameters: Float64Array) => {
      this.#held = null;
      const answer = await this.#velocity(time, parameters);
      return "failure" in answer ? null : answer.velocity;
    };
    const w = state.slice(0, this.#engine.parameterCount);
    const [here, moved] = [await velocityOf(w), await velocityOf(lastDigitMoved(w))];
    this.last = kept.last;
    this.switched = kept.switched;
    this.#route = kept.route;
    this.#held = kept.held;
    this.#below = kept.below;
    return here === null || moved === null ? Number.NaN : relativeNoise(here, moved);
  }

  /** A smallest eigenvalue that crosses the rounding floor to and fro makes the damping jump: a sentence where that was seen, else null. */
  eigenvalueLost(): string | null {
    const [least, most] = this.#below;
    if (!(least < most)) return null;
    return `rounding limits the flow: the smallest eigenvalue of J J^T, which the damping follows, comes and goes at the rounding floor (between ${least} and ${most} lie below it), and the damping jumps with it; a constant damping cures it, and a larger outputScale where J has full rank at the start`;
  }

  /** Derivative of [w; dissipated] at (t, [w; .]). */
  async evaluate(time: number, state: Float64Array): Promise<Stage> {
    const p = this.#engine.parameterCount;
    const parameters = state.slice(0, p);
    const bad = parameters.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0)
      return {
        failure: "non-finite",
        message: `parameter ${bad} is not finite`,
        where: { what: "parameter", parameter: bad },
      };
    const answer = await this.#velocity(time, parameters);
    if ("failure" in answer) return answer;
    const derivative = new Float64Array(p + 1);
    derivative.set(answer.velocity);
    derivative[p] = answer.dissipation;
    return derivative;
  }

  async #velocity(
    time: number,
    parameters: Float64Array,
  ): Promise<{ velocity: Float64Array; dissipation: number } | StageFailure> {
    const { decay, schedule, alpha, signal } = this.#options;
    const engine = this.#engine;
    // rho = 1 needs no curvature; a schedule that may need one is evaluated after the linearization.
    const gradientFlow = schedule.name === "constant" && schedule.settings.rho === 1;
    const curvature = gradientFlow ? "none" : this.#route;
    const point = await engine.linearize(parameters, { curvature, decay, scaling: null }, signal);
    this.linearizations++;
    if (failed(point)) return asStage(point);
    const objective = objectiveOf(point.loss, decay, parameters);
    const gradientNorm = norm(point.gradient);
    const overflow = decayOverflow(objective, gradientNorm, decay);
    if (overflow !== null) return asStage(overflow);
    this.#initialObjective ??= objective;
    const spectrum = schedule.needsSpectrum ? await this.#spectrum() : null;
    const view = {
      time,
      // A copy, so that a schedule cannot change the solve by writing to it.
      get parameters() {
        return parameters.slice();
      },
      objective,
      initialObjective: this.#initialObjective,
      spectrum,
    };
    const rho = scheduledRho(schedule, view, signal);
    const bare = {
      time,
      loss: point.loss,
      objective,
      gradientNorm,
      gradientCosine: point.gradientCosine,
      rho,
      spectrum,
    };
    const solved = rho === 1 ? null : await this.#solve(time, parameters, rho);
    if (solved !== null && failed(solved)) {
      this.last = { ...bare, dissipation: 0, route: this.#route, rank: null, condition: null };
      return asStage(solved);
    }
    const system = {
      route: this.#route,
      rank: solved?.rank ?? null,
      condition: solved === null || !Number.isFinite(solved.condition) ? null : solved.condition,
    };
    if (rho === 0 && decay === 0 && solved?.rank && solved.rank.rank < engine.parameterCount) {
      this.last = { ...bare, dissipation: 0, ...system };
      return {
        failure: "singular-jacobian",
        message: `J is singular at t = ${time}: numerical rank ${solved.rank.rank} of ${engine.parameterCount} at tolerance ${solved.rank.tolerance.toExponential(1)}, sigma_min = ${solved.rank.smallest.toExponential(3)}`,
      };
    }
    const velocity =
      solved === null
        ? point.gradient.map((value) => -value / alpha ** 2)
        : solved.step.map((value) => value / (1 - rho));
    const dissipation = -dot(point.gradient, velocity);
    this.last = { ...bare, dissipation, ...system };
    return { velocity, dissipation };
  }

  /** Cholesky as long as its condition estimate allows, QR from then on: a right-hand side that switches back and forth is not smooth. */
  async #solve(time: number, parameters: Float64Array, rho: number): Promise<Solved | Failure> {
    const { alpha, decay, route, signal } = this.#options;
    const damping = (alpha ** 2 * rho) / (1 - rho);
    const watch = this.#route === "primal" && route === "auto";
    const request = { damping, decay, scaling: null, condition: watch };
    const solved = await this.#engine.solve(request, signal);
    if (!watch) return solved;
    if (failed(solved) && solved.code !== "indefinite") return solved;
    const condition = failed(solved) ? Number.POSITIVE_INFINITY : solved.condition;
    if (condition <= this.#conditionLimit && !failed(solved)) return solved;
    const numbers = failed(solved)
      ? `J^T J${rho > 0 ? " with its damping" : ""} is not positive definite to rounding: pivot ${solved.pivot} of its Cholesky factorization is not positive`
      : `the condition estimate ${condition.toExponential(2)} is above ${this.#conditionLimit.toExponential(2)}`;
    this.switched = { time, message: `orthogonal route from t = ${time} on: ${numbers}` };
    this.#route = "orthogonal";
    this.#below = [Number.POSITIVE_INFINITY, 0];
    const again = await this.#engine.linearize(parameters, { curvature: "orthogonal", decay, scaling: null }, signal);
    this.linearizations++;
    return failed(again) ? again : this.#engine.solve({ ...request, condition: false }, signal);
  }

  async #spectrum(): Promise<ScheduleSpectrum> {
    if (this.#held !== null) return this.#held;
    const { alpha, signal } = this.#options;
    const { smallest, largest, below, method } = await extremeEigenvalues(this.#engine, { scale: alpha ** 2 }, signal);
    this.#below = [Math.min(this.#below[0], below), Math.max(this.#below[1], below)];
    if (method === "lanczos") this.#held = { smallest, largest, below };
    return { smallest, largest, below };
  }
}

function asStage(failure: Failure): StageFailure {
  switch (failure.code) {
    case "non-finite":
      return { failure: "non-finite", message: failure.message, where: failure.where };
    case "memory":
      return { failure: "memory", message: failure.message, fatal: true };
    case "indefinite":
    case "imprecise":
      return { failure: "singular-jacobian", message: failure.message };
    default:
      failure satisfies never;
      throw new Error("unreachable");
  }
}

// The public `monitor`: an observer of `train` and `flow` that measures the quantities of the theory (docs/theory.md) and reports a
// verdict: whether the run has converged, how fast, and what holds it back. Users, gaussflow train --monitor and the experiments pass it as
// the option `monitor`, and the run calls it at each record and at its end.
//
// Cost at every observed point, in addition to the run's own work (n c equations, p parameters):
//   spectrum   one linearization and the eigenvalues of its matrix, O(min(p, n c)^3); Lanczos for large orders
//   parts      the same linearization and one solve
//   drift      a tangent kernel on at most 512 equations
// Everything else is computed from the run's own records. With all three off the monitor costs nothing.
import { norm } from "../algebra/vectors.js";
import { failed } from "../backend/engine.js";
import { argumentError, GaussflowError } from "../errors.js";
import { lossRule } from "../loss/rules.js";
import { weighted } from "../loss/weighted.js";
import type { Reason } from "../method/reason.js";
import { checkBoolean, checkCount, checkFunction, checkOptionNames } from "../options.js";
import type { ObserverNeeds } from "../plan/observation.js";
import { endedBy } from "../run/interrupt.js";
import type { ObservedPoint, ObservedRun, Observer, ResidualTerms } from "../run/observer.js";
import type { FlowRecord, TrainRecord } from "../run/record.js";
import { KernelDrift } from "../spectrum/kernel-drift.js";
import { lastDigitMoved } from "../spectrum/velocity-noise.js";
import { undampedWay } from "./linear-extrapolation.js";
import { measure } from "./measure.js";
import type { MonitorRecord, MonitorReport } from "./monitor-report.js";
import type { Observation } from "./observation.js";
import { withoutPromise } from "./other-losses.js";
import { provisionalRecord, report } from "./report.js";
import { VERDICT_THRESHOLDS } from "./verdict.js";

/** Options of `monitor`: which quantities it measures. A quantity that is switched off costs nothing. */
export interface MonitorOptions {
  /** Observe every so many accepted steps (start and end always). Default 1. */
  readonly every?: number | undefined;
  /** Number of points over which the rate is fitted; a verdict needs at least four. Default 8. */
  readonly window?: number | undefined;
  /** Measure the eigenvalues of the kernel, which the promised rate needs for 0 < rho. Default true. */
  readonly spectrum?: boolean | undefined;
  /** Measure the tangent and normal part of the residual (for optimum and convergence test) and the dissipation of training steps. Default true. */
  readonly parts?: boolean | undefined;
  /** Measure the drift of the kernel. Default true. */
  readonly drift?: boolean | undefined;
  /**
   * Least sum objective, where it is known. Default: estimated, see `MonitorReport.optimum`. Give 0 only where the run can reach the
   * target from where it starts: in the lazy regime it reaches what is in the range of J, which a target made by another network is not.
   */
  readonly optimum?: number | undefined;
  /** Called with every observation. Quantities that need the optimum (rates, PL ratio, promised rates of steps) are null until the end. */
  readonly onRecord?: ((record: MonitorRecord) => void | Promise<void>) | undefined;
}

/** An observer for `options.monitor` of one run. The report is also in the run's result. */
export interface Monitor extends Observer<MonitorReport> {
  /** null until the run has ended. */
  readonly report: MonitorReport | null;
}

const NAMES = ["every", "window", "spectrum", "parts", "drift", "optimum", "onRecord"];

/**
 * Makes a monitor for one run of `train` or `flow`.
 * @throws GAUSSFLOW_ARGUMENT naming the option, the rule and the value
 * @example const path = await flow(net, data, { monitor: monitor() }); path.monitor?.verdict.message;
 */
export function monitor(options: MonitorOptions = {}): Monitor {
  checkOptionNames("options", options, NAMES);
  const { every = 1, window = 8, spectrum = true, parts = true, drift = true, optimum, onRecord } = options;
  checkCount("options.every", every, 1);
  checkCount("options.window", window, VERDICT_THRESHOLDS.points);
  for (const [name, value] of Object.entries({ spectrum, parts, drift })) checkBoolean(`options.${name}`, value);
  if (optimum !== undefined && !(typeof optimum === "number" && Number.isFinite(optimum) && optimum >= 0))
    throw argumentError("options.optimum", "must be a finite number of at least 0", optimum);
  if (onRecord !== undefined) checkFunction("options.onRecord", onRecord);
  return new Watch({ every, window, spectrum, parts, drift, optimum: optimum ?? null, onRecord });
}

interface Settings {
  readonly every: number;
  readonly window: number;
  readonly spectrum: boolean;
  readonly parts: boolean;
  readonly drift: boolean;
  readonly optimum: number | null;
  readonly onRecord: ((record: MonitorRecord) => void | Promise<void>) | undefined;
}

class Watch implements Monitor {
  report: MonitorReport | null = null;
  readonly needs: ObserverNeeds;
  readonly #settings: Settings;
  readonly #warnings: string[] = [];
  readonly #train: TrainRecord[] = [];
  readonly #flow: FlowRecord[] = [];
  readonly #observations: Observation[] = [];
  #run: ObservedRun | null = null;
  #drift: KernelDrift | null = null;
  #last: ObservedPoint | null = null;
  /** Parameters of the last observation. */
  #before: Float64Array | null = null;
  #seen = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    const { spectrum, parts, drift } = settings;
    this.needs = { curvature: spectrum || parts, spectrum: spectrum || parts, sample: drift };
  }

  async onStart(run: ObservedRun): Promise<void> {
    if (this.#run !== null) throw argumentError("monitor", "must be made anew for every run", "a monitor in use");
    this.#run = run;
    if (!this.#settings.drift) return;
    await this.#attempt(0, async () => {
      const drift = new KernelDrift(run.sample());
      await drift.at(run.start, run.signal);
      this.#drift = drift;
    });
  }

  onRecord(record: TrainRecord): void {
    if (record.accepted) this.#train.push(record);
  }

  onFlowRecord(record: FlowRecord): void {
    this.#flow.push(record);
  }

  async onPoint(point: ObservedPoint): Promise<void> {
    if (this.#run === null) return;
    this.#last = point;
    const run = this.#run;
    if (this.#seen++ % this.#settings.every === 0) await this.#attempt(point.position, () => this.#observe(run, point));
  }

  async onEnd(reason: Reason): Promise<MonitorReport> {
    const [run, last] = [this.#run, this.#last];
    let floor = 0;
    let terms: ResidualTerms | null = null;
    if (run !== null && last !== null && !run.signal.aborted) {
      await this.#attempt(last.position, async () => {
        if (this.#observations.at(-1)?.position !== last.position) await this.#observe(run, last);
        if (!lossRule(run.loss).sumOfSquares) return;
        terms = await run.terms();
        floor = await roundingFloor(run, last, terms);
      });
    }
    const found = report({
      run,
      reason,
      window: this.#settings.window,
      optimum: this.#settings.optimum,
      floor,
      terms,
      warnings: this.#warnings,
      observations: this.#observations,
      train: this.#train,
      flow: this.#flow,
    });
    this.report = found;
    if (run === null || last === null || run.signal.aborted) return found;
    await this.#attempt(last.position, async () => {
      this.report = await this.#withWay(run, found);
    });
    return { ...this.report, warnings: this.#warnings };
  }

  /** An observation that has no memory, or that is aborted, is skipped; the run continues. */
  async #attempt(position: number, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      const signal = this.#run?.signal;
      const lacking = error instanceof GaussflowError && error.code === "GAUSSFLOW_MEMORY";
      if (!lacking && !endedBy(signal, error)) throw error;
      if (lacking) this.#warn(position, error.message);
    }
  }

  #warn(position: number, why: string): void {
    this.#warnings.push(
      `the observation at ${this.#run?.kind === "flow" ? "t =" : "iteration"} ${position} failed: ${why}`,
    );
  }

  /** A verdict that recommends less damping also states whether the flow would remain linear with it. */
  async #withWay(run: ObservedRun, found: MonitorReport): Promise<MonitorReport> {
    if (run.kind !== "flow" || found.verdict.code !== "damping-limited") return found;
    const caution = await undampedWay(run);
    const { code, message } = found.verdict;
    return caution === null ? found : { ...found, verdict: { code, message: `${message}; ${caution}` } };
  }

  async #observe(run: ObservedRun, { parameters, position }: ObservedPoint): Promise<void> {
    const { spectrum, parts, onRecord } = this.#settings;
    const { signal } = run;
    // The start of a training is observed before it has a record.
    const train = this.#train.at(-1)?.iteration === position ? (this.#train.at(-1) ?? null) : null;
    const found = await measure(run.engine, parameters, {
      alpha: run.architecture.outputScale,
      decay: run.decay,
      spectrum,
      parts,
      damping: parts && run.identityScaling ? (train?.damping ?? null) : null,
      sumOfSquares: lossRule(run.loss).sumOfSquares,
      targets: run.targets,
      weights: run.weights,
      signal,
    });
    if (failed(found)) {
      this.#warn(position, found.message);
      return;
    }
    const { ok: _, ...quantities } = found;
    const before = this.#before ?? run.start;
    this.#before = parameters;
    const observation: Observation = {
      position,
      ...quantities,
      drift: this.#drift === null ? null : await this.#drift.at(parameters, signal),
      stepNorm: norm(parameters.map((value, j) => value - before[j])),
      distance: norm(parameters.map((value, j) => value - run.start[j])),
      flow: this.#flow.at(-1) ?? null,
      train,
    };
    this.#observations.push(observation);
    await onRecord?.(provisionalRecord(observation, withoutPromise(run.loss)));
  }
}

/** Predictions carry a few units of rounding each: the sum loss cannot be known, or fall, below their squares. */
const roundingUnits = 16;

/**
 * Rounding floor of the sum loss. Rounding is relative to the summands: predictions and targets (the raw ones, before the mean was subtracted), and
 * inside of the network terms that may cancel, which shows when the last digit of the parameters moves.
 */
async function roundingFloor(run: ObservedRun, { parameters }: ObservedPoint, { raw }: ResidualTerms): Promise<number> {
  const { engine, weights, signal } = run;
  const c = engine.outputSize;
  const psi = weighted(await engine.forward(parameters, signal), weights, c);
  const moved = weighted(await engine.forward(lastDigitMoved(parameters), signal), weights, c);
  const answer = await engine.evaluate(parameters, signal);
  const residual = "ok" in answer ? Math.sqrt(2 * answer.loss) : 0;
  // |y| <= |psi| + |r|.
  const summed = roundingUnits * Number.EPSILON * (norm(psi) + residual + raw);
  const inside = norm(moved.map((value, k) => value - psi[k]));
  return 0.5 * Math.max(summed, Number.isFinite(inside) ? inside : 0) ** 2;
}

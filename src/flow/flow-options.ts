// Defines, checks and completes the options of `flow`; `flow.ts` calls `completeFlowOptions` first.

import type { Dataset } from "../data/dataset.js";
import { argumentError } from "../errors.js";
import { checkFixedLoss, type Loss, lossRule } from "../loss/rules.js";
import type { Network } from "../network/network.js";
import { dormandPrince, type Integrator } from "../ode/integrator.js";
import { checkEvents, checkIntegrator, checkOutputs, checkSpan } from "../ode/options.js";
import { checkOptionNames } from "../options.js";
import { FLOW_ROUTES, type FlowRoute } from "../plan/route.js";
import { checkLossNetwork } from "../run/loss-targets.js";
import type { FlowRecord } from "../run/record.js";
import { type CompletedRunOptions, completeRunOptions, RUN_OPTION_NAMES, type RunOptions } from "../run/run-options.js";
import { asSchedule, type DampingSchedule, type ScheduleView, spectralDamping } from "./damping-schedule.js";
import type { FlowEvent } from "./flow-events.js";

/** Options of `flow`. `Report` is the type of the monitor's report. */
export interface FlowOptions<Report = unknown> extends RunOptions<FlowRecord, Report> {
  /**
   * rho from 0 (Gauss-Newton) to 1 (gradient flow), a schedule, or a function. Default: `spectralDamping()` for p > n c; else 0, but 0.1 with
   * `softmaxCrossEntropy` without decay, whose undamped system is singular.
   */
  readonly damping?: number | DampingSchedule | ((view: ScheduleView) => number) | undefined;
  /** Time at which the flow starts. Default 0. */
  readonly from?: number | undefined;
  /** Time at which the flow ends. Default 5. */
  readonly until?: number | undefined;
  /** Default `dormandPrince()`. */
  readonly integrator?: Integrator | undefined;
  /** Times at which the result holds a network: increasing, within [from, until]. */
  readonly outputs?: readonly number[] | undefined;
  /** Events to detect during the flow. Default none. */
  readonly events?: readonly FlowEvent[] | undefined;
  /** Limits that end the flow before `until`. */
  readonly stop?:
    | {
        /** Mean loss to stop at, at least 0. */
        readonly loss?: number | undefined;
        /** Scale-free gradient measure to stop at, at least 0; with squared error only. */
        readonly gradient?: number | undefined;
        /** Seconds to stop after, at least 0. */
        readonly seconds?: number | undefined;
      }
    | undefined;
  /** Default "auto": dual for p > n c; else primal, and orthogonal as soon as Cholesky is not exact enough. */
  readonly route?: "auto" | FlowRoute | undefined;
}

export interface CompletedFlowOptions extends CompletedRunOptions {
  readonly schedule: DampingSchedule;
  readonly from: number;
  readonly until: number;
  readonly integrator: Integrator;
  readonly outputs: readonly number[];
  readonly events: readonly FlowEvent[];
  readonly stop: { readonly loss: number; readonly gradient: number; readonly seconds: number };
  readonly route: "auto" | FlowRoute;
}

const NAMES = [...RUN_OPTION_NAMES, "damping", "from", "until", "integrator", "outputs", "events", "stop", "route"];

const ROUTES: readonly string[] = ["auto", ...FLOW_ROUTES];

/** @throws GAUSSFLOW_ARGUMENT naming the option, the rule and the value */
export function completeFlowOptions(options: FlowOptions, network: Network, data: Dataset): CompletedFlowOptions {
  checkOptionNames("options", options, NAMES);
  const [p, equations] = [network.parameterCount, data.sampleCount * network.outputSize];
  const run = completeRunOptions(options, data.classes);
  checkFixedLoss("options.loss", run.loss);
  checkLossNetwork(network, run.loss, options.loss !== undefined);
  const { route = "auto", integrator = dormandPrince() } = options;
  if (!ROUTES.includes(route)) throw argumentError("options.route", `must be one of ${ROUTES.join(", ")}`, route);
  checkIntegrator(integrator);
  const { from = 0, until = 5 } = options;
  checkSpan(from, until);
  const singular = run.loss.decay > 0 ? null : singularity(route, network, equations, run.loss);
  const schedule = asSchedule(options.damping ?? defaultDamping(p, equations, run.loss));
  if (singular !== null && schedule.name === "constant" && schedule.settings.rho === 0)
    throw argumentError("options.damping", singular, options.damping);
  const { stop = {} } = options;
  checkOptionNames("options.stop", stop, ["loss", "gradient", "seconds"]);
  for (const [name, value] of Object.entries(stop))
    if (value !== undefined && !(typeof value === "number" && value >= 0))
      throw argumentError(`options.stop.${name}`, "must be a number of at least 0", value);
  if (stop.gradient !== undefined && stop.gradient > 0 && !lossRule(run.loss).sumOfSquares)
    throw argumentError(
      "options.stop.gradient",
      `must be left out with ${run.loss.kind}: the measure is one of squaredError(), use options.stop.loss`,
      stop.gradient,
    );
  return {
    ...run,
    schedule,
    from,
    until,
    integrator,
    outputs: checkOutputs(options.outputs ?? [], from, until),
    events: checkEvents(options.events ?? []),
    stop: { loss: stop.loss ?? 0, gradient: stop.gradient ?? 0, seconds: stop.seconds ?? Number.POSITIVE_INFINITY },
    route,
  };
}

/** rho for a loss whose undamped system is singular, where the smallest eigenvalue is rounding and no damping can follow it. */
const SINGULAR_DAMPING = 0.1;

function defaultDamping(p: number, equations: number, loss: Loss): number | DampingSchedule {
  if (p > equations) return spectralDamping();
  return lossRule(loss).factor === "full" && loss.decay === 0 ? SINGULAR_DAMPING : 0;
}

/** Why the undamped system is singular by construction, as the rule of an error; null where it can be regular. */
function singularity(
  route: CompletedFlowOptions["route"],
  network: Network,
  equations: number,
  loss: Loss,
): string | null {
  const p = network.parameterCount;
  if (lossRule(loss).factor === "full")
    return `must be above 0 with ${loss.kind}, or its decay: a shift of all outputs changes no probability, so that the undamped system is singular; use a constant such as ${SINGULAR_DAMPING}`;
  if (p > equations)
    return `must be above 0 for ${p} parameters and ${equations} equations: without damping the system is singular by construction, use spectralDamping()`;
  if (route === "dual" && p < equations)
    return `must be above 0 with route "dual" for ${p} parameters and ${equations} equations: the kernel has rank ${p} at most`;
  if (network.options.drawn?.initialization === "symmetric" && !network.options.centered)
    return 'must be above 0 with initialization "symmetric", whose paired units make J singular at the start: use centered: true, which also starts at 0';
  return null;
}

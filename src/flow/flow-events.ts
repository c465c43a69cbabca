// Defines the events of a flow: the view that an event function receives, and the ready-made events (`lossBelow`, `driftAbove`, ...), which
// users pass to `flow`. flow-run.ts converts them to events of the integrator by odeEvents.
import { norm } from "../algebra/vectors.js";
import { failed } from "../backend/engine.js";
import type { NetworkEngine } from "../backend/network-engine.js";
import { objectiveOf } from "../linearize/problem.js";
import type { OdeEvent } from "../ode/types.js";
import { checkBoolean, checkPositive } from "../options.js";
import { KernelDrift } from "../spectrum/kernel-drift.js";

/** The quantities of which an event of a flow can be a function. */
export interface FlowEventView {
  /** Time of the flow. */
  readonly time: number;
  /** A copy at every access. */
  readonly parameters: Float64Array;
  /** Mean loss, as in the records; infinite where it overflows. */
  readonly loss: number;
  /** Sum objective. */
  readonly objective: number;
  /** |w - w(start)|. */
  readonly distance: number;
  /** Norm of the objective's gradient: one more pass over the data. */
  gradientNorm(): Promise<number>;
  /** |K - K_0|_F / |K_0|_F on a sample of the equations: costs a kernel. */
  kernelDrift(): Promise<number>;
}

/** A condition to detect during a flow. */
export interface FlowEvent {
  /** Name of the event in the result. */
  readonly name: string;
  /** Zero crossing = the event. */
  readonly value: (view: FlowEventView) => number | Promise<number>;
  /** Sign change that counts. Default "either". */
  readonly direction?: "rising" | "falling" | "either" | undefined;
  /** Whether the flow ends there. Default false. */
  readonly terminal?: boolean | undefined;
}

/**
 * The mean loss falls to `loss`. An event is a crossing: a flow that starts below has none, and `stop: { loss }` ends it at once. Terminal
 * by default, like all of these events.
 */
export function lossBelow(loss: number, terminal = true): FlowEvent {
  checkPositive("loss", loss);
  checkBoolean("terminal", terminal);
  return { name: `loss below ${loss}`, value: (view) => Math.log(view.loss / loss), direction: "falling", terminal };
}

/** The norm of the gradient of the sum objective falls to `gradientNorm`. */
export function gradientBelow(gradientNorm: number, terminal = true): FlowEvent {
  checkPositive("gradientNorm", gradientNorm);
  checkBoolean("terminal", terminal);
  const value = async (view: FlowEventView) => Math.log((await view.gradientNorm()) / gradientNorm);
  return { name: `gradient below ${gradientNorm}`, value, direction: "falling", terminal };
}

/** The tangent kernel has moved by the fraction `drift` of its size at the start. */
export function driftAbove(drift: number, terminal = true): FlowEvent {
  checkPositive("drift", drift);
  checkBoolean("terminal", terminal);
  const value = async (view: FlowEventView) => (await view.kernelDrift()) - drift;
  return { name: `kernel drift above ${drift}`, value, direction: "rising", terminal };
}

/** The parameters are at the distance `distance` from their start. */
export function distanceAbove(distance: number, terminal = true): FlowEvent {
  checkPositive("distance", distance);
  checkBoolean("terminal", terminal);
  const value = (view: FlowEventView) => view.distance - distance;
  return { name: `distance above ${distance}`, value, direction: "rising", terminal };
}

/** What is needed to make the view of a state for events. */
export interface EventContext {
  readonly engine: NetworkEngine;
  /** Parameters at the start of the flow; drift and distance are measured from here. */
  readonly start: Float64Array;
  readonly decay: number;
  readonly lossFactor: number;
  readonly sample: () => NetworkEngine;
  readonly signal: AbortSignal;
}

/** The events in the form of the integrator: functions of time and the state [w; dissipated]. */
export function odeEvents(events: readonly FlowEvent[], context: EventContext): OdeEvent[] {
  const { engine, start, decay, lossFactor, signal } = context;
  let drift: KernelDrift | null = null;
  const view = async (time: number, parameters: Float64Array): Promise<FlowEventView> => {
    const answer = await engine.evaluate(parameters, signal);
    const loss = failed(answer) ? Number.POSITIVE_INFINITY : answer.loss;
    return {
      time,
      // All events share the view, so each access returns a copy.
      get parameters() {
        return parameters.slice();
      },
      loss: loss * lossFactor,
      objective: objectiveOf(loss, decay, parameters),
      distance: norm(parameters.map((value, j) => value - start[j])),
      gradientNorm: async () => {
        const point = await engine.linearize(parameters, { curvature: "none", decay, scaling: null }, signal);
        return failed(point) ? Number.POSITIVE_INFINITY : norm(point.gradient);
      },
      kernelDrift: async () => {
        if (drift === null) {
          drift = new KernelDrift(context.sample());
          await drift.at(start, signal);
        }
        return drift.at(parameters, signal);
      },
    };
  };
  // All events use the same state one after the other: it is evaluated once.
  const views = new WeakMap<Float64Array, Promise<FlowEventView>>();
  const viewOf = (time: number, state: Float64Array) => {
    const known = views.get(state) ?? view(time, state.slice(0, start.length));
    views.set(state, known);
    return known;
  };
  return events.map(({ name, value, direction, terminal }) => ({
    name,
    direction,
    terminal,
    value: async (time, state) => value(await viewOf(time, state)),
  }));
}

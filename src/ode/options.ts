// Checks the options that `flow` (flow/flow-options.ts) and `integrate` share, before they start: time span, integrator, output times,
// events.

import { argumentError } from "../errors.js";
import { checkOptionNames } from "../options.js";
import { type Integrator, isIntegrator } from "./integrator.js";

/** @throws GAUSSFLOW_ARGUMENT, as all of these, naming the option, the rule and the value */
export function checkSpan(from: number, until: number): void {
  if (!Number.isFinite(from)) throw argumentError("options.from", "must be a finite number", from);
  if (!(Number.isFinite(until) && until > from))
    throw argumentError("options.until", `must be a finite time after options.from = ${from}`, until);
}

export function checkIntegrator(integrator: Integrator): void {
  if (!isIntegrator(integrator))
    throw argumentError(
      "options.integrator",
      "must be made by euler(), rungeKutta4(), dormandPrince() or tsitouras()",
      integrator,
    );
}

export function checkOutputs(outputs: readonly number[], from: number, until: number): readonly number[] {
  if (!Array.isArray(outputs)) throw argumentError("options.outputs", "must be an array of times", outputs);
  outputs.forEach((time, i) => {
    if (!(typeof time === "number" && time >= from && time <= until))
      throw argumentError(`options.outputs[${i}]`, `must be a time from ${from} to ${until}`, time);
    if (i > 0 && !(time > outputs[i - 1]))
      throw argumentError(`options.outputs[${i}]`, `must be later than the one before it, ${outputs[i - 1]}`, time);
  });
  return outputs;
}

/** The fields that events of flows and of other equations share. */
export function checkEvents<T extends EventOptions>(events: readonly T[]): readonly T[] {
  if (!Array.isArray(events)) throw argumentError("options.events", "must be an array of events", events);
  events.forEach((event, i) => {
    checkOptionNames(`options.events[${i}]`, event, ["name", "value", "direction", "terminal"]);
    const { name, value, direction, terminal } = event;
    const rule = (holds: boolean, option: string, words: string, received: unknown) => {
      if (!holds) throw argumentError(`options.events[${i}].${option}`, words, received);
    };
    rule(typeof name === "string", "name", "must be a string", name);
    rule(typeof value === "function", "value", "must be a function", value);
    rule(
      direction === undefined || ["rising", "falling", "either"].includes(direction),
      "direction",
      'must be "rising", "falling" or "either"',
      direction,
    );
    rule(terminal === undefined || typeof terminal === "boolean", "terminal", "must be true or false", terminal);
  });
  return events;
}

interface EventOptions {
  readonly name: string;
  readonly value: unknown;
  readonly direction?: string | undefined;
  readonly terminal?: boolean | undefined;
}

// Identifies a flow for its checkpoints, by a digest of all that it depends on, and for the ranks that compute it together. flow.ts calls both.
import type { EngineData } from "../backend/engine.js";
import type { Compared } from "../cluster/agreement.js";
import type { Dataset } from "../data/dataset.js";
import { inFirstSpelling } from "../first-spelling.js";
import type { Network } from "../network/network.js";
import { optionsText } from "../network/network-options.js";
import { fingerprint } from "../run/fingerprint.js";
import type { CompletedFlowOptions } from "./flow-options.js";

/** Of everything a flow depends on, but what may change from one part of it to the next. */
export function printOf(
  start: Network,
  data: EngineData,
  { schedule, integrator, loss, standardize, route, from, slots }: CompletedFlowOptions,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { steps: _steps, ...settings } = integrator.settings;
  const damping = [schedule.name, schedule.settings];
  // Left out where it is 1, as releases without slots digested it.
  const cut = slots === 1 ? {} : { slots };
  const described = { damping, method: integrator.name, settings, loss, standardize, route, from, ...cut };
  const parts = [
    JSON.stringify(inFirstSpelling(described)),
    optionsText(start.options),
    start.parameters,
    data.inputs,
    data.targets,
    data.weights ?? null,
  ];
  return fingerprint(parts, signal);
}

/** What the ranks of a flow must have alike. */
export function comparedOf(
  fit: Dataset,
  { until, outputs, events, stop, checkpoint, slots, integrator }: CompletedFlowOptions,
  print: string,
): Compared {
  return [
    ["options.until", until],
    ["options.outputs", outputs.join(", ")],
    ["the names of options.events", events.map(({ name }) => name).join(", ")],
    ["options.stop.loss", stop.loss],
    ["options.stop.gradient", stop.gradient],
    ["options.stop.seconds", stop.seconds],
    ["the steps of options.integrator", integrator.settings.steps],
    ["options.slots", slots],
    ["options.checkpoint.every", checkpoint?.every ?? 0],
    ["the number of rows that are fitted", fit.sampleCount],
    ["the digest of data, network and options", print.slice(0, 16)],
  ];
}

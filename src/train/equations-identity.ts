// Identifies a training on equations for its checkpoints, as run-identity.ts does for rows of data: by network, equations, method and options.
import type { EquationProblem } from "../equations/equation-problem.js";
import type { Network } from "../network/network.js";
import { optionsText } from "../network/network-options.js";
import { fingerprint } from "../run/fingerprint.js";
import type { CompletedEquationOptions } from "./equations-options.js";
import { NO_IDENTITY, type RunIdentity } from "./run-identity.js";

/** @throws the signal's reason once it has been aborted */
export async function equationsIdentity(
  network: Network,
  problem: EquationProblem,
  { method, checkpoint, resume }: CompletedEquationOptions,
  signal: AbortSignal | undefined,
): Promise<RunIdentity> {
  if (checkpoint === null && resume === null) return NO_IDENTITY;
  const { terms } = problem.jets;
  const settings = JSON.stringify({ method: method.name, settings: method.settings });
  const form = JSON.stringify(terms.map(({ inputs: _, auxiliary: __, ...form }) => form));
  const starts = Float64Array.from(problem.unknowns, ({ start }) => start);
  const points = terms.flatMap(({ inputs, auxiliary }) => [inputs, auxiliary]);
  const net = [optionsText(network.options), network.parameters];
  const equations = [problem.description, form, starts, ...points];
  const digest = (parts: readonly (string | Float64Array)[]) => fingerprint(parts, signal);
  return {
    digest: await digest([settings, ...net, ...equations]),
    named: [
      ["options.method", method.name],
      ...Object.entries(method.settings).map(([key, value]) => [`options.method.${key}`, value] as const),
      ["network", await digest([net[0]])],
      ["start", await digest([network.parameters])],
      ["equations", await digest(equations)],
    ],
  };
}

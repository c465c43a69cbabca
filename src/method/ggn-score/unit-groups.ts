// Groups the parameters of a network for `ggnScore({ groups })`: the incoming weights of each unit together, so that
// whole units become small. Users call it.
import { argumentError } from "../../errors.js";
import { Network } from "../../network/network.js";

/**
 * Lengths of consecutive groups of the parameters: one for the incoming weights of each unit, in the order of the
 * layers and units, and one for each bias.
 *
 * @example train(net, data, { method: ggnScore({ groups: unitGroups(net) }) })
 */
export function unitGroups(network: Network): number[] {
  if (!(network instanceof Network)) throw argumentError("network", "must be a Network", network);
  return network.architecture.layers.flatMap(({ inputSize, outputSize, bias }) => [
    ...new Array<number>(outputSize).fill(inputSize),
    ...new Array<number>(bias ? outputSize : 0).fill(1),
  ]);
}

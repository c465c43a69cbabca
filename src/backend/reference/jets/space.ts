// Holds the arrays of the jet passes for one block of points of a term. passes.ts fills them layer by layer, rows.ts and second.ts read them.
//
// A jet array has one row a point and channel, and the units of a layer along it: points x Q x units. Adjoints have one jet for each point and
// seed: points x seeds x Q x units.
import { channelCount, type JetChannels } from "../../../equations/jet-problem.js";
import type { Architecture } from "../../../network/architecture.js";

/** The jets of the last block that went forward, and the adjoints of its seeds. One array a layer. */
export interface JetSpace {
  readonly architecture: Architecture;
  readonly channels: JetChannels;
  /** Q. */
  readonly width: number;
  /** Points that there is room for. */
  readonly capacity: number;
  /** Jets of the inputs of each layer, and at the end those of the network's outputs f. */
  readonly layerInputs: readonly Float64Array[];
  /** Jets of z. */
  readonly preactivations: readonly Float64Array[];
  /** s'(z), s''(z) and s'''(z): points x units. */
  readonly slopes: readonly Float64Array[];
  readonly bends: readonly Float64Array[];
  readonly thirds: readonly Float64Array[];
  /** Sum of coefficient z_i z_j of each second-order channel: points x channels x units. */
  readonly products: readonly Float64Array[];
  /** Derivatives of each seed's combination of output jets by the jets of z. */
  readonly deltas: readonly Float64Array[];
}

function lengths({ layers, outputSize }: Architecture, channels: JetChannels, capacity: number, seeds: number) {
  const width = channelCount(channels);
  const units = (count: number) => layers.map((layer) => capacity * count * layer.outputSize);
  return {
    layerInputs: [...layers.map((layer) => capacity * width * layer.inputSize), capacity * width * outputSize],
    preactivations: units(width),
    slopes: units(1),
    bends: units(1),
    thirds: units(1),
    products: units(channels.seconds.length),
    deltas: units(seeds * width),
  };
}

/** Arrays for blocks of at most `capacity` points and `seeds` adjoints a point; 0 seeds: forward passes only. */
export function jetSpace(architecture: Architecture, channels: JetChannels, capacity: number, seeds: number): JetSpace {
  const sizes = lengths(architecture, channels, capacity, seeds);
  const arrays = (list: readonly number[]) => list.map((size) => new Float64Array(size));
  return {
    architecture,
    channels,
    width: channelCount(channels),
    capacity,
    layerInputs: arrays(sizes.layerInputs),
    preactivations: arrays(sizes.preactivations),
    slopes: arrays(sizes.slopes),
    bends: arrays(sizes.bends),
    thirds: arrays(sizes.thirds),
    products: arrays(sizes.products),
    deltas: arrays(sizes.deltas),
  };
}

/** Doubles of such arrays, which are not made. */
export function jetSpaceDoubles(
  architecture: Architecture,
  channels: JetChannels,
  capacity: number,
  seeds: number,
): number {
  return Object.values(lengths(architecture, channels, capacity, seeds))
    .flat()
    .reduce((sum, size) => sum + size, 0);
}

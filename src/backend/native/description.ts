// Describes a network and a data file in the form of the addon's arguments, for the native engine.
import { ACTIVATION_NAMES } from "../../network/activations.js";
import type { Architecture } from "../../network/architecture.js";
import type { FileSamples } from "../engine.js";
import type { NativeFile, NativeNetwork } from "./binding.js";

/** The rows of a data file, and the units that they are brought to. */
export function nativeFile({ layout, inputs, targets }: FileSamples): NativeFile {
  const { path, offset, size, width } = layout;
  const [changed, inode] = [BigInt(layout.changed), BigInt(layout.inode)];
  const columnOffset = Float64Array.from([...inputs.offset, ...targets.offset]);
  const columnScale = Float64Array.from([...inputs.scale, ...targets.scale]);
  return { path, offset, size, changed, inode, width, columnOffset, columnScale };
}

/** A network without its parameters. */
export function nativeNetwork(architecture: Architecture): NativeNetwork {
  const layers = architecture.layers.flatMap((layer) => [
    layer.inputSize,
    layer.outputSize,
    // The position is the number of native/core/activations.h.
    ACTIVATION_NAMES.indexOf(layer.activation),
    layer.bias ? 1 : 0,
    layer.factor,
  ]);
  return { layers: Float64Array.from(layers), outputScale: architecture.outputScale };
}

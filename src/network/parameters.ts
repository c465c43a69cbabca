// Computes the layout of the flat parameter vector of a network (W_1 row-major (out x in), b_1, W_2, b_2, ...), as offsets for the passes
// and as the public parameter map. network.ts calls it for each network, check-engine.ts to check offsets, and train.ts for the sizes of
// the layers.
import { argumentError } from "../errors.js";
import type { ActivationName, Architecture, Layer } from "./architecture.js";

/** A contiguous part of the flat parameter vector: the weights or the biases of one layer. */
export interface ParameterBlock {
  /** Number of the layer, from 1. */
  readonly layer: number;
  /** Weights or biases of a layer. */
  readonly kind: "weight" | "bias";
  /** Position of the first entry in the flat vector. */
  readonly offset: number;
  /** Units of the layer. Entry (row, column) is at offset + row * columns + column. */
  readonly rows: number;
  /** Inputs of the layer; 1 for biases. */
  readonly columns: number;
  /** "W1", "b1", "W2", ... */
  readonly name: string;
}

/** The description of one layer for `layOut`. */
export interface LayerPlan {
  readonly outputSize: number;
  readonly activation: ActivationName;
  readonly bias: boolean;
}

/**
 * An architecture with all offsets filled in.
 * @param inputSize number of inputs of the first layer
 * @param ntk true for the NTK parametrization: factor 1/sqrt(fan-in) on the weights in the forward pass
 */
export function layOut(
  inputSize: number,
  plans: readonly LayerPlan[],
  ntk: boolean,
  outputScale: number,
): Architecture {
  const layers: Layer[] = [];
  let offset = 0;
  let width = inputSize;
  for (const plan of plans) {
    const weightOffset = offset;
    offset += width * plan.outputSize;
    const biasOffset = plan.bias ? offset : -1;
    if (plan.bias) offset += plan.outputSize;
    layers.push({
      inputSize: width,
      outputSize: plan.outputSize,
      activation: plan.activation,
      bias: plan.bias,
      factor: ntk ? 1 / Math.sqrt(width) : 1,
      weightOffset,
      biasOffset,
    });
    width = plan.outputSize;
  }
  // 2^31 parameters are 16 GiB of doubles, and the p x p matrix of a tenth of them fits no machine that this library is made for.
  if (offset > 2 ** 31)
    throw argumentError(
      "options.layers",
      "must not ask for more than 2^31 parameters",
      `sizes that make ${offset} of them`,
    );
  return Object.freeze({
    layers: Object.freeze(layers.map((layer) => Object.freeze(layer))),
    inputSize,
    outputSize: width,
    parameterCount: offset,
    outputScale,
  });
}

/** All blocks of the flat vector in order; they cover it without gap or overlap. */
export function parameterMap(architecture: Architecture): ParameterBlock[] {
  return architecture.layers.flatMap((layer, index): ParameterBlock[] => {
    const number = index + 1;
    const { inputSize, outputSize, weightOffset, biasOffset } = layer;
    const blocks: ParameterBlock[] = [
      { layer: number, kind: "weight", offset: weightOffset, rows: outputSize, columns: inputSize, name: `W${number}` },
    ];
    if (layer.bias)
      blocks.push({
        layer: number,
        kind: "bias",
        offset: biasOffset,
        rows: outputSize,
        columns: 1,
        name: `b${number}`,
      });
    return blocks;
  });
}

/** Number of parameters of each layer, in order. */
export function layerSizes(architecture: Architecture): number[] {
  return architecture.layers.map((layer) => layer.outputSize * (layer.inputSize + (layer.bias ? 1 : 0)));
}

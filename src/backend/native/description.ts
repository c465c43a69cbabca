// Describes a network, a data file and the terms of a problem in the form of the addon's arguments, for engine.ts and jet-engine.ts when they
// create the addon's objects.
import type { JetChannels, JetTerm } from "../../equations/jet-problem.js";
import { checkFixedLoss, type Loss } from "../../loss/rules.js";
import { labelScaling } from "../../loss/target-rules.js";
import { ACTIVATION_NAMES } from "../../network/activations.js";
import type { Architecture } from "../../network/architecture.js";
import type { FileSamples } from "../engine.js";
import type { NativeChannels, NativeFile, NativeJetTerm, NativeNetwork } from "./binding.js";

/** The rows of a data file, and the units that they are brought to: those of smoothed labels too. */
export function nativeFile({ layout, inputs, targets: raw }: FileSamples, loss: Loss | undefined): NativeFile {
  const labels = labelScaling(loss, raw.offset.length);
  // ((y - o) / s - offset) / scale
  const targets = labels && {
    offset: raw.offset.map((offset, a) => offset + labels.offset[a]! * raw.scale[a]!),
    scale: raw.scale.map((scale, a) => scale * labels.scale[a]!),
  };
  const { path, offset, size, width } = layout;
  const [changed, inode] = [BigInt(layout.changed), BigInt(layout.inode)];
  const columnOffset = Float64Array.from([...inputs.offset, ...(targets ?? raw).offset]);
  const columnScale = Float64Array.from([...inputs.scale, ...(targets ?? raw).scale]);
  return { path, offset, size, changed, inode, width, columnOffset, columnScale };
}

/** The numbers of Route in native/core/sizes.h. */
export const CURVATURE_CODES = { none: 0, primal: 1, dual: 2, orthogonal: 3, "matrix-free": 4, sampled: 5 } as const;

/** In the order of native/core/loss/loss.h. */
const LOSS_KINDS: readonly Loss["kind"][] = [
  "squared-error",
  "huber",
  "logistic",
  "softmax-cross-entropy",
  "gaussian-nll",
  "pseudo-huber",
  "log-cosh",
  "quantile",
  "poisson",
];

/** The numbers that losses have besides their decay. */
interface Parameters {
  readonly delta?: number | null;
  readonly tau?: number;
  readonly smoothing?: number | null;
}

/** A network without its parameters, and the sum over samples that is minimized. */
export function nativeNetwork(architecture: Architecture, given: Loss, slots: number): NativeNetwork {
  const loss: Loss & Parameters = checkFixedLoss("loss", given);
  const layers = architecture.layers.flatMap((layer) => [
    layer.inputSize,
    layer.outputSize,
    // The position is the number of native/core/activations.h.
    ACTIVATION_NAMES.indexOf(layer.activation),
    layer.bias ? 1 : 0,
    layer.factor,
  ]);
  return {
    layers: Float64Array.from(layers),
    outputScale: architecture.outputScale,
    // The position is the number of native/core/loss/loss.h.
    loss: LOSS_KINDS.indexOf(loss.kind),
    delta: loss.delta ?? 0,
    tau: loss.tau ?? 0,
    // Labels are smoothed before the addon gets them.
    smoothing: loss.kind === "quantile" ? (loss.smoothing ?? 0) : 0,
    slots,
  };
}

export function nativeChannels({ firsts, seconds }: JetChannels): NativeChannels {
  const products = seconds.flatMap((list, k) => list.flatMap(([i, j, coefficient]) => [k, i, j, coefficient]));
  return { firsts, seconds: seconds.length, products: Float64Array.from(products) };
}

export function nativeJetTerm(term: JetTerm): NativeJetTerm {
  const { channels, points, inputs, auxiliary, auxiliaryCount, residual, factors } = term;
  return {
    ...nativeChannels(channels),
    points,
    auxiliaryCount,
    inputs,
    auxiliary,
    constants: Float64Array.from(residual.constants),
    code: Float64Array.from(residual.code),
    outputs: Float64Array.from(residual.outputs),
    factors: Float64Array.from(factors),
  };
}

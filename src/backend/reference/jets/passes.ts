// Carries jets forward through a network and adjoints of them back, for one block of points. evaluate.ts and sums.ts call it.
//
//   forward   z^(q) = factor W h^(q), plus b for the value                             q: value, firsts i, second-order channels k
//             h = s(z)      h_i = s' z_i      h_k = s' z_k + s'' P_k                   P_k = sum of coefficient z_i z_j
//   backward  zbar_k = s' hbar_k
//             zbar_i = s' hbar_i + s'' sum_k hbar_k dP_k/dz_i
//             zbar   = s' hbar + s'' sum_i hbar_i z_i + sum_k hbar_k (s'' z_k + s''' P_k)
//             hbar^(q) of the layer below = factor W^T zbar^(q)
import { activationCurvature, activationSlope, activationValue } from "../../../network/activations.js";
import { multiplyTransposed } from "../../../network/dense.js";
import type { PassWeights } from "../../../network/forward.js";
import { activationThird } from "../../../network/higher-derivatives.js";
import type { JetSpace } from "./space.js";

/** Carries `count` jets of inputs, from point `first` on, forward. The jets of the outputs f are in the last of `layerInputs`. */
export function forwardJets(
  space: JetSpace,
  network: PassWeights,
  inputs: Float64Array,
  first: number,
  count: number,
): void {
  const { architecture, width: q } = space;
  const { layers, inputSize: d } = architecture;
  space.layerInputs[0].set(inputs.subarray(first * q * d, (first + count) * q * d));
  layers.forEach(({ inputSize, outputSize: units }, l) => {
    const z = space.preactivations[l];
    multiplyTransposed(space.layerInputs[l], 0, count * q, network.weights[l], 0, units, inputSize, z, 0, units);
    const bias = network.biases[l];
    if (bias !== null) for (let i = 0; i < count; i++) for (let o = 0; o < units; o++) z[i * q * units + o] += bias[o];
    activateJets(space, l, count);
  });
}

/** The jets of a layer's outputs from those of z, with what the way back needs. */
function activateJets(space: JetSpace, l: number, count: number): void {
  const { architecture, channels, width: q, slopes, bends, thirds, products } = space;
  const { activation, outputSize: units } = architecture.layers[l];
  const { firsts, seconds } = channels;
  const z = space.preactivations[l];
  const h = space.layerInputs[l + 1];
  for (let i = 0, unit = 0; i < count; i++)
    for (let o = 0; o < units; o++, unit++) {
      const at = i * q * units + o;
      const value = activationValue(activation, z[at]);
      const slope = activationSlope(activation, z[at], value);
      h[at] = value;
      slopes[l][unit] = slope;
      for (let a = 1; a <= firsts; a++) h[at + a * units] = slope * z[at + a * units];
      const bend = activationCurvature(activation, z[at], value, slope);
      bends[l][unit] = bend;
      thirds[l][unit] = activationThird(activation, z[at], value, slope);
      for (let k = 0; k < seconds.length; k++) {
        let product = 0;
        for (const [one, other, coefficient] of seconds[k])
          product += coefficient * z[at + (1 + one) * units] * z[at + (1 + other) * units];
        products[l][(i * seconds.length + k) * units + o] = product;
        const channel = at + (1 + firsts + k) * units;
        h[channel] = slope * z[channel] + bend * product;
      }
    }
}

/** Jets of the network's outputs f, without its output scale: points x Q x c. */
export function outputJets(space: JetSpace): Float64Array {
  return space.layerInputs[space.layerInputs.length - 1];
}

/**
 * Computes the deltas of all layers for `seeds` seeds a point.
 * @param bars derivatives of each seed's combination by the jets of the outputs f: points x seeds x Q x c
 */
export function backwardJets(
  space: JetSpace,
  network: PassWeights,
  bars: Float64Array,
  count: number,
  seeds: number,
): void {
  const { layers } = space.architecture;
  const rows = count * seeds * space.width;
  const last = layers.length - 1;
  space.deltas[last].set(bars.subarray(0, rows * layers[last].outputSize));
  pullBack(space, last, count, seeds);
  for (let l = last; l > 0; l--) {
    const { inputSize, outputSize } = layers[l];
    const below = space.deltas[l - 1];
    multiplyTransposed(space.deltas[l], 0, rows, network.transposed[l], 0, inputSize, outputSize, below, 0, inputSize);
    pullBack(space, l - 1, count, seeds);
  }
}

/** In the deltas of layer l: adjoints of the layer's outputs become those of z. */
function pullBack(space: JetSpace, l: number, count: number, seeds: number): void {
  const { architecture, channels, width: q } = space;
  const { outputSize: units } = architecture.layers[l];
  const { firsts, seconds } = channels;
  const z = space.preactivations[l];
  const bar = space.deltas[l];
  const second = (1 + firsts) * units;
  for (let i = 0; i < count; i++)
    for (let o = 0; o < units; o++) {
      const unit = i * units + o;
      const [slope, bend, third] = [space.slopes[l][unit], space.bends[l][unit], space.thirds[l][unit]];
      const at = i * q * units + o;
      for (let r = 0; r < seeds; r++) {
        const to = (i * seeds + r) * q * units + o;
        // Each adjoint is read before it is overwritten: the value's first, then the firsts', then the seconds'.
        let value = slope * bar[to];
        for (let a = 1; a <= firsts; a++) {
          value += bend * bar[to + a * units] * z[at + a * units];
          bar[to + a * units] *= slope;
        }
        for (let k = 0; k < seconds.length; k++) {
          const own = bar[to + second + k * units];
          const product = space.products[l][(i * seconds.length + k) * units + o];
          value += own * (bend * z[at + second + k * units] + third * product);
          for (const [one, other, coefficient] of seconds[k]) {
            const share = bend * own * coefficient;
            bar[to + (1 + one) * units] += share * z[at + (1 + other) * units];
            bar[to + (1 + other) * units] += share * z[at + (1 + one) * units];
          }
          bar[to + second + k * units] = slope * own;
        }
        bar[to] = value;
      }
    }
}

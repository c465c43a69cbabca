// Carries the first and second derivatives of the jets along a direction of the parameters forward through a network, for one block of points:
// the geodesic acceleration of a step needs the second derivative of the residuals along it. engine.ts calls it.
//
// With V, v the direction's weights and biases and ' the derivative by t at w + t (V, v):
//
//   z'^(q)  = factor (V h^(q) + W h'^(q)) + v       z''^(q) = factor (2 V h'^(q) + W h''^(q))       v in the value alone
//
// and each factor of the activation's jets is a function of z (passes.ts): S = s^(n)(z) has S' = s^(n+1) z', S'' = s^(n+2) z'^2 + s^(n+1) z''.
import type { SecondDerivative } from "../../../equations/jet-problem.js";
import { multiplyTransposed } from "../../../network/dense.js";
import type { PassWeights } from "../../../network/forward.js";
import { activationFourth } from "../../../network/higher-derivatives.js";
import type { JetSpace } from "./space.js";

/** First and second derivatives of the jets of f along the direction: points x Q x c each. */
export interface JetCurve {
  readonly first: Float64Array;
  readonly second: Float64Array;
}

/** Both for the last forward block, whose input jets do not depend on the parameters. */
export function curveOfJets(space: JetSpace, network: PassWeights, direction: PassWeights, count: number): JetCurve {
  const { architecture, width: q, layerInputs } = space;
  const { layers, inputSize: d } = architecture;
  let curve = { first: new Float64Array(count * q * d), second: new Float64Array(count * q * d) };
  layers.forEach(({ inputSize, outputSize: units }, l) => {
    const product = (jets: Float64Array, weights: Float64Array) => {
      const z = new Float64Array(count * q * units);
      multiplyTransposed(jets, 0, count * q, weights, 0, units, inputSize, z, 0, units);
      return z;
    };
    const first = product(curve.first, network.weights[l]);
    const second = product(curve.second, network.weights[l]);
    const own = product(layerInputs[l], direction.weights[l]);
    const mixed = product(curve.first, direction.weights[l]);
    for (let k = 0; k < first.length; k++) {
      first[k] += own[k];
      second[k] += 2 * mixed[k];
    }
    const bias = direction.biases[l];
    if (bias !== null)
      for (let i = 0; i < count; i++) for (let o = 0; o < units; o++) first[i * q * units + o] += bias[o];
    activateCurve(space, l, { first, second }, count);
    curve = { first, second };
  });
  return curve;
}

/** In place: derivatives of the jets of z along the direction become those of the layer's outputs. */
function activateCurve(space: JetSpace, l: number, { first, second }: JetCurve, count: number): void {
  const { architecture, channels, width: q, slopes, bends, thirds } = space;
  const { activation, outputSize: units } = architecture.layers[l];
  const { firsts, seconds } = channels;
  const z = space.preactivations[l];
  for (let i = 0, unit = 0; i < count; i++)
    for (let o = 0; o < units; o++, unit++) {
      const at = i * q * units + o;
      const [slope, bend, third] = [slopes[l][unit], bends[l][unit], thirds[l][unit]];
      const [v, a] = [first[at], second[at]];
      // Derivatives of s'(z) and of s''(z) along the direction.
      const [slope1, slope2] = [bend * v, third * v * v + bend * a];
      // The seconds first: they read the firsts of z.
      if (seconds.length > 0) {
        const value = space.layerInputs[l + 1][at];
        const fourth = activationFourth(activation, z[at], value, slope);
        const [bend1, bend2] = [third * v, fourth * v * v + third * a];
        for (let k = 0; k < seconds.length; k++) {
          const [p1, p2] = productCurve(seconds[k], z, first, second, at, units);
          const p = space.products[l][(i * seconds.length + k) * units + o];
          const c = at + (1 + firsts + k) * units;
          const c1 = slope1 * z[c] + slope * first[c] + bend1 * p + bend * p1;
          const c2 = slope2 * z[c] + 2 * slope1 * first[c] + slope * second[c] + bend2 * p + 2 * bend1 * p1 + bend * p2;
          [first[c], second[c]] = [c1, c2];
        }
      }
      for (let c = at + units; c <= at + firsts * units; c += units) {
        second[c] = slope2 * z[c] + 2 * slope1 * first[c] + slope * second[c];
        first[c] = slope1 * z[c] + slope * first[c];
      }
      first[at] = slope * v;
      second[at] = bend * v * v + slope * a;
    }
}

/** First and second derivative along the direction of the sum of coefficient z_i z_j. */
function productCurve(
  terms: readonly SecondDerivative[],
  z: Float64Array,
  first: Float64Array,
  second: Float64Array,
  at: number,
  units: number,
): readonly [number, number] {
  let [once, twice] = [0, 0];
  for (const [one, other, coefficient] of terms) {
    const [i, j] = [at + (1 + one) * units, at + (1 + other) * units];
    once += coefficient * (first[i] * z[j] + z[i] * first[j]);
    twice += coefficient * (second[i] * z[j] + 2 * first[i] * first[j] + z[i] * second[j]);
  }
  return [once, twice];
}

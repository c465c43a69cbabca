// Computes the second derivative of the predictions along a direction of the parameters; the reference engine calls it
// (backend/reference/passes.ts) for the geodesic acceleration of a step. Forward over forward: psi(w + t v) = psi + t J v + t^2/2 psi_vv +
// ... With V, v the direction's weights and biases and ' the derivative by t,
//   z_l'  = factor_l (V_l h_(l-1) + W_l h_(l-1)') + v_l        h_l'  = s_l'(z_l) z_l'
//   z_l'' = factor_l (2 V_l h_(l-1)' + W_l h_(l-1)'')          h_l'' = s_l''(z_l) z_l'^2 + s_l'(z_l) z_l''
import { activationCurvature } from "./activations.js";
import { multiplyTransposed } from "./dense.js";
import type { PassWeights, Workspace } from "./forward.js";

/**
 * psi_vv for the last forward block: count x c, written to `out` from `start` on. The workspace must have slopes.
 */
export function secondDerivativeBlock(
  space: Workspace,
  network: PassWeights,
  direction: PassWeights,
  count: number,
  out: Float64Array,
  start: number,
): void {
  const { layers, outputScale } = space.architecture;
  let first = new Float64Array(count * layers[0].inputSize);
  let second = new Float64Array(count * layers[0].inputSize);
  layers.forEach(({ inputSize: fanIn, outputSize: width, activation }, l) => {
    const product = (h: Float64Array, weights: Float64Array) => {
      const z = new Float64Array(count * width);
      multiplyTransposed(h, 0, count, weights, 0, width, fanIn, z, 0, width);
      return z;
    };
    const [own, mixed] = [space.layerInputs[l], first].map((h) => product(h, direction.weights[l]));
    const [z, carried, bent] = [space.layerInputs[l], first, second].map((h) => product(h, network.weights[l]));
    const [bias, change] = [network.biases[l], direction.biases[l]];
    const slope = space.slopes[l];
    const h = space.layerInputs[l + 1];
    first = new Float64Array(count * width);
    second = new Float64Array(count * width);
    for (let i = 0, at = 0; i < count; i++)
      for (let o = 0; o < width; o++, at++) {
        const dz = own[at] + carried[at] + (change === null ? 0 : change[o]);
        const bend = activationCurvature(activation, z[at] + (bias === null ? 0 : bias[o]), h[at], slope[at]);
        first[at] = slope[at] * dz;
        second[at] = bend * dz * dz + slope[at] * (2 * mixed[at] + bent[at]);
      }
  });
  for (let k = 0; k < second.length; k++) out[start + k] = outputScale * second[k];
}

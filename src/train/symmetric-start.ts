// Replaces a start that a symmetry of the data would hold; train.ts and first-fit.ts pass it to the loop, which calls it at the first
// point. A network of odd units whose biases are 0 is an odd function. On data that are symmetric about a point (an equally spaced grid
// with targets of an odd function, once both have mean 0) the gradient by every hidden bias is 0, and every step keeps the biases at 0.
// Among odd networks the least loss is often at infinity: y = 2x from 1-3-1, whose three units agree in sign, moves slowly toward vanishing
// inner and growing outer weights. With other biases a minimum of 0 is a few steps away, so such a training starts from hidden biases that
// are drawn.
import { largest } from "../algebra/vectors.js";
import type { Point } from "../linearize/problem.js";
import { type Network, seedOf } from "../network/network.js";
import { Random } from "../random.js";

/**
 * Largest slope by a hidden bias, relative to the largest slope of all, that counts as none. Targets that miss the symmetry by 1e-5 of their
 * spread creep as exact ones do; from 1e-3 on they find the way themselves (`node bench/small-exact.mjs` has the problems).
 */
const leastSlope = 1e-3;

/** Of the draws, in units of the pre-activations, whose variance is about 1. From 0.05 to 1.5 all starts of y = 2x reach rounding, from 0.5 on soonest. */
const deviation = 0.5;

/** Random stream of these draws; starts, splits and folds take others of the same seed. */
const SYMMETRY_STREAM = 3;

/**
 * Parameters to start from in place of the network's own, from the first linearization there; null where no symmetry holds them. Hidden
 * biases that are not all 0 were chosen by somebody, and a centered network is 0 at its start by definition: both stay.
 */
export function besideSymmetry(
  network: Network,
  decay: number,
  { parameters, gradient }: Pick<Point, "parameters" | "gradient">,
): Float64Array | null {
  const { architecture, center } = network;
  if (center !== null) return null;
  const hidden = architecture.layers.slice(0, -1).filter(({ bias }) => bias);
  const biases = hidden.flatMap(({ biasOffset, outputSize }) =>
    Array.from({ length: outputSize }, (_, unit) => biasOffset + unit),
  );
  if (biases.length === 0 || biases.some((j) => parameters[j] !== 0)) return null;
  // Of the loss alone: a decay has no slope by what is 0, and a large one would hide that of the loss behind its own.
  let slope = 0;
  for (let j = 0; j < gradient.length; j++) slope = Math.max(slope, Math.abs(gradient[j] - decay * parameters[j]));
  const lost = Number.EPSILON * decay * largest(parameters);
  if (biases.some((j) => Math.abs(gradient[j]) > leastSlope * slope) || leastSlope * slope <= lost) return null;
  const random = new Random(seedOf(network), SYMMETRY_STREAM);
  const moved = parameters.slice();
  for (const j of biases) moved[j] = deviation * random.normal();
  return moved;
}

// Sobol points: sets of points in a cube that fill it evenly. points.ts draws the points of equations by them. A digital shift by random words
// makes other sets of the same evenness, one for every seed and renewal.
// Source: primitive polynomials and direction numbers of S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional
// projections" (SIAM J. Sci. Comput. 30, 2008; the set new-joe-kuo-6).
import { argumentError } from "../errors.js";
import type { Random } from "../random.js";

/** Bits of a coordinate. */
const BITS = 32;

/** From the second dimension on: the primitive polynomial as bits, then its initial direction numbers. */
// biome-ignore format: a table
const DIRECTIONS: readonly (readonly number[])[] = [
  [3, 1],
  [7, 1, 3],
  [11, 1, 3, 1],
  [13, 1, 1, 1],
  [19, 1, 1, 3, 3],
  [25, 1, 3, 5, 13],
  [37, 1, 1, 5, 5, 17],
  [41, 1, 1, 5, 5, 5],
  [47, 1, 1, 7, 11, 19],
  [55, 1, 1, 5, 1, 1],
  [59, 1, 1, 1, 3, 11],
  [61, 1, 3, 5, 5, 31],
  [67, 1, 3, 3, 9, 7, 49],
  [91, 1, 1, 1, 15, 21, 21],
  [97, 1, 3, 1, 13, 27, 49],
  [103, 1, 1, 1, 15, 7, 5],
  [109, 1, 3, 1, 15, 13, 25],
  [115, 1, 1, 5, 5, 19, 61],
  [131, 1, 3, 7, 11, 23, 15, 103],
  [137, 1, 3, 7, 13, 13, 15, 69],
  [143, 1, 1, 3, 13, 7, 35, 63],
  [145, 1, 3, 5, 9, 1, 25, 53],
  [157, 1, 3, 1, 13, 9, 35, 107],
  [167, 1, 3, 1, 5, 27, 61, 31],
  [171, 1, 1, 5, 11, 19, 41, 61],
  [185, 1, 3, 5, 3, 3, 13, 69],
  [191, 1, 1, 7, 13, 1, 19, 1],
  [193, 1, 3, 7, 5, 13, 19, 59],
  [203, 1, 1, 3, 9, 25, 29, 41],
  [211, 1, 3, 5, 13, 23, 1, 55],
  [213, 1, 3, 7, 3, 13, 59, 17],
];

/** Most dimensions that there are direction numbers for. */
export const SOBOL_DIMENSIONS = 1 + DIRECTIONS.length;

/** The direction numbers of a dimension, BITS words. */
function directions(dimension: number): Uint32Array {
  const words = new Uint32Array(BITS);
  if (dimension === 0) return words.map((_, i) => 2 ** (BITS - 1 - i));
  const [polynomial, ...initial] = DIRECTIONS[dimension - 1];
  const degree = initial.length;
  for (let i = 0; i < BITS; i++) {
    if (i < degree) {
      words[i] = (initial[i] << (BITS - 1 - i)) >>> 0;
      continue;
    }
    let word = words[i - degree] ^ (words[i - degree] >>> degree);
    for (let k = 1; k < degree; k++) if (((polynomial >>> (degree - k)) & 1) === 1) word ^= words[i - k];
    words[i] = word >>> 0;
  }
  return words;
}

/**
 * The first `count` Sobol points of the unit cube, count x dimensions, shifted by random words; a generator of `null` shifts nothing. All
 * numbers are in (0, 1). The points are the most even where count is a power of two.
 */
export function sobolPoints(count: number, dimensions: number, random: Random | null): Float64Array {
  if (dimensions > SOBOL_DIMENSIONS)
    throw argumentError(
      "points",
      `have Sobol points in at most ${SOBOL_DIMENSIONS} dimensions; take method "uniform"`,
      dimensions,
    );
  const points = new Float64Array(count * dimensions);
  for (let d = 0; d < dimensions; d++) {
    const words = directions(d);
    let word = random === null ? 0 : random.below(2 ** BITS);
    for (let i = 0; i < count; i++) {
      // Gray code: point i + 1 differs from point i by the direction of the lowest zero bit of i.
      points[i * dimensions + d] = ((word >>> 0) + 0.5) / 2 ** BITS;
      word ^= words[31 - Math.clz32(~i & (i + 1))];
    }
  }
  return points;
}

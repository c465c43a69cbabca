// Makes the problem of the experiment minmax: real rows from eight normal distributions on a ring (Metz et al. 2017), and the measure of how well
// the samples of a generator cover them.
import { Random } from "../random.js";

/** Normal distributions on the ring. */
export const MODES = 8;
/** Radius of the ring, and standard deviation of each distribution. */
const RADIUS = 1;
const DEVIATION = 0.05;
/** A sample belongs to a mode within this distance, three standard deviations: 99% of the real rows do. */
const NEAR = 3 * DEVIATION;
/** A mode is covered by a tenth of its share of the samples. */
const SHARE = 0.1;

/** Centers of the modes, 8 x 2. */
export const CENTERS = Float64Array.from({ length: 2 * MODES }, (_, k) => {
  const angle = (2 * Math.PI * Math.floor(k / 2)) / MODES;
  return RADIUS * (k % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
});

/** Rows of the eight distributions with equal probabilities: n x 2. */
export function ringRows(count: number, seed: number): Float64Array {
  const random = new Random(seed, 1);
  const rows = new Float64Array(2 * count);
  for (let i = 0; i < count; i++) {
    const mode = random.below(MODES);
    for (let k = 0; k < 2; k++) rows[2 * i + k] = CENTERS[2 * mode + k] + DEVIATION * random.normal();
  }
  return rows;
}

/** How samples cover the ring. */
export interface Coverage {
  /** Modes that at least a tenth of their share of the samples is near to. */
  readonly modes: number;
  /** Share of the samples that are near to a mode. */
  readonly quality: number;
}

/** @param samples n x 2 */
export function coverageOf(samples: Float64Array): Coverage {
  const count = samples.length / 2;
  const near = new Float64Array(MODES);
  for (let i = 0; i < count; i++)
    for (let mode = 0; mode < MODES; mode++) {
      const distance = Math.hypot(samples[2 * i] - CENTERS[2 * mode], samples[2 * i + 1] - CENTERS[2 * mode + 1]);
      if (distance <= NEAR) near[mode]++;
    }
  const least = (SHARE * count) / MODES;
  return {
    modes: near.reduce((covered, one) => covered + (one >= least && one > 0 ? 1 : 0), 0),
    quality: near.reduce((sum, one) => sum + one, 0) / count,
  };
}

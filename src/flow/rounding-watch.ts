// Finds out whether rounding causes the rejection of a flow's steps. `flow-run.ts` calls it after each step while steps keep being
// rejected, until the answer is yes.
import type { FlowRecord } from "../run/record.js";
import { noisyVelocity, roundingSentence } from "../spectrum/velocity-noise.js";
import type { FlowField } from "./field.js";

/** Number of steps, with a rejection in every other, after which rounding is suspected. */
const troubledSteps = 20;

/** Noise of the velocity where it was measured at this step, and why rounding limits the steps where that was seen first. */
export interface Rounding {
  readonly noise: number | null;
  readonly sentence: string | null;
}

export const untroubled: Rounding = { noise: null, sentence: null };

export class RoundingWatch {
  /** Why rounding limits the steps, once that was seen. */
  sentence: string | null;
  readonly #field: FlowField;
  readonly #from: number;
  readonly #start: Float64Array;
  /** True once the noise at the start, which does not change, has been measured. */
  #measured: boolean;

  /** @param records records of the run before it was resumed */
  constructor(field: FlowField, from: number, start: Float64Array, records: readonly FlowRecord[]) {
    this.#field = field;
    this.#from = from;
    this.#start = start;
    this.sentence = records.find(({ rounding }) => rounding !== null)?.rounding ?? null;
    this.#measured = records.some(({ velocityNoise }) => velocityNoise !== null);
  }

  /** @param rejections of the step that follows `records` */
  async look(records: readonly FlowRecord[], rejections: number): Promise<Rounding> {
    const sum = records.slice(-troubledSteps).reduce((total, record) => total + record.rejections, rejections);
    if (this.sentence !== null || sum < troubledSteps / 2) return untroubled;
    const noise = this.#measured ? null : await this.#noise();
    this.#measured = true;
    this.sentence = noise !== null && noise >= noisyVelocity ? roundingSentence(noise) : this.#field.eigenvalueLost();
    return { noise, sentence: this.sentence };
  }

  /** At the start, since on the way J may lose its rank by curvature; null where there is no velocity. */
  async #noise(): Promise<number | null> {
    const noise = await this.#field.noiseAt(this.#from, Float64Array.of(...this.#start, 0));
    return Number.isNaN(noise) ? null : noise;
  }
}

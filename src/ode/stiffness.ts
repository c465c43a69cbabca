// Stiffness as an explicit method sees it (Hairer, Norsett, Wanner IV.2): the last two stages at t + h give h |eigenvalue|; near the
// edge of the stability region of the 5(4) pairs, 3.3 and 3.5, the step is set by stability and not by accuracy. Step-size control
// settles inside of it, PID control at 2.74 in some problems (y' = -2000 (y - cos t)), while steps that accuracy sets at tolerances up to
// 1e-3 stay below 2, but for single ones. Fifteen steps beyond 2.5 without six calm ones between say so.
import type { StepMemory } from "./types.js";

const edge = 2.5;
const stiffAfter = 15;
const calmAfter = 6;

export class Stiffness {
  stiffCount: number;
  calmCount: number;
  sentence: string | null = null;

  constructor(memory: Pick<StepMemory, "stiffCount" | "calmCount"> = { stiffCount: 0, calmCount: 0 }) {
    this.stiffCount = memory.stiffCount;
    this.calmCount = memory.calmCount;
  }

  /** Looks at one accepted step of a controlled integration; the sentence when stiffness is seen for the first time, else null. */
  look(ratio: number | null, time: number): string | null {
    // Told once: the count stays where it is, so that a resumed run has told as well.
    if (ratio === null || this.stiffCount >= stiffAfter) return null;
    if (ratio <= edge) {
      if (this.stiffCount > 0 && ++this.calmCount >= calmAfter) this.stiffCount = this.calmCount = 0;
      return null;
    }
    this.calmCount = 0;
    if (++this.stiffCount < stiffAfter) return null;
    this.sentence = `the problem looks stiff from t = ${time.toPrecision(4)} on: the step times the largest eigenvalue was near the edge of stability in ${stiffAfter} steps, now ${ratio.toFixed(2)}`;
    return this.sentence;
  }
}

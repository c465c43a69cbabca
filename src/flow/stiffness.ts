// Stiffness as an explicit method sees it (Hairer, Norsett, Wanner IV.2): the last two stages at t + h give h |eigenvalue|; beyond
// 3.25, the edge of the stability region of the 5(4) pairs, the step is set by stability and not by accuracy. Fifteen such steps
// without six calm ones between say so.
import type { StepMemory } from "./ode.js";

const edge = 3.25;
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
    if (ratio === null) return null;
    if (ratio <= edge) {
      if (this.stiffCount > 0 && ++this.calmCount >= calmAfter) this.stiffCount = this.calmCount = 0;
      return null;
    }
    this.calmCount = 0;
    // Told at the fifteenth and not from then on: a resumed run whose memory is past it has told already.
    if (++this.stiffCount !== stiffAfter || this.sentence !== null) return null;
    this.sentence = `the problem looks stiff from t = ${time.toPrecision(4)} on: the step times the largest eigenvalue was at the edge of stability in ${stiffAfter} steps, now ${ratio.toFixed(2)}`;
    return this.sentence;
  }
}

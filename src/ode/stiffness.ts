// Detects stiffness for an explicit method; `integration.ts` calls it after each accepted step (Hairer, Norsett, Wanner IV.2). The last two
// stages at t + h give an estimate of h |eigenvalue|. Near the edge of the stability region of the 5(4) pairs, 3.3 and 3.5, stability and
// not accuracy sets the step. Step-size control settles inside of that edge; PID control settles at 2.74 in some problems (y' = -2000 (y -
// cos t)). Steps that accuracy sets at tolerances up to 1e-3 stay below 2, with single exceptions. The problem is reported as stiff after
// fifteen steps beyond 2.5 without six steps below between them.
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

  /** Takes one accepted step of a controlled integration; returns a sentence when stiffness is detected for the first time, else null. */
  look(ratio: number | null, time: number): string | null {
    // Reported once: the count stays at its limit, also in a resumed run.
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

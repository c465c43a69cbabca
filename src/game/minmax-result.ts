// Defines the result of `minmax`, which minmax.ts makes.
import type { Reason } from "../method/reason.js";
import type { Network } from "../network/network.js";
import type { GamePlan } from "./game-plan.js";
import type { MinmaxRecord } from "./minmax-options.js";

/** What `minmax` resolves with. */
export interface MinmaxResult {
  /** The generator at the end: `generator.predict(noise)` makes samples from standard normal noise. */
  readonly generator: Network;
  /** The discriminator at the end. */
  readonly discriminator: Network;
  /** One entry an iteration. */
  readonly records: readonly MinmaxRecord[];
  /** Why the game ended: "iterations", "aborted", "non-finite", "no-progress" or "memory". */
  readonly reason: Reason;
  /** Iterations that both players finished. */
  readonly iterations: number;
  /** Seconds of the whole game, those before a checkpoint that was resumed among them. */
  readonly seconds: number;
  /** What the game was predicted to need. */
  readonly plan: GamePlan;
  /** Trouble that did not end the game: checkpoints that could not be written. One sentence each. */
  readonly warnings: readonly string[];
  /** "native", or "reference": the engine in TypeScript. */
  readonly engine: string;
}

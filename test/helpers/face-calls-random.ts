// Right arguments for the class Random: a part of face-calls.ts.
import * as face from "../../src/index.js";

/** By the name of the export, or of the class and its method. */
export const RANDOM_CALLS: Readonly<Record<string, { readonly args: () => unknown[]; readonly of?: () => unknown }>> = {
  Random: { args: () => [1, 2, 3] },
  "Random.fromState": { args: () => [{ seed: 1, stream: 0, position: 4 }], of: () => face.Random },
  "Random.state": { args: () => [], of: () => new face.Random(1) },
  "Random.uniform": { args: () => [], of: () => new face.Random(1) },
  "Random.normal": { args: () => [], of: () => new face.Random(1) },
  "Random.below": { args: () => [5], of: () => new face.Random(1) },
  "Random.shuffle": { args: () => [[1, 2, 3]], of: () => new face.Random(1) },
  "Random.permutation": { args: () => [5], of: () => new face.Random(1) },
};

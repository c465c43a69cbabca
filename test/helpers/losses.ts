// Every loss, and both engines, for tests that run over all of them.
import { createNativeEngine } from "../../src/backend/native/engine.js";
import { loadNative } from "../../src/backend/native/load.js";
import { createReferenceEngine } from "../../src/backend/reference/engine.js";
import {
  gaussianNll,
  huber,
  type Loss,
  logCosh,
  logistic,
  poisson,
  pseudoHuber,
  quantile,
  softmaxCrossEntropy,
  squaredError,
} from "../../src/index.js";

/** The losses with one output for each target. */
export const LOSSES_OF_ONE_OUTPUT: readonly Loss[] = [
  squaredError(),
  huber({ delta: 0.7 }),
  pseudoHuber({ delta: 0.7 }),
  logCosh(),
  quantile({ tau: 0.8, smoothing: 0.3 }),
  logistic(),
  softmaxCrossEntropy(),
  poisson(),
];

/** All losses. */
export const LOSSES: readonly Loss[] = [...LOSSES_OF_ONE_OUTPUT, gaussianNll()];

/** Name and factory of each engine that this machine has. */
export const ENGINES = [
  ["typescript", createReferenceEngine] as const,
  ...(loadNative().ok ? [["native", createNativeEngine] as const] : []),
];

// Calls one step of a batch method on given rows, without the loop: the context that train/descend.ts makes, on engines of the test.
import { plainVectors } from "../../src/algebra/vectors.js";
import { type Backend, createEngine } from "../../src/backend/create.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import type { EngineRows } from "../../src/backend/rows.js";
import type { Loss } from "../../src/loss/rules.js";
import type { BatchContext } from "../../src/method/batch-method.js";
import type { Network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";

/** A problem of which a test takes batches. */
export interface StepProblem {
  readonly net: Network;
  readonly loss: Loss;
  readonly batch: EngineRows;
  readonly rows: number;
}

/** Rows [0, count) of a batch. */
export function firstRows({ batch, rows }: StepProblem, count: number): EngineRows {
  const part = (values: Float64Array) => values.slice(0, (values.length / rows) * count);
  const { inputs, targets, weights } = batch;
  return {
    inputs: part(inputs),
    targets: part(targets),
    ...(weights === undefined ? {} : { weights: part(weights) }),
  };
}

/** An engine that holds the first `count` rows of the problem. */
export function engineOf(problem: StepProblem, backend: Backend, count = problem.rows): NetworkEngine {
  const { net, loss } = problem;
  return createEngine(net.architecture, { sampleCount: count, ...firstRows(problem, count), loss }, { backend });
}

/** The context of a step at `parameters`. */
export function contextOf(
  { batch, rows, loss }: StepProblem,
  engines: readonly NetworkEngine[],
  parameters: Float64Array,
  given: Partial<BatchContext> = {},
): BatchContext {
  const arrays = new Map<string, Float64Array>();
  return {
    parameters,
    next: new Float64Array(parameters.length),
    engines,
    batch,
    loss,
    rows,
    totalRows: rows,
    decay: 0,
    rate: 1,
    iteration: 1,
    stepsPerEpoch: 1,
    vectors: plainVectors,
    scratch(name, length = parameters.length) {
      const array = arrays.get(name) ?? new Float64Array(length);
      arrays.set(name, array);
      return array;
    },
    random: () => new Random(1, 99),
    signal: new AbortController().signal,
    ...given,
  };
}

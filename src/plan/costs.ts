// Defines the types that the workload, the cost table and the cost model share: operations, work, and rates of an engine.
import type { CallRun } from "../backend/estimate.js";

/** What an engine spends its time on: the rows of the cost table. */
export type Operation =
  | "forward"
  | "passes"
  | "gram"
  | "kernel"
  | "triangle"
  | "cholesky"
  | "fold"
  | "product"
  | "vectors";

/** Flops of one operation, and the size its rate depends on. */
export interface Work {
  readonly operation: Operation;
  readonly flops: number;
  /** `forward`, `passes`, `product`, `kernel`: mean fan-in of the units. `gram`, `triangle`, `fold`, `vectors`: p. `cholesky`: order of the matrix. */
  readonly size: number;
  /** Engine calls of this entry; 0 if it is part of another entry's call. */
  readonly calls: number;
  readonly run: CallRun;
  /** How often an iteration has it: 0.1 for what every tenth one does. Default 1. */
  readonly share?: number | undefined;
}

/** Rates of one operation. */
export interface OperationCost {
  /** [size, GF/s of one thread], sizes ascending. log-log linear between them, constant beyond them. */
  readonly rates: readonly (readonly [number, number])[];
  /**
   * [flops of the operation, what every further thread adds as a share of the first one], flops ascending; between them linear in the
   * logarithm of the flops, beyond them the end holds. Empty: nothing.
   */
  readonly gains: readonly (readonly [number, number])[];
}

export interface StepCosts {
  /** Of every step: the loop, a turn for the method. */
  readonly fixed: number;
  /** For each parameter: the passes of method and loop over their vectors. */
  readonly parameter: number;
  /** For each number of a row that an engine is given: a copy to the batch, and one to the engine. */
  readonly rowNumber: number;
}

export interface EngineCosts {
  /** Seconds that one call takes beyond its arithmetic. */
  readonly callSeconds: number;
  /** Seconds to hand a call to another thread and back, for calls that are too large to run synchronously. */
  readonly hopSeconds: number;
  /** Seconds that an iteration of a training takes beyond its calls: the loop, the records. */
  readonly iterationSeconds: number;
  /** Seconds of a step on a batch beyond its calls. */
  readonly step: StepCosts;
  /** Resident bytes of a process that has loaded the library and trained a network of a few parameters. */
  readonly processBytes: number;
  readonly operations: Readonly<Record<Operation, OperationCost>>;
}

export interface CostTable {
  /** Where it was measured. */
  readonly machine: string;
  /** Number of threads that the choice of a route assumes for every run, so that the route does not depend on the machine. */
  readonly threads: number;
  readonly native: EngineCosts;
  readonly typescript: EngineCosts;
}

export type EngineName = "native" | "typescript";

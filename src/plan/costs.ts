// What work and rates are made of: the vocabulary of workload, cost table and cost model.

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
  /** Calls of the engine that it takes; 0 where it is part of another entry's. */
  readonly calls: number;
  /** Whether those calls are too large to be done where they stand: they take a hop to another thread, and run on several. */
  readonly elsewhere: boolean;
}

/** Rates of one operation. */
export interface OperationCost {
  /** [size, GF/s of one thread], sizes ascending; between them its logarithm is linear in that of the size, beyond them the end holds. */
  readonly rates: readonly (readonly [number, number])[];
  /**
   * [flops of the operation, what every further thread adds as a share of the first one], flops ascending; between them linear in the
   * logarithm of the flops, beyond them the end holds. Empty: nothing.
   */
  readonly gains: readonly (readonly [number, number])[];
}

export interface EngineCosts {
  /** Seconds that one call takes beyond its arithmetic. */
  readonly callSeconds: number;
  /** Seconds that handing a call over to another thread and back takes, where it is too large to be done where it stands. */
  readonly hopSeconds: number;
  /** Seconds that an iteration of a training takes beyond its calls: the loop, the records. */
  readonly iterationSeconds: number;
  /** Resident bytes of a process that has loaded the library and trained a network of a few parameters. */
  readonly processBytes: number;
  readonly operations: Readonly<Record<Operation, OperationCost>>;
}

export interface CostTable {
  /** Where it was measured. */
  readonly machine: string;
  /** Threads that the choice of a route assumes, whatever a run has: the route must not depend on the machine. */
  readonly threads: number;
  readonly native: EngineCosts;
  readonly typescript: EngineCosts;
}

export type EngineName = "native" | "typescript";

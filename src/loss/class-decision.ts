// Decides on a class for rows of class probabilities: the likeliest class, or, with the costs of errors, the class with the smallest expected
// cost. Users call `classDecisions`; `classMetrics` (class-metrics.ts) judges the decisions of a model by it, and the commands evaluate, train
// and predict decide by it.
import { argumentError } from "../errors.js";
import { checkCount, type NumberArray } from "../options.js";
import { doublesOf } from "./metrics.js";

/**
 * What errors cost. For two classes a number: a missed positive, which is a row of the second class that is taken for the first, costs as
 * much as that many false alarms. For any number of classes a table: `costs[a][b]`, at least 0, is the cost of deciding on class b
 * for a row of class a.
 */
export type ClassCosts = number | readonly (readonly number[])[];

/** The table of costs, c x c, row-major: entry (a, b) for a row of class a and the decision b. Null = the likeliest class is decided on. */
export type CostTable = Float64Array | null;

/** @throws GAUSSFLOW_ARGUMENT */
export function costTable(name: string, costs: ClassCosts | null | undefined, classCount: number): CostTable {
  if (costs === undefined || costs === null) return null;
  if (typeof costs === "number") {
    if (classCount !== 2)
      throw argumentError(
        name,
        `must be a table of ${classCount} x ${classCount} costs, because a single ratio of costs is for two classes`,
        costs,
      );
    if (!(costs > 0) || costs === Number.POSITIVE_INFINITY)
      throw argumentError(name, "must be a positive finite number", costs);
    return Float64Array.of(0, 1, costs, 0);
  }
  if (!Array.isArray(costs) || costs.length !== classCount)
    throw argumentError(name, `must be a table of ${classCount} rows, one a class`, costs);
  const table = new Float64Array(classCount ** 2);
  costs.forEach((row: unknown, a) => {
    if (!Array.isArray(row) || row.length !== classCount)
      throw argumentError(`${name}[${a}]`, `must be ${classCount} costs, one a class`, row);
    row.forEach((cost: unknown, b) => {
      if (typeof cost !== "number" || !(cost >= 0) || cost === Number.POSITIVE_INFINITY)
        throw argumentError(`${name}[${a}][${b}]`, "must be a finite number of at least 0", cost);
      table[a * classCount + b] = cost;
    });
  });
  return table;
}

/**
 * The probability of the second of two classes above which it is decided on: with costs (0, 1; r, 0) that is 1 / (1 + r). Null where costs
 * leave no such threshold: more classes, or a decision that is never the cheaper one.
 */
export function decisionThreshold(table: CostTable, classCount: number): number | null {
  if (classCount !== 2) return null;
  if (table === null) return 0.5;
  // Expected costs of the decisions: (1 - p) t00 + p t10 against (1 - p) t01 + p t11.
  const [t00 = 0, t01 = 0, t10 = 0, t11 = 0] = table;
  const alarm = t01 - t00;
  const missed = t10 - t11;
  return alarm >= 0 && missed >= 0 && alarm + missed > 0 ? alarm / (alarm + missed) : null;
}

/**
 * The class that is decided on for the row of probabilities at `at`; the first of several that are equally good. -1 where a probability is
 * not a number.
 */
export function decision(probabilities: Float64Array, at: number, classCount: number, table: CostTable): number {
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  for (let b = 0; b < classCount; b++) {
    if (Number.isNaN(probabilities[at + b]!)) return -1;
    let cost = 0;
    if (table === null) cost = -probabilities[at + b]!;
    else for (let a = 0; a < classCount; a++) cost += probabilities[at + a]! * table[a * classCount + b]!;
    if (cost < least) {
      best = b;
      least = cost;
    }
  }
  return best;
}

/**
 * The classes that rows of probabilities are decided to be, as numbers from 0: the likeliest one of each row, or with `costs` the one with the
 * smallest expected cost. Of several that are equally good the first; -1 for a row with a probability that is not a number.
 *
 * @example classDecisions(net.predict(inputs), 3)
 * @param probabilities n x c, row-major, as a network that was trained with `softmaxCrossEntropy` predicts them
 * @param classCount number of classes, c
 * @throws GaussflowError GAUSSFLOW_ARGUMENT for lengths or costs that do not fit the number of classes
 */
export function classDecisions(
  probabilities: NumberArray,
  classCount: number,
  costs: ClassCosts | null = null,
): Int32Array {
  checkCount("classCount", classCount, 1);
  const values = doublesOf("probabilities", probabilities);
  if (values.length % classCount !== 0)
    throw argumentError("probabilities", `must be rows of ${classCount} numbers, one a class`, probabilities);
  const table = costTable("costs", costs, classCount);
  return Int32Array.from({ length: values.length / classCount }, (_, i) =>
    decision(values, i * classCount, classCount, table),
  );
}

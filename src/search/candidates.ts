// Lists what a search for sizes and weight decay compares: hidden layers by the rows and columns of the table, and weight decays. search.ts
// goes through both lists, and gaussflow plan takes the largest network from here.

/** A pair that the search can choose: hidden layers and weight decay. */
export interface Candidate {
  /** Units of each hidden layer; empty for a linear model. */
  readonly hidden: readonly number[];
  /** Weight decay, on the sum of the losses in the units of training. */
  readonly decay: number;
}

/** Sizes of a table, and of the network's ends. */
export interface TableSizes {
  /** Rows with a weight. */
  readonly rows: number;
  /** Inputs, d. */
  readonly inputSize: number;
  /** Targets, c. */
  readonly outputSize: number;
}

/** Hidden layers from small to large, and the rows from which the large ones are worth their time. */
const LADDER: readonly { readonly hidden: readonly number[]; readonly rows: number }[] = [
  { hidden: [], rows: 0 },
  { hidden: [1], rows: 0 },
  { hidden: [2], rows: 0 },
  { hidden: [4], rows: 0 },
  { hidden: [8], rows: 0 },
  { hidden: [16], rows: 0 },
  { hidden: [16, 16], rows: 200 },
  { hidden: [32, 32], rows: 2000 },
];

/**
 * Weight decays, the strongest first. The prior of a weight with deviation 1 asks for the variance of the noise in standardized units: 1 and
 * more for targets that are mostly noise, 1e-4 for noise of one percent. 0 stands for early stopping on a validation part.
 */
export const DECAYS: readonly number[] = [10, 3, 1, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4, 0];

/** Parameters of a network with these hidden layers and biases. */
export function parameterCountOf({ inputSize, outputSize }: TableSizes, hidden: readonly number[]): number {
  const layers = [inputSize, ...hidden, outputSize];
  return layers.slice(1).reduce((sum, size, l) => sum + size * (layers[l]! + 1), 0);
}

/**
 * Hidden layers to compare, from small to large. The largest network has at most half as many parameters as there are equations (rows times
 * targets) up to 60 rows, so that a table of 15 rows ends with a handful. The share grows with the rows to twice as many from 240 rows on,
 * where weight decay is chosen reliably.
 */
export function sizeCandidates(table: TableSizes): readonly (readonly number[])[] {
  const { rows, outputSize } = table;
  const most = rows * outputSize * Math.min(2, Math.max(0.5, rows / 120));
  const size = (hidden: readonly number[]) => parameterCountOf(table, hidden);
  const fitting = LADDER.filter((entry) => rows >= entry.rows && size(entry.hidden) <= most).map(
    ({ hidden }) => hidden,
  );
  // With several targets a single hidden unit is smaller than the linear model.
  return fitting.length === 0 ? [[]] : fitting.toSorted((a, b) => size(a) - size(b));
}

/** "16-16", or "linear" without hidden layers. */
export function layersText(hidden: readonly number[]): string {
  return hidden.length === 0 ? "linear" : hidden.join("-");
}

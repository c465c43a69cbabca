// Sums up the figures of a classifier over rows of predicted probabilities, for class-metrics.ts: the types of the figures, and all of them but
// the AUC, which ranking-area.ts sums up.
//
// A target is a row of weights y_a of the classes that sum to 1: a 1 at the class, or probabilities. A row of probabilities counts in every figure
// as one row of each class a with the sample weight s y_a. With p the predicted probabilities, W = sum s, [.] = 1 where true, and C_ab the
// confusion matrix, the sum of s y_a over the rows that are decided to be of class b:
//
//   accuracy            sum_a C_aa / W                          recall_a     C_aa / sum_b C_ab
//   balanced accuracy   mean of the recalls                     precision_a  C_aa / sum_b C_ba
//   log-loss            - sum s y_a log p_a / W                 F1_a         2 C_aa / (sum_b C_ab + sum_b C_ba)
//   Brier score         sum s y_a |p - e_a|^2 / W               AUC_a        ranking-area.ts
//   calibration error   sum_k |sum of s (hit - confidence) in bin k| / W
//
// The calibration error (Guo, Pleiss, Sun, Weinberger 2017) sorts rows by the confidence, which is the largest probability of the row, into
// 15 bins of equal width, (k/15, (k+1)/15]; a hit is y at the likeliest class. It does not depend on costs.
import { type CostTable, decision, decisionThreshold } from "./class-decision.js";
import { type ClassBlock, OwnProbabilities } from "./ranking-area.js";

/** Bins of the calibration error. */
const BINS = 15;

/** The figures of one class against the rest. */
export interface ClassFigures {
  /** Name of the class. */
  readonly name: string;
  /** Sum of the weights of its rows; without weights their number. */
  readonly weight: number;
  /** Share of what was decided to be of the class that is; NaN where nothing was. */
  readonly precision: number;
  /** Share of the class that was found; NaN for a class without rows. */
  readonly recall: number;
  /** Harmonic mean of precision and recall; 0 where none was found, NaN for a class without rows that nothing was decided to be of. */
  readonly f1: number;
  /** Probability that a row of the class has a larger predicted probability of it than another row; NaN where one of both is missing. */
  readonly auc: number;
}

/** The figures of a classifier on one set of rows. All are NaN where a row has no predicted probabilities (`undecided`). */
export interface ClassMetrics {
  /** Share of the rows that were classified right. */
  readonly accuracy: number;
  /** Mean of the recalls of the classes that have rows. */
  readonly balancedAccuracy: number;
  /** Mean of -log p of the row's class, in nats; infinite where a row's class has the probability 0. */
  readonly logLoss: number;
  /** Mean of the squared distance of the probabilities from the row's class, 0 to 2. */
  readonly brier: number;
  /** Mean of the classes' AUC, of those that have one. */
  readonly auc: number;
  /** Mean of the classes' F1, of those that have rows or were decided on. */
  readonly f1: number;
  /** Mean distance of the confidence from the accuracy over 15 bins of confidence, 0 to 1. */
  readonly calibrationError: number;
  /** Mean cost of the decisions; null without costs. */
  readonly cost: number | null;
  /** Probability of the second class above which it is decided on; null for other than two classes. */
  readonly threshold: number | null;
  /** One entry a class, in order. */
  readonly classes: readonly ClassFigures[];
  /** Entry [a][b]: the weights, or the number, of the rows of class a that were decided to be of class b. */
  readonly confusion: readonly (readonly number[])[];
  /** Weights, or number, of the rows with a predicted probability that is not a number. They are in no entry of `confusion`. */
  readonly undecided: number;
}

/** The figures of one of several targets. */
export interface TargetClassMetrics extends ClassMetrics {
  /** Name of the target. */
  readonly target: string;
}

/** One pass over the rows. */
export interface ClassPass {
  add(block: ClassBlock): void;
}

/** The sums of the first pass. */
export class ClassSums implements ClassPass {
  /** For the second pass. */
  readonly own: OwnProbabilities;
  readonly #table: CostTable;
  readonly #confusion: Float64Array;
  readonly #confidence = new Float64Array(BINS);
  readonly #hits = new Float64Array(BINS);
  #logLoss = 0;
  #brier = 0;
  #undecided = 0;
  readonly #c: number;

  constructor(classCount: number, table: CostTable) {
    this.#c = classCount;
    this.#table = table;
    this.#confusion = new Float64Array(classCount ** 2);
    this.own = new OwnProbabilities(classCount);
  }

  add({ probabilities, targets, weights }: ClassBlock): void {
    const c = this.#c;
    for (let i = 0, at = 0; at < targets.length; i++, at += c) {
      const s = weights === null ? 1 : weights[i]!;
      if (s === 0) continue;
      const top = decision(probabilities, at, c, null);
      if (top < 0) {
        this.#undecided += s;
        continue;
      }
      this.#addScores(probabilities, targets, at, s);
      const confidence = probabilities[at + top]!;
      const bin = Math.min(BINS - 1, Math.max(0, Math.ceil(confidence * BINS) - 1));
      this.#confidence[bin]! += s * confidence;
      this.#hits[bin]! += s * targets[at + top]!;
      const decided = this.#table === null ? top : decision(probabilities, at, c, this.#table);
      for (let a = 0; a < c; a++) {
        const y = targets[at + a]!;
        if (y === 0) continue;
        this.#confusion[a * c + decided]! += s * y;
        this.own.add(a, probabilities[at + a]!);
      }
    }
  }

  /** Log-loss and Brier score of a row: sum y_a |p - e_a|^2 = |p - y|^2 + sum y_a (1 - y_a), free of cancellation. */
  #addScores(probabilities: Float64Array, targets: Float64Array, at: number, s: number): void {
    let [logLoss, brier] = [0, 0];
    for (let k = at; k < at + this.#c; k++) {
      const [p, y] = [probabilities[k]!, targets[k]!];
      if (y !== 0) logLoss -= y * Math.log(p);
      brier += (p - y) ** 2 + y * (1 - y);
    }
    this.#logLoss += s * logLoss;
    this.#brier += s * brier;
  }

  figures(names: readonly string[], areas: readonly number[]): ClassMetrics {
    const c = this.#c;
    const confusion = names.map((_, a) => [...this.#confusion.subarray(a * c, (a + 1) * c)]);
    const weights = confusion.map((row) => row.reduce((sum, one) => sum + one, 0));
    const total = weights.reduce((sum, one) => sum + one, 0);
    const known = this.#undecided === 0 ? 1 : Number.NaN;
    const classes = names.map((name, a): ClassFigures => {
      const right = known * confusion[a]![a]!;
      const weight = weights[a]!;
      const decided = confusion.reduce((sum, row) => sum + row[a]!, 0);
      return {
        name,
        weight,
        precision: right / decided,
        recall: right / weight,
        f1: (2 * right) / (weight + decided),
        auc: known * areas[a]!,
      };
    });
    const right = confusion.reduce((sum, row, a) => sum + row[a]!, 0);
    let apart = 0;
    for (let k = 0; k < BINS; k++) apart += Math.abs(this.#hits[k]! - this.#confidence[k]!);
    const table = this.#table;
    const cost = table === null ? null : this.#confusion.reduce((sum, weight, k) => sum + weight * table[k]!, 0);
    return {
      accuracy: (known * right) / total,
      balancedAccuracy: meanOfKnown(classes.map(({ recall }) => recall)),
      logLoss: (known * this.#logLoss) / total,
      brier: (known * this.#brier) / total,
      auc: meanOfKnown(classes.map(({ auc }) => auc)),
      f1: meanOfKnown(classes.map(({ f1 }) => f1)),
      calibrationError: (known * apart) / total,
      cost: cost === null ? null : (known * cost) / total,
      threshold: decisionThreshold(table, c),
      classes,
      confusion,
      undecided: this.#undecided,
    };
  }
}

/** Mean of the values that are numbers; NaN where none is. */
function meanOfKnown(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

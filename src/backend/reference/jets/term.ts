// Computes residuals of one term of a jet problem, their rows of J and their second derivatives along a step, for one block of points at a
// time. engine.ts has one for each term.
import type { JetTerm } from "../../../equations/jet-problem.js";
import { type Column, columnsOf, scalarsOf } from "../../../expression/columns.js";
import { TapeEvaluator, type Wanted } from "../../../expression/evaluate.js";
import { CurveEvaluator } from "../../../expression/evaluate-curve.js";
import type { Architecture } from "../../../network/architecture.js";
import { PASS_BLOCK, type PassWeights } from "../../../network/forward.js";
import { curveOfJets } from "./curve.js";
import { backwardJets, forwardJets, outputJets } from "./passes.js";
import { addJetGradient, jetRowsTransposed } from "./rows.js";
import { type JetSpace, jetSpace } from "./space.js";

/** Parameters as the passes read them. */
export interface JetPoint {
  readonly weights: PassWeights;
  /** k numbers. */
  readonly unknowns: Float64Array;
}

export class TermBlocks {
  /** Points of a block. */
  readonly capacity: number;
  /** Residuals of a point, R. */
  readonly seeds: number;
  readonly term: JetTerm;
  /** Residuals of the last block, factors in: points x R. */
  readonly residuals: Float64Array;
  readonly #inputs: Float64Array;
  readonly #auxiliary: Float64Array;
  readonly #architecture: Architecture;
  readonly #space: JetSpace;
  readonly #evaluator: TapeEvaluator;
  readonly #curves: CurveEvaluator;
  readonly #wanted: Wanted;
  readonly #unknownCount: number;
  /** Jets of psi of the block, points x Q x c. */
  readonly #jets: Float64Array;
  /** Partial derivatives by the jets and the unknowns: points x R x (c Q + k). */
  readonly #partials: Float64Array;
  readonly #bars: Float64Array;

  constructor(architecture: Architecture, term: JetTerm, unknownCount: number) {
    const { channels, residual } = term;
    this.#architecture = architecture;
    this.term = term;
    this.capacity = Math.min(PASS_BLOCK, term.points);
    this.seeds = residual.outputs.length;
    this.#inputs = term.inputs.slice();
    this.#auxiliary = term.auxiliary.slice();
    this.#space = jetSpace(architecture, channels, this.capacity, this.seeds);
    this.#evaluator = new TapeEvaluator(residual);
    this.#curves = new CurveEvaluator(residual);
    const jets = architecture.outputSize * this.#space.width;
    const places = Array.from({ length: jets + unknownCount }, (_, k) => (k < jets ? k : k + term.auxiliaryCount));
    this.#wanted = this.#evaluator.wanted(places);
    this.#unknownCount = unknownCount;
    this.#jets = new Float64Array(this.capacity * jets);
    this.residuals = new Float64Array(this.capacity * this.seeds);
    this.#partials = new Float64Array(this.capacity * this.seeds * places.length);
    this.#bars = new Float64Array(this.capacity * this.seeds * jets);
  }

  get bytes(): number {
    const { layerInputs, preactivations, slopes, bends, thirds, products, deltas } = this.#space;
    const panels = [layerInputs, preactivations, slopes, bends, thirds, products, deltas].flat();
    const own = [this.#inputs, this.#auxiliary, this.residuals, this.#jets, this.#partials, this.#bars];
    return [...panels, ...own].reduce((sum, array) => sum + array.byteLength, 0);
  }

  /** Replaces the points. */
  load(inputs: Float64Array, auxiliary: Float64Array): void {
    this.#inputs.set(inputs);
    this.#auxiliary.set(auxiliary);
  }

  /** Computes the residuals of points [first, first + count). */
  evaluate({ weights, unknowns }: JetPoint, first: number, count: number): void {
    const columns = this.#forward(weights, unknowns, first, count);
    this.#evaluator.values(columns, count, this.residuals);
    this.#applyFactors(this.residuals, count);
  }

  /** The same, and the partial derivatives that `rows` and `addTransposed` start from. */
  differentiate({ weights, unknowns }: JetPoint, first: number, count: number): void {
    const columns = this.#forward(weights, unknowns, first, count);
    this.#evaluator.partials(columns, count, this.#wanted, this.residuals, this.#partials);
    this.#applyFactors(this.residuals, count);
  }

  /** Rows of J of the block that was differentiated, transposed: p down, count x R columns. */
  rows({ weights }: JetPoint, count: number, out: Float64Array): void {
    const [R, Q, c] = [this.seeds, this.#space.width, this.#architecture.outputSize];
    const { outputScale, parameterCount } = this.#architecture;
    const width = c * Q + this.#unknownCount;
    for (let row = 0; row < count * R; row++) {
      const factor = this.term.factors[row % R];
      for (let q = 0; q < Q; q++)
        for (let o = 0; o < c; o++)
          this.#bars[(row * Q + q) * c + o] = outputScale * factor * this.#partials[row * width + o * Q + q];
    }
    backwardJets(this.#space, weights, this.#bars, count, R);
    jetRowsTransposed(this.#space, count, R, out);
    for (let k = 0; k < this.#unknownCount; k++)
      for (let row = 0; row < count * R; row++)
        out[(parameterCount + k) * count * R + row] =
          this.term.factors[row % R] * this.#partials[row * width + c * Q + k];
  }

  /** Adds J^T u of the block that was differentiated; u has count x R entries from `from` on. */
  addTransposed({ weights }: JetPoint, count: number, u: Float64Array, from: number, gradient: Float64Array): void {
    const [R, Q, c] = [this.seeds, this.#space.width, this.#architecture.outputSize];
    const { outputScale, parameterCount } = this.#architecture;
    const width = c * Q + this.#unknownCount;
    this.#bars.fill(0, 0, count * Q * c);
    for (let row = 0; row < count * R; row++) {
      const seed = this.term.factors[row % R] * u[from + row];
      const point = Math.floor(row / R);
      for (let q = 0; q < Q; q++)
        for (let o = 0; o < c; o++)
          this.#bars[(point * Q + q) * c + o] += outputScale * seed * this.#partials[row * width + o * Q + q];
      for (let k = 0; k < this.#unknownCount; k++)
        gradient[parameterCount + k] += seed * this.#partials[row * width + c * Q + k];
    }
    backwardJets(this.#space, weights, this.#bars, count, 1);
    addJetGradient(this.#space, count, gradient);
  }

  /** Second derivatives of the residuals along `direction`, of the block that was differentiated, written to `out` from `from` on. */
  secondDerivative(at: JetPoint, direction: JetPoint, first: number, count: number, out: Float64Array, from: number) {
    const [R, Q, c] = [this.seeds, this.#space.width, this.#architecture.outputSize];
    const { outputScale } = this.#architecture;
    const curve = curveOfJets(this.#space, at.weights, direction.weights, count);
    for (const jets of [curve.first, curve.second]) for (let k = 0; k < jets.length; k++) jets[k] *= outputScale;
    const still = new Array<null>(this.term.auxiliaryCount).fill(null);
    const along = (jets: Float64Array, unknowns: readonly (Column | null)[]) => [
      ...jetColumns(jets, Q, c),
      ...still,
      ...unknowns,
    ];
    const second = new Float64Array(count * R);
    this.#curves.evaluate(
      this.#columns(at.unknowns, first),
      along(curve.first, scalarsOf(direction.unknowns)),
      along(curve.second, new Array<null>(this.#unknownCount).fill(null)),
      count,
      { values: new Float64Array(count * R), first: new Float64Array(count * R), second },
    );
    this.#applyFactors(second, count);
    out.set(second, from);
  }

  #forward(weights: PassWeights, unknowns: Float64Array, first: number, count: number): readonly Column[] {
    forwardJets(this.#space, weights, this.#inputs, first, count);
    const f = outputJets(this.#space);
    const { outputScale } = this.#architecture;
    for (let k = 0; k < this.#jets.length; k++) this.#jets[k] = outputScale * f[k];
    return this.#columns(unknowns, first);
  }

  #columns(unknowns: Float64Array, first: number): readonly Column[] {
    const a = this.term.auxiliaryCount;
    return [
      ...jetColumns(this.#jets, this.#space.width, this.#architecture.outputSize),
      ...columnsOf(this.#auxiliary.subarray(first * a), a),
      ...scalarsOf(unknowns),
    ];
  }

  #applyFactors(values: Float64Array, count: number): void {
    const { factors } = this.term;
    for (let row = 0; row < count * this.seeds; row++) values[row] *= factors[row % this.seeds];
  }
}

/** Jets of points x Q x c as the arguments of a residual: output o, channel q at o Q + q. */
function jetColumns(jets: Float64Array, Q: number, c: number): Column[] {
  return Array.from({ length: c * Q }, (_, k) => ({
    data: jets,
    offset: (k % Q) * c + Math.floor(k / Q),
    stride: Q * c,
  }));
}

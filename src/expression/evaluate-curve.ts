// Evaluates a tape along a curve of its arguments: values, first and second derivatives by the curve's parameter, exactly (Taylor arithmetic
// of order 2). Geodesic acceleration needs the second derivative of residuals along a step.
import { argumentError } from "../errors.js";
import { BLOCK_BENDS } from "./block-derivatives.js";
import { BLOCK_SECONDS } from "./block-partials.js";
import { addProduct, BLOCK, BlockTape, gather, product, scatter } from "./block-tape.js";
import type { Column } from "./columns.js";
import { BINARY_OPERATIONS, type Tape } from "./tape.js";

/** Where the results go, each points x outputs, row-major. */
export interface CurveResult {
  readonly values: Float64Array;
  readonly first: Float64Array;
  readonly second: Float64Array;
}

/** Evaluates one tape along curves; not for two calls at once, as it keeps its registers. */
export class CurveEvaluator {
  readonly #block: BlockTape;
  readonly #first: readonly Float64Array[];
  readonly #second: readonly Float64Array[];
  readonly #scratch = [new Float64Array(BLOCK), new Float64Array(BLOCK)] as const;

  constructor(readonly tape: Tape) {
    this.#block = new BlockTape(tape);
    this.#first = this.#block.registers.map(() => new Float64Array(BLOCK));
    this.#second = this.#block.registers.map(() => new Float64Array(BLOCK));
  }

  /**
   * The arguments move on x(t) = columns + t first + t^2/2 second; written are the outputs at t = 0 and their first and second derivatives by
   * t. A null is zero at all points.
   */
  evaluate(
    columns: readonly Column[],
    first: readonly (Column | null)[],
    second: readonly (Column | null)[],
    points: number,
    out: CurveResult,
  ): void {
    this.#check(columns, first, second, points, out);
    const active = this.#block.dependents((k) => first[k] !== null || second[k] !== null);
    for (const [register, moves] of active.entries())
      if (moves === 0) {
        this.#first[register].fill(0);
        this.#second[register].fill(0);
      }
    for (let from = 0; from < points; from += BLOCK) {
      const n = Math.min(BLOCK, points - from);
      this.#block.forward(columns, from, n);
      for (let k = 0; k < this.tape.inputs; k++) {
        gatherOrZero(first[k], from, n, this.#first[k]);
        gatherOrZero(second[k], from, n, this.#second[k]);
      }
      for (let k = 0; k < this.tape.code.length / 3; k++)
        if (active[this.#block.first + k] === 1) this.#chain(k, active, n);
      this.#write(from, n, out);
    }
  }

  /** Derivatives of instruction k from those of its operands. Operands that rest are left out: their terms may be 0 times infinity. */
  #chain(k: number, active: Uint8Array, n: number): void {
    const { code, registers, first } = this.#block;
    const to = first + k;
    const [operation, a, b] = code.subarray(3 * k, 3 * k + 3);
    const [outFirst, outSecond] = [this.#first[to], this.#second[to]];
    outFirst.fill(0, 0, n);
    outSecond.fill(0, 0, n);
    const operands = operation < BINARY_OPERATIONS ? [a, b] : [a];
    for (const [operand, from] of operands.entries()) {
      if (active[from] === 0) continue;
      const slope = this.#block.slope(k, operand as 0 | 1, n);
      addProduct(slope, this.#first[from], outFirst, n);
      addProduct(slope, this.#second[from], outSecond, n);
      if (operation < BINARY_OPERATIONS) continue;
      BLOCK_BENDS[operation]!(registers[a], registers[to], slope, this.#scratch[0], n);
      this.#addBend(this.#scratch[0], a, a, 1, outSecond, n);
    }
    for (const [which, second] of (BLOCK_SECONDS[operation] ?? []).entries()) {
      const [x, y] = [which === 2 ? b : a, which === 0 ? a : b];
      if (second === null || active[x] === 0 || active[y] === 0) continue;
      second(registers[a], registers[b], registers[to], this.#scratch[0], n);
      this.#addBend(this.#scratch[0], x, y, which === 1 ? 2 : 1, outSecond, n);
    }
  }

  /** out += factor bend x' y' */
  #addBend(bend: Float64Array, x: number, y: number, factor: number, out: Float64Array, n: number): void {
    const squared = this.#scratch[1];
    product(this.#first[x], this.#first[y], squared, n);
    for (let i = 0; i < n; i++) out[i] += factor * bend[i] * squared[i];
  }

  #write(from: number, n: number, { values, first, second }: CurveResult): void {
    const { outputs } = this.tape;
    const at = from * outputs.length;
    for (const [o, register] of outputs.entries()) {
      scatter(this.#block.registers[register], n, values, at + o, outputs.length);
      scatter(this.#first[register], n, first, at + o, outputs.length);
      scatter(this.#second[register], n, second, at + o, outputs.length);
    }
  }

  #check(
    columns: readonly Column[],
    first: readonly (Column | null)[],
    second: readonly (Column | null)[],
    points: number,
    out: CurveResult,
  ): void {
    for (const [argument, given] of Object.entries({ columns, first, second }))
      if (given.length !== this.tape.inputs)
        throw argumentError(argument, `must have ${this.tape.inputs} entries, one for each argument`, given.length);
    const needed = points * this.tape.outputs.length;
    for (const [argument, array] of Object.entries(out))
      if (array.length < needed) throw argumentError(`out.${argument}`, `must have at least ${needed} numbers`, array);
  }
}

function gatherOrZero(from: Column | null, start: number, n: number, out: Float64Array): void {
  if (from === null) out.fill(0, 0, n);
  else gather(from, start, n, out);
}

// Runs a tape forward over one block of points and gives the derivatives of its instructions by their operands. evaluate.ts chains them from
// the outputs back, evaluate-curve.ts from the arguments forward.
import { BLOCK_SLOPES } from "./block-derivatives.js";
import { BLOCK_BY_A, BLOCK_BY_B } from "./block-partials.js";
import { BLOCK_VALUES } from "./block-values.js";
import type { Column } from "./columns.js";
import { BINARY_OPERATIONS, OPERATIONS, type Operation, type Tape } from "./tape.js";

/** Points of a block: the registers of a usual tape stay in a core's second cache. */
export const BLOCK = 128;

const place = (operation: Operation) => OPERATIONS.indexOf(operation);
const [ADD, SUBTRACT, MULTIPLY, NEGATE, EXP] = (["add", "subtract", "multiply", "negate", "exp"] as const).map(place);
/** A block of ones: the slope of a sum. */
export const ONES = new Float64Array(BLOCK).fill(1);
const MINUS_ONES = new Float64Array(BLOCK).fill(-1);

/** The registers of a tape over a block. */
export class BlockTape {
  /** Values by register; those of the constants are filled once. */
  readonly registers: readonly Float64Array[];
  /** Operations and operands by instruction. */
  readonly code: Int32Array;
  /** Register of the first instruction. */
  readonly first: number;
  readonly #slopes: Float64Array[] = [];
  /** What whole registers of single numbers hold, so that they are filled when the number changes. */
  readonly #filled: Float64Array;

  constructor(readonly tape: Tape) {
    this.code = Int32Array.from(tape.code);
    this.first = tape.inputs + tape.constants.length;
    const count = this.first + this.code.length / 3;
    this.registers = Array.from({ length: count }, () => new Float64Array(BLOCK));
    this.#filled = new Float64Array(tape.inputs).fill(Number.NaN);
    for (const [k, value] of tape.constants.entries()) this.registers[tape.inputs + k].fill(value);
  }

  /** Reads `n` points from `from` on and computes all registers. */
  forward(columns: readonly Column[], from: number, n: number): void {
    const { registers, code, first } = this;
    for (let k = 0; k < this.tape.inputs; k++) this.#read(k, columns[k], from, n);
    for (let k = 0, at = 0; at < code.length; k++, at += 3)
      BLOCK_VALUES[code[at]](registers[code[at + 1]], registers[code[at + 2]], registers[first + k], n);
  }

  #read(k: number, given: Column, from: number, n: number): void {
    const register = this.registers[k];
    if (given.stride !== 0) {
      this.#filled[k] = Number.NaN;
      gather(given, from, n, register);
    } else if (this.#filled[k] !== given.data[given.offset]) {
      this.#filled[k] = given.data[given.offset];
      register.fill(this.#filled[k]);
    }
  }

  /** The derivative of instruction `k` by its operand 0 (a) or 1 (b), at the points of the last `forward`. */
  slope(k: number, operand: 0 | 1, n: number): Float64Array {
    const operation = this.code[3 * k];
    const a = this.registers[this.code[3 * k + 1]];
    const b = this.registers[this.code[3 * k + 2]];
    const value = this.registers[this.first + k];
    if (operation === ADD) return ONES;
    if (operation === SUBTRACT) return operand === 0 ? ONES : MINUS_ONES;
    if (operation === MULTIPLY) return operand === 0 ? b : a;
    if (operation === NEGATE) return MINUS_ONES;
    if (operation === EXP) return value;
    this.#slopes[2 * k + operand] ??= new Float64Array(BLOCK);
    const out = this.#slopes[2 * k + operand];
    if (operation >= BINARY_OPERATIONS) BLOCK_SLOPES[operation]!(a, value, out, n);
    else (operand === 0 ? BLOCK_BY_A : BLOCK_BY_B)[operation]!(a, b, value, out, n);
    return out;
  }

  /** The registers that depend on marked arguments. */
  dependents(marked: (argument: number) => boolean): Uint8Array {
    const { code, first } = this;
    const active = new Uint8Array(this.registers.length);
    for (let k = 0; k < this.tape.inputs; k++) active[k] = marked(k) ? 1 : 0;
    for (let k = 0, at = 0; at < code.length; k++, at += 3)
      active[first + k] = active[code[at + 1]] | active[code[at + 2]];
    return active;
  }
}

/** Copies `n` numbers of a column, those of the points from `from` on. */
export function gather({ data, offset, stride }: Column, from: number, n: number, out: Float64Array): void {
  if (stride === 0) out.fill(data[offset], 0, n);
  else for (let i = 0, at = offset + from * stride; i < n; i++, at += stride) out[i] = data[at];
}

/** Writes `n` numbers to every `stride`-th place of `out` from `at` on. */
export function scatter(values: Float64Array, n: number, out: Float64Array, at: number, stride: number): void {
  for (let i = 0, to = at; i < n; i++, to += stride) out[to] = values[i];
}

/** out = x y */
export function product(x: Float64Array, y: Float64Array, out: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) out[i] = x[i] * y[i];
}

/** out += x y */
export function addProduct(x: Float64Array, y: Float64Array, out: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) out[i] += x[i] * y[i];
}

/** out = sum + x y */
export function sumOfProduct(sum: Float64Array, x: Float64Array, y: Float64Array, out: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) out[i] = sum[i] + x[i] * y[i];
}

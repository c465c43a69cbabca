// Evaluates a tape at many points: values, and exact partial derivatives of every output by chosen arguments (a reverse sweep). The models of
// src/fit and the reference engine for residuals with derivatives call it. Points go in blocks, and nothing is allocated between calls.
//
// Numbers that are not finite pass through as IEEE arithmetic has them: the callers test the values.
import { argumentError } from "../errors.js";
import { BLOCK, BlockTape, ONES, product, scatter, sumOfProduct } from "./block-tape.js";
import type { Column } from "./columns.js";
import { BINARY_OPERATIONS, type Tape } from "./tape.js";

/** One product of the chain rule: the adjoint of instruction `k` goes to register `to`, set there if it is the first to come, else added. */
interface Link {
  readonly k: number;
  readonly operand: 0 | 1;
  readonly to: number;
  readonly first: boolean;
}

/** The partial derivatives by some arguments, prepared for `partials`. */
export interface Wanted {
  readonly arguments: readonly number[];
  /** The links of each output, from the output back. */
  readonly sweeps: readonly (readonly Link[])[];
  /** For each output the places in `arguments` that it depends on. */
  readonly reached: readonly (readonly number[])[];
}

/** Evaluates one tape; not for two calls at once, as it keeps its registers. */
export class TapeEvaluator {
  readonly #block: BlockTape;
  /** Adjoints by register. Those that equal another array are that array. */
  readonly #adjoints: Float64Array[];
  /** Room for the adjoints that must be computed. */
  readonly #room: readonly Float64Array[];
  /** Slopes of the block by instruction and operand, computed once for all outputs. */
  readonly #slopes: (Float64Array | undefined)[];

  constructor(readonly tape: Tape) {
    this.#block = new BlockTape(tape);
    this.#room = this.#block.registers.map(() => new Float64Array(BLOCK));
    this.#adjoints = [...this.#room];
    this.#slopes = new Array<undefined>((2 * tape.code.length) / 3).fill(undefined);
  }

  /** Values of all outputs at `points` points, written to `out`: points x outputs, row-major. */
  values(columns: readonly Column[], points: number, out: Float64Array): void {
    this.#check(columns, points, out.length, 1, "out");
    for (let from = 0; from < points; from += BLOCK) {
      const n = Math.min(BLOCK, points - from);
      this.#block.forward(columns, from, n);
      this.#writeValues(from, n, out);
    }
  }

  /** Prepares the partial derivatives by these arguments. */
  wanted(places: readonly number[]): Wanted {
    const active = this.#block.dependents((k) => places.includes(k));
    const sweeps = this.tape.outputs.map((output) => this.#links(output, active));
    const reached = this.tape.outputs.map((output, o) => {
      const touched = new Set([output, ...sweeps[o].map(({ to }) => to)]);
      return places.flatMap((register, place) => (touched.has(register) ? [place] : []));
    });
    return { arguments: places, sweeps, reached };
  }

  /**
   * Values as `values` writes them, and the partial derivatives of every output by the wanted arguments: points x outputs x wanted, row-major.
   */
  partials(
    columns: readonly Column[],
    points: number,
    wanted: Wanted,
    values: Float64Array,
    partials: Float64Array,
  ): void {
    const width = wanted.arguments.length;
    this.#check(columns, points, values.length, 1, "values");
    this.#check(columns, points, partials.length, width, "partials");
    const row = this.tape.outputs.length * width;
    if (wanted.reached.some((places) => places.length < width)) partials.fill(0, 0, points * row);
    for (let from = 0; from < points; from += BLOCK) {
      const n = Math.min(BLOCK, points - from);
      this.#block.forward(columns, from, n);
      this.#writeValues(from, n, values);
      this.#slopes.fill(undefined);
      for (let o = 0; o < wanted.sweeps.length; o++) {
        this.#sweep(this.tape.outputs[o], wanted.sweeps[o], n);
        for (const place of wanted.reached[o])
          scatter(this.#adjoints[wanted.arguments[place]], n, partials, from * row + o * width + place, row);
      }
    }
  }

  #writeValues(from: number, n: number, out: Float64Array): void {
    const { outputs } = this.tape;
    for (let o = 0; o < outputs.length; o++)
      scatter(this.#block.registers[outputs[o]], n, out, from * outputs.length + o, outputs.length);
  }

  #sweep(output: number, links: readonly Link[], n: number): void {
    const adjoints = this.#adjoints;
    adjoints[output] = ONES;
    for (let l = 0; l < links.length; l++) {
      const { k, operand, to, first } = links[l];
      this.#slopes[2 * k + operand] ??= this.#block.slope(k, operand, n);
      const slope = this.#slopes[2 * k + operand]!;
      const adjoint = adjoints[this.#block.first + k];
      const room = this.#room[to];
      if (!first) sumOfProduct(adjoints[to], adjoint, slope, room, n);
      else if (adjoint !== ONES && slope !== ONES) product(adjoint, slope, room, n);
      adjoints[to] = first && adjoint === ONES ? slope : first && slope === ONES ? adjoint : room;
    }
  }

  /** The links from an output back to the active arguments. */
  #links(output: number, active: Uint8Array): Link[] {
    const { code, first } = this.#block;
    const reached = new Set([output]);
    const links: Link[] = [];
    for (let k = code.length / 3 - 1; k >= 0; k--) {
      if (!reached.has(first + k)) continue;
      const binary = code[3 * k] < BINARY_OPERATIONS;
      for (const operand of binary ? ([0, 1] as const) : ([0] as const)) {
        const to = code[3 * k + 1 + operand];
        if (active[to] === 0) continue;
        links.push({ k, operand, to, first: !reached.has(to) });
        reached.add(to);
      }
    }
    return links;
  }

  #check(columns: readonly Column[], points: number, length: number, width: number, array: string): void {
    if (columns.length !== this.tape.inputs)
      throw argumentError("columns", `must be ${this.tape.inputs}, one for each argument`, columns.length);
    const needed = points * this.tape.outputs.length * width;
    if (length < needed) throw argumentError(array, `must have at least ${needed} numbers`, length);
  }
}

// Makes a tape from expressions: equal parts are computed once, and small integer powers by products, which hold for negative bases and at 0.
import { argumentError } from "../errors.js";
import type { Expression } from "./expression.js";
import { isBinary } from "./expression.js";
import { render } from "./render.js";
import { OPERATIONS, type Operation, type Tape } from "./tape.js";

/** Largest exponent that is computed by products; beyond it the rounding errors of the products exceed those of a power. */
const LARGEST_PRODUCT = 16;

/** Operations that do not depend on the order of their operands. */
const SYMMETRIC: ReadonlySet<Operation> = new Set<Operation>(["add", "multiply", "minimum", "maximum"]);

/**
 * The tape of some expressions, its arguments in the order of `names`.
 *
 * @param argument what the formula is called in errors
 * @throws GaussflowError if a constant is not finite, or a name is not among `names`
 */
export function compile(expressions: readonly Expression[], names: readonly string[], argument = "formula"): Tape {
  return new Compiler(names, argument).compile(expressions);
}

class Compiler {
  readonly #arguments: ReadonlyMap<string, number>;
  readonly #constants = new Map<number, number>();
  readonly #known = new Map<Expression, number>();
  readonly #instructions = new Map<string, number>();
  readonly #code: number[] = [];

  constructor(
    readonly names: readonly string[],
    readonly argument: string,
  ) {
    this.#arguments = new Map(names.map((name, place) => [name, place]));
  }

  compile(expressions: readonly Expression[]): Tape {
    const outputs = expressions.map((e) => this.#place(e));
    // Constants stand before instructions, whose number of constants is known only now: until here they count down from -1.
    const inputs = this.names.length;
    const constants = [...this.#constants.keys()];
    const register = (place: number) =>
      place < 0 ? inputs - 1 - place : place < inputs ? place : place + constants.length;
    const code = this.#code.map((entry, at) => (at % 3 === 0 ? entry : register(entry)));
    return { inputs, constants, code, outputs: outputs.map(register) };
  }

  #place(e: Expression): number {
    const known = this.#known.get(e);
    if (known !== undefined) return known;
    const place =
      e.kind === "number" ? this.#constant(e.value) : e.kind === "name" ? this.#name(e.name) : this.#apply(e);
    this.#known.set(e, place);
    return place;
  }

  #name(name: string): number {
    const place = this.#arguments.get(name);
    if (place === undefined) throw argumentError(this.argument, `must depend on ${this.names.join(", ")} only`, name);
    return place;
  }

  #constant(value: number): number {
    const known = this.#constants.get(value) ?? -1 - this.#constants.size;
    this.#constants.set(value, known);
    return known;
  }

  #apply(e: Expression & { kind: "apply" }): number {
    const { operation, operands } = e;
    if (operands.every(({ kind }) => kind === "number"))
      throw argumentError(this.argument, `has ${render(e)}, which is not a finite number`, render(e));
    const [first, second = first] = operands;
    if (operation === "power" && second.kind === "number" && isSmallInteger(second.value))
      return this.#integerPower(this.#place(first), second.value);
    return this.#instruction(operation, this.#place(first), this.#place(second));
  }

  #integerPower(base: number, exponent: number): number {
    if (exponent < 0) return this.#instruction("divide", this.#constant(1), this.#integerPower(base, -exponent));
    if (exponent === 1) return base;
    const half = this.#integerPower(base, Math.floor(exponent / 2));
    const even = this.#instruction("square", half, half);
    return exponent % 2 === 0 ? even : this.#instruction("multiply", even, base);
  }

  #instruction(operation: Operation, a: number, b: number): number {
    if (operation === "multiply" && a === b) return this.#instruction("square", a, a);
    const [x, y] = SYMMETRIC.has(operation) && b < a ? [b, a] : [a, isBinary(operation) ? b : a];
    const key = `${operation} ${x} ${y}`;
    const known = this.#instructions.get(key);
    if (known !== undefined) return known;
    const place = this.names.length + this.#code.length / 3;
    this.#code.push(OPERATIONS.indexOf(operation), x, y);
    this.#instructions.set(key, place);
    return place;
  }
}

const isSmallInteger = (value: number) => Number.isInteger(value) && value !== 0 && Math.abs(value) <= LARGEST_PRODUCT;

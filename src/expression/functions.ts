// The functions that formulas may call, in terms of the operations of a tape. parse.ts looks them up; what is missing here has no derivative
// rule and is refused by name.
import { add, apply, divide, type Expression, number, square } from "./expression.js";
import type { Operation } from "./tape.js";

/** A function of formulas: how many arguments it takes, and what it stands for. */
export interface FormulaFunction {
  readonly least: number;
  readonly most: number;
  readonly build: (operands: readonly Expression[]) => Expression;
}

const one = (build: (a: Expression) => Expression): FormulaFunction => ({
  least: 1,
  most: 1,
  build: ([a]) => build(a),
});
const two = (build: (a: Expression, b: Expression) => Expression): FormulaFunction => ({
  least: 2,
  most: 2,
  build: ([a, b]) => build(a, b),
});
const many = (operation: Operation): FormulaFunction => ({
  least: 1,
  most: Number.POSITIVE_INFINITY,
  build: (operands) => operands.reduce((a, b) => apply(operation, a, b)),
});
const itself = (operation: Operation) => one((a) => apply(operation, a));
const logarithm = (base: number) => one((a) => divide(apply("log", a), number(Math.log(base))));

const SELVES = [
  ...["sqrt", "cbrt", "exp", "expm1", "log1p", "sin", "cos", "tan", "asin", "acos", "atan"],
  ...["sinh", "cosh", "tanh", "erf", "abs", "sign", "square"],
] as Operation[];

/** The functions by name. */
export const FUNCTIONS: ReadonlyMap<string, FormulaFunction> = new Map<string, FormulaFunction>([
  ...SELVES.map((operation) => [operation, itself(operation)] as const),
  [
    "log",
    { least: 1, most: 2, build: ([a, base]) => (base ? divide(apply("log", a), apply("log", base)) : apply("log", a)) },
  ],
  ["ln", itself("log")],
  ["log10", logarithm(10)],
  ["log2", logarithm(2)],
  ["pow", two((a, b) => apply("power", a, b))],
  ["atan2", two((a, b) => apply("atan2", a, b))],
  ["hypot", two((a, b) => apply("sqrt", add(square(a), square(b))))],
  ["min", many("minimum")],
  ["max", many("maximum")],
]);

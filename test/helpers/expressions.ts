// Random formulas whose values stay moderate, for the properties of src/expression.
import { add, apply, type Expression, name, number } from "../../src/expression/expression.js";
import { fc } from "./property.js";

/** The variables of the formulas. */
export const VARIABLES = ["x", "y", "z"];

const safe = (a: Expression) => add(number(1.5), apply("square", a));
const bounded = (a: Expression) => apply("multiply", number(0.9), apply("tanh", a));

/** Builders from parts of any size: arguments are brought into the range where the operation has derivatives. */
const UNARY: readonly ((a: Expression) => Expression)[] = [
  ...(["negate", "square", "sin", "cos", "atan", "tanh", "erf"] as const).map((o) => (a: Expression) => apply(o, a)),
  ...(["sqrt", "cbrt", "log", "log1p"] as const).map((o) => (a: Expression) => apply(o, safe(a))),
  ...(["exp", "expm1", "tan", "asin", "acos", "sinh", "cosh"] as const).map(
    (o) => (a: Expression) => apply(o, bounded(a)),
  ),
  (a) => apply("abs", safe(a)),
  (a) => apply("power", safe(a), number(-1.7)),
  (a) => apply("power", a, number(3)),
];
const BINARY: readonly ((a: Expression, b: Expression) => Expression)[] = [
  ...(["add", "subtract", "multiply"] as const).map((o) => (a: Expression, b: Expression) => apply(o, a, b)),
  (a, b) => apply("divide", a, safe(b)),
  (a, b) => apply("power", safe(bounded(a)), bounded(b)),
  (a, b) => apply("atan2", a, safe(b)),
  (a, b) => apply("minimum", a, apply("subtract", number(-30), apply("square", b))),
  (a, b) => apply("maximum", apply("negate", safe(a)), safe(b)),
];

/** Formulas of up to about twenty operations. */
export const formulas: fc.Arbitrary<Expression> = fc.letrec<{ formula: Expression }>((tie) => ({
  formula: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(...VARIABLES).map((v) => name(v)),
    fc.double({ min: -2, max: 2, noNaN: true }).map((value) => number(Math.fround(value))),
    fc.tuple(fc.constantFrom(...UNARY), tie("formula")).map(([build, a]) => build(a)),
    fc.tuple(fc.constantFrom(...BINARY), tie("formula"), tie("formula")).map(([build, a, b]) => build(a, b)),
  ),
})).formula;

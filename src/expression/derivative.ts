// Differentiates expressions: features and transforms of equations need their derivatives as formulas. (The partial derivatives of a tape come
// from evaluate.ts, which needs no formulas.)
import {
  add,
  apply,
  divide,
  type Expression,
  isNumber,
  multiply,
  negate,
  number,
  square,
  subtract,
} from "./expression.js";
import type { Operation } from "./tape.js";

const ONE = number(1);
const call = (operation: Operation) => (a: Expression) => apply(operation, a);
const [sqrt, exp, log, sin, cos, sinh, cosh, sign] = (
  ["sqrt", "exp", "log", "sin", "cos", "sinh", "cosh", "sign"] as const
).map(call);

/** f'(a), where v = f(a). */
const SLOPES: { readonly [O in Operation]?: (a: Expression, v: Expression) => Expression } = {
  negate: () => number(-1),
  square: (a) => multiply(number(2), a),
  sqrt: (_a, v) => divide(number(0.5), v),
  cbrt: (_a, v) => divide(number(1 / 3), square(v)),
  exp: (_a, v) => v,
  expm1: (a) => exp(a),
  log: (a) => divide(ONE, a),
  log1p: (a) => divide(ONE, add(ONE, a)),
  sin: (a) => cos(a),
  cos: (a) => negate(sin(a)),
  tan: (_a, v) => add(ONE, square(v)),
  asin: (a) => divide(ONE, sqrt(subtract(ONE, square(a)))),
  acos: (a) => divide(number(-1), sqrt(subtract(ONE, square(a)))),
  atan: (a) => divide(ONE, add(ONE, square(a))),
  sinh: (a) => cosh(a),
  cosh: (a) => sinh(a),
  tanh: (_a, v) => subtract(ONE, square(v)),
  erf: (a) => multiply(number(2 / Math.sqrt(Math.PI)), exp(negate(square(a)))),
  abs: (a) => sign(a),
  sign: () => number(0),
};

/** Derivatives of f(a, b) by a and b, where v = f(a, b). */
type Partials = readonly [
  a: (a: Expression, b: Expression, v: Expression) => Expression,
  b: (a: Expression, b: Expression, v: Expression) => Expression,
];

/** 1 where a > b, 0 where a < b; half where they are equal. */
const above = (a: Expression, b: Expression) => multiply(number(0.5), add(ONE, sign(subtract(a, b))));
const squares = (a: Expression, b: Expression) => add(square(a), square(b));

const PARTIALS: { readonly [O in Operation]?: Partials } = {
  add: [() => ONE, () => ONE],
  subtract: [() => ONE, () => number(-1)],
  multiply: [(_a, b) => b, (a) => a],
  divide: [(_a, b) => divide(ONE, b), (_a, b, v) => negate(divide(v, b))],
  power: [(a, b) => multiply(b, apply("power", a, subtract(b, ONE))), (a, _b, v) => multiply(v, log(a))],
  minimum: [(a, b) => above(b, a), (a, b) => above(a, b)],
  maximum: [(a, b) => above(a, b), (a, b) => above(b, a)],
  atan2: [(a, b) => divide(b, squares(a, b)), (a, b) => negate(divide(a, squares(a, b)))],
};

/** The derivative of an expression by a name. Where abs, sign, min and max have none, it is the mean of both sides. */
export function derivative(expression: Expression, by: string): Expression {
  const done = new Map<Expression, Expression>();
  const of = (e: Expression): Expression => {
    const known = done.get(e);
    if (known !== undefined) return known;
    const result = e.kind === "apply" ? chain(e, of) : number(e.kind === "name" && e.name === by ? 1 : 0);
    done.set(e, result);
    return result;
  };
  return of(expression);
}

function chain(e: Expression & { kind: "apply" }, of: (operand: Expression) => Expression): Expression {
  const [a, b] = e.operands;
  const da = of(a);
  if (b === undefined) return isNumber(da, 0) ? da : multiply(SLOPES[e.operation]!(a, e), da);
  const db = of(b);
  const [byA, byB] = PARTIALS[e.operation]!;
  // A factor of 0 is left out before its partner is built: log(a) is none for a < 0, and a constant exponent does not ask for it.
  const terms = [isNumber(da, 0) ? da : multiply(byA(a, b, e), da), isNumber(db, 0) ? db : multiply(byB(a, b, e), db)];
  return add(terms[0], terms[1]);
}

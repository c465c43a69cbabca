// Defines Expression, the tree that formulas are read into, and builds its nodes with zeros, ones and constants simplified away. parse.ts
// builds trees from text, derivative.ts from other trees; compile.ts makes tapes of them.
import { computed } from "./block-values.js";
import { BINARY_OPERATIONS, OPERATIONS, type Operation } from "./tape.js";

/** A formula. Parts may be shared: those who walk through a tree remember what they have seen. */
export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "apply"; readonly operation: Operation; readonly operands: readonly Expression[] };

/** A constant. A negative zero becomes 0: files do not keep its sign. */
export const number = (value: number): Expression => ({ kind: "number", value: value === 0 ? 0 : value });

/** A variable. */
export const name = (called: string): Expression => ({ kind: "name", name: called });

/** Whether the expression is this very number. */
export const isNumber = (e: Expression, value: number): boolean => e.kind === "number" && e.value === value;

/** Whether the operation has two operands. */
export const isBinary = (operation: Operation): boolean => OPERATIONS.indexOf(operation) < BINARY_OPERATIONS;

/** operation(a, b), or operation(a), in its simplest form. What is not a finite number stays as it is, so that an error can name it. */
export function apply(operation: Operation, a: Expression, b: Expression = a): Expression {
  if (a.kind === "number" && b.kind === "number") {
    const value = computed(operation, a.value, b.value);
    if (Number.isFinite(value)) return number(value);
  }
  return SIMPLER[operation]?.(a, b) ?? { kind: "apply", operation, operands: isBinary(operation) ? [a, b] : [a] };
}

const negated = (e: Expression) => (e.kind === "apply" && e.operation === "negate" ? e.operands[0] : null);

/** Simpler forms of operations where there are any. */
const SIMPLER: { readonly [O in Operation]?: (a: Expression, b: Expression) => Expression | null } = {
  add(a, b) {
    if (isNumber(a, 0)) return b;
    if (isNumber(b, 0)) return a;
    const subtracted = negated(b);
    return subtracted === null ? null : subtract(a, subtracted);
  },
  subtract(a, b) {
    if (isNumber(b, 0)) return a;
    if (isNumber(a, 0)) return negate(b);
    const added = negated(b);
    return added === null ? null : add(a, added);
  },
  multiply(a, b) {
    if (isNumber(a, 0) || isNumber(b, 0)) return number(0);
    if (isNumber(a, 1)) return b;
    if (isNumber(b, 1)) return a;
    if (isNumber(a, -1)) return negate(b);
    if (isNumber(b, -1)) return negate(a);
    return a === b ? square(a) : null;
  },
  divide(a, b) {
    if (isNumber(b, 0)) return null;
    return isNumber(b, 1) || isNumber(a, 0) ? a : null;
  },
  power(a, b) {
    if (isNumber(b, 0)) return number(1);
    if (isNumber(b, 1)) return a;
    if (isNumber(b, 2)) return square(a);
    if (isNumber(b, 0.5)) return apply("sqrt", a);
    return isNumber(a, Math.E) ? apply("exp", b) : null;
  },
  negate: (a) => negated(a),
};

/** a + b */
export const add = (a: Expression, b: Expression) => apply("add", a, b);

/** a - b */
export const subtract = (a: Expression, b: Expression) => apply("subtract", a, b);

/** a b */
export const multiply = (a: Expression, b: Expression) => apply("multiply", a, b);

/** a / b */
export const divide = (a: Expression, b: Expression) => apply("divide", a, b);

/** -a */
export const negate = (a: Expression) => apply("negate", a);

/** a^2 */
export const square = (a: Expression) => apply("square", a);

/** The names that the expression depends on. */
export function namesIn(...expressions: readonly Expression[]): Set<string> {
  const seen = new Set<Expression>();
  const names = new Set<string>();
  const visit = (e: Expression) => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.kind === "name") names.add(e.name);
    if (e.kind === "apply") e.operands.forEach(visit);
  };
  expressions.forEach(visit);
  return names;
}

/** The expression with names replaced by other expressions. */
export function substitute(expression: Expression, replacements: ReadonlyMap<string, Expression>): Expression {
  const done = new Map<Expression, Expression>();
  const replaced = (e: Expression): Expression => {
    const known = done.get(e);
    if (known !== undefined) return known;
    const result =
      e.kind === "name"
        ? (replacements.get(e.name) ?? e)
        : e.kind === "number"
          ? e
          : apply(e.operation, replaced(e.operands[0]), replaced(e.operands.at(-1)!));
    done.set(e, result);
    return result;
  };
  return replaced(expression);
}

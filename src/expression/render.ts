// Writes an expression as text that parse.ts reads again: in error messages and in files.
import type { Expression } from "./expression.js";
import type { Operation } from "./tape.js";

/** Signs of the operations that have one, with how strongly they bind. */
const SIGNS: { readonly [O in Operation]?: readonly [sign: string, strength: number] } = {
  add: [" + ", 1],
  subtract: [" - ", 1],
  multiply: ["*", 2],
  divide: ["/", 2],
  power: ["^", 4],
};
const NAMES: { readonly [O in Operation]?: string } = { minimum: "min", maximum: "max" };

/** The expression as text. */
export const render = (expression: Expression): string => written(expression)[0];

function written(e: Expression): readonly [text: string, strength: number] {
  if (e.kind === "name") return [e.name, 5];
  if (e.kind === "number") return [String(e.value), e.value < 0 ? 3 : 5];
  const { operation, operands } = e;
  const sign = SIGNS[operation];
  if (operation === "negate") return [`-${inside(operands[0], 3)}`, 3];
  if (operation === "square") return [`${inside(operands[0], 5)}^2`, 4];
  if (sign === undefined) return [`${NAMES[operation] ?? operation}(${operands.map(render).join(", ")})`, 5];
  const [text, strength] = sign;
  // Equal strength needs no parentheses on the left side, but for powers, which bind from the right.
  const left = inside(operands[0], operation === "power" ? 5 : strength);
  return [`${left}${text}${inside(operands[1], strength + 1)}`, strength];
}

function inside(e: Expression, least: number): string {
  const [text, strength] = written(e);
  return strength < least ? `(${text})` : text;
}

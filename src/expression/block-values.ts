// The operations of a tape over a block of points, one plain loop each: the loop over operations runs once a block, so that only these loops
// decide the time. evaluate.ts calls them.
import { erf } from "../network/error-function.js";
import { OPERATIONS, type Operation } from "./tape.js";

/** Writes operation(a, b) of the first `n` points to `out`. Operations of one operand ignore b. */
export type BlockOperation = (a: Float64Array, b: Float64Array, out: Float64Array, n: number) => void;

const VALUES: { readonly [O in Operation]: BlockOperation } = {
  add(a, b, out, n) {
    for (let i = 0; i < n; i++) out[i] = a[i] + b[i];
  },
  subtract(a, b, out, n) {
    for (let i = 0; i < n; i++) out[i] = a[i] - b[i];
  },
  multiply(a, b, out, n) {
    for (let i = 0; i < n; i++) out[i] = a[i] * b[i];
  },
  divide(a, b, out, n) {
    for (let i = 0; i < n; i++) out[i] = a[i] / b[i];
  },
  power(a, b, out, n) {
    for (let i = 0; i < n; i++) out[i] = a[i] ** b[i];
  },
  minimum(a, b, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.min(a[i], b[i]);
  },
  maximum(a, b, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.max(a[i], b[i]);
  },
  atan2(a, b, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.atan2(a[i], b[i]);
  },
  negate(a, _b, out, n) {
    for (let i = 0; i < n; i++) out[i] = -a[i];
  },
  square(a, _b, out, n) {
    for (let i = 0; i < n; i++) out[i] = a[i] * a[i];
  },
  sqrt(a, _b, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.sqrt(a[i]);
  },
  cbrt(a, _b, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.cbrt(a[i]);
  },
  exp(a, _b, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.exp(a[i]);
  },
  expm1(a, _b, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.expm1(a[i]);
  },
  log(a, _b, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.log(a[i]);
  },
  log1p(a, _b, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.log1p(a[i]);
  },
  sin(a, _b, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.sin(a[i]);
  },
  cos(a, _b, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.cos(a[i]);
  },
  tan(a, _b, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.tan(a[i]);
  },
  asin(a, _b, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.asin(a[i]);
  },
  acos(a, _b, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.acos(a[i]);
  },
  atan(a, _b, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.atan(a[i]);
  },
  sinh(a, _b, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.sinh(a[i]);
  },
  cosh(a, _b, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.cosh(a[i]);
  },
  tanh(a, _b, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.tanh(a[i]);
  },
  erf(a, _b, out, n) {
    for (let i = 0; i < n; i++) out[i] = erf(a[i]);
  },
  abs(a, _b, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.abs(a[i]);
  },
  sign(a, _b, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.sign(a[i]);
  },
};

/** The loops in the order of `OPERATIONS`. */
export const BLOCK_VALUES: readonly BlockOperation[] = OPERATIONS.map((operation) => VALUES[operation]);

const pair = [new Float64Array(1), new Float64Array(1), new Float64Array(1)] as const;

/** operation(a, b) of two numbers, by the same loops. */
export function computed(operation: Operation, a: number, b: number): number {
  pair[0][0] = a;
  pair[1][0] = b;
  VALUES[operation](...pair, 1);
  return pair[2][0];
}

// First and second derivatives of the operations of one operand over a block of points. evaluate.ts (reverse sweep) and evaluate-curve.ts
// chain them.
import { BINARY_OPERATIONS, OPERATIONS, type Operation } from "./tape.js";

/** Writes f'(a) of the first `n` points to `out`; `v` = f(a). */
export type BlockSlope = (a: Float64Array, v: Float64Array, out: Float64Array, n: number) => void;

/** Writes f''(a) of the first `n` points to `out`; `v` = f(a), `d` = f'(a). */
export type BlockBend = (a: Float64Array, v: Float64Array, d: Float64Array, out: Float64Array, n: number) => void;

const zero = (out: Float64Array, n: number) => {
  out.fill(0, 0, n);
};
const ERF_SLOPE = 2 / Math.sqrt(Math.PI);

const SLOPES: { readonly [operation: string]: BlockSlope } = {
  negate(_a, _v, out, n) {
    out.fill(-1, 0, n);
  },
  square(a, _v, out, n) {
    for (let i = 0; i < n; i++) out[i] = 2 * a[i];
  },
  sqrt(_a, v, out, n) {
    for (let i = 0; i < n; i++) out[i] = 0.5 / v[i];
  },
  cbrt(_a, v, out, n) {
    for (let i = 0; i < n; i++) out[i] = 1 / (3 * v[i] * v[i]);
  },
  exp(_a, v, out, n) {
    for (let i = 0; i < n; i++) out[i] = v[i];
  },
  expm1(_a, v, out, n) {
    for (let i = 0; i < n; i++) out[i] = v[i] + 1;
  },
  log(a, _v, out, n) {
    for (let i = 0; i < n; i++) out[i] = 1 / a[i];
  },
  log1p(a, _v, out, n) {
    for (let i = 0; i < n; i++) out[i] = 1 / (1 + a[i]);
  },
  sin(a, _v, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.cos(a[i]);
  },
  cos(a, _v, out, n) {
    for (let i = 0; i < n; i++) out[i] = -Math.sin(a[i]);
  },
  tan(_a, v, out, n) {
    for (let i = 0; i < n; i++) out[i] = 1 + v[i] * v[i];
  },
  asin(a, _v, out, n) {
    for (let i = 0; i < n; i++) out[i] = 1 / Math.sqrt((1 - a[i]) * (1 + a[i]));
  },
  acos(a, _v, out, n) {
    for (let i = 0; i < n; i++) out[i] = -1 / Math.sqrt((1 - a[i]) * (1 + a[i]));
  },
  atan(a, _v, out, n) {
    for (let i = 0; i < n; i++) out[i] = 1 / (1 + a[i] * a[i]);
  },
  sinh(a, _v, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.cosh(a[i]);
  },
  cosh(a, _v, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.sinh(a[i]);
  },
  tanh(_a, v, out, n) {
    for (let i = 0; i < n; i++) out[i] = (1 - v[i]) * (1 + v[i]);
  },
  erf(a, _v, out, n) {
    for (let i = 0; i < n; i++) out[i] = ERF_SLOPE * Math.exp(-a[i] * a[i]);
  },
  abs(a, _v, out, n) {
    for (let i = 0; i < n; i++) out[i] = Math.sign(a[i]);
  },
  sign(_a, _v, out, n) {
    zero(out, n);
  },
};

const BENDS: { readonly [operation: string]: BlockBend } = {
  negate(_a, _v, _d, out, n) {
    zero(out, n);
  },
  square(_a, _v, _d, out, n) {
    out.fill(2, 0, n);
  },
  sqrt(a, _v, d, out, n) {
    for (let i = 0; i < n; i++) out[i] = (-0.5 * d[i]) / a[i];
  },
  cbrt(a, _v, d, out, n) {
    for (let i = 0; i < n; i++) out[i] = ((-2 / 3) * d[i]) / a[i];
  },
  exp(_a, v, _d, out, n) {
    for (let i = 0; i < n; i++) out[i] = v[i];
  },
  expm1(_a, _v, d, out, n) {
    for (let i = 0; i < n; i++) out[i] = d[i];
  },
  log(_a, _v, d, out, n) {
    for (let i = 0; i < n; i++) out[i] = -d[i] * d[i];
  },
  log1p(_a, _v, d, out, n) {
    for (let i = 0; i < n; i++) out[i] = -d[i] * d[i];
  },
  sin(_a, v, _d, out, n) {
    for (let i = 0; i < n; i++) out[i] = -v[i];
  },
  cos(_a, v, _d, out, n) {
    for (let i = 0; i < n; i++) out[i] = -v[i];
  },
  tan(_a, v, d, out, n) {
    for (let i = 0; i < n; i++) out[i] = 2 * v[i] * d[i];
  },
  asin(a, _v, d, out, n) {
    for (let i = 0; i < n; i++) out[i] = a[i] * d[i] * d[i] * d[i];
  },
  acos(a, _v, d, out, n) {
    for (let i = 0; i < n; i++) out[i] = a[i] * d[i] * d[i] * d[i];
  },
  atan(a, _v, d, out, n) {
    for (let i = 0; i < n; i++) out[i] = -2 * a[i] * d[i] * d[i];
  },
  sinh(_a, v, _d, out, n) {
    for (let i = 0; i < n; i++) out[i] = v[i];
  },
  cosh(_a, v, _d, out, n) {
    for (let i = 0; i < n; i++) out[i] = v[i];
  },
  tanh(_a, v, d, out, n) {
    for (let i = 0; i < n; i++) out[i] = -2 * v[i] * d[i];
  },
  erf(a, _v, d, out, n) {
    for (let i = 0; i < n; i++) out[i] = -2 * a[i] * d[i];
  },
  abs(_a, _v, _d, out, n) {
    zero(out, n);
  },
  sign(_a, _v, _d, out, n) {
    zero(out, n);
  },
};

const unary = <Loop>(loops: { readonly [operation: string]: Loop }) =>
  OPERATIONS.map((operation: Operation, k) => (k < BINARY_OPERATIONS ? null : loops[operation]));

/** f' of the operations of one operand, in the order of `OPERATIONS`; null for those of two. */
export const BLOCK_SLOPES: readonly (BlockSlope | null)[] = unary(SLOPES);

/** f'' of the operations of one operand, in the order of `OPERATIONS`; null for those of two. */
export const BLOCK_BENDS: readonly (BlockBend | null)[] = unary(BENDS);

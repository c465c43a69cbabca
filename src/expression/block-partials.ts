// First and second partial derivatives of the operations of two operands over a block of points, for block-tape.ts. What is 1, -1 or another
// register already (sums, differences, products) has no loop here.
import { OPERATIONS, type Operation } from "./tape.js";

/** Writes a derivative of f(a, b) of the first `n` points to `out`; `v` = f(a, b). */
export type BlockPartial = (a: Float64Array, b: Float64Array, v: Float64Array, out: Float64Array, n: number) => void;

/** Second derivatives by (a, a), (a, b) and (b, b); null where it is 0. */
export type BlockSeconds = readonly [aa: BlockPartial | null, ab: BlockPartial | null, bb: BlockPartial | null];

type Of<Value> = { readonly [O in Operation]?: Value };

const BY_A: Of<BlockPartial> = {
  divide(_a, b, _v, out, n) {
    for (let i = 0; i < n; i++) out[i] = 1 / b[i];
  },
  // a^0 is 1 for every a, also where a^-1 is infinite.
  power(a, b, _v, out, n) {
    for (let i = 0; i < n; i++) out[i] = b[i] === 0 ? 0 : b[i] * a[i] ** (b[i] - 1);
  },
  minimum(a, b, _v, out, n) {
    for (let i = 0; i < n; i++) out[i] = a[i] <= b[i] ? 1 : 0;
  },
  maximum(a, b, _v, out, n) {
    for (let i = 0; i < n; i++) out[i] = a[i] >= b[i] ? 1 : 0;
  },
  atan2(a, b, _v, out, n) {
    for (let i = 0; i < n; i++) out[i] = b[i] / (a[i] * a[i] + b[i] * b[i]);
  },
};

const BY_B: Of<BlockPartial> = {
  divide(_a, b, v, out, n) {
    for (let i = 0; i < n; i++) out[i] = -v[i] / b[i];
  },
  // 0^b is 0 for every b > 0, though log 0 is infinite.
  power(a, b, v, out, n) {
    for (let i = 0; i < n; i++) out[i] = a[i] === 0 && b[i] > 0 ? 0 : v[i] * Math.log(a[i]);
  },
  minimum(a, b, _v, out, n) {
    for (let i = 0; i < n; i++) out[i] = a[i] <= b[i] ? 0 : 1;
  },
  maximum(a, b, _v, out, n) {
    for (let i = 0; i < n; i++) out[i] = a[i] >= b[i] ? 0 : 1;
  },
  atan2(a, b, _v, out, n) {
    for (let i = 0; i < n; i++) out[i] = -a[i] / (a[i] * a[i] + b[i] * b[i]);
  },
};

const ones: BlockPartial = (_a, _b, _v, out, n) => {
  out.fill(1, 0, n);
};

const SECONDS: Of<BlockSeconds> = {
  multiply: [null, ones, null],
  divide: [
    null,
    (_a, b, _v, out, n) => {
      for (let i = 0; i < n; i++) out[i] = -1 / (b[i] * b[i]);
    },
    (_a, b, v, out, n) => {
      for (let i = 0; i < n; i++) out[i] = (2 * v[i]) / (b[i] * b[i]);
    },
  ],
  power: [
    (a, b, _v, out, n) => {
      for (let i = 0; i < n; i++) out[i] = b[i] === 0 || b[i] === 1 ? 0 : b[i] * (b[i] - 1) * a[i] ** (b[i] - 2);
    },
    (a, b, _v, out, n) => {
      for (let i = 0; i < n; i++)
        out[i] = a[i] === 0 && b[i] > 1 ? 0 : a[i] ** (b[i] - 1) * (1 + b[i] * Math.log(a[i]));
    },
    (a, b, v, out, n) => {
      for (let i = 0; i < n; i++) out[i] = a[i] === 0 && b[i] > 0 ? 0 : v[i] * Math.log(a[i]) ** 2;
    },
  ],
  atan2: [
    (a, b, _v, out, n) => {
      for (let i = 0; i < n; i++) out[i] = (-2 * a[i] * b[i]) / (a[i] * a[i] + b[i] * b[i]) ** 2;
    },
    (a, b, _v, out, n) => {
      for (let i = 0; i < n; i++) out[i] = (a[i] * a[i] - b[i] * b[i]) / (a[i] * a[i] + b[i] * b[i]) ** 2;
    },
    (a, b, _v, out, n) => {
      for (let i = 0; i < n; i++) out[i] = (2 * a[i] * b[i]) / (a[i] * a[i] + b[i] * b[i]) ** 2;
    },
  ],
};

const inOrder = <Value>(table: Of<Value>) => OPERATIONS.map((operation) => table[operation]);

/** df/da in the order of `OPERATIONS`. */
export const BLOCK_BY_A: readonly (BlockPartial | undefined)[] = inOrder(BY_A);

/** df/db in the order of `OPERATIONS`. */
export const BLOCK_BY_B: readonly (BlockPartial | undefined)[] = inOrder(BY_B);

/** Second derivatives in the order of `OPERATIONS`; none for those that are linear, or piecewise so. */
export const BLOCK_SECONDS: readonly (BlockSeconds | undefined)[] = inOrder(SECONDS);

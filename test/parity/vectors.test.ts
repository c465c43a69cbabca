// Operations on large vectors have the same bits in both engines and with any number of threads.
import { expect, test } from "vitest";
import { LARGE_VECTOR, plainVectors } from "../../src/algebra/vectors.js";
import { loadNative } from "../../src/backend/native/load.js";
import { nativeVectors } from "../../src/backend/native/vectors.js";
import { Random } from "../../src/random.js";

const native = loadNative();
const lengths = [5, 1000, LARGE_VECTOR - 1, LARGE_VECTOR, LARGE_VECTOR + 13];

/** Numbers in [-1, 1), of many sizes. */
function draw(length: number, seed: number): Float64Array {
  const random = new Random(seed);
  const vector = new Float64Array(length);
  for (let i = 0; i < length; i++) vector[i] = (2 * random.uniform() - 1) * 2 ** (i % 30);
  return vector;
}

test.skipIf(!native.ok)(
  "native dot, norm and addScaled equal the plain ones bit for bit, on one thread and on two",
  () => {
    if (!native.ok) return;
    for (const length of lengths) {
      const [a, b] = [draw(length, 1), draw(length, 2)];
      for (const threads of [1, 2]) {
        const vectors = nativeVectors(native.binding, threads);
        expect(vectors.dot(a, b)).toBe(plainVectors.dot(a, b));
        expect(vectors.norm(a)).toBe(plainVectors.norm(a));
        const sum = plainVectors.addScaled(a, 0.3, b);
        expect(Buffer.compare(bytes(vectors.addScaled(a, 0.3, b)), bytes(sum))).toBe(0);
        const out = b.slice();
        expect(vectors.addScaled(a, 0.3, out, out)).toBe(out);
        expect(Buffer.compare(bytes(out), bytes(sum))).toBe(0);
      }
    }
  },
);

test("the sum in parts agrees with the exact one within its rounding", () => {
  const length = LARGE_VECTOR + 13;
  // Squares of integers below 2^10: every sum of 2 million is an integer below 2^53, exact in any order.
  const integers = new Float64Array(length);
  for (let i = 0; i < length; i++) integers[i] = (i * 37) % 1021;
  let sum = 0;
  for (const value of integers) sum += value * value;
  expect(plainVectors.dot(integers, integers)).toBe(sum);
});

test("the norm of a large vector neither over- nor underflows, and shows an entry that is not finite", () => {
  const engines = native.ok ? [plainVectors, nativeVectors(native.binding, 2)] : [plainVectors];
  const root = Math.sqrt(LARGE_VECTOR);
  for (const { norm } of engines) {
    for (const value of [1e-200, 1e-300, 1e200, 3]) {
      const vector = new Float64Array(LARGE_VECTOR).fill(value);
      // n additions of equal numbers: n eps / 2 relative, half of it after the root.
      expect(Math.abs(norm(vector) / (value * root) - 1)).toBeLessThan(LARGE_VECTOR * Number.EPSILON);
    }
    expect(norm(new Float64Array(LARGE_VECTOR))).toBe(0);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const vector = new Float64Array(LARGE_VECTOR).fill(1);
      vector[LARGE_VECTOR - 1] = bad;
      expect(norm(vector)).toBe(bad);
    }
  }
});

test.skipIf(!native.ok)("the addon's vector functions refuse what is no vector of their length", () => {
  if (!native.ok) return;
  const { dot, addScaled } = native.binding;
  const [a, b] = [new Float64Array(3), new Float64Array(4)];
  expect(() => dot(a, b, 1)).toThrow(/must have 3 elements; received 4/);
  expect(() => dot(new Float32Array(3) as unknown as Float64Array, a, 1)).toThrow(/must be a Float64Array/);
  expect(() => dot(undefined as unknown as Float64Array, a, 1)).toThrow(/must be a Float64Array/);
  expect(() => dot(a, a, 0)).toThrow(/threads must be a whole number/);
  expect(() => addScaled(a, 1, a, b, 1)).toThrow(/out must have 3 elements/);
  expect(dot(new Float64Array(0), new Float64Array(0), 1)).toBe(0);
});

function bytes(vector: Float64Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}

// Lanczos on operators whose spectrum is known: every bound holds, every end is the right one.
import { describe, expect, it } from "vitest";
import { Random } from "../../src/random.js";
import { lanczos } from "../../src/spectrum/lanczos.js";

/** H D H with the reflection H = I - 2 v v^T: the eigenvalues are those of D, and no product costs more than O(n). */
function operator(values: Float64Array) {
  const n = values.length;
  const random = new Random(11, 1);
  const raw = Float64Array.from({ length: n }, () => random.normal());
  const length = Math.hypot(...raw);
  const v = raw.map((value) => value / length);
  const reflect = (x: Float64Array) => {
    const share = 2 * x.reduce((sum, value, i) => sum + value * v[i], 0);
    return x.map((value, i) => value - share * v[i]);
  };
  return {
    product: async (x: Float64Array) => reflect(reflect(x).map((value, i) => values[i] * value)),
    vector: (k: number) => reflect(Float64Array.from({ length: n }, (_, i) => (i === k ? 1 : 0))),
  };
}

const last = (values: Float64Array) => values.length - 1;
const never = () => false;
const largest = (values: Float64Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const spread = (n: number, f: (k: number) => number) => Float64Array.from({ length: n }, (_, k) => f(k));

describe("Lanczos", () => {
  it("finds the extreme values within their bounds, after any number of steps", async () => {
    const cases = [
      spread(120, (k) => k + 1), // evenly spread: slow
      spread(120, (k) => 2 ** -k), // geometric: quick
      spread(120, (k) => (k < 110 ? Math.sin(k) : 1e6 + k)), // a cluster far away
      spread(120, (k) => -1 - k), // negative
    ];
    for (const values of cases) {
      const { product } = operator(values);
      const size = largest(values);
      const sorted = values.slice().sort();
      for (const wanted of [last, () => 0])
        for (const steps of [1, 2, 5, 20, 60, 120]) {
          const found = await lanczos(120, product, { steps, wanted, enough: never });
          if (found === null) throw new Error("nothing found");
          // Within the bound lies an eigenvalue, up to the rounding of a few dozen vector operations.
          const miss = Math.min(...values.map((value) => Math.abs(value - found.value)));
          expect(miss).toBeLessThanOrEqual(found.bound + 120 * Number.EPSILON * size);
          // Ritz values never lie outside of the spectrum.
          expect(found.value).toBeLessThanOrEqual(sorted[119] + 120 * Number.EPSILON * size);
          expect(found.value).toBeGreaterThanOrEqual(sorted[0] - 120 * Number.EPSILON * size);
          const rest = (await product(found.vector)).map((value, i) => value - found.value * found.vector[i]);
          expect(Math.abs(Math.hypot(...rest) - found.bound)).toBeLessThan(120 * Number.EPSILON * size);
        }
    }
  });

  it("ends when the value is known well enough, and says so", async () => {
    const values = spread(500, (k) => 1 / (k + 1));
    const { product, vector } = operator(values);
    const enough = ({ value, bound }: { value: number; bound: number }) => bound <= 1e-8 * value;
    const found = await lanczos(500, product, { steps: 100, wanted: last, enough });
    expect(found).toMatchObject({ enough: true });
    expect(found?.steps).toBeLessThan(30);
    // The error is that of the square of the bound over the gap, which is 1/2.
    expect(Math.abs((found?.value ?? 0) - 1)).toBeLessThan(10 * Number.EPSILON * 500);
    const share = vector(0).reduce((sum, value, i) => sum + value * (found?.vector[i] ?? 0), 0);
    expect(Math.abs(Math.abs(share) - 1)).toBeLessThan(1e-14);
    const short = await lanczos(500, product, { steps: 3, wanted: last, enough });
    expect(short).toMatchObject({ enough: false, steps: 3 });
  });

  it("is the same every time", async () => {
    const { product } = operator(spread(50, (k) => k * k));
    const options = { steps: 20, wanted: last, enough: never };
    expect(await lanczos(50, product, options)).toEqual(await lanczos(50, product, options));
  });

  it("looks past values that are not wanted", async () => {
    // 40 copies of 1e6 and of 1e5, the wanted one is the largest below them.
    const values = spread(300, (k) => (k < 40 ? 1e6 : k < 80 ? 1e5 : 300 - k));
    const { product } = operator(values);
    const found = await lanczos(300, product, {
      steps: 200,
      wanted: (ritz) => ritz.findLastIndex((value) => value < 1e4),
      enough: ({ value, bound }) => bound <= 1e-6 * value,
    });
    expect(found?.enough).toBe(true);
    expect(Math.abs((found?.value ?? 0) - 220)).toBeLessThan(1e-6 * 220);
  });

  it("ends exactly where the directions close on themselves: few distinct values, order 1, zeros", async () => {
    const three = operator(spread(200, (k) => [1, 5, 9][k % 3]));
    const found = await lanczos(200, three.product, { steps: 100, wanted: last, enough: never });
    expect(found).toMatchObject({ steps: 3, enough: true });
    expect(Math.abs((found?.value ?? 0) - 9)).toBeLessThan(200 * Number.EPSILON * 9);
    const one = await lanczos(1, async (x) => x.map((value) => -7 * value), { steps: 5, wanted: last, enough: never });
    expect(one).toMatchObject({ value: -7, steps: 1, enough: true });
    const zero = await lanczos(30, async (x) => x.map(() => 0), { steps: 5, wanted: last, enough: never });
    expect(zero).toMatchObject({ value: 0, bound: 0, steps: 1, enough: true });
  });

  it("has no answer where none is wanted, or the operator has none", async () => {
    const { product } = operator(spread(30, (k) => k));
    expect(await lanczos(30, product, { steps: 9, wanted: () => -1, enough: () => true })).toBeNull();
    let calls = 0;
    const failing = async (x: Float64Array) => (++calls < 4 ? product(x) : null);
    expect(await lanczos(30, failing, { steps: 9, wanted: last, enough: never })).toBeNull();
    expect(calls).toBe(4);
  });

  it("stops for a product that is not finite, and for its signal", async () => {
    const broken = async (x: Float64Array) => x.map(() => Number.NaN);
    await expect(lanczos(30, broken, { steps: 9, wanted: last, enough: never })).rejects.toMatchObject({
      code: "GAUSSFLOW_INTERNAL",
    });
    const { product } = operator(spread(30, (k) => k));
    const reason = new Error("enough");
    const controller = new AbortController();
    const slow = async (x: Float64Array) => {
      await new Promise((resolve) => setTimeout(resolve, 25)); // longer than a turn
      controller.abort(reason);
      return product(x);
    };
    const running = lanczos(30, slow, { steps: 9, wanted: last, enough: never, signal: controller.signal });
    await expect(running).rejects.toBe(reason);
  });
});

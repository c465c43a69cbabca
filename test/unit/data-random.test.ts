// The generator against published vectors, exact laws of its helpers, and the moments of what it draws.
import { describe, expect, test } from "vitest";
import { GaussflowError } from "../../src/errors.js";
import { normalQuantile, portableLog } from "../../src/normal-quantile.js";
import { philox, Random } from "../../src/random.js";

describe("philox", () => {
  // kat_vectors of Random123 (philox4x32, 10 rounds): counter, key, answer.
  const vectors: [number[], number[], number[]][] = [
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ];
  test.each(vectors)("counter %j, key %j", (c, k, answer) => {
    const out = new Uint32Array(4);
    philox(c[0]!, c[1]!, c[2]!, c[3]!, k[0]!, k[1]!, out);
    expect([...out]).toEqual(answer);
  });
});

describe("normal quantile", () => {
  // Oracle: the C library's erfc inverted (checked by Phi(z) = p); three branches and their seams.
  test.each([
    [0.5, 0],
    [0.975, 1.959963984540054],
    [0.25, -0.6744897501960817],
    [0.925, 1.4395314709384563],
    [0.001, -3.090232306167813],
    [1e-5, -4.264890793922825],
    [1e-20, -9.262340089798409],
    [1e-300, -37.0470962993612],
  ])("p = %d", (p, z) => {
    // The approximation has relative error 1e-16; p itself is rounded, which costs a few eps more.
    expect(Math.abs(normalQuantile(p) - z)).toBeLessThanOrEqual(8 * Number.EPSILON * Math.abs(z));
  });
  test("ends and outside", () => {
    expect(normalQuantile(0)).toBe(-Infinity);
    expect(normalQuantile(1)).toBe(Infinity);
    expect(normalQuantile(-0.1)).toBeNaN();
    expect(normalQuantile(Number.NaN)).toBeNaN();
  });
  test("the written-out logarithm agrees with Math.log within two units in the last place", () => {
    const random = new Random(3);
    for (let i = 0; i < 2000; i++) {
      const x = random.uniform() * 2 ** (random.below(120) - 60) + Number.MIN_VALUE;
      if (x < 2 ** -1000) continue;
      const exact = Math.log(x);
      expect(Math.abs(portableLog(x) - exact)).toBeLessThanOrEqual(2 * Number.EPSILON * Math.abs(exact));
    }
  });
});

describe("Random", () => {
  test("a state resumes the stream exactly, also in the middle of a block", () => {
    const random = new Random(7, 3);
    for (let i = 0; i < 5; i++) random.uniform();
    const copy = Random.fromState(JSON.parse(JSON.stringify(random.state())));
    expect(Array.from({ length: 9 }, () => copy.normal())).toEqual(Array.from({ length: 9 }, () => random.normal()));
  });
  test("seeds and streams differ, and large seeds keep their high bits", () => {
    const first = (seed: number, stream = 0) => new Random(seed, stream).uniform();
    const all = [first(1), first(2), first(1, 1), first(2 ** 40 + 1), first(1, 2 ** 40)];
    expect(new Set(all).size).toBe(all.length);
  });
  test("first numbers of seed 1: a change here changes every result of every user", () => {
    const random = new Random(1);
    expect([random.uniform(), random.normal(), random.below(1000), [...random.permutation(6)]]).toMatchInlineSnapshot(`
      [
        0.8902591757080309,
        0.21656406513141002,
        778,
        [
          2,
          4,
          3,
          1,
          5,
          0,
        ],
      ]
    `);
  });
  test("moments: uniform and normal draws", () => {
    const random = new Random(11);
    const n = 20000;
    let u = 0;
    let uu = 0;
    let z = 0;
    let zz = 0;
    let zzzz = 0;
    for (let i = 0; i < n; i++) {
      const a = random.uniform();
      expect(a >= 0 && a < 1).toBe(true);
      const b = random.normal();
      u += a / n;
      uu += (a - 0.5) ** 2 / n;
      z += b / n;
      zz += b ** 2 / n;
      zzzz += b ** 4 / n;
    }
    // Five standard errors of each mean: sqrt(variance / n) with variances 1/12, 1/180, 1, 2, 96.
    const within = (value: number, mean: number, variance: number) =>
      expect(Math.abs(value - mean)).toBeLessThan(5 * Math.sqrt(variance / n));
    within(u, 0.5, 1 / 12);
    within(uu, 1 / 12, 1 / 180);
    within(z, 0, 1);
    within(zz, 1, 2);
    within(zzzz, 3, 96);
  });
  test("below covers its range evenly and takes huge n", () => {
    const random = new Random(5);
    const counts = new Array(7).fill(0);
    for (let i = 0; i < 14000; i++) counts[random.below(7)]++;
    // Binomial with mean 2000 and standard deviation 41: five of them.
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(207);
    expect(random.below(1)).toBe(0);
    expect(random.below(Number.MAX_SAFE_INTEGER)).toBeGreaterThan(0);
  });
  test("shuffle keeps the elements; every order of three is as likely", () => {
    const random = new Random(9);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = random.shuffle(["a", "b", "c"]).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * 29);
  });
  test.each([-1, 0.5, Number.NaN, 2 ** 53, "1"])("seed %s is refused", (seed) => {
    expect(() => new Random(seed as number)).toThrow(GaussflowError);
    expect(() => new Random(1).below(seed as number)).toThrow(GaussflowError);
  });
});

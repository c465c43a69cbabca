// erf, erfc, and value and slope of every activation against correctly rounded values, on both sides of every interval's end.
// The literals were computed with mpmath 1.3 at 60 digits and rounded once.
import { describe, expect, it } from "vitest";
import {
  ACTIVATION_NAMES,
  activate,
  activationSlope,
  activationValue,
  isSmooth,
} from "../../src/network/activations.js";
import type { ActivationName } from "../../src/network/architecture.js";
import { erf, erfc } from "../../src/network/error-function.js";

/** |a - b| in units of eps |b|, or of the smallest normal number. */
function units(a: number, b: number): number {
  return a === b ? 0 : Math.abs(a - b) / (Number.EPSILON * Math.max(Math.abs(b), 2.3e-308));
}

// x, erf(x), erfc(x), erfc(-x)
const ERRORS: readonly (readonly [number, number, number, number])[] = [
  [1e-300, 1.1283791670955126e-300, 1, 1],
  [1e-9, 1.1283791670955127e-9, 0.9999999988716208, 1.0000000011283792],
  [0.25, 0.27632639016823696, 0.7236736098317631, 1.276326390168237],
  [0.5, 0.5204998778130465, 0.4795001221869535, 1.5204998778130465],
  [0.84374, 0.7672201241832406, 0.23277987581675938, 1.7672201241832406],
  [0.84376, 0.7672311981880058, 0.23276880181199427, 1.7672311981880058],
  [1.2499, 0.922876473187532, 0.07712352681246806, 1.9228764731875319],
  [1.2501, 0.9229237774123564, 0.07707622258764354, 1.9229237774123564],
  [1.9, 0.9927904292352575, 0.0072095707647425325, 1.9927904292352574],
  [2.857, 0.9999466417399131, 5.3358260086846374e-5, 1.9999466417399132],
  [2.858, 0.9999469625944368, 5.303740556316526e-5, 1.9999469625944368],
  [3.5, 0.9999992569016276, 7.430983723414128e-7, 1.9999992569016276],
  [5.9, 0.9999999999999999, 7.190409783550478e-17, 2],
  [6.1, 1, 6.3146021501937184e-18, 2],
  [10, 1, 2.088487583762545e-45, 2],
  [26.5, 1, 2.2109076642637343e-307, 2],
];

// name, z, value, slope
const ACTIVATIONS: readonly (readonly [ActivationName, number, number, number])[] = [
  ["tanh", -1.25, -0.8482836399575129, 0.28041486618043265],
  ["tanh", 0.7, 0.6043677771171635, 0.6347395899824586],
  ["logistic", -30, 9.357622968839299e-14, 9.357622968838423e-14],
  ["logistic", -1.25, 0.22270013882530884, 0.173104786992497],
  ["logistic", 2, 0.8807970779778824, 0.10499358540350652],
  ["logistic", 12, 0.9999938558253978, 6.1441368513331755e-6],
  ["softplus", -30, 9.357622968839737e-14, 9.357622968839299e-14],
  ["softplus", -0.3, 0.5543552444685271, 0.425557483188341],
  ["softplus", 12, 12.000006144193478, 0.9999938558253978],
  ["silu", -30, -2.8072868906517896e-12, -2.713710660963134e-12],
  ["silu", 0.7, 0.46773144051771626, 0.8233867834733424],
  ["silu", 12, 11.999926269904773, 1.0000675854676138],
  ["gelu", -5.5, -1.0444259356238245e-7, -5.733472398739924e-7],
  ["gelu", -0.3, -0.1146265733433142, 0.26767223317289013],
  ["gelu", 2, 1.9544997361036416, 1.085231801078197],
  ["gelu", 12, 12, 1],
  ["erf", -5.5, -0.9999999999999927, 8.223316045262922e-14],
  ["erf", 0.7, 0.6778011938374184, 0.6912748604105386],
  ["sin", -5.5, 0.7055403255703919, 0.70866977429126],
  ["sin", 12, -0.5365729180004349, 0.8438539587324921],
  ["identity", -3, -3, 1],
  ["relu", -3, 0, 0],
  ["relu", 3, 3, 1],
];

describe("the error function", () => {
  it.each(ERRORS)("at %f is right to two units in the last place", (x, value, complement, mirrored) => {
    expect(units(erf(x), value)).toBeLessThanOrEqual(2);
    expect(erf(-x)).toBe(-erf(x));
    expect(units(erfc(x), complement)).toBeLessThanOrEqual(2);
    expect(units(erfc(-x), mirrored)).toBeLessThanOrEqual(2);
  });

  it("has its limits, and passes NaN on", () => {
    expect([erf(Infinity), erf(-Infinity), erfc(Infinity), erfc(-Infinity)]).toEqual([1, -1, 0, 2]);
    expect(Object.is(erf(-0), -0)).toBe(true);
    expect([erf(Number.NaN), erfc(Number.NaN)]).toEqual([Number.NaN, Number.NaN]);
  });
});

describe("activations", () => {
  // A few roundings; where a power e^(-z^2/2) has a rounded argument (gelu's tail, slopes) it magnifies that by z^2.
  it.each(ACTIVATIONS)("%s(%f): value and slope", (name, z, value, slope) => {
    const h = activationValue(name, z);
    expect(units(h, value)).toBeLessThan(4 + (name === "gelu" && z < 0 ? z * z : 0));
    expect(units(activationSlope(name, z, h), slope)).toBeLessThan(4 + z * z);
  });

  it("are finite with a finite slope at any finite number", () => {
    for (const name of ACTIVATION_NAMES)
      for (const size of [0, 1e-308, 1, 38, 710, 1e10, 1e200, Number.MAX_VALUE])
        for (const z of [size, -size]) {
          const h = activationValue(name, z);
          expect(Number.isFinite(h), `${name}(${z})`).toBe(true);
          expect(Number.isFinite(activationSlope(name, z, h)), `${name}'(${z})`).toBe(true);
        }
  });

  it("pass NaN on, and only relu has a kink", () => {
    for (const name of ACTIVATION_NAMES) expect(activationValue(name, Number.NaN), name).toBeNaN();
    expect(ACTIVATION_NAMES.filter((name) => !isSmooth(name))).toEqual(["relu"]);
  });

  it("may overwrite their pre-activations, and leave what lies beyond the count", () => {
    for (const name of ACTIVATION_NAMES) {
      const z = Float64Array.of(-1.5, 0.5, 2, 7);
      const expected = Array.from(z.subarray(0, 3), (x) => activationValue(name, x));
      const slopes = new Float64Array(4).fill(9);
      const wanted = expected.map((h, i) => activationSlope(name, z[i], h));
      activate(name, z, z, slopes, 3);
      expect([...z], name).toEqual([...expected, 7]);
      expect([...slopes], name).toEqual([...wanted, 9]);
    }
  });
});

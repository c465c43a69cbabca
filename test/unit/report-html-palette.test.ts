// The colors by computation: contrast as WCAG 2 defines it, distances between hues in OKLab for normal vision and for the three
// deficiencies by the matrices of Machado, Oliveira and Fernandes (2009), severity 1.
import { describe, expect, it } from "vitest";
import { DARK, HUES, LIGHT, type Scheme, schemeVariables } from "../../src/report/html/palette.js";

type Triple = readonly [number, number, number];

// Linear light of #rrggbb.
function linear(color: string): Triple {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return [r!, g!, b!];
}

function contrast(a: string, b: string): number {
  const [light, dark] = [a, b]
    .map((color) => {
      const [r, g, blue] = linear(color);
      return 0.2126 * r + 0.7152 * g + 0.0722 * blue + 0.05;
    })
    .sort((x, y) => y - x);
  return light! / dark!;
}

function times(matrix: readonly Triple[], [x, y, z]: Triple): Triple {
  const [a, b, c] = matrix.map((row) => row[0] * x + row[1] * y + row[2] * z);
  return [a!, b!, c!];
}

const TO_CONES: readonly Triple[] = [
  [0.4122214708, 0.5363325363, 0.0514459929],
  [0.2119034982, 0.6806995451, 0.1073969566],
  [0.0883024619, 0.2817188376, 0.6299787005],
];
const TO_LAB: readonly Triple[] = [
  [0.2104542553, 0.793617785, -0.0040720468],
  [1.9779984951, -2.428592205, 0.4505937099],
  [0.0259040371, 0.7827717662, -0.808675766],
];
const VISIONS: Readonly<Record<string, readonly Triple[]>> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

function oklab(color: string, vision = "normal"): Triple {
  const [r, g, b] = times(VISIONS[vision]!, linear(color));
  const clipped: Triple = [Math.min(1, Math.max(0, r)), Math.min(1, Math.max(0, g)), Math.min(1, Math.max(0, b))];
  const [l, m, s] = times(TO_CONES, clipped);
  return times(TO_LAB, [Math.cbrt(l), Math.cbrt(m), Math.cbrt(s)]);
}

function distance(a: string, b: string, vision: string): number {
  const [one, two] = [oklab(a, vision), oklab(b, vision)];
  return Math.hypot(one[0] - two[0], one[1] - two[1], one[2] - two[2]);
}

it("measures as the standard does", () => {
  expect(contrast("#ffffff", "#000000")).toBeCloseTo(21, 10);
  expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
  expect(oklab("#ffffff")[0]).toBeCloseTo(1, 6);
});

describe.each([
  ["light", LIGHT],
  ["dark", DARK],
] as const)("the %s scheme", (_name, scheme: Scheme) => {
  it("has text of 4.5:1 on all that can lie behind it", () => {
    for (const behind of [scheme.ground, scheme.raised])
      for (const text of [scheme.ink, scheme.muted, scheme.link, scheme.good, scheme.bad])
        expect(contrast(text, behind)).toBeGreaterThanOrEqual(4.5);
    for (const behind of [scheme.goodGround, scheme.badGround])
      for (const text of [scheme.ink, scheme.link]) expect(contrast(text, behind)).toBeGreaterThanOrEqual(4.5);
  });

  it("has lines of 3:1 on the ground", () => {
    expect(scheme.hues).toHaveLength(HUES);
    expect(scheme.promises).toHaveLength(HUES);
    for (const line of [...scheme.hues, ...scheme.promises])
      expect(contrast(line, scheme.ground)).toBeGreaterThanOrEqual(3);
  });

  it.each(Object.keys(VISIONS))("has hues that differ under %s", (vision) => {
    // Just noticeable is 0.02; below a tenth, thin lines are taken for one another.
    for (const [index, hue] of scheme.hues.entries())
      for (const other of scheme.hues.slice(index + 1)) expect(distance(hue, other, vision)).toBeGreaterThan(0.09);
  });

  it.each(Object.keys(VISIONS))("has promises that show on their measured lines under %s", (vision) => {
    for (const [index, hue] of scheme.hues.entries())
      expect(distance(hue, scheme.promises[index]!, vision)).toBeGreaterThan(0.1);
  });

  it("becomes custom properties", () => {
    expect(schemeVariables(scheme)).toContain(`--good-ground:${scheme.goodGround};`);
    expect(schemeVariables(scheme)).toContain(`--hue-7:${scheme.hues[7]};--promise-0:${scheme.promises[0]};`);
  });
});

// Heat maps of the report: which color a value has, where a cell is drawn, and that foreign text stays text.
import { describe, expect, it } from "vitest";
import type { HeatMap } from "../../src/document.js";
import { colorScale, LEVELS } from "../../src/report/html/color-scale.js";
import { heatMapFigure } from "../../src/report/html/heat-map.js";
import { htmlReport } from "../../src/report/html-report.js";
import { META, sampleOutcomes } from "../browser/outcomes.js";

const map = (values: readonly (number | null)[], rest: Partial<HeatMap> = {}): HeatMap => ({
  id: "field",
  title: "A field",
  alt: "From 1 to 4.",
  x: { label: "x", from: 0, to: 3 },
  y: { label: "t", from: -1, to: 1 },
  value: { label: "u", scale: "linear" },
  columns: 3,
  rows: 2,
  values,
  ...rest,
});

/** Brightness as the eye sees it, from 0 to 1 (WCAG 2). */
function brightness(color: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

describe("the color of a value", () => {
  it("rises in brightness from the least value to the largest", () => {
    const { ends, level, color } = colorScale([1, 2, 5, null, Number.NaN], "linear")!;
    expect(ends).toEqual([1, 5]);
    expect([level(1), level(3), level(5)]).toEqual([0, LEVELS / 2, LEVELS - 1]);
    expect([level(null), level(undefined), level(Number.NaN)]).toEqual([null, null, null]);
    const all = Array.from({ length: LEVELS }, (_, k) => brightness(color(k)));
    expect(all).toEqual(all.toSorted((a, b) => a - b));
    expect(all.at(-1)! - all[0]!).toBeGreaterThan(0.7);
  });

  it("is as far from white below zero as above it where there are both signs", () => {
    const { ends, level, color } = colorScale([-1, 4], "linear")!;
    expect(ends).toEqual([-4, 4]);
    expect(level(-4)! + level(3.99)!).toBe(LEVELS - 1);
    expect(brightness(color(LEVELS / 2))).toBeGreaterThan(0.8);
    for (const end of [0, LEVELS - 1]) expect(brightness(color(end))).toBeLessThan(0.05);
  });

  it("goes by decades on a log scale, where zero has none", () => {
    const { level } = colorScale([1e-8, 0, -1, 1], "log")!;
    expect([level(0), level(-1)]).toEqual([null, null]);
    expect([level(1e-8), level(1.001e-4), level(1)]).toEqual([0, LEVELS / 2, LEVELS - 1]);
  });

  it("is one where all values are the same, and none where no value can be shown", () => {
    expect(colorScale([2, 2], "linear")!.level(2)).toBe(LEVELS / 2);
    expect(colorScale([null, Number.POSITIVE_INFINITY], "linear")).toBeNull();
    expect(colorScale([-Number.MAX_VALUE, Number.MAX_VALUE], "linear")!.level(0)).toBe(LEVELS / 2);
  });
});

describe("the figure of a map", () => {
  it("has the first row at the bottom, and one shape for neighbors of one color", () => {
    const drawing = heatMapFigure(map([1, 1, 4, 4, null, 1]), "e-field");
    const { level, color } = colorScale([1, 4], "linear")!;
    expect(drawing).toContain(`<path fill="${color(level(1)!)}" d="M0 1h2v1h-2zM2 0h1v1h-1z"/>`);
    expect(drawing).toContain(`<path fill="${color(level(4)!)}" d="M2 1h1v1h-1zM0 0h1v1h-1z"/>`);
    expect(drawing).toContain('<figure role="group" id="e-field"');
    expect(drawing).toContain('aria-label="From 1 to 4."');
    // The fold has every value of so few, the highest row first, by the centers of the cells.
    expect(drawing.replace(/<[^>]+>/g, " ")).toMatch(/6 of 6 values.*0\.5.*1\.5.*2\.5.*0\.5.*4.*1.*-0\.5.*1 +1 +4/s);
  });

  it("says so where there is nothing to draw", () => {
    const drawing = heatMapFigure(map([null, null, null, null, null, Number.NaN]), "empty");
    expect(drawing).toContain("There are no finite values to draw.");
    expect(drawing).not.toMatch(/NaN|<svg/);
  });

  it("keeps foreign text as text", () => {
    const hostile = `</svg><script>"'&`;
    const axis = { label: hostile, from: 0, to: 1 };
    const value = { label: hostile, scale: "linear" } as const;
    const drawing = heatMapFigure(
      map([1, 2, 3, 4, 5, 6], { title: hostile, alt: hostile, x: axis, y: axis, value }),
      "h",
    );
    expect(drawing).not.toContain("<script");
    expect(drawing.match(/<\/svg>/g)).toHaveLength(1);
  });

  it("is in the report after the charts, with an id of its own", () => {
    const [first] = sampleOutcomes();
    const page = htmlReport([{ ...first!, maps: [map([1, 2, 3, 4, 5, 6])] }], META);
    expect(page.indexOf('id="flow-field"')).toBeGreaterThan(page.indexOf('id="flow-order"'));
    const twice = { ...first!, maps: [map([1, 2, 3, 4, 5, 6], { id: "loss" })] };
    expect(() => htmlReport([twice], META)).toThrow(/flow-loss/);
  });
});

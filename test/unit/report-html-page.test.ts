// The functions that travel to the browser, called here: axes, alignment, and that the whole program needs nothing but uPlot
// and the browser.
import { createContext, runInContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { alignSeries } from "../../src/report/html/browser/align-series.js";
import { axisKit } from "../../src/report/html/browser/axis-kit.js";
import { pageProgram } from "../../src/report/html/page-program.js";

const { plotAxis, padded, ticks, nearest } = axisKit();

describe("alignment", () => {
  it("joins grids; where a series has no point its line goes on", () => {
    const { x, y, places } = alignSeries([
      { x: [1, 3], y: [10, 30] },
      { x: [2, 3, 4], y: [2, 3, 4] },
    ]);
    expect(x).toEqual([1, 2, 3, 4]);
    expect(y).toEqual([
      [10, undefined, 30, undefined],
      [undefined, 2, 3, 4],
    ]);
    expect(places).toEqual([
      [0, 2],
      [1, 2, 3],
    ]);
  });

  it("keeps all points of one x, also of an unordered series", () => {
    const { x, y, places } = alignSeries([
      { x: [8, 8, 4, 8], y: [1, 2, 3, 4] },
      { x: [8], y: [9] },
    ]);
    expect(x).toEqual([4, 8, 8, 8]);
    expect(y).toEqual([
      [3, 1, 2, 4],
      [undefined, 9, undefined, undefined],
    ]);
    expect(places[0]).toEqual([0, 1, 2, 3]);
  });

  it("widens a gap to the series' own neighbors", () => {
    const { y } = alignSeries([
      { x: [0, 3, 6], y: [1, null, 2] },
      { x: [1, 2, 4, 5], y: [0, 0, 0, 0] },
    ]);
    expect(y[0]).toEqual([1, null, null, null, null, null, 2]);
  });

  it("of nothing is nothing", () => {
    expect(alignSeries([])).toEqual({ x: [], y: [], places: [] });
    expect(alignSeries([{ x: [], y: [] }])).toEqual({ x: [], y: [[]], places: [[]] });
  });
});

describe("axes", () => {
  const log = plotAxis(true, []);
  const linear = plotAxis(false, [-3e-9, 2e-9, null]);
  const labels = (axis: typeof log, min: number, max: number, step: number, space: number): string[] => [
    ...ticks(axis, min, max, step, space).labels.values(),
  ];

  it("brings values to the order of one, and back", () => {
    expect(linear.toPlot(2e-9)).toBeCloseTo(2, 12);
    expect(linear.fromPlot(linear.toPlot(-3e-9))).toBeCloseTo(-3e-9, 24);
    expect(log.toPlot(1e-20)).toBe(-20);
    expect(plotAxis(false, [0, null]).toPlot(7)).toBe(7);
  });

  it("labels decades as powers, in plain digits where they are short", () => {
    expect(labels(log, -18.3, 0.4, 5, 40)).toEqual(["1e-15", "1e-10", "1e-5", "1"]);
    expect(labels(log, -2.2, 2.1, 1, 80)).toEqual(["0.01", "0.1", "1", "10", "100"]);
    expect(ticks(log, -2.2, 2.1, 1, 80).all.length).toBeGreaterThan(30);
    expect(ticks(log, -2.2, 2.1, 1, 40).all).toHaveLength(5);
    expect(ticks(log, -20, 0, 4, 40).all).toHaveLength(21);
  });

  it("divides less than two decades by 1, 2, 5 and less than one by equal values", () => {
    expect(labels(log, -1.1, 0.4, 0.3, 60)).toEqual(["0.1", "0.2", "0.5", "1", "2"]);
    expect(labels(log, -1.1, 0.4, 0.5, 60)).toEqual(["0.1", "1"]);
    expect(labels(log, Math.log10(3.1e-9), Math.log10(3.5e-9), 0.01, 80)).toEqual([
      "3.1e-9",
      "3.2e-9",
      "3.3e-9",
      "3.4e-9",
      "3.5e-9",
    ]);
  });

  it("labels linear axes in the unit of the data", () => {
    expect(labels(linear, -3, 2.2, 1, 60)).toEqual(["-3e-9", "-2e-9", "-1e-9", "0", "1e-9", "2e-9"]);
    expect(labels(plotAxis(false, [40]), 0, 4, 0.5, 60)).toEqual(["0", "5", "10", "15", "20", "25", "30", "35", "40"]);
    expect(labels(plotAxis(false, [0.3]), 0, 3.1, 1, 60)).toEqual(["0", "0.1", "0.2", "0.3"]);
  });

  it("leaves a margin, and makes room around a single value", () => {
    expect(padded(0, 1)).toEqual([-0.04, 1.04]);
    expect(padded(5, 5)).toEqual([4.5, 5.5]);
    expect(padded(1, 1 + 2 ** -50)).toEqual([0.5, 1.5 + 2 ** -50]);
    expect(padded(null, null)).toEqual([0, 1]);
  });

  it("finds the nearest of a sorted list", () => {
    expect(nearest([], 1)).toBe(-1);
    expect(nearest([3], 1)).toBe(0);
    expect([-5, 0.9, 1, 1.6, 9].map((value) => nearest([0, 1, 2, 3], value))).toEqual([0, 1, 1, 2, 3]);
  });
});

describe("the program", () => {
  it("can stand in a script element", () => {
    expect(pageProgram()).not.toMatch(/<\/|<!--/);
  });

  it("refers to nothing but uPlot and the browser", () => {
    // A name that is not there is reported when it is looked up. Here there is a document of no charts; a real browser with real
    // charts runs the rest in test/browser/report.test.ts.
    const events: string[] = [];
    const browser = {
      uPlot: class {},
      document: { documentElement: {}, getElementById: () => ({ textContent: "[]" }) },
      ResizeObserver: class {},
      matchMedia: () => ({ addEventListener: (name: string) => events.push(name) }),
      addEventListener: (name: string) => events.push(name),
      requestAnimationFrame: () => 0,
    };
    runInContext(pageProgram(), createContext(browser));
    expect(events).toEqual(["change", "beforeprint", "afterprint"]);
  });
});

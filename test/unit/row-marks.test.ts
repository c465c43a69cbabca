// Marks of the rows that a network was trained on: the share of them among other rows, the largest one of several networks.
import { describe, expect, it } from "vitest";
import { rowMarks, shareOfMarked } from "../../src/network/row-marks.js";

const rows = (first: number, count: number) => ({
  sampleCount: count,
  inputs: Float64Array.from({ length: 2 * count }, (_, k) => first + Math.floor(k / 2) + (k % 2) / 10),
  targets: Float64Array.from({ length: count }, (_, k) => -(first + k)),
});

describe("marks of rows", () => {
  it("tell which share of the marked rows is among others", async () => {
    const marks = rowMarks(rows(0, 40));
    expect(await shareOfMarked([marks], rows(0, 40))).toBe(1);
    expect(await shareOfMarked([marks], rows(30, 40))).toBe(0.25);
    expect(await shareOfMarked([marks], rows(40, 40))).toBe(0);
  });
  it("of several networks give the largest share", async () => {
    const marks = [rowMarks(rows(0, 40)), null, rowMarks(rows(20, 40)), "damaged", []];
    expect(await shareOfMarked(marks, rows(50, 300))).toBe(0.25);
    expect(await shareOfMarked([undefined, null, []], rows(0, 3))).toBe(0);
  });
  it("of rows in one table twice count once", async () => {
    const one = rows(5, 1);
    const twice = {
      sampleCount: 2,
      inputs: Float64Array.of(...one.inputs, ...one.inputs),
      targets: Float64Array.of(-5, -5),
    };
    expect(rowMarks(twice)).toHaveLength(2);
    expect(await shareOfMarked([rowMarks(twice)], one)).toBe(1);
  });
});

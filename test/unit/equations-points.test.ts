// Points of equations (src/equations/points.ts, sobol.ts, crowd.ts).
import { describe, expect, it } from "vitest";
import { crowdedPlaces } from "../../src/equations/crowd.js";
import { type DrawnPoints, drawPoints, faces, sample } from "../../src/equations/points.js";
import { SOBOL_DIMENSIONS, sobolPoints } from "../../src/equations/sobol.js";
import { Random } from "../../src/random.js";

const draw = (points: DrawnPoints, stream = 0) =>
  drawPoints(points, points.count, Object.keys(points.box), new Random(points.seed, stream));

describe("Sobol points", () => {
  it("are those of Joe and Kuo's numbers", () => {
    // By another implementation (scipy.stats.qmc.Sobol, unscrambled): points 0 to 7 in four dimensions, point 77 in 21.
    const first = [0, 0.5, 0.75, 0.25, 0.375, 0.875, 0.625, 0.125];
    const fourth = [0, 0.5, 0.25, 0.75, 0.875, 0.375, 0.625, 0.125];
    const four = sobolPoints(8, 4, null);
    const half = 0.5 / 2 ** 32;
    for (let i = 0; i < 8; i++) expect([four[4 * i] - half, four[4 * i + 3] - half]).toEqual([first[i], fourth[i]]);
    const point77 = [
      0.8359375, 0.8359375, 0.0078125, 0.7734375, 0.8359375, 0.5078125, 0.2265625, 0.6484375, 0.1796875, 0.4296875,
      0.1328125, 0.7890625, 0.4921875, 0.3359375, 0.9921875, 0.0703125, 0.8203125, 0.8828125, 0.7890625, 0.0078125,
      0.1484375,
    ];
    const many = sobolPoints(128, 21, null).subarray(77 * 21, 78 * 21);
    expect([...many].map((value) => value - half)).toEqual(point77);
  });

  it.each([null, 1, 2])("fill every box of the binary grid once in two dimensions, also shifted (%s)", (seed) => {
    const m = 10;
    const points = sobolPoints(2 ** m, 2, seed === null ? null : new Random(seed));
    for (let k = 0; k <= m; k++) {
      const boxes = new Set<number>();
      for (let i = 0; i < 2 ** m; i++)
        boxes.add(Math.floor(points[2 * i] * 2 ** k) * 2 ** (m - k) + Math.floor(points[2 * i + 1] * 2 ** (m - k)));
      expect(boxes.size).toBe(2 ** m);
    }
  });

  it("are spread over every coordinate in all dimensions, and refused beyond", () => {
    const points = sobolPoints(256, SOBOL_DIMENSIONS, new Random(3));
    for (let d = 0; d < SOBOL_DIMENSIONS; d++) {
      const cells = Array.from({ length: 256 }, (_, i) => Math.floor(points[i * SOBOL_DIMENSIONS + d] * 256));
      expect(new Set(cells).size).toBe(256);
    }
    expect(() => sobolPoints(4, SOBOL_DIMENSIONS + 1, null)).toThrow('take method "uniform"');
  });
});

describe("sample", () => {
  it("keeps to the box; a coordinate with one number is fixed", () => {
    for (const method of ["sobol", "uniform", "grid"] as const) {
      const table = draw(sample({ x: [-1, 3], t: 0.25, y: [5, 6] }, 64, { method }));
      expect([...table.keys()]).toEqual(["x", "t", "y"]);
      expect(table.get("t")!.every((t) => t === 0.25)).toBe(true);
      const x = [...table.get("x")!];
      expect(Math.min(...x)).toBeGreaterThanOrEqual(-1);
      expect(Math.max(...x)).toBeLessThanOrEqual(3);
      expect(x.reduce((sum, value) => sum + value, 0) / 64).toBeCloseTo(1, method === "uniform" ? -0.5 : 0.5);
    }
    const grid = draw(sample({ x: [0, 2], y: [0, 1] }, 9, { method: "grid" }));
    expect([...grid.get("x")!]).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
    expect([...grid.get("y")!]).toEqual([0, 0.5, 1, 0, 0.5, 1, 0, 0.5, 1]);
  });

  it("draws the same for one seed and stream, and others for others", () => {
    const box = { x: [0, 1] as const };
    const points = (seed: number, stream: number) => draw(sample(box, 16, { seed }), stream).get("x");
    expect(points(1, 2)).toEqual(points(1, 2));
    expect(points(1, 2)).not.toEqual(points(1, 3));
    expect(points(1, 2)).not.toEqual(points(2, 2));
  });

  it.each([
    [() => sample({}, 4), "must be an object such as"],
    [() => sample({ x: [1, 0] }, 4), "box.x must be [low, high] with low < high, or one number"],
    [() => sample({ x: [0, Number.POSITIVE_INFINITY] }, 4), "box.x must be [low, high]"],
    [() => sample({ x: [0, 1] }, 0), "count must be an integer of at least 1"],
    [() => sample({ x: [0, 1], y: [0, 1] }, 10, { method: "grid" }), "must be a power 2 for a grid, such as 9"],
    [() => sample({ x: [0, 1] }, 4, { method: "halton" as never }), 'must be "sobol", "uniform" or "grid"'],
    [() => sample({ x: [0, 1] }, 4, { crowd: 3 }), "needs options.renew"],
    [() => sample({ x: [0, 1] }, 4, { method: "grid", renew: 3 }), "needs random points"],
    [() => sample({ x: 0 }, 1, { renew: 3 }), "needs random points"],
    [() => sample({ x: [0, 1] }, 4, { renewal: 3 } as never), 'did you mean "renew"?'],
    [() => faces({ x: [0, 1], t: 0 }, 8, { of: ["t"] }), "must name coordinates with a range"],
    [() => faces({ x: [0, 1], y: [0, 1] }, 3), "must be at least 4, one for each face"],
    [() => faces({ x: [0, 1] }, 3), "must be 2 for one coordinate"],
    [() => faces({ x: 0 }, 2), "must have a coordinate with a range"],
  ])("refuses wrong arguments by name (%#)", (make, message) => {
    expect(make).toThrow(message);
  });
});

describe("faces", () => {
  it("cover every part of every face: five dimensions, halves of each other coordinate", () => {
    const names = ["a", "b", "c", "d", "e"];
    const box = Object.fromEntries(names.map((name) => [name, [0, 1] as const]));
    const table = draw(faces(box, 1280));
    for (const name of names)
      for (const end of [0, 1]) {
        const here = [...table.get(name)!].flatMap((value, i) => (value === end ? [i] : []));
        // 128 on each of the ten faces.
        expect(here.length).toBe(128);
        for (const other of names.filter((one) => one !== name)) {
          const low = here.filter((i) => table.get(other)![i] < 0.5).length;
          expect(low).toBe(64);
        }
      }
  });

  it("of some coordinates, over the whole range of the others; two ends of one coordinate", () => {
    const table = draw(faces({ x: [-1, 1], t: [0, 2] }, 64, { of: ["x"] }));
    expect(table.get("x")!.filter((x) => x === -1).length).toBe(32);
    expect(table.get("x")!.filter((x) => x === 1).length).toBe(32);
    expect(Math.max(...table.get("t")!)).toBeGreaterThan(1.9);
    expect([...draw(faces({ x: [-1, 1] }, 2)).get("x")!]).toEqual([-1, 1]);
  });
});

describe("crowded points", () => {
  it("are taken in proportion to residuals, each at most once, with numbers that are not finite as the mean", () => {
    const sizes = Float64Array.from({ length: 4000 }, (_, i) => (i < 400 ? 9 : i === 4 ? Number.NaN : 0));
    const places = crowdedPlaces(sizes, 400, new Random(1));
    expect(new Set(places).size).toBe(400);
    expect([...places]).toEqual([...places].sort((a, b) => a - b));
    // Weights 11 and 1: 400 * 11 of 400 * 11 + 3600 at first, fewer as they are used up.
    const large = places.filter((place) => place < 400).length;
    expect(large).toBeGreaterThan(150);
    expect(large).toBeLessThan(230);
    expect(crowdedPlaces(new Float64Array(5), 5, new Random(1))).toEqual(Uint32Array.of(0, 1, 2, 3, 4));
  });
});

// The points at which equations hold: `sample` inside a box, `faces` on its boundary, or a table of given points. They are plain data, and
// `drawPoints` computes their coordinates, the same for the same seed and renewal. equations.ts calls it at the start and at every renewal.
import { argumentError } from "../errors.js";
import { checkCount, checkOptionNames, isObject, isTypedNumbers } from "../options.js";
import type { Random } from "../random.js";
import { sobolPoints } from "./sobol.js";

/** The range of each coordinate, or one number for a coordinate that is fixed: `{ x: [-1, 1], t: 0 }`. */
export type Box = Readonly<Record<string, number | readonly [low: number, high: number]>>;

/** How points are drawn. */
export interface PointOptions {
  /**
   * "sobol" (default) fills the box evenly, best with a power of two; "uniform" draws independent points; "grid" has equal distances, ends
   * included.
   */
  readonly method?: "sobol" | "uniform" | "grid" | undefined;
  /** Default 0. Terms of the same seed have different points. */
  readonly seed?: number | undefined;
  /** Draw other points after every so many iterations. Default: never. */
  readonly renew?: number | undefined;
}

/** Options of `sample`. */
export interface SampleOptions extends PointOptions {
  /**
   * Crowd points where residuals are large: at a renewal, so many candidates for each point are drawn, and taken with a probability that grows
   * with their residual. Needs `renew`.
   */
  readonly crowd?: number | undefined;
}

/** Options of `faces`. */
export interface FaceOptions extends PointOptions {
  /** The coordinates whose two ends are taken. Default: all with a range. A condition in space over a time has its space coordinates here. */
  readonly of?: readonly string[] | undefined;
}

/** What `sample` and `faces` return: plain data. */
export interface DrawnPoints {
  /** The function that made them. */
  readonly kind: "sample" | "faces";
  /** Range of each coordinate. */
  readonly box: Box;
  /** Number of points. */
  readonly count: number;
  /** How they are drawn. */
  readonly method: "sobol" | "uniform" | "grid";
  /** Seed of the draws. */
  readonly seed: number;
  /** Iterations between renewals; 0 for never. */
  readonly renew: number;
  /** Candidates for a point; 1 for no crowding. */
  readonly crowd: number;
  /** The coordinates whose ends are taken; empty for "sample". */
  readonly of: readonly string[];
}

/** Given points: one array a name, all of the same length. Names that are no coordinates are numbers that residuals may read. */
export type PointTable = Readonly<Record<string, readonly number[] | Float64Array | Float32Array>>;

/** Where an equation holds. */
export type Points = DrawnPoints | PointTable;

/** Most points of a term, candidates included. */
const MOST_POINTS = 2 ** 24;

/**
 * Points of a term as `drawPoints` and others take them: those of `sample` and `faces` tested once more, tables as arrays of doubles.
 *
 * @throws GAUSSFLOW_ARGUMENT
 */
export function checkPoints(argument: string, points: Points): DrawnPoints | ReadonlyMap<string, Float64Array> {
  if (!isObject(points) || typeof points.kind !== "string") return checkTable(argument, points as PointTable);
  const { kind, box, count, renew, crowd, of, ...rest } = points as unknown as DrawnPoints;
  const options = { ...rest, renew: renew === 0 ? undefined : renew };
  if (kind === "sample") return sample(box, count, { ...options, crowd });
  if (kind === "faces") return faces(box, count, { ...options, of });
  throw argumentError(argument, "must be sample(...), faces(...) or an object of arrays", points);
}

/**
 * Points inside a box.
 *
 * @param box the range of each coordinate; a coordinate with one number is fixed, so that `{ x: [-1, 1], t: 0 }` is the start
 * @throws GAUSSFLOW_ARGUMENT
 * @example sample({ x: [-1, 1], t: [0, 1] }, 4096, { renew: 10 })
 */
export function sample(box: Box, count: number, options: SampleOptions = {}): DrawnPoints {
  checkOptionNames("options", options, ["method", "seed", "renew", "crowd"]);
  const { crowd = 1, ...rest } = options;
  checkCount("options.crowd", crowd, 1);
  const drawn = drawnPoints("sample", box, count, rest, []);
  if (crowd > 1 && drawn.renew === 0)
    throw argumentError("options.crowd", "needs options.renew, for points move at renewals", crowd);
  if (crowd * count > MOST_POINTS)
    throw argumentError("options.crowd", `must make at most ${MOST_POINTS} candidates of all points`, crowd);
  if (drawn.method === "grid") gridSide(count, ranges(box).length);
  return { ...drawn, crowd };
}

/**
 * Points on the faces of a box, equally many on each and spread over all of it.
 *
 * @throws GAUSSFLOW_ARGUMENT
 * @example faces({ x: [0, 1], y: [0, 1] }, 400)
 */
export function faces(box: Box, count: number, options: FaceOptions = {}): DrawnPoints {
  checkOptionNames("options", options, ["method", "seed", "renew", "of"]);
  const { of, ...rest } = options;
  checkBox(box);
  const free = ranges(box);
  if (of !== undefined && !Array.isArray(of)) throw argumentError("options.of", "must be a list of coordinates", of);
  for (const name of of ?? [])
    if (!free.includes(name)) throw argumentError("options.of", "must name coordinates with a range in the box", name);
  const ends = of ?? free;
  if (ends.length === 0) throw argumentError("box", "must have a coordinate with a range [low, high]", box);
  const drawn = drawnPoints("faces", box, count, rest, ends);
  if (drawn.method === "grid") throw argumentError("options.method", 'must be "sobol" or "uniform" on faces', "grid");
  if (count < 2 * ends.length)
    throw argumentError("count", `must be at least ${2 * ends.length}, one for each face`, count);
  if (free.length === 1 && count !== 2)
    throw argumentError("count", "must be 2 for one coordinate: its ends are two points", count);
  return drawn;
}

function drawnPoints(
  kind: "sample" | "faces",
  box: Box,
  count: number,
  { method = "sobol", seed = 0, renew }: PointOptions,
  of: readonly string[],
): DrawnPoints {
  checkBox(box);
  checkCount("count", count, 1);
  if (count > MOST_POINTS) throw argumentError("count", `must be at most ${MOST_POINTS}`, count);
  if (method !== "sobol" && method !== "uniform" && method !== "grid")
    throw argumentError("options.method", 'must be "sobol", "uniform" or "grid"', method);
  checkCount("options.seed", seed, 0);
  if (renew !== undefined) checkCount("options.renew", renew, 1);
  if (renew !== undefined && (method === "grid" || ranges(box).length === 0))
    throw argumentError("options.renew", "needs random points, which a grid or a single point has not", renew);
  return { kind, box, count, method, seed, renew: renew ?? 0, crowd: 1, of };
}

function checkBox(box: Box): void {
  if (!isObject(box) || Object.keys(box).length === 0)
    throw argumentError("box", "must be an object such as { x: [-1, 1], t: 0 }", box);
  for (const [name, range] of Object.entries(box)) {
    if (Number.isFinite(range)) continue;
    const [low, high] = Array.isArray(range) ? (range as readonly number[]) : [];
    if (!Array.isArray(range) || range.length !== 2 || !Number.isFinite(low) || !Number.isFinite(high) || !(low < high))
      throw argumentError(`box.${name}`, "must be [low, high] with low < high, or one number", range);
  }
}

/** The coordinates of a box that have a range. */
const ranges = (box: Box) => Object.keys(box).filter((name) => typeof box[name] !== "number");

/** Points of a grid along each coordinate. */
function gridSide(count: number, dimensions: number): number {
  const side = Math.round(count ** (1 / dimensions));
  if (side < 2 || side ** dimensions !== count)
    throw argumentError(
      "count",
      `must be a power ${dimensions} for a grid, such as ${Math.max(2, side) ** dimensions}`,
      count,
    );
  return side;
}

/**
 * A table as arrays of doubles.
 *
 * @throws GAUSSFLOW_ARGUMENT with the place of a wrong number
 */
export function checkTable(argument: string, table: PointTable): ReadonlyMap<string, Float64Array> {
  if (!isObject(table) || Object.keys(table).length === 0)
    throw argumentError(argument, "must be sample(...), faces(...) or an object of arrays", table);
  const columns = new Map<string, Float64Array>();
  let length = -1;
  for (const [name, values] of Object.entries(table)) {
    if (!(Array.isArray(values) || isTypedNumbers(values)) || values.length === 0)
      throw argumentError(`${argument}.${name}`, "must be an array of numbers", values);
    if (length >= 0 && values.length !== length)
      throw argumentError(`${argument}.${name}`, `must have ${length} numbers, as the arrays before it`, values);
    length = values.length;
    const wrong = values.findIndex((value) => typeof value !== "number" || !Number.isFinite(value));
    if (wrong >= 0) throw argumentError(`${argument}.${name}[${wrong}]`, "must be a finite number", values[wrong]);
    columns.set(name, Float64Array.from(values));
  }
  return columns;
}

/** The coordinates of `count` points, drawn with `random`: one array a coordinate. */
export function drawPoints(
  { kind, box, method, of }: DrawnPoints,
  count: number,
  coordinates: readonly string[],
  random: Random,
): Map<string, Float64Array> {
  const free = ranges(box);
  const table = new Map(coordinates.map((name) => [name, new Float64Array(count)]));
  for (const [name, values] of table) if (typeof box[name] === "number") values.fill(box[name]);
  const place = (names: readonly string[], unit: Float64Array, first: number, number: number) => {
    for (const [k, name] of names.entries()) {
      const [low, high] = box[name] as readonly [number, number];
      const values = table.get(name)!;
      for (let i = 0; i < number; i++) values[first + i] = low + (high - low) * unit[i * names.length + k];
    }
  };
  if (kind === "sample") {
    place(free, unitPoints(method, count, free.length, random), 0, count);
    return table;
  }
  // Every face has a set of its own, so that the points of each are spread over all of it.
  const sides = of.flatMap((name) => [0, 1].map((end) => ({ name, end })));
  for (const [s, { name, end }] of sides.entries()) {
    const first = Math.floor((s * count) / sides.length);
    const number = Math.floor(((s + 1) * count) / sides.length) - first;
    const others = free.filter((other) => other !== name);
    place(others, unitPoints(method, number, others.length, random), first, number);
    place([name], new Float64Array(number).fill(end), first, number);
  }
  return table;
}

function unitPoints(method: DrawnPoints["method"], count: number, dimensions: number, random: Random): Float64Array {
  if (method === "sobol") return sobolPoints(count, dimensions, random);
  if (method === "uniform") return Float64Array.from({ length: count * dimensions }, () => random.uniform());
  const side = gridSide(count, dimensions);
  return Float64Array.from({ length: count * dimensions }, (_, at) => {
    const [i, d] = [Math.floor(at / dimensions), at % dimensions];
    return (Math.floor(i / side ** (dimensions - 1 - d)) % side) / (side - 1);
  });
}

/** The range of a coordinate over the points; null where they do not have it. */
export function rangeOf(
  points: DrawnPoints | ReadonlyMap<string, Float64Array>,
  name: string,
): [number, number] | null {
  if ("kind" in points) {
    const range = points.box[name];
    if (range === undefined) return null;
    return typeof range === "number" ? [range, range] : [range[0], range[1]];
  }
  const values = points.get(name);
  if (values === undefined) return null;
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [values[0], values[0]]);
}

// Values and derivatives of tapes (src/expression/evaluate.ts, evaluate-curve.ts) against closed forms and differences.
import { describe, expect, it } from "vitest";
import { column, columnsOf, scalarsOf } from "../../src/expression/columns.js";
import { compile } from "../../src/expression/compile.js";
import { derivative } from "../../src/expression/derivative.js";
import { TapeEvaluator } from "../../src/expression/evaluate.js";
import { CurveEvaluator } from "../../src/expression/evaluate-curve.js";
import { apply, type Expression, name, number } from "../../src/expression/expression.js";
import { parseExpression } from "../../src/expression/parse.js";
import { BINARY_OPERATIONS, OPERATIONS, type Operation } from "../../src/expression/tape.js";
import { formulas, VARIABLES } from "../helpers/expressions.js";
import { fc } from "../helpers/property.js";

const x = name("x");
const y = name("y");

/** Values, partials by all arguments, and derivatives along x(t) = at + t first + t^2/2 second of one formula at one point. */
function derivatives(e: Expression, names: string[], at: number[], first: number[], second: number[]) {
  const tape = compile([e], names);
  const evaluator = new TapeEvaluator(tape);
  const value = new Float64Array(1);
  const partials = new Float64Array(names.length);
  const wanted = evaluator.wanted(names.map((_, k) => k));
  evaluator.partials(scalarsOf(Float64Array.from(at)), 1, wanted, value, partials);
  const out = { values: new Float64Array(1), first: new Float64Array(1), second: new Float64Array(1) };
  const moving = (list: number[]) => scalarsOf(Float64Array.from(list)).map((c, k) => (list[k] === 0 ? null : c));
  new CurveEvaluator(tape).evaluate(scalarsOf(Float64Array.from(at)), moving(first), moving(second), 1, out);
  return { value: value[0], partials: [...partials], curve: [out.values[0], out.first[0], out.second[0]] };
}

const valueAt = (e: Expression, names: string[], at: number[]) => {
  const out = new Float64Array(1);
  new TapeEvaluator(compile([e], names)).values(scalarsOf(Float64Array.from(at)), 1, out);
  return out[0];
};

/** Derivatives of f at 0 by central differences of order 6; errors near 1e-11 and 1e-9 of the size of f for h = 0.01 to 0.02. */
function differences(f: (t: number) => number, h: number) {
  const d = (k: number) => f(k * h) - f(-k * h);
  const s = (k: number) => f(k * h) + f(-k * h);
  return {
    first: (45 * d(1) - 9 * d(2) + d(3)) / (60 * h),
    second: (270 * s(1) - 27 * s(2) + 2 * s(3) - 490 * f(0)) / (180 * h * h),
  };
}

/** For each operation of one operand: f, f', f'' in closed form by JavaScript's own functions. */
const root = Math.sqrt;
const CLOSED: { [operation: string]: readonly [number, (a: number) => readonly [number, number, number]] } = {
  negate: [0.7, (a) => [-a, -1, 0]],
  square: [-0.7, (a) => [a * a, 2 * a, 2]],
  sqrt: [0.7, (a) => [root(a), 0.5 * a ** -0.5, -0.25 * a ** -1.5]],
  cbrt: [-0.7, (a) => [Math.cbrt(a), Math.cbrt(a) / a / 3, (-2 * Math.cbrt(a)) / a / a / 9]],
  exp: [-0.7, (a) => [Math.exp(a), Math.exp(a), Math.exp(a)]],
  expm1: [1e-9, (a) => [a + a * a * 0.5, Math.exp(a), Math.exp(a)]],
  log: [0.7, (a) => [Math.log(a), 1 / a, -1 / a / a]],
  log1p: [1e-9, (a) => [a - a * a * 0.5, 1 / (1 + a), -1 / (1 + a) ** 2]],
  sin: [0.7, (a) => [Math.sin(a), Math.cos(a), -Math.sin(a)]],
  cos: [0.7, (a) => [Math.cos(a), -Math.sin(a), -Math.cos(a)]],
  tan: [0.7, (a) => [Math.tan(a), Math.cos(a) ** -2, (2 * Math.sin(a)) / Math.cos(a) ** 3]],
  asin: [0.7, (a) => [Math.asin(a), (1 - a * a) ** -0.5, a * (1 - a * a) ** -1.5]],
  acos: [0.7, (a) => [Math.acos(a), -((1 - a * a) ** -0.5), -a * (1 - a * a) ** -1.5]],
  atan: [0.7, (a) => [Math.atan(a), 1 / (1 + a * a), (-2 * a) / (1 + a * a) ** 2]],
  sinh: [0.7, (a) => [Math.sinh(a), Math.cosh(a), Math.sinh(a)]],
  cosh: [0.7, (a) => [Math.cosh(a), Math.sinh(a), Math.cosh(a)]],
  tanh: [0.7, (a) => [Math.tanh(a), Math.cosh(a) ** -2, (-2 * Math.tanh(a)) / Math.cosh(a) ** 2]],
  // erf(0.5) from Abramowitz and Stegun, table 7.1.
  erf: [
    0.5,
    (a) => [0.5204998778, (2 / root(Math.PI)) * Math.exp(-a * a), (-4 / root(Math.PI)) * a * Math.exp(-a * a)],
  ],
  abs: [-0.7, (a) => [-a, -1, 0]],
  sign: [-0.7, () => [-1, 0, 0]],
};

describe("operations of one operand", () => {
  it.each(OPERATIONS.slice(BINARY_OPERATIONS))("%s: value, slope and second derivative", (operation) => {
    const [at, closed] = CLOSED[operation];
    const [value, slope, bend] = closed(at);
    const got = derivatives(apply(operation, x), ["x"], [at], [1.3], [0.4]);
    const expected = [value, 1.3 * slope, 0.4 * slope + 1.69 * bend];
    // The closed forms themselves lose a few digits by cancellation; erf's table has ten.
    const within = (a: number, b: number, digits = 1e-14) =>
      expect(Math.abs(a - b)).toBeLessThan(digits * (1 + Math.abs(b)));
    within(got.value, value, operation === "erf" ? 1e-10 : 1e-14);
    within(got.partials[0], slope);
    expected.forEach((entry, k) => {
      within(got.curve[k], entry, operation === "erf" && k === 0 ? 1e-10 : 1e-14);
    });
    within(valueAt(derivative(apply(operation, x), "x"), ["x"], [at]), slope);
  });
});

describe("operations of two operands", () => {
  const places: readonly (readonly [Operation, number, number])[] = [
    ["add", 0.7, -1.2],
    ["subtract", 0.7, -1.2],
    ["multiply", 0.7, -1.2],
    ["divide", 0.7, -1.2],
    ["power", 0.7, -1.2],
    ["minimum", 0.7, -1.2],
    ["minimum", -1.2, 0.7],
    ["maximum", 0.7, -1.2],
    ["maximum", -1.2, 0.7],
    ["atan2", 0.7, -1.2],
  ];
  it.each(places)("%s(%d, %d) along a curve and its partials, against differences", (operation, a, b) => {
    const e = apply(operation, x, y);
    const moved = (t: number) => valueAt(e, ["x", "y"], [a + 1.3 * t + 0.2 * t * t, b - 0.6 * t + 0.35 * t * t]);
    const got = derivatives(e, ["x", "y"], [a, b], [1.3, -0.6], [0.4, 0.7]);
    const expected = differences(moved, 0.005);
    expect(got.value).toBe(moved(0));
    expect(got.curve[0]).toBe(moved(0));
    // Rounding of the second difference: 7 eps / h^2 = 6e-11; truncation, f^(8) h^6 / 560, at most 1e-9.
    expect(Math.abs(got.curve[1] - expected.first)).toBeLessThan(1e-10);
    expect(Math.abs(got.curve[2] - expected.second)).toBeLessThan(2e-9);
    expect(1.3 * got.partials[0] - 0.6 * got.partials[1]).toBeCloseTo(got.curve[1], 13);
    for (const [k, by] of ["x", "y"].entries())
      expect(valueAt(derivative(e, by), ["x", "y"], [a, b])).toBeCloseTo(got.partials[k], 13);
  });

  it("every operation of the list is among them", () => {
    expect(new Set(places.map(([operation]) => operation))).toEqual(new Set(OPERATIONS.slice(0, BINARY_OPERATIONS)));
    expect(Object.keys(CLOSED)).toEqual(OPERATIONS.slice(BINARY_OPERATIONS));
  });
});

describe("powers", () => {
  it.each([2, 3, 4, 5, 7, 13, 16, 17, 30])(
    "x^%d and x^-%d hold for negative bases and, where they exist, at 0",
    (n) => {
      const positive = derivatives(apply("power", x, number(n)), ["x"], [-1.1], [1], [0]);
      const negative = derivatives(apply("power", x, number(-n)), ["x"], [-1.1], [1], [0]);
      const close = (a: number, b: number) => expect(Math.abs(a / b - 1)).toBeLessThan(20 * n * Number.EPSILON);
      close(positive.curve[0], (-1.1) ** n);
      close(positive.curve[1], n * (-1.1) ** (n - 1));
      close(positive.curve[2], n * (n - 1) * (-1.1) ** (n - 2));
      close(negative.curve[0], (-1.1) ** -n);
      close(negative.partials[0], -n * (-1.1) ** (-n - 1));
      close(negative.curve[2], n * (n + 1) * (-1.1) ** (-n - 2));
      expect(derivatives(apply("power", x, number(n)), ["x"], [0], [1], [0])).toEqual({
        value: 0,
        partials: [0],
        curve: [0, 0, n === 2 ? 2 : 0],
      });
    },
  );

  it("keep exact values at the edges: 0^b, a^0 by a variable exponent, and constants as exponents without logarithms", () => {
    const e = apply("power", x, y);
    expect(derivatives(e, ["x", "y"], [0, 2.5], [1, 1], [0, 0])).toMatchObject({ value: 0, partials: [0, 0] });
    expect(derivatives(e, ["x", "y"], [0, 0], [1, 0], [0, 0])).toMatchObject({ value: 1, curve: [1, 0, 0] });
    expect(derivatives(e, ["x", "y"], [-2, 3], [1, 0], [0, 0]).curve).toEqual([-8, 12, -12]);
    expect(derivatives(apply("power", x, number(2.5)), ["x"], [4], [1], [0]).curve).toEqual([32, 20, 7.5]);
  });
});

describe("numbers that are not finite", () => {
  it("pass through", () => {
    const at = (e: Expression, value: number) => valueAt(e, ["x"], [value]);
    expect(at(apply("log", x), -1)).toBeNaN();
    expect(at(apply("divide", number(1), x), 0)).toBe(Number.POSITIVE_INFINITY);
    expect(at(apply("minimum", x, number(1)), Number.NaN)).toBeNaN();
    expect(derivatives(apply("sqrt", x), ["x"], [0], [1], [0]).partials[0]).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("many points", () => {
  it("from columns, rows and single numbers; several outputs, only the wanted partials", async () => {
    const names = ["x", "t", "k"];
    const parse = (text: string) => parseExpression(text, { names }, "formula");
    const outputs = await Promise.all(["k*x^2*t", "sin(t) + k", "t", "k*k"].map(parse));
    const points = 300; // two whole blocks and a part
    const rows = Float64Array.from({ length: 2 * points }, (_, i) => Math.sin(i));
    const times = Float64Array.from({ length: points }, (_, i) => i / 100);
    const columns = [columnsOf(rows, 2)[1], column(times), scalarsOf(Float64Array.of(3))[0]];
    const evaluator = new TapeEvaluator(compile(outputs, names));
    const values = new Float64Array(4 * points);
    const partials = new Float64Array(8 * points);
    evaluator.partials(columns, points, evaluator.wanted([2, 0]), values, partials);
    const alone = new Float64Array(4 * points);
    evaluator.values(columns, points, alone);
    expect(alone).toEqual(values);
    const out = {
      values: new Float64Array(4 * points),
      first: new Float64Array(4 * points),
      second: new Float64Array(4 * points),
    };
    const curve = new CurveEvaluator(evaluator.tape);
    curve.evaluate(columns, [null, column(times), null], [columnsOf(rows, 2)[1], null, null], points, out);
    for (let i = 0; i < points; i++) {
      const [u, t] = [rows[2 * i + 1], times[i]];
      const near = (got: ArrayLike<number>, expected: number[]) =>
        expected.forEach((entry, k) => {
          expect(Math.abs(got[k] - entry)).toBeLessThanOrEqual(8 * Number.EPSILON * (1 + Math.abs(entry)));
        });
      near(values.subarray(4 * i), [3 * u * u * t, Math.sin(t) + 3, t, 9]);
      near(partials.subarray(8 * i), [u * u * t, 6 * u * t, 1, 0, 0, 0, 6, 0]);
      near(out.first.subarray(4 * i), [3 * u * u * t, t * Math.cos(t), t, 0]);
      near(out.second.subarray(4 * i), [6 * u * u * t, -t * t * Math.sin(t), 0, 0]);
    }
    // The same arguments at rest now: nothing of the call before remains.
    curve.evaluate(columns, [null, null, null], [null, null, null], points, out);
    expect(out.first.every((entry) => entry === 0) && out.second.every((entry) => entry === 0)).toBe(true);
  });

  it("refuses arrays that are too short", () => {
    const evaluator = new TapeEvaluator(compile([x, y], ["x", "y"]));
    const columns = [column(new Float64Array(9)), column(new Float64Array(9))];
    expect(() => evaluator.values(columns, 9, new Float64Array(17))).toThrow("must have at least 18 numbers");
    expect(() => evaluator.values(columns.slice(1), 9, new Float64Array(18))).toThrow("one for each argument");
  });
});

describe("random formulas", () => {
  it("have the same derivatives by formulas, by the reverse sweep, along lines and by differences", () => {
    fc.assert(
      fc.property(
        formulas,
        fc.array(fc.double({ min: -1.5, max: 1.5, noNaN: true }), { minLength: 6, maxLength: 6 }),
        (e, at) => {
          const here = at.slice(0, 3);
          const way = at.slice(3);
          const got = derivatives(e, VARIABLES, here, way, [0, 0, 0]);
          const symbolic = VARIABLES.map((by) => valueAt(derivative(e, by), VARIABLES, here));
          const size = 1 + Math.abs(got.value) + Math.hypot(...symbolic);
          fc.pre(size < 1e6);
          // Both chains round differently, about twenty operations each with a condition number of up to a hundred.
          symbolic.forEach((entry, k) => {
            expect(Math.abs(got.partials[k] - entry)).toBeLessThan(2000 * Number.EPSILON * size);
          });
          const slope = way.reduce((sum, entry, k) => sum + entry * symbolic[k], 0);
          expect(Math.abs(got.curve[1] - slope)).toBeLessThan(4000 * Number.EPSILON * size);
          const bend = VARIABLES.flatMap((a, i) =>
            VARIABLES.map((b, j) => way[i] * way[j] * valueAt(derivative(derivative(e, a), b), VARIABLES, here)),
          ).reduce((sum, entry) => sum + entry, 0);
          expect(Math.abs(got.curve[2] - bend)).toBeLessThan(1e-11 * (size + Math.abs(bend)) ** 2);
          const along = differences(
            (t) =>
              valueAt(
                e,
                VARIABLES,
                here.map((entry, k) => entry + t * way[k]),
              ),
            1e-3,
          );
          expect(Math.abs(along.first - slope)).toBeLessThan(1e-8 * (size + Math.abs(bend)) ** 2);
        },
      ),
      { numRuns: 300 },
    );
  });
});

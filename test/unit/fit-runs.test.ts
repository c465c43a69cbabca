// How fits run: functions that are asynchronous, fail or have derivatives, robust losses, drawn starts, variable projection, and the errors of wrong
// arguments.
import { describe, expect, it } from "vitest";
import { Differences } from "../../src/fit/differences.js";
import {
  curveFit,
  huber,
  type LeastSquaresProblem,
  leastSquares,
  logCosh,
  pseudoHuber,
  Random,
} from "../../src/index.js";

const random = new Random(11, 1);
const x = Array.from({ length: 60 }, (_, i) => i / 10);
const decay = (t: number, b: ArrayLike<number>) => b[0]! * Math.exp(-b[1]! * t) + b[2]!;
const truth = [5, 1.3, 0.7];
const y = x.map((t) => decay(t, truth) + 0.05 * random.normal());
const residuals = (b: Float64Array, out: Float64Array) => {
  for (let i = 0; i < x.length; i++) out[i] = decay(x[i]!, b) - y[i]!;
};
const problem: LeastSquaresProblem = { count: x.length, residuals, start: [1, 1, 0] };
const worst = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (value, j) => Math.abs(value - b[j]!) / Math.abs(b[j]!)));

describe("functions of the caller", () => {
  it("may be asynchronous, with the same bits", async () => {
    const plain = await leastSquares(problem);
    const later = await leastSquares({
      ...problem,
      residuals: async (b, out) => {
        await new Promise<void>((resolve) => setImmediate(resolve));
        residuals(b, out);
      },
    });
    expect(later.estimates).toEqual(plain.estimates);
    expect(later.evaluations).toEqual(plain.evaluations);
  });

  it("may have derivatives, and then need no differences", async () => {
    const plain = await leastSquares(problem);
    const rows = (b: Float64Array, out: Float64Array) =>
      x.forEach((t, i) => {
        const e = Math.exp(-b[1]! * t);
        out.set([e, -b[0]! * t * e, 1], 3 * i);
      });
    for (const jacobian of [rows, async (b: Float64Array, out: Float64Array) => rows(b, out)]) {
      const exact = await leastSquares({ ...problem, jacobian });
      // Differences of order 4 are right to about eps^(4/5), and both ends to the rounding of the residuals.
      expect(worst(exact.estimates, plain.estimates)).toBeLessThan(1e-9);
      expect(exact.evaluations.residuals).toBeLessThan(plain.evaluations.residuals / 2);
      expect(exact.evaluations.jacobians).toBeGreaterThan(1);
    }
  });

  it("reject a step where they are not finite, and go on", async () => {
    const result = await leastSquares({
      count: 1,
      residuals: (b, out) => {
        out[0] = Math.log(b[0]!);
      },
      start: [20],
    });
    expect(Math.abs(result.estimates[0]! - 1)).toBeLessThan(1e-12);
    expect(result.records.some(({ rejection }) => /not finite/.test(rejection ?? ""))).toBe(true);
  });

  it("that are not finite at the start are an error with the row", async () => {
    const broken = curveFit((t, b) => (t === 3 ? Number.NaN : b[0]! * t), [1, 2, 3], [1, 2, 3], { start: [1] });
    await expect(broken).rejects.toMatchObject({ code: "GAUSSFLOW_ARGUMENT", details: { where: { sample: 2 } } });
    await expect(broken).rejects.toThrow(/residual 2 \(counted from 0\) is not finite: NaN/);
  });

  it("that leave an entry unwritten are told of it", async () => {
    const forgetful = leastSquares({
      count: 2,
      residuals: (b, out) => {
        out[0] = b[0]!;
      },
      start: [1],
    });
    await expect(forgetful).rejects.toThrow(/residual 1 \(counted from 0\) is not finite/);
  });

  it("pass their own errors through", async () => {
    const failing = leastSquares({
      count: 1,
      residuals: () => {
        throw new RangeError("mine");
      },
      start: [1],
    });
    await expect(failing).rejects.toThrow(RangeError);
  });

  it("of two columns are seen by rows, and by name as text", async () => {
    const rows = x.map((t, i) => [t, Math.sin(i)]);
    const z = rows.map(([t, s]) => 2 + 3 * t! - 0.5 * s!);
    const plane = (row: readonly number[], b: Float64Array) => b[0]! + b[1]! * row[0]! + b[2]! * row[1]!;
    const start = { a: 1, b: 1, c: 1 };
    const fits = [
      await curveFit(plane, rows, z, { start }),
      await curveFit("a + b*x1 + c*x2", rows, z, { start }),
      await curveFit("a + b*t + c*s", rows, z, { start, variables: ["t", "s"] }),
      await curveFit("a + b*t + c*s", { t: rows.map(([t]) => t!), s: rows.map(([, s]) => s!) }, z, { start }),
    ];
    for (const { values } of fits) expect(worst(Object.values(values), [2, 3, -0.5])).toBeLessThan(1e-12);
  });
});

describe("the end of a fit", () => {
  it("comes early where the caller aborts, with the best point", async () => {
    const controller = new AbortController();
    const result = await leastSquares(problem, {
      signal: controller.signal,
      onRecord: ({ iteration }) => {
        if (iteration === 2) controller.abort();
      },
    });
    expect(result.reason.code).toBe("aborted");
    expect(result.converged).toBe(false);
    expect(result.objective).toBeLessThan(result.records[0]!.objective);
  });

  it("is reached with the same bits every time", async () => {
    const [one, two] = [await leastSquares(problem), await leastSquares(problem)];
    expect(two.estimates).toEqual(one.estimates);
    expect(two.standardErrors).toEqual(one.standardErrors);
  });

  it("of an exact fit is convergence", async () => {
    const result = await curveFit(
      decay,
      x,
      x.map((t) => decay(t, truth)),
      { start: [1, 1, 0] },
    );
    expect(worst(result.estimates, truth)).toBeLessThan(1e-9);
    expect(result.converged).toBe(true);
  });

  it("lets the event loop run where a fit takes long", async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const slow = (b: Float64Array, out: Float64Array) => {
      const until = performance.now() + 3;
      while (performance.now() < until);
      residuals(b, out);
    };
    await leastSquares({ ...problem, residuals: slow }, { stop: { iterations: 5 } });
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(3);
  });
});

describe("robust losses", () => {
  const outliers = y.map((value, i) => (i % 7 === 3 ? value + 20 : value));
  for (const loss of [huber(), huber({ delta: 0.07 }), pseudoHuber(), logCosh()])
    it(`${loss.kind} ${"delta" in loss ? (loss.delta ?? "found") : ""} is hardly moved by outliers that move squared error`, async () => {
      const squared = await curveFit(decay, x, outliers, { start: [1, 1, 0] });
      const robust = await curveFit(decay, x, outliers, { start: [1, 1, 0], loss });
      expect(worst(squared.estimates, truth)).toBeGreaterThan(0.5);
      // logCosh has the threshold 1, twenty times the noise.
      expect(worst(robust.estimates, truth)).toBeLessThan(loss.kind === "log-cosh" ? 0.4 : 0.1);
      expect(robust.converged, robust.reason.message).toBe(true);
      if ("delta" in robust.lossUsed) expect(robust.lossUsed.delta).toBeGreaterThan(0.03);
      if ("delta" in robust.lossUsed) expect(robust.lossUsed.delta).toBeLessThan(0.12);
    });

  it("has the standard errors of the residuals, also where the deviations are known: they are its unit of length alone", async () => {
    const deviation = 2 ** -6;
    const at = { start: [1, 1, 0] };
    const unit = await curveFit(decay, x, outliers, { ...at, loss: huber({ delta: 0.07 }) });
    const known = await curveFit(decay, x, outliers, {
      ...at,
      loss: huber({ delta: 0.07 / deviation }),
      sigma: x.map(() => deviation),
    });
    // Both minimize the same up to a factor; they end where the gradient is rounding, and derivatives are differences.
    for (const [j, error] of unit.standardErrors.entries())
      expect(Math.abs(known.standardErrors[j]! / error - 1)).toBeLessThan(1e-6);
    expect(known.statistics.quantile).toBe(unit.statistics.quantile);
  });

  it("huber has the stationary point of its sum: the clipped residuals are orthogonal to the derivatives", async () => {
    const delta = 0.07;
    const { estimates } = await curveFit(decay, x, outliers, { start: [1, 1, 0], loss: huber({ delta }) });
    const clipped = x.map((t, i) => Math.min(Math.max(decay(t, estimates) - outliers[i]!, -delta), delta));
    const columns = [
      x.map((t) => Math.exp(-estimates[1]! * t)),
      x.map((t) => -t * estimates[0]! * Math.exp(-estimates[1]! * t)),
      x.map(() => 1),
    ];
    for (const column of columns) {
      const along = column.reduce((sum, value, i) => sum + value * clipped[i]!, 0);
      const size = column.reduce((sum, value, i) => sum + Math.abs(value * clipped[i]!), 0);
      expect(Math.abs(along)).toBeLessThan(1e-7 * size);
    }
  });
});

describe("several starts", () => {
  // The sum of squares of a frequency has many minima.
  const wave = (t: number, b: Float64Array) => Math.sin(b[0]! * t);
  const z = x.map((t) => Math.sin(7.3 * t));
  it("find the minimum that one start does not, ranked and repeatable", async () => {
    const one = await curveFit(wave, x, z, { start: [2], starts: 1, bounds: [[0.5, 20]] });
    const [many, again] = await Promise.all(
      [0, 1].map(() => curveFit(wave, x, z, { start: [2], starts: 30, seed: 4, bounds: [[0.5, 20]] })),
    );
    expect(one.objective).toBeGreaterThan(1);
    expect(Math.abs(many!.estimates[0]! - 7.3)).toBeLessThan(1e-9);
    expect(again!.estimates).toEqual(many!.estimates);
    expect(many!.attempts).toHaveLength(30);
    const objectives = many!.attempts.map(({ objective }) => objective);
    expect(objectives).toEqual([...objectives].sort((a, b) => a - b));
    for (const { start } of many!.attempts) {
      expect(start[0]).toBeGreaterThanOrEqual(0.5);
      expect(start[0]).toBeLessThanOrEqual(20);
    }
  });
});

describe("the second derivative along a step, by differences", () => {
  const square = {
    count: 1,
    parameterCount: 2,
    columns: null,
    residuals: (b: Float64Array, out: Float64Array) => {
      out[0] = 3 * b[0]! * b[0]! + 2 * b[0]! * b[1]! + 5 * b[1]!;
    },
  };
  const box = { lower: Float64Array.of(1, -10), upper: Float64Array.of(9, 10) };

  it.each([
    ["inside the box", 4],
    ["at a bound, where the other side is outside", 1],
  ])("%s is that of the residuals", async (_, first) => {
    const b = Float64Array.of(first, 2);
    const [here, out] = [new Float64Array(1), new Float64Array(1)];
    square.residuals(b, here);
    await new Differences(square, box).along(b, here, Float64Array.of(1.5, -1), out);
    // Of a quadratic the differences are exact: d^T H d = 6 * 2.25 - 4 * 1.5. Rounding of residuals up to 100, four of them, over h^2.
    expect(Math.abs(out[0]! - 7.5)).toBeLessThan((4 * 100 * Number.EPSILON) / 0.01);
  });
});

describe("variable projection", () => {
  it("with named linear parameters ends where all parameters do", async () => {
    const plain = await curveFit(decay, x, y, { start: { a: 1, k: 1, c: 0 } });
    const named = await curveFit(decay, x, y, { start: { a: -4, k: 1, c: 900 }, linear: ["a", "c"] });
    expect(worst(named.estimates, plain.estimates)).toBeLessThan(1e-9);
    expect(named.attempts[0]!.kind).toBe("variable projection");
    const weights = x.map((_, i) => 1 + (i % 3));
    const weighted = await curveFit(decay, x, y, { start: [1, 1, 0], weights });
    const both = await curveFit(decay, x, y, { start: [9, 1, 9], weights, linear: [0, 2] });
    expect(worst(both.estimates, weighted.estimates)).toBeLessThan(1e-9);
  });

  it("says what is wrong where the residuals are not finite, or a linear parameter is fixed", async () => {
    const log = curveFit("a * log(k * x)", [1, 2, 3], [1, 2, 3], { start: { a: 1, k: -1 }, linear: ["a"] });
    await expect(log).rejects.toThrow(/start must be a point where all residuals .* are finite/);
    const held = curveFit(decay, x, y, { start: { a: 1, k: 1, c: 0.5 }, fixed: ["c"], linear: ["a", "c"] });
    await expect(held).rejects.toThrow(/linear must not have a fixed parameter.*"c"/);
  });

  it("is tried where a fit has ended without slope", async () => {
    // From here the rate grows until the model is a step, which no longer depends on it.
    const far = await curveFit(
      (t, b) => b[0]! * (1 - Math.exp(-b[1]! * t)),
      [1, 2, 3, 5, 7, 10],
      [109, 149, 149, 191, 213, 224],
      {
        start: [1, 1],
      },
    );
    expect(far.attempts.map(({ kind }) => kind)).toEqual(["variable projection", "start"]);
    expect(far.attempts[0]!.objective).toBeLessThan(far.attempts[1]!.objective);
  });
});

describe("linear parameters that start far too small", () => {
  const times = [0, 1, 2, 3, 4, 5, 6, 7];
  it.each([1, 1e3, 1e6, 1e8, 1e10, 1e12])("do not send the others to infinity: y of size %d", async (size) => {
    const y = times.map((t) => size * (3 * Math.exp(-t / 2) + 1 + 1e-3 * Math.sin(9 * t)));
    const { estimates, converged } = await curveFit("a*exp(-k*x)+c", times, y, { start: { a: 1, k: 1, c: 1 } });
    const unit = await curveFit(
      "a*exp(-k*x)+c",
      times,
      y.map((value) => value / size),
      { start: { a: 3, k: 0.5, c: 1 } },
    );
    expect(converged).toBe(true);
    // The problem is the same in other units; a fit ends where a further step is expected to change 1e-9.
    expect(Math.abs(estimates[1]! / unit.estimates[1]! - 1)).toBeLessThan(1e-8);
  });
});

describe("wrong arguments are named", () => {
  const wrong: readonly [string, object, RegExp][] = [
    ["no start", { start: [] }, /problem\.start must be an array of at least one number/],
    ["a start that is not finite", { start: [1, Number.NaN, 0] }, /problem\.start\[1\] must be a finite number/],
    [
      "bounds of another length",
      { bounds: [null] },
      /problem\.bounds must have one entry for each of the 3 parameters/,
    ],
    [
      "bounds the wrong way round",
      { bounds: [[2, 1], null, null] },
      /problem\.bounds\[0\] must be a pair of numbers, the lower first/,
    ],
    [
      "a start outside of them",
      { bounds: [[2, 3], null, null] },
      /must be inside the bounds: b1 between 2 and 3; received 1/,
    ],
    ["bounds of a foreign name", { bounds: { c: [0, 1] } }, /problem\.bounds has no parameter of that name/],
    ["all fixed", { fixed: ["b1", 1, 2] }, /problem\.fixed must leave at least one parameter free/],
    ["a fixed one that is none", { fixed: [3] }, /problem\.fixed must be among the parameters b1, b2, b3/],
    ["a negative weight", { weights: x.map(() => -1) }, /problem\.weights\[0\] must be at least 0/],
    ["too few weights", { weights: [1] }, /problem\.weights must be an array of 60 numbers/],
    ["a loss for classes", { loss: { kind: "logistic", decay: 0 } }, /problem\.loss must be squaredError/],
    ["a loss with decay", { loss: huber({ delta: 1, decay: 1 }) }, /problem\.loss\.decay must be 0/],
    ["a scale of 0", { scale: [1, 0, 1] }, /problem\.scale\[1\] must be above 0/],
    ["a foreign option", { strat: [1] }, /problem has no option of that name; .*start/],
  ];
  for (const [what, change, message] of wrong)
    it(what, async () => {
      await expect(leastSquares({ ...problem, ...change } as LeastSquaresProblem)).rejects.toThrow(message);
    });

  it("of curves too", async () => {
    const start = { a: 1 };
    await expect(curveFit("a*t", [1, 2], [1, 2], { start })).rejects.toThrow(/model .*t/);
    await expect(curveFit("a*x", [1, 2], [1], { start })).rejects.toThrow(/x must have as many points as y/);
    await expect(curveFit("a*x", [1, 2], [1, 2], { start: { a: 1, c: 2 } })).rejects.toThrow(
      /options\.start must have no parameter/,
    );
    await expect(curveFit("a*x", [1, 2], [1, 2], { start: { a: 1, x: 2 } })).rejects.toThrow(/name of a variable/);
    await expect(curveFit("a*x", [1, 2], [1, 2], { start, sigma: [1, 0] })).rejects.toThrow(
      /options\.sigma\[1\] must be a finite number above 0/,
    );
    await expect(curveFit("a*x", [1, 2], [1, 2], { start, jacobian: () => {} })).rejects.toThrow(
      /options\.jacobian must be left out/,
    );
    await expect(curveFit("a*x", [1, 2], [1, Number.NaN], { start })).rejects.toThrow(/y\[1\] must be a finite number/);
  });
});

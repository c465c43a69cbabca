// The orthogonal route of both engines: against the primal route, against least squares by another QR on the explicit Jacobian, where
// columns depend on each other, and where Cholesky of J^T J has no digit left.

import { describe, expect, it } from "vitest";
import { loadNative } from "../../src/backend/native/load.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import { eliminate, multiply, transpose } from "../helpers/dense.js";
import {
  both,
  difference,
  type EngineProblem,
  explicit,
  length,
  problems,
  sure,
  tolerance,
} from "../helpers/engine-problems.js";
import { fc } from "../helpers/property.js";
import { householderSolve } from "../helpers/qr.js";

const native = loadNative();
const plain = { curvature: "orthogonal", decay: 0, scaling: null } as const;
const undamped = { damping: 0, decay: 0, scaling: null } as const;

describe.skipIf(!native.ok)("the orthogonal route of both engines", () => {
  it("tells the primal route's loss, gradient, cosine, scaling and Gram matrix, and its damped step", async () => {
    await fc.assert(
      fc.asyncProperty(problems, fc.boolean(), fc.boolean(), async (problem, scaled, decayed) => {
        const decay = decayed ? 0.3 : 0;
        const seen: Float64Array[][] = [];
        let condition = 1;
        await both(problem, async (engine) => {
          for (const curvature of ["primal", "orthogonal"] as const) {
            const scaling = scaled ? new Float64Array(engine.parameterCount) : null;
            const point = await sure(engine.linearize(problem.parameters, { curvature, decay, scaling }));
            const matrix = await engine.curvature();
            const solved = await sure(engine.solve({ damping: 1, decay, scaling, condition: true }));
            if (curvature === "primal") condition = solved.condition;
            seen.push([
              Float64Array.of(point.loss, point.gradientCosine),
              point.gradient,
              scaling ?? new Float64Array(1),
              matrix,
              solved.step,
            ]);
            expect(engine.held).toBe(curvature);
            expect(solved.rank?.rank).toBe(curvature === "primal" ? undefined : engine.parameterCount);
          }
        });
        const names = ["loss and cosine", "gradient", "scaling", "curvature", "step"];
        for (const other of seen.slice(1))
          seen[0].forEach((values, k) => {
            // Only the primal step carries the square of the condition number; it is the one that is compared with.
            const limit = k === 4 ? tolerance * Math.max(1, condition) : tolerance;
            expect(difference(values, other[k]), names[k]).toBeLessThan(limit);
          });
      }),
      { numRuns: 60 },
    );
  });

  it("takes the least squares step of another QR where nothing is damped and the columns are independent", async () => {
    let regular = 0;
    await fc.assert(
      fc.asyncProperty(problems, async (problem) => {
        await both(problem, async (engine) => {
          const { J, r, rows, p } = await explicit(engine, problem);
          await sure(engine.linearize(problem.parameters, plain));
          const { step, rank, residual } = await sure(engine.solve(undamped));
          if (rank === undefined || rank.rank < p || rank.smallest < 1e-6 * rank.largest) return;
          regular++;
          const oracle = householderSolve(
            J.slice(),
            rows,
            p,
            r.map((value) => -value),
          ) as Float64Array;
          const rest = multiply(J, oracle, rows, p, 1).map((value, i) => value + r[i]);
          // Wedin: |error| <= eps (cond |s| + cond^2 |rest| / |J|), with c n eps for eps and 10 for what the estimates may hide.
          const cond = rank.largest / rank.smallest;
          const bound = 10 * cond * (length(oracle) + (cond * length(rest)) / rank.largest);
          expect(length(step.map((value, j) => value - oracle[j]))).toBeLessThan(tolerance * bound);
          // |J^T (J s + r)| <= c n eps |J| (|J| |s| + |r|), relative to |J^T r|.
          const top = rank.largest * (rank.largest * length(step) + length(r));
          const bottom = Math.max(...multiply(transpose(J, rows, p), r, p, rows, 1).map(Math.abs));
          expect(residual * bottom).toBeLessThan(2 * tolerance * top);
        });
      }),
      { numRuns: 60 },
    );
    expect(regular).toBeGreaterThan(20);
  });
});

/** A network and data whose Jacobian has `rank` < p, and vectors that J maps to 0. */
interface Deficient extends EngineProblem {
  readonly rank: number;
  readonly empty: readonly Float64Array[];
}

const random = new Random(5, 1);
const draw = (count: number) => Float64Array.from({ length: count }, () => random.normal());

function deficient(
  layers: number[],
  samples: number,
  inputs: (own: Float64Array) => void,
  parameters: (w: Float64Array) => void,
  vectors: readonly (readonly [number, number][])[],
): Deficient {
  const net = network({ layers, bias: true, seed: 3 });
  const w = draw(net.parameterCount);
  parameters(w);
  const own = draw(samples * layers[0]);
  inputs(own);
  const c = layers[layers.length - 1];
  const data = { sampleCount: samples, inputs: own, targets: draw(samples * c) };
  const empty = vectors.map((entries) => {
    const vector = new Float64Array(w.length);
    for (const [j, value] of entries) vector[j] = value;
    return vector;
  });
  const rank = Math.min(samples * c, w.length - empty.length);
  return { architecture: net.architecture, parameters: w, data, rank, empty };
}

const leave = () => {};
// 3-4-2: weights of unit o at 3 o ... 3 o + 2, biases at 12 ... 15; output weights at 16 ... 23, output biases at 24, 25.
const deficientCases: readonly (readonly [string, Deficient])[] = [
  [
    "two equal inputs",
    deficient(
      [3, 4, 2],
      60,
      (x) => {
        for (let i = 0; i < 60; i++) x[3 * i + 2] = x[3 * i + 1];
      },
      leave,
      [0, 1, 2, 3].map((o) => [
        [3 * o + 1, 1],
        [3 * o + 2, -1],
      ]),
    ),
  ],
  [
    "an input that is always 0",
    deficient(
      [3, 4, 2],
      200,
      (x) => {
        for (let i = 0; i < 200; i++) x[3 * i] = 0;
      },
      leave,
      [0, 1, 2, 3].map((o) => [[3 * o, 1]]),
    ),
  ],
  [
    "two paired units with opposite outgoing weights",
    deficient(
      [3, 4, 2],
      60,
      leave,
      (w) => {
        for (let k = 0; k < 3; k++) w[3 + k] = w[k];
        w[13] = w[12];
        for (const a of [0, 1]) w[17 + 4 * a] = -w[16 + 4 * a];
      },
      // Equal incoming weights: their columns are each other's negatives; the outgoing weights' columns are equal.
      [
        ...[0, 1, 2].map((k): [number, number][] => [
          [k, 1],
          [3 + k, 1],
        ]),
        [
          [12, 1],
          [13, 1],
        ],
        ...[0, 1].map((a): [number, number][] => [
          [16 + 4 * a, 1],
          [17 + 4 * a, -1],
        ]),
      ],
    ),
  ],
  ["more parameters than rows", deficient([3, 4, 2], 7, leave, leave, [])],
  ["one row", deficient([3, 9, 1], 1, leave, leave, [])],
  ["more parameters than rows, several panels", deficient([5, 14, 2], 30, leave, leave, [])],
];

describe.skipIf(!native.ok)("a Jacobian of short rank", () => {
  it.each(deficientCases)("%s: the rank, and the step of least norm", async (_, problem) => {
    const steps: Float64Array[] = [];
    await both(problem, async (engine) => {
      const { J, r, rows, p } = await explicit(engine, problem);
      await sure(engine.linearize(problem.parameters, plain));
      const { step, rank } = await sure(engine.solve(undamped));
      expect(rank?.rank, engine.kind).toBe(problem.rank);
      expect(rank?.tolerance).toBe(Math.max(rows, p) * Number.EPSILON);
      const size = Math.max(...J.map(Math.abs));
      const unit = 100 * Math.max(rows, p) * Number.EPSILON;
      // A minimum: its residual is orthogonal to all columns.
      const rest = multiply(J, step, rows, p, 1).map((value, i) => value + r[i]);
      const slope = multiply(transpose(J, rows, p), rest, p, rows, 1);
      expect(length(slope)).toBeLessThan(unit * size * (size * length(step) + length(r)));
      // No part in the null space, as far as that is known in closed form ...
      for (const vector of problem.empty) {
        const share = vector.reduce((sum, value, j) => sum + value * step[j], 0);
        expect(Math.abs(share), engine.kind).toBeLessThan(unit * length(step));
      }
      // ... and where J has full row rank the step of least norm is J^T (J J^T)^-1 (-r).
      if (problem.rank === rows) {
        const Jt = transpose(J, rows, p);
        const K = multiply(J, Jt, rows, p, rows);
        const u = eliminate(
          K,
          r.map((value) => -value),
          rows,
        );
        const expected = multiply(Jt, u, p, rows, 1);
        const cond = ((rank?.largest ?? 0) ** 2 * length(eliminate(K, u, rows))) / length(u);
        expect(difference(expected, step), engine.kind).toBeLessThan(unit * cond);
      }
      steps.push(step);
    });
    expect(difference(steps[0], steps[1])).toBeLessThan(1e-9);
  });

  it("is seen in Kahan's matrix, whose triangle shows it nowhere on its diagonal", async () => {
    // y = w . x with X = diag(1, s, s^2, ...) (1 on the diagonal, -c above it), s^2 + c^2 = 1: no column pivoting changes it. Its last
    // diagonal entry is s^79 = 1e-3, but the least singular value about 1.4^-79 of that, below 80 eps. Where to cut is a matter of
    // taste, and the engines' differ: the reference engine wants a triangle that is regular, LAPACK goes by estimates of it.
    const p = 80;
    const [s, c] = [Math.sqrt(0.84), 0.4];
    const inputs = Float64Array.from({ length: p * p }, (_, at) => {
      const [i, j] = [Math.floor(at / p), at % p];
      return j < i ? 0 : s ** i * (i === j ? 1 : -c) * (1 - 1e-12 * j); // columns shrink a little: ties would leave pivoting to rounding
    });
    const net = network({ layers: [p, 1], bias: false, seed: 1 });
    const data = { sampleCount: p, inputs, targets: draw(p) };
    await both({ architecture: net.architecture, parameters: net.parameters, data }, async (engine) => {
      await sure(engine.linearize(net.parameters, plain));
      const { rank } = await sure(engine.solve(undamped));
      expect(rank?.rank, engine.kind).toBeLessThan(p);
      expect(rank?.rank, engine.kind).toBeGreaterThan(60);
    });
  });

  it("has rank 0 and no step where all weights are 0", async () => {
    const net = network({ layers: [2, 3, 1], seed: 1 });
    const data = { sampleCount: 5, inputs: draw(10), targets: draw(5), weights: new Float64Array(5) };
    await both({ architecture: net.architecture, parameters: net.parameters, data }, async (engine) => {
      await sure(engine.linearize(net.parameters, plain));
      const { step, rank, condition } = await sure(engine.solve({ ...undamped, condition: true }));
      expect(rank).toMatchObject({ rank: 0, largest: 0, smallest: 0 });
      expect(condition).toBe(Number.POSITIVE_INFINITY);
      expect(step.every((value) => value === 0)).toBe(true);
      // A decay alone pulls to the origin: (decay I) s = -decay w.
      await sure(engine.linearize(net.parameters, { ...plain, decay: 0.5 }));
      const pulled = await sure(engine.solve({ damping: 0, decay: 0.5, scaling: null }));
      expect(
        difference(
          net.parameters,
          pulled.step.map((value) => -value),
        ),
      ).toBeLessThan(4 * Number.EPSILON);
      expect(pulled.rank?.rank).toBe(net.parameterCount);
    });
  });
});

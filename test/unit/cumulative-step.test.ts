// The steps of cumulativeGaussNewton against their definitions in dense algebra, batch after batch, by both engines; the projection onto a
// ball; the gate; and the bits of a run that goes on from a copy of its state.
import { describe, expect, it } from "vitest";
import { failed } from "../../src/backend/engine.js";
import type { NetworkEngine } from "../../src/backend/network-engine.js";
import type { Loss } from "../../src/loss/rules.js";
import { squaredError } from "../../src/loss/squared-error.js";
import { projectOntoBall } from "../../src/method/cumulative/ball-projection.js";
import { cumulativeGaussNewton } from "../../src/method/cumulative/cumulative.js";
import type { CumulativeGaussNewtonOptions } from "../../src/method/cumulative/options.js";
import type { MethodState } from "../../src/method/method.js";
import { predictions } from "../../src/network/forward.js";
import { network } from "../../src/network/network.js";
import { Random } from "../../src/random.js";
import { contextOf, engineOf, firstRows, type StepProblem } from "../helpers/batch-step.js";
import { eliminate, multiply, transpose } from "../helpers/dense.js";

const backends = ["typescript", "native"] as const;
const rows = 12;
const net = network({ layers: [3, 4, 1], seed: 5 });
const p = net.parameterCount;
const loss: Loss = squaredError();

/** Batches of one problem. */
const problems: readonly StepProblem[] = Array.from({ length: 9 }, (_, k) => {
  const draw = new Random(11, k);
  const inputs = Float64Array.from({ length: rows * 3 }, () => draw.normal());
  const targets = Float64Array.from({ length: rows }, (__, i) => Math.sin(inputs[3 * i]) + 0.1 * draw.normal());
  return { net, loss, rows, batch: { inputs, targets } };
});

/** J^T J of the first rows, J^T r and the sum of half squares of all rows, at w. */
async function dense(problem: StepProblem, w: Float64Array, curved: number) {
  const engine = engineOf(problem, "typescript");
  const jacobian = await engine.jacobian(w, 0, rows);
  engine.dispose();
  const psi = predictions(net.architecture, w, problem.batch.inputs);
  const residual = psi.map((value, i) => value - problem.batch.targets[i]);
  const part = jacobian.slice(0, curved * p);
  return {
    gram: multiply(transpose(part, curved, p), part, p, curved, p),
    gradient: multiply(transpose(jacobian, rows, p), residual, p, rows, 1),
    loss: 0.5 * residual.reduce((sum, value) => sum + value * value, 0),
  };
}

interface Taken {
  readonly accepted: boolean;
  readonly parameters: Float64Array;
}

const sizes = { rows: 10 * rows, outputSize: 1, parameterCount: p, loss };

/** Steps of the method on the batches, from a point and a state. */
async function run(
  options: CumulativeGaussNewtonOptions,
  backend: (typeof backends)[number],
  rates: readonly number[],
  from: { readonly step: number; readonly w: Float64Array; readonly state: MethodState | null } = {
    step: 0,
    w: net.parameters,
    state: null,
  },
): Promise<{ readonly taken: Taken[]; readonly state: MethodState }> {
  const method = cumulativeGaussNewton({ batch: rows, ...options });
  const needs = method.needs(sizes);
  const engines: NetworkEngine[] = needs.engines.map((one) => engineOf(problems[0], backend, one.rows));
  let state = from.state ?? method.start(sizes);
  let w = from.w;
  const taken: Taken[] = [];
  for (let k = from.step; k < rates.length; k++) {
    for (const engine of engines) engine.load?.(firstRows(problems[k], engine.sampleCount));
    const place = { iteration: k + 1, rate: rates[k], totalRows: sizes.rows, stepsPerEpoch: sizes.rows / rows };
    const context = contextOf(problems[k], engines, w, place);
    const answer = await method.step(context, state);
    if (failed(answer)) throw new Error(answer.message);
    state = answer.state;
    if (answer.accepted) w = context.next;
    taken.push({ accepted: answer.accepted, parameters: w.slice() });
  }
  for (const engine of engines) engine.dispose();
  return { taken, state };
}

function largestGap(a: Float64Array, b: Float64Array): number {
  return a.reduce((most, value, j) => Math.max(most, Math.abs(value - b[j])), 0);
}

const rates = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2];

describe.each(backends)("%s engine", (backend) => {
  it.each(["published", "forgetting"] as const)(
    "%s: H_k and the step of every batch are the definition",
    async (form) => {
      const [weight, damping, keep] = [0.5, 3, form === "published" ? 1 : 0.9];
      const options = { form, weight, damping, ...(form === "published" ? {} : { keep }) };
      const { taken } = await run(options, backend, rates);
      let w = net.parameters;
      let h = new Float64Array(p * p);
      for (const [k, rate] of rates.entries()) {
        const { gram, gradient } = await dense(problems[k], w, rows);
        h = h.map((value, at) => keep * value + weight * gram[at]);
        const system = h.slice();
        for (let j = 0; j < p; j++) system[j * p + j] += damping;
        const direction = eliminate(system, gradient, p);
        const next = w.map((value, j) => value - rate * direction[j]);
        expect(taken[k].accepted).toBe(true);
        expect(largestGap(taken[k].parameters, next), `step ${k + 1}`).toBeLessThan(1e-10);
        w = taken[k].parameters;
      }
    },
  );

  it("published with a radius: the projection in the metric of H_k, from the conditions of its minimum", async () => {
    const radius = 0.3;
    const { taken } = await run({ form: "published", damping: 3, radius }, backend, rates);
    let w = net.parameters;
    let h = new Float64Array(p * p);
    let projected = 0;
    for (const [k, rate] of rates.entries()) {
      const { gram, gradient } = await dense(problems[k], w, rows);
      h = h.map((value, at) => value + 0.5 * gram[at]);
      const system = h.slice();
      for (let j = 0; j < p; j++) system[j * p + j] += 3;
      const direction = eliminate(system, gradient, p);
      const u = w.map((value, j) => value - rate * direction[j]);
      const v = taken[k].parameters;
      const offset = v.map((value, j) => value - net.parameters[j]);
      if (Math.hypot(...u.map((value, j) => value - net.parameters[j])) <= radius) {
        expect(largestGap(v, u)).toBeLessThan(1e-10);
      } else {
        // H (u - v) = theta (v - c) with theta >= 0, on the sphere.
        projected++;
        expect(Math.abs(Math.hypot(...offset) - radius)).toBeLessThan(1e-12);
        const pull = multiply(
          system,
          u.map((value, j) => value - v[j]),
          p,
          p,
          1,
        );
        const theta = pull.reduce((sum, value, j) => sum + value * offset[j], 0) / radius ** 2;
        expect(theta).toBeGreaterThan(0);
        expect(
          largestGap(
            pull,
            offset.map((value) => theta * value),
          ),
        ).toBeLessThan(1e-10 * (1 + theta));
      }
      w = v;
    }
    expect(projected).toBeGreaterThan(0);
  });

  it("moving average: warm-up, averages every few steps, and the factor between them", async () => {
    const [keep, damping, curved, every] = [0.8, 0.1, 5, 3];
    const options = { keep, damping, curvatureRows: curved, factorEvery: every, warmUp: 0.5, largestRise: 1e6 };
    const short = rates.map((rate) => 0.3 * rate);
    const { taken } = await run(options, backend, short);
    const warm = Math.ceil((0.5 * p) / curved);
    expect(warm).toBe(3);
    let w = net.parameters;
    let m = new Float64Array(p * p);
    for (const [k, rate] of short.entries()) {
      const { gram, gradient } = await dense(problems[k], w, curved);
      if (k < warm) {
        m = m.map((value, at) => (k * value + gram[at] / curved) / (k + 1));
        expect(taken[k]).toMatchObject({ accepted: false, parameters: net.parameters });
        continue;
      }
      if ((k - warm) % every === 0) m = m.map((value, at) => keep * value + ((1 - keep) * gram[at]) / curved);
      const system = m.slice();
      for (let j = 0; j < p; j++) system[j * p + j] += damping;
      const direction = eliminate(system, gradient, p);
      const next = w.map((value, j) => value - (rate / rows) * direction[j]);
      expect(taken[k].accepted).toBe(true);
      expect(largestGap(taken[k].parameters, next), `step ${k + 1}`).toBeLessThan(1e-10);
      w = taken[k].parameters;
    }
  });

  it("a run that goes on from a copy of its state has the same bits, in the middle of a factor's life", async () => {
    for (const options of [
      { keep: 0.8, curvatureRows: 5, factorEvery: 3, warmUp: 0.5 },
      { form: "published", damping: 3, radius: 0.3 },
    ] as const) {
      const whole = await run(options, backend, rates);
      for (const step of [2, 4, 5, 7]) {
        const head = await run(options, backend, rates.slice(0, step));
        const state = structuredClone(head.state);
        const w = head.taken[step - 1].parameters;
        const tail = await run(options, backend, rates, { step, w, state });
        expect(tail.taken.at(-1)?.parameters).toEqual(whole.taken.at(-1)?.parameters);
        expect(tail.state).toEqual(whole.state);
      }
    }
  });
});

describe("the gate", () => {
  it("rejects a step that raises the loss of the batch by more than its share, and keeps the curvature", async () => {
    const options = { curvatureRows: 5, warmUp: 0, damping: 1e-3 };
    const { taken, state } = await run(options, "typescript", [20]);
    expect(taken[0]).toMatchObject({ accepted: false, parameters: net.parameters });
    const { gram } = await dense(problems[0], net.parameters, 5);
    const curvature = state.curvature as Float64Array;
    expect(
      largestGap(
        curvature,
        gram.map((value) => value / 5),
      ),
    ).toBeLessThan(1e-12);
    const { taken: free } = await run({ ...options, largestRise: 1e9 }, "typescript", [20]);
    expect(free[0].accepted).toBe(true);
  });
});

describe("the projection onto a ball", () => {
  it("is the nearest point in the metric: no point of the ball is nearer", async () => {
    const draw = new Random(3);
    const n = 6;
    const a = Float64Array.from({ length: n * n }, () => draw.normal());
    const h = multiply(transpose(a, n, n), a, n, n, n);
    for (let j = 0; j < n; j++) h[j * n + j] += 0.01;
    let shifted = h;
    const metric = {
      product: async (x: Float64Array) => multiply(h, x, n, n, 1),
      factor: async (theta: number) => {
        shifted = h.map((value, at) => value + (at % (n + 1) === 0 ? theta : 0));
        return null;
      },
      inverse: async (x: Float64Array) => eliminate(shifted, x, n),
    };
    const length = (x: Float64Array) => Math.hypot(...x);
    for (const scale of [0.5, 2, 1e3, 1e8]) {
      const u = Float64Array.from({ length: n }, () => scale * draw.normal());
      const v = await projectOntoBall<never>(u, 1, metric);
      const distance = (x: Float64Array) => {
        const gap = x.map((value, j) => value - u[j]);
        return multiply(multiply(gap, h, 1, n, n), gap, 1, n, 1)[0];
      };
      expect(length(v)).toBeLessThanOrEqual(1 + 1e-15 * 8);
      if (length(u) > 1) expect(length(v)).toBeCloseTo(1, 12);
      for (let k = 0; k < 200; k++) {
        const x = v.map((value) => value + 0.05 * draw.normal());
        const inside = x.map((value) => value / Math.max(1, length(x)));
        expect(distance(inside)).toBeGreaterThanOrEqual(distance(v) * (1 - 1e-12));
      }
    }
  });

  it("leaves a point of the ball as it is", async () => {
    const u = Float64Array.of(0.3, -0.4);
    const none = async () => {
      throw new Error("not needed");
    };
    expect(await projectOntoBall<never>(u, 0.5, { product: none, factor: none, inverse: none })).toBe(u);
  });
});

describe("options", () => {
  it.each<[CumulativeGaussNewtonOptions, RegExp]>([
    [{ form: "sum" as never }, /options\.form must be one of moving-average, forgetting, published; received "sum"/],
    [
      { form: "published", keep: 0.9 },
      /options\.keep must not be given with form "published", but with moving-average or forgetting/,
    ],
    [{ radius: 1 }, /options\.radius must not be given with form "moving-average", but with published/],
    [{ keep: 1 }, /options\.keep must be a number above 0 and below 1; received 1/],
    [{ damping: 0 }, /options\.damping must be a positive finite number; received 0/],
    [
      { batch: 64, curvatureRows: 65 },
      /options\.curvatureRows must be at most options\.batch, which is 64; received 65/,
    ],
    [{ factorEvery: 0 }, /options\.factorEvery must be an integer of at least 1/],
    [{ largestRise: 0 }, /options\.largestRise must be a positive finite number/],
  ])("%j is refused", (options, message) => {
    expect(() => cumulativeGaussNewton(options)).toThrow(message);
  });

  it("some of the rows as curvature are refused where every step sees all rows: they would be the same at every step", () => {
    const sizes = { rows: 40, outputSize: 1, parameterCount: 7, loss: { kind: "squared-error", decay: 0 } } as const;
    for (const batch of ["all", "auto", 40] as const)
      expect(() => cumulativeGaussNewton({ batch, curvatureRows: 20 }).needs(sizes)).toThrow(
        /options\.method\.curvatureRows must be left out where every step sees all 40 rows.*received 20/,
      );
    expect(cumulativeGaussNewton({ batch: 39, curvatureRows: 20 }).needs(sizes).engines).toHaveLength(2);
    expect(cumulativeGaussNewton({ batch: "all", curvatureRows: 40 }).needs(sizes).engines).toHaveLength(1);
  });
});

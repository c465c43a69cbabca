// Small versions of the problems of bench/equations.mjs, written as users write them: each reaches the accuracy that its size allows.

import { describe, expect, it } from "vitest";
import { burgersSolution } from "../../src/experiment/equations/burgers-solution.js";
import { equations, faces, network, Random, sample, train } from "../../src/index.js";
import { relativeError } from "../helpers/equations.js";

const all = { gradient: 0, reduction: 0, step: 0 };

/** Random points in a box, by name. */
function drawn(random: Random, ranges: Readonly<Record<string, readonly [number, number]>>, count: number) {
  return Object.fromEntries(
    Object.entries(ranges).map(([name, [low, high]]) => [
      name,
      Float64Array.from({ length: count }, () => low + (high - low) * random.uniform()),
    ]),
  );
}

describe("train solves", () => {
  it("Poisson's equation on a line to 1e-9", async () => {
    const problem = await equations({
      inside: { residual: "u_xx + pi^2*sin(pi*x)", points: sample({ x: [0, 1] }, 128), weight: 0.01 },
      ends: { residual: "u", points: faces({ x: [0, 1] }, 2) },
    });
    const { network: field } = await train(network({ layers: [1, 30, 1], seed: 2 }), problem, {
      stop: { iterations: 300, ...all },
    });
    const x = Float64Array.from({ length: 201 }, (_, i) => i / 200);
    expect(
      relativeError(
        field.predict({ x }).u,
        x.map((one) => Math.sin(Math.PI * one)),
      ),
    ).toBeLessThan(1e-9);
    // The second derivative is as good as the equation: about the root of the loss.
    const { u_xx } = await field.derivatives({ x }, ["u_xx"]);
    expect(
      relativeError(
        u_xx,
        x.map((one) => -(Math.PI ** 2) * Math.sin(Math.PI * one)),
      ),
    ).toBeLessThan(1e-7);
  });

  it("Poisson's equation on a square with the Laplacian as one channel", async () => {
    const box = { x: [0, 1], y: [0, 1] } as const;
    const problem = await equations({
      inside: { residual: "laplacian(u) + 2*pi^2*sin(pi*x)*sin(pi*y)", points: sample(box, 512), weight: 0.01 },
      boundary: { residual: "u", points: faces(box, 128) },
    });
    expect(problem.jets.terms[0].channels.seconds).toHaveLength(1);
    const { network: field } = await train(network({ layers: [2, 10, 10, 1], seed: 1 }), problem, {
      stop: { iterations: 60, ...all },
    });
    const points = drawn(new Random(4), { x: [0, 1], y: [0, 1] }, 500);
    const truth = points.x.map((one, i) => Math.sin(Math.PI * one) * Math.sin(Math.PI * points.y[i]));
    expect(relativeError(field.predict(points).u, truth)).toBeLessThan(1e-4);
  });

  it("Burgers' equation, and a hard condition holds exactly", async () => {
    const nu = 0.1;
    const inside = sample({ x: [-1, 1], t: [0, 1] }, 512);
    const problem = await equations(
      { inside: { residual: "u_t + u*u_x - nu*u_xx", points: inside } },
      {
        features: ["cos(pi*x)", "sin(pi*x)", "t"],
        transform: { u: "-sin(pi*x) + t*u" },
        constants: { nu },
      },
    );
    const { network: field } = await train(network({ layers: [3, 10, 10, 1], seed: 1 }), problem, {
      stop: { iterations: 60, ...all },
    });
    const points = drawn(new Random(4), { x: [-1, 1], t: [0.1, 1] }, 300);
    const truth = points.x.map((x, i) => burgersSolution(x, points.t[i], nu));
    expect(relativeError(field.predict(points).u, truth)).toBeLessThan(1e-4);
    const start = { x: points.x, t: new Float64Array(points.x.length) };
    expect(field.predict(start).u).toEqual(points.x.map((x) => -Math.sin(Math.PI * x)));
  });

  it("an inverse problem: nu of Burgers' equation within three standard errors", async () => {
    const nu = 0.1;
    const random = new Random(2, 31);
    const points = drawn(random, { x: [-1, 1], t: [0, 1] }, 100);
    const y = points.x.map((x, i) => burgersSolution(x, points.t[i], nu) + 0.01 * random.normal());
    const problem = await equations(
      {
        inside: { residual: "u_t + u*u_x - nu*u_xx", points: sample({ x: [-1, 1], t: [0, 1] }, 400) },
        data: { residual: "u - y", points: { ...points, y } },
      },
      { features: ["cos(pi*x)", "sin(pi*x)", "t"], unknowns: { nu: 0.3 } },
    );
    const { unknowns } = await train(network({ layers: [3, 8, 8, 1], seed: 1 }), problem, {
      stop: { iterations: 60, ...all },
    });
    const { value, standardError } = unknowns.nu;
    expect(Math.abs(value - nu)).toBeLessThan(3 * standardError!);
    expect(standardError!).toBeGreaterThan(2e-4);
    expect(standardError!).toBeLessThan(5e-3);
  });

  it("a function from values and slopes better than from twice as many values", async () => {
    const names = { a: [-1, 1], b: [-1, 1], c: [-1, 1] } as const;
    const value = (a: number, b: number, c: number) => Math.sin(2 * a + b * c) + 0.5 * a * c;
    const test = drawn(new Random(9), names, 500);
    const truth = test.a.map((a, i) => value(a, test.b[i], test.c[i]));
    const error = async (count: number, slopes: boolean) => {
      const points = drawn(new Random(1, 7), names, count);
      const column = (f: (a: number, b: number, c: number) => number) =>
        points.a.map((a, i) => f(a, points.b[i], points.c[i]));
      const known = {
        y: column(value),
        ya: column((a, b, c) => 2 * Math.cos(2 * a + b * c) + 0.5 * c),
        yb: column((a, b, c) => c * Math.cos(2 * a + b * c)),
        yc: column((a, b, c) => b * Math.cos(2 * a + b * c) + 0.5 * a),
      };
      const residual = slopes ? ["u - y", "u_a - ya", "u_b - yb", "u_c - yc"] : ["u - y"];
      const problem = await equations(
        { data: { residual, points: { ...points, ...known } } },
        { inputs: ["a", "b", "c"] },
      );
      const { network: field } = await train(network({ layers: [3, 10, 10, 1], seed: 1 }), problem, {
        stop: { iterations: 100, ...all },
      });
      return relativeError(field.predict(test).u, truth);
    };
    expect(await error(40, true)).toBeLessThan(0.5 * (await error(90, false)));
  });
});

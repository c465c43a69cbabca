// The exact solution that the experiment "equations" compares with, and that its examples hold at a small size.
import { expect, it } from "vitest";
import { burgersSolution } from "../../src/experiment/equations/burgers-solution.js";
import { pendulum } from "../../src/experiment/equations/pendulum.js";
import { square } from "../../src/experiment/equations/poisson.js";

it("the solution of Burgers' equation begins as -sin(pi x), is odd and periodic, and satisfies the equation", () => {
  const nu = 0.02;
  for (const x of [-0.83, -0.31, 0.04, 0.5, 0.92]) {
    expect(burgersSolution(x, 0, nu)).toBeCloseTo(-Math.sin(Math.PI * x), 14);
    for (const t of [0.2, 0.6, 0.95]) {
      const u = burgersSolution(x, t, nu);
      expect(burgersSolution(-x, t, nu)).toBeCloseTo(-u, 13);
      expect(burgersSolution(x + 2, t, nu)).toBeCloseTo(u, 13);
      // Differences of order 6 with h = 0.002: rounding eps 5 / h^2 = 3e-10; at the shock f^(8) h^6 / 560 is some 1e-8.
      const h = 0.002;
      const d = (f: (s: number) => number) =>
        (45 * (f(h) - f(-h)) - 9 * (f(2 * h) - f(-2 * h)) + f(3 * h) - f(-3 * h)) / (60 * h);
      const dd = (f: (s: number) => number) =>
        (270 * (f(h) + f(-h)) - 27 * (f(2 * h) + f(-2 * h)) + 2 * (f(3 * h) + f(-3 * h)) - 490 * f(0)) / (180 * h * h);
      const inX = (s: number) => burgersSolution(x + s, t, nu);
      const inT = (s: number) => burgersSolution(x, t + s, nu);
      const residual = d(inT) + u * d(inX) - nu * dd(inX);
      expect(Math.abs(residual)).toBeLessThan(1e-7 * (1 + Math.abs(d(inX)) ** 2));
    }
  }
});

it.each([square, pendulum])("$name keeps its claim", async (example) => {
  const settings = { seed: 1, seeds: 1, samples: 512, width: 12 };
  const run = await example.run({ settings, backend: "typescript", progress: () => {} }, 1);
  expect(example.claim([run])).toMatchObject({ holds: true });
  const { error, g } = run.figures;
  expect(example === square ? error : Math.abs(g - 2.5)).toBeGreaterThan(0);
  // A claim can fail: figures that are off are no answer.
  const wrong = { ...run, figures: { ...run.figures, error: 1, g: 4 } };
  expect(example.claim([run, wrong])).toMatchObject({ holds: false });
});

// What the examples of the experiment "equations" hold at a small size.
import { expect, it } from "vitest";
import { pendulum } from "../../src/experiment/equations/pendulum.js";
import { square } from "../../src/experiment/equations/poisson.js";

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

// The memory plan of a min-max game: what the engines report, the arrays of a batch, and the refusal in advance.
import { describe, expect, it } from "vitest";
import { Pace } from "../../src/event-loop-yield.js";
import { Game } from "../../src/game/game.js";
import { completeMinmaxOptions, type MinmaxOptions } from "../../src/game/minmax-options.js";
import { adam, minmax, minmaxGaussNewton, network, planMinmax } from "../../src/index.js";
import { sure } from "../helpers/engine-problems.js";

const generator = network({ layers: [4, 24, 24, 3], seed: 1 });
const discriminator = network({ layers: [3, 20, 20, 1], seed: 2 });
const rowsOf = (count: number) => Float64Array.from({ length: 3 * count }, (_, k) => Math.sin(k * 1.3));
const published = minmaxGaussNewton({ step: "published" });

/** Bytes of both engines once each player has taken what its method forms. */
async function engineBytes(options: MinmaxOptions, curved: boolean): Promise<number> {
  const completed = completeMinmaxOptions(options, 600);
  const weights = { generator: generator.parameters.slice(), discriminator: discriminator.parameters.slice() };
  const { backend, threads } = options;
  const game = new Game(generator.architecture, discriminator.architecture, weights, rowsOf(600), completed, {
    backend,
    threads,
  });
  try {
    const pace = new Pace(undefined);
    await game.loadLatent(0, pace);
    await game.loadPoints(0, pace, undefined);
    for (const name of ["discriminator", "generator"] as const) {
      const request = { curvature: curved ? "dual" : "none", decay: 0, scaling: null } as const;
      await sure(game[name].linearize(weights[name], request));
      if (curved) await sure(game[name].solve({ damping: 1, decay: 0, scaling: null }));
    }
    return game.generator.bytes() + game.discriminator.bytes();
  } finally {
    game.dispose();
  }
}

describe.each(["native", "typescript"] as const)(
  "%s engine: the plan counts the bytes that the engines report",
  (backend) => {
    it.each<[string, MinmaxOptions, boolean]>([
      ["Gauss-Newton a player", { batch: 200 }, true],
      ["Adam", { batch: 200, method: adam() }, false],
      ["the published step", { batch: 200, loss: "wasserstein", method: published }, false],
    ])("%s", async (_, options, curved) => {
      const all = { ...options, backend, threads: 2 };
      const { data, curvature, factor, workspaces } = planMinmax(generator, discriminator, rowsOf(600), all).bytes;
      const planned = data + curvature + factor + workspaces;
      const reported = await engineBytes(all, curved);
      // The gradients of the penalty are vectors of the plan.
      const own = reported - 8 * (generator.parameterCount + discriminator.parameterCount);
      expect(planned).toBeGreaterThanOrEqual(own);
      // Passes in TypeScript are in the plan and not of an engine.
      expect(planned).toBeLessThan(1.5 * own + 2 ** 20);
      if (!curved) expect(curvature + factor).toBe(0);
    });
  },
);

it("the kernels are those of the rows of both players, and their factors", () => {
  const bytes = (batch: number) => planMinmax(generator, discriminator, rowsOf(600), { batch, threads: 1 }).bytes;
  const kernels = (batch: number) => bytes(batch).curvature + bytes(batch).factor;
  // b and 2b squared: four times as much for twice the rows, but for the padding of the rows.
  expect(kernels(256) / kernels(128)).toBeGreaterThan(3.5);
  expect(kernels(256)).toBeGreaterThanOrEqual(8 * (256 ** 2 + 512 ** 2));
});

it("the plan names batches and methods, and result and plan agree", async () => {
  const options = { batch: 128, iterations: 1, threads: 1, memoryLimit: 2 ** 31 };
  const planned = planMinmax(generator, discriminator, rowsOf(600), options);
  expect(planned).toMatchObject({ fits: true, batch: 128, stepsPerEpoch: 4, memoryLimit: 2 ** 31 });
  expect(planned.generatorParameters).toBe(generator.parameterCount);
  expect(planned.discriminatorParameters).toBe(discriminator.parameterCount);
  expect(planned.described).toMatch(
    /^batches of 128 real rows and as many samples; the discriminator by exact Gauss-Newton/,
  );
  const { data, curvature, factor, workspaces, copies, vectors, process, peak, most } = planned.bytes;
  expect(data + curvature + factor + workspaces + copies + vectors + process).toBe(peak);
  expect(most).toBe(peak);
  expect((await minmax(generator, discriminator, rowsOf(600), options)).plan).toEqual(planned);
});

describe("a game beyond the memory limit", () => {
  const options = { batch: 500, iterations: 1, threads: 1 };
  const { most } = planMinmax(generator, discriminator, rowsOf(600), options).bytes;

  it("is refused in advance, with the bytes and a way", async () => {
    const refused = minmax(generator, discriminator, rowsOf(600), { ...options, memoryLimit: most - 1 });
    await expect(refused).rejects.toThrow(
      new RegExp(
        `a game of batches of 500 real rows.* needs .* at the peak .*and the memory limit is .*a smaller options\\.batch takes less; options\\.memoryLimit of ${most} bytes would let it run`,
      ),
    );
    await expect(refused).rejects.toMatchObject({ code: "GAUSSFLOW_MEMORY" });
    expect(planMinmax(generator, discriminator, rowsOf(600), { ...options, memoryLimit: most - 1 }).fits).toBe(false);
  });

  it("runs with the limit or the batch that the refusal names", async () => {
    expect((await minmax(generator, discriminator, rowsOf(600), { ...options, memoryLimit: most })).iterations).toBe(1);
    const smaller = { ...options, batch: 50, memoryLimit: most - 1 };
    expect((await minmax(generator, discriminator, rowsOf(600), smaller)).iterations).toBe(1);
  });

  it("is refused before anything of its size is allocated", async () => {
    // Kernels of 8 * 5 * (4e6)^2 bytes: to allocate them would fail otherwise.
    const huge = new Float64Array(3 * 4_000_000);
    await expect(minmax(generator, discriminator, huge, { batch: 4_000_000, iterations: 1 })).rejects.toMatchObject({
      code: "GAUSSFLOW_MEMORY",
    });
  });
});

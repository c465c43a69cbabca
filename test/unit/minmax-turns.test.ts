// A game on huge batches lets the event loop turn while it computes in TypeScript, hears an abort there, and computes the value of a penalty alone
// where its gradient is not needed.
import { describe, expect, it } from "vitest";
import { createEngine } from "../../src/backend/create.js";
import { finish, type Steps } from "../../src/event-loop-yield.js";
import { betweenSteps, latentInputSteps, latentInputs } from "../../src/game/batches.js";
import { outputTermSteps, penaltySteps } from "../../src/game/objective.js";
import { PlayerEngine } from "../../src/game/player-engine.js";
import { adam, type BatchMethod, minmax, network } from "../../src/index.js";
import { PASS_BLOCK } from "../../src/network/forward.js";
import { gradientPenaltySteps, inputGradientSteps } from "../../src/network/input-gradient.js";

const discriminator = network({ layers: [2, 32, 32, 1], seed: 2 });
const { architecture, parameters } = discriminator;
const points = (rows: number) => Float64Array.from({ length: 2 * rows }, (_, k) => Math.sin(k * 0.7));

/** Pieces that a computation has. */
function pieces(steps: Steps<unknown>): number {
  let count = 0;
  while (!steps.next().done) count++;
  return count;
}

describe("rows of a game are handled in pieces", () => {
  const rows = 40 * PASS_BLOCK;
  const x = points(rows);
  const into = new Float64Array(parameters.length);

  it.each<[string, () => Steps<unknown>, number]>([
    ["the gradient of a penalty", () => penaltySteps("r1", 1, architecture, parameters, x, into), 40],
    ["its value", () => penaltySteps("gradient", 1, architecture, parameters, x, null), 40],
    ["gradients by the inputs", () => inputGradientSteps(architecture, parameters, x, (f) => f), 40],
    ["slopes and roots", () => outputTermSteps("logistic", new Float64Array(100_000), () => 1), 10],
    ["latent inputs", () => latentInputSteps(1, 0, new Float64Array(100_000)), 10],
    ["points between rows", () => betweenSteps(points(50_000), points(50_000), 2, 1, 0, points(50_000)), 10],
  ])("%s", (_, make, least) => {
    expect(pieces(make())).toBeGreaterThanOrEqual(least);
  });

  it("and latent inputs are the numbers of one go", () => {
    const part = new Float64Array(1000);
    finish(latentInputSteps(7, 9000, part));
    expect([...part]).toEqual([...latentInputs(7, 0, 10_000).subarray(9000)]);
  });
});

it.each(["r1", "gradient"] as const)(
  "the value alone of the penalty %s has the bits of that with its gradient",
  (name) => {
    // Blocks of 128 and a last one of 44.
    const x = points(300);
    const whole = finish(penaltySteps(name, 0.7, architecture, parameters, x, new Float64Array(parameters.length)));
    expect(finish(penaltySteps(name, 0.7, architecture, parameters, x, null))).toBe(whole);
  },
);

it("an evaluation asks for no gradient of the penalty", async () => {
  const asked: boolean[] = [];
  const { player } = playerOf(10, function* (w, into) {
    asked.push(into !== null);
    return yield* penaltySteps("r1", 1, architecture, w, points(10), into);
  });
  const value = await player.evaluate(parameters);
  expect(asked).toEqual([false]);
  const point = await player.linearize(parameters, { curvature: "none", decay: 0, scaling: null });
  expect(asked).toEqual([false, true]);
  expect(value).toMatchObject({ ok: true, loss: (point as { loss: number }).loss });
  player.dispose();
});

/** An engine of a discriminator whose penalty is `penalty`. */
function playerOf(rows: number, penalty: (w: Float64Array, into: Float64Array | null) => Steps<number>) {
  const inputs = points(2 * rows);
  const data = { sampleCount: 2 * rows, inputs, targets: new Float64Array(2 * rows) };
  const player = new PlayerEngine(createEngine(architecture, data, {}), rows, {
    terms: (outputs) => outputTermSteps("logistic", outputs, (row) => (row < rows ? 1 : -1)),
    penalty,
  });
  return { player };
}

/** A penalty of some tenths of a second that says how many of its blocks were computed, and whether a timer fired between them. */
function longPenalty(onTimer: () => void = () => {}) {
  const seen = { blocks: 0, fired: false };
  const x = points(60_000);
  const r1 = (s: number) => ({ value: 0.5 * s * s, factor: 1 });
  function* penalty(w: Float64Array, into: Float64Array | null): Steps<number> {
    const timer = setTimeout(() => {
      seen.fired = true;
      onTimer();
    }, 1);
    const steps = gradientPenaltySteps(architecture, w, x, r1, into);
    try {
      for (;;) {
        const next = steps.next();
        if (next.done) return next.value;
        seen.blocks++;
        yield;
      }
    } finally {
      clearTimeout(timer);
    }
  }
  return { seen, penalty, blocks: Math.ceil(60_000 / PASS_BLOCK) };
}

describe.each(["evaluate", "linearize"] as const)("%s of a player", (call) => {
  const request = { curvature: "none", decay: 0, scaling: null } as const;
  const run = (player: PlayerEngine, signal?: AbortSignal) =>
    call === "evaluate" ? player.evaluate(parameters, signal) : player.linearize(parameters, request, signal);

  it("lets a timer fire within the penalty", async () => {
    const { seen, penalty, blocks } = longPenalty();
    const { player } = playerOf(10, penalty);
    await run(player);
    expect(seen).toEqual({ blocks, fired: true });
    player.dispose();
  });

  it("ends within the penalty where it is aborted, with the signal's reason", async () => {
    const controller = new AbortController();
    const { seen, penalty, blocks } = longPenalty(() => controller.abort(new Error("enough")));
    const { player } = playerOf(10, penalty);
    await expect(run(player, controller.signal)).rejects.toThrow("enough");
    expect(seen.blocks).toBeLessThan(blocks);
    // The engine is as it was.
    expect(await player.evaluate(parameters)).toMatchObject({ ok: true });
    player.dispose();
  });
});

it("a game that is aborted within its first step ends with the networks it was given", async () => {
  const rows = points(30_000);
  const generator = network({ layers: [2, 16, 2], seed: 1 });
  const controller = new AbortController();
  const { step, ...others } = adam();
  let ended = false;
  // The timer begins with the step and fires within it, because the gradient of the penalty takes tens of milliseconds.
  const method: BatchMethod = {
    ...others,
    step: async (context, state) => {
      setTimeout(() => controller.abort(), 1);
      const answer = await step(context, state);
      ended = true;
      return answer;
    },
  };
  const options = { method, batch: 30_000, iterations: 1000, signal: controller.signal };
  const result = await minmax(generator, discriminator, rows, options);
  expect(ended).toBe(false);
  expect(result.reason.code).toBe("aborted");
  expect(result.iterations).toBe(0);
  expect(result.discriminator.parameters).toEqual(discriminator.parameters);
  expect(result.generator.parameters).toEqual(generator.parameters);
});

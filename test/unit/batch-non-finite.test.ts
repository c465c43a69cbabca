// Trainings on batches whose numbers leave the range of doubles: the reason, the network that is kept, and the checkpoint.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  adam,
  type BatchMethod,
  dataset,
  gradientDescent,
  network,
  Random,
  type TrainOptions,
  train,
} from "../../src/index.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-non-finite-"));
const net = network({ layers: [2, 6, 1], seed: 1 });
const draw = new Random(4, 1);
const inputs = Array.from({ length: 200 }, () => [draw.normal(), draw.normal()]);
const data = dataset({ inputs, targets: inputs.map(([a, b]) => Math.sin(a) * b) });
const base: TrainOptions = { backend: "typescript", validation: false };

describe("a training on batches that diverges", () => {
  it("a loss that is not finite ends the run with the remedy, and the best network is kept", async () => {
    const {
      reason,
      network: kept,
      last,
      bestIteration,
    } = await train(net, data, {
      ...base,
      method: gradientDescent({ batch: 32, rate: 1e200, momentum: 0 }),
      stop: { epochs: 5 },
    });
    expect(reason.code).toBe("non-finite");
    expect(reason.message).toMatch(/batch \d of epoch 1 .*not finite.*: a smaller rate keeps the steps within bounds/);
    expect(bestIteration).toBe(0);
    expect([...kept.parameters, ...last.parameters].every(Number.isFinite)).toBe(true);
  });

  it("a step that is not finite leaves the checkpoint before it, from which a training goes on", async () => {
    const path = join(folder, "diverged");
    const method = adam({ batch: 32, rate: 0.01 });
    const breaking: BatchMethod = {
      ...method,
      step: (context, state) => method.step(context.iteration === 8 ? { ...context, rate: 1e308 } : context, state),
    };
    const options: TrainOptions = { ...base, checkpoint: { path, every: 5 }, stop: { epochs: 2 } };
    const broken = await train(net, data, { ...options, method: breaking });
    expect(broken.reason).toMatchObject({
      code: "non-finite",
      message: /the step of batch 2 of epoch 2 is not finite/,
    });
    expect([broken.iterations, broken.last.parameters.every(Number.isFinite)]).toEqual([7, true]);
    // The file holds step 5.
    const resumed = await train(net, data, { ...options, method, resume: path });
    const whole = await train(net, data, { ...options, method, checkpoint: undefined });
    expect(resumed.last.parameters).toEqual(whole.last.parameters);
  });
});

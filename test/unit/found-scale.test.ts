// The scale of pseudo-Huber and quantile losses that are given without one: the multiple of that of the Huber loss, in records, summaries,
// checkpoints, data files and jobs, and what is refused.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  flow,
  huber,
  type Loss,
  network,
  plan,
  pseudoHuber,
  quantile,
  Random,
  restarts,
  train,
  trainMany,
} from "../../src/index.js";
import { lossScale } from "../../src/loss/rules.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-found-scale-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const random = new Random(4, 1);
const inputs = Array.from({ length: 80 }, () => [random.normal(), random.normal()]);
const targets = inputs.map(([x, y]) => Math.sin(2 * x!) + 0.5 * y! ** 2 + 0.05 * random.normal());
const net = network({ layers: [2, 4, 1], seed: 3 });
const options = { backend: "typescript", validation: false, stop: { iterations: 6 } } as const;
const scaleOf = (loss: Loss) => lossScale(loss)?.value ?? Number.NaN;

describe.each([
  ["pseudoHuber", pseudoHuber(), "delta", 1],
  ["quantile", quantile({ tau: 0.9 }), "smoothing", 0.1 / 1.345],
] as const)("%s without its scale", (_, loss, parameter, share) => {
  const data = { inputs, targets };

  it("takes its multiple of the noise that the Huber search finds", async () => {
    const robust = await train(net, data, { ...options, loss: huber() });
    const found = await train(net, data, { ...options, loss });
    expect(scaleOf(found.lossUsed)).toBeCloseTo(share * scaleOf(robust.lossUsed), 14);
    expect(found.records.every((record) => record[parameter] === scaleOf(found.lossUsed))).toBe(true);
    const summary = found.network.summary as Record<string, unknown>;
    expect(summary[parameter === "delta" ? "lossDelta" : "lossSmoothing"]).toBe(scaleOf(found.lossUsed));
    if (loss.kind === "quantile") expect(summary.lossTau).toBe(0.9);
    expect(found.details).toContain(`${parameter} ${scaleOf(found.lossUsed)})`);
  });

  it("then trains as with that scale, and goes on from a checkpoint with it, bit for bit", async () => {
    const found = await train(net, data, { ...options, loss });
    const given = await train(net, data, { ...options, loss: found.lossUsed });
    expect([...given.network.parameters]).toEqual([...found.network.parameters]);
    const path = join(folder, `${parameter}.ckpt`);
    await train(net, data, { ...options, loss, stop: { iterations: 3 }, checkpoint: { path } });
    const resumed = await train(net, data, { ...options, loss, resume: path });
    expect([...resumed.network.parameters]).toEqual([...found.network.parameters]);
    expect(resumed.lossUsed).toEqual(found.lossUsed);
    expect(resumed.records).toMatchObject(found.records.map((record) => ({ [parameter]: record[parameter] })));
  });

  it("is planned, and scored as jobs that found different ones", async () => {
    expect(plan(net, data, { loss }).chosen.bytes.peak).toBeGreaterThan(0);
    const { scoredBy, ranked } = await trainMany(restarts({ network: net, data, options: { ...options, loss } }, 3), {
      concurrency: 1,
    });
    expect(scoredBy).toBe(parameter === "delta" ? "absolute-error" : "pinball");
    expect(ranked.every(({ score }) => Number.isFinite(score) && score > 0)).toBe(true);
  });

  it("is refused by a flow, and where half of the targets are fitted exactly", async () => {
    await expect(flow(net, data, { backend: "typescript", loss, damping: 0.5 })).rejects.toThrow(
      new RegExp(`options\\.loss\\.${parameter} must be given here.*lossUsed\\.${parameter}`),
    );
    const line = { inputs: inputs.map(([x]) => [x!]), targets: inputs.map(([x]) => 2 * x!) };
    await expect(train(network({ layers: [1, 1], seed: 1 }), line, { ...options, loss })).rejects.toThrow(
      new RegExp(`options\\.loss\\.${parameter} must be given as .*${parameter} \\}\\).*half of the targets exactly`),
    );
  });
});

it("quantile losses of different tau do not compare", async () => {
  const jobs = [0.1, 0.9].map((tau) => ({
    network: net,
    data: { inputs, targets },
    options: { ...options, loss: quantile({ tau, smoothing: 0.1 }) },
  }));
  await expect(trainMany(jobs)).rejects.toThrow(
    /^jobs\[1\]\.options\.loss must be quantile with tau 0\.1.*received "quantile with tau 0\.9"/,
  );
});

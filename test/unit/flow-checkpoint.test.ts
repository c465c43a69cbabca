// Checkpoints of flows: a resumed flow goes on bit for bit; damaged and foreign files are refused with the reason.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { teacherProblem } from "../../src/experiment/problems.js";
import {
  constantDamping,
  type DampingSchedule,
  dormandPrince,
  type FlowOptions,
  type FlowRecord,
  flow,
  flowSteps,
  type Integrator,
  lossBelow,
  spectralDamping,
  tsitouras,
} from "../../src/index.js";
import { timelessRecords } from "../helpers/sealed.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-flow-"));
const under = await teacherProblem({ seed: 2, samples: 60, width: 4, scale: 0.1, alpha: 1e4, target: "reachable" });
const over = await teacherProblem({ seed: 2, samples: 12, width: 20, scale: 1, alpha: 100, target: "reachable" });

describe("a flow that is cut off and resumed", () => {
  it.each<[string, typeof under, DampingSchedule, Integrator]>([
    ["Gauss-Newton, orthogonal route", under, constantDamping(0), dormandPrince()],
    ["Levenberg-Marquardt, PID control", over, spectralDamping(), dormandPrince({ control: "pid" })],
    ["gradient flow, Tsitouras", over, constantDamping(1), tsitouras()],
    ["integral control", over, constantDamping(0.1), dormandPrince({ control: "integral" })],
  ])("ends in the same bits: %s", async (name, { network: net, data }, damping, integrator) => {
    const path = join(folder, `${name.replace(/\W+/g, "-")}.json`);
    const start = data.targets.reduce((sum, value) => sum + value ** 2, 0) / data.sampleCount;
    const options: FlowOptions = {
      damping,
      integrator,
      until: name.startsWith("gradient") ? 0.3 : 3,
      standardize: false,
      outputs: [0.01, 0.2, 0.29],
      events: [lossBelow(start / 2, false)],
    };
    const whole = await flow(net, data, options);
    expect(whole.records.length).toBeGreaterThan(9);
    // Once by leaving the loop at step 7, once by an abort at step 9.
    for await (const { step } of flowSteps(net, data, { ...options, checkpoint: { path, every: 3 } }))
      if (step === 7) break;
    const controller = new AbortController();
    const onRecord = ({ step }: FlowRecord) => {
      if (step === 9) controller.abort();
    };
    const second = await flow(net, data, {
      ...options,
      resume: path,
      checkpoint: { path },
      signal: controller.signal,
      onRecord,
    });
    expect(second.reason.code).toBe("aborted");
    expect(second.records.map(({ step }) => step)).toEqual(second.records.map((_, k) => k));
    const resumed = await flow(net, data, { ...options, resume: path });
    expect(resumed.reason).toEqual(whole.reason);
    expect(resumed.last.parameters).toEqual(whole.last.parameters);
    expect(timelessRecords(resumed.records)).toEqual(timelessRecords(whole.records));
    expect(resumed.statistics).toEqual(whole.statistics);
    expect(resumed.switched).toEqual(whole.switched);
    expect(resumed.outputs.map(({ time, network }) => [time, network.parameters])).toEqual(
      whole.outputs.map(({ time, network }) => [time, network.parameters]),
    );
    expect(resumed.events.map(({ name: event, time }) => [event, time])).toEqual(
      whole.events.map(({ name: event, time }) => [event, time]),
    );
  });

  it("may go on beyond its first end", async () => {
    const path = join(folder, "longer.json");
    const options = { damping: 0.1, standardize: false } as const;
    await flow(over.network, over.data, { ...options, until: 1, checkpoint: { path } });
    const longer = await flow(over.network, over.data, { ...options, until: 2, resume: path });
    expect(longer.time).toBe(2);
    expect(longer.records[0].time).toBe(0);
    // The step that was cut at t = 1 is in neither the file nor the longer flow: it is the one that was never interrupted.
    const whole = await flow(over.network, over.data, { ...options, until: 2 });
    expect(longer.last.parameters).toEqual(whole.last.parameters);
    expect(timelessRecords(longer.records)).toEqual(timelessRecords(whole.records));
    expect(longer.statistics).toEqual(whole.statistics);
    const again = await flow(over.network, over.data, { ...options, until: 1, resume: path });
    expect(again.reason.code).toBe("until");
    expect(again.time).toBe(1);
  });

  it("goes on from its start where its only step was cut, and where an event cut it", async () => {
    const path = join(folder, "short.json");
    const options = { damping: 0.1, standardize: false } as const;
    const whole = await flow(over.network, over.data, { ...options, until: 2 });
    const short = await flow(over.network, over.data, { ...options, until: 1e-3, checkpoint: { path } });
    expect(short.records).toHaveLength(2);
    const half = { ...options, until: 2, events: [lossBelow(0.5 * whole.records[0].loss)] };
    const later = join(folder, "event.json");
    expect((await flow(over.network, over.data, { ...half, checkpoint: { path: later } })).reason.code).toBe("event");
    for (const resume of [path, later]) {
      const resumed = await flow(over.network, over.data, { ...options, until: 2, resume });
      expect(resumed.last.parameters).toEqual(whole.last.parameters);
      expect(timelessRecords(resumed.records)).toEqual(timelessRecords(whole.records));
    }
  });

  it("loses no step that was shown, even when the observer throws at it", async () => {
    const path = join(folder, "thrown.json");
    const options: FlowOptions = { damping: 0.1, until: 2, standardize: false };
    const onRecord = ({ step }: FlowRecord) => {
      if (step === 6) throw new Error("observer");
    };
    const cut = flow(over.network, over.data, { ...options, onRecord, checkpoint: { path } });
    await expect(cut).rejects.toThrow("observer");
    const seen: number[] = [];
    await flow(over.network, over.data, { ...options, resume: path, onRecord: ({ step }) => void seen.push(step) });
    expect(seen[0]).toBe(7);
  });

  it("refuses outputs that lie before the checkpoint and were not asked for then", async () => {
    const path = join(folder, "outputs.json");
    const options: FlowOptions = { damping: 0.1, standardize: false };
    await flow(over.network, over.data, { ...options, until: 1, outputs: [0.5], checkpoint: { path } });
    const resume = (outputs: number[]) =>
      flow(over.network, over.data, { ...options, until: 2, outputs, resume: path });
    await expect(resume([0.2, 1.5])).rejects.toThrow(
      /options.outputs\[0\] must be later than the checkpoint's t = 0\.\d+, or have been asked for before it; received 0.2/,
    );
    expect((await resume([0.5, 1.5])).outputs.map(({ time }) => time)).toEqual([0.5, 1.5]);
  });

  it("refuses a file of another flow, a damaged one, one that is not there", async () => {
    const path = join(folder, "whole.json");
    const options = { damping: 0.1, until: 1, standardize: false } as const;
    await flow(over.network, over.data, { ...options, checkpoint: { path } });
    const resume = (changed: FlowOptions) => flow(over.network, over.data, { ...options, ...changed });
    for (const changed of [
      { damping: 0.2 },
      { integrator: tsitouras() },
      { standardize: true },
      { route: "dual" as const },
    ])
      await expect(resume({ resume: path, ...changed })).rejects.toThrow(/belongs to another flow/);
    const text = readFileSync(path, "utf8");
    const torn = join(folder, "torn.json");
    writeFileSync(torn, text.slice(0, text.length / 2));
    await expect(resume({ resume: torn })).rejects.toMatchObject({ code: "GAUSSFLOW_FILE" });
    const edited = join(folder, "edited.json");
    writeFileSync(edited, text.replace(/"stiffness":null/, '"stiffness":"no"'));
    await expect(resume({ resume: edited })).rejects.toThrow(/checksum/);
    await expect(resume({ resume: join(folder, "none.json") })).rejects.toThrow(/there is no such file/);
    await expect(resume({ resume: "examples/data/auto-mpg.csv" })).rejects.toThrow(/is not JSON/);
  });
});

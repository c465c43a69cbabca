// What callers hand to a flow may abort it, write where it should not, or name a place that is not there: none of it may spoil a result
// or be told of under another name.
import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeFileAtomic } from "../../src/atomic-file.js";
import {
  type FlowEvent,
  type FlowOptions,
  flow,
  GaussflowError,
  monitor,
  network,
  recommendOutputScale,
  spectralDamping,
  type TrainRecord,
  train,
} from "../../src/index.js";
import { waves } from "../helpers/problems.js";

const data = waves(20, 2, 1, 1);
const net = network({ layers: [2, 3, 1], seed: 1 });
const options: FlowOptions = { until: 1, damping: 0.2, backend: "typescript" };
const plain = await flow(net, data, options);
const bits = ({ elapsed: _, ...rest }: (typeof plain.records)[number]) => rest;

describe("an abort thrown out of", () => {
  const controller = () => {
    const own = new AbortController();
    const stop = (time: number) => {
      if (time > 0.5) own.abort(new Error("enough"));
      own.signal.throwIfAborted();
      return own.signal.aborted;
    };
    return { signal: own.signal, stop };
  };
  it("a damping function is the reason, not a broken schedule", async () => {
    const { signal, stop } = controller();
    const damping: FlowOptions["damping"] = ({ time }) => (stop(time) ? 0 : 0.2);
    const { reason, records } = await flow(net, data, { ...options, signal, damping });
    expect(reason).toEqual({ code: "aborted", message: "the caller aborted the run: enough" });
    expect(records.length).toBeGreaterThan(1);
  });
  it("an event likewise", async () => {
    const { signal, stop } = controller();
    const event: FlowEvent = { name: "e", value: ({ time }) => (stop(time) ? 0 : 1) };
    expect((await flow(net, data, { ...options, signal, events: [event] })).reason.code).toBe("aborted");
  });
});

describe("a flow keeps its bits", () => {
  it("where a schedule overwrites the parameters it sees", async () => {
    const damping: FlowOptions["damping"] = ({ parameters }) => {
      parameters.fill(Number.NaN);
      return 0.2;
    };
    const { records, last } = await flow(net, data, { ...options, damping });
    expect(records.map(bits)).toEqual(plain.records.map(bits));
    expect(last.parameters).toEqual(plain.last.parameters);
  });
  it("where an event does", async () => {
    const vandal: FlowEvent = {
      name: "vandal",
      value: ({ parameters }) => {
        parameters.fill(0);
        return 1;
      },
    };
    const middle = 0.5 * (plain.records[0].gradientNorm + plain.records[plain.records.length - 1].gradientNorm);
    const level: FlowEvent = {
      name: "level",
      value: async (view) => (await view.gradientNorm()) - middle,
      terminal: false,
    };
    const alone = await flow(net, data, { ...options, events: [level] });
    const both = await flow(net, data, { ...options, events: [vandal, level] });
    expect(alone.events.length).toBeGreaterThan(0);
    expect(both.events).toEqual(alone.events);
    expect(both.last.parameters).toEqual(plain.last.parameters);
  });
  it("and its records, which callers cannot write to", async () => {
    const onRecord = (record: object) => {
      expect(() => Object.assign(record, { loss: 0 })).toThrow(TypeError);
    };
    expect((await flow(net, data, { ...options, onRecord })).records.map(bits)).toEqual(plain.records.map(bits));
    const watch = monitor({ onRecord: ({ spectrum }) => expect(Object.isFrozen(spectrum)).toBe(true) });
    await flow(net, data, { ...options, monitor: watch });
  });
});

it("training records cannot be written to, nor can an observer move the parameters", async () => {
  const run = { validation: false, stop: { iterations: 5 }, backend: "typescript" } as const;
  const calm = await train(net, data, run);
  const seen: TrainRecord[] = [];
  const vandal = await train(net, data, {
    ...run,
    onRecord: (record) => {
      seen.push(record);
      expect(() => Object.assign(record, { objective: 0 })).toThrow(TypeError);
      expect(() => Object.assign(record.seconds, { solve: 0 })).toThrow(TypeError);
    },
    monitor: { onPoint: ({ parameters }) => void parameters.fill(0) },
  });
  expect(seen.length).toBe(vandal.records.length);
  expect(vandal.network.parameters).toEqual(calm.network.parameters);
});

describe("a checkpoint that cannot be written", () => {
  const folder = mkdtempSync(join(tmpdir(), "gaussflow-place-"));
  const file = (error: unknown) => error instanceof GaussflowError && error.code === "GAUSSFLOW_FILE";
  it.each([join(folder, "none", "x"), folder])("is told of before any work: %s", async (path) => {
    let records = 0;
    const onRecord = () => void records++;
    await expect(flow(net, data, { ...options, checkpoint: { path }, onRecord })).rejects.toSatisfy(file);
    await expect(train(net, data, { checkpoint: { path }, onRecord })).rejects.toSatisfy(file);
    expect(records).toBe(0);
  });
  it("leaves nothing behind where it can", async () => {
    await flow(net, data, { ...options, checkpoint: { path: join(folder, "good") } });
    expect(readdirSync(folder)).toEqual(["good"]);
  });
  it("has the system's error, whatever becomes of the temporary file", async () => {
    await expect(writeFileAtomic("a\0b", "")).rejects.toSatisfy(file);
  });
});

describe("spectral damping", () => {
  const rho = (c: number, smallest: number) =>
    spectralDamping({ c }).rho({
      time: 0,
      parameters: new Float64Array(1),
      objective: 1,
      initialObjective: 1,
      spectrum: { smallest, largest: smallest, below: 0 },
    });
  it("is c lambda/(1 + c lambda), also where c lambda overflows or vanishes", () => {
    expect(rho(1, 0.25)).toBe(0.2);
    expect(rho(2, 2)).toBeCloseTo(0.8, 15);
    expect(rho(1.7e308, 10)).toBe(1);
    expect(rho(1e-300, 1e-300)).toBe(0);
    expect(rho(1, 0)).toBe(0);
  });
  it("has an outputScale whose square is a number", () => {
    for (const outputScale of [1e-200, 1e200])
      expect(() => network({ layers: [2, 3, 1], outputScale })).toThrow(
        `outputScale must be from 1e-150 to 1e+150; received ${outputScale}`,
      );
  });
});

it("advice refuses a signal that is none", async () => {
  await expect(recommendOutputScale(net, data, { signal: 5 as never })).rejects.toThrow(
    "options.signal must be an AbortSignal; received 5",
  );
  await expect(recommendOutputScale(null as never, data)).rejects.toThrow("network must be made by network()");
});

// A checkpoint whose seal fits but whose contents cannot be those of a run: every field is refused by name, none travels on as NaN.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { flow, GaussflowError, monitor, network, train } from "../../src/index.js";
import { encodeFloats } from "../../src/sealed-json.js";
import { waves } from "../helpers/problems.js";
import { type Body, resealed } from "../helpers/sealed.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-contents-"));
const data = waves(20, 2, 1, 1);
const net = network({ layers: [2, 3, 1], seed: 1 });
const bits = (...values: number[]) => encodeFloats(Float64Array.from(values));
const nan = Number.NaN;

const refused = (message: RegExp) => (error: unknown) =>
  error instanceof GaussflowError && error.code === "GAUSSFLOW_FILE" && message.test(error.message);

describe("a flow's checkpoint is refused with", async () => {
  const path = join(folder, "flow.json");
  const options = { damping: 0.2, until: 1, outputs: [0.5], backend: "typescript" } as const;
  await flow(net, data, { ...options, checkpoint: { path }, events: [{ name: "e", value: ({ time }) => time - 0.3 }] });
  it("none of it, as it was written", async () => {
    const copy = resealed(path, () => {});
    expect((await flow(net, data, { ...options, resume: copy })).time).toBe(1);
  });
  it.each<[string, (body: Body) => void, RegExp]>([
    [
      "numbers that are NaN",
      (body) => {
        body.numbers = bits(...Array(8).fill(nan));
      },
      /numbers\[0\] must be a finite number; it is NaN/,
    ],
    [
      "half a count",
      (body) => {
        body.numbers = bits(1, 2.5, 0, 3, 3, 1, 1, 1);
      },
      /accepted must be a count; received 2.5/,
    ],
    [
      "a state that is NaN",
      (body) => {
        body.state = bits(...Array(net.parameterCount + 1).fill(nan));
      },
      /state\[0\]/,
    ],
    [
      "no memory",
      (body) => {
        body.memory = "";
      },
      /memory must begin with a positive step/,
    ],
    [
      "a negative step",
      (body) => {
        body.memory = bits(-1, 0, 0);
      },
      /memory must begin with a positive step; it is -1/,
    ],
    [
      "a memory cut short",
      (body) => {
        body.memory = bits(1);
      },
      /memory.stiffCount must be a count/,
    ],
    [
      "no best point",
      (body) => {
        body.best = null;
      },
      /best must be an object/,
    ],
    [
      "a best point that is NaN",
      (body) => {
        body.best.objective = bits(nan);
      },
      /best.objective\[0\] must be a finite/,
    ],
    [
      "a switch of no form",
      (body) => {
        body.switched = 5;
      },
      /switched must be an object; received 5/,
    ],
    [
      "a switch without a time",
      (body) => {
        body.switched = { message: "x" };
      },
      /switched.time must be a time/,
    ],
    [
      "stiffness that is no sentence",
      (body) => {
        body.stiffness = {};
      },
      /stiffness must be a text/,
    ],
    [
      "an output at no time",
      (body) => {
        body.outputs[0].time = bits(nan);
      },
      /outputs\[0\].time\[0\]/,
    ],
    [
      "a nameless event",
      (body) => {
        delete body.events[0].name;
      },
      /events\[0\].name must be a text; received undefined/,
    ],
    [
      "no records",
      (body) => {
        body.records = [];
      },
      /records must be a list of at least one/,
    ],
    [
      "records that are none",
      (body) => {
        body.records = [1];
      },
      /records\[0\] must be an object; received 1/,
    ],
    [
      "a record without its time",
      (body) => {
        delete body.records[1].time;
      },
      /records\[1\].time must be a finite number/,
    ],
    [
      "a record without its route",
      (body) => {
        body.records[1].route = 1;
      },
      /records\[1\].route must be a name/,
    ],
  ])("%s", async (_, damage, message) => {
    const resume = resealed(path, damage);
    await expect(flow(net, data, { ...options, until: 2, resume })).rejects.toSatisfy(refused(message));
  });
});

describe("a training run's checkpoint is refused with", async () => {
  const path = join(folder, "train.json");
  const options = { validation: false, stop: { iterations: 6 }, backend: "typescript" } as const;
  await train(net, data, { ...options, stop: { iterations: 3 }, checkpoint: { path } });
  it("none of it, as it was written", async () => {
    const copy = resealed(path, () => {});
    expect((await train(net, data, { ...options, resume: copy })).iterations).toBe(6);
  });
  it.each<[string, (body: Body) => void, RegExp]>([
    [
      "parameters that are NaN",
      (body) => {
        body.parameters = bits(...Array(net.parameterCount).fill(nan));
      },
      /parameters\[0\] must be a finite/,
    ],
    [
      "a method's number that is NaN",
      (body) => {
        body.methodState[0][1] = bits(nan);
      },
      /methodState\.\w+\[0\] must be a number; it is NaN/,
    ],
    [
      "a method's array of another length",
      (body) => {
        const entry = body.methodState.find(([name]: [string]) => name === "secantSteps");
        entry[1] = bits(...Array(net.parameterCount + 1).fill(0));
      },
      /methodState\.secantSteps must have a multiple of \d+ numbers; received \d+/,
    ],
    [
      "a method's number missing",
      (body) => {
        body.methodState.pop();
      },
      /methodState\.\w+ does not belong to the method or is missing/,
    ],
    [
      "a scaling that is NaN",
      (body) => {
        body.scaling = bits(nan);
      },
      /scaling\[0\]/,
    ],
    [
      "a best point of no iteration",
      (body) => {
        body.best.iteration = "x";
      },
      /best.iteration must be a count; received "x"/,
    ],
    [
      "a best loss that is NaN",
      (body) => {
        body.best.loss = bits(nan);
      },
      /best.loss\[0\]/,
    ],
    [
      "half an iteration",
      (body) => {
        body.iteration = 1.5;
      },
      /iteration must be a count; received 1.5/,
    ],
    [
      "no clock",
      (body) => {
        body.elapsed = null;
      },
      /elapsed must be a finite number/,
    ],
    [
      "no records",
      (body) => {
        body.records = [];
      },
      /records must be a list of at least one/,
    ],
    [
      "a record of no form",
      (body) => {
        body.records[2] = { iteration: 1 };
      },
      /records\[2\].trial must be a finite number/,
    ],
  ])("%s", async (_, damage, message) => {
    const resume = resealed(path, damage);
    await expect(train(net, data, { ...options, resume })).rejects.toSatisfy(refused(message));
  });
});

describe("a run resumed where it had ended", () => {
  it("is seen by the monitor where it stands, and a flow's earlier end is refused", async () => {
    const path = join(folder, "ended.json");
    const first = await flow(net, data, { damping: 0.2, until: 5, checkpoint: { path }, monitor: monitor() });
    const again = await flow(net, data, { damping: 0.2, until: 5, resume: path, monitor: monitor() });
    // The step that the end cut short is taken anew: the checkpoint stands before it.
    const seen = again.monitor?.records ?? [];
    expect(seen.map(({ position }) => position)).toEqual(first.records.slice(-2).map(({ time }) => time));
    expect(seen.map(({ objective }) => objective)).toEqual(first.records.slice(-2).map((record) => record.objective));
    expect(seen[0].damping).toBe(0.2);
    expect(again.monitor?.converged).toEqual(first.monitor?.converged);
    await expect(flow(net, data, { damping: 0.2, until: 2, resume: path })).rejects.toThrow(
      /options.until must not be before the checkpoint's t = 4\.\d+; received 2/,
    );
  });
  it("is seen likewise in training", async () => {
    const path = join(folder, "trained.json");
    const first = await train(net, data, { checkpoint: { path }, monitor: monitor() });
    const again = await train(net, data, { resume: path, monitor: monitor() });
    expect(again.monitor?.records.map(({ position }) => position)).toEqual([first.iterations]);
    expect(again.monitor?.converged.holds).toBe(first.monitor?.converged.holds);
  });
});

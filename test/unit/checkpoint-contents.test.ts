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
      /records\[1\].route must be one of primal, dual, orthogonal; received 1/,
    ],
    ["a record left out", (body) => body.records.splice(1, 1), /records\[1\]\.step must be 1; it is 2/],
    [
      "records that end too early",
      (body) => body.records.pop(),
      /records must be \d+, one for each accepted step and the start/,
    ],
    ["time that runs back", (body) => (body.records[1].time = -1), /records\[1\]\.time must be after 0; it is -1/],
    [
      "a condition that is a text",
      (body) => (body.records[0].condition = "1"),
      /records\[0\]\.condition must be a number or null/,
    ],
  ])("%s", async (_, damage, message) => {
    const resume = resealed(path, damage);
    await expect(flow(net, data, { ...options, until: 2, resume })).rejects.toSatisfy(refused(message));
  });
});

/** An entry of the method's state. */
const stateOf = (body: Body, name: string) => body.methodState.find(([found]: [string]) => found === name);

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
        body.scaling = bits(...Array(net.parameterCount).fill(nan));
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
      /records\[2\].trial must be a count; received undefined/,
    ],
    ["no scaling", (body) => (body.scaling = null), /scaling must be there for this run/],
    ["a short scaling", (body) => (body.scaling = bits(1)), /scaling must hold 13 numbers, not 1/],
    [
      "a negative scaling",
      (body) => (body.scaling = bits(-1, ...Array(12).fill(1))),
      /scaling must be numbers of at least 0/,
    ],
    [
      "a scaling of zeros",
      (body) => (body.scaling = bits(...Array(13).fill(0))),
      /scaling must be numbers of at least 0, one/,
    ],
    ["an infinite scaling", (body) => (body.scaling = bits(...Array(13).fill(1 / 0))), /scaling\[0\] must be a finite/],
    [
      "a negative damping",
      (body) => (stateOf(body, "damping")[1] = bits(-1)),
      /methodState\.damping must be a finite number above 0; it is -1/,
    ],
    [
      "an infinite damping",
      (body) => (stateOf(body, "damping")[1] = bits(1 / 0)),
      /methodState\.damping must be a finite number above 0/,
    ],
    ["a growth of 0", (body) => (stateOf(body, "growth")[1] = bits(0)), /methodState\.growth must be/],
    [
      "half a slow step",
      (body) => (stateOf(body, "slowSteps")[1] = bits(0.5)),
      /methodState\.slowSteps must be a count/,
    ],
    [
      "secant steps without changes",
      (body) => (stateOf(body, "secantSteps")[1] = bits(...Array(13).fill(1))),
      /methodState\.secantChanges must have as many numbers as secantSteps, 13; has 0/,
    ],
    [
      "a name of every object in its state",
      (body) => body.methodState.push(["__proto__", bits(1), "number"]),
      /methodState\.__proto__ does not belong/,
    ],
    [
      "another iteration than its records",
      (body) => (body.iteration = 1e15),
      /iteration must be that of the last record.*: 3; it is 1000000000000000/,
    ],
    ["a record left out", (body) => body.records.splice(1, 1), /records\[1\]\.iteration must be 1; it is 2/],
    [
      "a best point of the future",
      (body) => (body.best.iteration = 4),
      /best\.iteration must be at most the iteration 3; it is 4/,
    ],
    ["more stale iterations than there were", (body) => (body.stale = 1e15), /stale must be at most the iteration 3/],
    [
      "a best validation without validation",
      (body) => (body.bestValidation = body.best),
      /bestValidation must be there exactly where/,
    ],
    [
      "a clock before the start",
      (body) => (body.elapsed = -1),
      /elapsed must be a finite number of at least 0; received -1/,
    ],
    [
      "an unknown route",
      (body) => (body.records[1].route = "evil"),
      /records\[1\]\.route must be one of primal, dual, matrix-free, sampled, gradient; received "evil"/,
    ],
    [
      "a record without its seconds",
      (body) => delete body.records[0].seconds,
      /records\[0\]\.seconds must be an object/,
    ],
    [
      "a phase of no time",
      (body) => (body.records[0].seconds.solve = null),
      /records\[0\]\.seconds\.solve must be a finite number/,
    ],
    [
      "a gradient that is a text",
      (body) => (body.records[0].gradientNorm = "1"),
      /records\[0\]\.gradientNorm must be a number or null/,
    ],
    [
      "half a sample behind the curvature",
      (body) => (body.records[0].subset = 0.5),
      /records\[0\]\.subset must be a count or null/,
    ],
    [
      "a precision of no kind",
      (body) => (body.records[0].precision = {}),
      /records\[0\]\.precision\.used must be one of single, double/,
    ],
    ["a place that is none", (body) => (body.best.parameters = "scaling"), /best\.parameters is not base64/],
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

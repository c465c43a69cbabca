// Networks whose parameters are given, not drawn: they predict, train, resume and cross threads as drawn ones do, and nothing is invented of
// how their parameters arose.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  crossValidation,
  modelFromJson,
  modelToJson,
  type Network,
  network,
  networkOf,
  restarts,
  sweep,
  train,
} from "../../src/index.js";
import { timeless } from "../helpers/many-jobs.js";
import { waves } from "../helpers/problems.js";

const folder = mkdtempSync(join(tmpdir(), "gaussflow-given-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const data = waves(60, 3, 1, 5);
const shape = { layers: [3, 5, 1], activation: "silu", bias: [true, false], outputScale: 2 } as const;

/** The network of these parameters, as another program would hand them over. */
function given({ parameters, center, options: { parametrization } }: Network): Network {
  return networkOf({ ...shape, parameters: [...parameters], center, parametrization });
}

describe.each([
  ["plain", network({ ...shape, seed: 4 })],
  ["centered", network({ ...shape, centered: true, seed: 4 })],
  ["ntk", network({ ...shape, initialization: "ntk", seed: 4 })],
])("%s", (_, drawn) => {
  const moved = drawn.withParameters(drawn.parameters.map((value) => 1.1 * value));

  it("predicts the bits of the network that has these parameters", () => {
    const points = Array.from(data.inputs);
    expect(given(moved).predict(points)).toEqual(moved.predict(points));
    expect(given(moved).architecture).toEqual(moved.architecture);
  });

  it("holds no draw, and neither does its file, which reads as the same network", () => {
    const made = given(moved);
    expect(made.options).toEqual({ ...moved.options, drawn: null });
    const text = modelToJson(made);
    expect(JSON.parse(text).body.network.drawn).toBeNull();
    expect(text).not.toMatch(/seed|initiali/);
    expect(modelFromJson(text).state()).toEqual(made.state());
  });

  it("trains as the drawn network does whose draws are of seed 0", async () => {
    const options = { backend: "typescript", stop: { iterations: 5 } } as const;
    const found = await train(given(moved), data, options);
    const expected = await train(moved, data, { ...options, seed: 0 });
    expect(timeless(found).records).toEqual(timeless(expected).records);
    expect(found.network.parameters).toEqual(expected.network.parameters);
    expect(found.network.options.drawn).toBeNull();
  });
});

describe("a network without a draw", () => {
  const made = given(network({ ...shape, seed: 4 }));
  const options = { backend: "typescript", stop: { iterations: 8 } } as const;

  it("resumes bit for bit, and its checkpoint belongs to no drawn network", async () => {
    const path = join(folder, "run.json");
    const whole = await train(made, data, options);
    await train(made, data, { ...options, stop: { iterations: 3 }, checkpoint: { path } });
    expect(timeless(await train(made, data, { ...options, resume: path }))).toEqual(timeless(whole));
    const drawn = network({ ...shape, seed: 4 });
    await expect(train(drawn, data, { ...options, seed: 0, resume: path })).rejects.toThrow(/another run/);
  });

  it("has no other starts: restarts and sweeps refuse it, folds do not", () => {
    const job = { network: made, data };
    for (const call of [() => restarts(job, 3, 1), () => sweep(job, [{ network: { layers: [3, 4, 1] } }])])
      expect(call).toThrow(/job\.network must be drawn by network\(\).*networkOf/);
    expect(crossValidation(job, 3)).toHaveLength(3);
  });

  it("copies its parameters", () => {
    const parameters = network(shape).parameters.slice();
    const one = networkOf({ ...shape, parameters });
    parameters[0] = 7;
    expect(one.parameters[0]).not.toBe(7);
  });

  it("names what is wrong with its parts", () => {
    const { parameters } = made;
    const wrong: readonly [object, RegExp][] = [
      [{ parameters: parameters.slice(1) }, /options\.parameters must have 25 numbers/],
      [{ parameters: parameters.map(() => Number.NaN) }, /options\.parameters\[0\] must be a finite number/],
      [{}, /options\.parameters must/],
      [{ parameters, center: [1] }, /options\.center must have 25 numbers/],
      [{ parameters, parametrization: "mup" }, /options\.parametrization must be one of standard, ntk; received "mup"/],
      [{ parameters, seed: 1 }, /seed/],
    ];
    for (const [part, message] of wrong) expect(() => networkOf({ ...shape, ...part } as never)).toThrow(message);
  });
});

describe("the options that a network holds", () => {
  const net = network({ ...shape, seed: 4 });

  it("are no options of network(); the error says how to draw the weights again", () => {
    expect(() => network(net.options as never)).toThrow(
      /^options must not have .*\.\.\.drawn, seed: 1 }; received "drawn"/,
    );
    expect(() => network({ layers: [2, 1], parametrization: "ntk" } as never)).toThrow(/received "parametrization"/);
    const { drawn, parametrization: _, ...rest } = net.options;
    const again = network({ ...rest, ...drawn, seed: 5 });
    expect(again.parameters).toEqual(network({ ...shape, seed: 5 }).parameters);
  });

  it("are no options of networkOf() beside parameters, and both remedies give the network", () => {
    const { parameters } = net;
    const wrong = { ...net.options, parameters };
    expect(() => networkOf(wrong as never)).toThrow(
      /^options must not have .*withParameters\(parameters\).*give center: net\.center; received "drawn"/,
    );
    const { drawn: _, centered: __, ...rest } = net.options;
    expect(networkOf({ ...rest, parameters, center: net.center }).architecture).toEqual(net.architecture);
    expect(() => networkOf({ ...shape, centered: true, parameters } as never)).toThrow(/received "centered"/);
  });
});

// Model files: every bit comes back; damaged, foreign and hostile files are refused with the reason.
import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  GaussflowError,
  loadModel,
  modelFromJson,
  modelToJson,
  Network,
  network,
  saveModel,
  standardize,
} from "../../src/index.js";
import { waves } from "../helpers/problems.js";
import { fc } from "../helpers/property.js";
import { type Body, reseal } from "../helpers/sealed.js";

const folder = await mkdtemp(join(tmpdir(), "gaussflow-"));
const data = waves(50, 3, 2, 1);
const net = network({ layers: [3, 5, 2], activation: "gelu", seed: 3, centered: true, outputScale: 2 }).withScaling(
  standardize(data),
);

describe("save and load", () => {
  it("gives back every bit, and leaves no temporary file", async () => {
    const path = join(folder, "net.json");
    await saveModel(path, net);
    const back = await loadModel(path);
    expect(back.parameters).toEqual(net.parameters);
    expect(back.state()).toEqual(net.state());
    expect(back.predict(data.inputs)).toEqual(net.predict(data.inputs));
    expect(await readdir(folder)).toEqual(["net.json"]);
  });

  it("keeps subnormal, tiny and huge parameters", () => {
    const odd = net.parameters.slice();
    odd.set([5e-324, -0, 1.7976931348623157e308, 0.1 + 0.2]);
    const back = modelFromJson(modelToJson(net.withParameters(odd)));
    expect(Object.is(back.parameters[1], -0)).toBe(true);
    expect(back.parameters).toEqual(odd);
  });

  it("an unwritable place is an error that names it", async () => {
    await expect(saveModel(join(folder, "no", "such", "net.json"), net)).rejects.toThrow(
      /net\.json: cannot be written/,
    );
  });
});

describe("a file that is no sound model", () => {
  it.each([
    ["", /not JSON/],
    ["{}", /not a gaussflow-model/],
    ["[1,2]", /must be an object/],
    ['{"format":"gaussflow-checkpoint"}', /not a gaussflow-model/],
    ['{"format":"gaussflow-model","version":99,"checksum":"","body":{}}', /version 99/],
    ['{"format":"gaussflow-model","version":1,"checksum":"x","body":{}}', /checksum/],
    ['{"__proto__":{"format":"gaussflow-model"}}', /not a gaussflow-model/],
  ])("%s is refused", (text, message) => {
    expect(() => modelFromJson(text, "model.json")).toThrow(message);
    expect(() => modelFromJson(text, "model.json")).toThrow(/^model\.json: /);
  });

  it("1,000 mutations give a GaussflowError or an identical model, never anything else", () => {
    const text = modelToJson(net);
    let refused = 0;
    fc.assert(
      fc.property(
        fc.array(fc.record({ at: fc.nat(text.length - 1), to: fc.string({ maxLength: 3 }), cut: fc.nat(5) }), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.option(fc.nat(text.length)),
        (edits, end) => {
          let mutated = text;
          for (const { at, to, cut } of edits) mutated = mutated.slice(0, at) + to + mutated.slice(at + cut);
          if (end !== null) mutated = mutated.slice(0, end);
          try {
            const model = modelFromJson(mutated, "m");
            expect(model).toBeInstanceOf(Network);
            expect(model.parameters).toEqual(net.parameters);
          } catch (error) {
            expect(error).toBeInstanceOf(GaussflowError);
            expect((error as GaussflowError).code).toBe("GAUSSFLOW_FILE");
            refused++;
          }
        },
      ),
      { numRuns: 1000 },
    );
    expect(refused).toBeGreaterThan(500);
  });

  it("fields that lie although the checksum fits are refused by name", async () => {
    const lies: readonly [(body: Body) => void, RegExp][] = [
      [(b) => (b.network.layers = [3, 6, 2]), /parameters must hold 38 numbers/],
      [(b) => (b.network.activation = ["tanhh"]), /activation/],
      [(b) => (b.network.layers = "abc"), /layers/],
      [(b) => delete b.network.drawn, /network\.drawn is missing/],
      [(b) => (b.parameters = 5), /base64/],
      [(b) => (b.parameters = "****"), /base64/],
      [(b) => (b.center = null), /center/],
      [(b) => (b.scaling.inputs.scale = [0, 1, 1]), /positive/],
      [(b) => (b.scaling.inputs.offset = [1]), /3 numbers/],
      [(b) => (b.encoding = { columns: [] }), /encoding/],
      [(b) => (b.summary = 7), /summary/],
      [
        (b) => (b.parameters = Buffer.from(new Float64Array(32).fill(Number.NaN).buffer).toString("base64")),
        /parameters\[0\]/,
      ],
    ];
    for (const [change, message] of lies) {
      const path = join(folder, "lie.json");
      await writeFile(path, reseal(modelToJson(net), change));
      await expect(loadModel(path)).rejects.toThrow(message);
    }
  });
});

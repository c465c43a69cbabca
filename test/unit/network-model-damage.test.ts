// Thirty and more ways a model file can be damaged, foreign or lying; each is refused with GAUSSFLOW_FILE, the file's name and the
// reason. Where the checksum would already catch it, the lie is sealed anew, so that the check behind it is the one that acts.
import { describe, expect, it } from "vitest";
import { GaussflowError, modelFromJson, modelToJson, network, standardize } from "../../src/index.js";
import { encodeFloats } from "../../src/sealed-json.js";
import { waves } from "../helpers/problems.js";
import { type Body, reseal } from "../helpers/sealed.js";

const net = network({ layers: [3, 5, 2], centered: true, seed: 3 }).withScaling(standardize(waves(50, 3, 2, 1)));
const text = modelToJson(net);
const file = JSON.parse(text);
const whole = (change: Record<string, unknown>) => JSON.stringify({ ...file, ...change });

const encoding = {
  columns: ["a", "b", "c"].map((name) => ({ kind: "numeric", name, mean: 0, min: -1, max: 1 })),
  targets: ["y", "z"],
  weights: null,
  header: true,
  delimiter: ",",
  decimal: ".",
  missing: "error",
  missingValues: [""],
};

describe("a damaged or foreign file", () => {
  it.each([
    ["empty", "", /not JSON/],
    ["cut off", text.slice(0, 200), /cut off/],
    ["without its last brace", text.trimEnd().slice(0, -1), /not JSON/],
    ["another kind of file", "a,b\n1,2\n", /not JSON/],
    ["null", "null", /must be an object/],
    ["a list", "[]", /must be an object/],
    ["a number", "7", /must be an object/],
    ["an empty object", "{}", /not a gaussflow-model/],
    ["another format", whole({ format: "gaussflow-checkpoint" }), /gaussflow-checkpoint/],
    ["a newer version", whole({ version: 3 }), /version 3.*update/],
    ["version 0", whole({ version: 0 }), /version/],
    ["version as text", whole({ version: "1" }), /version/],
    ["no checksum", whole({ checksum: undefined }), /checksum/],
    ["another checksum", whole({ checksum: "0".repeat(64) }), /checksum/],
    ["no body", whole({ body: undefined }), /no body/],
    ["one digit of a parameter edited", text.replace(/"parameters":"./, '"parameters":"!'), /checksum/],
    ["a seed edited", text.replace('"seed":3', '"seed":4'), /checksum/],
    ["lists in lists, 100,000 deep", "[".repeat(1e5) + "]".repeat(1e5), /nested more than 100 deep/],
    [
      "a body of 100,000 levels",
      `{"format":"gaussflow-model","version":1,"checksum":"x","body":${'{"a":'.repeat(1e5)}1${"}".repeat(1e5)}}`,
      /nested more than 100 deep/,
    ],
    ["a text of quotes and backslashes", `"${'\\\\\\"'.repeat(1e5)}`, /not JSON/],
  ] as const)("%s", (_, damaged, reason) => refuse(damaged, reason));

  it("is not what brackets in a text make of it", () => {
    const summary = { note: `${"[".repeat(1000)}\\" {`, "{[": "\\\\" };
    expect(modelFromJson(modelToJson(net.withSummary(summary))).summary).toEqual(summary);
  });
});

describe("a lie under a sound checksum", () => {
  const lies: readonly (readonly [string, (body: Body) => void, RegExp])[] = [
    ["no network", (b) => delete b.network, /network must be an object/],
    ["an unknown option", (b) => (b.network.depth = 3), /network.*depth/],
    ["a missing option", (b) => delete b.network.bias, /network\.bias is missing/],
    ["an unknown activation", (b) => (b.network.activation = ["cosh"]), /activation.*cosh/],
    ["a negative width", (b) => (b.network.layers = [3, -5, 2]), /layers\[1\].*-5/],
    ["a width that is no number", (b) => (b.network.layers = [3, "5", 2]), /layers\[1\]/],
    ["more parameters than there can be", (b) => (b.network.layers = [3, 1e9, 2]), /2\^31/],
    ["widths whose product overflows", (b) => (b.network.layers = [1e15, 1e15, 2]), /2\^31/],
    ["an output scale that JSON could not hold", (b) => (b.network.outputScale = null), /outputScale/],
    ["a seed that is no integer", (b) => (b.network.drawn.seed = 0.5), /network\.drawn\.seed/],
    ["a draw without a seed", (b) => delete b.network.drawn.seed, /network\.drawn\.seed/],
    ["no word on the draw", (b) => delete b.network.drawn, /network\.drawn is missing/],
    ["an unknown draw", (b) => (b.network.drawn.initialization = "zeros"), /network\.drawn\.initialization/],
    [
      "an unknown parametrization",
      (b) => (b.network.parametrization = "mup"),
      /network\.parametrization must be one of/,
    ],
    [
      "a parametrization of another draw",
      (b) => (b.network.parametrization = "ntk"),
      /must be standard for .*lecun-normal/,
    ],
    ["no parameters", (b) => delete b.parameters, /parameters must be base64/],
    ["half a parameter", (b) => (b.parameters = "AAAA"), /parameters/],
    ["too few parameters", (b) => (b.parameters = encodeFloats(new Float64Array(31))), /32 numbers, not 31/],
    ["a NaN", (b) => (b.parameters = encodeFloats(new Float64Array(32).fill(Number.NaN))), /parameters\[0\]/],
    ["an infinite center", (b) => (b.center = encodeFloats(new Float64Array(32).fill(1 / 0))), /center\[0\]/],
    ["centered without a center", (b) => (b.center = null), /center/],
    ["a center it should not have", (b) => (b.network.centered = false), /center/],
    ["scaling as a number", (b) => (b.scaling = 1), /scaling must be an object/],
    ["scaling without targets", (b) => delete b.scaling.targets, /scaling\.targets/],
    ["a scale of 0", (b) => (b.scaling.targets.scale = [1, 0]), /scaling\.targets\.scale/],
    ["a missing scale", (b) => (b.scaling.inputs.scale = [1, null, 1]), /scaling\.inputs\.scale\[1\]/],
    ["an offset too many", (b) => (b.scaling.inputs.offset = [0, 0, 0, 0]), /scaling\.inputs\.offset/],
    ["a negative scale", (b) => (b.scaling.inputs.scale[1] = -1), /scaling\.inputs\.scale must be positive/],
    ["no mention of scaling", (b) => delete b.scaling, /scaling must be an object/],
    ["a number beyond the range", (b) => (b.scaling.inputs.offset[0] = "1e400"), /scaling\.inputs\.offset\[0\]/],
    ["a name of every object for an activation", (b) => (b.network.activation = ["constructor"]), /activation/],
    [
      "a million layers",
      (b) =>
        Object.assign(b.network, {
          layers: [3, ...Array(1e6).fill(1), 2],
          activation: Array(1e6).fill("tanh"),
          bias: Array(1e6 + 1).fill(true),
        }),
      /layers must .*at most/,
    ],
    ["a list for an encoding", (b) => (b.encoding = []), /encoding/],
    [
      "an encoding of fewer inputs",
      (b) => (b.encoding = { ...encoding, columns: encoding.columns.slice(1) }),
      /2 inputs/,
    ],
    ["an encoding of fewer targets", (b) => (b.encoding = { ...encoding, targets: ["y"] }), /1 targets/],
    ["a text for a summary", (b) => (b.summary = "good"), /summary/],
  ];

  it.each(lies)("%s", (_, change, reason) => refuse(reseal(text, change), reason));

  it("and the encoding that these lies start from is sound", () => {
    const model = modelFromJson(reseal(text, (body) => Object.assign(body, { encoding })));
    expect(model.encoding).toEqual(encoding);
  });
});

function refuse(damaged: string, reason: RegExp): void {
  let error: unknown;
  try {
    modelFromJson(damaged, "model.json");
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(GaussflowError);
  const { code, message } = error as GaussflowError;
  expect(code).toBe("GAUSSFLOW_FILE");
  expect(message).toMatch(/^model\.json: /);
  expect(message).toMatch(reason);
}
